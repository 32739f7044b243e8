/**
 * A bank account in place of a card (R8; US 6,647,260, columns 3 and 5): checked by its digits, given to the payment provider at
 * once with the holder's mandate, and kept as a token. The number lives in the arguments of two functions here and nowhere else.
 * It counts among the tries of cards: lists of stolen accounts are run past a payment provider as lists of cards are.
 */
import { createHmac } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { countryOfIban, type Iban, ibanFaultOf, isIbanOfDigits, parseIban } from "../../term/iban.ts";
import { membersOf } from "../../term/narrow.ts";
import { ibanOfNational, NATIONAL_ACCOUNT_COUNTRIES } from "../../term/national-account.ts";
import { type AccountTokens, type CardDoor, countedTry, unavailable } from "./card.ts";
import type { TriedBy } from "./card-tries.ts";
import type { CardReference } from "./user-data.ts";

/** As somebody typed it: an IBAN, or the number as their country writes it. */
export type AccountInput = {
  readonly number: string;
  /** ISO 3166-1 alpha-2: of a number that is no IBAN. */
  readonly country: string | null;
  /** Null where it was not asked for, since keys cannot write it. */
  readonly holder: string | null;
  /** The holder allows collection by direct debit. */
  readonly isAllowed: boolean;
};
type AccountFault = { readonly field: "number" | "holder" | "mandate"; readonly code: string };

/** Of a debtor's name (EPC016-06, AT-14). */
export const HOLDER_CHARACTERS_MAX = 70;
/** An IBAN has 34 characters at most, with generous separators. */
export const ACCOUNT_CHARACTERS_MAX = 42;

/** All that is wrong with an account as typed, each by its rule; empty where it can be one. Nothing of it is repeated. */
export function checkAccount(input: AccountInput): readonly AccountFault[] {
  const faults: AccountFault[] = [];
  const number = readAccountNumber(input);
  if (typeof number === "object") faults.push({ field: "number", code: number.fault });
  const holder = input.holder === null ? null : holderFaultOf(input.holder.trim());
  if (holder !== null) faults.push({ field: "holder", code: holder });
  if (!input.isAllowed) faults.push({ field: "mandate", code: "mandate_missing" });
  return faults;
}

/** By its check digits: two letters and two digits begin an IBAN, everything else is a number of the country. */
export function readAccountNumber({
  number,
  country,
}: Pick<AccountInput, "number" | "country">): Iban | { readonly fault: string } {
  if (number.trim() === "") return { fault: "missing" };
  if (number.length > ACCOUNT_CHARACTERS_MAX) return { fault: "iban_length" };
  const isIban = /^\s*[A-Za-z]{2}\s*\d\s*\d/.test(number);
  if (!isIban && (country === null || !NATIONAL_ACCOUNT_COUNTRIES.includes(country)))
    return { fault: "iban_malformed" };
  try {
    return isIban || country === null ? parseIban(number) : ibanOfNational(country, number);
  } catch (error) {
    if (!(error instanceof TurnupError) || error.code !== "account_malformed") throw error;
    const { code } = membersOf(error.details);
    return { fault: typeof code === "string" ? code : "iban_malformed" };
  }
}

/** Whether a subscriber of this country can key an account on a telephone. */
export const isKeyable = (country: string | null | undefined): country is string =>
  country !== null && country !== undefined && isIbanOfDigits(country);

/**
 * What was keyed on a telephone: digits are the IBAN without the letters of the country, which stand in front of it again, or else
 * the number as the country writes it. By their lengths the two are never taken for each other.
 */
export function keyedAccount(country: string, keyed: string): string {
  const iban = `${country}${keyed}`;
  const isNumber = NATIONAL_ACCOUNT_COUNTRIES.includes(country) && ibanFaultOf(iban) === "iban_length";
  return isNumber ? keyed : iban;
}

