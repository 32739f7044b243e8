/**
 * How many decimals a currency has: the minor unit of ISO 4217, list one. Not `Intl`'s: that tells how people write sums (no
 * filler for HUF or IQD), and a bank that is told 1250 for 12.50 pays a hundred times as much.
 */

const WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ");
const WITH_THREE = "BHD IQD JOD KWD LYD OMR TND".split(" ");
const WITH_FOUR = "CLF UYW".split(" ");
const USUAL_DIGITS = 2;

/** 2 for EUR, 0 for JPY, 3 for KWD, 4 for CLF. */
export function minorDigitsOf(currency: string): number {
  if (WITHOUT.includes(currency)) return 0;
  if (WITH_THREE.includes(currency)) return 3;
  return WITH_FOUR.includes(currency) ? 4 : USUAL_DIGITS;
}
