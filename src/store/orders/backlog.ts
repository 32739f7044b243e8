/**
 * How much work lies in the database, for measures. Every count stops at `COUNTED_MAX` and runs on the index that the work
 * itself is found by, so that looking costs little however much there is.
 */

import type { Database } from "../database/database.ts";
import { the } from "../database/driver.ts";

/** More than this is told as this: by then somebody has been called. */
const COUNTED_MAX = 100_000;
const STATEMENT_TIMEOUT_MS = 2_000;

export type Pile = {
  readonly count: number;
  /** When the first of it was due, or is; null where nothing is there. */
  readonly firstDueAt: Date | null;
};
export type Backlog = {
  /** Messages to be handed to the message centre. */
  readonly outbox: Pile;
  /** Messages handed over, or being so, whose last word is not known. */
  readonly inFlight: number;
  /** Orders that are not at their end, by state; nobody's name is among it. */
  readonly openOrders: Readonly<Record<string, number>>;
  /** Orders whose next action is due now. */
  readonly dueOrders: Pile;
  /** Calls to key servers and payment systems, by kind. */
  readonly calls: Readonly<Record<string, Pile>>;
  readonly unmatchedReceipts: number;
  /** Stocks of makers' keys by how much is left: `enough`, `low`, `empty`; of relations that take keys from stock. */
  readonly keyStocks: Readonly<Record<string, number>>;
  /** Transfers of payment files of which no bank has spoken in time. */
  readonly overdueTransfers: number;
  /** Lines of statements that a side disputes and nobody decided about. */
  readonly openDisputes: number;
};

const counted = (from: string): string =>
  `(select count(*)::int from (select from ${from} limit ${COUNTED_MAX}) c)`;

const PILES = {
  name: "backlog_piles", // message_due, message_in_flight, provisioning_order_due, unmatched_receipt_pkey, payment_transfer_waiting, dispute_due
  text: `select ${counted("message where due_at is not null")} as outbox,
                (select min(due_at) from message where due_at is not null) as "outboxSince",
                ${counted("message where state in ('submitting', 'submitted')")} as "inFlight",
                ${counted("provisioning_order where due_at <= $1")} as due,
                (select min(due_at) from provisioning_order where due_at <= $1) as "dueSince",
                ${counted("unmatched_receipt")} as unmatched,
                ${counted("payment_transfer where deadline_at <= $1")} as "overdueTransfers",
                ${counted("dispute where deadline_at is not null")} as "openDisputes"`,
};
const OPEN_ORDERS = {
  name: "backlog_open_orders", // provisioning_order_by_standing, an operator at a time
  text: `select s.state, coalesce(sum(n.count), 0)::int as count
           from unnest(array['received', 'waiting', 'verifying', 'awaiting_consent', 'provisioning']) as s(state) left join operator o on true
           left join lateral (select count(*) from (select from provisioning_order p
                                where p.operator_id = o.id and p.state = s.state limit ${COUNTED_MAX}) c) n on true
          group by s.state`,
};
const CALLS = {
  name: "backlog_calls", // outbound_call_due
  text: `select k.kind, (select count(*)::int from (select from outbound_call c
                           where c.kind = k.kind and c.due_at is not null limit ${COUNTED_MAX}) c) as count,
                (select min(due_at) from outbound_call c where c.kind = k.kind and c.due_at is not null) as "firstDueAt"
           from unnest($1::text[]) as k(kind)`,
};

const KEY_STOCKS = {
  name: "backlog_key_stocks", // relation_once, key_stock_free
  text: `select s.state, count(*) filter (where s.state = n.state)::int as count
           from unnest(array['enough', 'low', 'empty']) as s(state) left join (
             select case when f.free = 0 then 'empty' when f.free <= r.key_stock_low then 'low' else 'enough' end as state
               from relation r cross join lateral (
                 select count(*) as free from (select from key_stock k
                   where k.operator_id = r.operator_id and lower(k.make) = lower(r.make) and k.device_id is null
                     and k.withdrawn_at is null and k.not_after > $1 limit r.key_stock_low + 1) c) f
              where r.key_source = 'stock') n on true group by s.state`,
};

export async function readBacklog(
  database: Database,
  callKinds: readonly string[],
  now: Date,
): Promise<Backlog> {
  return database.transaction(
    async (tx) => {
      const piles = the(
        await tx.rows<{
          outbox: number;
          outboxSince: Date | null;
          inFlight: number;
          due: number;
          dueSince: Date | null;
          unmatched: number;
          overdueTransfers: number;
          openDisputes: number;
        }>(PILES, [now]),
      );
      const open = await tx.rows<{ state: string; count: number }>(OPEN_ORDERS);
      const calls = await tx.rows<Pile & { kind: string }>(CALLS, [callKinds]);
      const stocks = await tx.rows<{ state: string; count: number }>(KEY_STOCKS, [now]);
      return {
        keyStocks: Object.fromEntries(stocks.map(({ state, count }) => [state, count])),
        outbox: { count: piles.outbox, firstDueAt: piles.outboxSince },
        inFlight: piles.inFlight,
        openOrders: Object.fromEntries(open.map(({ state, count }) => [state, count])),
        dueOrders: { count: piles.due, firstDueAt: piles.dueSince },
        calls: Object.fromEntries(calls.map(({ kind, ...pile }) => [kind, pile])),
        unmatchedReceipts: piles.unmatched,
        overdueTransfers: piles.overdueTransfers,
        openDisputes: piles.openDisputes,
      };
    },
    { safeToRepeat: true, statementTimeoutMs: STATEMENT_TIMEOUT_MS },
  );
}
