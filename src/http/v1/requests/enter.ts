/**
 * A request that somebody enters for somebody else: numbers read, a card given to the payment provider before anything is
 * written, one order, and one row in the audit that names who it was (US 6,647,260, column 2; R68 and R70).
 */
import type { Static, TObject } from "typebox";
import { takeAccount } from "../../../kernel/account/bank-account.ts";
import { takeCard } from "../../../kernel/account/card.ts";
import type { TriedBy } from "../../../kernel/account/card-tries.ts";
import type { Caller } from "../../../kernel/account/role.ts";
import type { CardReference } from "../../../kernel/account/user-data.ts";
import type { NewRequest } from "../../../kernel/order/request.ts";
import { type ErrorCode, TurnupError } from "../../../term/error.ts";
import { type Iban, parseIban } from "../../../term/iban.ts";
import { ibanOfNational } from "../../../term/national-account.ts";
import type { HttpDeps } from "../../ports.ts";
import { InvalidRequest } from "../../problem.ts";
import { type Answer, accepted } from "../../route.ts";
import { IDENTIFIER_ERRORS, identifiersIn } from "../identifiers.ts";
import type { asked, Entered } from "./schema.ts";

export type Asked = Static<TObject<typeof asked>>;
const LANGUAGE_DEFAULT = "en";

/** Codes of a route that enters requests. */
export const ENTRY_ERRORS: readonly ErrorCode[] = [
  ...IDENTIFIER_ERRORS,
  "identity_unknown",
  "catalog_item_unknown",
  "field_invalid",
  "selection_empty",
  "assurance_too_low",
  "account_malformed",
  "account_not_taken",
  "card_malformed",
  "card_refused",
  "card_tries_exceeded",
  "dependency_unavailable",
  "item_elsewhere",
];

/** A card, and who the user is, make no mark: not even the hash by which repeats are known holds them. */
export function withoutPerson(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return null;
  const key = "noticeKey" in body ? { noticeKey: null } : {};
  return { ...body, ...key, card: null, account: null, user: null, fields: null };
}

/** What differs between those who enter. */
type Entry = Pick<
  NewRequest,
  "channel" | "assurance" | "agreed" | "offerId" | "accountNumber" | "idempotencyKey"
> &
  Partial<Pick<NewRequest, "noticeKey">>;

export async function enterRequest(
  deps: HttpDeps,
  caller: Caller,
  body: Asked,
  entry: Entry,
): Promise<Answer<Static<typeof Entered>>> {
  const { operatorId, label } = caller;
  const action = body.action ?? "add";
  const who = whoOf(body);
  const card = await cardOf(deps, caller, body, { who, idempotencyKey: entry.idempotencyKey });
  const { orderId, reference, created } = await deps.requests.desk.submit(operatorId, {
    noticeKey: null,
    ...entry,
    action,
    selection: body.selection,
    who,
    user: body.user ?? {},
    fields: body.fields ?? {},
    card,
    actor: label,
    language: body.language ?? LANGUAGE_DEFAULT,
    bearer: null,
  });
  if (created) {
    const detail = { channel: entry.channel, action, selection: body.selection, reference };
    await deps.audit.record(operatorId, { actor: label, action: "request.submit", subject: orderId, detail });
  }
  return accepted({ id: orderId, reference, created });
}

function whoOf({ subscriber: { imsi, imei, msisdn } }: Asked): NewRequest["who"] {
  if (imsi === undefined && imei === undefined && msisdn === undefined) {
    throw new InvalidRequest([{ at: "body/subscriber", wanted: "msisdn, imsi or imei" }]);
  }
  return identifiersIn({ imsi, imei, msisdn });
}

async function cardOf(
  { requests, clock }: HttpDeps,
  { operatorId, label }: Caller,
  { card, account }: Asked,
  { who, idempotencyKey }: Pick<NewRequest, "who" | "idempotencyKey">,
): Promise<CardReference | null> {
  if (!card && !account) return null;
  if (card && account)
    throw new InvalidRequest([{ at: "body/account", wanted: "a card or an account, not both" }]);
  const cards = requests.cardsOf(operatorId);
  if (!cards) {
    throw new TurnupError(
      "dependency_unavailable",
      "There is no payment provider that takes cards or accounts.",
      {
        nextStep: "Ask for what needs neither; the operator names a payment provider in the configuration.",
      },
    );
  }
  const now = clock();
  const person = await requests.people.find(operatorId, who);
  const [ofNumber, ofDevice] = [person?.subscriberId ?? who.msisdn ?? who.imsi, person?.deviceId ?? who.imei];
  const triedBy: readonly TriedBy[] = [
    { kind: "token", key: label },
    ...(ofNumber ? [{ kind: "number", key: ofNumber } as const] : []),
    ...(ofDevice ? [{ kind: "device", key: ofDevice } as const] : []),
  ];
  const tried = { operatorId, idempotencyKey, now, triedBy };
  if (account) return takeAccount(cards, { ...tried, iban: ibanOf(account), holder: account.holder });
  if (!card) return null;
  const { number, expiry, code = null } = card;
  return takeCard(cards, { number, expiry, code, ...tried });
}

/** @throws TurnupError `account_malformed` */
function ibanOf({ iban, number, country }: NonNullable<Asked["account"]>): Iban {
  if (iban !== undefined && number === undefined) return parseIban(iban);
  if (iban === undefined && number !== undefined && country !== undefined)
    return ibanOfNational(country, number);
  throw new InvalidRequest([{ at: "body/account", wanted: "an IBAN, or a number with its country" }]);
}
