/**
 * The one place that hides subscriber and device numbers before they are logged or shown: enough is kept to recognise
 * the network, country or model, the part that singles out a person goes.
 */
import { passesLuhn } from "./luhn.ts";
import { callingCodeOf } from "./msisdn.ts";

/** What a number is, for the digits that stay in sight: TAC, network, calling code or card issuer. */
type IdentifierKind = "imei" | "imsi" | "msisdn" | "iccid";

/** In the place of a number whose person was erased. */
export const ERASED = "erased";

/** Without a kind the length tells: 14 to 16 digits IMEI or IMSI, 17 and more ICCID, fewer a phone number. */
export function maskIdentifier(text: string, kind?: IdentifierKind): string {
  if (text === ERASED) return ERASED;
  const digits = text.replace(/^\+/, "");
  if (!/^\d+$/.test(digits)) return hidden(text, Math.min(2, text.length >> 1), 0);
  switch (kind ?? kindOf(digits)) {
    case "imei":
      return hidden(digits, 8, 0); // the TAC names a model, not a device
    case "msisdn":
      return hidden(digits, callingCodeOf(digits).length, 2);
    default:
      return hidden(digits, 6, 0); // MCC and MNC of an IMSI; 89, country and issuer of an ICCID
  }
}

/** A UUID; an IMEI parted by hyphens; digits parted one by one or in groups, as cards are written; digits in a row. */
const UUID_OR_LONG_NUMBER =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{2}-\d{6}-\d{6}-\d(?![ .\u00a0-]?\d)|\d(?:[ .\u00a0-]?\d){12,}|\d{10,}/gi;

/**
 * Masks every run of 10 digits or more in free text, an IMEI parted by hyphens, and every card number however it is
 * parted; a UUID stays whole.
 */
export function maskText(text: string): string {
  return text.replace(UUID_OR_LONG_NUMBER, (found) => {
    if (/^\d+$/.test(found)) return maskIdentifier(found);
    if (UUID.test(found)) return found;
    const digits = found.replace(/\D/g, "");
    if (HYPHENED_IMEI.test(found)) return maskIdentifier(digits);
    const isList = found.split(/\D/).every((group) => group.length >= 10); // each is masked by itself
    if (!isList && holdsCard(digits)) return hidden(digits, CARD_HEAD, 0);
    return found.replace(/\d{10,}/g, (run) => maskIdentifier(run));
  });
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HYPHENED_IMEI = /^\d{2}-\d{6}-\d{6}-\d$/;
const CARD_DIGITS_MIN = 13;
const CARD_DIGITS_MAX = 19;
/** The issuer's number. */
const CARD_HEAD = 6;

/** Whether some 13 to 19 of the digits, in a row, pass the Luhn sum: other numbers may stand before and behind a card's. */
function holdsCard(digits: string): boolean {
  for (let at = 0; at + CARD_DIGITS_MIN <= digits.length; at++) {
    for (let length = CARD_DIGITS_MIN; length <= CARD_DIGITS_MAX && at + length <= digits.length; length++) {
      if (passesLuhn(digits.slice(at, at + length))) return true;
    }
  }
  return false;
}

const kindOf = (digits: string): IdentifierKind =>
  digits.length >= 17 ? "iccid" : digits.length >= 14 ? "imsi" : "msisdn";

function hidden(text: string, head: number, tail: number): string {
  const shown = head + tail < text.length ? head : 0;
  const last = shown === 0 || tail === 0 ? "" : text.slice(-tail);
  return text.slice(0, shown) + "*".repeat(text.length - shown - last.length) + last;
}
