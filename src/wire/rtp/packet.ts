/**
 * RTP data packets (RFC 3550 §5.1), and how they stand on a connection (RFC 4571 §2: 16 bits of length before each). Big-endian.
 *
 *   | V=2 P X CC | M PT | sequence: 2 | timestamp: 4 | SSRC: 4 | CSRC: 4 each | extension | payload | padding |
 */
import { DecodeError } from "../decode-error.ts";

const HEADER_OCTETS = 12;
const EXTENSION_OCTETS = 4;
const LENGTH_OCTETS = 2;
const VERSION = 2;

export type RtpPacket = {
  /** 0 to 127, as the session's SDP names it. */
  readonly payloadType: number;
  /** 16 bits, one more with each packet. */
  readonly sequence: number;
  /** 32 bits, in ticks of the format's clock: 90,000 a second for video. */
  readonly timestamp: number;
  /** 32 bits that name the stream's source. */
  readonly ssrc: number;
  /** Of video: the last packet of a picture. */
  readonly marker: boolean;
  readonly payload: Uint8Array;
};

/** Without contributing sources, extension and padding, which we never send. */
export function encodeRtp({
  payloadType,
  sequence,
  timestamp,
  ssrc,
  marker,
  payload,
}: RtpPacket): Uint8Array {
  const bytes = new Uint8Array(HEADER_OCTETS + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION << 6;
  bytes[1] = (marker ? 0x80 : 0) | (payloadType & 0x7f);
  view.setUint16(2, sequence & 0xffff);
  view.setUint32(4, timestamp >>> 0);
  view.setUint32(8, ssrc >>> 0);
  bytes.set(payload, HEADER_OCTETS);
  return bytes;
}

/** @throws DecodeError: no RTP of version 2, or cut short */
export function decodeRtp(bytes: Uint8Array): RtpPacket {
  if (bytes.length < HEADER_OCTETS) throw new DecodeError("RTP header cut short", bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [first, second] = [view.getUint8(0), view.getUint8(1)];
  if (first >> 6 !== VERSION) throw new DecodeError(`RTP of version ${first >> 6}`, 0);
  let at = HEADER_OCTETS + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (bytes.length < at + EXTENSION_OCTETS) throw new DecodeError("RTP extension cut short", at);
    at += EXTENSION_OCTETS + 4 * view.getUint16(at + 2);
  }
  if (bytes.length < at) throw new DecodeError("RTP packet cut short", bytes.length);
  const padding = (first & 0x20) === 0 ? 0 : view.getUint8(bytes.length - 1);
  const isPadded = (first & 0x20) !== 0;
  if (isPadded && (padding === 0 || at + padding > bytes.length))
    throw new DecodeError("RTP padding longer than its packet", bytes.length - 1);
  return {
    payloadType: second & 0x7f,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    marker: (second & 0x80) !== 0,
    payload: bytes.slice(at, bytes.length - padding),
  };
}

/** One packet as it goes on a connection. @throws RangeError: more than 65,535 octets */
export function frameRtp(packet: Uint8Array): Uint8Array {
  if (packet.length > 0xffff) throw new RangeError("a frame of RTP has at most 65,535 octets");
  const bytes = new Uint8Array(LENGTH_OCTETS + packet.length);
  new DataView(bytes.buffer).setUint16(0, packet.length);
  bytes.set(packet, LENGTH_OCTETS);
  return bytes;
}

/** The whole packets of what a connection brought so far, and what is left of it. */
export function unframeRtp(bytes: Uint8Array): { readonly packets: Uint8Array[]; readonly rest: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const packets: Uint8Array[] = [];
  let at = 0;
  while (bytes.length - at >= LENGTH_OCTETS) {
    const end = at + LENGTH_OCTETS + view.getUint16(at);
    if (end > bytes.length) break;
    packets.push(bytes.subarray(at + LENGTH_OCTETS, end));
    at = end;
  }
  return { packets, rest: bytes.subarray(at) };
}
