/**
 * Arrays as PostgreSQL takes them without reading text: what a batch of the hot paths sends is mostly arrays, and to write
 * them as text here and read them there is a tenth of what it costs.
 *
 *   | dimensions: 4 | has nulls: 4 | type of an element: 4 | length: 4 | lower bound: 4 | elements |   big-endian
 *   an element: | octets: 4, or -1 for null | its octets |
 *
 * Source: PostgreSQL, `array_recv` and the receive function of each type (`uuid_recv`, `textrecv`, `bytearecv`, `int4recv`,
 * `int8recv`, `boolrecv`, `timestamptz_recv`).
 */

const HEADER_OCTETS = 20;
const EMPTY_OCTETS = 12;
const LENGTH_OCTETS = 4;
const NULL_LENGTH = -1;
const UUID_TEXT = 36;
/** Midnight of 2000-01-01 in UTC: PostgreSQL counts microseconds from there. */
const EPOCH_MS = 946_684_800_000;
/** Up to the year 2223 a thousand times as much is an exact number still. */
const EXACT_MS = 8e12;
const HALF = 2 ** 32;
/** Longer text goes through the runtime's own encoder: calling it costs more than to write this much. */
const SHORT_TEXT = 48;
const ASCII_MAX = 0x7f;
const UTF8_OCTETS_MAX = 3;

/** Writes one type's values. `octets` is the most that a value takes, undefined where it is no such value. */
type Element = {
  readonly oid: number;
  readonly octets: (value: unknown) => number | undefined;
  /** Answers where it ended. */
  readonly write: (into: Buffer, value: unknown, at: number) => number;
};

const ELEMENTS: Readonly<Record<string, Element>> = {
  uuid: {
    oid: 2950,
    octets: (value) => (typeof value === "string" && value.length === UUID_TEXT ? 16 : undefined),
    write: (into, value, at) => writeUuid(into, String(value), at),
  },
  text: {
    oid: 25,
    octets: (value) => (typeof value === "string" ? value.length * UTF8_OCTETS_MAX : undefined),
    write: (into, value, at) => writeText(into, String(value), at),
  },
  bytea: {
    oid: 17,
    octets: (value) => (value instanceof Uint8Array ? value.length : undefined),
    write(into, value, at) {
      if (!(value instanceof Uint8Array)) throw new NotBinary();
      into.set(value, at);
      return at + value.length;
    },
  },
  integer: {
    oid: 23,
    octets: (value) => (isInt32(value) ? 4 : undefined),
    write: (into, value, at) => into.writeInt32BE(Number(value), at),
  },
  bigint: {
    oid: 20,
    octets: (value) => (isInt64(value) || isDigits(value) ? 8 : undefined),
    write: (into, value, at) => into.writeBigInt64BE(BigInt(String(value)), at),
  },
  boolean: {
    oid: 16,
    octets: (value) => (typeof value === "boolean" ? 1 : undefined),
    write: (into, value, at) => into.writeUInt8(value === true ? 1 : 0, at),
  },
  timestamptz: {
    oid: 1184,
    octets: (value) => (value instanceof Date && Math.abs(value.getTime()) < EXACT_MS ? 8 : undefined),
    write(into, value, at) {
      if (!(value instanceof Date)) throw new NotBinary();
      return writeMoment(into, value, at);
    },
  },
};

/** A value that its type does not take in this form: PostgreSQL may still read it as text, or say what is wrong with it. */
class NotBinary extends Error {}

/** The array in binary; undefined where it has to go as text. */
export function binaryArray(type: string, values: readonly unknown[]): Buffer | undefined {
  const element = ELEMENTS[type];
  if (!element) return undefined;
  let octets = HEADER_OCTETS;
  let hasNulls = false;
  for (const value of values) {
    octets += LENGTH_OCTETS;
    if (value === null || value === undefined) {
      hasNulls = true;
      continue;
    }
    const most = element.octets(value);
    if (most === undefined) return undefined;
    octets += most;
  }
  const into = Buffer.allocUnsafe(octets);
  into.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  into.writeInt32BE(hasNulls ? 1 : 0, 4);
  into.writeUInt32BE(element.oid, 8);
  if (values.length === 0) return into.subarray(0, EMPTY_OCTETS);
  into.writeInt32BE(values.length, 12);
  into.writeInt32BE(1, 16);
  try {
    return into.subarray(0, writeElements(into, element, values));
  } catch (error) {
    if (error instanceof NotBinary) return undefined;
    throw error;
  }
}

