/** Messages on PostgreSQL: leases, bookings told twice, resends, refusals. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { LEASE_MS, messageShop } from "../../../test/fixture/message-shop.ts";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import type { UnsentMessage } from "../../kernel/order/message.ts";

const { shop, ordered, claim, taken, receipts, story, partsOf } = await messageShop();

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
  assert.equal(
    parts?.find(({ sequence }) => sequence === 2)?.state,
    "delivered",
    "proof that comes late counts",
  );
});

test("receipts that come after a message was taken for expired deliver it all the same", async () => {
  const order = await ordered("after expiry");
  const [message] = await claim(order.operatorId);
  await taken(message!, ...partsOf(message!));
  shop.time.now += 25 * HOUR_MS;
  assert.ok((await shop.conductor.expire(1_000)) >= 1);
  const sentAgain = await story(order);
  assert.deepEqual(
    [sentAgain.items[0]?.attempt, sentAgain.attempts],
    [2, 2],
    "an order tells its most sends",
  );
  await receipts(message!, "delivered", ...partsOf(message!));
  const after = await story(order);
  assert.equal(after.items[0]?.state, "delivered");
  assert.deepEqual(after.messages.map(({ state }) => state).sort(), ["cancelled", "delivered"]);
});

test("a message that the centre puts off is due again then, and one that it refuses for good ends its item", async () => {
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
  await shop.conductor.bookSubmissions([], [{ ...unsent, retryAt: null, errorCode: "ESME_RINVSRCTON" }]);
  const { items, messages } = await story(order);
  const [settings] = items;
  assert.deepEqual(
    [settings?.state, settings?.attempt, messages.length],
    ["failed", 1, 1],
    "what would be refused again is not sent again",
  );
});

test("which centre has a message perhaps is on disk: whoever claims it next knows it, also after a try that did not leave", async () => {
  const order = await ordered("perhaps taken");
  const [message] = await claim(order.operatorId);
  assert.equal(message?.perhapsWith, null);
  const putOff = async (more: Partial<UnsentMessage> = {}): Promise<void> => {
    const retryAt = new Date(shop.time.now + 10_000);
    const unsent = {
      messageId: message!.messageId,
      reason: "no answer",
      retryAt,
      errorCode: "disconnected",
      ...more,
    };
    await shop.conductor.bookSubmissions([], [unsent]);
    shop.time.now += 10_000;
  };
  await putOff({ perhapsWith: { smsc: "north's", until: new Date(shop.time.now + 60_000) } });
  assert.equal((await claim(order.operatorId))[0]?.perhapsWith, "north's");
  await putOff();
  assert.equal((await claim(order.operatorId))[0]?.perhapsWith, "north's");
  shop.time.now += 40_000;
  await putOff();
  assert.equal((await claim(order.operatorId))[0]?.perhapsWith, null, "any centre may have it now");
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

test("a text is one row, which holds what is sent; sent again under its key it is sent once", async () => {
  const operatorId = await shop.operator();
  const text = { to: "4915112345678", text: "Hello", idempotencyKey: "hello" };
  const [first] = await shop.texts.send(operatorId, [text]);
  const [again, other] = await shop.texts.send(operatorId, [text, { ...text, idempotencyKey: "other" }]);
  assert.deepEqual([first?.created, again?.created, other?.created], [true, false, true]);
  assert.equal(again?.id, first?.id);
  const theirs = await shop.operator();
  assert.equal((await shop.texts.send(theirs, [text]))[0]?.created, true);
  assert.equal(await shop.count("message", "operator_id = $1", [operatorId]), 2);
  assert.equal(await shop.count("payload", "operator_id = $1", [operatorId]), 0);
  const message = (await claim(operatorId)).find(({ messageId }) => messageId === first?.id);
  assert.ok(message);
  assert.equal(message.content?.to, text.to);
  assert.equal(message.protocol, "text");
  assert.equal(Buffer.from(message.content?.payload ?? []).toString(), text.text);
  await taken(message, 1);
  await receipts(message, "delivered", 1);
  const { rows } = await shop.reader.listMessages(operatorId, { state: "delivered" }, { limit: 10 });
  assert.deepEqual(
    rows.map(({ id, protocol, octets, parts }) => [id, protocol, octets, parts.length]),
    [[first?.id, "text", Buffer.byteLength(text.text), 1]],
  );
});
