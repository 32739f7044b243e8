/**
 * The history of orders: what one step noted of one order is one row, one of its events with the others in `more`.
 * A row a step costs half of what a row an event does.
 */
import type { NewEvent } from "../../kernel/order/change-set.ts";
import type { EventKind } from "../../kernel/order/event-kind.ts";
import { bulkInsert } from "../database/bulk.ts";

/** Statements look for these by their kind, here and in the release before: each has a row of its own. */
const ALONE: readonly EventKind[] = ["works", "self_care_resend"];

/** A row: an event, and what else its step noted. */
type StepRow = NewEvent & { readonly more: readonly MoreEvent[] | null };
/** In the order in which HISTORY reads it. */
type MoreEvent = readonly [
  id: string,
  itemId: string | null,
  kind: EventKind,
  state: string | null,
  reason: string,
  evidence: string | null,
  detail: unknown,
];

export const insertSteps = bulkInsert<StepRow>("order_event", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "order_id", type: "uuid", value: (row) => row.orderId },
  { name: "item_id", type: "uuid", value: (row) => row.itemId },
  { name: "kind", type: "text", value: (row) => row.kind },
  { name: "state", type: "text", value: (row) => row.state },
  { name: "reason", type: "text", value: (row) => row.reason },
  { name: "evidence", type: "text", value: (row) => row.evidence },
  { name: "detail", type: "jsonb", value: (row) => row.detail },
  { name: "more", type: "json", value: (row) => row.more },
  { name: "at", type: "timestamptz", value: (row) => row.at },
]);

/** The events of one transaction as rows, each step's under one that has a row anyway; ids and their order stay as they are. */
export function stepsOf(events: readonly NewEvent[]): readonly StepRow[] {
  const own = new Set(events.filter((event) => ALONE.includes(event.kind) || !isReadBack(event)));
  const heads = new Map<string, NewEvent>();
  for (const event of [...own, ...events]) if (!heads.has(stepOf(event))) heads.set(stepOf(event), event);
  const more = new Map<NewEvent, MoreEvent[]>();
  for (const event of events) {
    const head = heads.get(stepOf(event));
    if (head === undefined || head === event || own.has(event)) continue;
    more.set(head, [...(more.get(head) ?? []), moreOf(event)]);
  }
  const hasRow = (event: NewEvent): boolean => own.has(event) || heads.get(stepOf(event)) === event;
  return events.filter(hasRow).map((event) => ({ ...event, more: more.get(event) ?? null }));
}

const stepOf = ({ orderId, at }: NewEvent): string => `${orderId} ${at.getTime()}`;

/**
 * `json` takes NUL and half a surrogate pair as JSON writes them, and gives nobody the text back: the whole history would be
 * unreadable. A column of its own takes the half as U+FFFD, and refuses the NUL when it is written.
 */
const isReadBack = ({ reason, state, evidence, detail }: NewEvent): boolean =>
  [reason, state, evidence].every((text) => text === null || (!text.includes("\0") && !LONE.test(text))) &&
  (detail === null || !ESCAPED.test(JSON.stringify(detail) ?? ""));
const LONE = /\p{Surrogate}/u;
const ESCAPED = /\\u(?:0000|d[89a-f])/i;

const moreOf = ({ id, itemId, kind, state, reason, evidence, detail }: NewEvent): MoreEvent => [
  id,
  itemId,
  kind,
  state,
  reason,
  evidence,
  detail,
];

/** Every event of the orders that `where` names of `order_event e`, each a row as it was noted. order_event_pkey */
export const historyOf = (where: string): string => `
  select e.order_id, e.operator_id, e.id, e.item_id, e.kind, e.state, e.reason, e.evidence, e.detail, e.at
    from order_event e where ${where}
   union all
  select e.order_id, e.operator_id, (m.value ->> 0)::uuid, (m.value ->> 1)::uuid, m.value ->> 2, m.value ->> 3, m.value ->> 4,
         m.value ->> 5, nullif((m.value -> 6)::jsonb, 'null'), e.at
    from order_event e cross join lateral json_array_elements(e.more) m where ${where} and e.more is not null`;
