/** Octets as hexadecimal text and back. */
import { DecodeError } from "./decode-error.ts";

/**
 * Reads hexadecimal text; white space between digits is dropped, either case is taken.
 * @throws DecodeError at the first character that is no hex digit, or at the end of an odd number of digits
 */
export function bytesOf(hex: string): Uint8Array {
  const digits = hex.replace(/\s+/g, "");
  const stray = digits.search(/[^0-9a-fA-F]/);
  if (stray >= 0) throw new DecodeError(`"${digits[stray]}" is no hex digit`, stray >> 1);
  if (digits.length % 2 === 1) throw new DecodeError("an odd number of hex digits", digits.length >> 1);
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** Lower-case hexadecimal text, two digits an octet. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
