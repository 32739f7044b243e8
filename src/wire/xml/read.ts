/**
 * Reads XML that another party sent: the part of XML 1.0 that data needs, strictly, in UTF-8, with limits.
 *
 * No internal subset, so no entity can be declared and nothing expands; no external one is ever fetched. Processing
 * instructions are refused. A document type is read where `doctype` allows it. CDATA, comments, references to characters
 * and to the entities that the document type gives (`entities`) are read.
 */
import { DecodeError } from "../decode-error.ts";
import { isXmlText } from "../wbxml/charset.ts";
import type { WbxmlAttribute } from "../wbxml/element.ts";
import type { XmlContent, XmlElement } from "./tree.ts";

/** What a document may have at most; more is refused before memory is spent on it. */
export const XML_LIMITS = {
  documentOctets: 262_144,
  depth: 16,
  elements: 4_096,
  attributesOfAnElement: 32,
  attributes: 16_384,
} as const;

/** A document that was read; `publicId` is that of its document type. */
export type XmlDocument = {
  readonly root: XmlElement;
  readonly publicId: string | null;
};

export type XmlLimits = { readonly [Name in keyof typeof XML_LIMITS]: number };

/** What beyond plain XML is taken. */
export type XmlReadOptions = {
  /** Of a kind of document that is longer than most; {@link XML_LIMITS} unless given. */
  readonly limits?: XmlLimits;
  /** Whether a document type may stand there. */
  readonly doctype?: boolean;
  /** Beyond the five of XML: name to character. */
  readonly entities?: Readonly<Record<string, string>>;
};

const NAME = /[\p{L}_:][\p{L}\p{N}_:.\-\u00b7]*/uy;
const SPACE = /[ \t\r\n]+/y;
const XML_DECLARATION =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[01]"|'1\.[01]')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]{0,30})["'])?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>/y;
const DOCTYPE =
  /<!DOCTYPE[ \t\r\n]+([A-Za-z][A-Za-z0-9._-]{0,40})(?:[ \t\r\n]+PUBLIC[ \t\r\n]+"([^"<>&]{0,200})"[ \t\r\n]+"[^"<>&]{0,200}"|[ \t\r\n]+SYSTEM[ \t\r\n]+"[^"<>&]{0,200}")?[ \t\r\n]*>/y;
const PREDEFINED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const CHARSETS_READ = ["utf-8", "us-ascii"];
const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** @throws DecodeError with the octet: not well-formed, not UTF-8, of what is refused here, or beyond its limits */
export function readXml(bytes: Uint8Array, options: XmlReadOptions = {}): XmlDocument {
  const { documentOctets } = options.limits ?? XML_LIMITS;
  if (bytes.length > documentOctets)
    throw new DecodeError(`XML of more than ${documentOctets} octets`, documentOctets);
  let text: string;
  try {
    text = UTF_8.decode(bytes);
  } catch {
    throw new DecodeError("text that is not UTF-8", 0); // TextDecoder says no more than that
  }
  const markOctets = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return new Reader(text, markOctets, options).document();
}

class Reader {
  readonly #text: string;
  readonly #markOctets: number;
  readonly #options: XmlReadOptions;
  readonly #limits: XmlLimits;
  #at = 0;
  #elements = 0;
  #attributes = 0;
  /** Octets are counted onward from the last place that was asked for. */
  #counted = { at: 0, octets: 0 };

  constructor(text: string, markOctets: number, options: XmlReadOptions) {
    this.#text = text;
    this.#markOctets = markOctets;
    this.#options = options;
    this.#limits = options.limits ?? XML_LIMITS;
  }

