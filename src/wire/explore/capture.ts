/**
 * PDUs of SMPP out of a capture file: pcap and pcapng, Ethernet (with VLAN tags), Linux "any", loopback and raw IP, IPv4 and IPv6,
 * TCP. Segments are put in order and taken once; what is missing is told and ends its stream there.
 * Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, RFC 791, RFC 8200, RFC 9293.
 */
import { DecodeError } from "../decode-error.ts";
import { commandOf } from "../smpp/command.ts";
import { DEFAULT_MAX_PDU_OCTETS } from "../smpp/framer.ts";
import { HEADER_OCTETS } from "../smpp/pdu.ts";

/** A capture costs what it holds, and no more than this. */
export const CAPTURE_LIMITS = { octets: 8_388_608, packets: 50_000, streams: 256, pdus: 5_000 } as const;

export type CapturedPdu = {
  /** `10.0.0.1:2775 > 10.0.0.2:41000`. */
  readonly stream: string;
  /** Number of the packet in which it begins, from 1 as Wireshark counts. */
  readonly packet: number;
  readonly octets: Uint8Array;
};
export type Captured = {
  readonly pdus: readonly CapturedPdu[];
  readonly gaps: readonly string[];
  readonly packets: number;
};

type Packet = { readonly number: number; readonly link: number; readonly octets: Uint8Array };
type Segment = { readonly packet: number; readonly seq: number; readonly data: Uint8Array };

const PCAP_MAGICS: Readonly<Record<number, boolean>> = {
  2712847316: false,
  2712812621: false,
  3569595041: true,
  1295823521: true,
};
const PCAPNG_SECTION = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;

/** Whether octets begin as a capture does. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 24) return false;
  const magic = viewOf(bytes).getUint32(0);
  return magic in PCAP_MAGICS || magic === PCAPNG_SECTION;
}

/** @throws DecodeError with the offset: no capture, cut short, or more than {@link CAPTURE_LIMITS} */
export function pdusOfCapture(bytes: Uint8Array): Captured {
  if (bytes.length > CAPTURE_LIMITS.octets)
    throw new DecodeError(`a capture of more than ${CAPTURE_LIMITS.octets} octets`, 0);
  if (!isCapture(bytes)) throw new DecodeError("no pcap and no pcapng", 0);
  const packets =
    viewOf(bytes).getUint32(0) === PCAPNG_SECTION ? packetsOfPcapng(bytes) : packetsOfPcap(bytes);
  const streams = new Map<string, Segment[]>();
  for (const packet of packets) {
    const found = segmentOf(packet);
    if (!found) continue;
    const known = streams.get(found.stream);
    if (known) known.push(found.segment);
    else if (streams.size < CAPTURE_LIMITS.streams) streams.set(found.stream, [found.segment]);
    else throw new DecodeError(`more than ${CAPTURE_LIMITS.streams} streams`, 0);
  }
  const told = [...streams].map(([stream, segments]) => pdusOfStream(stream, segments));
  const pdus = told.flatMap((one) => one.pdus).toSorted((a, b) => a.packet - b.packet);
  if (pdus.length > CAPTURE_LIMITS.pdus) throw new DecodeError(`more than ${CAPTURE_LIMITS.pdus} PDUs`, 0);
  return { pdus, gaps: told.flatMap(({ gap }) => gap ?? []), packets: packets.length };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function packetsOfPcap(bytes: Uint8Array): Packet[] {
  const view = viewOf(bytes);
  const little = PCAP_MAGICS[view.getUint32(0)] === true;
  const link = view.getUint32(20, little) & 0xffff;
  const packets: Packet[] = [];
  for (let at = 24; at < bytes.length; ) {
    if (at + 16 > bytes.length) throw new DecodeError("packet header cut short", at);
    const end = at + 16 + view.getUint32(at + 8, little);
    if (end > bytes.length) throw new DecodeError("packet cut short", at);
    packets.push({ number: packets.length + 1, link, octets: bytes.subarray(at + 16, end) });
    if (packets.length > CAPTURE_LIMITS.packets) throw tooMany(at);
    at = end;
  }
  return packets;
}

/** Section, interface and enhanced or simple packet blocks; all others are passed over. */
function packetsOfPcapng(bytes: Uint8Array): Packet[] {
  const view = viewOf(bytes);
  const packets: Packet[] = [];
  let little = false;
  let links: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 12 > bytes.length) throw new DecodeError("block cut short", at);
    const isSection = view.getUint32(at) === PCAPNG_SECTION;
    if (isSection) {
      little = view.getUint32(at + 8) !== BYTE_ORDER;
      links = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || at + length > bytes.length)
      throw new DecodeError(`a block of ${length} octets`, at);
    const body = at + 8;
    const last = at + length - 4;
    if (type === 1 && last - body >= 8) links.push(view.getUint16(body, little));
    const packet = packetOfBlock(view, { type, body, last }, little);
    if (packet) {
      const { link, start, end } = packet;
      packets.push({
        number: packets.length + 1,
        link: links[link] ?? -1,
        octets: bytes.subarray(start, end),
      });
      if (packets.length > CAPTURE_LIMITS.packets) throw tooMany(at);
    }
    at += length;
  }
  return packets;
}

function packetOfBlock(
  view: DataView,
  { type, body, last }: { readonly type: number; readonly body: number; readonly last: number },
  little: boolean,
): { readonly link: number; readonly start: number; readonly end: number } | undefined {
  if (type === 6) {
    if (last - body < 20) throw new DecodeError("packet block cut short", body);
    const end = body + 20 + view.getUint32(body + 12, little);
    if (end > last) throw new DecodeError("packet cut short", body);
    return { link: view.getUint32(body, little), start: body + 20, end };
  }
  if (type === 3 && last - body >= 4)
    return { link: 0, start: body + 4, end: Math.min(last, body + 4 + view.getUint32(body, little)) };
  return undefined;
}

