/**
 * A screen as compact HTML, for i-mode phones. Source: W3C NOTE-compactHTML-19980209 and NTT DoCoMo's additions
 * (`accesskey`, `istyle`). No style, no script, no label element. Written in ASCII with references to other characters, so
 * that a phone of any charset shows the same.
 */
import { element, htmlText, type XmlElement } from "../xml/tree.ts";
import { checkScreen, type Field, type Screen } from "./screen.ts";
import { renderSimplePage, type SimplePage } from "./simple-page.ts";
import { ENGLISH } from "./words.ts";
import type { PagedOptions } from "./xhtmlmp.ts";

/** What the first i-mode phones hold of one page. */
const CHTML_OCTETS_MAX = 5_000;

/** Letters, or digits, where the keypad starts. */
const ISTYLE_LETTERS = "3";
const ISTYLE_DIGITS = "4";

/** @throws ScreenError: a broken limit, or a part that alone is larger than a page */
export function renderChtml(screen: Screen, options: PagedOptions): SimplePage {
  const { page, pageHref, words = ENGLISH, octetsMax = CHTML_OCTETS_MAX } = options;
  const { title } = checkScreen(screen);
  const textOf = (one: XmlElement): string => htmlText(compact(one), { ascii: true });
  return renderSimplePage(screen, page, {
    octetsMax: Math.min(octetsMax, CHTML_OCTETS_MAX),
    textOf,
    page: (body) => {
      const head = element("head", {}, element("title", {}, title));
      return textOf(element("html", {}, head, element("body", {}, element("h1", {}, title), body)));
    },
    hint: (field) => ({ istyle: istyleOf(field) }),
    label: (_, __, content) => content,
    words,
    pageHref,
  });
}

const istyleOf = ({ kind }: Field): string | undefined => {
  if (kind === "digits" || kind === "phone" || kind === "date") return ISTYLE_DIGITS;
  return kind === "email" || kind === "secret" ? ISTYLE_LETTERS : undefined;
};

/** Without what cHTML has not: identifiers and italics; a ticked box is an attribute without a value. */
function compact({ name, attributes, content }: XmlElement): XmlElement {
  const kept = attributes
    .filter((one) => one.name !== "id")
    .map((one) => (["checked", "selected"].includes(one.name) ? { name: one.name, value: "" } : one));
  const inside = content.flatMap((part) => {
    if (typeof part === "string") return [part];
    const plain = compact(part);
    return plain.name === "i" ? plain.content : [plain];
  });
  return { name, attributes: kept, content: inside };
}
