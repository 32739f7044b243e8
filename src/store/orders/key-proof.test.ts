/** Keys and what proves them on PostgreSQL: one charge, the agreed cost, another handset's key. */
import assert from "node:assert/strict";
import { test, vi } from "vitest";
import { LEASE_MS, messageShop } from "../../../test/fixture/message-shop.ts";
import { HOUR_MS, makerKey, relationTerms } from "../../../test/fixture/order-engine.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { arrivalProofOf, reportReferenceOf, signDeviceReport } from "../../wire/message/device-report.ts";

const { shop, ordered, claim, taken, story } = await messageShop();

/** Answers the key requests that are due, each with the key that is for its handset if there is one. */
async function keyComes(...keys: readonly Uint8Array[]): Promise<void> {
  const calls = await shop.store.claimCalls({
    kind: "key_request",
    now: new Date(shop.time.now),
    limit: 10,
    leaseMs: LEASE_MS,
  });
  assert.equal(calls.length, keys.length);
  const inOrder = [...calls].sort((one, next) => (one.orderId < next.orderId ? -1 : 1));
  await shop.conductor.bookAnswers(
    inOrder.map((call, at) => ({ call, answer: { kind: "key", bytes: keys[at]! } as const })),
  );
}

test("proof, a repeat of it, and proof of another operator's key: booked, repeated, unknown; one charge", async () => {
  const [mine, theirs] = [await shop.operator(), await shop.operator()];
  shop.world.verdict = "ended";
  await shop.registry.relations.put(
    mine,
    relationTerms({ keySource: "own", feeLevel: "works" }),
    () => true,
    "test",
  );
  const order = await ordered("proof", mine);
  shop.world.verdict = "supported";
  const keyItem = (await story(order)).items.find(({ kind }) => kind === "key");
  assert.ok(keyItem?.keyId);
  const key = (await shop.store.keysById(mine, [keyItem.keyId])).get(keyItem.keyId)!;
  const { keyId, confirmSecret } = decodeDeviceKey(key.bytes);
  const arrival = {
    kind: "arrival",
    keyId: keyItem.keyId,
    proof: arrivalProofOf(confirmSecret, keyId),
    source: "maker",
  } as const;
  const outcome = async (operatorId: string, one: Parameters<typeof shop.conductor.confirm>[1][number]) =>
    (await shop.conductor.confirm(operatorId, [one]))[0]?.outcome;
  assert.equal(await outcome(theirs, arrival), "no_order");
  assert.equal(await outcome(mine, { ...arrival, proof: new Uint8Array(16) }), "refused");
  assert.equal(await outcome(mine, { ...arrival, proof: undefined }), "refused");
  assert.equal(await outcome(mine, arrival), "booked");
  assert.equal(await outcome(mine, arrival), "repeated");
  const report = {
    reference: reportReferenceOf(keyId),
    level: "works",
    cause: "none",
    at: new Date(shop.time.now),
  } as const;
  assert.deepEqual(await shop.conductor.bookReports([signDeviceReport(report, confirmSecret)]), [true]);
  assert.deepEqual(await shop.conductor.bookReports([signDeviceReport(report, new Uint8Array(16))]), [false]);
  assert.equal(await shop.count("charge", "operator_id = $1", [mine]), 1);
  assert.equal(await shop.count("outbound_call", "operator_id = $1 and kind = 'fee_request'", [mine]), 1);
});

test("traffic proves nothing of settings that never left us, and proves them once the centre took a part", async () => {
  const order = await ordered("never left us");
  const traffic = { kind: "traffic", imsi: order.imsi, apn: "internet", source: "probe" } as const;
  const outcome = async () =>
    (await shop.conductor.confirm(order.operatorId, [traffic])).map(({ outcome: one }) => one);
  assert.deepEqual(await outcome(), ["no_order"], "it waits in the queue");
  const [message] = await claim(order.operatorId);
  await shop.conductor.bookSubmissions(
    [],
    [{ messageId: message!.messageId, reason: "refused", retryAt: null, errorCode: "0x0000000b" }],
  );
  assert.deepEqual(await outcome(), ["no_order"], "the centre refused it");
  assert.deepEqual(
    [(await story(order)).items[0]?.state, (await story(order)).items[0]?.apnsSeen],
    ["sending", []],
  );
  shop.time.now += HOUR_MS;
  const [again] = await claim(order.operatorId);
  await taken(again!, 1);
  assert.deepEqual(await outcome(), ["booked"]);
  assert.deepEqual(
    [(await story(order)).items[0]?.state, (await story(order)).items[0]?.apnsSeen],
    ["works", ["internet"]],
  );
});

test("what a key costs is read back as it was agreed, to the last minor unit", async () => {
  const mine = await shop.operator();
  shop.world.verdict = "ended";
  const agreed = { feeMinor: 9_007_199_254_740_993n, currency: "JPY", feeLevel: "opened" } as const;
  const relation = relationTerms({ keySource: "own", portionBasisPoints: 1, ...agreed });
  await shop.registry.relations.put(mine, relation, () => true, "test");
  const { orderId } = await ordered("fee terms", mine);
  shop.world.verdict = "supported";
  const [order] = await shop.store.transaction((tx) => tx.lockOrders([orderId]));
  const termsOf = (kind: string) => order?.items.find((item) => item.kind === kind)?.feeTerms;
  assert.deepEqual(termsOf("key"), { ...agreed, portionBasisPoints: 1 });
  assert.equal(termsOf("settings"), null);
});

