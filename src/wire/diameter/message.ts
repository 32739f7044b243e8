/**
 * Messages of Diameter, octets to attribute-value pairs and back. Source: RFC 6733 section 3 (header), 4 (AVPs), 7 (errors).
 *
 *   | version 1 | length 3 | flags 1 | command 3 | application 4 | hop-by-hop 4 | end-to-end 4 | AVPs |
 *   | code 4 | flags 1 | length 3 | vendor 4, with flag V only | value | zeros up to a multiple of four |      an AVP
 *
 * An AVP's length counts its head and its value, never its own padding; that of a group counts the padding of all it holds.
 */
import { DecodeError } from "../decode-error.ts";

const DIAMETER_HEAD_OCTETS = 20;
/** What a peer may send at once; the field would hold 16 MiB. */
const DIAMETER_OCTETS_MAX = 65_536;
const DIAMETER_VERSION = 1;
const AVP_HEAD_OCTETS = 8;
const AVP_HEAD_OCTETS_WITH_VENDOR = 12;
const VERSION_AND_LENGTH_OCTETS = 4;

/** RFC 6733 section 3. */
export const MESSAGE_FLAG = { request: 0x80, proxiable: 0x40, error: 0x20, retransmitted: 0x10 } as const;
/** RFC 6733 section 4.1. */
export const AVP_FLAG = { vendor: 0x80, mandatory: 0x40 } as const;
/** RFC 6733 section 7.1. */
export const RESULT = {
  success: 2001,
  commandUnsupported: 3001,
  unableToDeliver: 3002,
  realmNotServed: 3003,
  tooBusy: 3004,
  applicationUnsupported: 3007,
  invalidHeaderBits: 3008,
  invalidAvpBits: 3009,
  unknownPeer: 3010,
  avpUnsupported: 5001,
  invalidAvpValue: 5004,
  missingAvp: 5005,
  avpOccursTooManyTimes: 5009,
  noCommonApplication: 5010,
  unsupportedVersion: 5011,
  unableToComply: 5012,
  invalidAvpLength: 5014,
  invalidMessageLength: 5015,
} as const;
type DiameterResult = (typeof RESULT)[keyof typeof RESULT];

/** A fault of a message that has an answer: with which result, and the AVP to show in Failed-AVP. */
export class DiameterError extends DecodeError {
  readonly result: DiameterResult;
  readonly failed: Uint8Array | undefined;
  constructor(result: DiameterResult, message: string, offset: number, failed?: Uint8Array) {
    super(message, offset);
    this.result = result;
    this.failed = failed;
  }
}

/** `vendor` is 0 where none is named. The value stands at `at` of the octets that hold it, `length` octets long; `from` is its head. */
export type Avp = {
  readonly code: number;
  readonly vendor: number;
  readonly flags: number;
  readonly from: number;
  readonly at: number;
  readonly length: number;
};
export type DiameterHead = {
  readonly flags: number;
  readonly command: number;
  readonly application: number;
  readonly hopByHop: number;
  readonly endToEnd: number;
};
export type DiameterMessage = DiameterHead & {
  readonly octets: Uint8Array;
  /** In the order in which they stand. */
  readonly avps: readonly Avp[];
};

/**
 * How long the message is that begins at `from`; undefined while fewer than four of its octets are there.
 * @throws DiameterError another version, or a length that is none: where the next message begins cannot be known
 */
export function messageLength(bytes: Uint8Array, from: number): number | undefined {
  if (bytes.length - from < VERSION_AND_LENGTH_OCTETS) return undefined;
  const version = octet(bytes, from);
  if (version !== DIAMETER_VERSION)
    throw new DiameterError(RESULT.unsupportedVersion, `version ${version} is not known`, from);
  const length = three(bytes, from + 1);
  if (length < DIAMETER_HEAD_OCTETS || length % 4 !== 0 || length > DIAMETER_OCTETS_MAX)
    throw new DiameterError(
      RESULT.invalidMessageLength,
      `a message of ${length} octets is none here`,
      from + 1,
    );
  return length;
}

