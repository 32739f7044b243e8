/**
 * Verdicts of the past, in groups that the rules cannot tell apart: read along the primary key of orders in pieces, so that no
 * statement is long however many there are.
 */
import type { PastVerdicts } from "../../kernel/operator/replay.ts";
import type { Database } from "../database/database.ts";
import { uuidFloor } from "../database/uuid.ts";

/** Orders of one statement; half a second of the database's time. */
const ORDERS_AT_ONCE = 25_000;

/** The last order of the next piece; none where fewer are left than one piece has. */
const NEXT_BOUND = {
  name: "bound_of_past_verdicts", // provisioning_order_pkey
  text: `select id from provisioning_order where operator_id = $1 and id > $2 order by id offset ${ORDERS_AT_ONCE - 1} limit 1`,
};
const READ = {
  name: "past_verdicts", // provisioning_order_pkey, device_pkey
  text: `select d.tac, o.make, o.model, o.market, o.verdict,
                jsonb_path_query_first(o.verdict_reasons, '$[*] ? (@.decided == true).rule') #>> '{}' as rule,
                (o.created_at at time zone 'UTC')::date::text as "asOf",
                case when d.imei_index = any($4::bytea[]) then encode(d.imei_index, 'hex') end as "imeiIndex",
                count(*)::int as count, min(o.id::text) as example
           from provisioning_order o join device d on d.id = o.device_id
          where o.operator_id = $1 and o.id > $2 and o.id <= $3 and o.verdict is not null
          group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1, 7`,
};
const COUNT = {
  name: "count_past_orders", // provisioning_order_pkey
  text: "select count(*)::int as count from provisioning_order where operator_id = $1 and id > $2",
};
const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

type PastPiece = { readonly groups: readonly PastVerdicts[]; readonly orders: number };

/** How many orders were opened since then, with a verdict or without. */
export async function countPastOrders(database: Database, operatorId: string, since: Date): Promise<number> {
  const row = await database.one<{ count: number }>(COUNT, [operatorId, uuidFloor(since)]);
  return row?.count ?? 0;
}

/** @param spokenOf blind indexes, hexadecimal, of handsets that the operator spoke of one by one: each is a group of its own */
export async function* pastVerdicts(
  database: Database,
  operatorId: string,
  { since, spokenOf }: { readonly since: Date; readonly spokenOf: readonly string[] },
): AsyncGenerator<PastPiece> {
  const indexes = spokenOf.map((index) => Buffer.from(index, "hex"));
  let from = uuidFloor(since);
  for (;;) {
    const bound = (await database.one<{ id: string }>(NEXT_BOUND, [operatorId, from]))?.id;
    const groups = await database.rows<PastVerdicts>(READ, [operatorId, from, bound ?? LAST_ID, indexes]);
    const orders = bound === undefined ? groups.reduce((sum, { count }) => sum + count, 0) : ORDERS_AT_ONCE;
    yield { groups, orders };
    if (bound === undefined) return;
    from = bound;
  }
}
