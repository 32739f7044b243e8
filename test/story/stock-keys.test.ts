/**
 * Keys that a maker made beforehand, from its own door to the last handset that finds none (US 11,109,201, figures 2 and 5A; R131): a
 * batch is made at the key server over mutual TLS, imported, used up by handsets that the network saw and that a person ordered for,
 * each key bound at its first use; what is low and what is missing is told.
 */
import assert from "node:assert/strict";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { test } from "vitest";
import {
  itemOf,
  kindsOf,
  type StoryOperator,
  type StoryPhone,
  storyFixture,
  until,
} from "../fixture/story.ts";

const fixture = await storyFixture();
const { world } = fixture;
const MAKE = "Sony";
const MODEL = "Xperia Z3";
const OTHER_MODEL = "Xperia XA2";

/** The maker's own answer, as the operator's certificate gets it. */
const madeAtMaker = (batch: object): Promise<string> =>
  new Promise((resolve, reject) => {
    const { makerUrl, maker } = world.addresses;
    const asked = request(`${makerUrl}/v1/batches`, {
      method: "POST",
      ca: maker.authority,
      cert: maker.certificate,
      key: maker.key,
      headers: { "content-type": "application/json" },
    });
    asked.on("error", reject);
    asked.on("response", (answer) => {
      text(answer).then(
        (body) => (answer.statusCode === 200 ? resolve(body) : reject(new Error(body))),
        reject,
      );
    });
    asked.end(JSON.stringify(batch));
  });

async function importedBy(operator: StoryOperator, batch: object): Promise<void> {
  const { raw: binder } = await operator.get("/v1/issuer");
  const body = await madeAtMaker({ make: MAKE, binder, ...batch });
  const { status, text: said } = await operator.call("POST", "/v1/key-batches", body, "maker");
  assert.equal(status, 201, said);
}
const stocksOf = async (operator: StoryOperator) =>
  ((await operator.get("/v1/key-batches")).stocks as Stock[]).map(({ models, free, state }) => [
    models.join(),
    free,
    state,
  ]);
type Stock = { readonly models: string[]; readonly free: number; readonly state: string };

type Event = { readonly kind: string; readonly reason: string };
/** Which batch a handset's key was of, and what the record says of the stock. */
const keyWordsOf = (story: { readonly events: readonly Event[] }): string =>
  story.events.find(({ kind }) => kind === "key_received")?.reason ?? "";
function assertRan(phone: StoryPhone): void {
  const { keyOpened, keyDeleted, now, refused } = phone.status();
  const ran = { keyOpened, keyDeleted, now, refused };
  assert.deepEqual(ran, { keyOpened: true, keyDeleted: true, now: "alive", refused: [] });
}

test("a maker's batch is used up by handsets of both roads, each with a key of its own; who comes too late is told so and served after the next", async () => {
  const operator = await fixture.operator({
    relations: [{ make: MAKE, keySource: "stock", keyStockLow: 1 }],
    policy: { package: "apart" },
  });
  await importedBy(operator, { batchId: "z3", count: 2, models: [`${MAKE}/${MODEL}`] });
  await importedBy(operator, { batchId: "any", count: 1 });
  assert.deepEqual(await stocksOf(operator), [
    ["", 1, "low"],
    [`${MAKE}/${MODEL}`, 3, "enough"],
  ]);

  // The network's road: seen, judged, and a key of what is for its model.
  const seen = fixture.phone(MODEL);
  await seen.attach();
  const first = await operator.settled(seen);
  assert.match(keyWordsOf(first), /of batch z3, is bound to this handset$/);
  assertRan(seen);

  // Somebody's order for a handset that nobody saw yet.
  const asked = fixture.phone(MODEL);
  const { imei, imsi, msisdn } = asked.spec;
  const body = { imei, imsi, msisdn };
  const opened = await operator.call("POST", "/v1/orders", body, "care", { "idempotency-key": "asked" });
  assert.equal(opened.status, 202, opened.text);
  await asked.attach();
  const second = await operator.settled(asked);
  assert.deepEqual([second.id, second.cause], [opened.body.orderId, "requested"]);
  assert.match(
    keyWordsOf(second),
    /of batch z3, is bound to this handset; 1 of Sony are left: import a batch$/,
  );
  assertRan(asked);

  // Another model gets what is for all, the last there is.
  const other = fixture.phone(OTHER_MODEL);
  await other.attach();
  const third = await operator.settled(other);
  assert.match(
    keyWordsOf(third),
    /of batch any, is bound to this handset; 0 of Sony are left: import a batch$/,
  );
  assertRan(other);
  assert.deepEqual(await stocksOf(operator), [
    ["", 0, "empty"],
    [`${MAKE}/${MODEL}`, 0, "empty"],
  ]);
  const keys = [first, second, third].map((story) => itemOf(story, "key"));
  assert.equal(new Set(keys.map(({ keyId }) => keyId)).size, 3, "each has its own");

  // The next one has its settings, and why it has no key under a code that stays.
  const late = fixture.phone(MODEL);
  await late.attach();
  const waiting = await operator.storyUntil(
    late,
    (story) => itemOf(story, "key")?.cause === "stock_empty" && itemOf(story, "settings").state === "works",
    "its settings work, and no key is left",
  );
  const { state, reason, nextAction, deadlineAt } = itemOf(waiting, "key");
  assert.deepEqual([state, reason], ["waiting_for_key", "no key of Sony is left in stock"]);
  assert.match(nextAction, /^import a batch of keys of Sony; it is looked at again at once then/);
  assert.ok(Date.parse(deadlineAt) > Date.now());
  assert.ok(kindsOf(waiting).includes("key_not_received"));
  assert.equal(late.status().keyOpened, false);
  const measured = async () => await (await fetch(`${fixture.server.url}/metrics`)).text();
  await until(
    measured,
    (measures) => /turnup_key_stocks\{[^}]*state="empty"[^}]*\} [1-9]/.test(measures),
    "the measure of empty stocks says so",
  );

  // A new batch serves who waits, at once.
  await importedBy(operator, { batchId: "next", count: 1 });
  const fourth = await operator.settled(late);
  assert.match(keyWordsOf(fourth), /of batch next, is bound to this handset; 0 of Sony are left/);
  assertRan(late);
  const { batches } = await operator.get("/v1/key-batches");
  assert.deepEqual(
    (batches as { id: string; keys: number; sent: number }[])
      .map(({ id, keys: all, sent }) => [id, all, sent])
      .sort(),
    [
      ["any", 1, 1],
      ["next", 1, 1],
      ["z3", 2, 2],
    ],
  );
});
