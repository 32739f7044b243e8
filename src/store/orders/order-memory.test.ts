/** What a server has by heart of orders is believed while it is so, and never when it is not. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { relationTerms } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { emptyChangeSet } from "../../kernel/order/change-set.ts";
import type { ItemDraft, OrderDraft } from "../../kernel/order/order-draft.ts";
import type { Database, Tx } from "../database/database.ts";
import { createOrderMemory } from "./order-memory.ts";
import { createOrderStore } from "./order-store.ts";

const { shop, claim, taken, receipts, partsOf } = await messageShop();

const READ_ANEW = ["read_orders", "items_of_orders"];

/** A server of its own, with the names of what it asks within transactions. */
function serverOf() {
  const asked: string[] = [];
  const named = (tx: Tx): Tx => ({
    ...tx,
    rows: (statement, values) => {
      if (typeof statement !== "string") asked.push(statement.name);
      return tx.rows(statement, values);
    },
  });
  const database: Database = {
    ...shop.database,
    transaction: (work, options) => shop.database.transaction((tx) => work(named(tx)), options),
  };
  const clock = (): Date => new Date(shop.time.now);
  const store = createOrderStore(database, shop.sealer, shop.registry.ownWords, { clock });
  return {
    store,
    conductor: shop.conductorOf(store),
    async lock(orderId: string): Promise<OrderDraft> {
      const [order] = await store.transaction((tx) => tx.lockOrders([orderId]));
      assert.ok(order);
      return order;
    },
    /** Whether it read rows since it was asked last. */
    hasRead: () => asked.splice(0).some((name) => READ_ANEW.includes(name)),
  };
}

/** Settings and a key of our own, opened by that server. */
async function openedBy({ conductor }: ReturnType<typeof serverOf>, name: string) {
  const operatorId = await shop.operator();
  shop.world.verdict = "ended";
  await shop.registry.relations.put(operatorId, relationTerms({ keySource: "own" }), () => true, "test");
  const [seen] = await shop.see(operatorId, pair(name));
  assert.ok(seen && "orderId" in seen);
  await conductor.advance(1_000);
  shop.world.verdict = "supported";
  return { operatorId, orderId: seen.orderId };
}

test("an order that its server left as it is is not read again, and is what another server reads", async () => {
  const server = serverOf();
  const { operatorId, orderId } = await openedBy(server, "by heart");
  const isAsRead = async (): Promise<void> => {
    server.hasRead();
    const order = await server.lock(orderId);
    assert.equal(server.hasRead(), false);
    assert.deepEqual(order, await serverOf().lock(orderId));
  };
  await isAsRead();
  for (const message of await claim(operatorId)) {
    await taken(message, ...partsOf(message));
    await receipts(message, "delivered", ...partsOf(message));
  }
  await server.lock(orderId); // another server booked it
  await isAsRead();
  await server.conductor.resend(operatorId, orderId, "care");
  await isAsRead();
  await server.conductor.cancel(operatorId, orderId, "care").catch(() => undefined);
  await isAsRead();
});

test("whatever is written of an order by another server, or by hand, is read at the next lock", async () => {
  const server = serverOf();
  const { orderId } = await openedBy(server, "not by heart any more");
  const kind = (order: OrderDraft, wanted: ItemDraft["kind"]): ItemDraft | undefined =>
    order.items.find((item) => item.kind === wanted);
  const changes: readonly [sql: string, has: (order: OrderDraft) => boolean][] = [
    ["update provisioning_order set reason = 'by hand' where id = $1", ({ reason }) => reason === "by hand"],
    [
      "update order_item set reason = 'by hand' where order_id = $1 and kind = 'key'",
      (order) => kind(order, "key")?.reason === "by hand",
    ],
    [
      "update device_key set state = 'revoked' where order_id = $1",
      (order) => kind(order, "key")?.keyState === "revoked",
    ],
    [
      "update message set number_lost_at = now() where order_id = $1",
      ({ items }) => items.every(({ message }) => message?.isLost),
    ],
    [
      `insert into order_item (id, operator_id, order_id, kind, state, reason, next_action, updated_at)
       select gen_random_uuid(), operator_id, order_id, kind, 'pending', 'one more', 'none', now() from order_item
        where order_id = $1 and kind = 'settings'`,
      ({ items }) => items.some(({ reason }) => reason === "one more"),
    ],
    [
      "delete from order_item where order_id = $1 and reason = 'one more'",
      ({ items }) => items.every(({ reason }) => reason !== "one more"),
    ],
  ];
  for (const [sql, has] of changes) {
    assert.equal(has(await server.lock(orderId)), false, sql); // and has it by heart
    await shop.database.run(sql, [orderId]);
    const order = await server.lock(orderId);
    assert.ok(has(order), sql);
    assert.deepEqual(order, await serverOf().lock(orderId));
  }
});

test("what was decided in a transaction that came to nothing, or without being written, is not remembered", async () => {
  const server = serverOf();
  const { orderId } = await openedBy(server, "came to nothing");
  await server.lock(orderId);
  const before = await serverOf().lock(orderId);
  const failing = server.store.transaction(async (tx) => {
    const [order] = await tx.lockOrders([orderId]);
    assert.ok(order);
    Object.assign(order, { reason: "never written", changed: true });
    await tx.write({ ...emptyChangeSet(), orders: [order] }, new Date(shop.time.now));
    throw new Error("no");
  });
  await assert.rejects(failing, { message: "no" });
  assert.deepEqual(await server.lock(orderId), before);
  await server.store.transaction(async (tx) => {
    const [order] = await tx.lockOrders([orderId]);
    for (const item of order?.items ?? []) item.reason = "not marked as changed";
  });
  assert.deepEqual(await server.lock(orderId), before);
});

test("of more orders than fit the youngest are remembered", () => {
  const memory = createOrderMemory(2);
  const order = (id: string): OrderDraft => ({
    id,
    operatorId: "operator",
    subscriberId: "subscriber",
    deviceId: "device",
    cause: "first_registration",
    createdAt: new Date(0),
    state: "provisioning",
    reason: "",
    nextAction: "",
    dueAt: null,
    deadlineAt: null,
    attempts: 0,
    make: null,
    model: null,
    verdict: null,
    verdictReasons: [],
    policyVersion: null,
    items: [],
    request: null,
    changed: true,
  });
  for (const id of ["first", "second", "third", "fourth", "fifth"]) {
    const recall = memory();
    recall.begin("7");
    recall.noteWritten([order(id)]);
    recall.committed();
  }
  const recall = memory();
  assert.deepEqual([recall.knows("first"), recall.knows("second")], [false, false]);
  assert.deepEqual([recall.knows("fourth"), recall.knows("fifth")], [true, true]);
});
