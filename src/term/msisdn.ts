/**
 * A phone number in E.164 digits without `+`. Source: ITU-T E.164 clause 6; 3GPP TS 23.003 clause 3.3.
 * Numbers as a country writes them are read by `msisdn-national.ts`, which carries the numbering plans.
 */
import { TurnupError } from "./error.ts";

/** 7 to 15 digits, country code first, which never begins with 0. */
export type Msisdn = string & { readonly brand: "Msisdn" };

const E164 = /^[1-9]\d{6,14}$/;

/**
 * Reads an international number; `+` or `00` in front, spaces, `-`, `.`, `/` and brackets are dropped.
 * @throws TurnupError `msisdn_malformed`: not 7 to 15 digits, or no country code
 */
export function parseMsisdn(text: string): Msisdn {
  if (E164.test(text)) return text as Msisdn; // the hot path: what a network sends
  const digits = text.length > 40 ? "" : text.replace(/[\s().\-/]/g, "").replace(/^(?:\+|00)/, "");
  if (!E164.test(digits)) {
    throw new TurnupError(
      "msisdn_malformed",
      "A phone number is 7 to 15 digits beginning with its country code.",
      {
        nextStep: "Write it as +<country code><number>.",
      },
    );
  }
  return digits as Msisdn; // E.164, looked at above
}

/** Country calling codes of two digits; 1 and 7 have one, all others three (ITU-T E.164 Annex, list of 2016). */
const TWO_DIGIT_CODES = /^(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** The calling code in front of an E.164 number. Shape only: that the code is given out is not checked. */
export function callingCodeOf(digits: string): string {
  if (/^[17]/.test(digits)) return digits.slice(0, 1);
  return digits.slice(0, TWO_DIGIT_CODES.test(digits) ? 2 : 3);
}
