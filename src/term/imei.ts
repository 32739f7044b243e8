/**
 * The device's own number, in the forms that people write and networks send, and what it is not.
 * Source: 3GPP TS 23.003 clause 6 and Annex B; GSMA TS.06 for reporting bodies; 3GPP2 S.R0048 for MEID.
 *
 *   | RBI 2 | rest of TAC 6 | SNR 6 | check digit 1 |    IMEI, 15 digits
 *   | TAC 8                 | SNR 6 |                    14 digits, as a network sends it (the 15th is a spare 0)
 *   | TAC 8                 | SNR 6 | SVN 2 |            IMEISV, 16 digits, no check digit
 */
import { type ErrorCode, TurnupError } from "./error.ts";
import { luhnDigitOf } from "./luhn.ts";

/** 15 digits with a right check digit, of a device that can have been sold. */
export type Imei = string & { readonly brand: "Imei" };
/** 16 digits: TAC, serial number, software version. */
type Imeisv = string & { readonly brand: "Imeisv" };
/** Type allocation code: the first 8 digits, which name the model. */
type Tac = string & { readonly brand: "Tac" };

/** What a text turned out to be. `error` says why an identity of a known kind is refused. */
export type Identity =
  | {
      readonly kind: "imei" | "imei14" | "imeisv";
      readonly valid: true;
      readonly imei: Imei;
      readonly tac: Tac;
    }
  | { readonly kind: "meid" | "meid-dec"; readonly valid: true; readonly meid: string }
  | { readonly kind: IdentityKind; readonly valid: false; readonly error: IdentityError };
/** The form that a text has: `imei14` without check digit, `meid-dec` 18 decimal digits, `none` no form at all. */
type IdentityKind = "imei" | "imei14" | "imeisv" | "meid" | "meid-dec" | "none";
/** Why an identity is refused, as `TurnupError` would say it; the message never repeats the number. */
export type IdentityError = { readonly code: ErrorCode; readonly message: string };

/** Longest text looked at, in characters: an IMEISV with generous separators. */
const IDENTITY_CHARACTERS_MAX = 40;
const SEPARATORS = /[\s/-]/g;
const MEID_HEX = /^[A-F][0-9A-F]{13}$/;
const MEID_HEX_WITH_CHECK = /^[A-F][0-9A-F]{14}$/;
const MEID_MANUFACTURER_MAX = 0xffffffff;
const MEID_SERIAL_MAX = 0xffffff;
/** First octet of a MEID: A0 and above are hexadecimal ones, 99 those that share the IMEI's numbering. */
const MEID_REGION_MIN = 0xa0;
const MEID_REGION_SHARED = 0x99;

/**
 * Reads an IMEI as people write it: 15 digits; spaces, `-` and `/` are dropped.
 * Networks send the last digit as 0: read those with `imeiFromNetwork`.
 * @throws TurnupError `imei_malformed` not 15 digits; `imei_check_digit` digit 15 is not the Luhn digit of the
 *   first 14; `imei_filler` a made-up run of digits; `imei_test` a number of a test reporting body
 * @see 3GPP TS 23.003 clause 6.2.1 and Annex B
 */
export function parseImei(text: string): Imei {
  const digits = withoutSeparators(text);
  if (!/^\d{15}$/.test(digits)) throw malformed("imei_malformed", "An IMEI has 15 digits", text);
  return checked(identityOfImei(digits));
}

/**
 * Reads an IMEI as a network element reports it: 14 digits, 15 with a spare digit (0 or F) or the check digit, or an
 * IMEISV of 16. The check digit is rebuilt, since it is not transmitted on air.
 * @throws TurnupError as `parseImei`; `imei_check_digit` when digit 15 is neither spare nor right
 * @see 3GPP TS 23.003 clause 6.2.1, note on the spare digit
 */
export function imeiFromNetwork(digits: string): Imei {
  if (!/^\d{14}(?:\d{0,2}|[fF])$/.test(digits)) {
    throw malformed("imei_malformed", "A network sends 14, 15 or 16 digits", digits);
  }
  const body = digits.slice(0, 14);
  const whole = body + luhnDigitOf(body);
  const isSpare = digits.length !== 15 || /[0fF]$/.test(digits);
  return checked(identityOfImei(isSpare ? whole : digits));
}

/**
 * Reads an IMEISV: 16 digits; separators are dropped. It has no check digit; software version 99 is reserved, not wrong.
 * @throws TurnupError `imeisv_malformed`, `imei_filler`, `imei_test`
 * @see 3GPP TS 23.003 clause 6.2.2
 */
export function parseImeisv(text: string): Imeisv {
  const digits = withoutSeparators(text);
  if (!/^\d{16}$/.test(digits)) throw malformed("imeisv_malformed", "An IMEISV has 16 digits", text);
  const refusal = refusalOf(digits);
  if (refusal) throw new TurnupError(refusal.code, refusal.message);
  return digits as Imeisv; // no refusal
}

/** Reads a TAC: 8 digits, leading zeros count. @throws TurnupError `imei_malformed` */
export function parseTac(text: string): Tac {
  if (!/^\d{8}$/.test(text)) throw malformed("imei_malformed", "A TAC has 8 digits", text);
  return text as Tac; // 8 digits
}

