/**
 * Reads a WBXML document into a tree of elements. Source: WAP-192-WBXML (version 1.3; 1.1 and 1.2 read alike).
 *
 *   | version: 1 | public id: uintvar (or 00 and a string table offset) | charset: uintvar |
 *   | string table: uintvar length, octets | body: one element, processing instructions around it |
 *
 * Tag space and attribute space keep a current code page each (§5.8.1). Processing instructions are read and dropped.
 * What is unknown, cut short or left over is refused with its octet; nothing is skipped.
 */
import { DecodeError } from "../decode-error.ts";
import { decodeUintvar } from "../uintvar.ts";
import { isCharsetKnown, isXmlText, textAt } from "./charset.ts";
import type { AttributeStart, CodeSpace, Pages } from "./code-space.ts";
import type { WbxmlAttribute, WbxmlElement } from "./element.ts";
import {
  END,
  ENTITY,
  EXT_0,
  EXT_I_0,
  EXT_T_0,
  FIRST_VALUE_TOKEN,
  HAS_ATTRIBUTES,
  HAS_CONTENT,
  LITERAL,
  OPAQUE,
  PI,
  STR_I,
  STR_T,
  SWITCH_PAGE,
  TAG_BITS,
} from "./token.ts";

/** What one document may cost, so that no input costs more than 1 MiB of memory. */
export const LIMITS = {
  /** 255 SMS of 134 octets are 34,170. */
  documentOctets: 65_536,
  depth: 16,
  elements: 1_024,
  attributes: 2_048,
  /** All text that stands in the document, string table references followed; what tokens stand for is not counted. */
  textCharacters: 16_384,
  /** Separate pieces of text (inline strings, references, entities, value tokens). */
  textPieces: 4_096,
  /** Each has the limits of a whole one. */
  embeddedDocuments: 4,
} as const;

const UNKNOWN_PUBLIC_ID = 1;
const LAST_VERSION = 0x03;
const XML_NAME = /^[\p{L}_:][\p{L}\p{N}_:.\-\u00b7]*$/u;

/** What stands before the body; offsets are octets in the document, `end` the one behind the last. */
export type WbxmlHead = {
  readonly version: number;
  /** 0 where the identifier is a text. */
  readonly publicId: number;
  readonly publicIdText: string | null;
  readonly charset: number;
  readonly stringTable: { readonly start: number; readonly end: number };
  readonly bodyOffset: number;
};

/**
 * @throws DecodeError with the offset: cut short or left over, an unknown token, page, charset or version, another
 *   document type, text that is none, or more than {@link LIMITS} allows
 */
export function decodeWbxml(bytes: Uint8Array, codeSpace: CodeSpace): WbxmlElement {
  const head = decodeWbxmlHead(bytes);
  const isOfThisType =
    head.publicIdText === null
      ? head.publicId === codeSpace.publicId || head.publicId === UNKNOWN_PUBLIC_ID
      : head.publicIdText === codeSpace.publicIdText;
  if (!isOfThisType) {
    throw new DecodeError(`public identifier ${nameOf(head)} is not ${codeSpace.title}`, 1);
  }
  const reader = new Reader(bytes, head, codeSpace);
  return reader.document();
}

/**
 * The part before the body, which tells the document's type.
 * @throws DecodeError with the offset: more than {@link LIMITS}.documentOctets, a version but 1.1 to 1.3, a charset
 *   that is not read, or cut short
 */
