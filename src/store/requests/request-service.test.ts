/** Services of a request on PostgreSQL: registration, missing fields, access data, removal (US 6,647,260, figure 7C). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { requestShop, USER } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
const SECRET = "open-Sesame-77";
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
  const house = await shop.house("service", [MAIL]);
  const { orderId, reference } = await house.ask(["mail"], {
    fields: { mail: { mailbox: "ada", pin: "1815" } },
  });
  await house.errands();
  assert.deepEqual(
    house.saw.registrations.map(({ user, fields, msisdn }) => ({ user, fields, msisdn })),
    [{ user: USER, fields: { mailbox: "ada", pin: "1815" }, msisdn: house.msisdn }],
  );
  assert.equal((await house.status(orderId)).items[0]?.state, "registered");
  const [access] = await house.told("none");
  assert.equal(access?.kind, "access_data");
  assert.equal(access?.fields.password, SECRET);
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 1);
  assert.doesNotMatch(await inClear(orderId, await house.story(orderId)), new RegExp(`${SECRET}|1815`));
  await house.reply("ack", { reference, itemId: access!.itemId, noticeId: access!.noticeId });
  assert.equal((await house.status(orderId)).items[0]?.state, "access_data_sent");
  assert.equal(await shop.count("registration", "order_id = $1 and access_sealed is not null", [orderId]), 0);
  assert.equal((await house.status(orderId)).state, "completed");
  shop.time.now += RETRY_MS;
  await house.errands();
  shop.time.now += RETRY_MS;
  await house.errands();
  assert.deepEqual(
    house.saw.billing.map(({ kind }) => kind),
    ["account", "service"],
  );
  const [{ sealed } = { sealed: Buffer.alloc(0) }] = await shop.database.rows<{ sealed: Buffer }>(
    "select p.sealed from payload p join message m on m.payload_id = p.id where m.id = $1",
    [access!.messageId],
  );
  assert.equal(shop.sealer.openBytes("payload", sealed).length, 0, "its octets are wiped");
});

test("receipts for the access data count like the client's own word; a device without our client gets a text", async () => {
  const house = await shop.house("plain text", [MAIL]);
  const { orderId } = await house.ask(["mail"], { noticeKey: null });
  await house.errands();
  const [access] = await house.told();
  assert.equal(access?.kind, "text");
  assert.match(access!.text, new RegExp(SECRET));
  assert.equal((await house.status(orderId)).items[0]?.state, "access_data_sent");
  const story = await house.story(orderId);
  assert.ok(
    story.messages.every(({ payload }) => payload.length === 0),
    "staff sees no octets of a notice",
  );
});

test("access data that does not reach the device leaves the order partly completed, never completed", async () => {
  const house = await shop.house("lost access", [MAIL]);
  const { orderId } = await house.ask(["mail"]);
  await house.errands();
  for (let attempt = 1; attempt <= 4; attempt++) {
    await house.told("failed");
    await shop.pass(6 * HOUR_MS);
  }
  await shop.pass(72 * HOUR_MS);
  const { state, items } = await house.status(orderId);
  assert.deepEqual([state, items[0]?.state], ["partly_completed", "registered"]);
  assert.equal(house.saw.billing.length, 0);
});

test("the service server asks for just the fields that it misses, and only those are taken", async () => {
  const house = await shop.house("missing fields", [MAIL]);
  const { orderId } = await house.ask(["mail"], { fields: { mail: { mailbox: "ada" } } });
  house.answers.register = () =>
    Promise.resolve({
      kind: "needs_information",
      remoteId: "half-1",
      fields: [
        { name: "pin", problem: "missing" },
        { name: "email", problem: "corrupt" },
      ],
    });
  await house.errands();
  const [item] = (await house.status(orderId)).items;
  assert.equal(item?.state, "needs_information");
  assert.deepEqual(
    item?.missing.map(({ name, label }) => [name, label]),
    [
      ["pin", "PIN"],
      ["email", "email"],
    ],
  );
  const [notice] = await house.told();
  assert.deepEqual(
    [notice?.kind, notice?.fields],
    ["needs_information", { pin: "missing", email: "corrupt" }],
  );
  const supply = (fields: Record<string, string>) =>
    house.requests.supplyFields(house.scope, orderId, item!.id, fields);
  await assert.rejects(supply({ mailbox: "eve" }), { code: "field_unknown" });
  await assert.rejects(supply({ pin: "" }), { code: "field_unknown" });
  house.answers.register = () => Promise.resolve({ kind: "registered", remoteId: "half-1", accessData: {} });
  await supply({ pin: "1815", email: "ada@example.net" });
  await house.errands();
  const [first, second] = house.saw.registrations;
  assert.equal(second?.id, first?.id, "it is the same registration");
  assert.equal(second?.remoteId, "half-1");
  assert.deepEqual(second?.fields, { mailbox: "ada", pin: "1815" });
  assert.equal(second?.user.email, "ada@example.net");
  assert.equal(
    (await house.status(orderId)).state,
    "completed",
    "a service without access data needs no notice for it",
  );
  await assert.rejects(supply({ pin: "1" }), { code: "nothing_to_answer" });
});

test("fields that nobody gives end the registration as failed at the deadline", async () => {
  const house = await shop.house("no fields", [MAIL], { policy: { choiceDeadlineHours: 2 } });
  house.answers.register = () =>
    Promise.resolve({
      kind: "needs_information",
      remoteId: null,
      fields: [{ name: "pin", problem: "missing" }],
    });
  const { orderId } = await house.ask(["mail"]);
  await house.errands();
  await shop.pass(2 * HOUR_MS);
  const story = await house.story(orderId);
  assert.deepEqual([story.state, story.items[0]?.cause], ["failed", "no_information"]);
});

test("a service server that refuses, or says nothing until the deadline, fails the item and the user is told", async () => {
  for (const kind of ["refused", "failed"] as const) {
    const house = await shop.house(`service ${kind}`, [MAIL], { policy: { serviceDeadlineHours: 1 } });
    house.answers.register = () =>
      Promise.resolve({ kind, cause: "not_you", reason: `${USER.email} is known here` });
    const { orderId } = await house.ask(["mail"]);
    await house.errands();
    await shop.pass(HOUR_MS);
    await house.errands();
    const story = await house.story(orderId);
    assert.deepEqual([story.state, story.items[0]?.cause], ["failed", "service_not_you"]);
    assert.doesNotMatch(
      JSON.stringify([story.events, story.calls]),
      /ada@/,
      "what it says of somebody is not written down",
    );
    assert.ok((await house.told()).some(({ text }) => /failed/.test(text)));
    assert.equal(house.saw.billing.length, 0);
  }
});

test("a call that was made and not booked is made again with the same registration", async () => {
  const house = await shop.house("crash", [MAIL]);
  const { orderId } = await house.ask(["mail"]);
  await shop.store.claimCalls({
    kind: "service_registration",
    now: new Date(shop.time.now),
    limit: 100,
    leaseMs: 60_000,
  });
  await house.errands();
  assert.equal(house.saw.registrations.length, 0, "the server that holds the lease is asking");
  shop.time.now += 60_001;
  await house.errands();
  assert.equal(house.saw.registrations.length, 1);
  assert.equal((await house.status(orderId)).items[0]?.state, "registered");
});

test("a service whose module must be on the device brings it along, each with its own outcome", async () => {
  const module = { kind: "activation", module: "mail-client" } as const;
  const house = await shop.house("with module", [{ ...MAIL, service: { ...MAIL.service!, module } }]);
  const { orderId } = await house.ask(["mail"]);
  await house.errands();
  const items = (await house.status(orderId)).items;
  assert.deepEqual(
    items.map(({ kind, state }) => [kind, state]),
    [
      ["service", "registered"],
      ["feature", "sending"],
    ],
  );
  await house.told();
  assert.equal((await house.status(orderId)).state, "provisioning");
  await house.installed(orderId, items[1]!.id);
  assert.equal((await house.status(orderId)).state, "completed");
  await house.errands();
  shop.time.now += RETRY_MS;
  await house.errands();
  assert.equal(house.saw.billing.filter(({ kind }) => kind === "service" || kind === "feature").length, 1);
});

/** What is had, with an account that the billing centre knows. */
async function having(name: string, items: Parameters<typeof shop.house>[1]) {
  const house = await shop.house(name, items);
  const { orderId } = await house.ask([items[0]!.id]);
  await house.errands();
  await house.told();
  for (const { id, kind } of (await house.status(orderId)).items)
    if (kind === "feature") await house.installed(orderId, id);
  for (let again = 0; again < 3; again++) {
    await house.errands();
    shop.time.now += RETRY_MS;
  }
  assert.equal((await house.status(orderId)).state, "completed");
  house.saw.billing.length = 0;
  house.saw.elements.length = 0;
  return house;
}