/** The first 8 digits (TS 23.003 clause 6.2), which every handset of a model shares; a model has several of them. */
export const tacOf = (imei: Imei | Imeisv): Tac => imei.slice(0, 8) as Tac; // of a checked IMEI
/** TAC and serial number: the digits by which a network and a handset name the same device. */
export const imei14Of = (imei: Imei | Imeisv): string => imei.slice(0, 14);
/** The IMEI of the same device: the software version goes, the check digit is computed (TS 23.003 Annex B). */
export const imeiOf = (imeisv: Imeisv): Imei => (imei14Of(imeisv) + luhnDigitOf(imei14Of(imeisv))) as Imei; // its check digit was made here
/** The check digit of an IMEI's first 14 digits. */
export const checkDigitOf = (imei14: string): string => luhnDigitOf(imei14.slice(0, 14));

/** Whether the number is one of a test reporting body (00, 02 to 09): never a sold device, never provisioned. */
const isTestImei = (digits: string): boolean => /^0[02-9]/.test(digits);

/** Whether the 14 digits are one digit repeated or a count up or down: passes the Luhn sum and is no device. */
function isFiller(digits: string): boolean {
  const step = (digits.charCodeAt(1) - digits.charCodeAt(0) + 10) % 10;
  if (step !== 0 && step !== 1 && step !== 9) return false;
  for (let at = 2; at < 14; at++) {
    if ((digits.charCodeAt(at) - digits.charCodeAt(at - 1) + 10) % 10 !== step) return false;
  }
  return true;
}

/** Says what a text is, of every form a device's number is met in. Never throws. */
export function classifyIdentity(text: string): Identity {
  if (text.length > IDENTITY_CHARACTERS_MAX) {
    return refused("none", "identity_unknown", `${text.length} characters are none of the known forms`);
  }
  const plain = withoutSeparators(text).toUpperCase();
  if (/^\d+$/.test(plain)) return classifyDigits(plain);
  if (MEID_HEX.test(plain)) return { kind: "meid", valid: true, meid: plain };
  if (MEID_HEX_WITH_CHECK.test(plain)) return classifyMeidWithCheck(plain);
  return refused("none", "identity_unknown", "neither 14 to 16 digits nor a MEID");
}

function classifyDigits(digits: string): Identity {
  switch (digits.length) {
    case 14:
      return named("imei14", digits);
    case 15:
      return identityOfImei(digits);
    case 16:
      return named("imeisv", digits);
    case 18:
      return classifyMeidDecimal(digits);
    default:
      return refused("none", "identity_unknown", `${digits.length} digits are none of the known forms`);
  }
}

function identityOfImei(digits: string): Identity {
  const expected = luhnDigitOf(digits.slice(0, 14));
  if (!isFiller(digits) && digits[14] !== expected) {
    return refused(
      "imei",
      "imei_check_digit",
      `the check digit is ${digits[14]}, the first 14 digits need ${expected}`,
    );
  }
  return named("imei", digits);
}

function named(kind: "imei" | "imei14" | "imeisv", digits: string): Identity {
  const refusal = refusalOf(digits);
  if (refusal) return { kind, valid: false, error: refusal };
  const body = digits.slice(0, 14);
  return { kind, valid: true, imei: (body + luhnDigitOf(body)) as Imei, tac: digits.slice(0, 8) as Tac }; // no refusal
}

function refusalOf(digits: string): IdentityError | undefined {
  if (isFiller(digits))
    return { code: "imei_filler", message: "This is a run of filler digits, not a device." };
  if (isTestImei(digits)) {
    return {
      code: "imei_test",
      message: `Reporting body ${digits.slice(0, 2)} gives out test numbers only.`,
    };
  }
  return undefined;
}

/** 18 decimal digits write a MEID: 10 for the first 8 hexadecimal digits, 8 for the last 6 (3GPP2 S.R0048 clause 3). */
function classifyMeidDecimal(digits: string): Identity {
  const manufacturer = Number(digits.slice(0, 10));
  const serial = Number(digits.slice(10));
  const region = Math.floor(manufacturer / 0x1000000);
  const isRegion = region >= MEID_REGION_MIN || region === MEID_REGION_SHARED;
  if (manufacturer > MEID_MANUFACTURER_MAX || serial > MEID_SERIAL_MAX || !isRegion) {
    return refused("meid-dec", "meid_malformed", "18 digits that write no MEID");
  }
  const hex = manufacturer.toString(16).padStart(8, "0") + serial.toString(16).padStart(6, "0");
  return { kind: "meid-dec", valid: true, meid: hex.toUpperCase() };
}

/** The MEID's optional 15th digit is a Luhn digit to the base 16. */
function classifyMeidWithCheck(text: string): Identity {
  let sum = 0;
  for (let at = 0; at < 14; at++) {
    const digit = Number.parseInt(text.charAt(at), 16);
    const weight = at % 2 === 1 ? digit * 2 : digit;
    sum += weight > 15 ? weight - 15 : weight;
  }
  const expected = ((16 - (sum % 16)) % 16).toString(16).toUpperCase();
  if (text[14] === expected) return { kind: "meid", valid: true, meid: text.slice(0, 14) };
  return refused("meid", "meid_check_digit", `the check digit is ${text[14]}, the MEID needs ${expected}`);
}

const withoutSeparators = (text: string): string =>
  text.length > IDENTITY_CHARACTERS_MAX ? "" : text.replace(SEPARATORS, "");

const refused = (kind: IdentityKind, code: ErrorCode, message: string): Identity => ({
  kind,
  valid: false,
  error: { code, message },
});

const malformed = (code: ErrorCode, rule: string, text: string): TurnupError =>
  new TurnupError(code, `${rule}, not ${text.length} characters of this kind.`);

function checked(identity: Identity): Imei {
  if (!identity.valid) throw new TurnupError(identity.error.code, identity.error.message);
  if (!("imei" in identity)) throw new TurnupError("imei_malformed", "A MEID is not an IMEI.");
  return identity.imei;
}
