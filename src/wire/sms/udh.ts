/**
 * The header in front of the user data of a short message. Source: 3GPP TS 23.040 §9.2.3.24.
 *
 *   | octets that follow: 1 | elements |, each | id: 1 | length: 1 | value |
 *
 * Read in any order; of a repeated element the last one counts, as the standard says. Written ports first, then
 * concatenation, then the rest.
 */
import { TurnupError } from "../../term/error.ts";
import { DecodeError } from "../decode-error.ts";
import { octetIn } from "../octet.ts";

const CONCAT_8 = 0x00;
const PORTS_8 = 0x04;
const PORTS_16 = 0x05;
const CONCAT_16 = 0x08;
const SINGLE_SHIFT = 0x24;
const LOCKING_SHIFT = 0x25;
/** The value's length, where the standard fixes it. */
const LENGTH_OF: Readonly<Record<number, number>> = {
  [CONCAT_8]: 3,
  [PORTS_8]: 2,
  [PORTS_16]: 4,
  [CONCAT_16]: 4,
};

/** Which part of which message (§9.2.3.24.1 with an 8-bit reference, §9.2.3.24.8 with 16 bits). */
export type Concatenation = {
  readonly refBits: 8 | 16;
  readonly ref: number;
  readonly total: number;
  /** From 1. */
  readonly seq: number;
};

/** A header by its elements. */
export type Udh = {
  readonly destPort?: number;
  readonly srcPort?: number;
  /** Only where the ports are 8 bits wide. */
  readonly portBits?: 8;
  readonly concat?: Concatenation;
  /** What is neither ports nor concatenation, as it came. */
  readonly elements?: readonly { readonly id: number; readonly value: Uint8Array }[];
};

/** User data of one short message, header and rest apart. `udh` has its length octet, or is empty. */
export type UserDataPart = { readonly udh: Uint8Array; readonly data: Uint8Array };

/**
 * Takes user data apart whose header is announced (UDHI, in SMPP esm_class 40). Both are views.
 * @throws DecodeError: empty, or shorter than its first octet says
 */
export function splitHeader(userData: Uint8Array): UserDataPart {
  const [length] = userData;
  if (length === undefined) throw new DecodeError("no user data header", 0);
  if (1 + length > userData.length) throw new DecodeError("user data header cut short", 0);
  return { udh: userData.subarray(0, 1 + length), data: userData.subarray(1 + length) };
}

/**
 * Reads a whole header, length octet included; an empty one is a header without elements.
 * @throws DecodeError with the offset: an element cut short, of a wrong length or value, or octets behind the header
 */
export function decodeUdh(header: Uint8Array): Udh {
  if (header.length === 0) return {};
  const { udh, data } = splitHeader(header);
  if (data.length > 0) throw new DecodeError("octets after the user data header", udh.length);
  let found: Udh = {};
  for (let at = 1; at < udh.length; ) {
    const [id, length] = udh.subarray(at, at + 2);
    if (id === undefined || length === undefined) throw new DecodeError("header element cut short", at);
    const end = at + 2 + length;
    if (end > udh.length) throw new DecodeError("header element cut short", at);
    if (length !== (LENGTH_OF[id] ?? length)) {
      throw new DecodeError(`header element ${id} of ${length} octets`, at);
    }
    found = withElement(found, id, udh.slice(at + 2, end), at);
    at = end;
  }
  return found;
}

/** @throws TurnupError `payload_malformed`: a number that does not fit its field */
export function encodeUdh({ destPort, srcPort, portBits, concat, elements }: Udh): Uint8Array {
  const octets: number[] = [0];
  if (destPort !== undefined || srcPort !== undefined) {
    const ports = [destPort ?? 0, srcPort ?? 0];
    if (portBits === 8) octets.push(PORTS_8, 2, ...ports.flatMap((port) => field(port, 1)));
    else octets.push(PORTS_16, 4, ...ports.flatMap((port) => field(port, 2)));
  }
  if (concat) {
    const { refBits, ref, total, seq } = concat;
    octets.push(...(refBits === 8 ? [CONCAT_8, 3, ...field(ref, 1)] : [CONCAT_16, 4, ...field(ref, 2)]));
    octets.push(...field(total, 1), ...field(seq, 1));
  }
  for (const { id, value } of elements ?? [])
    octets.push(...field(id, 1), ...field(value.length, 1), ...value);
  octets.splice(0, 1, ...field(octets.length - 1, 1));
  return Uint8Array.from(octets);
}

/** The languages that a header names for its text (§9.2.3.24.15, single shift, and §9.2.3.24.16, locking shift). */
export function nationalShiftsOf({ elements = [] }: Udh): {
  readonly locking?: number;
  readonly single?: number;
} {
  const languageOf = (wanted: number): number | undefined =>
    elements.findLast(({ id, value }) => id === wanted && value.length === 1)?.value[0];
  const [single, locking] = [languageOf(SINGLE_SHIFT), languageOf(LOCKING_SHIFT)];
  return { ...(single !== undefined && { single }), ...(locking !== undefined && { locking }) };
}

function withElement(found: Udh, id: number, value: Uint8Array, at: number): Udh {
  const octet = (index: number): number => octetIn(value, index);
  switch (id) {
    case PORTS_8:
      return { ...found, destPort: octet(0), srcPort: octet(1), portBits: 8 };
    case PORTS_16: {
      const { portBits: _, ...rest } = found;
      return { ...rest, destPort: octet(0) * 0x100 + octet(1), srcPort: octet(2) * 0x100 + octet(3) };
    }
    case CONCAT_8:
      return { ...found, concat: concatenation(8, octet(0), octet(1), octet(2), at) };
    case CONCAT_16:
      return { ...found, concat: concatenation(16, octet(0) * 0x100 + octet(1), octet(2), octet(3), at) };
    default:
      return { ...found, elements: [...(found.elements ?? []), { id, value }] };
  }
}

function concatenation(refBits: 8 | 16, ref: number, total: number, seq: number, at: number): Concatenation {
  if (seq < 1 || seq > total) throw new DecodeError(`part ${seq} of ${total}`, at);
  return { refBits, ref, total, seq };
}

function field(value: number, octets: 1 | 2): number[] {
  if (!Number.isInteger(value) || value < 0 || value >= 0x100 ** octets) {
    throw new TurnupError(
      "payload_malformed",
      `${value} does not fit ${octets} octets of a user data header.`,
    );
  }
  return octets === 1 ? [value] : [value >> 8, value & 0xff];
}
