/**
 * Packets of RADIUS, and the two sums by which each end knows that the other has their secret.
 * Source: RFC 2865 section 3 and 5 (packet, attributes), RFC 2866 section 3 (accounting), RFC 2869 section 5.14 and RFC 5997 section 3
 * (Message-Authenticator), RFC 5176 section 2.3 and 3.4 (Disconnect).
 *
 *   | code 1 | identifier 1 | length 2 | authenticator 16 | attributes |      20 to 4,096 octets; what is beyond `length` is padding
 *   | type 1 | length 1 (with these two) | value |                            an attribute
 *   | 26 | length | vendor 4 | { type 1 | length 1 | value } ... |             a vendor's own
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { DecodeError } from "../decode-error.ts";
import { octetAt } from "../octet-at.ts";

/** RFC 2865 section 4, RFC 2866 section 4, RFC 5176 section 2.3, RFC 5997 section 4. */
export const RADIUS = {
  accountingRequest: 4,
  accountingResponse: 5,
  statusServer: 12,
  disconnectRequest: 40,
  disconnectAck: 41,
  disconnectNak: 42,
  coaRequest: 43,
  coaAck: 44,
  coaNak: 45,
} as const;
/** Of attributes (RFC 2865 section 5, RFC 2869 section 5.14). */
const VENDOR_SPECIFIC = 26;
const PROXY_STATE = 33;
const MESSAGE_AUTHENTICATOR = 80;

const HEAD_OCTETS = 20;
const AUTHENTICATOR_AT = 4;
const AUTHENTICATOR_OCTETS = 16;
/** RFC 2865 section 3. */
const PACKET_OCTETS_MAX = 4_096;
const VALUE_OCTETS_MAX = 253;
const VENDOR_HEAD_OCTETS = 4;

/** `at` is the octet of the value in the packet. */
export type RadiusAttribute = { readonly type: number; readonly value: Uint8Array; readonly at: number };
export type RadiusPacket = {
  readonly code: number;
  /** 0 to 255: an answer bears that of its request. */
  readonly identifier: number;
  readonly authenticator: Uint8Array;
  /** In the order in which they stand. */
  readonly attributes: readonly RadiusAttribute[];
  /** The packet without padding. */
  readonly octets: Uint8Array;
};

/** @throws DecodeError with the octet: shorter than it says, longer than any, or an attribute that does not end inside */
export function decodeRadius(bytes: Uint8Array): RadiusPacket {
  if (bytes.length < HEAD_OCTETS)
    throw new DecodeError(`a packet has ${HEAD_OCTETS} octets at least`, bytes.length);
  const length = (octetAt(bytes, 2) << 8) | octetAt(bytes, 3);
  if (length < HEAD_OCTETS || length > PACKET_OCTETS_MAX)
    throw new DecodeError(`a length of ${length} octets is none of a packet`, 2);
  if (bytes.length < length)
    throw new DecodeError(`${bytes.length} of ${length} octets are there`, bytes.length);
  const octets = bytes.subarray(0, length);
  return {
    code: octetAt(octets, 0),
    identifier: octetAt(octets, 1),
    authenticator: octets.subarray(AUTHENTICATOR_AT, HEAD_OCTETS),
    attributes: attributesIn(octets, HEAD_OCTETS),
    octets,
  };
}

function attributesIn(octets: Uint8Array, from: number): RadiusAttribute[] {
  const attributes: RadiusAttribute[] = [];
  for (let at = from; at < octets.length; ) {
    const length = octetAt(octets, at + 1);
    if (length < 2 || at + length > octets.length)
      throw new DecodeError("an attribute ends before it begins, or outside the packet", at + 1);
    attributes.push({ type: octetAt(octets, at), value: octets.subarray(at + 2, at + length), at: at + 2 });
    at += length;
  }
  return attributes;
}

/** Only a vendor of this list has sub-attributes of one-octet types and lengths as far as anybody here knows. */
export type VendorAttribute = { readonly vendor: number; readonly type: number; readonly value: Uint8Array };

/**
 * A vendor's own attributes in one attribute 26, which may hold several. Other vendors write theirs in forms of their own (8164 with two
 * octets): those are left out whole. What is cut short ends the list, since the rest of the packet counts nevertheless.
 */
export function vendorAttributes(
  { attributes }: Pick<RadiusPacket, "attributes">,
  vendors: readonly number[],
): VendorAttribute[] {
  return attributes.flatMap(({ type, value }) => {
    if (type !== VENDOR_SPECIFIC || value.length < VENDOR_HEAD_OCTETS) return [];
    const vendor = new DataView(value.buffer, value.byteOffset, value.length).getUint32(0);
    return vendors.includes(vendor) ? subAttributes(vendor, value) : [];
  });
}

function subAttributes(vendor: number, value: Uint8Array): VendorAttribute[] {
  const found: VendorAttribute[] = [];
  for (let at = VENDOR_HEAD_OCTETS; at + 2 <= value.length; ) {
    const length = octetAt(value, at + 1);
    if (length < 2 || at + length > value.length) break;
    found.push({ vendor, type: octetAt(value, at), value: value.subarray(at + 2, at + length) });
    at += length;
  }
  return found;
}

/** Of an Accounting-Request or a Disconnect-Request (RFC 2866 section 3; RFC 5176 section 2.3). */
export const isRequestAuthentic = (packet: RadiusPacket, secret: Uint8Array): boolean =>
  timingSafeEqual(sumOf(withAuthenticator(packet.octets, undefined), secret), packet.authenticator);

