/**
 * Structured fields of HTTP, the part that signatures need: dictionaries whose members are inner lists or items, with
 * parameters. Strict by the text of the standard: what it does not allow is refused at its octet. Source: RFC 8941
 * §3.1 to 3.3 and 4.2 (RFC 9651 adds dates and display strings, which stand in none of our fields).
 *
 *   dictionary  label=("@method" "content-digest";req);created=1618884473, other=:cHJvb2Y=:
 *   bare item   integer, "string", token, :base64:, ?1
 */
import { DecodeError } from "../decode-error.ts";

/** A value by its type (RFC 8941 §3.3). */
export type BareItem =
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "decimal"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "token"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "boolean"; readonly value: boolean };
/** Behind an item or list, by key, in the order given (RFC 8941 §3.1.2). */
export type Parameters = ReadonlyMap<string, BareItem>;
/** A value with its parameters (RFC 8941 §3.3). */
export type Item = { readonly bare: BareItem; readonly parameters: Parameters };
/** Items in brackets (RFC 8941 §3.1.1): the components that a signature covers. */
export type InnerList = { readonly items: readonly Item[]; readonly parameters: Parameters };
/** `text` is the member's value exactly as it came: what a signature covers. */
export type Member = ({ readonly kind: "item" } & Item) | ({ readonly kind: "list" } & InnerList);
/** Members by key (RFC 8941 §3.2). */
export type Dictionary = ReadonlyMap<string, Member & { readonly text: string }>;

/** No field of ours is longer, and node's own limit for all headers is 16 KiB. */
const FIELD_CHARACTERS_MAX = 16_384;
const MEMBERS_MAX = 64;
const INTEGER_DIGITS_MAX = 15;
/** A decimal has 12 digits and 3 behind the point. */
const DECIMAL_DIGITS = { whole: 12, fraction: 3 };

/** @throws DecodeError with the offset in `text` */
export function parseDictionary(text: string): Dictionary {
  if (text.length > FIELD_CHARACTERS_MAX)
    throw new DecodeError("a longer field than any", FIELD_CHARACTERS_MAX);
  const reader = new Reader(text);
  const members = new Map<string, Member & { readonly text: string }>();
  reader.skipSpaces();
  while (!reader.isAtEnd()) {
    const start = reader.at;
    const key = reader.key();
    // The standard lets a later member replace an earlier one; one of two signatures must not vanish unseen.
    if (members.has(key)) throw new DecodeError("a member given twice", start);
    if (members.size === MEMBERS_MAX) throw new DecodeError("more members than any field has", start);
    members.set(key, reader.member());
    reader.skipBlanks();
    if (reader.isAtEnd()) break;
    reader.expect(",");
    reader.skipBlanks();
    if (reader.isAtEnd()) throw new DecodeError("a comma without a member behind it", reader.at);
  }
  return members;
}

/**
 * As RFC 8941 §4.1.1.1 writes it; the octets that a signature covers depend on it.
 * @throws RangeError: a string that is not printable ASCII
 */
export function serializeInnerList({ items, parameters }: InnerList): string {
  return `(${items.map(serializeItem).join(" ")})${serializeParameters(parameters)}`;
}

/**
 * As RFC 8941 §4.1.3 writes it.
 * @throws RangeError: a string that is not printable ASCII
 */
export const serializeItem = ({ bare, parameters }: Item): string =>
  serializeBare(bare) + serializeParameters(parameters);

function serializeParameters(parameters: Parameters): string {
  let text = "";
  for (const [key, bare] of parameters) {
    text += bare.kind === "boolean" && bare.value ? `;${key}` : `;${key}=${serializeBare(bare)}`;
  }
  return text;
}

function serializeBare(bare: BareItem): string {
  switch (bare.kind) {
    case "integer":
    case "decimal":
      return String(bare.value);
    case "token":
      return bare.value;
    case "bytes":
      return `:${Buffer.from(bare.value).toString("base64")}:`;
    case "boolean":
      return bare.value ? "?1" : "?0";
    case "string":
      if (!/^[\x20-\x7e]*$/.test(bare.value)) throw new RangeError("a string of a field is printable ASCII");
      return `"${bare.value.replace(/["\\]/g, "\\$&")}"`;
  }
}

