/** Services of a request on PostgreSQL: registration, missing fields, access data, removal (US 6,647,260, figure 7C). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { requestShop, USER } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
const SECRET = "open-Sesame-77";
/** Long enough that no id, hash or fraction of a second holds it by chance. */
const PIN = "181518151815";
const field = (name: string, label: string) =>
  ({ name, label: { en: label }, kind: "text", required: true }) as const;
const MAIL: Partial<CatalogItem> & { readonly id: string } = {
  id: "mail",
  kind: "service",
  service: {
    uri: "https://mail.example/scim",
    module: null,
    fields: [field("mailbox", "Mailbox name"), field("pin", "PIN")],
  },
};
const RETRY_MS = 10_000;

/** Everything of one order that stands in clear somewhere: rows, events, calls, and the story that staff reads. */
async function inClear(orderId: string, story: unknown): Promise<string> {
  const dump = async (table: string, where = "order_id = $1") =>
    shop.database.rows(
      `select to_jsonb(t) - 'sealed' - 'data_sealed' - 'access_sealed' as row from ${table} t where ${where}`,
      [orderId],
    );
  const rows = await Promise.all([
    dump("provisioning_order", "id = $1"),
    dump("order_item"),
    dump("order_event"),
    dump("outbound_call"),
    dump("message"),
    dump("request"),
    dump("registration"),
    dump("payload", "id in (select payload_id from message where order_id = $1)"),
  ]);
  const bytes = (_: string, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
  return JSON.stringify([rows, story], bytes);
}

test("a user is registered, his access data reaches the device by SMS, and then nobody else has it", async () => {
  const fixture = await shop.fixture("service", [MAIL]);
  const { orderId, reference } = await fixture.ask(["mail"], {
    fields: { mail: { mailbox: "ada", pin: PIN } },
  });
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.registrations.map(({ user, fields, msisdn }) => ({ user, fields, msisdn })),
    [{ user: USER, fields: { mailbox: "ada", pin: PIN }, msisdn: fixture.msisdn }],
  );
  assert.equal((await fixture.status(orderId)).items[0]?.state, "registered");
  const [access] = await fixture.told("none");
  assert.equal(access?.kind, "access_data");
  assert.equal(access?.fields.password, SECRET);
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 1);
  assert.doesNotMatch(await inClear(orderId, await fixture.story(orderId)), new RegExp(`${SECRET}|${PIN}`));
  await fixture.reply("ack", { reference, itemId: access!.itemId, noticeId: access!.noticeId });
  assert.equal((await fixture.status(orderId)).items[0]?.state, "access_data_sent");
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 0);
  assert.equal((await fixture.status(orderId)).state, "completed");
  shop.time.now += RETRY_MS;
  await fixture.calls();
  shop.time.now += RETRY_MS;
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind }) => kind),
    ["account", "service"],
  );
  const [{ sealed } = { sealed: Buffer.alloc(0) }] = await shop.database.rows<{ sealed: Buffer }>(
    "select p.sealed from payload p join message m on m.payload_id = p.id where m.id = $1",
    [access!.messageId],
  );
  assert.equal(shop.sealer.openBytes("payload", sealed).length, 0, "its octets are wiped");
});

test("receipts for the access data count like the client's own word; a device without our client gets a text", async () => {
  const fixture = await shop.fixture("plain text", [MAIL]);
  const { orderId } = await fixture.ask(["mail"], { noticeKey: null });
  await fixture.calls();
  const [access] = await fixture.told();
  assert.equal(access?.kind, "text");
  assert.match(access!.text, new RegExp(SECRET));
  assert.equal((await fixture.status(orderId)).items[0]?.state, "access_data_sent");
  const story = await fixture.story(orderId);
  assert.ok(
    story.messages.every(({ payload }) => payload.length === 0),
    "staff sees no octets of a notice",
  );
});