/** Of an answer: over the authenticator of its request (RFC 2865 section 3). */
export const isAnswerAuthentic = (
  answer: RadiusPacket,
  request: Pick<RadiusPacket, "authenticator">,
  secret: Uint8Array,
): boolean =>
  timingSafeEqual(
    sumOf(withAuthenticator(answer.octets, request.authenticator), secret),
    answer.authenticator,
  );

/**
 * Whether its Message-Authenticator is the right one; `absent` where it has none. Requests that are known by their own authenticator are
 * summed with that one zeroed (RFC 5176 section 3.4), a Status-Server with it as it stands (RFC 5997 section 3), an answer with that of
 * its request.
 */
export function messageAuthenticator(
  packet: RadiusPacket,
  secret: Uint8Array,
  request?: Pick<RadiusPacket, "authenticator">,
): "right" | "wrong" | "absent" {
  const found = packet.attributes.filter(({ type }) => type === MESSAGE_AUTHENTICATOR);
  const [only] = found;
  if (!only) return "absent";
  if (found.length > 1 || only.value.length !== AUTHENTICATOR_OCTETS) return "wrong";
  const { authenticator } = request ?? packet;
  const isZeroed = !request && packet.code !== RADIUS.statusServer;
  const summed = withAuthenticator(packet.octets, isZeroed ? undefined : authenticator);
  summed.fill(0, only.at, only.at + AUTHENTICATOR_OCTETS);
  return timingSafeEqual(createHmac("md5", secret).update(summed).digest(), only.value) ? "right" : "wrong";
}

/** Values of at most 253 octets. */
export type RadiusValue = readonly [type: number, value: Uint8Array];

/**
 * A request that is known by its own sum; `isSigned` puts a Message-Authenticator in front of its attributes, summed first and with the
 * packet's own authenticator zero (RFC 5176 section 3.4).
 * @throws RangeError: a value that no attribute holds, or more than a packet holds
 */
export function encodeRequest(
  {
    code,
    identifier,
    attributes,
    isSigned = false,
  }: {
    code: number;
    identifier: number;
    attributes: readonly RadiusValue[];
    isSigned?: boolean;
  },
  secret: Uint8Array,
): Uint8Array {
  const octets = isSigned
    ? signed(packetOf(code, identifier, [EMPTY_AUTHENTICATOR, ...attributes]), secret)
    : packetOf(code, identifier, attributes);
  octets.set(sumOf(octets, secret), AUTHENTICATOR_AT);
  return octets;
}

const EMPTY_AUTHENTICATOR: RadiusValue = [MESSAGE_AUTHENTICATOR, Buffer.alloc(AUTHENTICATOR_OCTETS)];

/** Its first attribute is a Message-Authenticator of zeros: its sum over all the packet takes their place. */
function signed(octets: Uint8Array, secret: Uint8Array): Uint8Array {
  octets.set(createHmac("md5", secret).update(octets).digest(), HEAD_OCTETS + 2);
  return octets;
}

/**
 * Bears every Proxy-State of its request, unchanged and in their order (RFC 2865 section 5.33).
 * @throws RangeError never for a request that was decoded and nothing more: an answer is shorter
 */
export function encodeAnswer(
  request: Pick<RadiusPacket, "identifier" | "authenticator" | "attributes">,
  code: number,
  secret: Uint8Array,
  more: readonly RadiusValue[] = [],
): Uint8Array {
  const states = request.attributes.flatMap(({ type, value }): RadiusValue[] =>
    type === PROXY_STATE ? [[type, value]] : [],
  );
  const octets = packetOf(code, request.identifier, [...more, ...states]);
  octets.set(sumOf(withAuthenticator(octets, request.authenticator), secret), AUTHENTICATOR_AT);
  return octets;
}

/** A vendor's own attribute, as the value of an attribute 26. */
export function vendorValue(vendor: number, type: number, value: Uint8Array): RadiusValue {
  const octets = new Uint8Array(VENDOR_HEAD_OCTETS + 2 + value.length);
  new DataView(octets.buffer).setUint32(0, vendor);
  octets.set([type, value.length + 2], VENDOR_HEAD_OCTETS);
  octets.set(value, VENDOR_HEAD_OCTETS + 2);
  return [VENDOR_SPECIFIC, octets];
}

function packetOf(code: number, identifier: number, attributes: readonly RadiusValue[]): Uint8Array {
  const length = attributes.reduce((sum, [, value]) => sum + 2 + value.length, HEAD_OCTETS);
  if (length > PACKET_OCTETS_MAX) throw new RangeError(`a packet of ${length} octets is longer than any`);
  const octets = new Uint8Array(length);
  octets.set([code, identifier, length >> 8, length & 0xff]);
  let at = HEAD_OCTETS;
  for (const [type, value] of attributes) {
    if (value.length > VALUE_OCTETS_MAX) throw new RangeError(`no attribute holds ${value.length} octets`);
    octets.set([type, value.length + 2], at);
    octets.set(value, at + 2);
    at += value.length + 2;
  }
  return octets;
}

/** A copy with this authenticator; undefined: sixteen zero octets. */
function withAuthenticator(octets: Uint8Array, authenticator: Uint8Array | undefined): Uint8Array {
  const copy = Uint8Array.from(octets);
  if (authenticator) copy.set(authenticator, AUTHENTICATOR_AT);
  else copy.fill(0, AUTHENTICATOR_AT, HEAD_OCTETS);
  return copy;
}

const sumOf = (octets: Uint8Array, secret: Uint8Array): Buffer =>
  createHash("md5").update(octets).update(secret).digest();
