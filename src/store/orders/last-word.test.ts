/** What receipts do to messages and their items: the last word, the one that is never undone, and receipts of a whole message. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { orderShop, pair } from "../../../test/fixture/order-shop.ts";
import type { OutgoingMessage, Receipt } from "../../kernel/order/message.ts";

const shop = await orderShop();
const SMSC = "smsc.invalid:2775";
const DAY_MS = 24 * HOUR_MS;

/** One operator, one SIM, one order, whose first message was leased for sending; it has several parts. */
async function ordered(name: string) {
  const operatorId = await shop.operator();
  const [seen] = await shop.see(operatorId, pair(name));
  assert.ok(seen && "orderId" in seen);
  await shop.conductor.advance(1_000);
  const claimed = await shop.store.claimMessages({
    now: new Date(shop.time.now),
    limit: 1_000,
    leaseMs: 120_000,
  });
  const message = claimed.find((one) => one.operatorId === operatorId);
  assert.ok(message && message.partCount > 1);
  return { operatorId, orderId: seen.orderId, message };
}
type Ordered = Awaited<ReturnType<typeof ordered>>;

const idOf = ({ messageId }: OutgoingMessage, sequence: number): string => `${messageId}/${sequence}`;
const sequencesOf = ({ partCount }: OutgoingMessage): number[] =>
  Array.from({ length: partCount }, (_, at) => at + 1);
const taken = (message: OutgoingMessage, ids = sequencesOf(message).map((at) => idOf(message, at))) =>
  shop.conductor.bookSubmissions(
    ids.map((smscMessageId, at) => ({
      messageId: message.messageId,
      sequence: at + 1,
      smsc: SMSC,
      smscMessageId,
    })),
    [],
  );
const receipt = (smscMessageId: string, state: Receipt["state"], more: Partial<Receipt> = {}): Receipt => ({
  smsc: SMSC,
  smscMessageId,
  state,
  errorCode: state === "delivered" ? null : "034",
  ...more,
});
/** For every part, in this order. */
const come = async (message: OutgoingMessage, ...states: Receipt["state"][]): Promise<void> => {
  for (const state of states)
    await shop.conductor.bookReceipts(sequencesOf(message).map((at) => receipt(idOf(message, at), state)));
};
async function story({ operatorId, orderId, message }: Ordered) {
  const told = await shop.reader.findOrder(operatorId, orderId);
  assert.ok(told);
  const own = told.messages.find(({ id }) => id === message.messageId);
  assert.ok(own);
  return { ...told, own };
}

for (const former of ["failed", "expired"] as const) {
  test(`R13: ${former}, then delivered: the message and its item are delivered, and what was to be sent again is not`, async () => {
    const order = await ordered(`later proof after ${former}`);
    await taken(order.message);
    await come(order.message, former);
    assert.equal((await story(order)).own.state, former);
    await come(order.message, "delivered");
    const { own, items, messages } = await story(order);
    assert.deepEqual([own.state, items[0]?.state], ["delivered", "delivered"]);
    assert.deepEqual(messages.map(({ state }) => state).sort(), ["cancelled", "delivered"]);
    assert.ok(own.parts.every(({ errorCode, state }) => state === "delivered" && errorCode === null));
  });

  test(`delivered, then ${former}: nothing is undone`, async () => {
    const order = await ordered(`no way back to ${former}`);
    await taken(order.message);
    await come(order.message, "delivered", former);
    const { own, items } = await story(order);
    assert.deepEqual([own.state, items[0]?.state], ["delivered", "delivered"]);
    assert.ok(own.parts.every(({ state }) => state === "delivered"));
  });
}

test("of failed and expired the last to arrive counts, and the item is not sent again for it", async () => {
  const order = await ordered("the last of two");
  await taken(order.message);
  await come(order.message, "expired");
  const before = await story(order);
  await come(order.message, "failed");
  const { own, items, messages } = await story(order);
  assert.equal(own.state, "failed");
  assert.ok(own.parts.every(({ state, errorCode }) => state === "failed" && errorCode === "034"));
  assert.equal(items[0]?.attempt, before.items[0]?.attempt);
  assert.equal(messages.length, before.messages.length);
  await come(order.message, "expired");
  assert.equal((await story(order)).own.state, "expired");
});

