/**
 * How orders end: all items done or given up, time run out, a person's word, or a newer order for the same SIM. An order
 * that ended may end better when proof comes late; it is opened again by a resend only.
 */
import { notSeenWords } from "./access-points.ts";
import { change } from "./change.ts";
import type { Companion } from "./message.ts";
import { FINAL_ORDER_STATES, isPartlyDone, type OrderState } from "./order.ts";
import type { ItemDraft, OrderDraft } from "./order-draft.ts";
import { NO_ACTION } from "./scribe.ts";
import type { Booking } from "./turn.ts";

export const isFinal = (order: OrderDraft): boolean => FINAL_ORDER_STATES.includes(order.state);
export const isClosed = (item: ItemDraft): boolean => item.state === "failed" || item.state === "cancelled";
/** Nothing more is expected of it: it is done, closed, or its proof was waited for in vain. */
const isSettled = ({ ending, terms }: Booking, item: ItemDraft): boolean =>
  isClosed(item) || ending.isDone(item, terms) || item.deadlineAt === null;

/** No proof makes better what somebody decided. */
const ENDED_BY_DECISION: readonly OrderState[] = ["cancelled", "rejected", "declined", "expired"];

/** Ends an order whose items are all settled; one that had ended already may end better. */
export function endIfDone(turn: Booking): void {
  const { order } = turn;
  if (order.items.length === 0 || ENDED_BY_DECISION.includes(order.state)) return;
  if (!isFinal(order) && order.state !== "provisioning") return;
  if (!order.items.every((item) => isSettled(turn, item))) return;
  if (isFinal(order) && order.state === endStateOf(turn)) return;
  end(turn);
}

function endStateOf({ order, terms, ending }: Booking): OrderState {
  if (order.items.every((item) => ending.isDone(item, terms))) return "completed";
  return order.items.some(({ state }) => isPartlyDone(state)) ? "partly_completed" : "failed";
}

function end(turn: Booking): void {
  const { scribe, order, terms, ending } = turn;
  const state = endStateOf(turn);
  const shortfall = order.items.filter((item) => !ending.isDone(item, terms));
  for (const item of order.items) if (!isClosed(item)) waitNoMore(item);
  scribe.moveOrder(order, {
    state,
    reason:
      state === "completed"
        ? ending.doneWords(order.items, terms)
        : shortfall.map((item) => `${ending.nameOf(item)}: ${item.reason}`).join("; "),
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

/** Items whose time is up are given up; the order ends with what it has, or is looked at again when the next is due. */
export function deadlinePassed(turn: Booking): void {
  const { scribe, order, terms, ending } = turn;
  for (const item of order.items) {
    if (isClosed(item) || item.deadlineAt === null) continue;
    if (ending.isDone(item, terms)) {
      waitNoMore(item); // the policy asks for less than it did
      continue;
    }
    if (item.deadlineAt > scribe.now) continue;
    if (isPartlyDone(item.state)) proofMissing(turn, item);
    else {
      failItem(turn, item, {
        cause: ending.causeOfSilence(item),
        reason: `${item.reason}; the deadline has passed`,
      });
    }
  }
  const open = order.items.flatMap((item) =>
    isSettled(turn, item) || item.deadlineAt === null ? [] : [item.deadlineAt],
  );
  if (open.length === 0) return end(turn);
  order.dueAt = open.reduce((one, other) => (one < other ? one : other));
  if (order.deadlineAt === null || order.deadlineAt < order.dueAt) order.deadlineAt = order.dueAt;
  order.changed = true;
  scribe.touch(order);
}

function proofMissing({ scribe, order, terms, ending }: Booking, item: ItemDraft): void {
  waitNoMore(item);
  scribe.touch(order);
  item.reason = `${item.state}, but no ${ending.missingOf(item, terms)} came in time${apnsMissing(item)}`;
  scribe.note(order, { kind: "proof_missing", itemId: item.id, state: item.state, reason: item.reason });
}

const apnsMissing = (item: ItemDraft): string => {
  const words = notSeenWords(item);
  return words ? `: ${words}` : "";
};

/** Ends an order by decision. What was handed to the SMSC is not called back; what waits is not sent. */
export function cancelOrder(
  { scribe, order, terms, ending }: Booking,
  reason: string,
  /** Messages that go along with those of the items: PIN notices. */
  companions: readonly Companion[],
): void {
  scribe.changes.cancelledMessages.push(...companions.map(({ id }) => id));
  for (const item of order.items) {
    if (isClosed(item)) continue;
    if (ending.isKept(item, terms)) {
      waitNoMore(item);
      continue;
    }
    if (item.message) scribe.changes.cancelledMessages.push(item.message.id);
    if (item.keyId) scribe.changes.keyChanges.push({ id: item.keyId, state: "revoked" });
    scribe.moveItem(order, item, {
      state: "cancelled",
      reason: ending.cancelledWords(item, order, reason),
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
