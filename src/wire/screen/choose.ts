/**
 * Which markup a device gets: what it is known to draw, what its request accepts, what its name says. A device is never
 * sent what it cannot draw; `undefined` is the answer 406.
 * Source: RFC 9110 §12.5.1; of old phones, US 6,647,260 column 4. A type that a device names counts for more than its
 * catch-all: phones of 2000 name WML and add a catch-all that means nothing.
 */
import { USER_AGENTS } from "./user-agents.ts";

export type Markup =
  | "html"
  | "xhtmlmp"
  | "wml"
  | "wmlc"
  | "chtml"
  | "hdml"
  | "vxml"
  | "screen+json"
  | "screen+xml";

/** The first of equals wins. */
export const MARKUPS: readonly Markup[] = [
  "html",
  "xhtmlmp",
  "wml",
  "wmlc",
  "chtml",
  "hdml",
  "vxml",
  "screen+json",
  "screen+xml",
];

/** What each is sent as. */
export const MARKUP_TYPE: Readonly<Record<Markup, string>> = {
  html: "text/html; charset=utf-8",
  xhtmlmp: "application/vnd.wap.xhtml+xml; charset=utf-8",
  wml: "text/vnd.wap.wml; charset=utf-8",
  wmlc: "application/vnd.wap.wmlc",
  chtml: "text/html; charset=us-ascii",
  hdml: "text/x-hdml; charset=us-ascii",
  vxml: "application/voicexml+xml",
  "screen+json": "application/vnd.turnup.screen+json",
  "screen+xml": "application/vnd.turnup.screen+xml",
};

/**
 * Gateways and voice platforms show what was not answered by 200 as an error of their own, and the page never: to them a page is a
 * page, whatever it tells.
 */
export const ALWAYS_FINE: readonly Markup[] = ["wml", "wmlc", "hdml", "chtml", "vxml"];

/** The names under which a device may ask for each, in lower case. */
const ACCEPTED_AS: Readonly<Record<Markup, readonly string[]>> = {
  html: ["text/html"],
  xhtmlmp: ["application/vnd.wap.xhtml+xml", "application/xhtml+xml"],
  wml: ["text/vnd.wap.wml"],
  wmlc: ["application/vnd.wap.wmlc"],
  chtml: ["text/html"],
  hdml: ["text/x-hdml"],
  vxml: ["application/voicexml+xml"],
  "screen+json": ["application/vnd.turnup.screen+json"],
  "screen+xml": ["application/vnd.turnup.screen+xml"],
};

/** In characters of a terminal, or in pixels. */
export type DisplaySize =
  | { readonly columns: number; readonly lines: number }
  | { readonly widthPx: number; readonly heightPx: number };

/** What the model database knows of a device. */
export type DeviceCapabilities = { readonly markups: readonly string[]; readonly screen?: DisplaySize };

/** What is known of who asks; headers as they came. */
export type MarkupRequest = {
  readonly accept?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Undefined or without markups: nothing is known. */
  readonly device?: DeviceCapabilities | undefined;
};

/** The markup to answer with; undefined where the device can draw none of what is accepted (406). */
export const chooseMarkup = (request: MarkupRequest): Markup | undefined => markupsFor(request)[0];

/** For roads that carry little: the least octets first. Compact HTML is HTML to whoever draws that. */
const NARROW_FORMS: readonly Markup[] = [
  "wmlc",
  "hdml",
  "wml",
  "chtml",
  "xhtmlmp",
  "screen+json",
  "screen+xml",
];

/** What the device draws that is made for small messages, the smallest first. */
export function narrowMarkups(request: MarkupRequest): readonly Markup[] {
  const drawn = markupsFor(request);
  return NARROW_FORMS.filter((one) => drawn.includes(one) || (one === "chtml" && drawn.includes("html")));
}

