/** The overview of an operator's newest orders: three statements over the same rows, in one moment. */

import { ORDER_STATES } from "../../kernel/order/order.ts";
import type { FailureGroup, Overview, Overviews, Station } from "../../kernel/order/overview.ts";
import { isOneOf } from "../../term/narrow.ts";
import type { Database } from "../database/database.ts";
import { firstIdAt } from "../database/uuid.ts";

/** Looked at at once: more take longer than somebody waits for a page. */
const ORDERS_MAX = 50_000;
const FAILURES_MAX = 20;

/** Ids sort by time, so the newest of a span stand at the end of the key. */
const RECENT = `select o.id, o.state, o.verdict, o.make, o.model, o.created_at
    from provisioning_order o where o.operator_id = $1 and o.id >= $2::uuid order by o.id desc limit ${ORDERS_MAX + 1}`;
const STATIONS_REACHED = {
  name: "overview_stations", // provisioning_order_pkey, order_item_of_order, charge_item_id_key
  text: `with recent as (${RECENT})
         select o.state, count(*)::int as seen, count(o.verdict)::int as judged,
                count(*) filter (where i.keyed)::int as keyed, count(*) filter (where i.sent)::int as sent,
                count(*) filter (where i.delivered)::int as delivered, count(*) filter (where i.opened)::int as opened,
                count(*) filter (where i.works)::int as works, count(*) filter (where i.paid)::int as paid
           from recent o left join lateral (
                select bool_or(i.key_id is not null) as keyed, bool_or(i.message_id is not null or i.state in ('delivered', 'opened', 'works', 'access_data_sent')) as sent,
                       bool_or(i.state in ('delivered', 'opened', 'works', 'access_data_sent')) as delivered,
                       bool_or(i.state in ('opened', 'works')) as opened, bool_or(i.state = 'works') as works,
                       bool_or(exists (select from charge c where c.item_id = i.id and c.state in ('paid', 'settled'))) as paid
                  from order_item i where i.order_id = o.id) i on true
          group by o.state`,
};
const RATE = {
  name: "overview_rate", // provisioning_order_pkey
  text: `with recent as (${RECENT})
         select date_bin(make_interval(secs => $3), o.created_at, 'epoch') as at, count(*)::int as seen,
                count(*) filter (where o.state = 'completed')::int as done,
                count(*) filter (where o.state in ('failed', 'partly_completed'))::int as failed
           from recent o group by 1 order by 1`,
};
const FAILURES = {
  name: "overview_failures", // provisioning_order_pkey, order_item_of_order
  text: `with recent as (${RECENT})
         select o.state, i.kind, i.cause, (array_agg(i.reason order by i.updated_at desc))[1] as reason, o.make, o.model,
                count(distinct o.id)::int as orders, min(i.updated_at) as "firstAt", max(i.updated_at) as "lastAt"
           from recent o join order_item i on i.order_id = o.id
          where o.state in ('failed', 'partly_completed') and i.state = 'failed'
          group by o.state, i.kind, i.cause, o.make, o.model order by orders desc, "lastAt" desc limit ${FAILURES_MAX}`,
};

type StationRow = Readonly<Record<Station, number>> & { readonly state: string };
type RateRow = { readonly at: Date; readonly seen: number; readonly done: number; readonly failed: number };
type FailureRow = Omit<FailureGroup, "firstAt" | "lastAt"> & {
  readonly firstAt: Date;
  readonly lastAt: Date;
};

export const createOverviews = (database: Database): Overviews => ({
  overview: (operatorId, since, stepSeconds) =>
    database.transaction(
      async (tx) => {
        const values = [operatorId, firstIdAt(since)];
        const reached = await tx.rows<StationRow>(STATIONS_REACHED, values);
        const rate = await tx.rows<RateRow>(RATE, [...values, stepSeconds]);
        const failures = await tx.rows<FailureRow>(FAILURES, values);
        return overviewOf(reached, rate, failures);
      },
      { isolation: "repeatable read" },
    ),
});

function overviewOf(
  reached: readonly StationRow[],
  rate: readonly RateRow[],
  failures: readonly FailureRow[],
): Overview {
  const sum = (station: Station): number => reached.reduce((total, row) => total + row[station], 0);
  const seen = sum("seen");
  const [judged, keyed, sent, delivered] = [sum("judged"), sum("keyed"), sum("sent"), sum("delivered")];
  return {
    orders: Math.min(seen, ORDERS_MAX),
    isWhole: seen <= ORDERS_MAX,
    stations: {
      seen,
      judged,
      keyed,
      sent,
      delivered,
      opened: sum("opened"),
      works: sum("works"),
      paid: sum("paid"),
    },
    states: Object.fromEntries(
      reached.flatMap(({ state, seen: count }) => (isOneOf(ORDER_STATES, state) ? [[state, count]] : [])),
    ),
    rate: rate.map(({ at, ...counts }) => ({ at: at.toISOString(), ...counts })),
    failures: failures.map(({ firstAt, lastAt, ...group }) => ({
      ...group,
      firstAt: firstAt.toISOString(),
      lastAt: lastAt.toISOString(),
    })),
  };
}
