/**
 * Account numbers as a country writes them, by their own check digits, and the IBAN that each stands for. Only countries whose
 * number has check digits of its own, so that a mistyped one is seen before it becomes a good IBAN of somebody else.
 * Sources: the IBAN registry of SWIFT (structure), the national rules named at each.
 */
import { TurnupError } from "./error.ts";
import { type Iban, parseIban } from "./iban.ts";
import { mod97DigitsOf, mod97Of } from "./mod-97.ts";

type Rule = { readonly shape: RegExp; readonly passes: (number: string) => boolean };

/** The whole number leaves 1: NIB of Portugal, and the numbers of Slovenia, Serbia, Montenegro, North Macedonia, Bosnia. */
const wholeLeavesOne = (digits: number): Rule => ({
  shape: new RegExp(`^\\d{${digits}}$`),
  passes: (number) => mod97Of(number) === 1,
});

const RULES: Readonly<Record<string, Rule>> = {
  BA: wholeLeavesOne(16),
  /** Febelfin: the first ten digits, modulo 97, 0 written as 97. */
  BE: {
    shape: /^\d{12}$/,
    passes: (number) => (mod97Of(number.slice(0, 10)) || 97) === Number(number.slice(10)),
  },
  /** CCC: one check digit for bank and branch, one for the account, weights modulo 11. */
  ES: {
    shape: /^\d{20}$/,
    passes: (number) =>
      spanishDigit(`00${number.slice(0, 8)}`) === number[8] && spanishDigit(number.slice(10)) === number[9],
  },
  /** RIB: the key at its end, letters of the account by their place on a telephone's keys. */
  FR: { shape: /^\d{10}[0-9A-Z]{11}\d{2}$/, passes: frenchKeyPasses },
  MC: { shape: /^\d{10}[0-9A-Z]{11}\d{2}$/, passes: frenchKeyPasses },
  ME: wholeLeavesOne(18),
  MK: wholeLeavesOne(15),
  /** Modulo 11 with weights 5 4 3 2 7 6 5 4 3 2; where 10 would be the digit there is no such number. */
  NO: {
    shape: /^\d{11}$/,
    passes: (number) =>
      (11 - (weighed(number, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(number[10]),
  },
  PT: wholeLeavesOne(21),
  RS: wholeLeavesOne(18),
  SI: wholeLeavesOne(15),
};

export const NATIONAL_ACCOUNT_COUNTRIES: readonly string[] = Object.keys(RULES);

/**
 * The IBAN of a number as its country writes it; spaces, hyphens and dots are dropped.
 * @throws TurnupError `account_malformed`: `details.code` says which rule; the number is never repeated
 */
export function ibanOfNational(country: string, text: string): Iban {
  const rule = RULES[country];
  const number = text.replace(/[\s.-]/g, "").toUpperCase();
  if (!rule)
    throw malformed(
      "country_unknown",
      `Numbers of ${/^[A-Z]{2}$/.test(country) ? country : "this country"} are taken as IBAN alone.`,
    );
  if (!rule.shape.test(number))
    throw malformed("account_number_malformed", `This is no account number of ${country}.`);
  if (!rule.passes(number))
    throw malformed(
      "account_number_check_digits",
      "The check digits of this account number do not fit the rest of it.",
    );
  return parseIban(`${country}${mod97DigitsOf(country, number)}${number}`);
}

const malformed = (code: string, message: string): TurnupError =>
  new TurnupError("account_malformed", message, {
    details: { field: "number", code },
    nextStep: "Read the account number again, or give the IBAN; nothing of it was kept.",
  });

const weighed = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0);

function spanishDigit(ten: string): string {
  const rest = 11 - (weighed(ten, [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11);
  return rest === 11 ? "0" : rest === 10 ? "1" : String(rest);
}

/** A and J are 1, B, K and S are 2, and so on to 9. */
const FRENCH_LETTERS = "12345678912345678923456789";

function frenchKeyPasses(number: string): boolean {
  const digits = number.replace(/[A-Z]/g, (letter) => FRENCH_LETTERS[letter.charCodeAt(0) - 65] ?? "0");
  const [bank, branch, account] = [digits.slice(0, 5), digits.slice(5, 10), digits.slice(10, 21)];
  const sum = 89n * BigInt(bank) + 15n * BigInt(branch) + 3n * BigInt(account);
  return 97n - (sum % 97n) === BigInt(digits.slice(21));
}
