/**
 * A screen as the answer of the public server: in the markup that this device draws, with the rules that a page of that
 * markup needs, or 406 where nothing can be drawn.
 */
import type { FastifyReply } from "fastify";
import { AIR_HEADERS } from "../../wire/message/legs.ts";
import { ALWAYS_FINE, chooseMarkup, type Markup } from "../../wire/screen/choose.ts";
import { HTML_STYLE_HASH } from "../../wire/screen/html-style.ts";
import { type Rendered, renderScreen } from "../../wire/screen/render.ts";
import { type Screen, ScreenError } from "../../wire/screen/screen.ts";
import { type HeaderLines, oneHeader } from "../header-lines.ts";
import { capabilityOf, createKeptScreens, type KeptScreens, withPage } from "../proxy/draw-screen.ts";
import type { PortalContext, Shown, ShownScreen } from "./portal-context.ts";
import type { Visitor } from "./visitor.ts";
import { wordsIn } from "./words.ts";

const KEPT_ID_OCTETS = 16;
/** Browsers that follow a redirect and ask before they repeat a POST. */
const REDIRECTED: readonly Markup[] = ["html", "xhtmlmp", "chtml"];

export type Asked = {
  readonly method: "GET" | "POST";
  readonly headers: HeaderLines;
  readonly page: number;
};

type Pages = {
  readonly kept: KeptScreens;
  send(reply: FastifyReply, visitor: Visitor, answer: Shown, asked: Asked): FastifyReply;
};

export function createPages({ deps }: PortalContext): Pages {
  const kept = createKeptScreens(() => Buffer.from(deps.freshOctets(KEPT_ID_OCTETS)).toString("base64url"));

  function markupFor({ person }: Visitor, { headers }: Asked): Markup | undefined {
    const told = capabilityOf(oneHeader(headers, AIR_HEADERS.capability));
    const known = person?.tac ? deps.capabilitiesOf?.(person.tac) : undefined;
    return chooseMarkup({
      accept: headers.get("accept")?.join(", "),
      userAgent: oneHeader(headers, "user-agent"),
      device: told && told.markups.length > 0 ? told : known,
    });
  }

  /** A screen that answers a POST is kept for its further pages: its address cannot be asked for again. */
  function draw(
    visitor: Visitor,
    markup: Markup,
    { screen, self, wrongFields }: ShownScreen,
    page: number,
  ): Rendered {
    let address = self;
    const pageHref = (wanted: number): string => {
      address ??= visitor.at(`/d/p/${kept.keep(visitor.subject, screen, deps.monotonicMs())}`);
      return withPage(address, wanted);
    };
    const [problem = "", ...text] = screen.text;
    // HTML has a place of its own for what was wrong, above the form, that is read out.
    const isTold = markup === "html" && wrongFields !== undefined;
    const drawn: Screen = isTold ? { ...screen, text } : screen;
    return renderScreen(markup, drawn, {
      page,
      pageHref,
      words: wordsIn(screen.lang),
      ...(isTold ? { problem, problemFields: wrongFields } : {}),
    });
  }

  return {
    kept,
    send(reply, visitor, answer, asked) {
      reply.header("x-robots-tag", "noindex, nofollow, noarchive");
      reply.header("vary", "accept, user-agent, accept-language, turnup-capability");
      if (answer.kind === "content")
        return reply.status(answer.status).type(answer.contentType).send(Buffer.from(answer.body));
      if (answer.code !== undefined) reply.header("turnup-error", answer.code);
      if (answer.retryAfterSeconds !== undefined)
        reply.header("retry-after", String(answer.retryAfterSeconds));
      const markup = markupFor(visitor, asked);
      if (!markup) return notAcceptable(reply);
      const { status, self } = answer;
      if (asked.method === "POST" && status === 200 && self !== null && REDIRECTED.includes(markup))
        return reply.status(303).header("location", self).send();
      try {
        const { contentType, body } = draw(visitor, markup, answer, asked.page);
        return reply
          .status(ALWAYS_FINE.includes(markup) ? 200 : status)
          .header("content-security-policy", policyOf(markup))
          .type(contentType)
          .send(Buffer.from(body));
      } catch (error) {
        if (!(error instanceof ScreenError)) throw error;
        if (markup === "vxml") return notAcceptable(reply); // what is typed in secret is not spoken
        throw error;
      }
    },
  };
}

const notAcceptable = (reply: FastifyReply): FastifyReply =>
  reply
    .status(406)
    .type("text/plain; charset=utf-8")
    .send(
      "This page is there as HTML, XHTML-MP, WML, compact HTML, HDML, JSON and XML; your device takes none.",
    );

/** Nothing is loaded and nothing runs; forms go to this server alone. Styles stand in the page: one is known by its hash. */
function policyOf(markup: Markup): string {
  const style = markup === "html" ? HTML_STYLE_HASH : "'unsafe-inline'";
  return `default-src 'none'; style-src ${style}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
}