test("a maker's key that comes again for the same handset is the younger order's; another handset's stays its own", async () => {
  const mine = await shop.operator();
  shop.world.verdict = "ended";
  await shop.registry.relations.put(mine, relationTerms(), () => true, "test");
  const bytesFor = ({ imei }: { imei: string }) => makerKey("comes again", { imei, now: shop.time.now });
  const first = await ordered("comes again", mine);
  await keyComes(bytesFor(first));
  const again = await shop.desk.open(mine, { imsi: first.imsi, imei: first.imei, idempotencyKey: "again" });
  const other = await ordered("another handset", mine);
  await keyComes(bytesFor(first), bytesFor(other));
  shop.world.verdict = "supported";
  const keyOf = async (orderId: string) =>
    (await story({ operatorId: mine, orderId })).items.find(({ kind }) => kind === "key")!;
  const [held, taken, foreign] = [
    await keyOf(first.orderId),
    await keyOf(again.orderId),
    await keyOf(other.orderId),
  ];
  assert.deepEqual([held.state, taken.state, foreign.cause], ["cancelled", "sending", "key_not_unique"]);
  const keys = await shop.database.rows("select order_id, state from device_key where operator_id = $1", [
    mine,
  ]);
  assert.deepEqual(keys, [{ order_id: again.orderId, state: "issued" }]);
  const known = await shop.store.keysById(mine, [taken.keyId!]);
  assert.equal(known.get(taken.keyId!)?.itemId, taken.id);
});

test("two servers that book one key at once: one has it, and the other reads at once that it is given", async () => {
  const mine = await shop.operator();
  shop.world.verdict = "ended";
  await shop.registry.relations.put(mine, relationTerms(), () => true, "test");
  const first = await ordered("booked at once", mine);
  const again = await shop.desk.open(mine, { imsi: first.imsi, imei: first.imei, idempotencyKey: "at once" });
  await shop.conductor.advance(1_000);
  const now = new Date(shop.time.now);
  const calls = await shop.store.claimCalls({ kind: "key_request", now, limit: 10, leaseMs: LEASE_MS });
  assert.equal(calls.length, 2);
  const bytes = makerKey("booked at once", { imei: first.imei, now: shop.time.now });
  const servers = [shop.conductor, shop.conductorOf()];
  let booking: Promise<unknown> = Promise.resolve();
  // Both are as far as the orders that they lock: each has looked whose the key is by then, or waits for who looks.
  await shop.database.transaction(async (tx) => {
    await tx.rows("select from provisioning_order where operator_id = $1 for update", [mine]);
    booking = Promise.all(
      calls.map((call, at) => servers[at]?.bookAnswers([{ call, answer: { kind: "key", bytes } }])),
    );
    const waits =
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    const bothWait = async () => assert.equal((await shop.database.rows(waits)).length, 2);
    await vi.waitFor(bothWait, { timeout: 30_000 });
  });
  await booking;
  shop.world.verdict = "supported";
  const keyOf = async (orderId: string) =>
    (await story({ operatorId: mine, orderId })).items.find(({ kind }) => kind === "key");
  const [older, younger] = [await keyOf(first.orderId), await keyOf(again.orderId)];
  assert.equal(await shop.count("device_key", "operator_id = $1", [mine]), 1);
  // The younger order has it in the end where it came second too; where it came first, the older one is told so.
  assert.deepEqual(
    [older?.state, older?.cause, younger?.state],
    younger?.state === "sending" && older?.state === "cancelled"
      ? ["cancelled", null, "sending"]
      : ["waiting_for_key", "key_not_unique", "sending"],
  );
  assert.equal(await shop.count("outbound_call", "operator_id = $1 and attempts > 1", [mine]), 0);
});

test("a key that was deleted stays deleted when proof of its use comes late", async () => {
  const mine = await shop.operator();
  shop.world.verdict = "ended";
  await shop.registry.relations.put(mine, relationTerms({ keySource: "own" }), () => true, "test");
  const order = await ordered("deleted key", mine);
  shop.world.verdict = "supported";
  const id = (await story(order)).items.find(({ kind }) => kind === "key")!.keyId!;
  const { keyId, confirmSecret } = decodeDeviceKey((await shop.store.keysById(mine, [id])).get(id)!.bytes);
  const said = (level: "deleted" | "works") =>
    signDeviceReport(
      { reference: reportReferenceOf(keyId), level, cause: "none", at: new Date(shop.time.now) },
      confirmSecret,
    );
  await shop.conductor.bookReports([said("deleted")]);
  await shop.conductor.bookReports([said("works")]);
  assert.equal(await shop.count("device_key", "id = $1 and state = 'deleted'", [id]), 1);
});
