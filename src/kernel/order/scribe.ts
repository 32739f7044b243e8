/**
 * Moves drafts and keeps the minutes: every change of an order or item goes through here, so that none happens without
 * a reason, a next action, a deadline and an event.
 */
import { change } from "./change.ts";
import { type ChangeSet, emptyChangeSet, type NewEvent } from "./change-set.ts";
import type { EventKind } from "./event-kind.ts";
import { FINAL_ORDER_STATES, type ItemState, type OrderState } from "./order.ts";
import type { ItemDraft, OrderDraft } from "./order-draft.ts";

export const NO_ACTION = "none";

type ItemMove = {
  readonly state: ItemState;
  readonly reason: string;
  readonly nextAction: string;
  readonly deadlineAt: Date | null;
  readonly cause?: string | null;
  readonly evidence?: string;
  readonly detail?: unknown;
  /** The name of the event; the new state where none is given. */
  readonly event?: EventKind;
};

type OrderMove = {
  readonly state: OrderState;
  readonly reason: string;
  readonly nextAction: string;
  readonly dueAt: Date | null;
  readonly deadlineAt: Date | null;
  readonly detail?: unknown;
  readonly event?: EventKind;
};

export type Scribe = {
  readonly changes: ChangeSet;
  readonly now: Date;
  readonly newId: () => string;
  touch(order: OrderDraft): void;
  /** Takes over what another scribe of the same moment wrote. */
  take(other: ChangeSet): void;
  note(order: OrderDraft, event: Omit<Partial<NewEvent>, "at"> & Pick<NewEvent, "kind" | "reason">): void;
  moveItem(order: OrderDraft, item: ItemDraft, move: ItemMove): void;
  moveOrder(order: OrderDraft, move: OrderMove): void;
};

export function createScribe(now: Date, newId: () => string): Scribe {
  const changes = emptyChangeSet();
  const touched = new Set<OrderDraft>();
  const scribe: Scribe = {
    changes,
    now,
    newId,
    touch(order) {
      if (touched.has(order)) return;
      touched.add(order);
      changes.orders.push(order);
    },
    take(other) {
      for (const order of other.orders) scribe.touch(order);
      for (const [name, rows] of Object.entries(other) as [keyof ChangeSet, unknown[]][]) {
        // names and rows of one change set
        if (name !== "orders") for (const row of rows) (changes[name] as unknown[]).push(row); // of the same name in another one
      }
    },
    note(order, event) {
      changes.events.push({
        id: newId(),
        operatorId: order.operatorId,
        orderId: order.id,
        itemId: event.itemId ?? null,
        kind: event.kind,
        state: event.state ?? null,
        reason: event.reason,
        evidence: event.evidence ?? null,
        detail: event.detail ?? null,
        at: now,
      });
    },
    moveItem(order, item, move) {
      item.state = move.state;
      item.reason = move.reason;
      item.nextAction = move.nextAction;
      item.deadlineAt = move.deadlineAt;
      item.cause = move.cause ?? null;
      item.changed = true;
      keepInTime(order, item.deadlineAt);
      if (item.attempt > order.attempts) change(order, { attempts: item.attempt });
      scribe.touch(order);
      scribe.note(order, {
        kind: move.event ?? move.state,
        itemId: item.id,
        state: move.state,
        reason: move.reason,
        evidence: move.evidence ?? null,
        detail: move.detail,
      });
    },
    moveOrder(order, move) {
      const isFinal = FINAL_ORDER_STATES.includes(move.state);
      order.state = move.state;
      order.reason = move.reason;
      order.nextAction = isFinal ? NO_ACTION : move.nextAction;
      order.dueAt = isFinal ? null : move.dueAt;
      order.deadlineAt = isFinal ? null : move.deadlineAt;
      order.changed = true;
      scribe.touch(order);
      scribe.note(order, {
        kind: move.event ?? `order_${move.state}`,
        state: move.state,
        reason: move.reason,
        detail: move.detail,
      });
    },
  };
  return scribe;
}

/** An open order is looked at when its first item asks for it at the latest, and ends when its last does at the soonest. */
function keepInTime(order: OrderDraft, deadlineAt: Date | null): void {
  if (deadlineAt === null || order.dueAt === null || order.deadlineAt === null) return;
  if (deadlineAt < order.dueAt) change(order, { dueAt: deadlineAt });
  if (deadlineAt > order.deadlineAt) change(order, { deadlineAt });
}
