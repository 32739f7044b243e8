/** Makers' keys that were stored beforehand, on PostgreSQL: each is one handset's from its first use on (R131). */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "vitest";
import { maker, relationTerms, stockBatch } from "../../../test/fixture/order-engine.ts";
import { orderShop, pair } from "../../../test/fixture/order-shop.ts";
import type { AnsweredCall } from "../../kernel/calls/answer.ts";
import { createInHand } from "../../kernel/conductor/in-hand.ts";
import { createCallMaker } from "../../kernel/conductor/make-calls.ts";
import { importBatch } from "../../kernel/keys/import-batch.ts";
import type { Relation } from "../../kernel/operator/operator-terms.ts";
import { binderOf, verifyDeviceKey } from "../../wire/message/device-key.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createKeyBatches } from "../operator/key-batches.ts";

const shop = await orderShop();
shop.world.verdict = "ended";
const clock = (): Date => new Date(shop.time.now);
const keyBatches = createKeyBatches({ ...shop, newId: uuidv7, clock });
const binder = binderOf(shop.issuer.publicKey);
const DAY_MS = 86_400_000;

async function operatorWithStock(more: Partial<Relation> = {}): Promise<string> {
  const operatorId = await shop.operator();
  const relation = relationTerms({ keySource: "stock", keyServer: null, keyStockLow: 1, ...more });
  await shop.registry.relations.put(operatorId, relation, () => true, "test");
  return operatorId;
}
const imported = (operatorId: string, name: string, count: number, more: object = {}) =>
  importBatch(
    { relationOf: shop.registry.relations.find, keyBatches, binder, now: clock() },
    operatorId,
    stockBatch(name, { count, binder, now: shop.time.now, ...more }),
    "test",
  );

/** A handset that its maker left behind is seen, in a SIM of its own or in another. */
async function seen(operatorId: string, name: string, handset = name): Promise<string> {
  const [result] = await shop.see(operatorId, { ...pair(name), imei: pair(handset).imei });
  assert.ok(result && "orderId" in result, JSON.stringify(result));
  await shop.conductor.advance(1_000);
  return result.orderId;
}

/** One server takes up the calls that are due. */
async function serverCalls(): Promise<void> {
  const calls = createCallMaker({
    store: shop.store,
    books: { answer: async (one: AnsweredCall) => void (await shop.conductor.bookAnswers([one])) } as never,
    inHand: createInHand(),
    clock,
    makerAt: () => undefined,
    bankOf: () => undefined,
  });
  while ((await calls.pass("key_request", 3)) > 0);
}
const story = async (operatorId: string, orderId: string) => {
  const found = await shop.reader.findOrder(operatorId, orderId);
  assert.ok(found);
  return found;
};
const keyOf = async (operatorId: string, orderId: string) => {
  const item = (await story(operatorId, orderId)).items.find(({ kind }) => kind === "key");
  assert.ok(item);
  return item;
};
const octetsOf = async (operatorId: string, keyId: string | null) => {
  const [key] = (await shop.store.keysById(operatorId, keyId === null ? [] : [keyId])).values();
  assert.ok(key);
  return key.bytes;
};

test("a batch is used up one by one: each key is one handset's from its first use on, and no other handset runs it", async () => {
  const operatorId = await operatorWithStock();
  await imported(operatorId, "one by one", 2);
  const orders = [await seen(operatorId, "first"), await seen(operatorId, "second")];
  await serverCalls();
  const keys = await Promise.all(orders.map((orderId) => keyOf(operatorId, orderId)));
  assert.equal(new Set(keys.map(({ keyId }) => keyId)).size, 2, JSON.stringify(keys));
  const publicKeyOf = () => maker.publicKey;
  for (const [at, { keyId, state }] of keys.entries()) {
    assert.equal(state, "sending");
    const bytes = await octetsOf(operatorId, keyId);
    const ranBy = ["first", "second"].map(
      (name) => verifyDeviceKey(bytes, publicKeyOf, pair(name).imei, clock()).kind,
    );
    assert.deepEqual(ranBy, at === 0 ? ["valid", "refused"] : ["refused", "valid"]);
  }
  const [view] = await keyBatches.list(operatorId);
  assert.deepEqual([view?.keys, view?.free, view?.bound, view?.sent], [2, 0, 0, 2]);
  assert.equal(await shop.count("device_key", "operator_id = $1 and source = 'stock'", [operatorId]), 2);
  const [sealed] = await shop.database.rows<{ sealed: Buffer }>(
    "select sealed from key_stock where operator_id = $1",
    [operatorId],
  );
  assert.throws(() => decodeDeviceKey(sealed?.sealed ?? new Uint8Array()), "it stands sealed");
});

