/**
 * Ours: the last three steps of a proven key. The operator pays its fee, the manufacturer gets its portion, and is told of it: three
 * durable calls, of which each answer books the charge, the ledger, the order's history and the next call in one transaction. The
 * kernel's conductor, bookkeeper and caller on the store as they are in the server; the machines outside answer at once, in this process.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { startLoop } from "../../src/app/server/loop.ts";
import { type Bookkeeper, createBookkeeper } from "../../src/kernel/conductor/bookkeeper.ts";
import { type Conductor, createConductor } from "../../src/kernel/conductor/conductor.ts";
import { createInHand } from "../../src/kernel/conductor/in-hand.ts";
import { type BankPort, createCallMaker, type MakerPort } from "../../src/kernel/conductor/make-calls.ts";
import type { ChangeSet } from "../../src/kernel/order/change-set.ts";
import type { OrderStore } from "../../src/kernel/order/order-store.ts";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { migrate } from "../../src/store/database/migrate.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { createCatalogStore } from "../../src/store/operator/catalog-store.ts";
import { createRegistry } from "../../src/store/operator/registry.ts";
import { createOrderStore } from "../../src/store/orders/order-store.ts";
import { createSealer, type Sealer } from "../../src/store/seal/seal.ts";
import { relationTerms } from "../../test/fixture/order-engine.ts";
import { BATCH, countdown, type Engine, STEPS } from "./engine.ts";

const KINDS = ["fee_request", "portion_payment", "remittance_notice"] as const;
const POLL_MS = 500;
const FEE_MINOR = 251;
const PORTION_MINOR = 83;
const never = (): never => {
  throw new Error("The bench of engines opens no orders.");
};

export async function openOurs(url: string): Promise<Engine> {
  const database = await openDatabase({
    connection: { connectionString: url },
    poolMax: 8,
    applicationName: "bench of engines",
  });
  await migrate(database);
  const clock = (): Date => new Date();
  const sealer = createSealer(randomBytes(32));
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock });
  const store = createOrderStore(database, sealer, registry.ownWords, { clock });
  const operatorId = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, 'bench', 'Bench', 'mno')", [
    operatorId,
  ]);
  await registry.relations.put(operatorId, relationTerms(), () => true, "bench");
  let charges: string[] = [];
  return {
    async prepare(flows) {
      charges = await writeCharges(database, sealer, operatorId, flows);
    },
    async work() {
      await settle(store, database, charges.length);
      await check(database, charges);
    },
    close: () => database.close(),
  };
}

/** Each with the subscriber, handset, order, item and key that it is for, and its first call. */
async function writeCharges(
  database: Database,
  sealer: Sealer,
  operatorId: string,
  flows: number,
): Promise<string[]> {
  const ids = (): string[] => Array.from({ length: flows }, () => uuidv7());
  const [charges, orders] = [ids(), ids()];
  await database.run(
    `with n as (select * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[])
                  as v(charge, orders, item, key, call, subscriber, device)),
       s as (insert into subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn)
             select subscriber, $1, uuid_send(subscriber), $9, '26201' from n),
       d as (insert into device (id, operator_id, imei_index, imei_sealed, tac) select device, $1, uuid_send(device), $10, '35693803' from n),
       o as (insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action,
                    make, model, verdict, created_at, updated_at, ended_at)
             select orders, $1, subscriber, device, 'sim_moved', 'mno', 'completed', 'all items work', 'none', 'Acme', 'One', 'ended',
                    now(), now(), now() from n),
       k as (insert into device_key (id, operator_id, order_id, device_id, source, issuer, reference, sealed, state, not_after, issued_at, updated_at)
             select key, $1, orders, device, 'maker', 'keys.maker', uuid_send(key), uuid_send(key), 'used', now() + interval '1 year', now(), now() from n),
       i as (insert into order_item (id, operator_id, order_id, kind, state, reason, next_action, key_id, updated_at)
             select item, $1, orders, 'key', 'works', 'the key was used', 'none', key, now() from n),
       c as (insert into charge (id, operator_id, order_id, item_id, make, key_source, fee_minor, portion_minor, currency, level, state, reason,
                    created_at, updated_at)
             select charge, $1, orders, item, 'Acme', 'maker', ${FEE_MINOR}, ${PORTION_MINOR}, 'EUR', 'works', 'requested', 'the fee is due', now(), now() from n)
     insert into outbound_call (id, operator_id, order_id, item_id, kind, idempotency_key, body, state, reason, due_at, deadline_at, created_at, updated_at)
     select call, $1, orders, item, 'fee_request', charge::text,
            jsonb_build_object('chargeId', charge, 'amountMinor', '${FEE_MINOR}', 'currency', 'EUR'), 'due', 'waits for its turn', now(),
            now() + interval '3 days', now(), now() from n`,
    [
      ...[operatorId, charges, orders, ids(), ids(), ids(), ids(), ids()],
      sealer.seal("imsi", "262010000000001"),
      sealer.seal("imei", "356938035643809"),
    ],
  );
  return charges;
}