const tooMany = (at: number): DecodeError =>
  new DecodeError(`more than ${CAPTURE_LIMITS.packets} packets`, at);

// ---- from a frame to a TCP segment

const ETHERTYPES = { ipv4: 0x0800, ipv6: 0x86dd, vlan: [0x8100, 0x88a8] } as const;
const TCP = 6;

/** Where the IP header begins, by the kind of link; undefined where it is none that is read. */
function ipAt({ link, octets }: Packet): number | undefined {
  const view = viewOf(octets);
  switch (link) {
    case 0: // BSD loopback: 4 octets of address family
    case 108:
      return 4;
    case 12:
    case 14:
    case 101: // raw IP
      return 0;
    case 113: // Linux cooked
      return 16;
    case 276: // Linux cooked, version 2
      return 20;
    case 1: {
      let at = 12;
      while (at + 4 <= octets.length && ETHERTYPES.vlan.some((type) => type === view.getUint16(at))) at += 4;
      if (at + 2 > octets.length) return undefined;
      const type = view.getUint16(at);
      return type === ETHERTYPES.ipv4 || type === ETHERTYPES.ipv6 ? at + 2 : undefined;
    }
    default:
      return undefined;
  }
}

function segmentOf(packet: Packet): { readonly stream: string; readonly segment: Segment } | undefined {
  const { octets, number } = packet;
  const at = ipAt(packet);
  const ip = at === undefined ? undefined : tcpOf(octets, at);
  if (!ip || ip.tcp + 20 > ip.end) return undefined;
  const view = viewOf(octets);
  const data = ip.tcp + 4 * ((octets[ip.tcp + 12] ?? 0) >> 4);
  if (data > ip.end) return undefined;
  const stream = `${ip.from}:${view.getUint16(ip.tcp)} > ${ip.to}:${view.getUint16(ip.tcp + 2)}`;
  // A SYN takes one number of its own and has no data of SMPP.
  if (data === ip.end) return undefined;
  return {
    stream,
    segment: { packet: number, seq: view.getUint32(ip.tcp + 4), data: octets.subarray(data, ip.end) },
  };
}

type InIp = { readonly from: string; readonly to: string; readonly tcp: number; readonly end: number };

/** Fragments and extension headers are passed over: SMPP has neither in any network met. */
function tcpOf(octets: Uint8Array, at: number): InIp | undefined {
  const view = viewOf(octets);
  const version = (octets[at] ?? 0) >> 4;
  if (version === 4 && at + 20 <= octets.length) {
    const isFragment = (view.getUint16(at + 6) & 0x3fff) !== 0;
    if (octets[at + 9] !== TCP || isFragment) return undefined;
    const ipv4 = (from: number): string => octets.subarray(from, from + 4).join(".");
    const end = Math.min(octets.length, at + view.getUint16(at + 2));
    return { from: ipv4(at + 12), to: ipv4(at + 16), tcp: at + 4 * ((octets[at] ?? 0) & 15), end };
  }
  if (version === 6 && at + 40 <= octets.length && octets[at + 6] === TCP) {
    const ipv6 = (from: number): string =>
      `[${Array.from({ length: 8 }, (_, n) => view.getUint16(from + 2 * n).toString(16)).join(":")}]`;
    return {
      from: ipv6(at + 8),
      to: ipv6(at + 24),
      tcp: at + 40,
      end: Math.min(octets.length, at + 40 + view.getUint16(at + 4)),
    };
  }
  return undefined;
}

// ---- from segments to PDUs

/** Octets from a to b, round the end of the counter. */
const distance = (a: number, b: number): number => (b - a) | 0;

/** A stream that is none of SMPP gives none: its first octets are no PDU's head. */
function pdusOfStream(
  stream: string,
  segments: readonly Segment[],
): { readonly pdus: CapturedPdu[]; readonly gap?: string } {
  const first = segments[0]?.seq ?? 0;
  const ordered = segments.toSorted((a, b) => distance(first, a.seq) - distance(first, b.seq));
  const pdus: CapturedPdu[] = [];
  let pending = Buffer.alloc(0);
  let packet = 0;
  let next = ordered[0]?.seq ?? 0;
  for (const segment of ordered) {
    const skip = distance(segment.seq, next);
    if (skip < 0)
      return {
        pdus,
        ...(pdus.length > 0
          ? { gap: `${stream}: ${-skip} octets are missing before packet ${segment.packet}` }
          : {}),
      };
    if (skip >= segment.data.length) continue;
    if (pending.length === 0) packet = segment.packet;
    pending = Buffer.concat([pending, segment.data.subarray(skip)]);
    next = (segment.seq + segment.data.length) >>> 0;
    while (pending.length >= HEADER_OCTETS) {
      const length = pending.readUInt32BE(0);
      const isHead =
        length >= HEADER_OCTETS &&
        length <= DEFAULT_MAX_PDU_OCTETS &&
        commandOf(pending.readUInt32BE(4)) !== undefined;
      if (!isHead)
        return { pdus, ...(pdus.length > 0 ? { gap: `${stream}: no PDU in packet ${packet}` } : {}) };
      if (pending.length < length) break;
      pdus.push({ stream, packet, octets: Uint8Array.from(pending.subarray(0, length)) });
      pending = pending.subarray(length);
      packet = segment.packet;
    }
  }
  return pending.length > 0 && pdus.length > 0
    ? { pdus, gap: `${stream}: the last PDU is cut short` }
    : { pdus };
}