/** The head of one whole message. @throws DiameterError: shorter than a head */
export function decodeHead(octets: Uint8Array): DiameterHead {
  if (octets.length < DIAMETER_HEAD_OCTETS)
    throw new DiameterError(RESULT.invalidMessageLength, "a message ends in its head", octets.length);
  return {
    flags: octet(octets, 4),
    command: three(octets, 5),
    application: four(octets, 8),
    hopByHop: four(octets, 12),
    endToEnd: four(octets, 16),
  };
}

/**
 * One whole message, as `messageLength` found it. What groups hold is read by `avpsIn`, once somebody asks for it.
 * @throws DiameterError with the result of the answer: bits that contradict each other, an AVP that does not end inside
 */
export function decodeDiameter(octets: Uint8Array): DiameterMessage {
  const { flags, command, application, hopByHop, endToEnd } = decodeHead(octets);
  const isRequest = (flags & MESSAGE_FLAG.request) !== 0;
  if (isRequest && (flags & MESSAGE_FLAG.error) !== 0)
    throw new DiameterError(RESULT.invalidHeaderBits, "a request is marked as an error", 4);
  const avps = avpsIn(octets, DIAMETER_HEAD_OCTETS, octets.length);
  return { flags, command, application, hopByHop, endToEnd, octets, avps };
}

/** @throws DiameterError `invalidAvpLength`, with its head as the AVP that failed (RFC 6733 section 7.1.5) */
export function avpsIn(octets: Uint8Array, from: number, end: number): Avp[] {
  const avps: Avp[] = [];
  for (let at = from; at < end; ) {
    if (end - at < AVP_HEAD_OCTETS) throw badLength(octets, at, end);
    const flags = octet(octets, at + 4);
    const head = (flags & AVP_FLAG.vendor) === 0 ? AVP_HEAD_OCTETS : AVP_HEAD_OCTETS_WITH_VENDOR;
    const length = three(octets, at + 5);
    if (length < head || at + length > end) throw badLength(octets, at, end);
    avps.push({
      code: four(octets, at),
      vendor: head === AVP_HEAD_OCTETS ? 0 : four(octets, at + AVP_HEAD_OCTETS),
      flags,
      from: at,
      at: at + head,
      length: length - head,
    });
    at += (length + 3) & ~3;
  }
  return avps;
}

/** The whole head with the least value its type may have is asked for; zeros of four octets are longest of ours. */
function badLength(octets: Uint8Array, at: number, end: number): DiameterError {
  const head = octets.slice(at, Math.min(end, at + AVP_HEAD_OCTETS));
  const whole = new Uint8Array(AVP_HEAD_OCTETS + 4);
  whole.set(head);
  whole[4] = octet(whole, 4) & AVP_FLAG.mandatory; // without a vendor: nobody knows whether it was there
  whole.set([0, 0, whole.length], 5);
  return new DiameterError(RESULT.invalidAvpLength, "an AVP does not end inside", at, whole);
}

/** An AVP whole, with the padding that follows it: to be copied into another message. */
export const wholeOf = (octets: Uint8Array, { from, at, length }: Avp): Uint8Array =>
  octets.slice(from, (at + length + 3) & ~3);
/** Characters of eight bits, whatever they are. */
export const latin1Of = (octets: Uint8Array, { at, length }: Avp): string =>
  Buffer.prototype.latin1Slice.call(octets, at, at + length);
/** Undefined where one of its characters is no printable ASCII. */
export function textOf(octets: Uint8Array, avp: Avp): string | undefined {
  const text = latin1Of(octets, avp);
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}
/** Unsigned32 and Enumerated; undefined where it has another length. */
export const numberOf = (octets: Uint8Array, { at, length }: Avp): number | undefined =>
  length === 4 ? four(octets, at) : undefined;

export const avpOf = (message: DiameterMessage, code: number, vendor = 0): Avp | undefined =>
  message.avps.find((avp) => avp.code === code && avp.vendor === vendor);

