/**
 * What the device is shown: a neutral screen of the land leg, drawn in a markup that this device draws, its links leading
 * through the proxy. Screens that answer a POST and take several pages are kept for a while, since their address cannot be
 * asked for again; each page of the others is asked for at the server.
 */
import { UNAVAILABLE_SCREEN_ID } from "../../wire/message/legs.ts";
import {
  chooseMarkup,
  type DeviceCapabilities,
  type DisplaySize,
  MARKUPS,
  type Markup,
  narrowMarkups,
} from "../../wire/screen/choose.ts";
import { type Rendered, renderScreen } from "../../wire/screen/render.ts";
import { type Screen, ScreenError } from "../../wire/screen/screen.ts";

/** Of the query of an address that leads through the proxy; it goes no further. */
const PAGE_PARAMETER = "turnup-page";
const PAGES_MAX = 200;
const KEPT_MAX = 2_000;
const KEPT_MS = 30 * 60_000;
const CAPABILITY_CHARACTERS_MAX = 400;
/** Names that devices use for what `MARKUPS` calls otherwise. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["xhtml", "xhtmlmp"],
  ["json", "screen+json"],
  ["xml", "screen+xml"],
]);

type Viewer = {
  readonly accept: string | undefined;
  readonly userAgent: string | undefined;
  readonly capability: string | undefined;
  /** What is known of its model: it holds where the device itself says nothing of its display. */
  readonly model?: string | undefined;
};

type Drawn =
  /** `isNarrow`: in another markup than the device would get on a wide road. */
  | {
      readonly kind: "drawn";
      readonly markup: Markup;
      readonly rendered: Rendered;
      readonly isNarrow: boolean;
    }
  | { readonly kind: "no_markup" }
  /** No form that the device draws is small enough. */
  | { readonly kind: "too_large" };

/**
 * @param octetsMax what the road to the device holds of one answer; undefined where nothing limits it
 * @throws ScreenError: a screen that its markup cannot hold, where the road holds anything
 */
export function draw(
  screen: Screen,
  viewer: Viewer,
  page: { readonly number: number; readonly href: (page: number) => string },
  octetsMax?: number,
): Drawn {
  const { accept, userAgent } = viewer;
  const own = capabilityOf(viewer.capability);
  const known = capabilityOf(viewer.model);
  const device = own?.screen || !known?.screen ? own : { markups: own?.markups ?? [], screen: known.screen };
  const asked = { accept, userAgent, device };
  const markup = chooseMarkup(asked);
  if (!markup) return { kind: "no_markup" };
  const options = { page: page.number, pageHref: page.href };
  if (octetsMax === undefined)
    return { kind: "drawn", markup, rendered: renderScreen(markup, screen, options), isNarrow: false };
  if (UNDIVIDED.includes(markup)) {
    const rendered = renderedWithin(octetsMax, () => renderScreen(markup, screen, options));
    if (rendered) return { kind: "drawn", markup, rendered, isNarrow: false };
  }
  for (const narrow of narrowMarkups(asked)) {
    const rendered = renderedWithin(octetsMax, () => renderScreen(narrow, screen, { ...options, octetsMax }));
    if (rendered) return { kind: "drawn", markup: narrow, rendered, isNarrow: narrow !== markup };
  }
  return { kind: "too_large" };
}

/** On one page whatever its size: it goes whole, or in another form. */
const UNDIVIDED: readonly string[] = ["html", "vxml"];

/** Undefined where a part of the screen alone is larger. */
function renderedWithin(octetsMax: number, render: () => Rendered): Rendered | undefined {
  try {
    const rendered = render();
    return rendered.body.length <= octetsMax ? rendered : undefined;
  } catch (error) {
    if (error instanceof ScreenError) return undefined;
    throw error;
  }
}

/** `markups=wml,xhtml; screen=16x4` in characters, or `screen=176x220px`. What is not understood is not there. */
export function capabilityOf(text: string | undefined): DeviceCapabilities | undefined {
  if (text === undefined || text.length > CAPABILITY_CHARACTERS_MAX) return undefined;
  const parts = new Map(
    text.split(";").map((part): [string, string] => {
      const [name = "", value = ""] = part.trim().split("=");
      return [name.toLowerCase(), value];
    }),
  );
  const markups = (parts.get("markups") ?? "")
    .split(",")
    .map((one) => ALIASES.get(one.trim().toLowerCase()) ?? one.trim().toLowerCase())
    .filter((one) => MARKUPS.some((known) => known === one));
  const screen = sizeOf(parts.get("screen"));
  return { markups, ...(screen && { screen }) };
}

