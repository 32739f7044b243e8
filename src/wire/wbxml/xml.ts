/**
 * A WBXML tree as compact XML: no prolog, attributes in coded order, text trimmed, `<x/>` where nothing is inside.
 * For people and for comparison with other decoders.
 */
import { trimmed, type WbxmlElement } from "./element.ts";

/** The element and all inside it, escaped. */
export function xmlOfElement(element: WbxmlElement): string {
  const attributes = element.attributes.map(({ name, value }) => ` ${name}="${escaped(value)}"`).join("");
  const content = element.content
    .map((part) => (typeof part === "string" ? escaped(trimmed(part)) : xmlOfElement(part)))
    .join("");
  return content === ""
    ? `<${element.name}${attributes}/>`
    : `<${element.name}${attributes}>${content}</${element.name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // Written plainly in an attribute, a reader would turn these into spaces (XML 1.0 §3.3.3).
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

const escaped = (text: string): string => text.replace(/[&<>"'\t\n\r]/g, (found) => ESCAPES[found] ?? found);