test("removing a service prepares the bill, ends the registration there, and commits the bill", async () => {
  const house = await having("remove service", [{ ...MAIL, elements: ["e-mail"] }]);
  const { orderId } = await house.ask(["mail"], { action: "remove" });
  await house.errands();
  assert.deepEqual(
    house.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.equal((await house.status(orderId)).state, "completed");
  await house.errands();
  assert.deepEqual(
    house.saw.billing.map(({ kind, action }) => [kind, action]),
    [
      ["prepare", "remove"],
      ["commit", "remove"],
      ["account_change", "add"],
    ],
  );
  assert.equal(house.saw.billing[1]?.prepared, house.saw.billing[0]?.id);
  assert.deepEqual(
    house.saw.elements.map(({ action }) => action),
    ["remove"],
  );
  const { subscriberId } = await house.story(orderId);
  assert.deepEqual(await house.requests.provisioned({ ...house.scope, subscriberId }), []);
  assert.equal(
    await shop.count("registration", "subscriber_id = $1 and state = 'removed'", [subscriberId]),
    1,
  );
});

const GAME = { id: "game", content: { kind: "activation", module: "game" } } as const;

test("a later change is prepared before anything is applied, and aborted where the device fails it", async () => {
  const house = await having("change aborted", [MAIL, GAME]);
  const { orderId } = await house.ask(["game"]);
  const [item] = (await house.status(orderId)).items;
  assert.equal(item?.state, "pending");
  assert.equal(
    await house.requests.content(house.scope, orderId, item!.id),
    undefined,
    "not before the bill is ready",
  );
  await house.errands();
  assert.ok(await house.requests.content(house.scope, orderId, item!.id));
  await house.requests.deviceReports(
    house.scope,
    orderId,
    item!.id,
    { kind: "failed", cause: "memory_full" },
    "wideband",
  );
  await house.requests.chooseRetransmission(house.scope, orderId, item!.id, "give_up", "screen");
  await house.errands();
  assert.deepEqual(
    house.saw.billing.map(({ kind }) => kind),
    ["prepare", "abort"],
  );
});

test("a bill that cannot change leaves the device as it is", async () => {
  const house = await having("change refused", [MAIL, GAME]);
  house.answers.billing = () => Promise.resolve({ kind: "refused", cause: "credit_limit", reason: "no" });
  const { orderId } = await house.ask(["game"]);
  await house.errands();
  const { state, items } = await house.status(orderId);
  assert.equal(state, "failed");
  assert.match(items[0]!.reason, /credit_limit/);
  assert.ok(!(await house.told()).some(({ kind }) => kind === "content_ready"));
});

test("a confirmation that comes again bills nothing twice", async () => {
  const house = await having("again", [MAIL, GAME]);
  const { orderId } = await house.ask(["game"]);
  await house.errands();
  const [item] = (await house.status(orderId)).items;
  for (let again = 0; again < 3; again++) await house.installed(orderId, item!.id);
  await house.errands();
  assert.deepEqual(
    house.saw.billing.map(({ kind }) => kind),
    ["prepare", "commit", "account_change"],
  );
});

test("a registration that comes when the order has ended is taken back", async () => {
  const house = await shop.house("too late", [MAIL]);
  const { orderId } = await house.ask(["mail"]);
  // Its deadline comes first, and the service server's answer only then.
  const calls = await shop.store.claimCalls({
    kind: "service_registration",
    now: new Date(shop.time.now),
    limit: 100,
    leaseMs: 60_000,
  });
  await shop.pass(26 * HOUR_MS);
  assert.equal((await house.status(orderId)).state, "failed");
  await shop.conductor.bookAnswers([
    {
      call: calls.find((call) => call.orderId === orderId)!,
      answer: { kind: "registered", remoteId: "scim-1", accessData: { password: SECRET } },
    },
  ]);
  await house.errands();
  assert.deepEqual(
    house.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.ok(!(await house.told()).some(({ kind }) => kind === "access_data"));
});

test("a registration whose answers were all lost is ended too: the service server may hold it, and our id finds it", async () => {
  const house = await shop.house("answers lost", [MAIL]);
  const lost = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" } as const);
  house.answers.register = lost;
  const { orderId } = await house.ask(["mail"]);
  for (let hour = 0; hour < 30 && (await house.status(orderId)).state !== "failed"; hour++) {
    await house.errands();
    await shop.pass(HOUR_MS);
  }
  assert.equal((await house.status(orderId)).state, "failed");
  await house.errands();
  const [registration] = house.saw.registrations;
  assert.deepEqual(house.saw.removals, [{ id: registration!.id, remoteId: null }]);
  assert.equal(await shop.count("registration", "order_id = $1 and state = 'removed'", [orderId]), 1);

  const none = await shop.house("nobody there", [MAIL], { without: { serviceAt: () => undefined } });
  const nobody = await none.ask(["mail"]);
  await none.errands();
  await shop.pass(30 * HOUR_MS);
  await none.errands();
  assert.equal((await none.status(nobody.orderId)).state, "failed");
  assert.equal(await shop.count("outbound_call", "order_id = $1", [nobody.orderId]), 1, "nobody was asked");
});
