/** What is left behind when a request comes to nothing, or to an end without proof: at other companies' machines, and in rows. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
const RETRY_MS = 10_000;
const DAYS_14_MS = 14 * 24 * HOUR_MS;
const MAIL: Partial<CatalogItem> & { readonly id: string } = {
  id: "mail",
  kind: "service",
  service: { uri: "https://mail.example/scim", module: null, fields: [] },
};
const GAME = { id: "game", content: { kind: "activation", module: "game" } } as const;
const RADIO = { id: "radio", content: { kind: "activation", module: "radio" } } as const;

type Fixture = Awaited<ReturnType<typeof shop.fixture>>;

async function installedAll(fixture: Fixture, orderId: string): Promise<void> {
  for (const { id, kind } of (await fixture.status(orderId)).items)
    if (kind === "feature") await fixture.installed(orderId, id);
}

/** What is had, with an account that the billing centre knows. */
async function registered(name: string) {
  const fixture = await shop.fixture(name, [RADIO, GAME, MAIL]);
  const { orderId } = await fixture.ask(["radio"]);
  await installedAll(fixture, orderId);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  fixture.saw.billing.length = 0;
  return fixture;
}
const billed = (fixture: Fixture) => fixture.saw.billing.map(({ kind }) => kind);

for (const [name, kind, ms] of [
  ["refused", "refused", 0],
  ["did not answer about", "failed", DAYS_14_MS],
] as const) {
  test(`an account that the billing centre ${name} is registered with the next success`, async () => {
    const fixture = await shop.fixture(`account ${kind}`, [RADIO, GAME]);
    fixture.answers.billing = () => Promise.resolve({ kind, cause: "not_now", reason: "no" });
    const { orderId } = await fixture.ask(["radio"]);
    await installedAll(fixture, orderId);
    await fixture.calls();
    await shop.pass(ms);
    await fixture.calls();
    fixture.answers.billing = () => Promise.resolve({ kind: "done", reference: "bill-2" });
    fixture.saw.billing.length = 0;
    const second = await fixture.ask(["game"]);
    await installedAll(fixture, second.orderId);
    await fixture.calls();
    shop.time.now += RETRY_MS;
    await fixture.calls();
    assert.deepEqual(billed(fixture).slice(0, 1), ["account"]);
    const { subscriberId } = await fixture.story(orderId);
    assert.equal(
      await shop.count("user_account", "subscriber_id = $1 and state = 'registered'", [subscriberId]),
      1,
    );
  });
}

test("the word to register an account goes under one id for each order that wants it, so that one that was lost is not booked twice", async () => {
  const fixture = await shop.fixture("account word", [RADIO, GAME]);
  fixture.answers.billing = () =>
    Promise.resolve({ kind: "failed", cause: "timeout", reason: "the answer was lost" });
  for (const item of ["radio", "game"]) {
    const { orderId } = await fixture.ask([item]);
    await installedAll(fixture, orderId);
    await fixture.calls();
  }
  const words = fixture.saw.billing.filter(({ kind }) => kind === "account");
  assert.ok(words.length >= 2, `${billed(fixture)}`);
  assert.equal(new Set(words.map(({ id }) => id)).size, 1);
  // The first was booked, though its answer was lost: what the second knows beyond it is a change.
  fixture.answers.billing = ({ id, kind, accountId }) =>
    kind === "account" && id === accountId
      ? Promise.resolve({ kind: "refused", cause: "id_reused", reason: "said otherwise before" })
      : Promise.resolve({ kind: "done", reference: "bill-3" });
  fixture.saw.billing.length = 0;
  shop.time.now += RETRY_MS;
  await fixture.calls();
  const opened = fixture.saw.billing.filter(
    ({ kind, id, accountId }) => kind === "account" && id !== accountId,
  );
  assert.deepEqual(opened, [], "nobody is opened twice");
  assert.ok(billed(fixture).includes("account_change"));
});

test("a change that is reserved after its item was cancelled is dropped again", async () => {
  const fixture = await registered("late reservation");
  fixture.answers.billing = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" });
  const { orderId } = await fixture.ask(["game"]);
  await fixture.calls();
  fixture.answers.billing = ({ kind }) =>
    kind === "prepare"
      ? Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" })
      : Promise.resolve({ kind: "done", reference: null });
  await shop.conductor.cancel(fixture.operatorId, orderId, "care");
  await fixture.calls();
  fixture.answers.billing = () => Promise.resolve({ kind: "done", reference: "reserved" });
  shop.time.now += RETRY_MS;
  await fixture.calls();
  assert.deepEqual(billed(fixture), ["prepare", "abort", "prepare", "abort"]);
  assert.equal(fixture.saw.billing[3]?.prepared, fixture.saw.billing[0]?.id);
});