test("handsets that are seen at the same moment by two servers never share a key, and none is lost between them", async () => {
  const operatorId = await operatorWithStock();
  await imported(operatorId, "race", 12);
  const names = Array.from({ length: 12 }, (_, at) => `race ${at}`);
  const orders: string[] = [];
  for (const name of names) orders.push(await seen(operatorId, name));
  await Promise.all([serverCalls(), serverCalls(), serverCalls()]);
  const keys = await Promise.all(orders.map(async (orderId) => (await keyOf(operatorId, orderId)).keyId));
  assert.ok(keys.every((keyId) => keyId !== null));
  assert.equal(new Set(keys).size, names.length);
});

test("two orders of one handset that race never have the same key, and use up no key that neither has", async () => {
  const operatorId = await operatorWithStock();
  await imported(operatorId, "one handset", 3);
  const older = await seen(operatorId, "sim one", "shared handset");
  const younger = await seen(operatorId, "sim two", "shared handset");
  await Promise.all([serverCalls(), serverCalls()]);
  shop.time.now += 10_000; // the one that met the other asks again
  await serverCalls();
  const devices = await shop.count(
    "key_stock",
    "operator_id = $1 and device_id is not null and not exists (select from device_key k where k.id = key_stock.id)",
    [operatorId],
  );
  assert.equal(devices, 0, "no key is bound and unused");
  const used = await shop.count("key_stock", "operator_id = $1 and device_id is not null", [operatorId]);
  const [first, second] = await Promise.all([older, younger].map((orderId) => keyOf(operatorId, orderId)));
  assert.ok(second?.keyId, "the younger order has a key");
  assert.notEqual(first?.keyId, second.keyId, "one key has one order");
  assert.ok(used === 1 || first?.keyId, "no more keys are used up than orders have them");
});

test("a stock that is low or empty is told in the order, in the list and as a measure, and a batch lets those that wait go on", async () => {
  const operatorId = await operatorWithStock();
  await imported(operatorId, "few", 2);
  const served = await seen(operatorId, "served");
  await serverCalls();
  const { events } = await story(operatorId, served);
  const received = events.find(({ kind }) => kind === "key_received");
  assert.match(
    received?.reason ?? "",
    /batch few, is bound to this handset; 1 of Acme are left: import a batch/,
  );
  assert.equal((await keyBatches.stocks(operatorId))[0]?.state, "low");
  await seen(operatorId, "last");
  await serverCalls();
  const orderId = await seen(operatorId, "too late");
  await serverCalls();
  const waiting = await keyOf(operatorId, orderId);
  assert.deepEqual(
    [waiting.state, waiting.cause, waiting.reason],
    ["waiting_for_key", "stock_empty", "no key of Acme is left in stock"],
  );
  assert.match(waiting.nextAction, /^import a batch of keys of Acme/);
  const [stock] = await keyBatches.stocks(operatorId);
  assert.deepEqual([stock?.state, stock?.nextAction], ["empty", "import a batch of keys of Acme"]);
  await imported(operatorId, "more", 1);
  await serverCalls();
  assert.equal((await keyOf(operatorId, orderId)).state, "sending");
});