function writeElements(into: Buffer, { write }: Element, values: readonly unknown[]): number {
  let at = HEADER_OCTETS;
  for (const value of values) {
    if (value === null || value === undefined) {
      at = into.writeInt32BE(NULL_LENGTH, at);
      continue;
    }
    const begin = at + LENGTH_OCTETS;
    const end = write(into, value, begin);
    into.writeInt32BE(end - begin, at);
    at = end;
  }
  return at;
}

const isInt32 = (value: unknown): boolean => typeof value === "number" && (value | 0) === value;
const isInt64 = (value: unknown): boolean => typeof value === "bigint" && BigInt.asIntN(64, value) === value;
const isDigits = (value: unknown): boolean => typeof value === "string" && /^-?\d{1,18}$/.test(value);

const NO_NIBBLE = 255;
/** The value of each character that is a hexadecimal digit, else above 15. */
const NIBBLES = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase());
  return digit < 0 ? NO_NIBBLE : digit;
});
const HYPHEN = 0x2d;
/** Of `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`: where each octet begins. */
const UUID_OCTETS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const UUID_HYPHENS = [8, 13, 18, 23] as const;

function writeUuid(into: Buffer, text: string, at: number): number {
  let wrong = 0;
  let end = at;
  for (const from of UUID_OCTETS) {
    const high = NIBBLES[text.charCodeAt(from)] ?? NO_NIBBLE;
    const low = NIBBLES[text.charCodeAt(from + 1)] ?? NO_NIBBLE;
    wrong |= high | low;
    into[end++] = high * 16 + low;
  }
  for (const hyphen of UUID_HYPHENS) if (text.charCodeAt(hyphen) !== HYPHEN) wrong = NO_NIBBLE;
  if (wrong > 15) throw new NotBinary();
  return end;
}

/** As two halves: a number of the language is exact beyond every date, and costs less than one of 64 bits. */
function writeMoment(into: Buffer, moment: Date, at: number): number {
  const microseconds = (moment.getTime() - EPOCH_MS) * 1_000;
  into.writeInt32BE(Math.floor(microseconds / HALF), at);
  return into.writeUInt32BE(microseconds >>> 0, at + 4);
}

function writeText(into: Buffer, text: string, at: number): number {
  if (text.length > SHORT_TEXT) return at + into.write(text, at);
  for (let from = 0; from < text.length; from++) {
    const code = text.charCodeAt(from);
    if (code > ASCII_MAX) return at + into.write(text, at);
    into[at + from] = code;
  }
  return at + text.length;
}

/** `$1::uuid[]`: what a statement's own words say of its parameters. */
const ARRAY_PARAMETER = /\$(\d+)::([a-z]+)\[\]/g;
/** Prepared once, so that its words are read once. */
type Prepared = { readonly text: string };
const arraysOf = new WeakMap<Prepared, ReadonlyMap<number, string>>();

function arraysIn(statement: Prepared): ReadonlyMap<number, string> {
  const known = arraysOf.get(statement);
  if (known) return known;
  const arrays = new Map<number, string>();
  for (const [, position, type = ""] of statement.text.matchAll(ARRAY_PARAMETER))
    arrays.set(Number(position) - 1, type);
  arraysOf.set(statement, arrays);
  return arrays;
}

/** The values of a prepared statement with its arrays in binary; what has another form stays as it is. */
export function inBinary(statement: Prepared, values: readonly unknown[]): unknown[] {
  const arrays = arraysIn(statement);
  return values.map((value, at) => {
    if (!Array.isArray(value)) return value;
    const type = arrays.get(at);
    return (type !== undefined && binaryArray(type, value)) || value;
  });
}