class Reader {
  readonly #text: string;
  at = 0;
  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  skipSpaces(): void {
    while (this.#text[this.at] === " ") this.at++;
  }

  /** Optional whitespace of RFC 9110 §5.6.3: between members tabs may stand too. */
  skipBlanks(): void {
    while (this.#text[this.at] === " " || this.#text[this.at] === "\t") this.at++;
  }

  expect(character: string): void {
    if (this.#text[this.at] !== character) throw this.#refuse(`${character} is wanted`);
    this.at++;
  }

  key(): string {
    return this.#match(/[a-z*][a-z0-9_.*-]*/y, "a key of small letters is wanted");
  }

  member(): Member & { readonly text: string } {
    if (this.#text[this.at] !== "=") {
      const from = this.at;
      const parameters = this.#parameters();
      const text = this.#text.slice(from, this.at);
      return { kind: "item", bare: { kind: "boolean", value: true }, parameters, text };
    }
    this.at++;
    const from = this.at;
    const value: Member =
      this.#text[from] === "(" ? { kind: "list", ...this.#innerList() } : { kind: "item", ...this.#item() };
    return { ...value, text: this.#text.slice(from, this.at) };
  }

  #innerList(): InnerList {
    this.expect("(");
    const items: Item[] = [];
    for (;;) {
      this.skipSpaces();
      if (this.#text[this.at] === ")") break;
      if (this.isAtEnd()) throw this.#refuse("a list without its end");
      if (items.length === MEMBERS_MAX) throw this.#refuse("more entries than any list has");
      items.push(this.#item());
      const next = this.#text[this.at];
      if (next !== " " && next !== ")") throw this.#refuse("a space or the end of the list is wanted");
    }
    this.at++;
    return { items, parameters: this.#parameters() };
  }

  #item(): Item {
    return { bare: this.#bare(), parameters: this.#parameters() };
  }

  #parameters(): Parameters {
    const parameters = new Map<string, BareItem>();
    while (this.#text[this.at] === ";") {
      this.at++;
      this.skipSpaces();
      const start = this.at;
      const key = this.key();
      if (parameters.has(key)) throw new DecodeError("a parameter given twice", start);
      if (this.#text[this.at] === "=") {
        this.at++;
        parameters.set(key, this.#bare());
      } else parameters.set(key, { kind: "boolean", value: true });
    }
    return parameters;
  }

  #bare(): BareItem {
    const first = this.#text[this.at] ?? "";
    if (first === '"') return { kind: "string", value: this.#string() };
    if (first === ":") return { kind: "bytes", value: this.#bytes() };
    if (first === "?") return { kind: "boolean", value: this.#boolean() };
    if (/[-0-9]/.test(first)) return this.#number();
    if (/[A-Za-z*]/.test(first))
      return {
        kind: "token",
        value: this.#match(/[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y, "a token is wanted"),
      };
    throw this.#refuse("a value is wanted");
  }

  #string(): string {
    const start = this.at++;
    let value = "";
    while (!this.isAtEnd()) {
      const character = this.#text.charAt(this.at++);
      if (character === '"') return value;
      if (character === "\\") {
        const escaped = this.#text[this.at++];
        if (escaped !== '"' && escaped !== "\\")
          throw new DecodeError('only \\ and " are escaped', this.at - 1);
        value += escaped;
      } else if (/[\x20-\x7e]/.test(character)) value += character;
      else throw new DecodeError("a character that no string holds", this.at - 1);
    }
    throw new DecodeError("a string without its end", start);
  }

  #bytes(): Uint8Array {
    const start = this.at++;
    const base64 = this.#match(/[A-Za-z0-9+/]*={0,2}/y, "base64 is wanted");
    if (this.#text[this.at] !== ":") throw new DecodeError("octets without their end", start);
    this.at++;
    const value = Uint8Array.from(Buffer.from(base64, "base64"));
    // One text for one value: padding and unused bits as the encoder writes them.
    if (Buffer.from(value).toString("base64") !== base64)
      throw new DecodeError("base64 in another form", start);
    return value;
  }

  #boolean(): boolean {
    const text = this.#match(/\?[01]/y, "?0 or ?1 is wanted");
    return text === "?1";
  }

  #number(): BareItem {
    const start = this.at;
    const text = this.#match(/-?[0-9]+(?:\.[0-9]+)?/y, "a number is wanted");
    const [whole = "", fraction] = text.replace("-", "").split(".");
    if (fraction === undefined) {
      if (whole.length > INTEGER_DIGITS_MAX) throw new DecodeError("a longer number than any", start);
      return { kind: "integer", value: Number(text) };
    }
    if (whole.length > DECIMAL_DIGITS.whole || fraction.length > DECIMAL_DIGITS.fraction)
      throw new DecodeError("a longer number than any", start);
    return { kind: "decimal", value: Number(text) };
  }

  #match(pattern: RegExp, wanted: string): string {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) throw this.#refuse(wanted);
    this.at += found.length;
    return found;
  }

  #refuse(fact: string): DecodeError {
    return new DecodeError(fact, this.at);
  }
}
