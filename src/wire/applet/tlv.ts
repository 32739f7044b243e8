/**
 * The data objects of a card's toolkit. Source: ETSI TS 102 220 §7.1, TS 101 220.
 *
 *   | tag : 1 | length : 1, or 81 and 1 | value : `length` octets |      the tag's bit 8: the reader must understand it
 */
import { DecodeError } from "../decode-error.ts";
import { octetIn } from "../octet.ts";

const LONG_LENGTH = 0x81;
const COMPREHENSION = 0x80;

/** `at`: where the value begins in the whole. */
export type DataObject = { readonly tag: number; readonly value: Uint8Array; readonly at: number };

/** `14` and `94` are one tag: the second asks that it be understood. */
export const plainTag = (tag: number): number => tag & ~COMPREHENSION;

/**
 * Every data object from `from` to the end, in the order met.
 * @throws DecodeError with the offset: a tag of 00 or FF, a length or value cut short
 */
export function decodeObjects(bytes: Uint8Array, from = 0): DataObject[] {
  const objects: DataObject[] = [];
  for (let at = from; at < bytes.length; ) {
    const tag = octetIn(bytes, at);
    if (tag === 0x00 || tag === 0xff) throw new DecodeError("no data object has this tag", at);
    const long = bytes[at + 1] === LONG_LENGTH;
    const start = at + (long ? 3 : 2);
    const length = bytes[start - 1];
    if (length === undefined) throw new DecodeError("the length of a data object is cut off", at);
    if (!long && length > 0x7f) throw new DecodeError("a data object is longer than 255 octets", at + 1);
    if (start + length > bytes.length) throw new DecodeError("the value of a data object is cut short", at);
    objects.push({ tag, value: bytes.slice(start, start + length), at: start });
    at = start + length;
  }
  return objects;
}

/**
 * One data object; its length takes two octets from 128 on.
 * @throws RangeError: more than 255 octets
 */
export function encodeObject(tag: number, value: Uint8Array): Uint8Array {
  if (value.length > 0xff) throw new RangeError("a data object has at most 255 octets");
  const length = value.length > 0x7f ? [LONG_LENGTH, value.length] : [value.length];
  return Uint8Array.from([tag, ...length, ...value]);
}
