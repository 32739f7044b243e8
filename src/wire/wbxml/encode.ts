/**
 * Writes a tree of elements as WBXML in UTF-8 without a string table. Source: WAP-192-WBXML.
 *
 * A token on the current code page is taken before one that needs a switch. What has no token is written inline:
 * attribute values as STR_I; an element or attribute name without token is refused (a literal needs a string table).
 * ProvCont, of which many are written a second, has its own encoder in omacp/.
 */
import { TurnupError } from "../../term/error.ts";
import { uintvar } from "../uintvar.ts";
import { isXmlText } from "./charset.ts";
import type { CodeSpace, Pages } from "./code-space.ts";
import type { WbxmlAttribute, WbxmlElement } from "./element.ts";
import { END, HAS_ATTRIBUTES, HAS_CONTENT, OPAQUE, STR_I, SWITCH_PAGE, UTF_8 } from "./token.ts";

/** @throws TurnupError `payload_malformed`: a name without token, or a character that XML cannot hold */
export function encodeWbxml(root: WbxmlElement, codeSpace: CodeSpace): Uint8Array {
  const head = [codeSpace.version, ...uintvar(codeSpace.publicId), ...uintvar(UTF_8), 0];
  const writer = new Writer(codeSpace, head);
  writer.element(root);
  return Uint8Array.from(writer.octets);
}

type Spot = { readonly page: number; readonly token: number };

class Writer {
  readonly octets: number[];
  readonly #space: CodeSpace;
  #tagPage = 0;
  #attributePage = 0;

  constructor(space: CodeSpace, octets: number[]) {
    this.#space = space;
    this.octets = octets;
  }

  element(element: WbxmlElement): void {
    const spot = find(this.#space.tags, this.#tagPage, (name) => name === element.name);
    if (!spot) throw malformed(`${this.#space.title} has no element ${element.name}.`);
    this.#tagPage = this.#switched(this.#tagPage, spot.page);
    const flags =
      (element.attributes.length > 0 ? HAS_ATTRIBUTES : 0) | (element.content.length > 0 ? HAS_CONTENT : 0);
    this.octets.push(spot.token | flags);
    for (const attribute of element.attributes) this.#attribute(attribute);
    if (flags & HAS_ATTRIBUTES) this.octets.push(END);
    for (const part of element.content) {
      if (typeof part === "string") this.#inline(part);
      else if (part.name === this.#space.embedded?.root) this.#embed(part, this.#space.embedded.codeSpace);
      else this.element(part);
    }
    if (flags & HAS_CONTENT) this.octets.push(END);
  }

  #embed(root: WbxmlElement, codeSpace: CodeSpace): void {
    const octets = encodeWbxml(root, codeSpace);
    this.octets.push(OPAQUE, ...uintvar(octets.length), ...octets);
  }

  #attribute({ name, value }: WbxmlAttribute): void {
    const start = this.#startOf(name, value);
    if (!start) throw malformed(`${this.#space.title} has no attribute ${name}.`);
    this.#attributePage = this.#switched(this.#attributePage, start.page);
    this.octets.push(start.token);
    this.#value(name, value.slice(start.prefix.length), start.prefix !== "");
  }

  /** The start token with the longest head of the value; of equals the one on the current page. */
  #startOf(name: string, value: string): (Spot & { readonly prefix: string }) | undefined {
    const pages = this.#space.attributeStarts;
    const starts = pageOrder(pages, this.#attributePage).flatMap((page) =>
      (pages[page] ?? []).flatMap((entry, token) =>
        entry?.name === name && this.#mayStart(entry.prefix, value)
          ? [{ page, token, prefix: entry.prefix }]
          : [],
      ),
    );
    return starts.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  }

  #mayStart(prefix: string, value: string): boolean {
    return this.#space.splitsValues ? value.startsWith(prefix) : prefix === "" || prefix === value;
  }

  #value(attribute: string, rest: string, isTail: boolean): void {
    const { opaque } = this.#space;
    if (opaque?.attributes.includes(attribute)) {
      const octets = opaque.octetsOf(rest);
      if (!octets) throw malformed(`"${rest}" is no ${attribute}.`);
      this.octets.push(OPAQUE, ...uintvar(octets.length), ...octets);
      return;
    }
    if (isTail && rest === "") return;
    let left = rest;
    do {
      const { index, value, token } = this.#firstValueToken(left);
      if (index > 0 || left === "") this.#inline(left.slice(0, index));
      if (token !== undefined) this.octets.push(token);
      left = left.slice(index + value.length);
    } while (left !== "");
  }

  /** The value token of the current page that stands first in `text`, the longest of those; the end where none does. */
  #firstValueToken(text: string): { index: number; value: string; token: number | undefined } {
    let found: { index: number; value: string; token: number | undefined } = {
      index: text.length,
      value: "",
      token: undefined,
    };
    for (const [token, value] of (this.#space.attributeValues[this.#attributePage] ?? []).entries()) {
      if (!value) continue;
      const index = this.#space.splitsValues ? text.indexOf(value) : text === value ? 0 : -1;
      const isBetter = index < found.index || (index === found.index && value.length > found.value.length);
      if (index >= 0 && isBetter) found = { index, value, token };
    }
    return found;
  }

  #inline(text: string): void {
    if (!isXmlText(text)) throw malformed("The text has a character that XML cannot hold.");
    this.octets.push(STR_I, ...Buffer.from(text), 0);
  }

  #switched(current: number, wanted: number): number {
    if (current !== wanted) this.octets.push(SWITCH_PAGE, wanted);
    return wanted;
  }
}

/** The current page first, then the others in order. */
const pageOrder = (pages: Pages<unknown>, current: number): number[] => [
  current,
  ...[...pages.keys()].filter((page) => page !== current),
];

function find<T>(pages: Pages<T>, current: number, isIt: (entry: T) => boolean): Spot | undefined {
  for (const page of pageOrder(pages, current)) {
    const token = pages[page]?.findIndex((entry) => entry !== undefined && isIt(entry)) ?? -1;
    if (token >= 0) return { page, token };
  }
  return undefined;
}

const malformed = (fact: string): TurnupError => new TurnupError("payload_malformed", fact);
