/** How a page behind a link is answered: in the markup that the phone draws, in the language that it asks for. */
import type { FastifyRequest } from "fastify";
import { sheetTextsIn } from "../../kernel/payload/sheet-texts.ts";
import { ALWAYS_FINE, chooseMarkup, MARKUP_TYPE, type Markup } from "../../wire/screen/choose.ts";
import { HTML_STYLE_HASH } from "../../wire/screen/html-style.ts";
import { renderScreen } from "../../wire/screen/render.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { wordsIn } from "../d/words.ts";
import { languageOf } from "../land/identity.ts";
import { takePage, withPage } from "../proxy/draw-screen.ts";
import { type Answer, asItIs } from "../route.ts";

/** What a phone shows its user: a page by a browser, or by the WAP browser of a phone of 2000. */
const DRAWN: readonly Markup[] = ["html", "xhtmlmp", "wml", "wmlc", "chtml", "hdml"];
/** Their media types, the usual one first. */
export const DRAWN_TYPES: readonly string[] = [
  ...new Set(DRAWN.map((markup) => MARKUP_TYPE[markup].split(";")[0] ?? "")),
];
const POLICY = `default-src 'none'; style-src ${HTML_STYLE_HASH}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
/** Phones' own markups carry their style in attributes. */
const SIMPLE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PAGE_HEADERS = {
  "x-robots-tag": "noindex, nofollow, noarchive",
  vary: "accept, user-agent, accept-language",
};

/** Who looks: what the phone draws, what its user reads, and where the page is. */
export type Viewer = {
  readonly markup: Markup;
  readonly userAgent: string | undefined;
  readonly texts: ReturnType<typeof sheetTextsIn>;
  /** Of the page, without the number of a part of it. */
  readonly address: string;
  /** Of a sheet that takes several pages, from 0; undefined: the cover. */
  readonly part: number | undefined;
};

/** A browser that names nothing that we draw gets HTML: most of those are phones that say too little. */
export function viewerOf({ headers, url }: FastifyRequest): Viewer {
  const { target, page } = takePage(url);
  const userAgent = headers["user-agent"];
  const markup = chooseMarkup({ accept: headers.accept, userAgent });
  return {
    markup: markup && DRAWN.includes(markup) ? markup : "html",
    userAgent,
    texts: sheetTextsIn(languageOf(headers["accept-language"] ?? null)),
    address: target.split("?", 1)[0] ?? "",
    part: page > 0 ? page - 1 : undefined,
  };
}

export function drawn(screen: Screen, status: number, viewer: Viewer): Answer<never> {
  const { markup, address, part = 0 } = viewer;
  const { contentType, body } = renderScreen(markup, screen, {
    page: part,
    pageHref: (page) => withPage(address, page + 1), // without a number it is the cover
    words: wordsIn(screen.lang),
  });
  return page(Buffer.from(body), ALWAYS_FINE.includes(markup) ? 200 : status, {
    "content-type": contentType,
    "content-security-policy": markup === "html" ? POLICY : SIMPLE_POLICY,
  });
}

/** Octets as they are. */
export const page = (
  body: Buffer | string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Answer<never> => asItIs(body, { ...PAGE_HEADERS, ...headers }, status);
