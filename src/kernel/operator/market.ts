/** Which of the operator's markets an order is of. */

/** Where a device is: the network that serves it, where that is known, and the home of its SIM. */
type Place = { readonly servingPlmn: string | null; readonly homePlmn: string };

/**
 * By what its orders are counted and by whose rules they go (R84, R128): the country of the network that serves the device
 * now, where it is one of the operator's markets. Where no list knows that network, the country of the SIM's own.
 */
export function marketOf(
  { servingPlmn, homePlmn }: Place,
  countryOf: (mcc: string) => string | null,
  markets: readonly string[],
): string | null {
  const of = (plmn: string): string | null => countryOf(plmn.slice(0, MCC_DIGITS));
  const country = (servingPlmn === null ? null : of(servingPlmn)) ?? of(homePlmn);
  return country !== null && markets.includes(country) ? country : null;
}
const MCC_DIGITS = 3;
