/** The subscription's number: MCC (3), MNC (2 or 3), MSIN. Source: 3GPP TS 23.003 clause 2.2. */
import { TurnupError } from "./error.ts";
import { mccOf, type Plmn } from "./plmn.ts";

/** 6 to 15 decimal digits. */
export type Imsi = string & { readonly brand: "Imsi" };

/** @throws TurnupError `imsi_malformed`: not 6 to 15 decimal digits, or no country code in front */
export function parseImsi(text: string): Imsi {
  if (!/^\d{6,15}$/.test(text)) {
    throw new TurnupError(
      "imsi_malformed",
      `An IMSI has 6 to 15 digits, not ${text.length} characters of this kind.`,
    );
  }
  return text as Imsi; // 6 to 15 digits
}

/** The first 3 digits, the country of the home network (ITU-T E.212); not checked to be one that is given out. */
const mccOfImsi = (imsi: Imsi): string => imsi.slice(0, 3);

/** Names the home network of an IMSI, or undefined where the length of its MNC cannot be told. */
export type HomePlmnResolver = (imsi: Imsi) => Plmn | undefined;

/** As `HomePlmnResolver`, by the lists of networks that hold for an operator; undefined: for nobody in particular. */
export type HomePlmnOf = (imsi: Imsi, operatorId: string | undefined) => Plmn | undefined;

/**
 * The number itself does not say whether its MNC has 2 or 3 digits; the networks that exist do.
 * A known network of 3 digits wins over a known one of 2. An unknown network takes the length that all known ones
 * of its country share; a country with both lengths gives undefined.
 */
export function homePlmnResolver(known: Iterable<Plmn>): HomePlmnResolver {
  const all = new Set(known);
  const networks: ReadonlySet<string> = all;
  const lengthOfCountry = new Map<string, number>();
  for (const plmn of all) {
    const mcc = mccOf(plmn);
    const before = lengthOfCountry.get(mcc);
    lengthOfCountry.set(mcc, before === undefined || before === plmn.length ? plmn.length : 0);
  }
  return (imsi) => {
    const three = imsi.slice(0, 6);
    const two = imsi.slice(0, 5);
    if (networks.has(three)) return three as Plmn; // its first digits: MCC and MNC
    if (networks.has(two)) return two as Plmn; // its first digits: MCC and MNC
    const length = lengthOfCountry.get(mccOfImsi(imsi));
    return length ? (imsi.slice(0, length) as Plmn) : undefined; // its first digits: MCC and MNC
  };
}