function sizeOf(text: string | undefined): DisplaySize | undefined {
  const [, width, height, unit] = /^(\d{1,4})x(\d{1,4})(px)?$/.exec(text ?? "") ?? [];
  if (width === undefined || height === undefined) return undefined;
  return unit
    ? { widthPx: Number(width), heightPx: Number(height) }
    : { columns: Number(width), lines: Number(height) };
}

/** The page that an address asks for, and the address without it. */
export function takePage(target: string): { readonly page: number; readonly target: string } {
  const [path = "", query] = target.split("?", 2);
  if (query === undefined) return { page: 0, target };
  const pairs = query.split("&").filter((pair) => pair !== "");
  const asked = pairs.find((pair) => pair.startsWith(`${PAGE_PARAMETER}=`));
  const left = pairs.filter((pair) => !pair.startsWith(`${PAGE_PARAMETER}=`)).join("&");
  const page = Number(asked?.slice(PAGE_PARAMETER.length + 1) ?? 0);
  return {
    page: Number.isInteger(page) && page >= 0 && page < PAGES_MAX ? page : 0,
    target: left === "" ? path : `${path}?${left}`,
  };
}

export const withPage = (address: string, page: number): string =>
  `${address}${address.includes("?") ? "&" : "?"}${PAGE_PARAMETER}=${page}`;

export type KeptScreens = {
  keep(deviceId: string, screen: Screen, nowMs: number): string;
  find(deviceId: string, id: string, nowMs: number): Screen | undefined;
};

/** At most so many, the oldest goes first; another device's is nobody's. */
export function createKeptScreens(newId: () => string): KeptScreens {
  const kept = new Map<
    string,
    { readonly deviceId: string; readonly screen: Screen; readonly untilMs: number }
  >();
  return {
    keep(deviceId, screen, nowMs) {
      for (const [id, { untilMs }] of kept) {
        if (untilMs > nowMs && kept.size < KEPT_MAX) break;
        kept.delete(id);
      }
      const id = newId();
      kept.set(id, { deviceId, screen, untilMs: nowMs + KEPT_MS });
      return id;
    },
    find(deviceId, id, nowMs) {
      const found = kept.get(id);
      return found && found.deviceId === deviceId && found.untilMs > nowMs ? found.screen : undefined;
    },
  };
}

/** What a device is told when it is not let through: the same whatever the reason was (no oracle). */
export const REFUSED_SCREEN: Screen = {
  id: "refused",
  title: "Not possible",
  lang: "en",
  text: ["The secure connection could not be made. Please try again later, or call your operator."],
  entries: [],
  actions: [],
};
export const UNAVAILABLE_SCREEN: Screen = {
  id: UNAVAILABLE_SCREEN_ID,
  title: "Try again later",
  lang: "en",
  text: ["The service does not answer at the moment. Nothing was lost; please try again in a few minutes."],
  entries: [],
  actions: [],
};
/** To whoever draws no form of a page that the road to them holds. */
export const TOO_LARGE_TEXT =
  "Your network carries short messages only, and this page is too large for it. Please try again where your device has packet data.";
export const TOO_LARGE_SCREEN: Screen = {
  id: "too-large",
  title: "Too large",
  lang: "en",
  text: [TOO_LARGE_TEXT],
  entries: [],
  actions: [],
};
export const UNREADABLE_SCREEN: Screen = {
  id: "unreadable",
  title: "Not understood",
  lang: "en",
  text: ["Your device sent what could not be read. Nothing was changed; please go back and try again."],
  entries: [],
  actions: [],
};
export const NOTHING_SCREEN: Screen = {
  id: "nothing",
  title: "Nothing here",
  lang: "en",
  text: ["There is no page at this address. Please look at the link again, or call your operator."],
  entries: [],
  actions: [],
};
export const GONE_SCREEN: Screen = {
  id: "gone",
  title: "Not there any more",
  lang: "en",
  text: ["This page was kept for a while only. Please begin again."],
  entries: [],
  actions: [],
};
