/** The number that an exchange tells of a caller: `tel:+44...`, `sip:+44...@host`, plain digits. A hint, and no proof. */
import { TurnupError } from "../../term/error.ts";
import { parseMsisdn } from "../../term/msisdn.ts";

const URI_CHARACTERS_MAX = 200;

/** E.164 without +; undefined where it names no number that can be read as one (hidden, a name, a number of an office). */
export function callerNumber(uri: string): string | undefined {
  if (uri.length > URI_CHARACTERS_MAX) return undefined;
  const user = /^(?:tel:|sips?:)?([^@;?]*)/i.exec(uri.trim())?.[1] ?? "";
  return numberKeyed(user.startsWith("+") ? user : user.replace(/^00(?=[1-9])/, "+"), "+");
}

/** What somebody keyed, with the country code; `00` in front does no harm. */
export const numberKeyed = (text: string, needs: "+" | "digits" = "digits"): string | undefined => {
  const plain = text.replace(/[\s().-]/g, "");
  if (needs === "+" && !plain.startsWith("+")) return undefined;
  const digits = plain.replace(/^\+|^00/, "");
  if (!/^[1-9]\d{6,14}$/.test(digits)) return undefined;
  try {
    return parseMsisdn(`+${digits}`);
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
};
