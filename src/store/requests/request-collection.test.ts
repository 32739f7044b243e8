/** What is had is collected by the token that was left at sign-up, each month once, whatever becomes of the answers (R8). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CollectionView } from "../../kernel/settlement/collection.ts";
import { monthsAfter } from "../../term/calendar.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createCollections } from "../settlement/collections.ts";

const shop = await requestShop();
const { database, sealer, time } = shop;
const collections = createCollections({ database, sealer, newId: uuidv7, clock: () => new Date(time.now) });
const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
const price = { onceMinor: 250, monthlyMinor: 99, currency: "EUR" };
const ITEMS = [
  { id: "ring", content: { kind: "none" as const }, price },
  { id: "mail", content: { kind: "none" as const }, price: { ...price, onceMinor: 0, monthlyMinor: 299 } },
];
const collection = { by: "token", retries: 1, retryAfterHours: 72 } as const;
const CARD = {
  token: "tok_1",
  first6: "411111",
  last4: "1111",
  brand: "visa",
  index: new Uint8Array(32).fill(1),
};
const ACCOUNT = {
  token: "ba_1",
  first6: "AT****",
  last4: "3201",
  brand: "iban",
  index: new Uint8Array(32).fill(2),
  mandate: { reference: "M0123456789ABCDEF", signedOn: "2026-03-31" },
};

const fixtureOf = (name: string, policy = {}) =>
  shop.fixture(name, ITEMS, { policy: { collection: { ...collection, ...policy } } });
const rowsOf = async ({ operatorId }: RequestFixture): Promise<readonly CollectionView[]> =>
  (await collections.list(operatorId, {}, { limit: 100, order: "asc" })).rows;
const shownOf = async (fixture: RequestFixture) =>
  (await rowsOf(fixture)).map(({ purpose, period, amountMinor, state, meansMasked }) => [
    purpose,
    period,
    Number(amountMinor),
    state,
    meansMasked,
  ]);
async function has(fixture: RequestFixture, items: readonly string[], more = {}): Promise<string> {
  const { orderId } = await fixture.ask(items, more);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  return orderId;
}
/** Until the next month of what was had since then is due, and a second more. */
async function month(fixture: RequestFixture, since: number, months: number): Promise<void> {
  await shop.pass(monthsAfter(new Date(since), months).getTime() - time.now + 1_000);
  await fixture.calls();
}
const collectionEvents = async (fixture: RequestFixture, orderId: string): Promise<readonly string[]> =>
  (await fixture.events(orderId)).filter((kind) => kind.startsWith("collection_"));

for (const [means, given, masked, mandate] of [
  ["card", CARD, "411111******1111", null],
  ["bank account", ACCOUNT, "AT******3201", ACCOUNT.mandate.reference],
] as const) {
  test(`what is ordered is collected by the token of the ${means} that was left, and so is each later order and month (R8)`, async () => {
    const fixture = await fixtureOf(`collected ${means}`);
    const since = time.now;
    const orderId = await has(fixture, ["ring"], { card: given });
    assert.deepEqual(await shownOf(fixture), [["order", 0, 349, "taken", masked]]);
    assert.deepEqual(await collectionEvents(fixture, orderId), ["collection_asked", "collection_taken"]);
    const later = await has(fixture, ["mail"]);
    assert.deepEqual(await collectionEvents(fixture, later), ["collection_asked", "collection_taken"]);
    await month(fixture, since, 1);
    assert.deepEqual(
      fixture.saw.collections.map(({ token, mandate, amountMinor, purpose }) => [
        token,
        mandate,
        amountMinor,
        purpose,
      ]),
      [
        [given.token, mandate, 349, "order"],
        [given.token, mandate, 299, "order"],
        [given.token, mandate, 99, "renewal"],
        [given.token, mandate, 299, "renewal"],
      ],
    );
    const ids = fixture.saw.collections.map(({ id }) => id);
    assert.equal(new Set(ids).size, 4, "each is a call of its own");
    assert.deepEqual((await collectionEvents(fixture, orderId)).slice(2), [
      "collection_asked",
      "collection_taken",
    ]);
    // Who is told the sums would collect them a second time.
    const billed = fixture.saw.billing.filter(({ kind }) => kind === "feature" || kind === "commit");
    assert.ok(billed.length >= 2);
    assert.ok(billed.every(({ onceMinor, monthlyMinor }) => onceMinor === 0 && monthlyMinor === 0));
    assert.ok(fixture.saw.billing.every(({ account }) => account === null || !("paymentToken" in account)));
  });
}

