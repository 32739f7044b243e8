/**
 * International bank account number: two letters of the country, two check digits, the country's own number.
 * Sources: ISO 13616-1 (form), ISO/IEC 7064 MOD 97-10 (check digits), the IBAN registry of SWIFT (lengths).
 */
import { TurnupError } from "./error.ts";
import { passesMod97 } from "./mod-97.ts";

declare const brand: unique symbol;
/** Capitals and digits without spaces, as it travels between machines. */
export type Iban = string & { readonly [brand]: "Iban" };

/** Characters of a whole IBAN, by country. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 " +
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 " +
    "LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 " +
    "SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Why a text is no IBAN; null where it is one. The text may hold spaces, and small letters. */
export function ibanFaultOf(
  text: string,
): "iban_malformed" | "iban_country" | "iban_length" | "iban_check_digits" | null {
  const iban = compact(text);
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{1,30}$/.test(iban)) return "iban_malformed";
  const country = iban.slice(0, 2);
  const length = LENGTHS.get(country);
  if (length === undefined) return "iban_country";
  if (iban.length !== length) return "iban_length";
  return passesMod97(country, iban.slice(2, 4), iban.slice(4)) ? null : "iban_check_digits";
}

const WORDS = {
  iban_malformed: "An IBAN is two letters, two digits, and the country's own account number.",
  iban_country: "No country with these two letters has IBANs.",
  iban_length: "This IBAN is longer or shorter than those of its country.",
  iban_check_digits: "The check digits of this IBAN do not fit the rest of it.",
} as const;

/**
 * Reads an IBAN as people write it, in groups of four or in one piece. What it says of a wrong one never repeats it.
 * @throws TurnupError `account_malformed`: `details.code` says which rule
 */
export function parseIban(text: string): Iban {
  const fault = ibanFaultOf(text);
  if (fault === null) return compact(text) as Iban; // every rule of it was checked
  throw new TurnupError("account_malformed", WORDS[fault], {
    details: { field: "iban", code: fault },
    nextStep: "Read the account number again; nothing of it was kept.",
  });
}

/** `DE`: where the account is kept. */
export const countryOfIban = (iban: Iban): string => iban.slice(0, 2);

const SHOWN_AT_EACH_END = 4;

/** `DE89 **** 3000`: enough to tell one's accounts apart, too little to pay from one. */
export const maskAccount = (account: string): string =>
  account.length > SHOWN_AT_EACH_END * 2
    ? `${account.slice(0, SHOWN_AT_EACH_END)} **** ${account.slice(-SHOWN_AT_EACH_END)}`
    : "****";

const compact = (text: string): string => text.replace(/[\s-]/g, "").toUpperCase();

/** Countries whose account numbers (BBAN) are digits alone: SWIFT's IBAN registry, structures of `n` throughout. */
const DIGITS_ALONE: ReadonlySet<string> = new Set(
  "AE AT BA BE CR CZ DE DK EE ES FI FO GL HR HU IL IS LT ME NO PL PT RS SE SI SK TL TN XK".split(" "),
);

/** Whether an IBAN of this country can be keyed on a telephone, but for the letters in front that the country itself is. */
export const isIbanOfDigits = (country: string): boolean => DIGITS_ALONE.has(country);
