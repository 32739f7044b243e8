/** A document between WBXML and XML: elements, attributes in coded order, text. */
import type { DecodeError } from "../decode-error.ts";

/** A name and its whole value, tokens put together. */
export type WbxmlAttribute = { readonly name: string; readonly value: string };

/** An element, its attributes in the order coded. */
export type WbxmlElement = {
  readonly name: string;
  readonly attributes: readonly WbxmlAttribute[];
  readonly content: readonly (WbxmlElement | string)[];
  /** The octet of its tag, in a decoded tree: what a {@link DecodeError} of a higher layer points at. */
  readonly at?: number;
};

/** The value of the first attribute of that name. */
export function attributeOf({ attributes }: WbxmlElement, name: string): string | undefined {
  for (let i = 0; i < attributes.length; i++) {
    if (attributes[i]?.name === name) return attributes[i]?.value;
  }
  return undefined;
}

/** The elements inside, without the text between them. */
export const childrenOf = (element: WbxmlElement): WbxmlElement[] =>
  element.content.filter((part): part is WbxmlElement => typeof part !== "string");

/** All text directly inside, joined and trimmed. */
export function textOf({ content }: WbxmlElement): string {
  let text = "";
  for (let i = 0; i < content.length; i++) {
    const part = content[i];
    if (typeof part === "string") text += part;
  }
  return text === "" ? text : trimmed(text);
}

const WHITE_SPACE = " \t\r\n";

/** Without XML's white space at both ends; a no-break space, which String.trim takes too, is text. */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.includes(text.charAt(start))) start++;
  while (end > start && WHITE_SPACE.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