test("where the billing centre collects, this server asks for nothing, and the centre is told the sums", async () => {
  const fixture = await fixtureOf("billed", { by: "billing_centre" });
  const since = time.now;
  await has(fixture, ["ring"], { card: CARD });
  await month(fixture, since, 1);
  assert.equal(fixture.saw.collections.length, 0);
  assert.deepEqual(await shownOf(fixture), []);
  const [told] = fixture.saw.billing.filter(({ kind }) => kind === "feature");
  assert.deepEqual([told?.onceMinor, told?.monthlyMinor], [250, 99]);
});

test("an answer that is lost is asked for again under the same id, and nothing is taken twice", async () => {
  const fixture = await fixtureOf("lost");
  let asked = 0;
  fixture.answers.collect = async () => {
    asked += 1;
    if (asked < 3) return { kind: "failed", cause: "timeout", reason: "nothing came" };
    return { kind: "taken", reference: "C9" };
  };
  const orderId = await has(fixture, ["ring"], { card: CARD });
  assert.deepEqual(await shownOf(fixture), [["order", 0, 349, "asked", "411111******1111"]]);
  for (let pass = 0; pass < 3; pass++) {
    await shop.pass(30_000);
    await fixture.calls();
  }
  assert.equal(fixture.saw.collections.length, 3);
  assert.equal(new Set(fixture.saw.collections.map(({ id }) => id)).size, 1);
  const [row] = await rowsOf(fixture);
  assert.deepEqual([row?.state, row?.reference, row?.attempt], ["taken", "C9", 1]);
  assert.deepEqual(await collectionEvents(fixture, orderId), [
    "collection_asked",
    "collection_delayed",
    "collection_taken",
  ]);
});

test("a sum that is never answered is unknown: nobody asks for it again, and a person books what the provider says", async () => {
  const fixture = await fixtureOf("unknown");
  fixture.answers.collect = async () => ({ kind: "failed", cause: "unreachable", reason: "nobody is there" });
  const orderId = await has(fixture, ["ring"], { card: CARD });
  for (let day = 0; day < 16; day++) {
    await shop.pass(DAY_MS);
    await fixture.calls();
  }
  const asked = fixture.saw.collections.length;
  const [row] = (await collections.list(fixture.operatorId, { toSeeTo: true }, { limit: 9 })).rows;
  assert.deepEqual([row?.state, row?.deadlineAt], ["unknown", null]);
  assert.match(row?.nextAction ?? "", /ask the payment provider/);
  await shop.pass(5 * DAY_MS);
  await fixture.calls();
  assert.equal(fixture.saw.collections.length, asked, "what may have been taken is not asked for again");
  const said = { outcome: "taken", reference: "C77", reason: "asked by telephone" } as const;
  await assert.rejects(collections.book(await shop.operator(), row!.id, said, "ada"), {
    code: "collection_not_found",
  });
  const booked = await collections.book(fixture.operatorId, row!.id, said, "ada");
  assert.deepEqual([booked.state, booked.reference], ["taken", "C77"]);
  assert.deepEqual((await collectionEvents(fixture, orderId)).slice(-2), [
    "collection_unknown",
    "collection_booked",
  ]);
  await assert.rejects(collections.book(fixture.operatorId, row!.id, said, "ada"), {
    code: "collection_closed",
  });
});

