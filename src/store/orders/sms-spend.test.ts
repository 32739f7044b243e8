/** What an operator's short messages come to a day: counted as they are booked, and no other way. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { createSmsSpend } from "./sms-spend.ts";

const { shop, ordered, claim, partsOf, idOf, SMSC } = {
  ...(await messageShop()),
  idOf: (id: string, n: number) => `${id}/${n}`,
  SMSC: "one",
};
const HOUR_MS = 3_600_000;

test("parts and their cost are counted with the booking, once, by operator and day; what waits is counted apart", async () => {
  shop.time.now = Date.parse("2026-05-04T22:00:00Z");
  const [mine, theirs] = [await ordered("mine"), await ordered("theirs")];
  const [message] = await claim(mine.operatorId);
  assert.ok(message);
  const now = async (operatorId = mine.operatorId) => {
    const { spent, spentMicros, waiting } = await createSmsSpend(
      shop.database,
      () => new Date(shop.time.now),
    ).now(operatorId);
    return { spent, spentMicros, waiting };
  };
  assert.deepEqual(await now(), { spent: 0, spentMicros: 0, waiting: 1 });
  const taken = partsOf(message).map((sequence) => ({
    ...{
      messageId: message.messageId,
      sequence,
      smsc: SMSC,
      smscMessageId: idOf(message.messageId, sequence),
    },
    costMicros: 70_500,
  }));
  await shop.conductor.bookSubmissions(taken, []);
  const count = taken.length;
  assert.deepEqual(await now(), { spent: count, spentMicros: count * 70_500, waiting: 0 });
  await shop.conductor.bookSubmissions(taken, []);
  assert.equal((await now()).spent, count, "a booking that is repeated counts nothing");
  assert.deepEqual(await now(theirs.operatorId), { spent: 0, spentMicros: 0, waiting: 1 });
  shop.time.now += 2 * HOUR_MS;
  assert.equal((await now()).spent, 0, "the next day begins at midnight UTC");
});

test("what was spent before midnight holds nothing back behind it: a sum that is remembered, or on its way, is of its day", async () => {
  const midnight = Date.parse("2026-06-01T00:00:00Z");
  shop.time.now = midnight - 1_000;
  const { operatorId } = await ordered("midnight");
  const [message] = await claim(operatorId);
  assert.ok(message);
  const taken = partsOf(message).map((sequence) => ({
    messageId: message.messageId,
    sequence,
    smsc: SMSC,
    smscMessageId: idOf(message.messageId, sequence),
  }));
  await shop.conductor.bookSubmissions(taken, []);
  const spend = createSmsSpend(shop.database, () => new Date(shop.time.now));
  assert.equal((await spend.now(operatorId)).spent, taken.length);
  shop.time.now = midnight;
  assert.equal((await spend.now(operatorId)).spent, 0, "not what it remembers of yesterday");
  shop.time.now = midnight - 1_000;
  const onItsWay = createSmsSpend(shop.database, () => new Date(shop.time.now)).now(operatorId);
  shop.time.now = midnight;
  assert.equal((await onItsWay).spent, 0, "not what was asked for yesterday");
});
