/**
 * The sorted file of equipment statuses: what a register knows of hundreds of millions of handsets, to be looked up from disk. Ours; no
 * specification has one. Numbers are big endian unless said otherwise.
 *
 *   header  4,096 octets: "TURNUPEQ" | format u16 = 1 | octets of a block u16 | segments u64 | handsets u64 | blocks u32 |
 *           made at u64 (ms) | offset of the index u64 | SHA-256 of all blocks | CRC-32 of the index u32 | CRC-32 of all before u32
 *   blocks  4,096 octets each: segments u16, then of each segment: varint (gap * 8 + status * 2 + long), and where long is 1
 *           varint (handsets - 1); the rest zeros. `gap` is how many handsets lie between the end of the segment before and it
 *   index   of each block: its first handset as IEEE 754 double | CRC-32 of the block u32
 *
 * A segment is one handset or a run of them with one status. Segments stand in order and do not overlap. Varints have seven bits an
 * octet, the lowest first, and count up to 2^53.
 */
import { DecodeError } from "../decode-error.ts";

export const BLOCK_OCTETS = 4_096;
export const HEADER_OCTETS = 4_096;
export const INDEX_ENTRY_OCTETS = 12;
/** In the order of strictness: of two words about one handset the lower number counts. */
export const FILE_STATUSES = ["black", "grey", "white"] as const;
export type FileStatus = (typeof FILE_STATUSES)[number];

const MAGIC = "TURNUPEQ";
const FORMAT = 1;
const DIGEST_OCTETS = 32;
const AT = {
  ...{ format: 8, block: 10, segments: 12, handsets: 20, blocks: 28, madeAt: 32, index: 40, digest: 48 },
  ...{ indexCrc: 80, headerCrc: 84 },
} as const;
/** Of what the header's own CRC-32 is. */
export const HEADER_CHECKED_OCTETS = AT.headerCrc;
const COUNT_OCTETS = 2;
const VARINT_OCTETS_MAX = 8;

export type StatusFileHeader = {
  readonly segments: number;
  readonly handsets: number;
  readonly blocks: number;
  /** Milliseconds since 1970. */
  readonly madeAtMs: number;
  readonly indexOffset: number;
  /** SHA-256 of all blocks: what names the version of the data. */
  readonly digest: Uint8Array;
  readonly indexCrc: number;
};

/** Without its CRC-32, which whoever writes it adds over the first `HEADER_CHECKED_OCTETS`. */
export function encodeStatusHeader(header: StatusFileHeader): Uint8Array {
  const octets = new Uint8Array(HEADER_OCTETS);
  const view = new DataView(octets.buffer);
  octets.set(new TextEncoder().encode(MAGIC));
  view.setUint16(AT.format, FORMAT);
  view.setUint16(AT.block, BLOCK_OCTETS);
  view.setBigUint64(AT.segments, BigInt(header.segments));
  view.setBigUint64(AT.handsets, BigInt(header.handsets));
  view.setUint32(AT.blocks, header.blocks);
  view.setBigUint64(AT.madeAt, BigInt(header.madeAtMs));
  view.setBigUint64(AT.index, BigInt(header.indexOffset));
  octets.set(header.digest.subarray(0, DIGEST_OCTETS), AT.digest);
  view.setUint32(AT.indexCrc, header.indexCrc);
  return octets;
}
export const putHeaderCrc = (header: Uint8Array, crc: number): void =>
  new DataView(header.buffer, header.byteOffset).setUint32(AT.headerCrc, crc);
export const headerCrcOf = (header: Uint8Array): number =>
  new DataView(header.buffer, header.byteOffset).getUint32(AT.headerCrc);