test("a sum that is refused for now is asked for again in its time, under another id; one that is refused for good is not", async () => {
  const fixture = await fixtureOf("refused for now");
  const answers = ["insufficient_funds", null, "do_not_honour", "insufficient_funds", "insufficient_funds"];
  fixture.answers.collect = async () => {
    const cause = answers.shift();
    return cause ? { kind: "refused", cause, reason: "declined" } : { kind: "taken", reference: "C1" };
  };
  const orderId = await has(fixture, ["ring"], { card: CARD });
  assert.deepEqual(await shownOf(fixture), [["order", 0, 349, "waiting", "411111******1111"]]);
  await shop.pass(71 * HOUR_MS);
  await fixture.calls();
  assert.equal(fixture.saw.collections.length, 1);
  await shop.pass(2 * HOUR_MS);
  await fixture.calls();
  const [first, second] = fixture.saw.collections;
  assert.notEqual(first?.id, second?.id, "the provider answers a refused id from memory");
  assert.deepEqual(await shownOf(fixture), [["order", 0, 349, "taken", "411111******1111"]]);
  assert.deepEqual(await collectionEvents(fixture, orderId), [
    "collection_asked",
    "collection_delayed",
    "collection_asked",
    "collection_taken",
  ]);
  await has(fixture, ["mail"]);
  await shop.pass(80 * HOUR_MS);
  await fixture.calls();
  assert.equal(fixture.saw.collections.length, 3, "a plain no is no question of time");
  const other = await fixtureOf("refused to the end");
  other.answers.collect = async () => ({ kind: "refused", cause: "insufficient_funds", reason: "declined" });
  await has(other, ["ring"], { card: CARD });
  for (let pass = 0; pass < 3; pass++) {
    await shop.pass(73 * HOUR_MS);
    await other.calls();
  }
  assert.equal(other.saw.collections.length, 2, "once, and as often again as the policy says");
  assert.deepEqual(await shownOf(other), [["order", 0, 349, "refused", "411111******1111"]]);
});

test("a later card pays from then on; who left nothing is asked for nothing, and a person sees it", async () => {
  const fixture = await fixtureOf("another card");
  const since = time.now;
  await has(fixture, ["ring"], { card: CARD });
  await has(fixture, ["mail"], { card: ACCOUNT });
  await month(fixture, since, 1);
  assert.deepEqual(
    fixture.saw.collections.map(({ token }) => token),
    ["tok_1", "ba_1", "ba_1", "ba_1"],
  );
  const none = await fixtureOf("nothing left");
  const orderId = await has(none, ["ring"]);
  assert.equal(none.saw.collections.length, 0);
  const [row] = (await collections.list(none.operatorId, { toSeeTo: true }, { limit: 9 })).rows;
  assert.deepEqual([row?.state, row?.meansMasked], ["refused", null]);
  assert.deepEqual(await collectionEvents(none, orderId), ["collection_refused"]);
});

test("each month is collected once, by whichever server; months that were missed are made up, and none is after the end", async () => {
  const fixture = await fixtureOf("months");
  const since = time.now;
  await has(fixture, ["ring"], { card: CARD });
  time.now = monthsAfter(new Date(since), 3).getTime() + 1_000;
  for (let round = 0; round < 4; round++)
    await Promise.all([
      shop.conductor.collect(100),
      shop.conductor.collect(100),
      shop.conductor.collect(100),
    ]);
  await fixture.calls();
  assert.deepEqual(
    (await rowsOf(fixture)).map(({ period, state }) => [period, state]),
    [
      [0, "taken"],
      [1, "taken"],
      [2, "taken"],
      [3, "taken"],
    ],
  );
  assert.equal(fixture.saw.collections.length, 4);
  await has(fixture, ["ring"], { action: "remove" });
  await month(fixture, since, 6);
  assert.equal(fixture.saw.collections.length, 4);
});

test("an operator that lets its billing centre collect from now on has this server collect no further month", async () => {
  const fixture = await fixtureOf("handed over");
  const since = time.now;
  await has(fixture, ["ring"], { card: CARD });
  const { version, body } = await shop.registry.policies.current(fixture.operatorId);
  const request = { ...body.request, collection: { ...collection, by: "billing_centre" as const } };
  await shop.registry.policies.put(fixture.operatorId, version, { ...body, request }, "test");
  await month(fixture, since, 2);
  assert.equal(fixture.saw.collections.length, 1);
});