test("access data that does not reach the device leaves the order partly completed, never completed", async () => {
  const fixture = await shop.fixture("lost access", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  for (let attempt = 1; attempt <= 4; attempt++) {
    await fixture.told("failed");
    await shop.pass(6 * HOUR_MS);
  }
  await shop.pass(72 * HOUR_MS);
  const { state, items } = await fixture.status(orderId);
  assert.deepEqual([state, items[0]?.state], ["partly_completed", "registered"]);
  assert.equal(fixture.saw.billing.length, 0);
});

test("the service server asks for just the fields that it misses, and only those are taken", async () => {
  const fixture = await shop.fixture("missing fields", [MAIL]);
  const { orderId } = await fixture.ask(["mail"], { fields: { mail: { mailbox: "ada" } } });
  fixture.answers.register = () =>
    Promise.resolve({
      kind: "needs_information",
      remoteId: "half-1",
      fields: [
        { name: "pin", problem: "missing" },
        { name: "email", problem: "corrupt" },
      ],
    });
  await fixture.calls();
  const [item] = (await fixture.status(orderId)).items;
  assert.equal(item?.state, "needs_information");
  assert.deepEqual(
    item?.missing.map(({ name, label }) => [name, label]),
    [
      ["pin", "PIN"],
      ["email", "E-mail"],
    ],
  );
  const [notice] = await fixture.told();
  assert.deepEqual(
    [notice?.kind, notice?.fields],
    ["needs_information", { pin: "missing", email: "corrupt" }],
  );
  const supply = (fields: Record<string, string>) =>
    fixture.requests.supplyFields(fixture.scope, orderId, item!.id, fields);
  await assert.rejects(supply({ mailbox: "eve" }), { code: "field_unknown" });
  await assert.rejects(supply({ pin: "" }), { code: "field_unknown" });
  fixture.answers.register = () =>
    Promise.resolve({ kind: "registered", remoteId: "half-1", accessData: {} });
  await supply({ pin: "1815", email: "ada@example.net" });
  await fixture.calls();
  const [first, second] = fixture.saw.registrations;
  assert.equal(second?.id, first?.id, "it is the same registration");
  assert.equal(second?.remoteId, "half-1");
  assert.deepEqual(second?.fields, { mailbox: "ada", pin: "1815" });
  assert.equal(second?.user.email, "ada@example.net");
  assert.equal(
    (await fixture.status(orderId)).state,
    "completed",
    "a service without access data needs no notice for it",
  );
  await assert.rejects(supply({ pin: "1" }), { code: "nothing_to_answer" });
});

test("fields that nobody gives end the registration as failed at the deadline", async () => {
  const fixture = await shop.fixture("no fields", [MAIL], { policy: { choiceDeadlineHours: 2 } });
  fixture.answers.register = () =>
    Promise.resolve({
      kind: "needs_information",
      remoteId: null,
      fields: [{ name: "pin", problem: "missing" }],
    });
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  await shop.pass(2 * HOUR_MS);
  const story = await fixture.story(orderId);
  assert.deepEqual([story.state, story.items[0]?.cause], ["failed", "no_information"]);
});

test("a service server that refuses, or says nothing until the deadline, fails the item and the user is told", async () => {
  for (const kind of ["refused", "failed"] as const) {
    const fixture = await shop.fixture(`service ${kind}`, [MAIL], { policy: { serviceDeadlineHours: 1 } });
    fixture.answers.register = () =>
      Promise.resolve({ kind, cause: "not_you", reason: `${USER.email} is known here` });
    const { orderId } = await fixture.ask(["mail"]);
    await fixture.calls();
    await shop.pass(HOUR_MS);
    await fixture.calls();
    const story = await fixture.story(orderId);
    assert.deepEqual([story.state, story.items[0]?.cause], ["failed", "service_not_you"]);
    assert.doesNotMatch(
      JSON.stringify([story.events, story.calls]),
      /ada@/,
      "what it says of somebody is not written down",
    );
    assert.ok((await fixture.told()).some(({ text }) => /failed/.test(text)));
    assert.equal(fixture.saw.billing.length, 0);
  }
});

test("a call that was made and not booked is made again with the same registration", async () => {
  const fixture = await shop.fixture("crash", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  await shop.store.claimCalls({
    kind: "service_registration",
    now: new Date(shop.time.now),
    limit: 100,
    leaseMs: 60_000,
  });
  await fixture.calls();
  assert.equal(fixture.saw.registrations.length, 0, "the server that holds the lease is asking");
  shop.time.now += 60_001;
  await fixture.calls();
  assert.equal(fixture.saw.registrations.length, 1);
  assert.equal((await fixture.status(orderId)).items[0]?.state, "registered");
});

test("a service whose module must be on the device brings it along, each with its own outcome", async () => {
  const module = { kind: "activation", module: "mail-client" } as const;
  const fixture = await shop.fixture("with module", [{ ...MAIL, service: { ...MAIL.service!, module } }]);
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  const items = (await fixture.status(orderId)).items;
  assert.deepEqual(
    items.map(({ kind, state }) => [kind, state]),
    [
      ["service", "registered"],
      ["feature", "sending"],
    ],
  );
  await fixture.told();
  assert.equal((await fixture.status(orderId)).state, "provisioning");
  await fixture.installed(orderId, items[1]!.id);
  assert.equal((await fixture.status(orderId)).state, "completed");
  await fixture.calls();
  shop.time.now += RETRY_MS;
  await fixture.calls();
  assert.equal(fixture.saw.billing.filter(({ kind }) => kind === "service" || kind === "feature").length, 1);
});

/** What is had, with an account that the billing centre knows. */
async function having(name: string, items: Parameters<typeof shop.fixture>[1]) {
  const fixture = await shop.fixture(name, items);
  const { orderId } = await fixture.ask([items[0]!.id]);
  await fixture.calls();
  await fixture.told();
  for (const { id, kind } of (await fixture.status(orderId)).items)
    if (kind === "feature") await fixture.installed(orderId, id);
  for (let again = 0; again < 3; again++) {
    await fixture.calls();
    shop.time.now += RETRY_MS;
  }
  assert.equal((await fixture.status(orderId)).state, "completed");
  fixture.saw.billing.length = 0;
  fixture.saw.elements.length = 0;
  return fixture;
}

test("removing a service prepares the bill, ends the registration there, and commits the bill", async () => {
  const fixture = await having("remove service", [{ ...MAIL, elements: ["e-mail"] }]);
  const { orderId } = await fixture.ask(["mail"], { action: "remove" });
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.equal((await fixture.status(orderId)).state, "completed");
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind, action }) => [kind, action]),
    [
      ["prepare", "remove"],
      ["commit", "remove"],
      ["account_change", "add"],
    ],
  );
  assert.equal(fixture.saw.billing[1]?.prepared, fixture.saw.billing[0]?.id);
  assert.deepEqual(
    fixture.saw.elements.map(({ action }) => action),
    ["remove"],
  );
  const { subscriberId } = await fixture.story(orderId);
  assert.deepEqual(await fixture.requests.provisioned({ ...fixture.scope, subscriberId }), []);
  assert.equal(
    await shop.count("registration", "subscriber_id = $1 and state = 'removed'", [subscriberId]),
    1,
  );
});

