/**
 * How orders end: all items done or given up, time run out, a person's word, or a newer order for the same SIM. An order
 * that ended may end better when proof comes late; it is opened again by a resend only.
 */
import { notSeenWords } from "./access-points.ts";
import { change } from "./change.ts";
import { isOfNetworkAlone, isPartlyDone, isReached, isRequestItemDone, levelOf } from "./item-done.ts";
import type { Companion } from "./message.ts";
import type { OperatorTerms } from "./operator-terms.ts";
import { FINAL_ORDER_STATES, type ItemState, type OrderState, rankOf } from "./order.ts";
import type { ItemDraft, OrderDraft } from "./order-draft.ts";
import { NO_ACTION } from "./scribe.ts";
import type { Booking } from "./turn.ts";

export const isFinal = (order: OrderDraft): boolean => FINAL_ORDER_STATES.includes(order.state);
export const isClosed = (item: ItemDraft): boolean => item.state === "failed" || item.state === "cancelled";
export const isDone = ({ state, subject }: ItemDraft, { policy }: OperatorTerms): boolean =>
  subject ? isRequestItemDone({ state, subject }, policy.doneAt) : rankOf(state) >= rankOf(policy.doneAt);
/** Nothing more is expected of it: it is done, closed, or its proof was waited for in vain. */
const isSettled = (item: ItemDraft, terms: OperatorTerms): boolean =>
  isClosed(item) || isDone(item, terms) || item.deadlineAt === null;

/** No proof makes better what somebody decided. */
const ENDED_BY_DECISION: readonly OrderState[] = ["cancelled", "rejected", "declined", "expired"];

/** Ends an order whose items are all settled; one that had ended already may end better. */
export function endIfDone(turn: Booking): void {
  const { order, terms } = turn;
  if (order.items.length === 0 || ENDED_BY_DECISION.includes(order.state)) return;
  if (!isFinal(order) && order.state !== "provisioning") return;
  if (!order.items.every((item) => isSettled(item, terms))) return;
  if (isFinal(order) && order.state === endStateOf(order, terms)) return;
  end(turn);
}

function endStateOf(order: OrderDraft, terms: OperatorTerms): OrderState {
  if (order.items.every((item) => isDone(item, terms))) return "completed";
  return order.items.some(({ state }) => isPartlyDone(state)) ? "partly_completed" : "failed";
}

function end({ scribe, order, terms }: Booking): void {
  const state = endStateOf(order, terms);
  const shortfall = order.items.filter((item) => !isDone(item, terms));
  for (const item of order.items) if (!isClosed(item)) waitNoMore(item);
  scribe.moveOrder(order, {
    state,
    reason:
      state === "completed"
        ? `all ${order.items.length} items ${order.request ? "are done" : `reached "${terms.policy.doneAt}"`}`
        : shortfall.map((item) => `${item.subject?.catalogId ?? item.kind}: ${item.reason}`).join("; "),
    nextAction: NO_ACTION,
    dueAt: null,
    deadlineAt: null,
  });
}

/** It keeps its level; nothing more is waited for. */
export function waitNoMore(item: ItemDraft): void {
  if (item.deadlineAt === null && item.nextAction === NO_ACTION) return;
  change(item, { deadlineAt: null, nextAction: NO_ACTION });
}

export function failItem(
  { scribe, order }: Pick<Booking, "scribe" | "order">,
  item: ItemDraft,
  {
    cause,
    reason,
    evidence,
  }: { readonly cause: string; readonly reason: string; readonly evidence?: string },
): void {
  scribe.moveItem(order, item, {
    state: "failed",
    cause,
    reason,
    nextAction: "a person may resend it",
    deadlineAt: null,
    ...(evidence === undefined ? {} : { evidence }),
  });
}

