/**
 * Word to the billing centre (US 6,647,260, columns 6 and 7; R63 and R64). The first success registers the account. Until
 * then it is told afterwards; later changes are prepared there before anything is applied, and committed or aborted with
 * what became of the item, so that service and bill change together or not at all.
 */

import { hoursAfter } from "../../term/moment.ts";
import type { BilledAccount } from "../../wire/message/billing-api.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import { change } from "../order/change.ts";
import { failItem, isClosed } from "../order/ending.ts";
import type { BillingNotice, OutboundCall } from "../order/outbound-call.ts";
import type { ItemBilling } from "../order/request-draft.ts";
import { itemOf, itemsOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { billedAccountOf, isSameAccount } from "./billed-account.ts";
import { isCollectedHere } from "./collection.ts";

function notifyBilling(
  turn: RequestTurn,
  item: RequestItem,
  kind: BillingNotice,
  {
    deadlineAt,
    prepared = null,
    again = "",
    account,
  }: {
    readonly deadlineAt: Date;
    readonly prepared?: string | null;
    readonly again?: string;
    readonly account?: BilledAccount;
  },
): string {
  const { catalogId, action, price } = item.subject;
  const isAccount = kind === "account" || kind === "account_change";
  // What this server collects must not be asked of the subscriber a second time.
  const isFree = isAccount || isCollectedHere(turn);
  return ask(turn, {
    kind: "billing_notice",
    itemId: item.id,
    // An account once an order: one that the centre did not take is registered with the next success. The rest once an item.
    idempotencyKey: kind === "account" ? `${turn.order.id}:account` : `${item.id}:${kind}${again}`,
    body: {
      kind,
      catalogId: isAccount ? null : catalogId,
      action,
      onceMinor: isFree ? 0 : (price?.onceMinor ?? 0),
      monthlyMinor: isFree ? 0 : (price?.monthlyMinor ?? 0),
      currency: price?.currency ?? null,
      prepared,
    },
    ...(account && { secret: { account } }),
    deadlineAt,
  });
}

/**
 * Whom it bills: at the first success, and anew with each later one that changed something of it. What was told already in
 * this transaction, or taken before, is not told again.
 */
function tellAccount(turn: RequestTurn, item: RequestItem): void {
  const { order, terms } = turn;
  const { account: known, books } = order.request;
  const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
  const account = billedAccountOf(turn, terms.policy.request.billingFields);
  const isNews = books.told === null || !isSameAccount(account, books.told);
  const isOpened = known?.state === "registered";
  const isFirst = !itemsOf(turn).some((other) => other !== item && isBilled(other));
  if (!isOpened) notifyBilling(turn, item, "account", { deadlineAt, account });
  if (isNews && (isOpened || !isFirst)) notifyBilling(turn, item, "account_change", { deadlineAt, account });
  order.request.books = { ...books, told: account };
}

const BILLED: readonly ItemBilling["state"][] = [
  "telling",
  "told",
  "committing",
  "committed",
  "not_taken",
  "unchanged",
];

/** The centre has word of it, or it is on its way: it is not told a second time. */
export const isBilled = ({ subject: { billing } }: RequestItem): boolean => BILLED.includes(billing.state);

export function prepareBilling(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = within(turn, terms.policy.request.serviceDeadlineHours);
  const preparedBy = notifyBilling(turn, item, "prepare", { deadlineAt });
  updateItem(turn, item, { billing: { mode: "change", state: "preparing", preparedBy } });
  change(item, {
    reason: "the billing centre is asked to prepare the change",
    nextAction: "apply it when the billing centre is ready",
    deadlineAt: hoursAfter(deadlineAt, 1),
  });
  scribe.note(order, { kind: "billing_prepare_asked", itemId: item.id, reason: item.reason });
}

/** It is done: the bill changes too. */
export function billDone(turn: RequestTurn, item: RequestItem): void {
  const { order, scribe } = turn;
  const { billing } = item.subject;
  const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
  if (billing.mode === "change") {
    notifyBilling(turn, item, "commit", { deadlineAt, prepared: billing.preparedBy });
    tellAccount(turn, item);
    updateItem(turn, item, { billing: { ...billing, state: "committing" } });
    return scribe.note(order, {
      kind: "billing_commit_queued",
      itemId: item.id,
      reason: "the billing centre is to put the change into effect",
    });
  }
  tellAccount(turn, item);
  notifyBilling(turn, item, item.kind === "service" ? "service" : "feature", { deadlineAt });
  updateItem(turn, item, { billing: { ...billing, state: "telling" } });
  scribe.note(order, {
    kind: "billing_notice_queued",
    itemId: item.id,
    reason: "the billing centre is to be told",
  });
}

/** Nothing came of it: the bill stays as it was. */
export function billNothing(turn: RequestTurn, item: RequestItem): void {
  abort(turn, item, "the change of billing is to be dropped, as the item is");
}

/** The order ended without its proof: nothing stays reserved for it, and proof that comes late is told like a first one. */
export function billUnproved(turn: RequestTurn, item: RequestItem): void {
  const isAborted = abort(
    turn,
    item,
    "the change of billing is to be dropped: the order ended without proof of it",
  );
  if (isAborted) updateItem(turn, item, { billing: { mode: "tell", state: "none", preparedBy: null } });
}

function abort(turn: RequestTurn, item: RequestItem, reason: string): boolean {
  const { billing } = item.subject;
  if (billing.state !== "preparing" && billing.state !== "prepared") return false;
  const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
  notifyBilling(turn, item, "abort", { deadlineAt, prepared: billing.preparedBy });
  updateItem(turn, item, { billing: { ...billing, state: "aborting" } });
  turn.scribe.note(turn.order, { kind: "billing_abort_queued", itemId: item.id, reason });
  return true;
}

/** Reserved by a call that overtook nobody: the abort was there before it, and found nothing to drop. */
function abortLate(turn: RequestTurn, item: RequestItem, call: OutboundCall<"billing_notice">): void {
  if (!["aborting", "aborted"].includes(item.subject.billing.state)) return;
  const deadlineAt = within(turn, NOTICE_DEADLINE_HOURS);
  notifyBilling(turn, item, "abort", { deadlineAt, prepared: call.id, again: ":late" });
}

/** What is on its way, and what it is once the centre took it. */
const TAKEN: Partial<Record<ItemBilling["state"], ItemBilling["state"]>> = {
  telling: "told",
  committing: "committed",
  aborting: "aborted",
};

/** What says how far the bill is with the item. */
const TOLD_OF_ITEM: readonly BillingNotice[] = ["feature", "service", "commit", "abort"];

function noteTaken(turn: RequestTurn, item: RequestItem, isDone: boolean): void {
  const { billing } = item.subject;
  const taken = TAKEN[billing.state];
  if (taken) updateItem(turn, item, { billing: { ...billing, state: isDone ? taken : "not_taken" } });
}

/** Answers the item whose change is prepared now: it is applied next. */
export function billingAnswered(
  turn: RequestTurn,
  call: OutboundCall<"billing_notice">,
  answer: CallAnswer,
): RequestItem | undefined {
  const { scribe, order } = turn;
  const item = itemOf(turn, call.itemId);
  if (!item) return undefined;
  const { kind } = call.body;
  const isDone = answer.kind === "done";
  const why = answer.kind === "refused" || answer.kind === "failed" ? `: ${answer.cause}` : "";
  scribe.note(order, {
    kind: isDone ? `billing_${kind}_done` : `billing_${kind}_failed`,
    itemId: item.id,
    reason: isDone
      ? `the billing centre took the ${kind}`
      : `the billing centre did not take the ${kind}${why}${kind === "prepare" ? "" : ": a person has to see to it"}`,
    detail: isDone ? { reference: answer.reference } : null,
  });
  if ((kind === "account" || kind === "account_change") && isDone) {
    const { operatorId, subscriberId } = order;
    const billingReference = kind === "account" ? answer.reference : null;
    const told = call.secret?.account ?? null;
    scribe.changes.registeredAccounts.push({ operatorId, subscriberId, billingReference, told });
  }
  if (TOLD_OF_ITEM.includes(kind)) noteTaken(turn, item, isDone);
  if (kind !== "prepare") return undefined;
  if (isClosed(item)) {
    if (isDone) abortLate(turn, item, call);
    return undefined;
  }
  if (!isDone) {
    failItem(turn, item, {
      cause: "billing_refused",
      reason: `the billing centre does not take the change${why}`,
    });
    return undefined;
  }
  updateItem(turn, item, { billing: { ...item.subject.billing, state: "prepared" } });
  return item;
}
