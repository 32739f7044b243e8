/** The SIM card's number: 89, country, issuer, account, check digit. Source: ITU-T E.118; ETSI TS 102 221 clause 13.2. */
import { TurnupError } from "./error.ts";
import { passesLuhn } from "./luhn.ts";

/** 19 or 20 digits, the last one a Luhn digit. */
type Iccid = string & { readonly brand: "Iccid" };

/**
 * Spaces and `-` are dropped, and so is the filler `F` of a card's file EF_ICCID.
 * @throws TurnupError `iccid_malformed` not 19 or 20 digits beginning with 89; `iccid_check_digit` the last is wrong
 */
export function parseIccid(text: string): Iccid {
  const digits = text.length > 40 ? "" : text.replace(/[\s-]/g, "").replace(/[fF]$/, "");
  if (!/^89\d{17,18}$/.test(digits)) {
    throw new TurnupError("iccid_malformed", "An ICCID has 19 or 20 digits beginning with 89.");
  }
  if (!passesLuhn(digits)) {
    throw new TurnupError("iccid_check_digit", "The last digit of the ICCID is not its check digit.");
  }
  return digits as Iccid; // form and check digit hold
}
