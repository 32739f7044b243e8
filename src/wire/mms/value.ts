/**
 * Values of MMS header fields. Source: OMA-TS-MMS_ENC-V1_3, clause 7.2; their parts are those of WAP-230-WSP §8.4.2.
 *
 *   encoded string | text 00 |  or  | value length | charset | text 00 |
 *   from           | value length | 80 | encoded string |  or  | 01 | 81 |
 *   expiry         | value length | 80 | date: long integer |  or  | value length | 81 | seconds: integer |
 *   version        | 80 + major * 16 + minor |
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import {
  decodeInteger,
  decodeText,
  decodeValueLength,
  octetAt,
  putInteger,
  putText,
  type Read,
  valueLength,
} from "../wsp/value.ts";
import type { MmsExpiry } from "./pdu.ts";

/** Unknown, US-ASCII and UTF-8 (IANA MIBenum). */
const READ_AS_UTF_8: readonly number[] = [0, 3, 106];
const LATIN_1 = 4;
const UTF_8 = 106;
const PRESENT = 0x80;
const INSERT = 0x81;
const ABSOLUTE = 0x80;
const RELATIVE = 0x81;
const LENGTHS_END = 0x1f;
const SECOND_MS = 1_000;
/** The last second that a date of JavaScript and a text of four digits' year share. */
const DATE_MAX = 253_402_300_799;

/** @throws DecodeError at `at`: no text, a charset that is not read, or octets that are none of its text */
export function decodeEncodedString(bytes: Uint8Array, at: number, end: number): Read<string> {
  if (octetAt(bytes, at, end) > LENGTHS_END) return decodeText(bytes, at, end);
  const length = decodeValueLength(bytes, at, end);
  const next = length.next + length.value;
  const charset = decodeInteger(bytes, length.next, next);
  const text = decodeText(bytes, charset.next, next);
  if (text.next !== next) throw new DecodeError("octets after an encoded string", text.next);
  if (charset.value === LATIN_1) return { value: text.value, next };
  if (!READ_AS_UTF_8.includes(charset.value))
    throw new DecodeError(`charset ${charset.value} is not read`, length.next);
  try {
    const octets = Buffer.from(text.value, "latin1");
    return { value: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets), next };
  } catch {
    throw new DecodeError("text that is not UTF-8", charset.next); // TextDecoder says no more than that
  }
}

/** @throws TurnupError `payload_malformed`: NUL, or a control character in front */
export function putEncodedString(octets: number[], value: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: US-ASCII, all of it
  if (/^[\x00-\x7f]*$/.test(value)) return putText(octets, value);
  const text: number[] = [];
  putInteger(text, UTF_8);
  putText(text, Buffer.from(value, "utf8").toString("latin1"));
  octets.push(...valueLength(text.length), ...text);
}

/**
 * Null: the centre is to fill it in.
 * @throws DecodeError with the offset: no address of a known form, or cut short
 */
export function decodeFrom(bytes: Uint8Array, at: number, end: number): Read<string | null> {
  const length = decodeValueLength(bytes, at, end);
  const next = length.next + length.value;
  const token = octetAt(bytes, length.next, next);
  if (token === INSERT && length.value === 1) return { value: null, next };
  if (token !== PRESENT) throw new DecodeError("an address of no known form", length.next);
  const address = decodeEncodedString(bytes, length.next + 1, next);
  if (address.next !== next) throw new DecodeError("octets after an address", address.next);
  return { value: address.value, next };
}

/** @throws TurnupError `payload_malformed`: a text that WSP cannot hold */
export function putFrom(octets: number[], from: string | null): void {
  if (from === null) return void octets.push(1, INSERT);
  const address = [PRESENT];
  putEncodedString(address, from);
  octets.push(...valueLength(address.length), ...address);
}

/** @throws DecodeError at `at`: no long integer, or a time behind the year 9999 */
export function decodeDate(bytes: Uint8Array, at: number, end: number): Read<Date> {
  const { value, next } = decodeInteger(bytes, at, end);
  if (value > DATE_MAX) throw new DecodeError("a date behind the year 9999", at);
  return { value: new Date(value * SECOND_MS), next };
}

/**
 * Always a long integer, also where a short one would hold it: a date is one (clause 7.2).
 * @throws TurnupError `payload_malformed`: before 1970 or behind the year 9999
 */
export function putDate(octets: number[], date: Date): void {
  const seconds = Math.floor(date.getTime() / SECOND_MS);
  if (!(seconds >= 0 && seconds <= DATE_MAX))
    throw new TurnupError("payload_malformed", "A date before 1970 or behind the year 9999.");
  putLong(octets, seconds);
}

/** A size is a long integer as well. */
export function putLong(octets: number[], value: number): void {
  if (value < 0x80) octets.push(1, value);
  else putInteger(octets, value);
}

/** @throws DecodeError with the offset: no expiry of a known form */
export function decodeExpiry(bytes: Uint8Array, at: number, end: number): Read<MmsExpiry> {
  const length = decodeValueLength(bytes, at, end);
  const next = length.next + length.value;
  const token = octetAt(bytes, length.next, next);
  if (token !== ABSOLUTE && token !== RELATIVE)
    throw new DecodeError("an expiry of no known form", length.next);
  const from = length.next + 1;
  const read =
    token === ABSOLUTE
      ? { ...decodeDate(bytes, from, next), token }
      : { ...decodeInteger(bytes, from, next), token };
  if (read.next !== next) throw new DecodeError("octets after an expiry", read.next);
  const { value } = read;
  return {
    value: typeof value === "number" ? { kind: "relative", seconds: value } : { kind: "absolute", at: value },
    next,
  };
}

/** @throws TurnupError `payload_malformed`: a time or a number that MMS cannot hold */
export function putExpiry(octets: number[], expiry: MmsExpiry): void {
  const value: number[] = [];
  if (expiry.kind === "absolute") {
    value.push(ABSOLUTE);
    putDate(value, expiry.at);
  } else {
    value.push(RELATIVE);
    putLong(value, expiry.seconds);
  }
  octets.push(...valueLength(value.length), ...value);
}

/** @throws DecodeError at `at`: no short integer */
export function decodeVersion(bytes: Uint8Array, at: number, end: number): Read<string> {
  const octet = octetAt(bytes, at, end);
  if (octet < 0x80) throw new DecodeError("a version is missing", at);
  return { value: `${(octet >> 4) & 0x7}.${octet & 0xf}`, next: at + 1 };
}

/** @throws TurnupError `payload_malformed`: no version such as "1.2" */
export function putVersion(octets: number[], version: string): void {
  const [, major, minor] = /^([0-7])\.(\d{1,2})$/.exec(version) ?? [];
  if (major === undefined || Number(minor) > 0xf)
    throw new TurnupError("payload_malformed", `"${version.slice(0, 16)}" is no version of MMS.`);
  octets.push(0x80 | (Number(major) << 4) | Number(minor));
}

/**
 * Where a value of an unknown field ends (WAP-230-WSP §8.4.1.2): its first octet tells.
 * @throws DecodeError: cut short
 */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  const first = octetAt(bytes, at, end);
  if (first >= 0x80) return at + 1;
  if (first > LENGTHS_END) return decodeText(bytes, at, end).next;
  const { value, next } = decodeValueLength(bytes, at, end);
  return next + value;
}