/** All that the device can draw of what is accepted, the best first. */
function markupsFor({ accept, userAgent, device }: MarkupRequest): readonly Markup[] {
  const ranges = rangesOf(accept);
  const known =
    device && device.markups.length > 0 ? MARKUPS.filter((one) => device.markups.includes(one)) : undefined;
  const named = MARKUPS.filter(
    (one) => (qualityOf(one, ranges)?.isNamed ?? false) && qualityOf(one, ranges)?.q !== 0,
  );
  const guessed = guessOf(userAgent ?? "");
  // Compact HTML and HTML share a type: only a device that is known for it, or says so, gets the compact one.
  const candidates = (known ?? withoutRivals(named.length > 0 ? named : guessed, guessed)).filter(
    (one) => (qualityOf(one, ranges)?.q ?? 0) > 0,
  );
  const isNamed = (one: Markup): boolean => named.includes(one);
  const best = candidates.some(isNamed) ? candidates.filter(isNamed) : candidates;
  const order = preferenceOf(device);
  return best.toSorted((a, b) => q(b, ranges) - q(a, ranges) || order.indexOf(a) - order.indexOf(b));
}

/** A few lines of characters: a deck is made for them, a page of HTML is not. */
const SMALL_LINES = 8;
const SMALL_PIXELS = 96;
const FOR_SMALL: readonly Markup[] = ["wml", "wmlc", "hdml"];

function preferenceOf(device: DeviceCapabilities | undefined): readonly Markup[] {
  const screen = device?.screen;
  if (!screen) return MARKUPS;
  const isSmall = "lines" in screen ? screen.lines <= SMALL_LINES : screen.heightPx < SMALL_PIXELS;
  return isSmall ? [...FOR_SMALL, ...MARKUPS.filter((one) => !FOR_SMALL.includes(one))] : MARKUPS;
}

function withoutRivals(markups: readonly Markup[], guessed: readonly Markup[]): readonly Markup[] {
  const rival: Markup = guessed.includes("chtml") ? "html" : "chtml";
  return markups.filter((one) => one !== rival);
}

/** What a device of this name draws, where nothing better is known. */
function guessOf(userAgent: string): readonly Markup[] {
  const name = userAgent.slice(0, USER_AGENT_CHARACTERS);
  return [USER_AGENTS.find((row) => row.name.test(name))?.markup ?? "html"];
}

type Range = { readonly type: string; readonly q: number };
const ACCEPT_CHARACTERS = 2_000;
const USER_AGENT_CHARACTERS = 300;
const RANGES_MAX = 100;
const RANGE = /^([a-z0-9!#$&^_.+-]+|\*)\/([a-z0-9!#$&^_.+-]+|\*)$/;

/** A header that is absent or empty accepts all. What is malformed accepts nothing. */
function rangesOf(accept: string | undefined): readonly Range[] {
  if (accept === undefined || accept.trim() === "") return [{ type: "*/*", q: 1 }];
  return accept
    .slice(0, ACCEPT_CHARACTERS)
    .toLowerCase()
    .split(",", RANGES_MAX)
    .flatMap((item) => {
      const [type = "", ...parameters] = item.split(";").map((part) => part.trim());
      const given = parameters.find((parameter) => /^q\s*=/.test(parameter));
      const weight = given === undefined ? "1" : given.replace(/^q\s*=\s*/, "");
      return RANGE.test(type) && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight)
        ? [{ type, q: Number(weight) }]
        : [];
    });
}

/** The most specific range that takes it; among those, the best. */
function qualityOf(markup: Markup, ranges: readonly Range[]): { q: number; isNamed: boolean } | undefined {
  const types = ACCEPTED_AS[markup];
  const families = types.map((type) => `${type.split("/")[0]}/*`);
  for (const wanted of [types, families, ["*/*"]]) {
    const found = ranges.filter(({ type }) => wanted.includes(type));
    if (found.length > 0) {
      return { q: Math.max(...found.map((range) => range.q)), isNamed: wanted === types };
    }
  }
  return undefined;
}

const q = (markup: Markup, ranges: readonly Range[]): number => qualityOf(markup, ranges)?.q ?? 0;
