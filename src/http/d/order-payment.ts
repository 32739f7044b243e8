/**
 * What pays, on the form of a request: a card or a bank account, whichever the subscriber chose; what was left before is enough
 * unless they give another. Either goes to the payment provider before anything is written and is kept nowhere here (R8).
 */
import { createHmac } from "node:crypto";
import {
  type AccountInput,
  checkAccount,
  isKeyable,
  keyedAccount,
  readAccountNumber,
  takeAccount,
  takesAccounts,
} from "../../kernel/account/bank-account.ts";
import { type CardInput, checkCard, maskedMeans, takeCard } from "../../kernel/account/card.ts";
import type { TriedBy } from "../../kernel/account/card-tries.ts";
import type { CardReference } from "../../kernel/account/user-data.ts";
import {
  ACCOUNT_FIELDS,
  type Asked,
  CARD_FIELDS,
  type OtherMeans,
  PAYMENT_FIELD,
  PAYMENT_MEANS,
  type PaymentMeans,
} from "../../kernel/dialog/order-screen.ts";
import { TurnupError } from "../../term/error.ts";
import { isOneOf } from "../../term/narrow.ts";
import { FLAG_SET } from "../../wire/screen/screen.ts";
import { type PortalContext, Trouble } from "./portal-context.ts";
import type { Visitor } from "./visitor.ts";

/** What was typed of what pays. */
export type PostedPayment = {
  /** Null where nothing that pays was asked for. */
  readonly means: PaymentMeans | null;
  readonly card: CardInput;
  readonly account: AccountInput;
};

const FIELD_COUNTS: Readonly<Record<PaymentMeans, number>> = { card: 3, account: 3 };
/** Of a form that asks for this means of payment. */
export const paymentFieldsCount = (means: PaymentMeans | null): number =>
  means === null ? 0 : FIELD_COUNTS[means];

/** As it stands in an address or a form; null where it is none. */
export const meansIn = (text: string | null | undefined): PaymentMeans | null =>
  text && isOneOf(PAYMENT_MEANS, text) ? text : null;

/** Where the form is had that asks for that means. */
export const withMeans = (path: string, means: PaymentMeans): string => `${path}?${PAYMENT_FIELD}=${means}`;

/**
 * What a form asks for where something must pay. `wanted` is what the subscriber chose, null before they did.
 * @throws Trouble `card_not_taken`: there is nobody who takes anything
 */
export function paymentAsked(
  { deps }: PortalContext,
  { operator, byKeys = false }: Visitor,
  known: { readonly token: string; readonly digits: string } | null,
  wanted: PaymentMeans | null,
): Pick<Asked, "payment" | "onFile" | "isKeyed"> {
  const door = deps.cardsOf(operator.id);
  if (!door) throw new Trouble("card_not_taken", 503);
  if (wanted === null && known) return { payment: null, onFile: maskedMeans(known.digits) };
  const payment = wanted === "account" && takesAccounts(door) ? "account" : "card";
  return { payment, isKeyed: payment === "account" && byKeys && isKeyable(operator.country) };
}

/** The other ways to pay, as far as the payment provider takes them. */
export function otherMeansOf(
  { deps }: PortalContext,
  { operator }: Visitor,
  { payment, onFile }: Pick<Asked, "payment" | "onFile">,
  path: string,
): readonly OtherMeans[] {
  const door = deps.cardsOf(operator.id);
  if (!door || (payment === null && !onFile)) return [];
  return PAYMENT_MEANS.filter((means) => means !== payment)
    .filter((means) => means === "card" || takesAccounts(door))
    .map((means) => ({ means, href: withMeans(path, means) }));
}

/**
 * Of a form; `country` is the operator's home: its subscribers write their account numbers as it does.
 * @param byKeys it was keyed on a telephone: digits, and nobody's name
 */
