/** What the order engine asks of storage, on PostgreSQL: leases, receipts out of turn, repeats, two servers at once. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CHOICE, HOUR_MS, makerKey, relationTerms } from "../../../test/fixture/order-engine.ts";
import { orderShop, pair } from "../../../test/fixture/order-shop.ts";
import type { OutgoingMessage, Receipt } from "../../kernel/order/message.ts";
import { DEFAULT_POLICY } from "../../kernel/order/policy.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { arrivalProofOf, reportReferenceOf, signDeviceReport } from "../../wire/message/device-report.ts";
import { bulkInsert } from "../database/bulk.ts";
import { uuidv7 } from "../database/uuid.ts";
import { messageTransaction } from "./message-rows.ts";

const shop = await orderShop();
const LEASE_MS = 120_000;
const SMSC = "smsc.invalid:2775";

/** One operator, one SIM, one order whose messages are queued. */
async function ordered(name: string, operatorId?: string) {
  const mine = operatorId ?? (await shop.operator());
  const one = pair(name);
  const [seen] = await shop.see(mine, one);
  assert.ok(seen && "orderId" in seen);
  await shop.conductor.advance(1_000);
  return { operatorId: mine, orderId: seen.orderId, ...one };
}
const claim = async (operatorId: string): Promise<OutgoingMessage[]> => {
  const claimed = await shop.store.claimMessages({
    now: new Date(shop.time.now),
    limit: 1_000,
    leaseMs: LEASE_MS,
  });
  return claimed.filter((message) => message.operatorId === operatorId);
};
const idOf = (message: OutgoingMessage, sequence: number): string => `${message.messageId}/${sequence}`;
const taken = (message: OutgoingMessage, ...sequences: number[]) =>
  shop.conductor.bookSubmissions(
    sequences.map((sequence) => ({
      messageId: message.messageId,
      sequence,
      smsc: SMSC,
      smscMessageId: idOf(message, sequence),
    })),
    [],
  );
const receipts = (message: OutgoingMessage, state: Receipt["state"], ...sequences: number[]) =>
  shop.conductor.bookReceipts(
    sequences.map((sequence) => ({
      smsc: SMSC,
      smscMessageId: idOf(message, sequence),
      state,
      errorCode: state === "delivered" ? null : "034",
    })),
  );
const story = async ({ operatorId, orderId }: { operatorId: string; orderId: string }) =>
  (await shop.reader.findOrder(operatorId, orderId))!;
const partsOf = ({ partCount }: OutgoingMessage): number[] =>
  Array.from({ length: partCount }, (_, at) => at + 1);

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

test("a message is leased to one sender, and to the next when the lease lapses, without the parts that were taken", async () => {
  const order = await ordered("leases");
  const [message] = await claim(order.operatorId);
  assert.ok(message && message.partCount > 1);
  assert.equal(message.content?.to, order.msisdn);
  assert.deepEqual(await claim(order.operatorId), []);
  await taken(message, 1);
  shop.time.now += LEASE_MS + 1;
  const [again] = await claim(order.operatorId);
  assert.equal(again?.messageId, message.messageId);
  assert.deepEqual(again?.acceptedParts, [1]);
  assert.deepEqual(again?.content, message.content, "octet for octet");
  assert.equal(again?.reference, message.reference);
  await taken(message, ...partsOf(message).slice(1));
  assert.equal((await story(order)).messages[0]?.state, "submitted");
});

test("what the centre took is booked once, however often it is told", async () => {
  const order = await ordered("booked once");
  const [message] = await claim(order.operatorId);
  await taken(message!, ...partsOf(message!));
  await taken(message!, ...partsOf(message!));
  assert.equal((await story(order)).messages[0]?.parts.length, message!.partCount);
});

test("a receipt that comes before the booking of its submission waits for it", async () => {
  const order = await ordered("early receipt");
  const [message] = await claim(order.operatorId);
  await receipts(message!, "delivered", ...partsOf(message!));
  assert.equal((await story(order)).items[0]?.state, "sending");
  await taken(message!, ...partsOf(message!));
  assert.equal((await story(order)).items[0]?.state, "delivered");
  assert.equal(await shop.count("unmatched_receipt"), 0);
});

