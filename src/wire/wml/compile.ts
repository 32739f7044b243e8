/**
 * A deck as WMLC octets. Source: WAP-238-WML §14, WAP-192-WBXML.
 *
 * References to variables become extension tokens, `$$` one dollar. Strings that stand there more than once go to the
 * string table where that is shorter, so a deck is never longer than the sum of its parts (`octetsOf`).
 */
import { getFrom } from "../../term/collections.ts";
import { DecodeError } from "../decode-error.ts";
import { uintvar } from "../uintvar.ts";
import type { CodeSpace } from "../wbxml/code-space.ts";
import {
  END,
  EXT_I_0,
  EXT_T_0,
  FIRST_VALUE_TOKEN,
  HAS_ATTRIBUTES,
  HAS_CONTENT,
  STR_I,
  STR_T,
  UTF_8,
} from "../wbxml/token.ts";
import type { XmlElement } from "../xml/tree.ts";
import { checkReferences, readWml, type WmlDeck } from "./deck.ts";
import { checkDeck, holdsVariables, isAddress } from "./grammar.ts";
import { VARIABLE_FORMS, WML_CODE_SPACE, type WmlVersion } from "./tokens.ts";
import { partsOf } from "./variables.ts";

/** A token as it is, a string, or the name of a variable with its form (0 to 2). */
type Piece = number | { readonly text: string; readonly form: number | null };

/**
 * @throws DecodeError with the octet of the text, or of the element: no deck, or of a newer version than it says
 */
export function compileWml(deck: WmlDeck | Uint8Array | string): Uint8Array {
  const read = typeof deck === "string" || deck instanceof Uint8Array ? readWml(deck) : deck;
  checkDeck(read.root);
  checkReferences(read.root);
  const space = WML_CODE_SPACE[read.version];
  const pieces: Piece[] = [];
  pushElement(pieces, read.root, TABLES[read.version]);
  const table = stringTableOf(pieces);
  const head = [
    space.version,
    ...uintvar(space.publicId),
    ...uintvar(UTF_8),
    ...uintvar(table.octets.length),
  ];
  const body = pieces.flatMap((piece) => octetsOfPiece(piece, table.offsets));
  return Uint8Array.from([...head, ...table.octets, ...body]);
}

/**
 * What one element costs in a deck at most.
 * @throws DecodeError: an element or attribute that this version has no token for
 */
export function octetsOf(element: XmlElement, version: WmlVersion): number {
  const pieces: Piece[] = [];
  pushElement(pieces, element, TABLES[version]);
  return pieces.reduce<number>(
    (sum, piece) => sum + (typeof piece === "number" ? 1 : Buffer.byteLength(piece.text) + 2),
    0,
  );
}

type Tables = {
  readonly title: string;
  readonly tags: ReadonlyMap<string, number>;
  /** Of each attribute, the longest head of a value first. */
  readonly starts: ReadonlyMap<string, readonly { readonly prefix: string; readonly token: number }[]>;
  readonly values: ReadonlyMap<string, number>;
  readonly valuePattern: RegExp;
};

function tablesOf(space: CodeSpace): Tables {
  const tags = new Map<string, number>();
  for (const [token, name] of (space.tags[0] ?? []).entries()) if (name) tags.set(name, token);
  const starts = new Map<string, { prefix: string; token: number }[]>();
  for (const [token, start] of (space.attributeStarts[0] ?? []).entries()) {
    if (!start) continue;
    const list = [...(starts.get(start.name) ?? []), { prefix: start.prefix, token }];
    starts.set(
      start.name,
      list.toSorted((a, b) => b.prefix.length - a.prefix.length),
    );
  }
  const values = new Map<string, number>();
  for (const [token, value] of (space.attributeValues[0] ?? []).entries()) {
    if (value && token >= FIRST_VALUE_TOKEN) values.set(value, token);
  }
  const longestFirst = [...values.keys()].toSorted((a, b) => b.length - a.length);
  const valuePattern = new RegExp(longestFirst.map((value) => value.replaceAll(".", "\\.")).join("|"), "g");
  return { title: space.title, tags, starts, values, valuePattern };
}

const TABLES: Readonly<Record<WmlVersion, Tables>> = {
  "1.1": tablesOf(WML_CODE_SPACE["1.1"]),
  "1.2": tablesOf(WML_CODE_SPACE["1.2"]),
  "1.3": tablesOf(WML_CODE_SPACE["1.3"]),
};

