/**
 * The one place that hides subscriber and device numbers before they are logged or shown: enough is kept to recognise
 * the network, country or model, the part that singles out a person goes.
 */
import { callingCodeOf } from "./msisdn.ts";

export type IdentifierKind = "imei" | "imsi" | "msisdn" | "iccid";

/** Without a kind the length tells: 14 to 16 digits IMEI or IMSI, 17 and more ICCID, fewer a phone number. */
export function maskIdentifier(text: string, kind?: IdentifierKind): string {
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

const UUID_OR_LONG_NUMBER =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{2}-\d{6}-\d{6}-\d|\d{10,}/gi;

/** Masks every run of 10 digits or more in free text (and an IMEI parted by hyphens); a UUID stays whole. */
export function maskText(text: string): string {
  return text.replace(UUID_OR_LONG_NUMBER, (found) => {
    if (/^\d+$/.test(found)) return maskIdentifier(found);
    return found.length === 36 ? found : maskIdentifier(found.replaceAll("-", ""));
  });
}

const kindOf = (digits: string): IdentifierKind =>
  digits.length >= 17 ? "iccid" : digits.length >= 14 ? "imsi" : "msisdn";

function hidden(text: string, head: number, tail: number): string {
  const shown = head + tail < text.length ? head : 0;
  const last = shown === 0 || tail === 0 ? "" : text.slice(-tail);
  return text.slice(0, shown) + "*".repeat(text.length - shown - last.length) + last;
}
