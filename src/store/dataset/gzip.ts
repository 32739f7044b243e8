/** Gzip of files that somebody brings: unpacked as long as it is believable, so that a bomb costs little more than itself. */
import { gunzipSync } from "node:zlib";

/** Lists of devices and access points come to 5 to 30 times less; a bomb to a thousand. */
const RATIO_MAX = 60;
/** Small files may be mostly repetition. */
const ALWAYS_OCTETS = 4 * 1024 * 1024;

export const isGzip = (octets: Uint8Array): boolean => octets[0] === 0x1f && octets[1] === 0x8b;

/** @throws Error broken gzip, more than `octetsMax`, or far more than such a file holds */
export const unpacked = (octets: Uint8Array, octetsMax: number): Buffer =>
  gunzipSync(octets, { maxOutputLength: Math.min(octetsMax, ALWAYS_OCTETS + octets.length * RATIO_MAX) });