test("a change whose proof never comes holds nothing at the billing centre; late proof is billed all the same", async () => {
  const fixture = await registered("no proof");
  const { orderId } = await fixture.ask(["game"]);
  await fixture.calls();
  const [item] = (await fixture.status(orderId)).items;
  assert.ok(await fixture.requests.content(fixture.scope, { orderId, itemId: item!.id }));
  await shop.pass(80 * HOUR_MS);
  assert.equal((await fixture.status(orderId)).state, "partly_completed");
  await fixture.calls();
  assert.deepEqual(billed(fixture), ["prepare", "abort"]);
  await fixture.installed(orderId, item!.id);
  await fixture.installed(orderId, item!.id);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(billed(fixture), ["prepare", "abort", "account_change", "feature"]);
});

/** Of the user in rows of one order: what they told, and what was to be sent of it. */
const kept = async (orderId: string) => ({
  request: await shop.count("request", "order_id = $1 and user_sealed is not null", [orderId]),
  registrations: (
    await shop.database.rows<{ data_sealed: Buffer }>(
      "select data_sealed from registration where order_id = $1",
      [orderId],
    )
  ).map(({ data_sealed }) => shop.sealer.open("registration_data", data_sealed)),
});

test("of a request that was cancelled before anything was done, no user data is kept", async () => {
  const fixture = await shop.fixture("cancelled", [{ ...RADIO, terms: "t" }], { terms: ["t"] });
  const { orderId } = await fixture.ask(["radio"]);
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent");
  assert.equal((await kept(orderId)).request, 1);
  await shop.conductor.cancel(fixture.operatorId, orderId, "care");
  assert.equal((await kept(orderId)).request, 0);
});

test("of a request that can have nothing, or whose service refuses, no user data is kept", async () => {
  const nothing = await shop.fixture("nothing", [RADIO]);
  const cannot = await nothing.ask(["radio"], { noticeKey: null });
  assert.equal((await nothing.status(cannot.orderId)).state, "failed");
  assert.equal((await kept(cannot.orderId)).request, 0);
  const fixture = await shop.fixture("service refuses", [MAIL]);
  fixture.answers.register = () => Promise.resolve({ kind: "refused", cause: "not_you", reason: "no" });
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  const left = await kept(orderId);
  assert.equal(left.request, 0);
  assert.equal(left.registrations.length, 1);
  assert.doesNotMatch(left.registrations.join(), /Ada|ada@/);
});

test("a registration that the user never completed is taken back from the service server", async () => {
  for (const end of ["deadline", "cancelled"] as const) {
    const fixture = await shop.fixture(`half ${end}`, [MAIL], { policy: { choiceDeadlineHours: 2 } });
    fixture.answers.register = () =>
      Promise.resolve({
        kind: "needs_information",
        remoteId: "half-1",
        fields: [{ name: "pin", problem: "missing" }],
      });
    const { orderId } = await fixture.ask(["mail"]);
    await fixture.calls();
    if (end === "deadline") await shop.pass(2 * HOUR_MS);
    else await shop.conductor.cancel(fixture.operatorId, orderId, "care");
    await fixture.calls();
    assert.deepEqual(
      fixture.saw.removals.map(({ remoteId }) => remoteId),
      ["half-1"],
      end,
    );
    assert.equal((await fixture.status(orderId)).state, end === "deadline" ? "failed" : "cancelled");
    assert.equal(await shop.count("registration", "order_id = $1 and state = 'removed'", [orderId]), 1);
    assert.doesNotMatch((await kept(orderId)).registrations.join(), /Ada|ada@/);
  }
});

test("access data that the device never got is not kept once nobody tries any more", async () => {
  const fixture = await shop.fixture("access lost", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  const tried: string[] = [];
  for (let attempt = 1; attempt <= 6; attempt++) {
    tried.push(
      ...(await fixture.told("failed")).flatMap(({ kind, messageId }) =>
        kind === "access_data" ? [messageId] : [],
      ),
    );
    await shop.pass(6 * HOUR_MS);
  }
  assert.ok(tried.length > 1, "it was tried again");
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 0);
  const [{ sealed } = { sealed: Buffer.alloc(0) }] = await shop.database.rows<{ sealed: Buffer }>(
    "select p.sealed from payload p join message m on m.payload_id = p.id where m.id = $1",
    [tried[0]],
  );
  assert.equal(shop.sealer.openBytes("payload", sealed).length, 0);
});

test("access data that fits into no text is not cut: it is not sent, and the item says so", async () => {
  const fixture = await shop.fixture("long access", [MAIL]);
  const accessData = Object.fromEntries(
    Array.from({ length: 12 }, (_, at) => [`value${at}`, "x".repeat(200)]),
  );
  fixture.answers.register = () => Promise.resolve({ kind: "registered", remoteId: "scim-1", accessData });
  const { orderId } = await fixture.ask(["mail"], { noticeKey: null });
  await fixture.calls();
  assert.ok(!(await fixture.told()).some(({ text }) => text.includes("xxx")));
  const [item] = (await fixture.status(orderId)).items;
  assert.match(item!.reason, /fits into no notice/);
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 0);
});

