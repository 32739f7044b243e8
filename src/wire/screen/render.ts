/** A screen in the markup that was chosen: the octets to answer with, and what they are. */
import { compileWml } from "../wml/compile.ts";
import type { WmlVersion } from "../wml/tokens.ts";
import { MARKUP_TYPE, type Markup } from "./choose.ts";
import { renderChtml } from "./chtml.ts";
import { renderHdml } from "./hdml.ts";
import { renderHtml } from "./html.ts";
import { encodeScreenJson } from "./json.ts";
import type { Screen } from "./screen.ts";
import { renderVxml } from "./vxml.ts";
import { renderWml } from "./wml.ts";
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
    case "wmlc": {
      const { pageHref, page = 0, wmlVersion = "1.3", words } = options;
      const { deck, text } = renderWml(told, {
        deck: page,
        pageHref,
        version: wmlVersion,
        ...(words ? { words } : {}),
      });
      return markup === "wml" ? text : compileWml(deck);
    }
    case "vxml":
      return renderVxml(told, options.transferTo ? { transferTo: options.transferTo } : {});
    case "screen+json":
      return encodeScreenJson(told);
    case "screen+xml":
      return encodeScreenXml(told);
  }
}