test("a batch is stored whole or not at all: a key of another signer, binder or batch refuses all of it", async () => {
  const operatorId = await operatorWithStock();
  const stranger = generateKeyPairSync("ed25519");
  await assert.rejects(imported(operatorId, "a", 2, { signer: stranger.privateKey }), {
    code: "key_batch_invalid",
    message: /^Key 1 of batch a: not signed by keys.maker\.$/,
  });
  await assert.rejects(imported(operatorId, "b", 2, { binder: binderOf(stranger.publicKey) }), {
    code: "key_batch_invalid",
    message: /names another binder/,
  });
  assert.equal((await imported(operatorId, "c", 2)).created, true);
  assert.equal((await imported(operatorId, "c", 2)).created, false, "the same again changes nothing");
  await assert.rejects(imported(operatorId, "c", 3), { code: "key_batch_conflict" });
  const other = await operatorWithStock();
  await assert.rejects(
    imported(other, "c", 2),
    { code: "key_batch_conflict" },
    "a key is known, whoever has it",
  );
  assert.equal(await shop.count("key_stock", "operator_id = any($1)", [[operatorId, other]]), 2);
  assert.equal(await shop.count("key_batch", "operator_id = $1", [other]), 0);
});

test("what expires first is used first; what is withdrawn or expired is given to nobody", async () => {
  const operatorId = await operatorWithStock();
  await imported(operatorId, "late", 1, { validDays: 300 });
  await imported(operatorId, "soon", 1, { validDays: 30 });
  await imported(operatorId, "withdrawn", 1, { validDays: 10 });
  await keyBatches.withdraw(operatorId, "withdrawn", "test");
  const orderId = await seen(operatorId, "sooner");
  await serverCalls();
  const { events } = await story(operatorId, orderId);
  const received = events.find(({ kind }) => kind === "key_received");
  assert.match(received?.reason ?? "", /of batch soon,/);
  shop.time.now += 299.5 * DAY_MS;
  const late = await seen(operatorId, "much later");
  await serverCalls();
  assert.equal((await keyOf(operatorId, late)).cause, "stock_empty", "its last day would be over on the way");
  const batches = await keyBatches.list(operatorId);
  assert.equal(batches.find(({ id }) => id === "withdrawn")?.withdrawn, 1);
  assert.equal(
    batches.reduce((sum, { free }) => sum + free, 0),
    1,
  );
});

test("a batch that names models is theirs alone: a handset of those gets its keys first, no other gets any", async () => {
  const operatorId = await operatorWithStock({ keyStockLow: 0 });
  await imported(operatorId, "for twos", 1, { models: ["Acme/Two*"] });
  const batchOf = async (orderId: string) => {
    await serverCalls();
    const { events } = await story(operatorId, orderId);
    return /of batch ([^,]+),/.exec(events.find(({ kind }) => kind === "key_received")?.reason ?? "")?.[1];
  };
  const seenAs = async (model: string, name: string) => {
    shop.world.model = model;
    return await seen(operatorId, name);
  };
  const one = await seenAs("One", "a one");
  assert.equal(await batchOf(one), undefined);
  const waiting = await keyOf(operatorId, one);
  assert.deepEqual(
    [waiting.cause, waiting.reason],
    ["stock_empty", "no key of Acme for One is left in stock"],
    "others of the make have keys",
  );
  await imported(operatorId, "for all", 2, { validDays: 10 });
  assert.equal(await batchOf(one), "for-all", "it goes on at once");
  assert.equal(
    await batchOf(await seenAs("Two Plus", "a two")),
    "for-twos",
    "though the others expire first",
  );
  const stocks = async () =>
    (await keyBatches.stocks(operatorId)).map(({ models, free, state }) => [models, free, state]);
  assert.deepEqual(await stocks(), [
    [[], 1, "enough"],
    [["Acme/Two*"], 1, "enough"],
  ]);
  assert.equal(
    await batchOf(await seenAs("Two Plus", "another two")),
    "for-all",
    "and what is for all after them",
  );
  const [general, twos] = await keyBatches.stocks(operatorId);
  assert.equal(general?.nextAction, "import a batch of keys of Acme");
  assert.equal(twos?.nextAction, "import a batch of keys of Acme for Acme/Two*");
  await assert.rejects(imported(operatorId, "foreign", 1, { models: ["Other/Two"] }), {
    code: "key_batch_invalid",
    message: "Batch foreign: Other/Two is no model of Acme.",
  });
  shop.world.model = "One";
});
