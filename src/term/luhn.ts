/** The check digit of ISO/IEC 7812-1 Annex B, which IMEI (TS 23.003 Annex B) and ICCID (ITU-T E.118) end with. */

const ZERO = 48;

/**
 * The digit that makes `digits` followed by it pass the Luhn sum.
 * @param digits decimal digits only, the caller has checked
 */
export function luhnDigitOf(digits: string): string {
  let sum = 0;
  let doubled = true; // the digit left of the check digit is the first one doubled
  for (let at = digits.length - 1; at >= 0; at--) {
    const digit = digits.charCodeAt(at) - ZERO;
    const weight = doubled ? digit * 2 : digit;
    sum += weight > 9 ? weight - 9 : weight;
    doubled = !doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

/** Whether the last of `digits` is the Luhn digit of those before it. */
export const passesLuhn = (digits: string): boolean => luhnDigitOf(digits.slice(0, -1)) === digits.at(-1);
