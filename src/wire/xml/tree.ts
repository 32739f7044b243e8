/**
 * Elements as values, and their text in XML and in HTML. What is built as a tree cannot come out badly nested or
 * unescaped. The tree is the one of WBXML, so a deck goes from here to octets without another step.
 */
import type { WbxmlElement } from "../wbxml/element.ts";

/** The element of WBXML: one tree for both. */
export type XmlElement = WbxmlElement;
/** What stands in an element; text is not escaped. */
export type XmlContent = XmlElement | string;

/** Attributes that are undefined or false are left out; true is an attribute without a value (HTML), or its name (XML). */
export type AttributeValues = Readonly<Record<string, string | number | boolean | undefined>>;

const BARE = "";

/** Builds an element: attributes that are false or undefined, and content that is empty, are left out. */
export function element(
  name: string,
  attributes: AttributeValues = {},
  ...content: readonly (XmlContent | undefined | readonly XmlContent[])[]
): XmlElement {
  return {
    name,
    attributes: Object.entries(attributes).flatMap(([attribute, value]) =>
      value === undefined || value === false
        ? []
        : [{ name: attribute, value: value === true ? BARE : String(value) }],
    ),
    content: content.flat().filter((part): part is XmlContent => part !== undefined && part !== ""),
  };
}

/** How a tree becomes text. */
export type TextOptions = {
  /** Every character above ASCII as a reference: for readers whose charset is not known. */
  readonly ascii?: boolean;
};

/** XML: `<x/>` where nothing is inside. */
export function xmlText({ name, attributes, content }: XmlElement, options: TextOptions = {}): string {
  const head = `<${name}${attributes.map((one) => ` ${one.name}="${escaped(one.value, options)}"`).join("")}`;
  if (content.length === 0) return `${head}/>`;
  const inside = content.map((part) =>
    typeof part === "string" ? escaped(part, options) : xmlText(part, options),
  );
  return `${head}>${inside.join("")}</${name}>`;
}

/** Elements of HTML that have no content and no end. */
const VOID = ["area", "base", "br", "col", "hr", "img", "input", "link", "meta"];
/** Elements of HTML whose text is not escaped: only our own constants stand there. */
const RAW = ["style", "script"];

/** HTML: void elements without an end, attributes without a value where none is meant. */
export function htmlText({ name, attributes, content }: XmlElement, options: TextOptions = {}): string {
  const list = attributes.map((one) =>
    one.value === BARE && BARE_ATTRIBUTES.includes(one.name)
      ? ` ${one.name}`
      : ` ${one.name}="${escaped(one.value, options)}"`,
  );
  const head = `<${name}${list.join("")}>`;
  if (VOID.includes(name)) return head;
  const inside = content.map((part) => {
    if (typeof part !== "string") return htmlText(part, options);
    return RAW.includes(name) ? part : escaped(part, options);
  });
  return `${head}${inside.join("")}</${name}>`;
}

const BARE_ATTRIBUTES = ["required", "checked", "selected", "autofocus", "multiple", "disabled", "hidden"];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // HTML 4 and cHTML know no &apos;.
  "'": "&#39;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** For text and for values in either kind of quotes. */
export function escaped(text: string, { ascii = false }: TextOptions = {}): string {
  const safe = text.replace(/[&<>"'\t\n\r]/g, (found) => ESCAPES[found] ?? found);
  return ascii ? safe.replace(/[^\x20-\x7e]/gu, (found) => `&#${found.codePointAt(0)};`) : safe;
}