export function decodeWbxmlHead(bytes: Uint8Array): WbxmlHead {
  if (bytes.length > LIMITS.documentOctets) {
    throw new DecodeError(`WBXML of more than ${LIMITS.documentOctets} octets`, LIMITS.documentOctets);
  }
  const version = bytes[0];
  if (version === undefined) throw new DecodeError("no WBXML version", 0);
  if (version < 0x01 || version > LAST_VERSION) throw new DecodeError(`WBXML version ${hex(version)}`, 0);
  const publicId = decodeUintvar(bytes, 1);
  const publicIdIndex = publicId.value === 0 ? decodeUintvar(bytes, publicId.next) : undefined;
  const charset = decodeUintvar(bytes, publicIdIndex?.next ?? publicId.next);
  if (!isCharsetKnown(charset.value)) {
    throw new DecodeError(`charset ${charset.value} is not read`, publicIdIndex?.next ?? publicId.next);
  }
  const length = decodeUintvar(bytes, charset.next);
  const stringTable = { start: length.next, end: length.next + length.value };
  if (stringTable.end > bytes.length) throw new DecodeError("string table cut short", charset.next);
  const publicIdText = publicIdIndex
    ? stringAt(bytes, stringTable.start + publicIdIndex.value, stringTable.end, charset.value, publicId.next)
        .text
    : null;
  return {
    version,
    publicId: publicId.value,
    publicIdText,
    charset: charset.value,
    stringTable,
    bodyOffset: stringTable.end,
  };
}

/** Reads a NUL-ended string that must end before `limit`; `at` is where a refusal points. */
function stringAt(bytes: Uint8Array, start: number, limit: number, charset: number, at: number) {
  const end = start < limit ? bytes.indexOf(0, start) : -1;
  if (end < 0 || end >= limit) throw new DecodeError("string without its end", at);
  return { text: textAt(bytes, start, end, charset), next: end + 1 };
}

const NONE: readonly never[] = Object.freeze([]);

class Reader {
  readonly #bytes: Uint8Array;
  readonly #head: WbxmlHead;
  readonly #space: CodeSpace;
  #at: number;
  #tagPage = 0;
  #attributePage = 0;
  #elements = 0;
  #attributes = 0;
  #characters = 0;
  #pieces = 0;
  #documents = 0;
  /** Attributes of the list being read. */
  readonly #open: WbxmlAttribute[] = [];

  constructor(bytes: Uint8Array, head: WbxmlHead, space: CodeSpace) {
    this.#bytes = bytes;
    this.#head = head;
    this.#space = space;
    this.#at = head.bodyOffset;
  }

  document(): WbxmlElement {
    this.#instructions();
    const root = this.#element(1);
    this.#instructions();
    if (this.#at < this.#bytes.length) throw new DecodeError("octets after the document", this.#at);
    return root;
  }

  /** Processing instructions, which say nothing to any of our document types. */
  #instructions(): void {
    while (this.#bytes[this.#at] === PI) {
      this.#at++;
      this.#attributeList();
    }
  }

