/** What the turn of a month, and what goes with it, must never touch: receipts on their way, keys that were spent. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { RETAINED_KINDS } from "../../kernel/operator/retention.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createRepeats } from "../operator/repeats.ts";
import { createSealer } from "../seal/seal.ts";
import { makeMonthsAhead } from "./partitions.ts";
import { sweepStep } from "./sweep.ts";

const { shop, ordered, claim, taken, receipts, story, partsOf } = await messageShop();
const { database, time } = shop;
const clock = (): Date => new Date(time.now);

/** All that may go goes. */
async function monthTurns(): Promise<void> {
  await makeMonthsAhead(database, clock());
  for (const kind of RETAINED_KINDS)
    for (
      let steps = 0;
      await sweepStep({ database, sealer: createSealer(Buffer.alloc(32, 7)), newId: uuidv7, clock }, kind);
      steps++
    )
      assert.ok(steps < 100, "a sweep comes to its end");
}

async function briefly(operatorId: string): Promise<void> {
  const retention = { sightings: 1, events: 6, audit: 12, messages: 6, people: null };
  const put = await shop.registry.policies.put(operatorId, 0, { ...DEFAULT_POLICY, retention }, "ada");
  assert.ok(put);
}

test("a message handed over before the turn of a month is delivered by its receipt behind it", async () => {
  time.now = Date.parse("2026-05-31T23:59:58Z");
  await monthTurns();
  const order = await ordered("turn of month");
  await briefly(order.operatorId);
  const [message] = await claim(order.operatorId);
  assert.ok(message);
  await taken(message, ...partsOf(message));
  time.now = Date.parse("2026-06-01T00:00:02Z");
  await monthTurns();
  await receipts(message, "delivered", ...partsOf(message));
  assert.equal((await story(order)).items[0]?.state, "delivered");
  const places = await database.rows(
    "select tableoid::regclass::text as place from sighting where operator_id = $1",
    [order.operatorId],
  );
  assert.deepEqual(places, [{ place: "sighting_2026_05" }]);
});

test("a key of two months ago sends nothing twice, after its month went and the API has forgotten what it answered", async () => {
  time.now = Date.parse("2026-06-10T00:00:00Z");
  const order = await ordered("spent key");
  await briefly(order.operatorId);
  const text = { to: "+4915112345678", text: "hello", idempotencyKey: "two-months-old" };
  const [first] = await shop.texts.send(order.operatorId, [text]);
  time.now = Date.parse("2026-08-31T00:00:00Z");
  await createRepeats({ database, newId: uuidv7, clock }).forget(clock());
  await monthTurns();
  assert.deepEqual(
    await database.rows("select from sighting where operator_id = $1", [order.operatorId]),
    [],
    "June went",
  );
  const [again] = await shop.texts.send(order.operatorId, [text]);
  assert.deepEqual(again, { id: first?.id, created: false });
  assert.equal(await shop.count("message", "operator_id = $1 and kind = 'text'", [order.operatorId]), 1);
});
