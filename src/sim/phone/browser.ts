/**
 * A phone that has a browser and nothing of ours: it walks the same road in the markup that it can draw, by keys, with the
 * variables and tasks of WML where that is its markup. It comes by an operator's gateway, or as anybody on the Internet.
 */

import { type DeviceClass, displayOfClass } from "../../device/device-class.ts";
import type { WidebandRequest } from "../../device/outbound.ts";
import { firstOf } from "../../term/collections.ts";
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
import type { Display } from "../../wire/screen/keypad-layout.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { readWml, type WmlDeck } from "../../wire/wml/deck.ts";
import { decodeWmlc } from "../../wire/wml/decode.ts";
import { openCard, stepOf, type WmlView } from "../../wire/wml/reader.ts";
import type { Variables } from "../../wire/wml/variables.ts";
import { chanceFrom } from "../handset/chance.ts";
import { type Air, openAir, type Radio } from "./air.ts";
import { readHtmlPage } from "./html-page.ts";
import { type Hands, type Step, walk } from "./user.ts";
import { createWatch, type Watch } from "./watch.ts";

type BrowserMarkup = Extract<Markup, "wml" | "wmlc" | "xhtmlmp" | "html" | "chtml">;
type BrowserPhoneOptions = {
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

const MAX_HISTORY = 20;
const MAX_REDIRECTS = 5;

type Page = {
  readonly url: string;
  readonly keypad: KeypadState;
  /** Of a deck. */
  readonly deck: WmlDeck | undefined;
  readonly view: WmlView | undefined;
};
/** What is asked for: `fields` of a POST. */
type Ask = {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly fields: Readonly<Record<string, string>> | null;
};
/** Where a key leads, as the page has it. */
type Went = { readonly kind: "back" } | ({ readonly kind: "go"; readonly href: string } & Omit<Ask, "url">);

type Browser = {
  readonly options: BrowserPhoneOptions;
  readonly display: Display;
  readonly air: Air;
  readonly watch: Watch;
  readonly history: string[];
  readonly statuses: number[];
  page: Page | undefined;
  /** Of WML: they outlive a deck. */
  variables: Variables;
  isLoading: boolean;
};

export function createBrowserPhone(options: BrowserPhoneOptions) {
  const browser = newBrowser(options);
  const hands: Hands = {
    keypad: () => (browser.isLoading ? undefined : browser.page?.keypad),
    press: (key) => press(browser, [key]),
    changed: browser.watch.next,
  };
  return {
    /** Loads the first page. */
    open: (): Promise<void> => load(browser, { url: options.url, method: "GET", fields: null }),
    press: (...keys: readonly Key[]): void => press(browser, keys),
    lines: (): readonly string[] => (browser.page ? drawKeypad(browser.page.keypad) : []),
    screen: (): Screen | undefined => browser.page?.keypad.screen,
    url: (): string | undefined => browser.page?.url,
    /** Of all answers so far. */
    statuses: (): readonly number[] => [...browser.statuses],
    walk: (script: readonly Step[], withinMs?: number): Promise<Screen> => walk(hands, script, withinMs),
    close: (): void => browser.air.close(),
  };
}

function newBrowser(options: BrowserPhoneOptions): Browser {
  const { url, headers = {}, authority, radio, seed, deviceClass } = options;
  return {
    options,
    display: displayOfClass(deviceClass),
    air: openAir({
      proxy: new URL(url).origin,
      credential: null,
      gatewayHeaders: headers,
      chance: chanceFrom(seed),
      ...(authority === undefined ? {} : { authority }),
      ...(radio ? { radio } : {}),
    }),
    watch: createWatch(),
    history: [],
    statuses: [],
    page: undefined,
    variables: {},
    isLoading: false,
  };
}

/** @throws Error: no answer, or one that this browser cannot show */
async function load(browser: Browser, ask: Ask): Promise<void> {
  browser.isLoading = true;
  try {
    browser.page = await fetchPage(browser, ask, MAX_REDIRECTS);
  } finally {
    browser.isLoading = false;
    browser.watch.changed();
  }
}

async function fetchPage(browser: Browser, ask: Ask, redirectsLeft: number): Promise<Page> {
  const target = new URL(ask.url);
  const answer = await browser.air.send(requestOf(browser, target, ask));
  if (answer.kind === "lost") throw new Error(answer.cause);
  browser.statuses.push(answer.status);
  const location = answer.headers?.location;
  if (answer.status >= 300 && answer.status < 400 && location !== undefined && redirectsLeft > 0) {
    const { href: url } = new URL(location, ask.url);
    return fetchPage(browser, { url, method: "GET", fields: null }, redirectsLeft - 1);
  }
  return pageOf(browser, target, answer.contentType, answer.body);
}

function requestOf({ options, display }: Browser, target: URL, { method, fields }: Ask): WidebandRequest {
  const { markup, language = "en", userAgent } = options;
  const { columns, lines } = display;
  return {
    method,
    path: target.pathname + target.search,
    headers: {
      accept: firstOf(MARKUP_TYPE[markup].split(";")),
      "accept-language": language,
      [AIR_HEADERS.capability]: `markups=${markup}; screen=${columns}x${lines}`,
      ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
      ...(fields ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    },
    body: fields && new URLSearchParams(fields).toString(),
  };
}

function pageOf(browser: Browser, target: URL, contentType: string, body: Uint8Array): Page {
  const { markup } = browser.options;
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type !== MARKUP_TYPE[markup].split(";")[0]) throw new Error(`this browser cannot show ${type}`);
  if (markup === "wml" || markup === "wmlc")
    return cardOf(browser, target, markup === "wml" ? readWml(body) : decodeWmlc(body));
  const screen = readHtmlPage(new TextDecoder().decode(body));
  return { url: target.href, keypad: openKeypad(screen, browser.display), deck: undefined, view: undefined };
}

/** The card that the address names. */
function cardOf(browser: Browser, target: URL, deck: WmlDeck): Page {
  const view = openCard(deck, { card: target.hash.slice(1), variables: browser.variables });
  browser.variables = view.variables;
  return { url: target.href, keypad: openKeypad(view.screen, browser.display), deck, view };
}

function press(browser: Browser, keys: readonly Key[]): void {
  for (const key of keys) {
    const { page } = browser;
    if (!page || browser.isLoading) return;
    const { state, effect } = pressKey(page.keypad, key);
    const pressed = { ...page, keypad: state };
    browser.page = pressed;
    if (effect) follow(browser, pressed, effect);
  }
}

function follow(browser: Browser, from: Page, effect: Effect): void {
  const { history } = browser;
  const went = from.view ? deckStep(browser, from, from.view, effect) : pageStep(effect);
  if (went.kind === "back") {
    const url = history.pop();
    if (url !== undefined) start(browser, { url, method: "GET", fields: null });
    return;
  }
  const target = new URL(went.href, from.url);
  if (went.href.startsWith("#") && from.deck) {
    browser.page = cardOf(browser, target, from.deck);
    return;
  }
  // Beyond its own origin this phone has no road.
  if (target.origin !== new URL(from.url).origin) return;
  history.push(from.url);
  history.splice(0, history.length - MAX_HISTORY);
  start(browser, { url: target.href, method: went.method, fields: went.fields });
}

function deckStep(browser: Browser, from: Page, view: WmlView, effect: Effect): Went {
  const step = stepOf(view, effect, from.keypad.values);
  browser.variables = step.variables;
  if (step.kind !== "go") return { kind: "back" };
  const isPost = step.method === "post";
  return {
    kind: "go",
    href: step.href,
    method: isPost ? "POST" : "GET",
    fields: isPost ? step.fields : null,
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
function start(browser: Browser, ask: Ask): void {
  load(browser, ask).catch((error: Error) => {
    const { page, display } = browser;
    const message = error.message.slice(0, display.columns);
    if (page) browser.page = { ...page, keypad: { ...page.keypad, message } };
  });
}
