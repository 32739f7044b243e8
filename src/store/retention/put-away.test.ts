/** Messages that are over, on PostgreSQL: put away by months, read as before, brought back for whoever takes their order up again. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { KEEP_ALL } from "../../kernel/operator/retention.ts";
import { assured } from "../../term/narrow.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { GROWN, partitionsOf } from "./partitions.ts";
import { createPutAway } from "./put-away.ts";
import { createRetention } from "./retention.ts";
import { sweepStep } from "./sweep.ts";

const { shop, ordered, claim, taken, receipts, story, partsOf } = await messageShop();
const { database } = shop;
const DAY_MS = 86_400_000;
/** Ids bear the time at which the test wrote them. */
const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** One pass from the oldest message on. */
async function putAway(clock = () => daysFromNow(45)): Promise<void> {
  const step = createPutAway({ database, clock });
  for (let steps = 0; await step(); steps++) assert.ok(steps < 100, "a pass comes to its end");
}
const countOf = async (table: string, orderId: string, column = "order_id"): Promise<number> =>
  (
    await database.one<{ n: number }>(`select count(*)::int as n from ${table} where ${column} = $1`, [
      orderId,
    ])
  )?.n ?? 0;

/** Its centre failed every part as often as the policy tries; whoever cares may send it again. */
async function failedOrder(name: string) {
  const order = await ordered(name);
  for (let tries = 0; (await story(order)).state !== "failed"; tries++) {
    assert.ok(tries < 20, "the order fails");
    const [message] = await claim(order.operatorId);
    if (message) {
      await taken(message, ...partsOf(message));
      await receipts(message, "failed", ...partsOf(message));
    }
    shop.time.now += 3_600_000;
    await shop.conductor.advance(1_000);
  }
  return order;
}

test("messages of an order that ended are put away with parts and payload; its story and every list tell the same as before", async () => {
  const order = await failedOrder("put away");
  const list = async (page: { limit: number; cursor?: string; order?: "asc" | "desc" }) =>
    shop.reader.listMessages(order.operatorId, {}, page);
  const [storyBefore, listBefore] = [await story(order), await list({ limit: 100 })];
  assert.ok(listBefore.rows.length > 1 && listBefore.rows.every(({ parts }) => parts.length > 0));
  await putAway();
  assert.equal(await countOf("message", order.orderId), 0);
  assert.equal(await countOf("past_message", order.orderId), listBefore.rows.length);
  for (const table of ["message_part", "payload"])
    assert.deepEqual(
      await database.rows(
        `select from ${table} where ${table === "payload" ? "id" : "message_id"} = any($1::uuid[])`,
        [storyBefore.messages.map(({ id }) => id)],
      ),
      [],
    );
  assert.deepEqual(await story(order), storyBefore);
  assert.deepEqual(await list({ limit: 100 }), listBefore);
  const first = await list({ limit: 1 });
  const second = await list({ limit: 100, cursor: assured(first.nextCursor, "there is a further page") });
  assert.deepEqual([...first.rows, ...second.rows], listBefore.rows);
  const upwards = await list({ limit: 100, order: "asc" });
  assert.deepEqual([...upwards.rows].reverse(), listBefore.rows);
  const failed = await shop.reader.listMessages(order.operatorId, { state: "failed" }, { limit: 100 });
  assert.deepEqual(failed.rows, listBefore.rows);
});

test("an order that care takes up again finds its messages: the same octets go out once more, and its history goes on", async () => {
  const order = await failedOrder("taken up");
  const before = await story(order);
  await putAway();
  await shop.conductor.resend(order.operatorId, order.orderId, "care");
  const [again] = await claim(order.operatorId);
  assert.deepEqual(again?.content?.payload, before.messages[0]?.payload);
  assert.equal((await story(order)).messages.length, before.messages.length + 1);
  assert.equal(await countOf("past_message", order.orderId), 0);
  assert.deepEqual(
    (await story(order)).messages.slice(0, before.messages.length),
    before.messages,
    "parts and payloads are as they were",
  );
  await putAway();
  assert.equal(await countOf("message", order.orderId), before.messages.length + 1, "it is under way");
});

test("nothing goes while its order is under way, while a receipt may come, or while a server of the release before works here", async () => {
  const underWay = await ordered("under way");
  const [message] = await claim(underWay.operatorId);
  assert.ok(message);
  await taken(message, ...partsOf(message));
  await receipts(message, "delivered", ...partsOf(message));
  const young = await failedOrder("young");
  const receiptMayCome = await failedOrder("receipt may come");
  const all = async () =>
    Promise.all([underWay, young, receiptMayCome].map(({ orderId }) => countOf("message", orderId)));
  const before = await all();
  await putAway(() => daysFromNow(29));
  assert.deepEqual(await all(), before, "thirty days are not over");
  await database.run("insert into node (number) values (77)");
  await putAway();
  assert.deepEqual(await all(), before, "the release before would not find them");
  await database.run("delete from node where number = 77");
  const [one] = (await story(receiptMayCome)).messages;
  await database.run("update message set expires_at = $2 where id = $1", [one?.id, daysFromNow(16)]);
  await putAway();
  assert.deepEqual(await all(), [before[0], 0, before[2]], "one message holds those of its order");
});