/** One AVP with its padding. Flag V is set by `vendor`. */
export function encodeAvp(
  code: number,
  value: Uint8Array,
  { vendor = 0, isMandatory = true }: { vendor?: number; isMandatory?: boolean } = {},
): Uint8Array {
  const head = vendor === 0 ? AVP_HEAD_OCTETS : AVP_HEAD_OCTETS_WITH_VENDOR;
  const length = head + value.length;
  const octets = new Uint8Array((length + 3) & ~3);
  putFour(octets, 0, code);
  putFour(octets, 4, length);
  octets[4] = (vendor === 0 ? 0 : AVP_FLAG.vendor) | (isMandatory ? AVP_FLAG.mandatory : 0);
  if (vendor !== 0) putFour(octets, AVP_HEAD_OCTETS, vendor);
  octets.set(value, head);
  return octets;
}

export const unsigned32 = (value: number): Uint8Array => {
  const octets = new Uint8Array(4);
  putFour(octets, 0, value);
  return octets;
};
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** RFC 6733 section 4.4: what it holds, one behind the other. */
export const grouped = (...avps: readonly Uint8Array[]): Uint8Array => joined(0, avps);

/** Each of `avps` a whole AVP with its padding. @throws RangeError: longer than a peer takes */
export function encodeDiameter(head: DiameterHead, avps: readonly Uint8Array[]): Uint8Array {
  const octets = joined(DIAMETER_HEAD_OCTETS, avps);
  if (octets.length > DIAMETER_OCTETS_MAX)
    throw new RangeError(`a message of ${octets.length} octets is longer than any`);
  putHead(octets, head);
  return octets;
}

/** A message of AVPs of `source`, what is composed already, and further AVPs of `source`: with one copy of each octet. */
export function encodeCopying(
  head: DiameterHead,
  source: Uint8Array,
  front: readonly Avp[],
  composed: Uint8Array,
  behind: readonly Avp[],
): Uint8Array {
  let length = DIAMETER_HEAD_OCTETS + composed.length;
  for (const avp of front) length += paddedOf(avp);
  for (const avp of behind) length += paddedOf(avp);
  const octets = new Uint8Array(length);
  let at = DIAMETER_HEAD_OCTETS;
  for (const avp of front) at = copied(octets, at, source, avp);
  octets.set(composed, at);
  at += composed.length;
  for (const avp of behind) at = copied(octets, at, source, avp);
  putHead(octets, head);
  return octets;
}
const paddedOf = ({ from, at, length }: Avp): number => ((at + length + 3) & ~3) - from;
/** Octet by octet: they are few, and a view of them costs more. The last may lack its padding where it is the message's end. */
function copied(into: Uint8Array, at: number, source: Uint8Array, avp: Avp): number {
  const length = paddedOf(avp);
  for (let offset = 0; offset < length; offset++) into[at + offset] = octet(source, avp.from + offset);
  return at + length;
}

/** Into a message whose length is its own. */
function putHead(
  octets: Uint8Array,
  { flags, command, application, hopByHop, endToEnd }: DiameterHead,
): void {
  putFour(octets, 0, octets.length);
  octets[0] = DIAMETER_VERSION;
  putFour(octets, 4, command);
  octets[4] = flags;
  putFour(octets, 8, application);
  putFour(octets, 12, hopByHop);
  putFour(octets, 16, endToEnd);
}

/** The head of what answers it: the same ids, P as it was, E with results that are protocol errors alone (RFC 6733 section 7.1.3). */
export const answerHead = (request: DiameterHead, result: number): DiameterHead => ({
  ...request,
  flags:
    (request.flags & MESSAGE_FLAG.proxiable) | (result >= 3_000 && result < 4_000 ? MESSAGE_FLAG.error : 0),
});

function joined(from: number, parts: readonly Uint8Array[]): Uint8Array {
  let length = from;
  for (const part of parts) length += part.length;
  const octets = new Uint8Array(length);
  let at = from;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}

const octet = (octets: Uint8Array, at: number): number => octets[at] ?? 0;
const three = (octets: Uint8Array, at: number): number =>
  (octet(octets, at) << 16) | (octet(octets, at + 1) << 8) | octet(octets, at + 2);
const four = (octets: Uint8Array, at: number): number =>
  ((octet(octets, at) << 24) |
    (octet(octets, at + 1) << 16) |
    (octet(octets, at + 2) << 8) |
    octet(octets, at + 3)) >>>
  0;
function putFour(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}
