/**
 * Collects what an item costs by the token that its subscriber left at sign-up, card or account alike, where the operator's policy
 * says that this server does (US 6,647,260, columns 3 and 5; R8): once with the item, and each further month that it is had. Each
 * asking is a durable call of its own key, repeated under that key until it is answered; what came of it stands in the history of
 * the order that brought the item.
 */
import { monthsAfter } from "../../term/calendar.ts";
import { formatMoney } from "../../term/money.ts";
import { maskedMeans } from "../account/card.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import type { CollectionChange, NewCollectionPosting } from "../order/change-set.ts";
import type { CallBodies, OutboundCall } from "../order/outbound-call.ts";
import type { RequestItem, RequestTurn } from "../order/turn.ts";
import {
  askedAgainAt,
  type CollectionPurpose,
  type DueRenewal,
  type DueRetry,
  NEXT_ACTIONS,
} from "../settlement/collection.ts";
import { dueEntry, type Entry, takenEntry } from "../settlement/postings.ts";

/** Whether this server collects what this order costs; else the billing centre does. */
export const isCollectedHere = ({ terms }: Pick<RequestTurn, "terms">): boolean =>
  terms.policy.request.collection.by === "token";

/** What is due with an item that is done: its price once, and its first month. */
export function collectDone(turn: RequestTurn, item: RequestItem): void {
  const { action, price } = item.subject;
  if (action !== "add" || !isCollectedHere(turn)) return;
  const amountMinor = (price?.onceMinor ?? 0) + (price?.monthlyMinor ?? 0);
  collect(turn, item, { purpose: "order", period: 0, amountMinor });
}

/** When the next month of an item is due that is done now; null where this server collects none. */
export const firstRenewalOf = (turn: RequestTurn, { subject }: RequestItem): Date | null =>
  isCollectedHere(turn) && monthlyOf(subject) > 0 ? monthsAfter(turn.scribe.now, 1) : null;

const monthlyOf = ({ price }: RequestItem["subject"]): number => price?.monthlyMinor ?? 0;

/** One further month. An operator that lets its billing centre collect meanwhile has it collect the rest. */
export function collectRenewal(turn: RequestTurn, due: DueRenewal): void {
  const { scribe, order } = turn;
  const item = order.items.find(
    (one): one is RequestItem => one.id === due.orderItemId && one.subject !== null,
  );
  const period = due.renewals + 1;
  const goesOn = isCollectedHere(turn) && item !== undefined;
  const renewsAt = goesOn ? monthsAfter(due.since, period + 1) : null;
  scribe.changes.renewals.push({ id: due.provisionedId, renewsAt, renewals: period });
  if (goesOn) collect(turn, item, { purpose: "renewal", period, amountMinor: monthlyOf(item.subject) });
}

type Due = { readonly purpose: CollectionPurpose; readonly period: number; readonly amountMinor: number };

function collect(turn: RequestTurn, item: RequestItem, { purpose, period, amountMinor }: Due): void {
  const { scribe, order } = turn;
  const { price } = item.subject;
  if (amountMinor <= 0 || price === null) return;
  const { currency } = price;
  const means = payingNow(turn, purpose);
  const id = scribe.newId();
  scribe.changes.collectionPostings.push(
    posting(turn, { id, currency }, dueEntry({ id, amountMinor: BigInt(amountMinor) })),
  );
  const { operatorId, subscriberId, id: orderId } = order;
  const row = {
    id,
    operatorId,
    subscriberId,
    orderId,
    orderItemId: item.id,
    catalogId: item.subject.catalogId,
    purpose,
    period,
    amountMinor: BigInt(amountMinor),
    currency,
    attempt: 1,
    meansMasked: "token" in means ? means.masked : null,
    cardToken: "token" in means ? means.token : null,
  };
  if (!("token" in means)) {
    const { reason } = means;
    scribe.changes.collections.push({
      ...row,
      state: "refused",
      reason,
      nextAction: NEXT_ACTIONS.refused,
      deadlineAt: null,
    });
    return note(turn, "collection_refused", row, { reason: `${reason}: a person has to see to it` });
  }
  const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
  scribe.changes.collections.push({ ...row, ...ASKED, deadlineAt });
  askProvider(turn, row, means, deadlineAt);
}

const ASKED = {
  state: "asked",
  reason: "the payment provider is asked for it",
  nextAction: "wait for the payment provider; the same question is asked again until it answers",
} as const;

type Means = { readonly token: string; readonly masked: string; readonly mandate: string | null };

/** Why nothing is asked for. */
type NoMeans = { readonly reason: string };

/**
 * What an order brought pays for it; months after that, and tries after a refusal, are paid by what the account has now. What is on
 * file is asked no more once its bank said that nobody may, nor, where the policy holds, while something that came back is owed.
 */
function payingNow({ order, terms }: RequestTurn, purpose: CollectionPurpose): Means | NoMeans {
  const { card, books } = order.request;
  const { paymentToken: token, paymentMasked, mandateReference: mandate } = books;
  if (terms.policy.request.collection.afterReturn === "hold" && books.owesReturned)
    return { reason: "a sum that was taken before came back, and is owed" };
  if (purpose === "renewal" || !card) {
    if (token === null) return { reason: "no card or account is left to collect it from" };
    if (books.isPaymentEnded)
      return {
        reason: `nothing may be collected from ${paymentMasked ?? "what was left"} any more, since a sum came back`,
      };
    return { token, masked: paymentMasked ?? "", mandate };
  }
  const masked = maskedMeans(`${card.first6}${card.last4}`);
  return { token: card.token, masked, mandate: card.mandate?.reference ?? null };
}

