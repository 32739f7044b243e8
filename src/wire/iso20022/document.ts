/** An ISO 20022 document from a bank: which message it is, and ways to what stands in it. Prefixes of names say nothing here. */
import { DecodeError } from "../decode-error.ts";
import { readXml } from "../xml/read.ts";
import type { XmlElement } from "../xml/tree.ts";

/** A day's statement of a busy account is far below these; what is above was not made by a bank. */
const BANK_FILE_LIMITS = {
  documentOctets: 8 * 1_048_576,
  depth: 32,
  elements: 400_000,
  attributesOfAnElement: 16,
  attributes: 200_000,
} as const;
export const BANK_FILE_OCTETS_MAX = BANK_FILE_LIMITS.documentOctets;

const MESSAGE = /^urn:(?:iso:std:iso:20022:tech:)?xsd:([a-z]{4}\.\d{3})\.001\.(\d{2})$/;

export type BankDocument = {
  /** `camt.054`. */
  readonly message: string;
  readonly root: XmlElement;
};

/** @throws DecodeError not well-formed, hostile, above the limits, or no ISO 20022 message */
export function readBankDocument(bytes: Uint8Array): BankDocument {
  const { root } = readXml(bytes, { limits: BANK_FILE_LIMITS });
  if (localName(root) !== "Document") throw new DecodeError("no Document of ISO 20022", root.at ?? 0);
  const prefix = root.name.includes(":") ? `xmlns:${root.name.split(":")[0]}` : "xmlns";
  const namespace = root.attributes.find(({ name }) => name === prefix)?.value ?? "";
  const [, message] = MESSAGE.exec(namespace) ?? [];
  if (message === undefined) throw new DecodeError("a Document of another namespace", root.at ?? 0);
  return { message, root };
}

const localName = ({ name }: XmlElement): string => name.slice(name.indexOf(":") + 1);

/** The children of this name. */
export const all = (parent: XmlElement | undefined, name: string): XmlElement[] =>
  (parent?.content ?? []).filter(
    (part): part is XmlElement => typeof part !== "string" && localName(part) === name,
  );

/** The first element at the end of a way of names; undefined where the way ends before. */
export const at = (parent: XmlElement | undefined, ...names: readonly string[]): XmlElement | undefined =>
  names.reduce<XmlElement | undefined>((found, name) => all(found, name)[0], parent);

/** Its text without white space around it; null where it is empty or not there, or longer than `charactersMax`. */
export function textAt(parent: XmlElement | undefined, ...names: readonly string[]): string | null {
  const found = at(parent, ...names)
    ?.content.find((part): part is string => typeof part === "string")
    ?.trim();
  return found === undefined || found === "" || found.length > TEXT_CHARACTERS_MAX ? null : found;
}

/** The longest text of the messages read here: an unstructured remittance. */
const TEXT_CHARACTERS_MAX = 140;
