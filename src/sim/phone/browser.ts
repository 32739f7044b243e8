/**
 * A phone that has a browser and nothing of ours: it walks the same road in the markup that it can draw, by keys, with the
 * variables and tasks of WML where that is its markup. It comes by an operator's gateway, or as anybody on the Internet.
 */
import { type DeviceClass, displayOfClass } from "../../device/device-class.ts";
import type { WidebandRequest } from "../../device/outbound.ts";
import { AIR_HEADERS } from "../../wire/message/legs.ts";
import { MARKUP_TYPE, type Markup } from "../../wire/screen/choose.ts";
import {
  drawKeypad,
  type Effect,
  type Key,
  type KeypadState,
  openKeypad,
  pressKey,
} from "../../wire/screen/keypad.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { readWml, type WmlDeck } from "../../wire/wml/deck.ts";
import { decodeWmlc } from "../../wire/wml/decode.ts";
import { openCard, stepOf, type WmlView } from "../../wire/wml/reader.ts";
import type { Variables } from "../../wire/wml/variables.ts";
import { chanceFrom } from "../handset/chance.ts";
import { openAir, type Radio } from "./air.ts";
import { readHtmlPage } from "./html-page.ts";
import { type Hands, type Step, walk } from "./user.ts";

export type BrowserMarkup = Extract<Markup, "wml" | "wmlc" | "xhtmlmp" | "html" | "chtml">;
export type BrowserPhoneOptions = {
  /** The first page: of a gateway's door (`/r/<server>/d/start`), or of the public pages (`/d/start`). */
  readonly url: string;
  readonly markup: BrowserMarkup;
  readonly deviceClass: DeviceClass;
  readonly userAgent?: string;
  /** BCP 47. */
  readonly language?: string;
  /** What the operator's gateway writes into its requests. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM, where the first page is by https. */
  readonly authority?: string;
  readonly radio?: Radio;
  readonly seed: number;
};
export type BrowserPhone = ReturnType<typeof createBrowserPhone>;

const MAX_HISTORY = 20;
const MAX_REDIRECTS = 5;

type Page = {
  readonly url: string;
  readonly keypad: KeypadState;
  /** Of a deck. */
  readonly deck: WmlDeck | undefined;
  readonly view: WmlView | undefined;
};

