/** A document between WBXML and XML: elements, attributes in coded order, text. */
import type { DecodeError } from "../decode-error.ts";

export type WbxmlAttribute = { readonly name: string; readonly value: string };

export type WbxmlElement = {
  readonly name: string;
  readonly attributes: readonly WbxmlAttribute[];
  readonly content: readonly (WbxmlElement | string)[];
  /** The octet of its tag, in a decoded tree: what a {@link DecodeError} of a higher layer points at. */
  readonly at?: number;
};

export const attributeOf = (element: WbxmlElement, name: string): string | undefined =>
  element.attributes.find((attribute) => attribute.name === name)?.value;

export const childrenOf = (element: WbxmlElement): WbxmlElement[] =>
  element.content.filter((part): part is WbxmlElement => typeof part !== "string");

/** All text directly inside, joined and trimmed. */
export const textOf = (element: WbxmlElement): string =>
  trimmed(element.content.filter((part) => typeof part === "string").join(""));

const WHITE_SPACE = " \t\r\n";

/** Without XML's white space at both ends; a no-break space, which String.trim takes too, is text. */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.includes(text[start] as string)) start++;
  while (end > start && WHITE_SPACE.includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}