test("a receipt that another server put aside in the moment of the booking is found at the next look", async () => {
  const order = await ordered("stranded");
  const [message] = await claim(order.operatorId);
  await taken(message!, ...partsOf(message!));
  for (const sequence of partsOf(message!)) {
    await shop.database.run(
      "insert into unmatched_receipt (smsc, smsc_message_id, state) values ($1, $2, 'delivered')",
      [SMSC, idOf(message!, sequence)],
    );
  }
  await shop.conductor.rematchReceipts(100);
  assert.equal((await story(order)).items[0]?.state, "delivered");
  assert.equal(await shop.count("unmatched_receipt"), 0);
});

/** Looks at kept receipts, as the server does several times a second, until this holds. */
async function lookUntil(holds: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < until, "it did not come about in ten seconds");
    await shop.conductorOf().rematchReceipts(100);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a receipt that comes while the booking of its part is under way on another server is looked for until that has ended", async () => {
  const order = await ordered("under way");
  const [message] = await claim(order.operatorId);
  let commit = (): void => undefined;
  const open = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let written = (): void => undefined;
  const isWritten = new Promise<void>((resolve) => {
    written = resolve;
  });
  const booking = shop.store.transaction(async (tx) => {
    const parts = partsOf(message!).map((sequence) => ({
      messageId: message!.messageId,
      sequence,
      smsc: SMSC,
      smscMessageId: idOf(message!, sequence),
    }));
    await tx.bookSubmissions(parts, [], new Date(shop.time.now));
    written();
    await open;
  });
  await isWritten;
  await receipts(message!, "delivered", ...partsOf(message!));
  for (let look = 0; look < 3; look++) {
    await shop.database.run("update unmatched_receipt set look_at = now()");
    assert.equal(await shop.conductor.rematchReceipts(100), message!.partCount);
    assert.equal((await story(order)).items[0]?.state, "sending");
  }
  commit();
  await booking;
  await lookUntil(async () => (await story(order)).items[0]?.state === "delivered");
  assert.equal(await shop.count("unmatched_receipt"), 0);
});

test("a receipt is looked for as long when the transaction that kept it had begun before the booking that it missed", async () => {
  const order = await ordered("begun before");
  const [message] = await claim(order.operatorId);
  const steps = ["begun", "written", "looked"] as const;
  const come = new Map<string, () => void>();
  const when = Object.fromEntries(
    steps.map((step) => [step, new Promise<void>((resolve) => come.set(step, resolve))]),
  ) as Record<(typeof steps)[number], Promise<void>>;
  const ids = partsOf(message!).map((sequence) => idOf(message!, sequence));
  const keeping = shop.database.transaction(async (tx) => {
    await tx.run("select pg_current_xact_id()"); // as one that first found the parts of other receipts
    come.get("begun")!();
    await when.written;
    const kept = { smsc: SMSC, state: "delivered", errorCode: null } as const;
    await messageTransaction(tx).bookReceipts(
      ids.map((smscMessageId) => ({ ...kept, smscMessageId })),
      new Date(shop.time.now),
    );
  });
  await when.begun;
  const booking = shop.store.transaction(async (tx) => {
    const { messageId } = message!;
    const parts = ids.map((smscMessageId, at) => ({
      messageId,
      sequence: at + 1,
      smsc: SMSC,
      smscMessageId,
    }));
    await tx.bookSubmissions(parts, [], new Date(shop.time.now));
    come.get("written")!();
    await when.looked;
  });
  await keeping;
  const looked = await shop.conductor.rematchReceipts(100);
  const left = await shop.count("unmatched_receipt", "look_at is not null");
  come.get("looked")!();
  await booking;
  assert.deepEqual([looked, left], [ids.length, ids.length]);
  await lookUntil(async () => (await story(order)).items[0]?.state === "delivered");
  assert.equal(await shop.count("unmatched_receipt"), 0);
});

test("a receipt of nobody's is looked for until no booking of its time is under way, and then waits for its part", async () => {
  const stray = {
    smsc: SMSC,
    smscMessageId: "somebody else's",
    state: "delivered",
    errorCode: null,
  } as const;
  await shop.conductor.bookReceipts([stray]);
  await lookUntil(async () => (await shop.count("unmatched_receipt", "look_at is not null")) === 0);
  assert.equal(await shop.conductor.rematchReceipts(100), 0, "nothing more is to be looked for");
  await shop.conductor.bookReceipts([stray]);
  assert.equal(await shop.conductor.rematchReceipts(100), 1, "told once more, it is looked for once more");
  await shop.database.run("delete from unmatched_receipt");
});