/** What an item that waited in vain failed of. */
const CAUSE_OF_SILENCE: Partial<Record<ItemState, string>> = {
  sending: "not_delivered",
  awaiting_choice: "no_choice",
  registering: "no_answer",
  needs_information: "no_information",
  forwarded: "no_answer",
};

/** Items whose time is up are given up; the order ends with what it has, or is looked at again when the next is due. */
export function deadlinePassed(turn: Booking): void {
  const { scribe, order, terms } = turn;
  for (const item of order.items) {
    if (isClosed(item) || item.deadlineAt === null) continue;
    if (isDone(item, terms)) {
      waitNoMore(item); // the policy asks for less than it did
      continue;
    }
    if (item.deadlineAt > scribe.now) continue;
    if (isPartlyDone(item.state)) proofMissing(turn, item);
    else {
      const isOfNetwork = item.subject !== null && isOfNetworkAlone({ ...item, subject: item.subject });
      const cause = isOfNetwork
        ? "no_answer"
        : (CAUSE_OF_SILENCE[item.state] ?? (item.subject?.server ? "no_answer" : "no_key"));
      failItem(turn, item, { cause, reason: `${item.reason}; the deadline has passed` });
    }
  }
  const open = order.items.flatMap((item) => (isSettled(item, terms) ? [] : [item.deadlineAt!]));
  if (open.length === 0) return end(turn);
  order.dueAt = open.reduce((one, other) => (one < other ? one : other));
  if (order.deadlineAt === null || order.deadlineAt < order.dueAt) order.deadlineAt = order.dueAt;
  order.changed = true;
  scribe.touch(order);
}

function proofMissing({ scribe, order, terms }: Booking, item: ItemDraft): void {
  waitNoMore(item);
  scribe.touch(order);
  const missing =
    item.subject && isReached({ ...item, subject: item.subject }, terms.policy.doneAt)
      ? "answer of the network's elements"
      : `proof of "${item.subject ? levelOf({ subject: item.subject }, terms.policy.doneAt) : terms.policy.doneAt}"`;
  item.reason = `${item.state}, but no ${missing} came in time${apnsMissing(item)}`;
  scribe.note(order, { kind: "proof_missing", itemId: item.id, state: item.state, reason: item.reason });
}

const apnsMissing = (item: ItemDraft): string => {
  const words = notSeenWords(item);
  return words ? `: ${words}` : "";
};

/** Its own server was asked for it, and may have it, whether it has said so yet or not. */
const isAtItsServer = (order: OrderDraft, item: ItemDraft): boolean =>
  order.state === "provisioning" && Boolean(item.subject?.server);

/** Ends an order by decision. What was handed to the SMSC is not called back; what waits is not sent. */
export function cancelOrder(
  { scribe, order, terms }: Booking,
  reason: string,
  /** Messages that go along with those of the items: PIN notices. */
  companions: readonly Companion[],
): void {
  scribe.changes.cancelledMessages.push(...companions.map(({ id }) => id));
  if (order.request) scribe.changes.withdrawnCalls.push(order.id);
  for (const item of order.items) {
    if (isClosed(item)) continue;
    // Of what was asked for, what is not done whole is not kept: it is taken back as far as it came.
    if (order.request ? isDone(item, terms) : isPartlyDone(item.state)) {
      waitNoMore(item);
      continue;
    }
    if (item.message) scribe.changes.cancelledMessages.push(item.message.id);
    if (item.keyId) scribe.changes.keyChanges.push({ id: item.keyId, state: "revoked" });
    // Its own server is asked no more how it goes, and was not told to stop.
    const why = isAtItsServer(order, item)
      ? `${reason}; what its own server has of it goes on there`
      : reason;
    scribe.moveItem(order, item, {
      state: "cancelled",
      reason: why,
      nextAction: NO_ACTION,
      deadlineAt: null,
    });
  }
  scribe.moveOrder(order, {
    state: "cancelled",
    reason,
    nextAction: NO_ACTION,
    dueAt: null,
    deadlineAt: null,
  });
}
