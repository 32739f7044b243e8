/**
 * Numbers as a card holds them: swapped BCD. Source: 3GPP TS 24.008 §10.5.1.4 (mobile identity), TS 31.102 §4.2.2 (EF_IMSI),
 * ETSI TS 102 221 §13.2 (EF_ICCID), ETSI TS 102 223 §8.20 and §8.74 (IMEI, IMEISV).
 *
 *   | digit 1 : 4 bits | odd : 1 | type : 3 |  digit 3 | digit 2 |  digit 5 | digit 4 | ...     filler F in a half that is left
 *
 * An IMEI has type 2 and 15 digits, an IMEISV type 3 and 16, an IMSI type 1 and stands behind its length.
 */
import { DecodeError } from "../decode-error.ts";
import { octetIn } from "../octet.ts";

const ODD = 0x08;
const FILLER = 0x0f;
const TYPES = { imsi: 1, imei: 2, imeisv: 3 } as const;
type Type = keyof typeof TYPES;

/** Of a packed IMEI: 15 digits behind the type. */
export const IMEI_OCTETS = 8;
/** Of a packed IMEISV: 16 digits behind the type, and a filler. */
const IMEISV_OCTETS = 9;
/** With its length octet. */
export const IMSI_OCTETS = 9;
/** Of EF_ICCID: 20 half octets. */
const ICCID_OCTETS = 10;

/**
 * The 15 digits of a packed IMEI; the last is as it came.
 * @param at where the value begins in the whole message
 * @throws DecodeError with the offset in the message: another length or type, a half octet that is no digit
 */
export const decodeImei = (value: Uint8Array, at = 0): string => identity(value, "imei", 15, IMEI_OCTETS, at);
/**
 * The 16 digits of a packed IMEISV.
 * @throws DecodeError with the offset in the message: another length or type, a half octet that is no digit
 */
export const decodeImeisv = (value: Uint8Array, at = 0): string =>
  identity(value, "imeisv", 16, IMEISV_OCTETS, at);

/**
 * The 6 to 15 digits of a packed IMSI behind its length; octets behind it are not looked at.
 * @throws DecodeError with the offset in the message: another length or type, a half octet that is no digit
 */
export function decodeImsi(value: Uint8Array, at = 0): string {
  const [length = 0] = value;
  if (value.length === 0) throw new DecodeError("the IMSI is cut short", at);
  if (length < 3 || length > IMSI_OCTETS - 1)
    throw new DecodeError(`an IMSI has 3 to 8 octets, not ${length}`, at);
  if (value.length < 1 + length) throw new DecodeError("the IMSI is cut short", at + value.length);
  const digits = typed(value.subarray(1, 1 + length), "imsi", at + 1);
  if (digits.length < 6) throw new DecodeError(`an IMSI has 6 to 15 digits, not ${digits.length}`, at);
  return digits;
}

/**
 * The 19 or 20 digits of EF_ICCID.
 * @throws DecodeError with the offset in the message: another length than 10 octets, a half octet that is no digit
 */
export function decodeIccid(value: Uint8Array, at = 0): string {
  if (value.length < ICCID_OCTETS) throw new DecodeError("the ICCID is cut short", at + value.length);
  if (value.length > ICCID_OCTETS) throw new DecodeError("octets after the ICCID", at + ICCID_OCTETS);
  return swapped(value, 0, at);
}

/**
 * Packs an IMEI, its digit 15 as given.
 * @throws RangeError: not 15 digits
 */
export const encodeImei = (digits: string): Uint8Array => encodeIdentity(digits, "imei", 15);
/**
 * Packs an IMEISV.
 * @throws RangeError: not 16 digits
 */
export const encodeImeisv = (digits: string): Uint8Array => encodeIdentity(digits, "imeisv", 16);
/**
 * Packs an IMSI behind its length, as EF_IMSI holds it.
 * @throws RangeError: not 6 to 15 digits
 */
export function encodeImsi(digits: string): Uint8Array {
  if (!/^\d{6,15}$/.test(digits)) throw new RangeError("an IMSI has 6 to 15 digits");
  const value = packed(digits, "imsi");
  return Uint8Array.from([value.length, ...value]);
}
/**
 * Packs an ICCID; one of 19 digits ends in a filler.
 * @throws RangeError: not 19 or 20 digits
 */
export function encodeIccid(digits: string): Uint8Array {
  if (!/^\d{19,20}$/.test(digits)) throw new RangeError("an ICCID has 19 or 20 digits");
  return pairs(digits);
}

function identity(value: Uint8Array, type: Type, digits: number, octets: number, at: number): string {
  if (value.length < octets) throw new DecodeError(`the ${type} is cut short`, at + value.length);
  if (value.length > octets) throw new DecodeError(`octets after the ${type}`, at + octets);
  const text = typed(value, type, at);
  if (text.length === digits) return text;
  throw new DecodeError(`an ${type} has ${digits} digits, not ${text.length}`, at + octets - 1);
}

function typed(value: Uint8Array, type: Type, at: number): string {
  const first = octetIn(value, 0);
  if ((first & 0x07) !== TYPES[type])
    throw new DecodeError(`the identity has type ${first & 0x07}, no ${type}`, at);
  const begin = first >> 4;
  if (begin > 9) throw new DecodeError("a half octet is no digit", at);
  const text = `${begin}${swapped(value, 1, at)}`;
  if ((text.length % 2 === 1) !== ((first & ODD) !== 0))
    throw new DecodeError("the mark of odd digits does not fit their count", at);
  return text;
}

/** Low half first; the filler may stand in the last half only. */
function swapped(value: Uint8Array, from: number, at: number): string {
  let digits = "";
  for (let index = from; index < value.length; index++) {
    const [low, high] = [octetIn(value, index) & 0x0f, octetIn(value, index) >> 4];
    const isLast = index === value.length - 1;
    if (low > 9 || (high > 9 && !(isLast && high === FILLER)))
      throw new DecodeError("a half octet is no digit", at + index);
    digits += high === FILLER ? low : `${low}${high}`;
  }
  return digits;
}

function encodeIdentity(digits: string, type: Type, count: number): Uint8Array {
  if (!/^\d+$/.test(digits) || digits.length !== count)
    throw new RangeError(`an ${type} has ${count} digits`);
  return packed(digits, type);
}

const packed = (digits: string, type: Type): Uint8Array => {
  const odd = digits.length % 2 === 1 ? ODD : 0;
  return Uint8Array.from([(Number(digits[0]) << 4) | odd | TYPES[type], ...pairs(digits.slice(1))]);
};
const pairs = (digits: string): Uint8Array =>
  Uint8Array.from({ length: Math.ceil(digits.length / 2) }, (_, at) => {
    const high = digits[2 * at + 1];
    return ((high === undefined ? FILLER : Number(high)) << 4) | Number(digits[2 * at]);
  });