test("a receipt that comes before its part, in another spelling of the id, waits for it under each", async () => {
  const order = await ordered("early and spelled otherwise");
  const [message] = await claim(order.operatorId);
  const part = { messageId: message!.messageId, smsc: SMSC };
  const ids = partsOf(message!).map((sequence) => `B2E${sequence}`);
  await shop.conductor.bookReceipts(
    ids.map((id) => ({
      smsc: SMSC,
      smscMessageId: String(Number.parseInt(id, 16)),
      otherIds: [id, "nobody's"],
      state: "delivered" as const,
      errorCode: null,
    })),
  );
  assert.equal(await shop.count("unmatched_receipt"), ids.length);
  await shop.conductor.bookSubmissions(
    ids.map((smscMessageId, at) => ({ ...part, sequence: at + 1, smscMessageId })),
    [],
  );
  assert.equal((await story(order)).items[0]?.state, "delivered");
  assert.equal(await shop.count("unmatched_receipt"), 0);
});

test("a receipt that nothing is ever found for is forgotten after a day, not before", async () => {
  const stray = { smsc: SMSC, smscMessageId: "nobody's", state: "delivered", errorCode: null } as const;
  await shop.conductor.bookReceipts([stray]);
  await shop.conductor.bookReceipts([stray]);
  await shop.database.run("update unmatched_receipt set received_at = $1", [new Date(shop.time.now)]);
  shop.time.now += 23 * HOUR_MS;
  assert.equal(await shop.conductor.dropReceipts(), 0);
  shop.time.now += 2 * HOUR_MS;
  assert.equal(await shop.conductor.dropReceipts(), 1);
});

test("all parts delivered is delivered; one part failed fails the message, and a resend bears a reference of its own", async () => {
  const order = await ordered("failed part");
  const [message] = await claim(order.operatorId);
  await taken(message!, ...partsOf(message!));
  await receipts(message!, "delivered", 1);
  assert.equal((await story(order)).items[0]?.state, "sending");
  await receipts(message!, "failed", 2);
  shop.time.now += 6 * 60_000;
  const [again] = await claim(order.operatorId);
  assert.notEqual(again?.messageId, message!.messageId);
  assert.notEqual(again?.reference, message!.reference);
  assert.deepEqual(again?.content, message!.content);
  assert.deepEqual((await story(order)).messages.map(({ state }) => state).sort(), ["failed", "submitting"]);
  await receipts(message!, "delivered", 2);
  const parts = (await story(order)).messages.find(({ id }) => id === message!.messageId)?.parts;
  assert.equal(parts?.find(({ sequence }) => sequence === 2)?.state, "failed", "the first last word holds");
});

test("receipts that come after a message was taken for expired deliver it all the same", async () => {
  const order = await ordered("after expiry");
  const [message] = await claim(order.operatorId);
  await taken(message!, ...partsOf(message!));
  shop.time.now += 25 * HOUR_MS;
  assert.ok((await shop.conductor.expire(1_000)) >= 1);
  assert.equal((await story(order)).items[0]?.attempt, 2);
  await receipts(message!, "delivered", ...partsOf(message!));
  const after = await story(order);
  assert.equal(after.items[0]?.state, "delivered");
  assert.deepEqual(after.messages.map(({ state }) => state).sort(), ["cancelled", "delivered"]);
});

test("a message that the centre puts off is due again then, and one that it refuses ends with its code", async () => {
  const order = await ordered("put off");
  const [message] = await claim(order.operatorId);
  const retryAt = new Date(shop.time.now + 10_000);
  const unsent = {
    messageId: message!.messageId,
    reason: "ESME_RTHROTTLED",
    retryAt,
    errorCode: "ESME_RTHROTTLED",
  };
  await shop.conductor.bookSubmissions([], [unsent]);
  assert.deepEqual(await claim(order.operatorId), []);
  shop.time.now += 10_000;
  assert.equal((await claim(order.operatorId))[0]?.attempts, 2);
  await shop.conductor.bookSubmissions([], [{ ...unsent, retryAt: null, errorCode: "ESME_RINVDSTADR" }]);
  assert.equal((await story(order)).items[0]?.attempt, 2);
});

