/** Octets by their place, for codecs whose speed no budget holds. */
import { DecodeError } from "./decode-error.ts";

/**
 * The octet at `at`, which counts from 0.
 * @throws DecodeError: there is none. A codec that says in its own words what is cut short looks at the length before.
 */
export function octetIn(octets: Uint8Array, at: number): number {
  const octet = octets[at];
  if (octet === undefined) throw new DecodeError("cut short", at);
  return octet;
}

/** Two octets from `at`, the more significant one first. @throws DecodeError: they are not there */
export const uint16In = (octets: Uint8Array, at: number): number =>
  (octetIn(octets, at) << 8) | octetIn(octets, at + 1);