type Asked = Pick<
  DueRetry,
  "id" | "orderItemId" | "purpose" | "period" | "attempt" | "amountMinor" | "currency"
>;

function askProvider(turn: RequestTurn, asked: Asked, means: Means, deadlineAt: Date): void {
  const { id: collectionId, purpose, period, attempt, amountMinor, currency } = asked;
  ask(turn, {
    kind: "collection",
    itemId: asked.orderItemId,
    idempotencyKey: `${asked.orderItemId}:${period}:${attempt}`,
    body: { collectionId, purpose, period, attempt, amountMinor, currency },
    secret: { token: means.token, mandate: means.mandate },
    deadlineAt,
  });
  const again =
    attempt === 1 ? "" : `, for the ${attempt}th time`.replace("2th", "2nd").replace("3th", "3rd");
  note(turn, "collection_asked", asked, {
    reason: `${sumOf(asked)} is to be collected from ${means.masked}${again}`,
  });
}

/** Asks again for what was refused for now, from what the subscriber's account has by now. */
export function collectAgain(turn: RequestTurn, due: DueRetry): void {
  const { changes } = turn.scribe;
  const means = payingNow(turn, "renewal");
  const attempt = due.attempt + 1;
  const change = { id: due.id, attempt: due.attempt, from: "waiting" } as const;
  if (!("token" in means)) {
    const { reason } = means;
    changes.collectionChanges.push({ ...change, state: "refused", reason, nextAction: NEXT_ACTIONS.refused });
    return note(turn, "collection_refused", due, { reason: `${reason}: a person has to see to it` });
  }
  const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
  const meansMasked = means.masked;
  const cardToken = means.token;
  changes.collectionChanges.push({
    ...change,
    ...ASKED,
    nextAttempt: attempt,
    deadlineAt,
    meansMasked,
    cardToken,
  });
  askProvider(turn, { ...due, attempt }, means, deadlineAt);
}

/** What the payment provider answered: its word alone makes a sum taken. */
export function collectionAnswered(
  turn: RequestTurn,
  call: OutboundCall<"collection">,
  answer: CallAnswer,
): void {
  const { scribe, terms } = turn;
  const { collectionId: id, attempt } = call.body;
  const said = { ...call.body, id, orderItemId: call.itemId ?? "" };
  const change = (rest: Omit<CollectionChange, "id" | "attempt" | "from">): void =>
    void scribe.changes.collectionChanges.push({ id, attempt, from: "asked", ...rest });
  if (answer.kind === "done") {
    const { reference } = answer;
    const reason = "the payment provider took it";
    change({ state: "taken", reason, nextAction: "none", reference });
    for (const entry of [dueEntry(said), takenEntry(said)])
      scribe.changes.collectionPostings.push(posting(turn, said, entry));
    return note(turn, "collection_taken", said, { reason: `${sumOf(said)} was collected`, reference });
  }
  // It had a message under this key already, and what became of that one it does not say.
  if (answer.kind !== "refused" || answer.cause === "key_reused") {
    const reason = "the payment provider never said whether it took it";
    change({ state: "unknown", reason, nextAction: NEXT_ACTIONS.unknown });
    return note(turn, "collection_unknown", said, { reason: `${reason}: a person has to ask it` });
  }
  const { cause } = answer;
  const again = askedAgainAt(terms.policy.request.collection, { cause, attempt }, scribe.now);
  const reason = `the payment provider did not take it: ${cause.replaceAll("_", " ")}`;
  if (again) {
    const nextAction = "it is asked for again by itself";
    change({ state: "waiting", reason, nextAction, dueAt: again, deadlineAt: again });
    return note(turn, "collection_delayed", said, {
      reason: `${reason}; it is asked for again`,
      cause,
      askedAgainAt: again.toISOString(),
    });
  }
  change({ state: "refused", reason, nextAction: NEXT_ACTIONS.refused });
  note(turn, "collection_refused", said, { reason: `${reason}: a person has to see to it`, cause });
}

/** One that stands already is not booked again. */
const posting = (
  { scribe, order }: RequestTurn,
  { id, currency }: { readonly id: string; readonly currency: string },
  entry: Entry,
): NewCollectionPosting => ({
  ...entry,
  id: scribe.newId(),
  operatorId: order.operatorId,
  collectionId: id,
  currency,
});

const sumOf = ({ amountMinor, currency }: Pick<CallBodies["collection"], "amountMinor" | "currency">) =>
  formatMoney({ amountMinor, currency });

type Kind = `collection_${"asked" | "taken" | "refused" | "delayed" | "unknown"}`;
type Said = { readonly reason: string } & Readonly<Record<string, unknown>>;

function note(
  { scribe, order }: RequestTurn,
  kind: Kind,
  { id, orderItemId, purpose, period, amountMinor, currency }: Omit<Asked, "attempt">,
  { reason, ...more }: Said,
): void {
  scribe.note(order, {
    kind,
    itemId: orderItemId,
    reason,
    detail: { collectionId: id, purpose, period, amountMinor: String(amountMinor), currency, ...more },
  });
}
