/** Money: an integer of minor units and its ISO 4217 currency. Never a fraction, never a float. */
import { minorDigitsOf } from "./currency.ts";
import { TurnupError } from "./error.ts";

/** 120 with EUR is 1.20 euro; 120 with JPY is 120 yen. */
type Money = { readonly amountMinor: bigint; readonly currency: string };

/** A whole, in basis points: 10,000 is all of it, 1 is a hundredth of a percent. */
export const BASIS_POINTS_WHOLE = 10_000;

/** @throws TurnupError `currency_malformed` not three capital letters; `money_malformed` not an integer */
export function money(amountMinor: bigint | number | string, currency: string): Money {
  if (!/^[A-Z]{3}$/.test(currency)) {
    throw new TurnupError("currency_malformed", "A currency is three capital letters of ISO 4217.");
  }
  const isInteger =
    typeof amountMinor === "bigint" ||
    (typeof amountMinor === "number" ? Number.isSafeInteger(amountMinor) : /^-?\d{1,18}$/.test(amountMinor));
  if (!isInteger) throw new TurnupError("money_malformed", "An amount is an integer of minor units.");
  return { amountMinor: BigInt(amountMinor), currency };
}

/** @throws TurnupError `currency_mismatch` */
function subtractMoney(one: Money, other: Money): Money {
  assertSameCurrency(one, other);
  return { amountMinor: one.amountMinor - other.amountMinor, currency: one.currency };
}

/**
 * Parts a sum. The portion is rounded to the nearest whole minor unit, a half to the even one (IEEE 754 §4.3.1,
 * roundTiesToEven), so that halves favour neither side over many keys; the rest is what is left, so the two always add
 * up to the sum. Both parties to a contract part its fee by this one function.
 * @throws TurnupError `portion_malformed`: not an integer of 0 to 10,000 basis points
 */
export function portionOf(
  sum: Money,
  basisPoints: number,
): { readonly portion: Money; readonly rest: Money } {
  if (!Number.isInteger(basisPoints) || basisPoints < 0 || basisPoints > BASIS_POINTS_WHOLE) {
    throw new TurnupError("portion_malformed", `A portion is 0 to ${BASIS_POINTS_WHOLE} basis points.`);
  }
  const amountMinor = dividedHalfEven(sum.amountMinor * BigInt(basisPoints), BigInt(BASIS_POINTS_WHOLE));
  const portion: Money = { amountMinor, currency: sum.currency };
  return { portion, rest: subtractMoney(sum, portion) };
}

/** @param divisor above 0 */
function dividedHalfEven(dividend: bigint, divisor: bigint): bigint {
  const truncated = dividend / divisor;
  const left = dividend % divisor; // has the dividend's sign
  const twice = (left < 0n ? -left : left) * 2n;
  const isUp = twice > divisor || (twice === divisor && truncated % 2n !== 0n);
  if (!isUp) return truncated;
  return dividend < 0n ? truncated - 1n : truncated + 1n;
}

/** For people, in the given locale; exact at any size, since Intl reads the decimal text and no float. */
export function formatMoney(sum: Money, locale = "en"): string {
  const digits = minorDigitsOf(sum.currency);
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency: sum.currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return format.format(decimalOf(sum) as Intl.StringNumericLiteral); // digits with a point, by the function below
}

/** For machines: `150.00` for 15000 EUR, with just the decimals of the currency. */
export function decimalOf({ amountMinor, currency }: Money): string {
  const digits = minorDigitsOf(currency);
  const sign = amountMinor < 0n ? "-" : "";
  const units = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(digits + 1, "0");
  const whole = units.slice(0, units.length - digits);
  return `${sign}${whole}${digits > 0 ? `.${units.slice(-digits)}` : ""}`;
}

/** A decimal text to minor units; undefined where it is none, or finer than the currency. */
export function minorOfDecimal(text: string, currency: string): bigint | undefined {
  const [, sign, whole, fraction = ""] = /^(-?)(\d{1,18})(?:\.(\d{1,17}))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = minorDigitsOf(currency);
  if (/[1-9]/.test(fraction.slice(digits))) return undefined;
  const minor = BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"));
  return sign === "-" ? -minor : minor;
}

function assertSameCurrency(one: Money, other: Money): void {
  if (one.currency !== other.currency) {
    throw new TurnupError("currency_mismatch", `${one.currency} and ${other.currency} do not add up.`);
  }
}
