/** Receipts on PostgreSQL: those that overtake their booking, come twice, or spell their message's id in another way. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { idOf, messageShop, SMSC } from "../../../test/fixture/message-shop.ts";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { historyOf } from "./event-rows.ts";
import { messageTransaction } from "./message-rows.ts";

const { shop, ordered, claim, taken, receipts, story, partsOf } = await messageShop();

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
    await messageTransaction(tx, 0).bookReceipts(
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
  assert.equal(await shop.conductor.forget(), 0);
  shop.time.now += 2 * HOUR_MS;
  assert.equal(await shop.conductor.forget(), 1);
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
  assert.equal(await shop.count(`(${historyOf("true")}) history`, delivered, [operatorId]), messages.length);
});

test("a part of a message that is not there is refused whole, and the parts of others beside it are booked", async () => {
  const order = await ordered("no such message");
  const [message] = await claim(order.operatorId);
  const [first] = partsOf(message!);
  const part = (messageId: string, sequence: number) => ({
    messageId,
    sequence,
    smsc: SMSC,
    smscMessageId: `${messageId}:${sequence}`,
  });
  const unknown = part("0190f3c4-7000-7000-8000-000000000001", 1);
  const known = part(message!.messageId, first!);
  const kept = (): Promise<number> =>
    shop.count("message_part", "message_id in ($1, $2)", [unknown.messageId, known.messageId]);
  await assert.rejects(shop.conductor.bookSubmissions([unknown, known], []), /not there/);
  assert.equal(await kept(), 0);
  await shop.conductor.bookSubmissions([known], []);
  assert.equal(await kept(), 1);
});