function holderFaultOf(holder: string): string | null {
  if (holder === "") return "missing";
  if (holder.length > HOLDER_CHARACTERS_MAX) return "too_long";
  if (/\p{Cc}/u.test(holder)) return "control_characters";
  return /\p{L}/u.test(holder) ? null : "no_name";
}

/** Whether it can be given an account at all; one that takes cards alone is found out at the first try at the latest. */
export const takesAccounts = ({ provider }: Pick<CardDoor, "provider">): boolean =>
  provider.tokeniseAccount !== undefined;

/** As of a card; a mandate reference has 35 characters at most (EPC016-06, AT-01). */
const TOKEN_CHARACTERS_MAX = 200;
const MANDATE_HEX_DIGITS = 30;
const [BANK_BEGINS, LAST_SHOWN] = [6, 4];

/**
 * Changes an account for a token; the holder gave the mandate. No error repeats anything of the number.
 * @throws TurnupError `account_not_taken`, `card_refused`, `card_tries_exceeded`, `dependency_unavailable`
 */
export async function takeAccount(
  { provider, secret, tries }: CardDoor,
  input: {
    readonly iban: Iban;
    /** Left out where whoever entered it did not say. */
    readonly holder?: string | undefined;
    readonly operatorId: string;
    readonly idempotencyKey: string;
    readonly now: Date;
    readonly triedBy: readonly TriedBy[];
  },
): Promise<CardReference> {
  const { iban, holder, operatorId, idempotencyKey, now } = input;
  if (provider.tokeniseAccount === undefined) throw notTaken();
  const index = createHmac("sha256", secret).update(`${operatorId}\0account\0${iban}`).digest();
  const one = { operatorId, by: input.triedBy, card: index, idempotencyKey, now };
  const mandate = {
    reference: `M${mandateDigits(secret, operatorId, idempotencyKey)}`,
    signedOn: now.toISOString().slice(0, 10),
  };
  const token = await countedTry(tries, one, (tryId) =>
    tokenised(provider, {
      iban,
      ...(holder !== undefined && { holder: holder.trim() }),
      mandate,
      idempotencyKey: tryId,
    }),
  );
  // The token is the payment provider's, and must not be the number.
  if (
    token === "" ||
    token.length > TOKEN_CHARACTERS_MAX ||
    token.toUpperCase().includes(iban.slice(BANK_BEGINS))
  )
    throw unavailable();
  return {
    token,
    first6: `${countryOfIban(iban)}****`, // in a card's place; what is behind the country tells the bank
    last4: iban.slice(-LAST_SHOWN),
    brand: "iban",
    index,
    mandate,
  };
}

/** The same request, asked again, is under the same mandate. */
const mandateDigits = (secret: Uint8Array, operatorId: string, idempotencyKey: string): string =>
  createHmac("sha256", secret)
    .update(`${operatorId}\0mandate\0${idempotencyKey}`)
    .digest("hex")
    .slice(0, MANDATE_HEX_DIGITS)
    .toUpperCase();

async function tokenised(
  provider: AccountTokens,
  account: Parameters<NonNullable<AccountTokens["tokeniseAccount"]>>[0],
): Promise<string> {
  let answer: Awaited<ReturnType<NonNullable<AccountTokens["tokeniseAccount"]>>> | undefined;
  try {
    answer = await provider.tokeniseAccount?.(account);
  } catch {
    throw unavailable(); // without its cause, which may quote what was sent
  }
  if (answer?.kind === "token") return answer.token;
  if (answer === undefined || answer.kind === "not_taken") throw notTaken();
  if (answer.kind === "failed") throw unavailable();
  throw new TurnupError("card_refused", "The payment provider does not take this account.", {
    nextStep: "Use another account, or a card.",
  });
}

const notTaken = (): TurnupError =>
  new TurnupError("account_not_taken", "The payment provider takes cards alone, and no bank accounts.", {
    nextStep: "Give a card.",
  });
