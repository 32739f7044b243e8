/**
 * Word to the billing centre (US 6,647,260, columns 6 and 7; rows 63 and 64). The first success registers the account. Until
 * then it is told afterwards; later changes are prepared there before anything is applied, and committed or aborted with
 * what became of the item, so that service and bill change together or not at all.
 */
import type { BilledAccount } from "../../wire/message/billing-api.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import { failItem, isClosed } from "../order/ending.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { ItemBilling } from "../order/request-draft.ts";
import { hoursAfter } from "../order/scribe.ts";
import { itemOf, itemsOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { billedAccountOf, isSameAccount } from "./billed-account.ts";

type BillingKind = "account" | "account_change" | "feature" | "service" | "prepare" | "commit" | "abort";

function notifyBilling(
  context: RequestTurn,
  item: RequestItem,
  kind: BillingKind,
  {
    deadlineAt,
    prepared = "",
    again = "",
    account,
  }: {
    readonly deadlineAt: Date;
    readonly prepared?: string;
    readonly again?: string;
    readonly account?: BilledAccount;
  },
): string {
  const { catalogId, action, price } = item.subject;
  const isAccount = kind === "account" || kind === "account_change";
  return ask(context, {
    kind: "billing_notice",
    itemId: item.id,
    // An account once an order: one that the centre did not take is registered with the next success. The rest once an item.
    idempotencyKey: kind === "account" ? `${context.order.id}:account` : `${item.id}:${kind}${again}`,
    body: {
      kind,
      catalogId: isAccount ? "" : catalogId,
      action,
      onceMinor: String(isAccount ? 0 : (price?.onceMinor ?? 0)),
      monthlyMinor: String(isAccount ? 0 : (price?.monthlyMinor ?? 0)),
      currency: price?.currency ?? "",
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
function tellAccount(context: RequestTurn, item: RequestItem): void {
  const { order, terms } = context;
  const { account: known, books } = order.request;
  const deadlineAt = within(context, NOTICE_DEADLINE_HOURS);
  const account = billedAccountOf(context, terms.policy.request.billingFields);
  const isNews = books.told === null || !isSameAccount(account, books.told);
  const isOpened = known?.state === "registered";
  const isFirst = !itemsOf(context).some((other) => other !== item && isBilled(other));
  if (!isOpened) notifyBilling(context, item, "account", { deadlineAt, account });
  if (isNews && (isOpened || !isFirst))
    notifyBilling(context, item, "account_change", { deadlineAt, account });
  order.request.books = { ...books, told: account };
}

const BILLED: readonly ItemBilling["state"][] = ["telling", "told", "committing", "committed", "not_taken"];

/** The centre has word of it, or it is on its way: it is not told a second time. */
export const isBilled = ({ subject: { billing } }: RequestItem): boolean => BILLED.includes(billing.state);

export function prepareBilling(context: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = context;
  const deadlineAt = within(context, terms.policy.request.serviceDeadlineHours);
  const preparedBy = notifyBilling(context, item, "prepare", { deadlineAt });
  updateItem(context, item, { billing: { mode: "change", state: "preparing", preparedBy } });
  Object.assign(item, {
    reason: "the billing centre is asked to prepare the change",
    nextAction: "apply it when the billing centre is ready",
    deadlineAt: hoursAfter(deadlineAt, 1),
  });
  scribe.note(order, { kind: "billing_prepare_asked", itemId: item.id, reason: item.reason });
}

/** It is done: the bill changes too. */
export function billDone(context: RequestTurn, item: RequestItem): void {
  const { order, scribe } = context;
  const { billing } = item.subject;
  const deadlineAt = within(context, NOTICE_DEADLINE_HOURS);
  if (billing.mode === "change") {
    notifyBilling(context, item, "commit", { deadlineAt, prepared: billing.preparedBy ?? "" });
    tellAccount(context, item);
    updateItem(context, item, { billing: { ...billing, state: "committing" } });
    return scribe.note(order, {
      kind: "billing_commit_queued",
      itemId: item.id,
      reason: "the billing centre is to put the change into effect",
    });
  }
  tellAccount(context, item);
  notifyBilling(context, item, item.kind === "service" ? "service" : "feature", { deadlineAt });
  updateItem(context, item, { billing: { ...billing, state: "telling" } });
  scribe.note(order, {
    kind: "billing_notice_queued",
    itemId: item.id,
    reason: "the billing centre is to be told",
  });
}

/** Nothing came of it: the bill stays as it was. */
export function billNothing(context: RequestTurn, item: RequestItem): void {
  abort(context, item, "the change of billing is to be dropped, as the item is");
}

/** The order ended without its proof: nothing stays reserved for it, and proof that comes late is told like a first one. */
export function billUnproved(context: RequestTurn, item: RequestItem): void {
  const isAborted = abort(
    context,
    item,
    "the change of billing is to be dropped: the order ended without proof of it",
  );
  if (isAborted) updateItem(context, item, { billing: { mode: "tell", state: "none", preparedBy: null } });
}

function abort(context: RequestTurn, item: RequestItem, reason: string): boolean {
  const { billing } = item.subject;
  if (billing.state !== "preparing" && billing.state !== "prepared") return false;
  const deadlineAt = within(context, NOTICE_DEADLINE_HOURS);
  notifyBilling(context, item, "abort", { deadlineAt, prepared: billing.preparedBy ?? "" });
  updateItem(context, item, { billing: { ...billing, state: "aborting" } });
  context.scribe.note(context.order, { kind: "billing_abort_queued", itemId: item.id, reason });
  return true;
}

/** Reserved by a call that overtook nobody: the abort was there before it, and found nothing to drop. */
function abortLate(context: RequestTurn, item: RequestItem, call: OutboundCall): void {
  if (!["aborting", "aborted"].includes(item.subject.billing.state)) return;
  const deadlineAt = within(context, NOTICE_DEADLINE_HOURS);
  notifyBilling(context, item, "abort", { deadlineAt, prepared: call.id, again: ":late" });
}

/** What is on its way, and what it is once the centre took it. */
const TAKEN: Partial<Record<ItemBilling["state"], ItemBilling["state"]>> = {
  telling: "told",
  committing: "committed",
  aborting: "aborted",
};

function noteTaken(context: RequestTurn, item: RequestItem, isDone: boolean): void {
  const { billing } = item.subject;
  const taken = TAKEN[billing.state];
  if (taken) updateItem(context, item, { billing: { ...billing, state: isDone ? taken : "not_taken" } });
}

/** Answers the item whose change is prepared now: it is applied next. */
export function billingAnswered(
  context: RequestTurn,
  call: OutboundCall,
  answer: CallAnswer,
): RequestItem | undefined {
  const { scribe, order } = context;
  const item = itemOf(context, call.itemId);
  if (!item) return undefined;
  const kind = call.body.kind as BillingKind;
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
    const told = (call.secret as { readonly account?: BilledAccount } | undefined)?.account ?? null;
    scribe.changes.registeredAccounts.push({ operatorId, subscriberId, billingReference, told });
  }
  if (kind !== "prepare" && kind !== "account" && kind !== "account_change") noteTaken(context, item, isDone);
  if (kind !== "prepare") return undefined;
  if (isClosed(item)) {
    if (isDone) abortLate(context, item, call);
    return undefined;
  }
  if (!isDone) {
    failItem(scribe, order, item, {
      cause: "billing_refused",
      reason: `the billing centre does not take the change${why}`,
    });
    return undefined;
  }
  updateItem(context, item, { billing: { ...item.subject.billing, state: "prepared" } });
  return item;
}
