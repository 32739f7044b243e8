/**
 * Integers of variable length: WBXML's mb_u_int32 and WSP's uintvar, which are the same.
 * Source: WAP-192-WBXML §5.1, WAP-230-WSP §8.1.2.
 *
 *   | 1 | 7 bits | ... | 0 | 7 bits |   most significant group first, at most 5 octets, at most 32 bits
 *
 * A form longer than needed (80 0B) is read, and never written.
 */
import { DecodeError } from "./decode-error.ts";

const OCTETS_MAX = 5;
const VALUE_MAX = 0xffff_ffff;

/** An integer that was read, 0 to 2^32 - 1, and where to go on. */
export type Uintvar = {
  readonly value: number;
  /** Where the octet after the integer stands. */
  readonly next: number;
};

/** @throws DecodeError: cut short, longer than 5 octets, or greater than 32 bits hold */
export function decodeUintvar(bytes: Uint8Array, at: number): Uintvar {
  let value = 0;
  for (let next = at; next < at + OCTETS_MAX; next++) {
    const octet = bytes[next];
    if (octet === undefined) throw new DecodeError("integer of variable length cut short", at);
    value = value * 0x80 + (octet & 0x7f);
    if (value > VALUE_MAX) throw new DecodeError("integer of variable length exceeds 32 bits", at);
    if (octet < 0x80) return { value, next: next + 1 };
  }
  throw new DecodeError("integer of variable length exceeds 5 octets", at);
}

/** The octets of `value`, an integer from 0 to 2^32 - 1. */
export function uintvar(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = Math.floor(value / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    octets.unshift(0x80 | (rest & 0x7f));
  }
  return octets;
}