test("a message whose seal does not open is given up alone, and stops no other", async () => {
  const broken = await ordered("broken seal");
  await shop.database.run("update payload set sealed = '\\x00' where operator_id = $1", [broken.operatorId]);
  const sound = await ordered("sound seal");
  const now = new Date(shop.time.now);
  const all = await shop.store.claimMessages({ now, limit: 1_000, leaseMs: LEASE_MS });
  assert.equal(all.find(({ operatorId }) => operatorId === broken.operatorId)?.content, null);
  assert.ok(all.find(({ operatorId }) => operatorId === sound.operatorId)?.content);
});

test("three conductors on one database take every order once", async () => {
  const operatorId = await shop.operator();
  await shop.see(operatorId, ...Array.from({ length: 300 }, (_, n) => pair(`three conductors ${n}`)));
  const conductors = [shop.conductor, shop.conductorOf(), shop.conductorOf()];
  const took = await Promise.all(
    conductors.map(async (conductor) => {
      let sum = 0;
      for (let round = 0; round < 40; round++) sum += await conductor.advance(20);
      return sum;
    }),
  );
  assert.equal(
    took.reduce((sum, one) => sum + one, 0),
    300,
  );
  assert.equal(await shop.count("order_item", "operator_id = $1", [operatorId]), 300);
  const claims = await Promise.all(
    Array.from({ length: 4 }, () =>
      shop.store.claimMessages({ now: new Date(shop.time.now), limit: 100, leaseMs: LEASE_MS }),
    ),
  );
  const ids = claims.flat().map(({ messageId }) => messageId);
  assert.equal(new Set(ids).size, 300);
  assert.equal(ids.length, 300);
});

test("a receipt that spells its message's id in another way ends the message that waits under it, and no other", async () => {
  const mine = await ordered("other spelling");
  const [message] = await claim(mine.operatorId);
  assert.ok(message);
  const part = { messageId: message.messageId, smsc: SMSC };
  const ids = partsOf(message).map((sequence) => `A1F${sequence}`);
  await shop.conductor.bookSubmissions(
    ids.map((smscMessageId, at) => ({ ...part, sequence: at + 1, smscMessageId })),
    [],
  );
  const said = (smscMessageId: string, otherIds: readonly string[]) =>
    ({ smsc: SMSC, smscMessageId, otherIds, state: "delivered", errorCode: null }) as const;
  await shop.conductor.bookReceipts([said("41458", ["41459"])]);
  assert.equal(await shop.count("message_part", "smsc_message_id like 'A1F%' and state = 'delivered'"), 0);
  await shop.conductor.bookReceipts(ids.map((id) => said(String(Number.parseInt(id, 16)), [id, "nobody's"])));
  const ended = "id = $1 and state = 'delivered'";
  assert.equal(await shop.count("message", ended, [message.messageId]), 1);
});

test("the same receipts booked by several servers at once end each message once", async () => {
  const operatorId = await shop.operator();
  const orders = await Promise.all(
    Array.from({ length: 20 }, (_, n) => shop.see(operatorId, pair(`same receipts ${n}`))),
  );
  await shop.conductor.advance(100);
  const messages = await claim(operatorId);
  assert.equal(messages.length, orders.length);
  for (const message of messages) await taken(message, ...partsOf(message));
  const all = messages.flatMap((message) =>
    partsOf(message).map((sequence) => ({
      smsc: SMSC,
      smscMessageId: idOf(message, sequence),
      state: "delivered" as const,
      errorCode: null,
    })),
  );
  await Promise.all([all, [...all].reverse(), all].map((batch) => shop.conductorOf().bookReceipts(batch)));
  const delivered = "operator_id = $1 and kind = 'delivered'";
  assert.equal(await shop.count("order_event", delivered, [operatorId]), messages.length);
});

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