export function createBrowserPhone(options: BrowserPhoneOptions) {
  const { markup, deviceClass, language = "en", headers = {} } = options;
  const display = displayOfClass(deviceClass);
  const air = openAir({
    proxy: new URL(options.url).origin,
    credential: null,
    gatewayHeaders: headers,
    chance: chanceFrom(options.seed),
    ...(options.authority === undefined ? {} : { authority: options.authority }),
    ...(options.radio ? { radio: options.radio } : {}),
  });
  const watchers = new Set<() => void>();
  const history: string[] = [];
  const statuses: number[] = [];
  let page: Page | undefined;
  let variables: Variables = {};
  let isLoading = false;

  /** @throws Error: no answer, or one that this browser cannot show */
  async function load(
    url: string,
    method: "GET" | "POST",
    fields: Readonly<Record<string, string>> | null,
  ): Promise<void> {
    isLoading = true;
    try {
      page = await fetchPage(url, method, fields, MAX_REDIRECTS);
    } finally {
      isLoading = false;
      for (const wake of [...watchers]) wake();
    }
  }

  async function fetchPage(
    url: string,
    method: "GET" | "POST",
    fields: Readonly<Record<string, string>> | null,
    redirectsLeft: number,
  ): Promise<Page> {
    const target = new URL(url);
    const answer = await air.send(requestOf(target, method, fields));
    if (answer.kind === "lost") throw new Error(answer.cause);
    statuses.push(answer.status);
    const location = answer.headers?.location;
    if (answer.status >= 300 && answer.status < 400 && location !== undefined && redirectsLeft > 0)
      return fetchPage(new URL(location, url).href, "GET", null, redirectsLeft - 1);
    return pageOf(url, answer.contentType, answer.body, target.hash.slice(1));
  }

  function requestOf(
    target: URL,
    method: "GET" | "POST",
    fields: Readonly<Record<string, string>> | null,
  ): WidebandRequest {
    const { columns, lines } = display;
    return {
      method,
      path: target.pathname + target.search,
      headers: {
        accept: MARKUP_TYPE[markup].split(";")[0]!,
        "accept-language": language,
        [AIR_HEADERS.capability]: `markups=${markup}; screen=${columns}x${lines}`,
        ...(options.userAgent === undefined ? {} : { "user-agent": options.userAgent }),
        ...(fields ? { "content-type": "application/x-www-form-urlencoded" } : {}),
      },
      body: fields && new URLSearchParams(fields).toString(),
    };
  }

  function pageOf(url: string, contentType: string, body: Uint8Array, card: string): Page {
    const [type = ""] = contentType.toLowerCase().split(";");
    if (type !== MARKUP_TYPE[markup].split(";")[0]) throw new Error(`this browser cannot show ${type}`);
    if (markup !== "wml" && markup !== "wmlc")
      return {
        url,
        keypad: opened(readHtmlPage(new TextDecoder().decode(body))),
        deck: undefined,
        view: undefined,
      };
    return cardOf(url, markup === "wml" ? readWml(body) : decodeWmlc(body), card);
  }

  function cardOf(url: string, deck: WmlDeck, card: string): Page {
    const view = openCard(deck, { card, variables });
    variables = view.variables;
    return { url, keypad: opened(view.screen), deck, view };
  }

  const opened = (screen: Screen): KeypadState => openKeypad(screen, display);

  function press(...keys: readonly Key[]): void {
    for (const key of keys) {
      if (!page || isLoading) return;
      const { state, effect } = pressKey(page.keypad, key);
      page = { ...page, keypad: state };
      if (effect) did(page, effect);
    }
  }

  function did(from: Page, effect: Effect): void {
    const step = from.view ? deckStep(from, from.view, effect) : pageStep(effect);
    if (step.kind === "back") {
      const url = history.pop();
      if (url !== undefined) start(url, "GET", null);
      return;
    }
    const target = new URL(step.href, from.url);
    if (step.href.startsWith("#") && from.deck) {
      page = cardOf(target.href, from.deck, target.hash.slice(1));
      return;
    }
    // Beyond its own origin this phone has no road.
    if (target.origin !== new URL(from.url).origin) return;
    history.push(from.url);
    history.splice(0, history.length - MAX_HISTORY);
    start(target.href, step.method, step.fields);
  }

  type Went =
    | { readonly kind: "back" }
    | {
        readonly kind: "go";
        readonly href: string;
        readonly method: "GET" | "POST";
        readonly fields: Readonly<Record<string, string>> | null;
      };

  function deckStep(from: Page, view: WmlView, effect: Effect): Went {
    const step = stepOf(view, effect, from.keypad.values);
    variables = step.variables;
    if (step.kind !== "go") return { kind: "back" };
    const { href, method, fields } = step;
    return {
      kind: "go",
      href,
      method: method === "post" ? "POST" : "GET",
      fields: method === "post" ? fields : null,
    };
  }

  function pageStep(effect: Effect): Went {
    if (effect.kind === "back") return effect;
    if (effect.kind === "submit")
      return { kind: "go", href: effect.action, method: "POST", fields: effect.fields };
    const isPost = effect.method === "post";
    return {
      kind: "go",
      href: effect.href,
      method: isPost ? "POST" : "GET",
      fields: isPost ? effect.hidden : null,
    };
  }

  /** What goes wrong stands on the display, and the page before stays. */
  function start(url: string, method: "GET" | "POST", fields: Readonly<Record<string, string>> | null): void {
    load(url, method, fields).catch((error: Error) => {
      if (page)
        page = { ...page, keypad: { ...page.keypad, message: error.message.slice(0, display.columns) } };
    });
  }

  const hands: Hands = {
    keypad: () => (isLoading ? undefined : page?.keypad),
    press,
    changed: (withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(wake, withinMs);
        function wake(): void {
          clearTimeout(timer);
          watchers.delete(wake);
          resolve();
        }
        watchers.add(wake);
      }),
  };

  return {
    /** Loads the first page. */
    open: (): Promise<void> => load(options.url, "GET", null),
    press,
    lines: (): readonly string[] => (page ? drawKeypad(page.keypad) : []),
    screen: (): Screen | undefined => page?.keypad.screen,
    url: (): string | undefined => page?.url,
    /** Of all answers so far. */
    statuses: (): readonly number[] => [...statuses],
    walk: (script: readonly Step[], withinMs?: number): Promise<Screen> => walk(hands, script, withinMs),
    close: (): void => air.close(),
  };
}
