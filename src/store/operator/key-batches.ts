/** Makers' batches of keys on PostgreSQL: each key a row of its own, sealed, that one handset takes (`stock-keys.ts`). */
import { createHash } from "node:crypto";
import {
  type BatchView,
  type CheckedBatch,
  type KeyBatches,
  type StockView,
  stockAction,
  stockStateOf,
} from "../../kernel/keys/key-batches.ts";
import { TurnupError } from "../../term/error.ts";
import type { Db, Tx } from "../database/database.ts";
import { STOCK_COUNTED_MAX } from "../orders/stock-keys.ts";
import { INSERT_AUDIT, type RegistryDeps } from "./audited.ts";

/** Batches of one operator that a list shows. */
const LISTED_MAX = 1_000;

const INSERT_BATCH = {
  name: "insert_key_batch", // key_batch_pkey
  text: `insert into key_batch (operator_id, id, make, issuer, digest, key_count, imported_by, imported_at, models)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (operator_id, id) do nothing`,
};
const FIND_BATCH = {
  name: "find_key_batch", // key_batch_pkey
  text: "select digest from key_batch where operator_id = $1 and id = $2",
};
const INSERT_KEYS = {
  name: "insert_stock_keys", // key_stock_pkey, device_key_pkey
  text: `insert into key_stock (id, operator_id, batch_id, make, issuer, sealed, not_before, not_after)
         select k.id, $1, $2, $3, $4, k.sealed, k.not_before, k.not_after
           from unnest($5::uuid[], $6::bytea[], $7::timestamptz[], $8::timestamptz[]) as k(id, sealed, not_before, not_after)
          where not exists (select from device_key d where d.id = k.id)
             on conflict (id) do nothing`,
};
const BATCH = `b.id, b.make, b.models, b.issuer, b.key_count as keys, b.imported_by as "importedBy", b.imported_at as "importedAt",
  b.withdrawn_at as "withdrawnAt", n.free, n.bound, n.sent, n.expired, n.withdrawn`;
const COUNTS = `lateral (
  select count(*) filter (where s.device_id is null and s.withdrawn_at is null and s.not_after > $2)::int as free,
         count(*) filter (where s.device_id is not null and k.id is null)::int as bound,
         count(*) filter (where k.id is not null)::int as sent,
         count(*) filter (where s.device_id is null and s.withdrawn_at is null and s.not_after <= $2)::int as expired,
         count(*) filter (where s.device_id is null and s.withdrawn_at is not null)::int as withdrawn
    from key_stock s left join device_key k on k.id = s.id where s.operator_id = b.operator_id and s.batch_id = b.id) n`;
const LIST_BATCHES = {
  name: "list_key_batches", // key_batch_pkey, key_stock_of_batch, device_key_pkey
  text: `select ${BATCH} from key_batch b cross join ${COUNTS}
          where b.operator_id = $1 order by b.imported_at desc, b.id limit ${LISTED_MAX}`,
};
const VIEW_BATCH = {
  name: "view_key_batch", // key_batch_pkey, key_stock_of_batch, device_key_pkey
  text: `select ${BATCH} from key_batch b cross join ${COUNTS} where b.operator_id = $1 and b.id = $3`,
};
const WITHDRAW_BATCH = {
  name: "withdraw_key_batch", // key_batch_pkey
  text: `update key_batch set withdrawn_by = coalesce(withdrawn_by, $3), withdrawn_at = coalesce(withdrawn_at, $4)
          where operator_id = $1 and id = $2`,
};
const WITHDRAW_KEYS = {
  name: "withdraw_stock_keys", // key_stock_of_batch
  text: `update key_stock set withdrawn_at = $3
          where operator_id = $1 and batch_id = $2 and device_id is null and withdrawn_at is null`,
};
/** Calls that wait for a key of stock: this may be what they wait for. */
const WAKE_CALLS = {
  name: "wake_stock_calls", // outbound_call_due
  text: `update outbound_call set due_at = least($2, now())
          where kind = 'key_request' and due_at > $2 and operator_id = $1 and state = 'due' and body ->> 'from' = 'stock'
            and (lease_until is null or lease_until < $2)`,
};
/** For each make, and within it for each list of models that its batches name: a handset of those gets what is for all as well. */
const STOCKS = {
  name: "key_stocks", // relation_once, key_batch_pkey, key_stock_free_of_batch
  text: `select r.make, l.models, r.key_stock_low as low, n.free, n.next as "nextExpiryAt"
           from relation r
          cross join lateral (
             select distinct b.models from key_batch b
              where b.operator_id = r.operator_id and lower(b.make) = lower(r.make) and b.withdrawn_at is null
              union select '{}') l
          cross join lateral (
             select coalesce(sum(f.free), 0)::int as free, min(f.next) as next from key_batch b cross join lateral (
               select count(*) as free, min(not_after) as next from (
                 select not_after from key_stock s
                  where s.operator_id = b.operator_id and s.batch_id = b.id and s.device_id is null and s.withdrawn_at is null
                    and s.not_after > $2 order by s.not_after limit ${STOCK_COUNTED_MAX}) c) f
              where b.operator_id = r.operator_id and lower(b.make) = lower(r.make) and b.withdrawn_at is null
                and (b.models = '{}' or b.models = l.models)) n
          where r.operator_id = $1 and r.key_source = 'stock' order by lower(r.make), l.models`,
};

