/** A mobile network: country code (3 digits) and network code (2 or 3). Source: 3GPP TS 23.003 clause 2.2; ITU-T E.212. */
import { TurnupError } from "./error.ts";

/** `26201` or `310410`: MCC and MNC joined. `01` and `001` are two networks, so the length of the MNC is kept. */
export type Plmn = string & { readonly brand: "Plmn" };

/**
 * Reads `26201`, `262-01`, `262/01`, `262.01` or `262 01`.
 * @throws TurnupError `plmn_malformed`: not 3 and 2 or 3 digits
 */
export function parsePlmn(text: string): Plmn {
  const match = /^(\d{3})[-/. ]?(\d{2,3})$/.exec(text);
  if (!match) throw new TurnupError("plmn_malformed", "A network is MCC (3 digits) and MNC (2 or 3 digits).");
  return `${match[1]}${match[2]}` as Plmn; // by the pattern above
}

/** @throws TurnupError `plmn_malformed` */
export const plmnOf = (mcc: string, mnc: string): Plmn => parsePlmn(`${mcc}-${mnc}`);

/** The 3 digits of the mobile country code. */
export const mccOf = (plmn: Plmn): string => plmn.slice(0, 3);
/** The 2 or 3 digits of the mobile network code; a leading zero counts. */
export const mncOf = (plmn: Plmn): string => plmn.slice(3);
