/**
 * Frames of IPA, by which the parts of an Osmocom core speak over TCP, and its link management (CCM).
 * Source: Osmocom's user manuals, chapter "IPA"; what osmo-hlr 1.5.0 and libosmo-gsup-client 1.5.0 put on the wire.
 *
 *   | length 2, of the payload | stream 1 | payload |
 *   | 05 | message type 1 | elements |                    payload of stream EE: the extension GSUP
 */
import { octetAt } from "../octet-at.ts";

/** Streams that are met here. */
export const IPA_STREAM = { management: 0xfe, osmocom: 0xee } as const;
/** First octet of a payload on the stream of Osmocom. */
export const GSUP_EXTENSION = 0x05;
/** First octet of a payload on the stream of management. */
export const CCM = {
  ping: 0x00,
  pong: 0x01,
  identityGet: 0x04,
  identityResponse: 0x05,
  identityAck: 0x06,
} as const;
const HEAD_OCTETS = 3;

/** `octets` are the whole frame; a view of the bytes that were given. */
export type IpaFrame = { readonly stream: number; readonly payload: Uint8Array; readonly octets: Uint8Array };

/** The frame that begins at `from`; undefined while its end has not come. */
export function ipaFrameAt(bytes: Uint8Array, from: number): IpaFrame | undefined {
  if (bytes.length - from < HEAD_OCTETS) return undefined;
  const end = from + HEAD_OCTETS + ((octetAt(bytes, from) << 8) | octetAt(bytes, from + 1));
  if (end > bytes.length) return undefined;
  return {
    stream: octetAt(bytes, from + 2),
    payload: bytes.subarray(from + HEAD_OCTETS, end),
    octets: bytes.subarray(from, end),
  };
}

/** @throws RangeError: a payload of more than 65,535 octets */
export function encodeIpaFrame(stream: number, payload: Uint8Array): Uint8Array {
  if (payload.length > 0xffff) throw new RangeError(`no frame holds ${payload.length} octets`);
  const octets = new Uint8Array(HEAD_OCTETS + payload.length);
  octets.set([payload.length >> 8, payload.length & 0xff, stream]);
  octets.set(payload, HEAD_OCTETS);
  return octets;
}

/** What osmo-hlr asks of a client that has connected: all that there is. @throws RangeError never: it is short */
export const identityRequest = (): Uint8Array =>
  encodeIpaFrame(
    IPA_STREAM.management,
    Uint8Array.from([CCM.identityGet, 1, 8, 1, 7, 1, 2, 1, 3, 1, 4, 1, 5, 1, 1, 1, 0]),
  );