  #element(depth: number): WbxmlElement {
    const at = this.#at;
    if (depth > LIMITS.depth) throw new DecodeError(`more than ${LIMITS.depth} elements deep`, at);
    if (++this.#elements > LIMITS.elements) {
      throw new DecodeError(`more than ${LIMITS.elements} elements`, at);
    }
    this.#tagPage = this.#switchedPage(this.#tagPage, this.#space.tags);
    const octet = this.#octet("a tag");
    const name = this.#tagName(octet);
    const attributes = octet & HAS_ATTRIBUTES ? this.#attributeList() : NONE;
    const content = octet & HAS_CONTENT ? this.#content(depth) : NONE;
    return { name, attributes, content, at };
  }

  #tagName(octet: number): string {
    const token = octet & TAG_BITS;
    if (token === LITERAL) return this.#literalName();
    const name = this.#space.tags[this.#tagPage]?.[token];
    if (name === undefined) throw this.#unknown("tag", octet, this.#tagPage, 1);
    return name;
  }

  #content(depth: number): (WbxmlElement | string)[] {
    const content: (WbxmlElement | string)[] = [];
    let text: string[] | undefined;
    for (;;) {
      const token = this.#bytes[this.#at];
      if (token === undefined) throw new DecodeError("element without its end", this.#at);
      const inside = token === OPAQUE ? this.#embedded() : undefined;
      if (inside) {
        content.push(inside);
        continue;
      }
      const piece = token === END ? undefined : this.#textPiece(token, null);
      if (piece !== undefined) {
        text ??= [];
        text.push(piece);
        continue;
      }
      if (text) content.push(text.join(""));
      text = undefined;
      if (token === END) {
        this.#at++;
        return content;
      }
      if (token === PI) this.#instructions();
      else content.push(this.#element(depth + 1));
    }
  }

  /** A document inside this one; undefined where the OPAQUE octets are text, which begins with no WBXML version. */
  #embedded(): WbxmlElement | undefined {
    const { embedded } = this.#space;
    if (!embedded) return undefined;
    const { value: length, next } = decodeUintvar(this.#bytes, this.#at + 1);
    const version = this.#bytes[next];
    if (length === 0 || version === undefined || version > LAST_VERSION) return undefined;
    if (next + length > this.#bytes.length) throw new DecodeError("opaque octets cut short", this.#at);
    if (++this.#documents > LIMITS.embeddedDocuments) {
      throw new DecodeError(`more than ${LIMITS.embeddedDocuments} documents inside`, this.#at);
    }
    this.#at = next + length;
    try {
      return decodeWbxml(this.#bytes.subarray(next, this.#at), embedded.codeSpace);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new DecodeError(`inside: ${error.message}`, next + error.offset);
    }
  }

  #attributeList(): readonly WbxmlAttribute[] {
    const from = this.#open.length;
    for (;;) {
      this.#attributePage = this.#switchedPage(this.#attributePage, this.#space.attributeStarts);
      const token = this.#bytes[this.#at];
      if (token === undefined) throw new DecodeError("attribute list without its end", this.#at);
      if (token === END) {
        this.#at++;
        return this.#open.splice(from); // an array of just this length; one grown by push has room for 17
      }
      if (++this.#attributes > LIMITS.attributes) {
        throw new DecodeError(`more than ${LIMITS.attributes} attributes`, this.#at);
      }
      const { name, prefix } = this.#attributeStart();
      this.#open.push({ name, value: this.#attributeValue(name, prefix) });
    }
  }

  #attributeStart(): AttributeStart {
    const token = this.#octet("an attribute");
    if (token === LITERAL) return { name: this.#literalName(), prefix: "" };
    const start = this.#space.attributeStarts[this.#attributePage]?.[token];
    if (start === undefined) throw this.#unknown("attribute token", token, this.#attributePage, 1);
    return start;
  }

  /** The pieces that follow an attribute start, until the next start or the list's end. */
  #attributeValue(attribute: string, prefix: string): string {
    let value = prefix;
    let pieces: string[] | undefined;
    for (;;) {
      this.#attributePage = this.#switchedPage(this.#attributePage, this.#space.attributeStarts);
      const token = this.#bytes[this.#at];
      if (token === undefined) throw new DecodeError("attribute list without its end", this.#at);
      const piece = this.#textPiece(token, attribute) ?? this.#valueToken(token);
      if (piece === undefined) return pieces ? pieces.join("") : value;
      if (pieces) pieces.push(piece);
      else if (value === "") value = piece;
      else pieces = [value, piece];
    }
  }

  #valueToken(token: number): string | undefined {
    if (token < FIRST_VALUE_TOKEN) return undefined;
    const value = this.#space.attributeValues[this.#attributePage]?.[token];
    if (value === undefined) throw this.#unknown("value token", token, this.#attributePage, 0);
    this.#at++;
    this.#countPiece();
    return value;
  }

  /** Text that a global token brings, or undefined where the token is none of those. Content or value alike. */
  #textPiece(token: number, attribute: string | null): string | undefined {
    if (token === STR_I || token === STR_T || token === ENTITY || token === OPAQUE) {
      const at = this.#at++;
      if (token === STR_I) return this.#inlineString();
      if (token === STR_T) return this.#tableString();
      return this.#counted(token === ENTITY ? this.#entity(at) : this.#opaque(at, attribute));
    }
    const kind = token & 0xfc;
    const isExtension = (kind === EXT_I_0 || kind === EXT_T_0 || kind === EXT_0) && (token & 3) < 3;
    return isExtension ? this.#extension(token, kind) : undefined;
  }

  #inlineString(): string {
    const { text, next } = stringAt(
      this.#bytes,
      this.#at,
      this.#bytes.length,
      this.#head.charset,
      this.#at - 1,
    );
    this.#at = next;
    return this.#counted(text);
  }

  #tableString(): string {
    const at = this.#at - 1;
    const { value, next } = decodeUintvar(this.#bytes, this.#at);
    this.#at = next;
    const { start, end } = this.#head.stringTable;
    const from = start + value;
    // Counted before it is copied: two octets can point at 64 KiB.
    const length = from < end ? this.#bytes.indexOf(0, from) - from : 0;
    if (this.#characters + length > LIMITS.textCharacters) throw this.#tooMuchText(at);
    return this.#counted(stringAt(this.#bytes, from, end, this.#head.charset, at).text);
  }

  #literalName(): string {
    const at = this.#at - 1;
    const name = this.#tableString();
    if (!XML_NAME.test(name)) throw new DecodeError("a literal that is no XML name", at);
    return name;
  }

  #entity(at: number): string {
    const { value, next } = decodeUintvar(this.#bytes, this.#at);
    this.#at = next;
    const text = value <= 0x10ffff ? String.fromCodePoint(value) : "\0";
    if (!isXmlText(text)) throw new DecodeError(`entity ${value} is no character`, at);
    return text;
  }

  #opaque(at: number, attribute: string | null): string {
    const { value: length, next } = decodeUintvar(this.#bytes, this.#at);
    this.#at = next + length;
    if (this.#at > this.#bytes.length) throw new DecodeError("opaque octets cut short", at);
    const { opaque } = this.#space;
    if (attribute === null || !opaque?.attributes.includes(attribute)) {
      return textAt(this.#bytes, next, this.#at, this.#head.charset);
    }
    const text = opaque.textOf(this.#bytes.subarray(next, this.#at));
    if (text === undefined) throw new DecodeError(`opaque octets that are no ${attribute}`, at);
    return text;
  }

  #extension(token: number, kind: number): string {
    const at = this.#at;
    const { extension } = this.#space;
    if (!extension) throw new DecodeError(`extension token ${hex(token)} has no meaning here`, at);
    this.#at++;
    const argument = kind === EXT_0 ? null : kind === EXT_I_0 ? this.#inlineString() : this.#tableString();
    return this.#counted(extension(token & 3, argument));
  }

  /** Follows SWITCH_PAGE; a page without a single token is unknown. */
  #switchedPage(page: number, pages: Pages<unknown>): number {
    let current = page;
    while (this.#bytes[this.#at] === SWITCH_PAGE) {
      const next = this.#bytes[this.#at + 1];
      if (next === undefined) throw new DecodeError("code page switch cut short", this.#at);
      if (pages[next] === undefined) throw new DecodeError(`code page ${next} is unknown`, this.#at);
      current = next;
      this.#at += 2;
    }
    return current;
  }

  #octet(what: string): number {
    const octet = this.#bytes[this.#at];
    if (octet === undefined) throw new DecodeError(`${what} is missing`, this.#at);
    this.#at++;
    return octet;
  }

  #counted(text: string): string {
    this.#characters += text.length;
    if (this.#characters > LIMITS.textCharacters) throw this.#tooMuchText(this.#at);
    this.#countPiece();
    return text;
  }

  #countPiece(): void {
    if (++this.#pieces > LIMITS.textPieces) {
      throw new DecodeError(`more than ${LIMITS.textPieces} pieces of text`, this.#at);
    }
  }

  #tooMuchText(at: number): DecodeError {
    return new DecodeError(`more than ${LIMITS.textCharacters} characters of text`, at);
  }

  #unknown(what: string, token: number, page: number, stepBack: number): DecodeError {
    return new DecodeError(`${what} ${hex(token)} on page ${page} is unknown`, this.#at - stepBack);
  }
}

const hex = (octet: number): string => `0x${octet.toString(16).padStart(2, "0")}`;

const nameOf = (head: WbxmlHead): string => head.publicIdText ?? hex(head.publicId);