export function formPayment(
  text: (name: string) => string,
  country: string | null,
  byKeys: boolean,
): PostedPayment {
  const number = text(ACCOUNT_FIELDS.number);
  const isKeyed = byKeys && isKeyable(country);
  return {
    means: meansIn(text(PAYMENT_FIELD)),
    card: {
      number: text(CARD_FIELDS.number),
      expiry: text(CARD_FIELDS.expiry),
      code: text(CARD_FIELDS.code) || null,
    },
    account: {
      number: isKeyed ? keyedAccount(country, number) : number,
      country,
      holder: isKeyed ? null : text(ACCOUNT_FIELDS.holder),
      isAllowed: text(ACCOUNT_FIELDS.mandate) === FLAG_SET,
    },
  };
}

/** What is wrong with it, by the form's names. */
export function paymentFaults(
  { payment }: Pick<Asked, "payment">,
  given: PostedPayment,
  now: Date,
): Readonly<Record<string, string>> {
  const faults: Record<string, string> = {};
  // An account that was given where none is taken must not be asked for as if it were a card that is missing.
  if (payment === "card" && given.means === "account") return { [CARD_FIELDS.number]: "account_not_taken" };
  if (payment === "card")
    for (const { field, code } of checkCard(given.card, now)) faults[CARD_FIELDS[field]] ??= code;
  if (payment === "account")
    for (const { field, code } of checkAccount(given.account)) faults[ACCOUNT_FIELDS[field]] ??= code;
  return faults;
}

/** Whatever the visitor comes by, a new session or another number begins no count anew for the rest. */
function triedBy({ subject, session, person, who, address }: Visitor): readonly TriedBy[] {
  const number = person?.subscriberId ?? who?.msisdn ?? who?.imsi;
  const device = person?.deviceId ?? who?.imei;
  return [
    { kind: "session", key: session ?? subject },
    ...(number ? [{ kind: "number", key: number } as const] : []),
    ...(device ? [{ kind: "device", key: device } as const] : []),
    ...(address ? [{ kind: "address", key: address } as const] : []),
  ];
}

type PaymentFault = { readonly fault: string; readonly field: string };

/**
 * The token of what pays, null where nothing was asked for, or what is wrong with it at which field.
 * @param key of the form: the same form again is no further try
 * @throws Trouble `card_not_taken`
 */
export async function tokenOf(
  { deps }: PortalContext,
  visitor: Visitor,
  { payment }: Pick<Asked, "payment">,
  { payment: given, key }: { readonly payment: PostedPayment; readonly key: string },
): Promise<CardReference | null | PaymentFault> {
  const door = deps.cardsOf(visitor.operator.id);
  if (payment === null || !door) return null;
  const number = payment === "card" ? CARD_FIELDS.number : ACCOUNT_FIELDS.number;
  // A corrected number is another one, so it has another key at the payment provider.
  const typed = payment === "card" ? [given.card.number, given.card.expiry] : [given.account.number];
  const idempotencyKey = createHmac("sha256", deps.key)
    .update(JSON.stringify([key, ...typed]))
    .digest("base64url");
  const one = {
    triedBy: triedBy(visitor),
    operatorId: visitor.operator.id,
    idempotencyKey,
    now: deps.clock(),
  };
  try {
    if (payment === "card") return await takeCard(door, { ...given.card, ...one });
    const iban = readAccountNumber(given.account);
    if (typeof iban === "object") return { fault: iban.fault, field: number };
    return await takeAccount(door, { iban, holder: given.account.holder ?? undefined, ...one });
  } catch (error) {
    if (!(error instanceof TurnupError)) throw error;
    if (error.code === "dependency_unavailable") throw new Trouble("card_not_taken", 503);
    const fault = FAULTS[payment][error.code];
    if (fault === undefined) throw error;
    return { fault, field: error.code === "account_not_taken" ? CARD_FIELDS.number : number };
  }
}

const FAULTS: Readonly<Record<PaymentMeans, Readonly<Record<string, string>>>> = {
  card: { card_tries_exceeded: "card_tries_exceeded", card_refused: "card_refused" },
  account: {
    card_tries_exceeded: "card_tries_exceeded",
    card_refused: "account_refused",
    account_not_taken: "account_not_taken",
  },
};
