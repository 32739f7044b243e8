/**
 * An access point's name, as a phone stores and a network looks it up. Source: 3GPP TS 23.003 clause 9.
 *
 *   internet.example            network identifier: what an operator hands out, at most 63 octets encoded
 *   .mnc001.mcc262.gprs         operator identifier: may follow, names the home network
 */
import { TurnupError } from "./error.ts";

/** Kept as written; two names that differ in case only are one access point (TS 23.003 clause 9.1). */
type Apn = string & { readonly brand: "Apn" };

/** Octets of the whole name, encoded: one length octet goes before each label (clause 9.1). */
const APN_OCTETS_MAX = 100;
/** Octets of the network identifier, encoded (clause 9.1.1). */
const NETWORK_IDENTIFIER_OCTETS_MAX = 63;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const OPERATOR_IDENTIFIER = /\.mnc(\d{3})\.mcc(\d{3})\.gprs$/i;
/** Names of network nodes begin so: an access point must not (clause 9.1.1). */
const RESERVED = /^(?:rac|lac|sgsn|rnc)/i;

/** @throws TurnupError `apn_malformed`, with the clause's rule that was broken */
export function parseApn(text: string): Apn {
  const broken = brokenRuleOf(text);
  if (broken) throw new TurnupError("apn_malformed", broken);
  return text as Apn; // no rule is broken
}

function brokenRuleOf(text: string): string | undefined {
  if (text.length === 0) return "An access point name is empty.";
  if (text.length + 1 > APN_OCTETS_MAX)
    return `An access point name has at most ${APN_OCTETS_MAX - 1} characters.`;
  const network = text.replace(OPERATOR_IDENTIFIER, "");
  if (network.length + 1 > NETWORK_IDENTIFIER_OCTETS_MAX) {
    return `A network identifier has at most ${NETWORK_IDENTIFIER_OCTETS_MAX - 1} characters.`;
  }
  if (!network.split(".").every((label) => LABEL.test(label))) {
    return "An access point name is labels of letters, digits and inner hyphens, parted by dots.";
  }
  if (RESERVED.test(network)) return "An access point name never begins with rac, lac, sgsn or rnc.";
  if (/\.gprs$/i.test(network)) return "Only an operator identifier (.mncNNN.mccNNN.gprs) ends with .gprs.";
  return undefined;
}
