/**
 * The GSM 7-bit default alphabet and its extension table, as septets one an octet and packed eight in seven octets.
 * Source: 3GPP TS 23.038 §6.2.1 and §6.1.2.1.
 */
import { octetAt } from "../octet-at.ts";
import { lockingTable, NO_CHARACTER, singleShiftTable } from "./national.ts";

const ESCAPE = 0x1b;
const ALPHABET = lockingTable();
const SEPTETS: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...[...ALPHABET].map((character, septet) => [character, [septet]] as const),
  ...Object.entries(singleShiftTable()).map(
    ([septet, character]) => [character, [ESCAPE, Number(septet)]] as const,
  ),
]);

/** The septets of each character, an escape and its follower together; undefined where one has none. */
export function septetsOf(text: string): (readonly number[])[] | undefined {
  const characters: (readonly number[])[] = [];
  for (const character of text) {
    const septets = character === NO_CHARACTER ? undefined : SEPTETS.get(character);
    if (!septets) return undefined;
    characters.push(septets);
  }
  return characters;
}

/** Languages whose tables a text uses, by their numbers in 3GPP TS 23.038 Annex A; 0 or absent: the default alphabet. */
export type NationalShifts = { readonly locking?: number; readonly single?: number };

/**
 * Text of septets, one an octet; bit 7 is not looked at. An escape before a septet that the extension leaves free
 * shows the alphabet's own character, as the standard asks; an escape at the end shows a space.
 */
export function textOfSeptets(septets: Uint8Array, { locking, single }: NationalShifts = {}): string {
  const alphabet = lockingTable(locking);
  const extended = singleShiftTable(single);
  const characters: string[] = [];
  for (let i = 0; i < septets.length; i++) {
    const septet = octetAt(septets, i) & 0x7f;
    if (septet !== ESCAPE) {
      characters.push(alphabet.charAt(septet));
      continue;
    }
    const follower = (septets[++i] ?? 0x20) & 0x7f;
    const basic = alphabet.charAt(follower);
    characters.push(extended[follower] ?? (basic === NO_CHARACTER ? " " : basic));
  }
  return characters.join("");
}

/**
 * Eight septets in seven octets, the first in the low bits. `fillBits` (0 to 6) of zero go in front: after a user data
 * header the text starts at a septet boundary.
 */
export function packSeptets(septets: Uint8Array, fillBits = 0): Uint8Array {
  const packed = new Uint8Array(Math.ceil((septets.length * 7 + fillBits) / 8));
  for (let i = 0; i < septets.length; i++) {
    const bit = i * 7 + fillBits;
    const shifted = (octetAt(septets, i) & 0x7f) << (bit & 7);
    const at = bit >> 3;
    packed[at] = octetAt(packed, at) | (shifted & 0xff);
    if (shifted > 0xff) packed[at + 1] = shifted >> 8;
  }
  return packed;
}

/** `count` septets from packed octets; fewer where the octets end first. */
export function unpackSeptets(packed: Uint8Array, count: number, fillBits = 0): Uint8Array {
  const whole = Math.max(0, Math.floor((packed.length * 8 - fillBits) / 7));
  const septets = new Uint8Array(Math.min(count, whole));
  for (let i = 0; i < septets.length; i++) {
    const bit = i * 7 + fillBits;
    const at = bit >> 3;
    const pair = octetAt(packed, at) | (octetAt(packed, at + 1) << 8);
    septets[i] = (pair >> (bit & 7)) & 0x7f;
  }
  return septets;
}
