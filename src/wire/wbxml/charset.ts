/**
 * Text in a WBXML document. Charsets are IANA MIBenum numbers; only those in which NUL ends a string are read.
 * Characters that no XML document can hold (XML 1.0 §2.2) are refused: WBXML is a form of XML.
 */

import { DecodeError } from "../decode-error.ts";
import { octetAt } from "../octet-at.ts";

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that XML 1.0 leaves out
const NO_XML_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]/u;

/** Unknown (0), UTF-8 and its part US-ASCII; ISO-8859-1. */
const READ_AS_UTF_8: readonly number[] = [0, 3, 106];
const LATIN_1 = 4;

/** Whether text in this charset (IANA MIBenum) can be read: UTF-8, US-ASCII, ISO-8859-1, or unknown (0). */
export const isCharsetKnown = (mibEnum: number): boolean =>
  mibEnum === LATIN_1 || READ_AS_UTF_8.includes(mibEnum);

/** Whether XML 1.0 can hold every character (§2.2). */
export const isXmlText = (text: string): boolean => !NO_XML_CHARACTER.test(text);

/** @throws DecodeError at `start`: octets that are no text of this charset */
export function textAt(bytes: Uint8Array, start: number, end: number, charset: number): string {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  for (let at = 0; at < octets.length; at++) {
    const octet = octetAt(octets, at);
    if (octet < 0x20 || octet > 0x7e) return anyText(octets, start, charset);
  }
  return octets.toString("latin1");
}

function anyText(octets: Buffer, at: number, charset: number): string {
  let text: string;
  try {
    text = charset === LATIN_1 ? octets.toString("latin1") : UTF_8.decode(octets);
  } catch {
    throw new DecodeError("text that is not UTF-8", at); // TextDecoder says no more than that
  }
  if (!isXmlText(text)) throw new DecodeError("a character that XML cannot hold", at);
  return text;
}