type BatchRow = Omit<BatchView, "importedAt" | "withdrawnAt"> & {
  readonly importedAt: Date;
  readonly withdrawnAt: Date | null;
};
const viewOf = (row: BatchRow): BatchView => ({
  ...row,
  importedAt: row.importedAt.toISOString(),
  withdrawnAt: row.withdrawnAt?.toISOString() ?? null,
});

export function createKeyBatches({ database, sealer, newId, clock }: RegistryDeps): KeyBatches {
  const audit = (
    tx: Tx,
    operatorId: string,
    actor: string,
    { action, batchId, detail }: { action: string; batchId: string; detail: object },
  ) => tx.run(INSERT_AUDIT, [newId(), operatorId, actor, action, batchId, JSON.stringify(detail), clock()]);
  const view = async (db: Db, operatorId: string, batchId: string): Promise<BatchView | undefined> => {
    const row = await db.one<BatchRow>(VIEW_BATCH, [operatorId, clock(), batchId]);
    return row && viewOf(row);
  };
  return {
    put: (operatorId, batch, actor) =>
      database.transaction(async (tx) => {
        const { id, make, keys } = batch;
        const now = clock();
        const { issuer, models } = batch;
        const values = [operatorId, id, make, issuer, digestOf(batch), keys.length, actor, now, models];
        const created = (await tx.run(INSERT_BATCH, values)) > 0;
        if (created) {
          await insertKeys(tx, operatorId, batch, (bytes) => sealer.seal("device_key", bytes));
          await tx.run(WAKE_CALLS, [operatorId, now]);
          await audit(tx, operatorId, actor, {
            action: "key_batch.import",
            batchId: id,
            detail: { make, ...(models.length > 0 && { models }), keys: keys.length },
          });
        } else await refuseOther(tx, operatorId, batch);
        const batchView = await view(tx, operatorId, id);
        if (!batchView) throw new Error("a batch that was just stored is not there");
        return { created, batch: batchView };
      }),
    async list(operatorId) {
      const rows = await database.rows<BatchRow>(LIST_BATCHES, [operatorId, clock()]);
      return rows.map(viewOf);
    },
    withdraw: (operatorId, batchId, actor) =>
      database.transaction(async (tx) => {
        const now = clock();
        if ((await tx.run(WITHDRAW_BATCH, [operatorId, batchId, actor, now])) === 0) return undefined;
        const keys = await tx.run(WITHDRAW_KEYS, [operatorId, batchId, now]);
        await audit(tx, operatorId, actor, { action: "key_batch.withdraw", batchId, detail: { keys } });
        return await view(tx, operatorId, batchId);
      }),
    async stocks(operatorId) {
      type Row = Pick<StockView, "make" | "models" | "free" | "low"> & { readonly nextExpiryAt: Date | null };
      const rows = await database.rows<Row>(STOCKS, [operatorId, clock()]);
      return rows.map(({ nextExpiryAt, ...row }): StockView => {
        const state = stockStateOf(row.free, row.low);
        return {
          ...row,
          nextExpiryAt: nextExpiryAt?.toISOString() ?? null,
          state,
          nextAction: stockAction(row, state),
        };
      });
    },
  };
}

const digestOf = ({ make, models, keys }: CheckedBatch): Buffer => {
  const hash = createHash("sha256").update(make.toLowerCase());
  for (const model of models) hash.update(`\n${model}`);
  for (const { bytes } of keys) hash.update(bytes);
  return hash.digest();
};

/** @throws TurnupError `key_batch_conflict` */
async function insertKeys(
  tx: Tx,
  operatorId: string,
  { id, make, issuer, keys }: CheckedBatch,
  seal: (bytes: Uint8Array) => Buffer,
): Promise<void> {
  const stored = await tx.run(INSERT_KEYS, [
    operatorId,
    id,
    make,
    issuer,
    keys.map((key) => key.id),
    keys.map(({ bytes }) => seal(bytes)),
    keys.map(({ notBefore }) => notBefore),
    keys.map(({ notAfter }) => notAfter),
  ]);
  if (stored < keys.length)
    throw conflict(
      `${keys.length - stored} of the ${keys.length} keys of batch ${id} are known here already.`,
    );
}

async function refuseOther(tx: Tx, operatorId: string, batch: CheckedBatch): Promise<void> {
  const known = await tx.one<{ digest: Buffer }>(FIND_BATCH, [operatorId, batch.id]);
  if (known && !known.digest.equals(digestOf(batch)))
    throw conflict(`Batch ${batch.id} was imported before with other keys.`);
}

const conflict = (fact: string): TurnupError =>
  new TurnupError("key_batch_conflict", fact, {
    nextStep: "Nothing of it was stored. Ask its maker for a batch under a name of its own, with new keys.",
  });
