/**
 * A bank account in place of a card (R8; US 6,647,260, columns 3 and 5): checked by its digits, given to the payment provider at
 * once with the holder's mandate, and kept as a token. The number lives in the arguments of two functions here and nowhere else.
 * It counts among the tries of cards: lists of stolen accounts are run past a payment provider as lists of cards are.
 */
import { createHmac } from "node:crypto";
import { TurnupError } from "../../term/error.ts";
import type { Iban } from "../../term/iban.ts";
import { type AccountTokens, type CardDoor, countedTry, unavailable } from "./card.ts";
import type { TriedBy } from "./card-tries.ts";
import type { CardReference } from "./user-data.ts";

/** As of a card; a mandate reference has 35 characters at most (EPC016-06, AT-01). */
const TOKEN_CHARACTERS_MAX = 200;
const MANDATE_HEX_DIGITS = 30;
/** As of a card: country, check digits and the beginning of the bank, and the end. */
const [FIRST_SHOWN, LAST_SHOWN] = [6, 4];

/**
 * Changes an account for a token; the holder gave the mandate. No error repeats anything of the number.
 * @throws TurnupError `card_refused`, `card_tries_exceeded`, `dependency_unavailable`
 */
export async function takeAccount(
  { provider, secret, tries }: CardDoor,
  input: {
    readonly iban: Iban;
    readonly operatorId: string;
    readonly idempotencyKey: string;
    readonly now: Date;
    readonly triedBy: readonly TriedBy[];
  },
): Promise<CardReference> {
  const { iban, operatorId, idempotencyKey, now } = input;
  const index = createHmac("sha256", secret).update(`${operatorId}\0account\0${iban}`).digest();
  const one = { operatorId, by: input.triedBy, card: index, idempotencyKey, now };
  const mandate = {
    reference: `M${mandateDigits(secret, operatorId, idempotencyKey)}`,
    signedOn: now.toISOString().slice(0, 10),
  };
  const token = await countedTry(tries, one, (tryId) =>
    tokenised(provider, { iban, mandate, idempotencyKey: tryId }),
  );
  // The token is the payment provider's, and must not be the number.
  if (
    token === "" ||
    token.length > TOKEN_CHARACTERS_MAX ||
    token.toUpperCase().includes(iban.slice(FIRST_SHOWN))
  )
    throw unavailable();
  return {
    token,
    first6: iban.slice(0, FIRST_SHOWN),
    last4: iban.slice(-LAST_SHOWN),
    brand: "iban",
    index,
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
  if (answer?.kind === "failed") throw unavailable();
  throw new TurnupError("card_refused", "The payment provider does not take this account.", {
    nextStep: "Use another account, or a card.",
  });
}