function pushElement(pieces: Piece[], element: XmlElement, tables: Tables): void {
  const token = tables.tags.get(element.name);
  if (token === undefined) {
    throw new DecodeError(`${tables.title} has no element ${element.name}`, element.at ?? 0);
  }
  const hasAttributes = element.attributes.length > 0;
  const hasContent = element.content.length > 0;
  pieces.push(token | (hasAttributes ? HAS_ATTRIBUTES : 0) | (hasContent ? HAS_CONTENT : 0));
  for (const { name, value } of element.attributes) pushAttribute(pieces, element, name, value, tables);
  if (hasAttributes) pieces.push(END);
  for (const part of element.content) {
    if (typeof part === "string") pushText(pieces, part, "noesc");
    else pushElement(pieces, part, tables);
  }
  if (hasContent) pieces.push(END);
}

function pushAttribute(
  pieces: Piece[],
  element: XmlElement,
  name: string,
  value: string,
  tables: Tables,
): void {
  const start = tables.starts
    .get(name)
    ?.find(({ prefix, token }) => (isWhole(token) ? value === prefix : value.startsWith(prefix)));
  if (!start) {
    throw new DecodeError(`${tables.title} has no ${name} of this value`, element.at ?? 0);
  }
  pieces.push(start.token);
  const rest = value.slice(start.prefix.length);
  if (rest === "") {
    if (start.prefix === "") pieces.push({ text: "", form: null });
    return;
  }
  const push = (text: string): void => pushValue(pieces, text, tables);
  if (!holdsVariables(element.name, name)) push(rest);
  else pushText(pieces, rest, isAddress(name) ? "escape" : "noesc", push);
}

/** Tokens that stand for a whole value; heads of addresses, and the vnd. of a type, may be followed by more. */
const HEADS = [0x49, 0x4b, 0x4c, 0x58, 0x59, 0x5c];
const OPEN = WML_CODE_SPACE["1.3"].attributeStarts[0] ?? [];
const isWhole = (token: number): boolean => OPEN[token]?.prefix !== "" && !HEADS.includes(token);

function pushText(
  pieces: Piece[],
  text: string,
  usual: "escape" | "noesc",
  pushPlain: (plain: string) => void = (plain) => pieces.push({ text: plain, form: null }),
): void {
  for (const part of partsOf(text) ?? []) {
    if (typeof part === "string") pushPlain(part);
    else pieces.push({ text: part.name, form: VARIABLE_FORMS.indexOf(part.form ?? usual) });
  }
}

function pushValue(pieces: Piece[], text: string, tables: Tables): void {
  let at = 0;
  for (const match of text.matchAll(tables.valuePattern)) {
    if (match.index > at) pieces.push({ text: text.slice(at, match.index), form: null });
    pieces.push(getFrom(tables.values, match[0]));
    at = match.index + match[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), form: null });
}

function octetsOfPiece(piece: Piece, offsets: ReadonlyMap<string, number>): number[] {
  if (typeof piece === "number") return [piece];
  const offset = offsets.get(piece.text);
  if (offset === undefined) {
    return [piece.form === null ? STR_I : EXT_I_0 + piece.form, ...Buffer.from(piece.text), 0];
  }
  return [piece.form === null ? STR_T : EXT_T_0 + piece.form, ...uintvar(offset)];
}

/** Strings that are shorter in the table, whatever the order: an offset costs at most two octets here. */
function stringTableOf(pieces: readonly Piece[]) {
  const counts = new Map<string, number>();
  for (const piece of pieces) {
    if (typeof piece !== "number") counts.set(piece.text, (counts.get(piece.text) ?? 0) + 1);
  }
  const octets: number[] = [];
  const offsets = new Map<string, number>();
  for (const [text, count] of counts) {
    const length = Buffer.byteLength(text) + 1;
    const costsInline = count * (length + 1);
    const costsByTable = length + count * 3;
    if (costsByTable >= costsInline || octets.length + length > TABLE_OCTETS_MAX) continue;
    offsets.set(text, octets.length);
    octets.push(...Buffer.from(text), 0);
  }
  return { octets, offsets };
}

/** Below it an offset takes two octets at most. */
const TABLE_OCTETS_MAX = 0x3fff;