const GAME = { id: "game", content: { kind: "activation", module: "game" } } as const;

test("a later change is prepared before anything is applied, and aborted where the device fails it", async () => {
  const fixture = await having("change aborted", [MAIL, GAME]);
  const { orderId } = await fixture.ask(["game"]);
  const [item] = (await fixture.status(orderId)).items;
  assert.equal(item?.state, "pending");
  assert.equal(
    await fixture.requests.content(fixture.scope, { orderId, itemId: item!.id }),
    undefined,
    "not before the bill is ready",
  );
  await fixture.calls();
  assert.ok(await fixture.requests.content(fixture.scope, { orderId, itemId: item!.id }));
  await fixture.requests.deviceReports(
    fixture.scope,
    { orderId, itemId: item!.id },
    { kind: "failed", cause: "memory_full" },
    "wideband",
  );
  await fixture.requests.chooseRetransmission(
    fixture.scope,
    { orderId, itemId: item!.id },
    "give_up",
    "screen",
  );
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind }) => kind),
    ["prepare", "abort"],
  );
});

test("a bill that cannot change leaves the device as it is", async () => {
  const fixture = await having("change refused", [MAIL, GAME]);
  fixture.answers.billing = () => Promise.resolve({ kind: "refused", cause: "credit_limit", reason: "no" });
  const { orderId } = await fixture.ask(["game"]);
  await fixture.calls();
  const { state, items } = await fixture.status(orderId);
  assert.equal(state, "failed");
  assert.match(items[0]!.reason, /credit_limit/);
  assert.ok(!(await fixture.told()).some(({ kind }) => kind === "content_ready"));
});

test("a confirmation that comes again bills nothing twice", async () => {
  const fixture = await having("again", [MAIL, GAME]);
  const { orderId } = await fixture.ask(["game"]);
  await fixture.calls();
  const [item] = (await fixture.status(orderId)).items;
  for (let again = 0; again < 3; again++) await fixture.installed(orderId, item!.id);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind }) => kind),
    ["prepare", "commit", "account_change"],
  );
});

test("a registration that comes when the order has ended is taken back", async () => {
  const fixture = await shop.fixture("too late", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  // Its deadline comes first, and the service server's answer only then.
  const calls = await shop.store.claimCalls({
    kind: "service_registration",
    now: new Date(shop.time.now),
    limit: 100,
    leaseMs: 60_000,
  });
  await shop.pass(26 * HOUR_MS);
  assert.equal((await fixture.status(orderId)).state, "failed");
  await shop.conductor.bookAnswers([
    {
      call: calls.find((call) => call.orderId === orderId)!,
      answer: { kind: "registered", remoteId: "scim-1", accessData: { password: SECRET } },
    },
  ]);
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.ok(!(await fixture.told()).some(({ kind }) => kind === "access_data"));
});

test("a registration whose answers were all lost is ended too: the service server may hold it, and our id finds it", async () => {
  const fixture = await shop.fixture("answers lost", [MAIL]);
  const lost = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" } as const);
  fixture.answers.register = lost;
  const { orderId } = await fixture.ask(["mail"]);
  for (let hour = 0; hour < 30 && (await fixture.status(orderId)).state !== "failed"; hour++) {
    await fixture.calls();
    await shop.pass(HOUR_MS);
  }
  assert.equal((await fixture.status(orderId)).state, "failed");
  await fixture.calls();
  const [registration] = fixture.saw.registrations;
  assert.deepEqual(fixture.saw.removals, [{ id: registration!.id, remoteId: null }]);
  assert.equal(await shop.count("registration", "order_id = $1 and state = 'removed'", [orderId]), 1);

  const none = await shop.fixture("nobody there", [MAIL], { without: { serviceAt: () => undefined } });
  const nobody = await none.ask(["mail"]);
  await none.calls();
  await shop.pass(30 * HOUR_MS);
  await none.calls();
  assert.equal((await none.status(nobody.orderId)).state, "failed");
  assert.equal(await shop.count("outbound_call", "order_id = $1", [nobody.orderId]), 1, "nobody was asked");
});
