/**
 * The values that WSP headers are made of. Source: WAP-230-WSP §8.4.2.
 *
 *   short integer | 1, 7 bits |
 *   long integer  | length 1 to 30 | octets, big-endian |
 *   text          | characters | 00 |   with 7F in front where the first character is 80 or above
 *   value length  | 00 to 1E |  or  | 1F | uintvar |
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { octetIn } from "../octet.ts";
import { decodeUintvar, uintvar } from "../uintvar.ts";

const LENGTH_QUOTE = 0x1f;
const TEXT_QUOTE = 0x7f;
/** 2^48: more than any date or length, and exact in a number. */
const LONG_INTEGER_OCTETS_MAX = 6;

/** A value, and where the octet after it stands. */
export type Read<T> = { readonly value: T; readonly next: number };

/**
 * How many octets of value follow, and where they start. They end before `end`.
 * @throws DecodeError at `at`: no value length there, or cut short
 */
export function decodeValueLength(bytes: Uint8Array, at: number, end: number): Read<number> {
  const first = octetAt(bytes, at, end);
  if (first > LENGTH_QUOTE) throw new DecodeError("a value length is missing", at);
  const { value, next } =
    first === LENGTH_QUOTE ? decodeUintvar(bytes, at + 1) : { value: first, next: at + 1 };
  if (next + value > end) throw new DecodeError("value cut short", at);
  return { value, next };
}

/** A value length to write: one octet below 31, else a quote and a uintvar. */
export const valueLength = (octets: number): number[] =>
  octets < LENGTH_QUOTE ? [octets] : [LENGTH_QUOTE, ...uintvar(octets)];

/**
 * A short integer (below 128) or a long one, big-endian, of at most 6 octets.
 * @throws DecodeError at `at`: no integer there, a longer one, or cut short
 */
export function decodeInteger(bytes: Uint8Array, at: number, end: number): Read<number> {
  const first = octetAt(bytes, at, end);
  if (first >= 0x80) return { value: first & 0x7f, next: at + 1 };
  if (first === 0 || first > LONG_INTEGER_OCTETS_MAX) throw new DecodeError("an integer is missing", at);
  const next = at + 1 + first;
  if (next > end) throw new DecodeError("long integer cut short", at);
  let value = 0;
  for (let i = at + 1; i < next; i++) value = value * 0x100 + octetIn(bytes, i);
  return { value, next };
}

/**
 * Appends an integer, short where it fits.
 * @throws TurnupError `payload_malformed`: no integer from 0 to 2^48 - 1
 */
export function putInteger(octets: number[], value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * LONG_INTEGER_OCTETS_MAX)) {
    throw new TurnupError("payload_malformed", `${value} is no integer that a WSP header holds.`);
  }
  if (value < 0x80) {
    octets.push(0x80 | value);
    return;
  }
  const long: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 0x100)) long.unshift(rest % 0x100);
  octets.push(long.length, ...long);
}

/**
 * A text of one octet a character, up to its NUL.
 * @throws DecodeError at `at`: no NUL before `end`
 */
export function decodeText(bytes: Uint8Array, at: number, end: number): Read<string> {
  const start = octetAt(bytes, at, end) === TEXT_QUOTE ? at + 1 : at;
  const stop = bytes.indexOf(0, start);
  if (stop < 0 || stop >= end) throw new DecodeError("text without its end", at);
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start);
  return { value: octets.toString("latin1"), next: stop + 1 };
}

/**
 * Appends a text with its end.
 * @throws TurnupError `payload_malformed`: a character that is no octet, NUL, or a control character in front
 */
export function putText(octets: number[], value: string): void {
  const first = value.charCodeAt(0);
  // Below a space it would read as a length, from 7F as a quote or an integer.
  if (first < 0x20) throw new TurnupError("payload_malformed", "A WSP text starts with a control character.");
  if (first >= TEXT_QUOTE) octets.push(TEXT_QUOTE);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code > 0xff) {
      throw new TurnupError("payload_malformed", `A WSP text cannot hold the character ${code}.`);
    }
    octets.push(code);
  }
  octets.push(0);
}

/**
 * One octet.
 * @throws DecodeError: `at` is `end` or behind it
 */
export function octetAt(bytes: Uint8Array, at: number, end: number): number {
  const octet = at < end ? bytes[at] : undefined;
  if (octet === undefined) throw new DecodeError("header cut short", at);
  return octet;
}