/** @throws DecodeError: no such file, of another format, or cut short */
export function decodeStatusHeader(octets: Uint8Array): StatusFileHeader {
  if (octets.length < HEADER_OCTETS) throw new DecodeError("the header is cut short", octets.length);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  if (new TextDecoder("latin1").decode(octets.subarray(0, MAGIC.length)) !== MAGIC)
    throw new DecodeError("it is no file of equipment statuses", 0);
  const format = view.getUint16(AT.format);
  if (format !== FORMAT) throw new DecodeError(`format ${format} is not known`, AT.format);
  if (view.getUint16(AT.block) !== BLOCK_OCTETS) throw new DecodeError("blocks of another size", AT.block);
  return {
    segments: Number(view.getBigUint64(AT.segments)),
    handsets: Number(view.getBigUint64(AT.handsets)),
    blocks: view.getUint32(AT.blocks),
    madeAtMs: Number(view.getBigUint64(AT.madeAt)),
    indexOffset: Number(view.getBigUint64(AT.index)),
    digest: octets.slice(AT.digest, AT.digest + DIGEST_OCTETS),
    indexCrc: view.getUint32(AT.indexCrc),
  };
}

/** Fills one block after the other; the octets that it gives are the caller's until the next call. */
export class StatusBlockWriter {
  readonly #octets = new Uint8Array(BLOCK_OCTETS);
  #end = COUNT_OCTETS;
  #segments = 0;
  #first = 0;
  #cursor = 0;

  /** False: it does not fit, and the block is to be taken first. */
  put(from: number, to: number, status: number): boolean {
    const isLong = to > from;
    const gap = this.#segments === 0 ? 0 : from - this.#cursor;
    const head = gap * 8 + status * 2 + (isLong ? 1 : 0);
    const needed = varintOctets(head) + (isLong ? varintOctets(to - from) : 0);
    if (this.#end + needed > BLOCK_OCTETS) return false;
    if (this.#segments === 0) this.#first = from;
    this.#end = putVarint(this.#octets, this.#end, head);
    if (isLong) this.#end = putVarint(this.#octets, this.#end, to - from);
    this.#segments += 1;
    this.#cursor = to + 1;
    return true;
  }

  get isEmpty(): boolean {
    return this.#segments === 0;
  }

  /** The block as it is, and the handset that it begins with; the next is begun. */
  take(): { readonly first: number; readonly octets: Uint8Array } {
    this.#octets.fill(0, this.#end);
    new DataView(this.#octets.buffer).setUint16(0, this.#segments);
    const taken = { first: this.#first, octets: this.#octets.slice() };
    this.#end = COUNT_OCTETS;
    this.#segments = 0;
    return taken;
  }
}

/**
 * The status of a handset by its block, as its place in `FILE_STATUSES`; -1: it stands in none of its segments.
 * @throws DecodeError: the block is none
 */
export function findInBlock(octets: Uint8Array, first: number, handset: number): number {
  const segments = ((octets[0] ?? 0) << 8) | (octets[1] ?? 0);
  let cursor = first;
  let at = COUNT_OCTETS;
  for (let segment = 0; segment < segments; segment++) {
    let head = 0;
    for (let factor = 1; ; factor *= 128) {
      const octet = octets[at++];
      if (octet === undefined || factor > 128 ** (VARINT_OCTETS_MAX - 1))
        throw new DecodeError("a number runs out of its block", at);
      head += (octet & 127) * factor;
      if (octet < 128) break;
    }
    let more = 0;
    if (head % 2 === 1)
      for (let factor = 1; ; factor *= 128) {
        const octet = octets[at++];
        if (octet === undefined || factor > 128 ** (VARINT_OCTETS_MAX - 1))
          throw new DecodeError("a number runs out of its block", at);
        more += (octet & 127) * factor;
        if (octet < 128) break;
      }
    const from = cursor + Math.floor(head / 8);
    if (from > handset) return -1;
    if (from + more >= handset) return Math.floor(head / 2) % 4;
    cursor = from + more + 1;
  }
  return -1;
}

function varintOctets(value: number): number {
  let octets = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) octets++;
  return octets;
}

function putVarint(octets: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets[at++] = (rest % 128) + 128;
  octets[at++] = rest;
  return at;
}