  document(): XmlDocument {
    const encoding = this.#match(XML_DECLARATION)?.[1];
    if (encoding !== undefined && !CHARSETS_READ.includes(encoding.toLowerCase())) {
      throw this.#refusal("an encoding that is not UTF-8", 0);
    }
    this.#between();
    const doctypeAt = this.#at;
    const doctype = this.#match(DOCTYPE);
    if (doctype && !this.#options.doctype) throw this.#refusal("a document type", doctypeAt);
    this.#between();
    if (this.#text[this.#at] !== "<") throw this.#refusal("no root element", this.#at);
    const root = this.#element(1);
    if (doctype && doctype[1] !== root.name) {
      throw this.#refusal("a root of another name than the document type", doctypeAt);
    }
    this.#between();
    if (this.#at < this.#text.length) throw this.#refusal("text after the root element", this.#at);
    return { root, publicId: doctype?.[2] ?? null };
  }

  /** White space and comments, where no text may stand. */
  #between(): void {
    do this.#match(SPACE);
    while (this.#comment());
  }

  #element(depth: number): XmlElement {
    const start = this.#at;
    if (depth > this.#limits.depth)
      throw this.#refusal(`more than ${this.#limits.depth} elements deep`, start);
    if (++this.#elements > this.#limits.elements) {
      throw this.#refusal(`more than ${this.#limits.elements} elements`, start);
    }
    const at = this.#octetOf(start);
    this.#at++;
    const name = this.#name("the name of an element");
    const attributes = this.#attributeList();
    if (this.#take("/>")) return { name, attributes, content: [], at };
    if (!this.#take(">")) throw this.#refusal("a tag without its end", this.#at);
    const content = this.#content(depth);
    const end = this.#at;
    if (!this.#take(`</${name}`)) throw this.#refusal(`no end of the element ${name.slice(0, 40)}`, end);
    this.#match(SPACE);
    if (!this.#take(">")) throw this.#refusal("an end tag without its end", this.#at);
    return { name, attributes, content, at };
  }

  #attributeList(): WbxmlAttribute[] {
    const list: WbxmlAttribute[] = [];
    for (;;) {
      const hadSpace = this.#match(SPACE) !== null;
      const next = this.#text[this.#at];
      if (next === undefined) throw this.#refusal("a tag cut short", this.#at);
      if (next === ">" || next === "/") return list;
      if (!hadSpace) throw this.#refusal("an attribute without a space before it", this.#at);
      const start = this.#at;
      if (list.length >= this.#limits.attributesOfAnElement || ++this.#attributes > this.#limits.attributes) {
        throw this.#refusal("too many attributes", start);
      }
      const name = this.#name("the name of an attribute");
      if (list.some((one) => one.name === name)) throw this.#refusal("an attribute twice", start);
      this.#match(SPACE);
      if (!this.#take("=")) throw this.#refusal("an attribute without a value", this.#at);
      this.#match(SPACE);
      list.push({ name, value: this.#quoted() });
    }
  }

  #quoted(): string {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") throw this.#refusal("a value without quotes", this.#at);
    const start = ++this.#at;
    const end = this.#text.indexOf(quote, start);
    if (end < 0) throw this.#refusal("a value without its end", start - 1);
    const raw = this.#text.slice(start, end);
    const stray = raw.indexOf("<");
    if (stray >= 0) throw this.#refusal("a < inside a value", start + stray);
    this.#at = end + 1;
    // XML 1.0 §3.3.3: white space in a value is a space each; a reference to one stays what it is.
    return this.#resolved(raw.replace(/\r\n|[\t\r\n]/g, " "), start);
  }

  #content(depth: number): XmlContent[] {
    const content: XmlContent[] = [];
    let text: string[] = [];
    const flush = (): void => {
      const whole = text.join("");
      if (whole !== "") content.push(whole);
      text = [];
    };
    for (;;) {
      const next = this.#text.indexOf("<", this.#at);
      if (next < 0) throw this.#refusal("an element without its end", this.#at);
      if (next > this.#at) text.push(this.#characters(next));
      if (this.#text.startsWith("</", next)) {
        flush();
        return content;
      }
      if (this.#text.startsWith("<![CDATA[", next)) text.push(this.#cdata());
      else if (!this.#comment()) {
        flush();
        content.push(this.#element(depth + 1));
      }
    }
  }

  #characters(end: number): string {
    const start = this.#at;
    const raw = this.#text.slice(start, end);
    const stray = raw.indexOf("]]>");
    if (stray >= 0) throw this.#refusal("]]> outside CDATA", start + stray);
    this.#at = end;
    return this.#resolved(raw.replace(/\r\n?/g, "\n"), start);
  }

  #cdata(): string {
    const start = this.#at;
    const end = this.#text.indexOf("]]>", start);
    if (end < 0) throw this.#refusal("CDATA without its end", start);
    this.#at = end + 3;
    return this.#checked(this.#text.slice(start + 9, end).replace(/\r\n?/g, "\n"), start);
  }

  #comment(): boolean {
    if (!this.#text.startsWith("<!--", this.#at)) return false;
    const end = this.#text.indexOf("--", this.#at + 4);
    if (end < 0 || this.#text[end + 2] !== ">") throw this.#refusal("a comment without its end", this.#at);
    this.#checked(this.#text.slice(this.#at, end), this.#at);
    this.#at = end + 3;
    return true;
  }

  #resolved(raw: string, at: number): string {
    if (!raw.includes("&")) return this.#checked(raw, at);
    const text = raw.replace(/&([^;]{0,40};)?/g, (_, reference?: string) =>
      this.#reference(reference?.slice(0, -1), at),
    );
    return this.#checked(text, at);
  }

  #reference(name: string | undefined, at: number): string {
    if (name === undefined) throw this.#refusal("an & that begins no reference", at);
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    if (number) {
      const code = number[1] ? Number.parseInt(number[1], 16) : Number(number[2]);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        throw this.#refusal("a reference to no character", at);
      }
      return String.fromCodePoint(code);
    }
    const known = Object.hasOwn(PREDEFINED, name)
      ? PREDEFINED[name]
      : Object.hasOwn(this.#options.entities ?? {}, name)
        ? this.#options.entities?.[name]
        : undefined;
    if (known === undefined) throw this.#refusal("a reference to an unknown entity", at);
    return known;
  }

  #checked(text: string, at: number): string {
    if (!isXmlText(text)) throw this.#refusal("a character that XML cannot hold", at);
    return text;
  }

  #name(what: string): string {
    const start = this.#at;
    const name = this.#match(NAME)?.[0];
    if (name === undefined) throw this.#refusal(`${what} is missing`, start);
    return name;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #octetOf(at: number): number {
    const { at: from, octets } = this.#counted;
    const total =
      at >= from
        ? octets + Buffer.byteLength(this.#text.slice(from, at))
        : Buffer.byteLength(this.#text.slice(0, at));
    if (at >= from) this.#counted = { at, octets: total };
    return total + this.#markOctets;
  }

  #refusal(fact: string, at: number): DecodeError {
    return new DecodeError(fact, this.#octetOf(at));
  }
}
