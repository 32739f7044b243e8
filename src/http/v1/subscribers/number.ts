/** A subscriber by the number that stands in an address: 14 or 15 digits are an IMSI, fewer, or any with a +, a phone number. */
import Type from "typebox";
import { subscriberNotFound } from "../../../kernel/account/erasure.ts";
import { parseImsi } from "../../../term/imsi.ts";
import { parseMsisdn } from "../../../term/msisdn.ts";
import type { RequestDeps } from "../../ports.ts";

const IMSI = /^\d{14,15}$/;

export const subscriberNumber = Type.String({
  pattern: "^\\+?[0-9]{6,15}$",
  description: "Phone number in E.164, or IMSI: 14 or 15 digits without + are an IMSI.",
  examples: ["491701234567", "001010000000099"],
});

/** @throws TurnupError `subscriber_not_found`, `imsi_malformed`, `msisdn_malformed` */
export async function subscriberNamed(
  { reader }: Pick<RequestDeps, "reader">,
  operatorId: string,
  text: string,
): Promise<string> {
  const number = numberNamed(text);
  const found = await reader.subscriberOf(operatorId, number);
  if (found !== undefined) return found;
  throw subscriberNotFound();
}

/** @throws TurnupError `imsi_malformed`, `msisdn_malformed` */
export const numberNamed = (text: string): { readonly imsi: string } | { readonly msisdn: string } =>
  IMSI.test(text) ? { imsi: parseImsi(text) } : { msisdn: parseMsisdn(plused(text)) };

const plused = (text: string): string => (text.startsWith("+") ? text : `+${text}`);