const BATCHES: readonly (readonly [readonly Receipt["state"][], Receipt["state"]])[] = [
  [["failed", "delivered"], "delivered"],
  [["delivered", "failed"], "delivered"],
  [["delivered", "expired", "failed"], "delivered"],
  [["failed", "expired"], "expired"],
  [["expired", "failed"], "failed"],
];
for (const [states, last] of BATCHES) {
  for (const isEarly of [false, true]) {
    const when = isEarly ? "before its parts were booked" : "after them";
    test(`${states.join(", ")} in one batch, ${when}: ${last}`, async () => {
      const order = await ordered(`batch ${states.join()} ${isEarly}`);
      const all = states.flatMap((state) =>
        sequencesOf(order.message).map((at) => receipt(idOf(order.message, at), state)),
      );
      if (!isEarly) await taken(order.message);
      await shop.conductor.bookReceipts(all);
      if (isEarly) await taken(order.message);
      assert.equal((await story(order)).own.state, last);
    });
  }
}

test("receipts that wait for their part are weighed alike, one batch after the other", async () => {
  const order = await ordered("early, one after the other");
  await come(order.message, "failed", "delivered", "expired");
  await taken(order.message);
  assert.equal((await story(order)).own.state, "delivered");
});

test("R10: where a centre sends one receipt a message, that of the first part delivers it all, come when it may", async () => {
  const late = await ordered("one receipt a message");
  await taken(late.message);
  const one = (of: Ordered) => [receipt(idOf(of.message, 1), "delivered", { speaksForMessage: true })];
  await shop.conductor.bookReceipts(one(late));
  const told = await story(late);
  assert.deepEqual([told.own.state, told.items[0]?.state], ["delivered", "delivered"]);

  const early = await ordered("one receipt a message, early");
  await shop.conductor.bookReceipts(one(early));
  await taken(early.message);
  assert.equal((await story(early)).own.state, "delivered");

  const each = await ordered("a receipt a part");
  await taken(each.message);
  await shop.conductor.bookReceipts([receipt(idOf(each.message, 1), "delivered")]);
  assert.equal((await story(each)).own.state, "submitted", "by default each part has its own");
});

test("a centre that gives all parts of a message one id delivers them by one receipt", async () => {
  const order = await ordered("one id for all parts");
  await taken(
    order.message,
    sequencesOf(order.message).map(() => `same ${order.message.messageId}`),
  );
  await shop.conductor.bookReceipts([receipt(`same ${order.message.messageId}`, "delivered")]);
  assert.equal((await story(order)).own.state, "delivered");
});

test("an id that a centre uses again means the message that has no last word yet, and leaves the former as it was", async () => {
  const former = await ordered("id used first");
  const ids = sequencesOf(former.message).map((at) => `used twice ${at}`);
  await taken(former.message, ids);
  await shop.conductor.bookReceipts(ids.map((id) => receipt(id, "failed")));
  const next = await ordered("id used again");
  const nextIds = sequencesOf(next.message).map((at) => `used twice ${at}`);
  await taken(next.message, nextIds);
  await shop.conductor.bookReceipts(nextIds.map((id) => receipt(id, "delivered")));
  assert.deepEqual([(await story(former)).own.state, (await story(next)).own.state], ["failed", "delivered"]);
});

test("R11: what the centre took without an id says so, and ends when its time is over", async () => {
  const order = await ordered("no id");
  await taken(
    order.message,
    sequencesOf(order.message).map(() => ""),
  );
  const { own } = await story(order);
  assert.equal(own.state, "submitted");
  assert.match(own.reason, /no id: no receipt can be matched/);
  shop.time.now += DAY_MS + HOUR_MS;
  await shop.conductor.expire(1_000);
  const ended = await story(order);
  assert.equal(ended.own.state, "expired");
  assert.match(ended.own.reason, /named a part by no id/);
  assert.equal(ended.items[0]?.attempt, 2, "as the policy says of what expired");
});

test("the centre's own word stays with the part that it ended, also where it came before it", async () => {
  const order = await ordered("words");
  const [first = 1, ...others] = sequencesOf(order.message);
  const worded = { reportedState: "FAILED" };
  await shop.conductor.bookReceipts([receipt(idOf(order.message, first), "failed", worded)]);
  await taken(order.message);
  await shop.conductor.bookReceipts(others.map((at) => receipt(idOf(order.message, at), "failed", worded)));
  const { own } = await story(order);
  assert.ok(own.parts.every(({ reportedState }) => reportedState === "FAILED"));
});
