/**
 * A payment card at the door: checked, given to the payment provider at once, and kept as a reference. Number and code
 * live in the arguments of two functions here and nowhere else: not in a row, an event, a log line or an error (R38).
 * Sources: ISO/IEC 7812-1 (number, Luhn digit), PCI DSS 4.0 §3.3 and §3.4 (no code is kept; first 6 and last 4 may show).
 */
import { createHmac } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import { passesLuhn } from "../../term/luhn.ts";
import type { CardTries, CardTry, Pause, TriedBy } from "./card-tries.ts";
import type { CardReference, Mandate } from "./user-data.ts";

const CARD_BRANDS = [
  "visa",
  "mastercard",
  "amex",
  "discover",
  "diners",
  "jcb",
  "unionpay",
  "maestro",
  "other",
] as const;
type CardBrand = (typeof CARD_BRANDS)[number];

/** As somebody typed it. */
export type CardInput = { readonly number: string; readonly expiry: string; readonly code: string | null };
type CardFault = {
  readonly field: "number" | "expiry" | "code";
  readonly code:
    | "card_number_malformed"
    | "card_number_check_digit"
    | "card_expiry_malformed"
    | "card_expired"
    | "card_code_malformed";
};

/** The payment provider's door, as much of it as is needed here. */
interface CardTokens {
  tokenise(card: {
    readonly pan: string;
    readonly expiry: string;
    readonly cvv: string | null;
    readonly idempotencyKey: string;
  }): Promise<
    | { readonly kind: "token"; readonly card: Omit<CardReference, "index"> }
    | { readonly kind: "refused"; readonly cause: string }
    | { readonly kind: "failed"; readonly cause: string }
  >;
}

/** The payment provider's door for accounts; a provider that takes cards alone has none. */
export interface AccountTokens {
  readonly tokeniseAccount?:
    | ((account: {
        readonly iban: string;
        readonly holder?: string;
        readonly mandate: Mandate;
        readonly idempotencyKey: string;
      }) => Promise<
        | { readonly kind: "token"; readonly token: string }
        /** It takes cards alone. */
        | { readonly kind: "not_taken" }
        | { readonly kind: "refused"; readonly cause: string }
        | { readonly kind: "failed"; readonly cause: string }
      >)
    | undefined;
}

const CARD_SECRET_OCTETS = 32;
/** Characters of a typed number with generous separators. */
const NUMBER_CHARACTERS_MAX = 40;
/** A card that says to be good for longer is mistyped. */
const EXPIRY_YEARS_MAX = 20;

/** Where cards of an operator go, and where each try is counted before. */
export type CardDoor = {
  readonly provider: CardTokens & AccountTokens;
  readonly secret: Uint8Array;
  readonly tries: CardTries;
};

/**
 * Changes a card for a token. Nothing of the input is kept, and no error repeats any of it.
 * @throws TurnupError `card_malformed` (details name the field), `card_refused`, `card_tries_exceeded`, `dependency_unavailable`
 */
export async function takeCard(
  { provider, secret, tries }: CardDoor,
  input: CardInput & {
    readonly operatorId: string;
    readonly idempotencyKey: string;
    readonly now: Date;
    readonly triedBy: readonly TriedBy[];
  },
): Promise<CardReference> {
  const [fault] = checkCard(input, input.now);
  if (fault) {
    throw new TurnupError("card_malformed", FAULT_WORDS[fault.code], {
      details: { field: fault.field, code: fault.code },
      nextStep: "Read the card again; nothing of it was kept.",
    });
  }
  const pan = digitsOf(input.number);
  const { operatorId, idempotencyKey, now } = input;
  const index = cardIndex(secret, operatorId, pan);
  const one: CardTry = { operatorId, by: input.triedBy, card: index, idempotencyKey, now };
  const { token } = await countedTry(tries, one, (tryId) =>
    tokenised(provider, {
      pan,
      expiry: expiryOf(input.expiry) ?? "",
      cvv: input.code?.trim() || null,
      // In the try's name: what was refused is not answered from memory when it comes again with another code.
      idempotencyKey: tryId,
    }),
  );
  // Digits and brand are ours, from the number; only the token is the payment provider's, and it must not be the number.
  if (token === "" || token.length > TOKEN_CHARACTERS_MAX || digitsOf(token).includes(pan))
    throw unavailable();
  return {
    token,
    first6: pan.slice(0, FIRST_SHOWN),
    last4: pan.slice(-LAST_SHOWN),
    brand: brandOf(pan),
    index,
  };
}

/** Counts a try of a card or an account before the payment provider hears of it, and how it ended. */
export async function countedTry<Answer>(
  tries: CardTries,
  one: CardTry,
  ask: (tryId: string) => Promise<Answer>,
): Promise<Answer> {
  const begun = await tries.begin(one);
  if (begun.kind === "pause") throw tooManyCards(begun.pause, one.now);
  const answer = await ask(begun.tryId).catch(async (error: unknown) => {
    const isRefused = error instanceof TurnupError && error.code === "card_refused";
    await tries.end(one.operatorId, begun.tryId, isRefused ? "refused" : "void");
    throw error;
  });
  await tries.end(one.operatorId, begun.tryId, "accepted");
  return answer;
}

const FIRST_SHOWN = 6;
const LAST_SHOWN = 4;
const TOKEN_CHARACTERS_MAX = 200;

type Tokenised = Extract<Awaited<ReturnType<CardTokens["tokenise"]>>, { kind: "token" }>["card"];

async function tokenised(
  provider: CardTokens,
  card: Parameters<CardTokens["tokenise"]>[0],
): Promise<Tokenised> {
  let answer: Awaited<ReturnType<CardTokens["tokenise"]>>;
  try {
    answer = await provider.tokenise(card);
  } catch {
    throw unavailable(); // without its cause, which may quote what was sent
  }
  if (answer.kind === "token") return answer.card;
  if (answer.kind === "failed") throw unavailable();
  throw new TurnupError("card_refused", "The payment provider does not take this card.", {
    nextStep: "Use another card.",
  });
}