test("access data that the client has is not sent again, whatever the SMSC says of it, nor is what was wiped", async () => {
  const fixture = await shop.fixture("acked", [MAIL]);
  const { reference } = await fixture.ask(["mail"]);
  await fixture.calls();
  const [first] = await fixture.told("failed");
  assert.equal(first?.kind, "access_data");
  // Its resending waits for its time when the client's word comes after all.
  await fixture.reply("ack", { reference, itemId: first!.itemId, noticeId: first!.noticeId });
  await shop.pass(24 * HOUR_MS);
  assert.ok((await fixture.told("failed")).every(({ kind }) => kind !== "access_data"));

  const other = await shop.fixture("acked before", [MAIL]);
  const order = await other.ask(["mail"]);
  await other.calls();
  const [access] = await other.told("none");
  await other.reply("ack", { ...order, itemId: access!.itemId, noticeId: access!.noticeId });
  await other.receipt([access!], "failed");
  await shop.pass(24 * HOUR_MS);
  assert.ok((await other.told()).every(({ noticeId }) => !Buffer.from(noticeId).equals(access!.noticeId)));
});

test("access data of an order that was cancelled waits for nobody: it is wiped and not sent", async () => {
  const fixture = await shop.fixture("cancelled access", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  await shop.conductor.cancel(fixture.operatorId, orderId, "care");
  assert.ok((await fixture.told()).every(({ kind }) => kind !== "access_data"));
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 0);
  assert.match((await fixture.status(orderId)).items[0]!.reason, /is being taken back$/);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
    "nobody can use what it opened",
  );
});

test("what is asked for twice at once is done and billed once, and the second request says which one does it", async () => {
  const fixture = await shop.fixture("twice", [GAME, MAIL, RADIO]);
  const first = await fixture.ask(["game", "mail"]);
  const second = await fixture.ask(["game", "mail", "radio"]);
  const again = await fixture.ask(["game"]);
  await installedAll(fixture, first.orderId);
  await installedAll(fixture, second.orderId);
  await fixture.calls();
  await fixture.told();
  await fixture.calls();
  assert.equal(fixture.saw.registrations.length, 1);
  const booked = fixture.saw.billing.filter(({ kind }) => kind !== "account_change");
  assert.deepEqual(booked.map(({ kind, catalogId }) => `${kind} ${catalogId ?? ""}`).sort(), [
    "account ",
    "feature game",
    "feature radio",
    "service mail",
  ]);
  assert.equal((await fixture.status(first.orderId)).state, "completed");
  const items = (await fixture.status(second.orderId)).items;
  assert.deepEqual(items.map(({ catalogId, state }) => [catalogId, state]).sort(), [
    ["game", "failed"],
    ["mail", "failed"],
    ["radio", "works"],
  ]);
  const { state, reason } = await fixture.status(again.orderId);
  assert.deepEqual([state, reason], ["failed", `request ${first.reference} is at it already`]);
});

test("what is removed twice at once is removed and billed once", async () => {
  const fixture = await registered("twice removed");
  const first = await fixture.ask(["radio"], { action: "remove" });
  const second = await fixture.ask(["radio"], { action: "remove" });
  await fixture.calls();
  await installedAll(fixture, first.orderId);
  await fixture.calls();
  assert.deepEqual(billed(fixture), ["prepare", "commit", "account_change"]);
  assert.match((await fixture.status(second.orderId)).reason, /is at it already/);
});

test("two orders of one subscriber that end in one batch of receipts, with the same item, spoil it for nobody", async () => {
  const fixture = await shop.fixture("one batch", [MAIL]);
  const first = await fixture.ask(["mail"]);
  await fixture.calls();
  const told = [...(await fixture.told("none"))];
  // The SIM is in another device meanwhile: there the same is asked for anew.
  const second = await fixture.ask(["mail"], {
    who: { imsi: fixture.imsi, imei: pair("another device").imei },
  });
  await fixture.calls();
  told.push(...(await fixture.told("none")));
  await fixture.receipt(told, "delivered");
  for (const { orderId } of [first, second]) assert.equal((await fixture.status(orderId)).state, "completed");
});

test("terms that were declined before they were mailed are mailed to nobody", async () => {
  const fixture = await shop.fixture("declined before mail", [{ ...RADIO, terms: "general" }], {
    terms: ["general"],
  });
  const { orderId } = await fixture.ask(["radio"], { user: { email: "ada@example.org" } });
  assert.deepEqual(
    (await fixture.story(orderId)).calls.map(({ kind, state }) => `${kind} ${state}`),
    ["mail_notice due"],
  );
  await fixture.requests.answerTerms(fixture.scope, orderId, "decline", "screen");
  await fixture.calls();
  assert.deepEqual(fixture.saw.mails, []);
  const { calls } = await fixture.story(orderId);
  assert.deepEqual(
    calls.map(({ kind, state, dueAt }) => [kind, state, dueAt]),
    [["mail_notice", "given_up", null]],
  );
});
