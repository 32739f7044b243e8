/**
 * Takes keys out of stock, each for one handset. The handset's row is locked first, so that two of its orders share one key
 * instead of using up two, and a free key that another transaction is taking is passed over: no key is taken twice.
 */
import { batchesFor } from "../../kernel/keys/key-batches.ts";
import type { StockAnswer, StockQuestion } from "../../kernel/order/device-key.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import type { Database, Tx } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Most keys that are counted: relations name no more as few. */
export const STOCK_COUNTED_MAX = 10_000;
/** A key whose time is up sooner might reach its handset too late. */
const HOURS_LEFT_MIN = 24;

const LOCK_DEVICE = {
  name: "lock_device_of_order", // provisioning_order_pkey, device_pkey
  text: `select d.id from provisioning_order o join device d on d.id = o.device_id
          where o.id = $1 and o.operator_id = $2 for no key update of d`,
};
const KEY = `s.id, s.batch_id as "batchId", s.sealed`;
/** The one that the handset has already: bound and not sent, or sent by an older order and not used, which the younger takes over. */
const OWN_KEY = {
  name: "stock_key_of_device", // key_stock_of_device, device_key_pkey, order_item_pkey, charge_item_id_key
  text: `select ${KEY}, k.id is null and s.item_id <> $6 and i.state = 'waiting_for_key' as "isUnderway"
           from key_stock s left join device_key k on k.id = s.id left join order_item i on i.id = s.item_id
          where s.device_id = $1 and s.operator_id = $2 and lower(s.make) = lower($3) and s.withdrawn_at is null
            and s.not_after > $4::timestamptz + interval '${HOURS_LEFT_MIN} hours'
            and (k.id is null or (k.order_id < $5 and k.state in ('issued', 'downloaded', 'revoked')
                                  and not exists (select from charge c where c.item_id = s.item_id)))
          order by k.id is null desc, s.id limit 1`,
};
/** Of a make, those that have a free key: what expires first before the rest. */
const OPEN_BATCHES = {
  name: "open_key_batches", // key_batch_pkey, key_stock_free_of_batch
  text: `select b.id, b.models from key_batch b cross join lateral (
           select s.not_after, s.id from key_stock s
            where s.operator_id = b.operator_id and s.batch_id = b.id and s.device_id is null and s.withdrawn_at is null
              and s.not_after > $3::timestamptz + interval '${HOURS_LEFT_MIN} hours'
            order by s.not_after, s.id limit 1) f
          where b.operator_id = $1 and lower(b.make) = lower($2) and b.withdrawn_at is null order by f.not_after, f.id`,
};
const FREE_KEY = {
  name: "free_stock_key", // key_stock_free_of_batch
  text: `select ${KEY} from key_stock s
          where s.operator_id = $1 and s.batch_id = $2 and s.device_id is null and s.withdrawn_at is null
            and s.not_after > $3::timestamptz + interval '${HOURS_LEFT_MIN} hours' and s.not_before <= $3
          order by s.not_after, s.id limit 1 for update skip locked`,
};
const BIND = {
  name: "bind_stock_key", // key_stock_pkey
  text: `update key_stock set device_id = $2, item_id = $3, bound_at = coalesce(bound_at, $4) where id = $1`,
};
const LEFT = {
  name: "stock_left", // key_stock_free_of_batch
  text: `select count(*)::int as left from (
           select from key_stock where operator_id = $1 and batch_id = any($2::text[]) and device_id is null and withdrawn_at is null
              and not_after > $3::timestamptz + interval '${HOURS_LEFT_MIN} hours' limit ${STOCK_COUNTED_MAX}) c`,
};

type OpenBatch = { readonly id: string; readonly models: readonly string[] };
type StockRow = { readonly id: string; readonly batchId: string; readonly sealed: Buffer };

export const stockKeys = (
  database: Database,
  sealer: Sealer,
  clock: () => Date = () => new Date(),
): Pick<OrderStore, "takeFromStock"> => ({
  async takeFromStock(asked) {
    const answers: StockAnswer[] = [];
    // One after the other, each whole: a lock that two makes' orders wait for is held for one key.
    for (const one of asked)
      answers.push(
        await database.transaction((tx) => takeOne(tx, sealer, one, clock()), { safeToRepeat: true }),
      );
    return answers;
  },
});

async function takeOne(tx: Tx, sealer: Sealer, asked: StockQuestion, now: Date): Promise<StockAnswer> {
  const { operatorId, orderId, itemId, make, handset } = asked;
  const device = await tx.one<{ id: string }>(LOCK_DEVICE, [orderId, operatorId]);
  if (!device) return emptyOf(asked, []);
  const own = await tx.one<StockRow & { readonly isUnderway: boolean }>(OWN_KEY, [
    device.id,
    operatorId,
    make,
    now,
    orderId,
    itemId,
  ]);
  if (own?.isUnderway) return UNDERWAY;
  const open = await tx.rows<OpenBatch>(OPEN_BATCHES, [operatorId, make, now]);
  const fitting = batchesFor(open, handset);
  const row = own ?? (await freeKey(tx, operatorId, fitting, now));
  if (!row) return emptyOf(asked, open);
  await tx.run(BIND, [row.id, device.id, itemId, now]);
  const ids = fitting.map(({ id }) => id);
  const { left = 0 } = (await tx.one<{ left: number }>(LEFT, [operatorId, ids, now])) ?? {};
  const bytes = Uint8Array.from(sealer.openBytes("device_key", row.sealed));
  return { kind: "key", bytes, stock: { batchId: row.batchId, left } };
}

/** Two answers with one key would be booked against each other. */
const UNDERWAY: StockAnswer = {
  kind: "failed",
  cause: "key_underway",
  reason: "another order of this handset is being given its key",
};

/** Another transaction may be taking the last key of a batch: then the next one's is taken. */
async function freeKey(
  tx: Tx,
  operatorId: string,
  batches: readonly OpenBatch[],
  now: Date,
): Promise<StockRow | undefined> {
  for (const { id } of batches) {
    const row = await tx.one<StockRow>(FREE_KEY, [operatorId, id, now]);
    if (row) return row;
  }
  return undefined;
}

/** Where others of the make have keys still, which model it is that has none is said. */
function emptyOf({ make, handset }: StockQuestion, open: readonly OpenBatch[]): StockAnswer {
  const whose = make === "*" ? "the makes without a relation of their own" : make;
  const which =
    open.length === 0 ? "" : ` for ${handset === null ? "a handset of no known model" : handset.model}`;
  return { kind: "failed", cause: "stock_empty", reason: `no key of ${whose}${which} is left in stock` };
}
