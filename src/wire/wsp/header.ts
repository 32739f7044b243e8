/**
 * Headers after the Content-Type, of a push or of a part of a multipart. Source: WAP-230-WSP §8.4.1.
 *
 *   | field + 80, or name and 00 | short integer, or text and 00, or value length and octets |
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { HEADER_FIELD_CODES, HEADER_FIELDS, INTEGER_FIELDS } from "./assigned-numbers.ts";
import {
  decodeInteger,
  decodeText,
  decodeValueLength,
  octetAt,
  putInteger,
  putText,
  valueLength,
} from "./value.ts";

/** One header. */
export type WspHeader = {
  /** The field's name; "0x2A" for a code without a name here. */
  readonly name: string;
  /** Octets where the field has a structure of its own. */
  readonly value: number | string | Uint8Array;
};

const HEADERS_MAX = 32;
const SHIFT_DELIMITER = 0x7f;
const BY_CODE = /^0x[0-7][0-9A-F]$/;

/**
 * All headers from `from` to before `end`.
 * @throws DecodeError with the offset: cut short, a value of no known form, or more headers than a push has
 */
export const decodeHeaders = (bytes: Uint8Array, from: number, end: number): WspHeader[] =>
  placedHeaders(bytes, from, end).map(({ name, value }) => ({ name, value }));

/**
 * The same, each with where it stands.
 * @throws DecodeError as {@link decodeHeaders}
 */
export function placedHeaders(
  bytes: Uint8Array,
  from: number,
  end: number,
): (WspHeader & { readonly at: number; readonly end: number })[] {
  const headers: (WspHeader & { readonly at: number; readonly end: number })[] = [];
  for (let at = from; at < end; ) {
    if (headers.length === HEADERS_MAX) throw new DecodeError(`more than ${HEADERS_MAX} headers`, at);
    const name = decodeName(bytes, at, end);
    const value = decodeValue(bytes, name.next, end, name.value);
    headers.push({ name: name.value, value: value.value, at, end: value.next });
    at = value.next;
  }
  return headers;
}

/**
 * Appends one header, its name as a number where it has one.
 * @throws TurnupError `payload_malformed`: a text or number that WSP cannot hold
 */
export function putHeader(octets: number[], { name, value }: WspHeader): void {
  putName(octets, name);
  if (typeof value === "number") putInteger(octets, value);
  else if (typeof value === "string") putText(octets, value);
  else octets.push(...valueLength(value.length), ...value);
}

function decodeName(bytes: Uint8Array, at: number, end: number) {
  const first = octetAt(bytes, at, end);
  if (first >= 0x80) {
    const code = first & 0x7f;
    const byNumber = `0x${code.toString(16).toUpperCase().padStart(2, "0")}`;
    return { value: HEADER_FIELDS.get(code) ?? byNumber, next: at + 1 };
  }
  if (first < 0x20 || first === SHIFT_DELIMITER) {
    throw new DecodeError("a shift to another page of header fields", at);
  }
  return decodeText(bytes, at, end);
}

function decodeValue(bytes: Uint8Array, at: number, end: number, name: string) {
  const first = octetAt(bytes, at, end);
  if (first >= 0x80 || (INTEGER_FIELDS.includes(name) && first < 0x20)) return decodeInteger(bytes, at, end);
  if (first >= 0x20) return decodeText(bytes, at, end);
  const { value: length, next } = decodeValueLength(bytes, at, end);
  return { value: bytes.slice(next, next + length), next: next + length };
}

function putName(octets: number[], name: string): void {
  const code = HEADER_FIELD_CODES.get(name) ?? (BY_CODE.test(name) ? Number(name) : undefined);
  if (code !== undefined) {
    octets.push(0x80 | code);
    return;
  }
  if (!/^[!-~]+$/.test(name)) {
    throw new TurnupError("payload_malformed", `"${name.slice(0, 64)}" is no header name.`);
  }
  putText(octets, name);
}