test("traffic proves the settings of an order whose messages were put away", async () => {
  const order = await failedOrder("proved late");
  await putAway();
  const [item] = (await story(order)).items;
  const apn = assured(item?.apns[0], "the settings name an access point");
  await shop.conductor.confirm(order.operatorId, [
    { kind: "traffic", imsi: order.imsi, apn, source: "gateway" },
  ]);
  assert.equal((await story(order)).items[0]?.state, "works");
});

test("a receipt that comes behind the month's turn is matched", async () => {
  const order = await ordered("month's turn");
  const [message] = await claim(order.operatorId);
  assert.ok(message);
  await taken(message, ...partsOf(message));
  const turned = new Date();
  await putAway(() => new Date(Date.UTC(turned.getUTCFullYear(), turned.getUTCMonth() + 1, 1, 0, 5)));
  await receipts(message, "delivered", ...partsOf(message));
  assert.equal((await story(order)).items[0]?.state, "delivered");
});

test("a key of two months ago sends nothing twice, whichever release hears it; its message is still told", async () => {
  const operatorId = await shop.operator();
  const text = { to: "+4915112345678", text: "hello", idempotencyKey: "two months ago" };
  const [sent] = await shop.texts.send(operatorId, [text]);
  const [message] = await claim(operatorId);
  assert.ok(sent?.created && message);
  await taken(message, ...partsOf(message));
  await receipts(message, "delivered", ...partsOf(message));
  await database.run("update message set expires_at = now() where id = $1", [sent.id]);
  const later = () => daysFromNow(61);
  await putAway(later);
  assert.equal(await countOf("message", sent.id, "id"), 1, "its key is on disk before it goes");
  await putAway(later);
  assert.equal(await countOf("message", sent.id, "id"), 1, "and for longer than any statement lives");
  await database.run("update message_key set kept_at = kept_at - interval '11 minutes'");
  await putAway(later);
  assert.equal(await countOf("message", sent.id, "id"), 0);
  assert.deepEqual(await shop.texts.send(operatorId, [text]), [{ id: sent.id, created: false }]);
  const [listed] = (await shop.reader.listMessages(operatorId, {}, { limit: 10 })).rows;
  assert.deepEqual([listed?.id, listed?.state], [sent.id, "delivered"]);
  const before = `insert into message (id, operator_id, payload_id, kind, idempotency_key, reference, part_count, state, reason, expires_at,
                    created_at, updated_at)
                  values ($1, $2, $1, 'text', $3, 0, 1, 'queued', 'r', now(), now(), now()) on conflict (operator_id, idempotency_key) do nothing`;
  assert.equal(await database.run(before, [uuidv7(), operatorId, "text:two months ago"]), 0);
  assert.equal(await database.run(before, [uuidv7(), operatorId, "text:another"]), 1);
  await putAway(() => daysFromNow(370));
  assert.ok((await countOf("message_key", operatorId, "operator_id")) > 0, "a key outlives a year");
  await putAway(() => daysFromNow(500));
  assert.equal(await countOf("message_key", operatorId, "operator_id"), 0);
});

test("a month of messages that nobody keeps is dropped, and still counted", async () => {
  const order = await failedOrder("dropped");
  const { messages } = await story(order);
  const rows = messages.length;
  await putAway();
  const months = async () => (await partitionsOf(database, GROWN.messages)).map(({ name }) => name);
  const [first] = messages;
  assert.ok(first);
  const writtenAt = new Date(Number.parseInt(first.id.replace("-", "").slice(0, 12), 16)); // a UUIDv7
  const month = `past_message_${writtenAt.toISOString().slice(0, 7).replace("-", "_")}`;
  assert.ok((await months()).includes(month));
  const operators = await database.rows<{ id: string }>("select id from operator");
  const body = JSON.stringify({ ...DEFAULT_POLICY, retention: { ...KEEP_ALL, messages: 6 } });
  for (const { id } of operators)
    await database.run(
      "insert into operator_policy (operator_id, version, body, made_by) values ($1, 100, $2, 'ada')",
      [id, body],
    );
  const policyOf = async () => ({ ...DEFAULT_POLICY, retention: { ...KEEP_ALL, messages: 6 } });
  const deps = {
    database,
    sealer: createSealer(Buffer.alloc(32, 7)),
    newId: uuidv7,
    clock: () => daysFromNow(300),
  };
  const look = await createRetention({ ...deps, policyOf }).look(order.operatorId, {});
  const over = look.find(({ kind }) => kind === "messages")?.over ?? [];
  assert.equal(
    over.reduce((sum, { entries }) => sum + entries, 0),
    rows,
  );
  for (let steps = 0; await sweepStep(deps, "messages"); steps++) assert.ok(steps < 100);
  assert.ok(!(await months()).includes(month));
  assert.deepEqual((await story(order)).messages, []);
  const counted = await createRetention({ ...deps, policyOf }).statistics(order.operatorId, {
    kind: "messages",
  });
  assert.deepEqual(new Set(counted.map(({ what }) => what.join(" "))), new Set(["settings failed"]));
  assert.equal(
    counted.reduce((sum, { count }) => sum + count, 0),
    rows,
  );
  await assert.rejects(
    shop.conductor.resend(order.operatorId, order.orderId, "care"),
    { code: "nothing_to_resend" },
    "what it would send again is gone",
  );
});