function tooManyCards({ until }: Pause, now: Date): TurnupError {
  const seconds = Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1_000));
  return new TurnupError("card_tries_exceeded", "Too many cards were tried.", {
    nextStep: `Wait ${seconds} seconds before the next card; each further one makes the wait longer.`,
    details: { retryAfterSeconds: seconds },
  });
}

export const unavailable = (): TurnupError =>
  new TurnupError("dependency_unavailable", "The payment provider did not take it in time.", {
    nextStep: "Try again; nothing of the card or account was kept.",
  });

/** All that is wrong with a card as typed; empty where it can be one. A code is needed by the payment provider, if at all. */
export function checkCard({ number, expiry, code }: CardInput, now: Date): readonly CardFault[] {
  const faults: CardFault[] = [];
  const pan = parsePan(number);
  if (typeof pan === "object") faults.push({ field: "number", code: pan.fault });
  const mmyy = expiryOf(expiry);
  if (mmyy === undefined) faults.push({ field: "expiry", code: "card_expiry_malformed" });
  else if (monthsUntil(mmyy, now) < 0) faults.push({ field: "expiry", code: "card_expired" });
  else if (monthsUntil(mmyy, now) > EXPIRY_YEARS_MAX * 12)
    faults.push({ field: "expiry", code: "card_expiry_malformed" });
  const codeDigits = typeof pan === "string" && brandOf(pan) === "amex" ? /^\d{4}$/ : /^\d{3}$/;
  if (code !== null && code.trim() !== "" && !codeDigits.test(code.trim()))
    faults.push({ field: "code", code: "card_code_malformed" });
  return faults;
}

/** 12 to 19 digits with a right Luhn digit; spaces and hyphens between them are dropped. */
export function parsePan(
  text: string,
): string | { readonly fault: "card_number_malformed" | "card_number_check_digit" } {
  const pan = digitsOf(text);
  const isShaped = /^\s*\d[\d -]*\s*$/.test(text) && /^[1-9]\d{11,18}$/.test(pan);
  if (!isShaped || text.length > NUMBER_CHARACTERS_MAX) return { fault: "card_number_malformed" };
  return passesLuhn(pan) ? pan : { fault: "card_number_check_digit" };
}

const digitsOf = (text: string): string => text.slice(0, TOKEN_CHARACTERS_MAX).replace(/\D/g, "");

/** `MMYY`, from `MM/YY`, `MM/YYYY`, `MM-YY`, `MMYY`. */
export function expiryOf(text: string): string | undefined {
  const match = /^\s*(0[1-9]|1[0-2])\s*[/-]?\s*(?:20)?(\d{2})\s*$/.exec(text);
  return match ? `${match[1]}${match[2]}` : undefined;
}

/** A card is good until the end of its month, wherever on earth that still lasts. */
function monthsUntil(mmyy: string, now: Date): number {
  const month = Number(mmyy.slice(0, 2));
  const year = 2_000 + Number(mmyy.slice(2));
  const latest = new Date(now.getTime() - WESTMOST_MS);
  return (year - latest.getUTCFullYear()) * 12 + month - (latest.getUTCMonth() + 1);
}
const WESTMOST_MS = 12 * 3_600_000;

/** By the issuer's number, its first digits. */
export function brandOf(pan: string): CardBrand {
  const first = (digits: number): number => Number(pan.slice(0, digits));
  const within = (digits: number, low: number, high: number): boolean =>
    first(digits) >= low && first(digits) <= high;
  if (pan.startsWith("4")) return "visa";
  if (within(2, 51, 55) || within(4, 2221, 2720)) return "mastercard";
  if (first(2) === 34 || first(2) === 37) return "amex";
  if (first(4) === 6011 || within(3, 644, 649) || first(2) === 65) return "discover";
  if (within(3, 300, 305) || first(4) === 3095 || first(2) === 36 || within(2, 38, 39)) return "diners";
  if (within(4, 3528, 3589)) return "jcb";
  if (first(2) === 62) return "unionpay";
  return first(2) === 50 || within(2, 56, 69) ? "maestro" : "other";
}

/** Equal for the same card at the same operator; tells nothing to whoever lacks the secret. */
export function cardIndex(secret: Uint8Array, operatorId: string, pan: string): Uint8Array {
  if (secret.length !== CARD_SECRET_OCTETS)
    throw new RangeError(`a card secret has ${CARD_SECRET_OCTETS} octets`);
  return createHmac("sha256", secret).update(`${operatorId}\0card\0${pan}`).digest();
}

const MASK = "******";
/** First 6 and last 4 of a card, country and last 4 of an account, as they stand in rows: `411111******1111`, `AT******3201`. */
export const maskedMeans = (digits: string): string =>
  `${/^[A-Z]/.test(digits) ? digits.slice(0, 2) : digits.slice(0, FIRST_SHOWN)}${MASK}${digits.slice(-LAST_SHOWN)}`;

/** `411111******1111`. */
export const maskedCard = ({ first6, last4 }: Pick<CardReference, "first6" | "last4">): string =>
  `${first6}******${last4}`;

const FAULT_WORDS: Readonly<Record<CardFault["code"], string>> = {
  card_number_malformed: "A card number has 12 to 19 digits.",
  card_number_check_digit: "The card number's last digit does not fit the others.",
  card_expiry_malformed: "The expiry is a month and a year, as 04/29.",
  card_expired: "The card's month has passed.",
  card_code_malformed: "The security code has 3 digits, or 4 on American Express.",
};
