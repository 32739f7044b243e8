/** A screen in the markup that was chosen: the octets to answer with, and what they are. */
import { compileWml } from "../wml/compile.ts";
import type { WmlVersion } from "../wml/tokens.ts";
import { MARKUP_TYPE, type Markup } from "./choose.ts";
import { renderChtml } from "./chtml.ts";
import { renderHdml } from "./hdml.ts";
import { renderHtml } from "./html.ts";
import { encodeScreenJson } from "./json.ts";
import { neutralPage } from "./neutral-pages.ts";
import type { Screen } from "./screen.ts";
import { renderVxml } from "./vxml.ts";
import { renderWml, WML_DECK_OCTETS_MAX, type WmlOptions } from "./wml.ts";
import type { ScreenWords } from "./words.ts";
import { renderXhtmlMp } from "./xhtmlmp.ts";
import { encodeScreenXml } from "./xml.ts";

/** What renderers need beside the screen; each takes what it knows of it. */
export type RenderOptions = {
  /** Which page of a screen that takes several, from 0. HTML, voice and the neutral forms take one. */
  readonly page?: number;
  readonly pageHref: (page: number) => string;
  /** What was wrong with the last answer. */
  readonly problem?: string;
  readonly problemFields?: readonly string[];
  readonly transferTo?: string;
  readonly wmlVersion?: WmlVersion;
  readonly words?: ScreenWords;
  /** The most octets of one answer, where the road to the device holds less than the device does. */
  readonly octetsMax?: number;
};

/** An answer's body with its content type. */
export type Rendered = { readonly contentType: string; readonly body: Uint8Array };

/** @throws ScreenError: a broken limit, or a screen that this markup cannot hold */
export function renderScreen(markup: Markup, screen: Screen, options: RenderOptions): Rendered {
  const text = textOf(markup, screen, options);
  const body = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return { contentType: MARKUP_TYPE[markup], body };
}

function textOf(markup: Markup, screen: Screen, options: RenderOptions): string | Uint8Array {
  // Pages without a place of their own for it begin with what was wrong.
  const told = options.problem ? { ...screen, text: [options.problem, ...screen.text] } : screen;
  switch (markup) {
    case "html":
      return renderHtml(screen, options);
    case "xhtmlmp":
      return renderXhtmlMp(told, options).text;
    case "chtml":
      return renderChtml(told, options).text;
    case "hdml":
      return renderHdml(told, options).text;
    case "wml":
      return wmlText(told, options);
    case "wmlc":
      return compileWml(renderWml(told, wmlOptionsOf(options)).deck);
    case "vxml":
      return renderVxml(told, options.transferTo ? { transferTo: options.transferTo } : {});
    case "screen+json":
      return neutral(told, encodeScreenJson, options);
    case "screen+xml":
      return neutral(told, encodeScreenXml, options);
  }
}

function wmlOptionsOf({
  pageHref,
  page = 0,
  wmlVersion = "1.3",
  words,
  octetsMax,
}: RenderOptions): WmlOptions {
  return {
    deck: page,
    pageHref,
    version: wmlVersion,
    ...(words ? { words } : {}),
    ...(octetsMax === undefined ? {} : { octetsMax }),
  };
}

/** Decks are measured compiled: as text they are made smaller until the text fits too. */
function wmlText(screen: Screen, options: RenderOptions): string {
  const { octetsMax } = options;
  let { text } = renderWml(screen, wmlOptionsOf(options));
  if (octetsMax === undefined) return text;
  let compiled = Math.min(octetsMax, WML_DECK_OCTETS_MAX);
  while (Buffer.byteLength(text) > octetsMax) {
    compiled = Math.floor(compiled * SMALLER);
    ({ text } = renderWml(screen, wmlOptionsOf({ ...options, octetsMax: compiled })));
  }
  return text;
}
/** It ends: a deck that is too small for a part is refused by the renderer. */
const SMALLER = 0.85;

function neutral(screen: Screen, encode: (screen: Screen) => string, options: RenderOptions): string {
  const { octetsMax, pageHref, page = 0 } = options;
  return encode(
    octetsMax === undefined ? screen : neutralPage(screen, { encode, octetsMax, pageHref, page }),
  );
}