async function settle(store: OrderStore, database: Database, flows: number): Promise<void> {
  const counting = countdown(flows * STEPS.length);
  let wake: (changes: ChangeSet) => void = () => undefined;
  const conductor = conductorOn(store, database, (changes) => {
    wake(changes);
    counting.told(changes.callChanges.filter(({ state }) => state === "done").length);
  });
  const books = createBookkeeper(conductor, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const { loops, failed } = startCalls(store, books);
  wake = ({ calls }) => {
    for (const { kind } of calls) loops.find(({ of }) => of === kind)?.wake();
  };
  try {
    await Promise.race([counting.done, failed]);
  } finally {
    await Promise.all(loops.map((one) => one.stop()));
    await books.idle();
  }
}

function startCalls(store: OrderStore, books: Bookkeeper) {
  const maker = createCallMaker({
    ...{ store, books, inHand: createInHand(), clock: () => new Date() },
    makerAt: () => MAKER,
    bankOf: () => BANK,
  });
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const loops = KINDS.map((of) => ({
    of,
    ...startLoop({
      name: of,
      pauseMs: POLL_MS,
      pass: async () => (await maker.pass(of, BATCH)) === BATCH,
      onFailure: (_name, error) => fail(error),
    }),
  }));
  return { loops, failed };
}

const done = ({ id }: { readonly id: string }) => ({ kind: "done", reference: `bank ${id}` }) as const;
const BANK: BankPort = {
  requestFees: async (fees) => fees.map(done),
  payPortions: async (payments) => payments.map(done),
};
const MAKER: MakerPort = {
  requestKeys: never,
  reportDownloads: never,
  reportPayments: async () => ({ kind: "done", reference: null }),
};

const conductorOn = (
  store: OrderStore,
  database: Database,
  onWritten: (changes: ChangeSet) => void,
): Conductor =>
  createConductor({
    ...{ store, onWritten, newId: uuidv7, clock: () => new Date() },
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    judge: never,
    chooseSettings: never,
    ownIssuer: { name: "bench", ...generateKeyPairSync("ed25519") },
    catalog: createCatalogStore({ database, newId: uuidv7, clock: () => new Date() }),
    ...{ linkUrl: never, managementUrl: never, fetchModule: never, requestUrl: never, offerUrl: never },
  });

/** @throws Error where one is not settled, or its fee, portion and what was paid on stand in the ledger other than once */
async function check(database: Database, charges: readonly string[]): Promise<void> {
  const row = await database.one<{ settled: number; postings: number; told: number }>(
    `select (select count(*)::int from charge where id = any($1::uuid[]) and state = 'settled') as settled,
            (select count(*)::int from posting where charge_id = any($1::uuid[])) as postings,
            (select count(*)::int from outbound_call where kind = 'remittance_notice' and state = 'done' and idempotency_key = any($2::text[])) as told`,
    [charges, charges],
  );
  const [settled, told] = [row?.settled ?? 0, row?.told ?? 0];
  const perCharge = (row?.postings ?? 0) / charges.length;
  if (settled !== charges.length || told !== charges.length || !Number.isInteger(perCharge))
    throw new Error(
      `of ${charges.length} charges ${settled} are settled, ${told} told, with ${perCharge} postings each`,
    );
}
