/** Gzip of files that somebody brings: unpacked as long as it is believable, so that a bomb costs little more than itself. */
import { constants, gunzipSync } from "node:zlib";

/** Lists of devices and access points come to 5 to 30 times less; a bomb to a thousand. */
const RATIO_MAX = 60;
/** Small files may be mostly repetition. */
const ALWAYS_OCTETS = 4 * 1024 * 1024;

export const isGzip = (octets: Uint8Array): boolean => octets[0] === 0x1f && octets[1] === 0x8b;

/** Looked at first: a large bomb is one from its beginning, and is not unpacked as far as its size would let a list go. */
const HEAD_OCTETS = 256 * 1024;

/** Most octets that a believable file of that many comes to. */
export const mostOf = (octets: number, octetsMax: number): number =>
  Math.min(octetsMax, ALWAYS_OCTETS + octets * RATIO_MAX);

function checkHead(octets: Uint8Array, octetsMax: number): void {
  if (octets.length <= HEAD_OCTETS) return;
  const head = octets.subarray(0, HEAD_OCTETS);
  gunzipSync(head, { maxOutputLength: mostOf(head.length, octetsMax), finishFlush: constants.Z_SYNC_FLUSH }); // it is cut off, not broken
}

/** @throws Error broken gzip, more than `octetsMax`, or far more than such a file holds */
export function unpacked(octets: Uint8Array, octetsMax: number): Buffer {
  checkHead(octets, octetsMax);
  return gunzipSync(octets, { maxOutputLength: mostOf(octets.length, octetsMax) });
}