test("an attempt that failed before the handset was known stands in its record, a later one in its history, till it reaches its maker", async () => {
  const mine = await shop.operator();
  const theirs = await shop.operator();
  const one = pair("symptoms");
  const seen = (application: string, minutes: number, more: object = {}) => ({
    imei: one.imei!,
    application,
    server: "mms.maker.example",
    apn: "old.example",
    cause: "no_route",
    source: "gateway",
    seenAt: new Date(shop.time.now + minutes * 60_000),
    ...more,
  });
  const told = async (...some: ReturnType<typeof seen>[]) =>
    (await shop.conductor.symptomsSeen(mine, some)).map(({ outcome }) => outcome);
  assert.deepEqual(await told(seen("mms", -2), seen("mms", -1)), ["noted", "repeated"]);
  assert.deepEqual(await told(seen("mms", -3, { cause: "host_silent" })), ["repeated"]);
  await shop.conductor.symptomsSeen(theirs, [seen("video_call", -1)]);
  await assert.rejects(told(seen("app_store", -1), seen("mms", 11)), { code: "seen_in_future" });

  shop.world.verdict = "ended";
  const relation = relationTerms({ keySource: "own", feeLevel: "works" });
  await shop.registry.relations.put(mine, relation, () => true, "test");
  const order = await ordered("symptoms", mine);
  shop.world.verdict = "supported";
  const judged = (await story(order)).events.find(({ kind }) => kind === "judged")?.detail as {
    symptoms: { cannotReach: { application: string; cause: string; seenAt: string }[] };
  };
  assert.deepEqual(
    judged.symptoms.cannotReach.map(({ application, cause, seenAt }) => [application, cause, seenAt]),
    [["mms", "no_route", new Date(shop.time.now - 60_000).toISOString()]],
    "the latest moment and what was seen then, and nothing of another operator's",
  );

  assert.deepEqual(await told(seen("mms", 1), seen("video_call", 1)), ["repeated", "noted"]);
  const later = (await story(order)).events.filter(({ kind }) => kind === "symptom_seen");
  assert.deepEqual(
    later.map(({ reason, evidence }) => [reason, evidence]),
    [["video_call could not reach mms.maker.example: no_route", "gateway"]],
  );
  assert.ok(!JSON.stringify(later).includes(one.imei!), "no number of the handset stands in it");
  assert.equal(await shop.count("symptom", "operator_id = $1", [mine]), 2);

  const keyId = (await story(order)).items.find(({ kind }) => kind === "key")!.keyId!;
  const key = decodeDeviceKey((await shop.store.keysById(mine, [keyId])).get(keyId)!.bytes);
  const report = {
    reference: reportReferenceOf(key.keyId),
    cause: "none",
    at: new Date(shop.time.now),
  } as const;
  await shop.conductor.bookReports([signDeviceReport({ ...report, level: "opened" }, key.confirmSecret)]);
  assert.equal(
    await shop.count("symptom", "operator_id = $1", [mine]),
    2,
    "it ran the key, and reached nobody yet",
  );
  await shop.conductor.bookReports([signDeviceReport({ ...report, level: "works" }, key.confirmSecret)]);
  assert.equal(await shop.count("symptom", "operator_id = $1", [mine]), 0, "it reached its maker");
  assert.equal(await shop.count("symptom", "operator_id = $1", [theirs]), 1);
  shop.time.now += 91 * 24 * HOUR_MS;
  await shop.conductor.dropReceipts();
  assert.equal(await shop.count("symptom", "operator_id = $1", [theirs]), 0, "and nobody keeps it for ever");
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

test("a waiting order is due as soon as its operator adds an access point, and another operator's is not", async () => {
  shop.world.choice = { kind: "refused", code: "no_access_point", reason: "no access point is known" };
  const [mine, theirs] = [await ordered("woken"), await ordered("not woken")];
  for (let looks = 0; looks < 3; looks++) {
    shop.time.now += 2 * 60_000;
    await shop.conductor.advance(1_000);
  }
  const point = { id: uuidv7(), apn: "internet", password: null } as AccessPoint;
  await shop.registry.accessPoints.add(mine.operatorId, point, "test");
  shop.world.choice = CHOICE;
  shop.time.now += 3_000;
  await shop.conductor.advance(1_000);
  assert.equal((await story(mine)).state, "provisioning");
  assert.equal((await story(theirs)).state, "waiting");
  await shop.registry.policies.put(theirs.operatorId, 0, DEFAULT_POLICY, "test");
  shop.time.now += 3_000;
  await shop.conductor.advance(1_000);
  assert.equal((await story(theirs)).state, "provisioning");
});

test("the password of a relation's access point is read as it was written, and stands sealed", async () => {
  const operatorId = await shop.operator();
  const accessPoints = [
    { apn: "acme.maker", use: "maker", authType: "pap", user: "u", password: "Geheim!7" },
  ] as const;
  await shop.registry.relations.put(operatorId, relationTerms({ accessPoints }), () => true, "test");
  assert.deepEqual((await shop.registry.relations.find(operatorId, "ACME"))?.accessPoints, accessPoints);
  const terms = await shop.store.termsOf(operatorId);
  assert.deepEqual(terms.relations.get("acme")?.accessPoints, accessPoints);
  const rows = await shop.database.rows<{ row: string }>("select r::text as row from relation r");
  assert.ok(!JSON.stringify(rows).includes("Geheim"));
});

test("a request by hand opens one order per idempotency key, and a cancelled one sends nothing", async () => {
  const operatorId = await shop.operator();
  const request = { ...pair("by hand"), idempotencyKey: "once" };
  const opened = await Promise.all([
    shop.desk.open(operatorId, request),
    shop.desk.open(operatorId, request),
  ]);
  assert.equal(new Set(opened.map(({ orderId }) => orderId)).size, 1);
  assert.equal(opened.filter(({ created }) => created).length, 1);
  await shop.conductor.advance(1_000);
  await shop.desk.cancel(operatorId, opened[0]!.orderId, "care");
  assert.deepEqual(await claim(operatorId), []);
  await assert.rejects(shop.desk.resend(operatorId, opened[0]!.orderId, "care"), { code: "order_closed" });
});

test("a text sent again under its key is sent once and leaves no payload behind", async () => {
  const operatorId = await shop.operator();
  const text = { to: "4915112345678", text: "Hello", idempotencyKey: "hello" };
  const [first] = await shop.texts.send(operatorId, [text]);
  const [again, other] = await shop.texts.send(operatorId, [text, { ...text, idempotencyKey: "other" }]);
  assert.deepEqual([first?.created, again?.created, other?.created], [true, false, true]);
  assert.equal(again?.id, first?.id);
  const theirs = await shop.operator();
  assert.equal((await shop.texts.send(theirs, [text]))[0]?.created, true);
  assert.equal(await shop.count("payload", "operator_id = $1", [operatorId]), 2);
  const message = (await claim(operatorId)).find(({ messageId }) => messageId === first?.id);
  assert.equal(message?.content?.to, text.to);
});

test("many rows go in one statement with every kind of value as it was", async () => {
  await shop.database.run(
    "create table kinds (id uuid, words text[], body jsonb, octets bytea, at timestamptz, n bigint)",
  );
  type Kinds = { id: string; words: string[]; body: unknown; octets: Buffer; at: Date; n: bigint };
  const rows: (Kinds | { [Key in keyof Kinds]: Kinds[Key] | null })[] = [
    {
      id: uuidv7(),
      words: ['a "quote"', "a,comma", "{brace}", "back\\slash", ""],
      body: { a: ["ü", 1, null] },
      octets: Buffer.from([0, 255, 92]),
      at: new Date(0),
      n: 9_007_199_254_740_993n,
    },
    { id: uuidv7(), words: [], body: "text", octets: Buffer.alloc(0), at: null, n: null },
  ];
  const insert = bulkInsert<(typeof rows)[number]>("kinds", [
    { name: "id", type: "uuid", value: ({ id }) => id },
    { name: "words", type: "text[]", value: ({ words }) => words },
    { name: "body", type: "jsonb", value: ({ body }) => body },
    { name: "octets", type: "bytea", value: ({ octets }) => octets },
    { name: "at", type: "timestamptz", value: ({ at }) => at },
    { name: "n", type: "bigint", value: ({ n }) => (n === null ? null : String(n)) },
  ]);
  assert.equal(await insert(shop.database, rows), 2);
  assert.equal(await insert(shop.database, []), 0);
  assert.deepEqual(await shop.database.rows("select * from kinds order by id"), rows);
});
