/**
 * What a message centre takes the octets behind data_coding 0 for: SMPP says only "the SMSC's default alphabet" (SMPP v3.4
 * §5.2.19). `_` is 0x11 in GSM 03.38 and 0x5f in ASCII, `@` is 0x00 and 0x40: a link that is written in the wrong one is broken.
 */
import { textOfSeptets } from "./gsm7.ts";

export const DEFAULT_ALPHABETS = ["gsm7", "ascii", "latin1"] as const;
export type DefaultAlphabet = (typeof DEFAULT_ALPHABETS)[number];

const LAST_CODE: Readonly<Record<Exclude<DefaultAlphabet, "gsm7">, number>> = { ascii: 0x7f, latin1: 0xff };

/** Septets, one an octet, as another alphabet writes their text; undefined where it lacks one of the characters. */
export function recodeSeptets(septets: Uint8Array, alphabet: DefaultAlphabet): Uint8Array | undefined {
  if (alphabet === "gsm7") return septets;
  const text = textOfSeptets(septets);
  const isWritten = [...text].every((character) => (character.codePointAt(0) ?? 0) <= LAST_CODE[alphabet]);
  return isWritten ? Uint8Array.from(Buffer.from(text, "latin1")) : undefined;
}
