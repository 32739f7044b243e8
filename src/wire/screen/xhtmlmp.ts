/**
 * A screen as XHTML Mobile Profile 1.0, for phones of 2003 to 2010. Source: WAP-277-XHTMLMP, WAP CSS (WAP-239-WCSS).
 * Well-formed XML, no script, below 10,000 octets a page; what the keypad should type stands as `-wap-input-format`.
 */
import { element, xmlText } from "../xml/tree.ts";
import { refreshOf } from "./html.ts";
import { wapFormatOf } from "./input.ts";
import { checkScreen, type Field, type Screen } from "./screen.ts";
import { renderSimplePage, type SimplePage } from "./simple-page.ts";
import { ENGLISH, type ScreenWords } from "./words.ts";

/** Of a page: phones of its time take less than 10,000 octets. */
const XHTMLMP_OCTETS_MAX = 9_999;

/** Which page of a long screen. */
export type PagedOptions = {
  /** Which page of the screen, from 0. */
  readonly page?: number;
  /** The address of another page of the same screen. */
  readonly pageHref: (page: number) => string;
  readonly words?: ScreenWords;
  /** Of a page, where the road to the phone holds less than the phone does. */
  readonly octetsMax?: number;
};

const PROLOG =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//WAPFORUM//DTD XHTML Mobile 1.0//EN" "http://www.wapforum.org/DTD/xhtml-mobile10.dtd">\n';
const STYLE = "body{margin:4px}h1{font-size:large}p{margin:4px 0}input,select{width:95%}";

/** @throws ScreenError: a broken limit, or a part that alone is larger than a page */
export function renderXhtmlMp(screen: Screen, options: PagedOptions): SimplePage {
  const { page, pageHref, words = ENGLISH, octetsMax = XHTMLMP_OCTETS_MAX } = options;
  const { title, lang, refreshSeconds, form, actions } = checkScreen(screen);
  return renderSimplePage(screen, page, {
    octetsMax: Math.min(octetsMax, XHTMLMP_OCTETS_MAX),
    textOf: xmlText,
    page: (body, isOnlyPage) => {
      const turnsItself = refreshSeconds !== undefined && !form && isOnlyPage;
      const head = element(
        "head",
        {},
        element("title", {}, title),
        element("meta", { "http-equiv": "Cache-Control", content: "no-cache" }),
        turnsItself
          ? element("meta", { "http-equiv": "refresh", content: refreshOf(refreshSeconds, actions) })
          : undefined,
        element("style", { type: "text/css" }, STYLE),
      );
      const whole = element(
        "html",
        { xmlns: "http://www.w3.org/1999/xhtml", "xml:lang": lang },
        head,
        element("body", {}, element("h1", {}, title), body),
      );
      return PROLOG + xmlText(whole);
    },
    hint: (field) => ({ style: styleOf(field) }),
    label: (_, id, content) => element("label", { for: id }, content),
    words,
    pageHref,
  });
}

function styleOf(field: Field): string | undefined {
  const format = wapFormatOf(field);
  const required = field.required ? "true" : "false";
  return `${format ? `-wap-input-format: "${format}"; ` : ""}-wap-input-required: ${required}`;
}
