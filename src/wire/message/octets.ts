/**
 * Octets of our own messages, written and read field by field: big-endian numbers, and octets or texts behind their
 * length. A reader refuses what is cut short, with the offset in the whole message; it never guesses.
 */
import { DecodeError } from "../decode-error.ts";

/** Octets of the length that stands in front of a field. */
export type LengthOctets = 1 | 2 | 3 | 4;

/** Reads fields one after the other. Every method throws `DecodeError` with the offset where a field is cut short. */
export type OctetReader = {
  /** Where the next field begins. */
  readonly at: number;
  readonly left: number;
  /** An unsigned integer, big-endian. */
  number(octets: LengthOctets, name: string): number;
  /** A copy of just so many octets. */
  octets(count: number, name: string): Uint8Array;
  /** A copy of the octets behind their length; more than `limit` are refused. */
  sized(lengthOctets: LengthOctets, limit: number, name: string): Uint8Array;
  /** UTF-8 that a screen can show: no control characters but the line feed where `lines` is set. */
  text(lengthOctets: LengthOctets, rule: TextRule, name: string): string;
};
/** What a text must be like to be written or read. */
export type TextRule = {
  readonly min?: number;
  /** In octets of UTF-8. */
  readonly max: number;
  readonly pattern?: RegExp;
  readonly lines?: boolean;
};

/**
 * @param offset added to offsets in refusals: where `bytes` begins in what the caller was given
 * @throws DecodeError by its methods: a field that is cut short, longer than its limit, or of another form
 */
export function readOctets(bytes: Uint8Array, offset = 0): OctetReader {
  let at = 0;
  const take = (count: number, name: string): Uint8Array => {
    if (bytes.length - at < count) throw new DecodeError(`${name} cut short`, offset + at);
    at += count;
    return bytes.slice(at - count, at);
  };
  const number = (octets: LengthOctets, name: string): number =>
    take(octets, name).reduce((value, octet) => value * 0x100 + octet, 0);
  const sized = (lengthOctets: LengthOctets, limit: number, name: string): Uint8Array => {
    const start = at;
    const length = number(lengthOctets, name);
    if (length > limit) throw new DecodeError(`${name} longer than ${limit} octets`, offset + start);
    if (length > bytes.length - at) throw new DecodeError(`${name} cut short`, offset + start);
    return take(length, name);
  };
  return {
    get at() {
      return offset + at;
    },
    get left() {
      return bytes.length - at;
    },
    number,
    octets: take,
    sized,
    text(lengthOctets, rule, name) {
      const start = offset + at;
      const read = sized(lengthOctets, rule.max, name);
      const text = textIn(read);
      if (text === undefined || !fits(text, read.length, rule)) {
        throw new DecodeError(`${name} is no text of its form`, start);
      }
      return text;
    },
  };
}

function textIn(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function fits(text: string, octets: number, { min = 0, max, pattern, lines = false }: TextRule): boolean {
  const shown = lines ? text.replaceAll("\n", " ") : text;
  return octets >= min && octets <= max && !/\p{Cc}/u.test(shown) && (!pattern || pattern.test(text));
}

/** @throws RangeError: more than the length can tell */
export function sizedOctets(lengthOctets: LengthOctets, value: Uint8Array): Uint8Array {
  return joined([numberOctets(lengthOctets, value.length, "a field's length"), value]);
}

/** @throws RangeError: a text that the rule does not let through; it is not repeated, it may be a secret */
export function textOctets(
  lengthOctets: LengthOctets,
  text: string,
  rule: TextRule,
  name: string,
): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (/\p{Cs}/u.test(text) || !fits(text, bytes.length, rule)) {
    throw new RangeError(`${name}: a text of ${rule.min ?? 0} to ${rule.max} octets of its form is wanted`);
  }
  return sizedOctets(lengthOctets, bytes);
}

/** @throws RangeError: a number that does not fit */
export function numberOctets(octets: LengthOctets, value: number, name: string): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 0x100 ** octets)
    throw new RangeError(`${name} does not fit ${octets} octets`);
  return Uint8Array.from(
    { length: octets },
    (_, at) => Math.floor(value / 0x100 ** (octets - 1 - at)) & 0xff,
  );
}

/**
 * Whole seconds since 1970 in four octets.
 * @throws RangeError: before 1970 or after 2106
 */
export const timeOctets = (at: Date): Uint8Array =>
  numberOctets(4, Math.floor(at.getTime() / 1_000), "a time");

/** One array of all parts, in their order; a copy. */
export const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The 16 octets of a UUID.
 * @throws RangeError: other than its usual text in lower case
 */
export function uuidOctets(uuid: string): Uint8Array {
  if (!UUID.test(uuid)) throw new RangeError("a UUID in lower-case letters is wanted");
  return Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"));
}

/** 16 octets as a UUID in lower case (RFC 9562 clause 4). */
export function uuidOf(octets: Uint8Array): string {
  const hex = Buffer.from(octets).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
