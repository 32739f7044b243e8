/**
 * The check of IBANs and of creditor references: MOD 97-10 of ISO/IEC 7064. Letters stand for 10 to 35; the whole number,
 * the check digits moved to its end, leaves 1.
 */

/** Digits that one step takes: with the two of the remainder before them it stays exact in a double. */
const STEP_DIGITS = 9;
const MODULUS = 97;
const SOUND_REMAINDER = 1;

/** @param text A-Z and 0-9 alone */
function remainderOf(text: string): number {
  const digits = text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  let remainder = 0;
  for (let at = 0; at < digits.length; at += STEP_DIGITS)
    remainder = Number(`${remainder}${digits.slice(at, at + STEP_DIGITS)}`) % MODULUS;
  return remainder;
}

/** Two check digits for what follows them and the letters before them: 02 to 98. */
export const mod97DigitsOf = (head: string, rest: string): string =>
  String(98 - remainderOf(`${rest}${head}00`)).padStart(2, "0");

/** Whether `head`, two check digits and `rest` belong together; 00, 01 and 99 are nobody's, even where the remainder is 1. */
export const passesMod97 = (head: string, digits: string, rest: string): boolean =>
  !["00", "01", "99"].includes(digits) && remainderOf(`${rest}${head}${digits}`) === SOUND_REMAINDER;

/** The remainder of a national number, which has no letters before its digits. */
export const mod97Of = (digits: string): number => remainderOf(digits);
