/** What of each kind goes, and as what it is still counted: one rule for the look beforehand, for deletes and for whole months. */
import type { GrownKind } from "../../kernel/operator/retention.ts";
import { GROWN } from "./partitions.ts";

type Entries = {
  /** Of rows `r`, those whose time may be over at all. */
  readonly mayGo: string;
  /** Of `from`, a table of rows: operator_id, at, what; one for each entry that a row holds. */
  readonly of: (from: string) => string;
};

const plain =
  (at: string, what: string) =>
  (from: string): string =>
    `select r.operator_id, r.${at} as at, ${what} as what from ${from} r`;

/** An order that is under way keeps its history, however old. */
const OPEN_ORDER = "select from provisioning_order p where p.id = r.order_id and p.due_at is not null";

export const ENTRIES: Readonly<Record<GrownKind, Entries>> = {
  sightings: { mayGo: "true", of: plain("seen_at", "array[r.outcome, r.source, r.serving_plmn]") },
  events: {
    mayGo: `not exists (${OPEN_ORDER})`,
    of: (from) => `select r.operator_id, r.at, array[r.kind, coalesce(r.state, '')] as what from ${from} r
       union all
      select r.operator_id, r.at, array[m.value ->> 2, coalesce(m.value ->> 3, '')]
        from ${from} r cross join lateral json_array_elements(r.more) m where r.more is not null`,
  },
  audit: { mayGo: "true", of: plain("at", "array[r.action]") },
  messages: { mayGo: "true", of: plain("created_at", "array[r.kind, r.state]") },
};

/** `$1` are operators, `$2` from when on each keeps its rows, as the key has it. */
export const overIn = (kind: GrownKind): string =>
  `unnest($1::uuid[], $2::${GROWN[kind].key === "id" ? "uuid" : "timestamptz"}[]) as o(operator_id, kept_from)`;
export const isOver = (kind: GrownKind): string =>
  `r.operator_id = o.operator_id and r.${GROWN[kind].key} < o.kept_from and ${ENTRIES[kind].mayGo}`;

/** A month as text, "2026-05". */
export const MONTH = "to_char(date_trunc('month', at at time zone 'UTC'), 'YYYY-MM')";

/** Counts what `from` holds into the statistics, and answers how many entries of which operator that was. */
export const countAway = (kind: GrownKind, { before, from }: { before?: string; from: string }): string => `
  with ${before === undefined ? "" : `${before}, `}counted as (
    select operator_id, (${MONTH} || '-01')::date as month, what, count(*) as count
      from (${ENTRIES[kind].of(from)}) e group by 1, 2, 3),
  kept as (
    insert into monthly_statistic as s (operator_id, kind, month, what, count)
    select operator_id, '${kind}', month, what, count from counted
        on conflict (operator_id, kind, month, what) do update set count = s.count + excluded.count)
  select operator_id as "operatorId", sum(count)::int as entries from counted group by 1`;
