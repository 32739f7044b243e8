/** A request that is cancelled: what nobody was asked yet is withheld, the rest is taken back, and which of both is said. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import type { CallKind } from "../../kernel/order/outbound-call.ts";

const shop = await requestShop();
const LEASE_MS = 60_000;
const MAIL: Partial<CatalogItem> & { readonly id: string } = {
  id: "mail",
  kind: "service",
  service: { uri: "https://mail.example/scim", module: null, fields: [] },
  elements: ["e-mail"],
};
const RADIO = { id: "radio", content: { kind: "activation", module: "radio" } } as const;

const cancel = (fixture: RequestFixture, orderId: string) =>
  shop.conductor.cancel(fixture.operatorId, orderId, "care");
/** A caller takes the calls and is not heard of again. */
const claim = (kind: CallKind) =>
  shop.store.claimCalls({ kind, now: new Date(shop.time.now), limit: 100, leaseMs: LEASE_MS });
const itemOf = async (fixture: RequestFixture, orderId: string) => (await fixture.story(orderId)).items[0]!;
const lastText = async (fixture: RequestFixture) => (await fixture.told()).at(-1)?.text ?? "nothing";
const refuses = () => Promise.resolve({ kind: "refused", cause: "not_now", reason: "no" } as const);

/** The billing centre knows the account of its user. */
async function known(name: string, items: readonly (typeof MAIL)[]) {
  const fixture = await shop.fixture(name, [RADIO, ...items]);
  const { orderId } = await fixture.ask(["radio"]);
  const [radio] = (await fixture.status(orderId)).items;
  await fixture.installed(orderId, radio!.id);
  await fixture.calls();
  await fixture.told();
  fixture.saw.billing.length = 0;
  return fixture;
}

test("what nobody was asked for yet is withheld: no registration, no element, no change of the bill, and so it is told", async () => {
  const fixture = await shop.fixture("withheld", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  await cancel(fixture, orderId);
  await fixture.calls();
  assert.deepEqual([fixture.saw.registrations, fixture.saw.removals, fixture.saw.elements], [[], [], []]);
  const item = await itemOf(fixture, orderId);
  assert.deepEqual([item.state, item.cause], ["cancelled", "withheld"]);
  assert.ok((await fixture.events(orderId)).includes("withheld"));
  assert.match(await lastText(fixture), /was cancelled\. Not passed on to anybody: mail\./);
  assert.match((await fixture.status(orderId)).items[0]!.reason, /nobody was asked for it yet/);

  const change = await known("withheld change", [MAIL]);
  const asked = await change.ask(["mail"]);
  await cancel(change, asked.orderId);
  await change.calls();
  assert.deepEqual([change.saw.billing, change.saw.registrations], [[], []]);
  assert.equal((await itemOf(change, asked.orderId)).cause, "withheld");
});

test("what was registered is taken back, which is told when the service server and the elements have said so", async () => {
  const fixture = await shop.fixture("taken back", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  await cancel(fixture, orderId);
  assert.equal((await itemOf(fixture, orderId)).cause, "taking_back");
  const told = (await fixture.told()).map(({ text }) => text);
  assert.match(told.at(-1)!, /was cancelled\. Being taken back: mail; we tell you when it is\./);
  assert.ok(!told.some((text) => /taken back: mail\. Nothing/.test(text)), "nobody has said so yet");
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.deepEqual(
    fixture.saw.elements.map(({ action }) => action),
    ["add", "remove"],
  );
  assert.equal((await itemOf(fixture, orderId)).cause, "taken_back");
  assert.match(await lastText(fixture), /taken back: mail\. Nothing is charged/);
  assert.equal(await shop.count("registration", "order_id = $1 and state = 'removed'", [orderId]), 1);
  assert.deepEqual(fixture.saw.billing, []);
});

test("what a caller may have begun when it was cut off is taken back by our own id once nobody can be at it any more", async () => {
  const fixture = await shop.fixture("cut off", [MAIL]);
  const { orderId } = await fixture.ask(["mail"]);
  const calls = [...(await claim("service_registration")), ...(await claim("element_task"))];
  await cancel(fixture, orderId);
  await fixture.calls();
  assert.deepEqual([fixture.saw.removals, fixture.saw.elements], [[], []], "somebody may still be at it");
  // The first caller is heard of after all.
  await shop.conductor.bookAnswers([
    {
      call: calls.find(({ kind }) => kind === "service_registration")!,
      answer: { kind: "registered", remoteId: "scim-late", accessData: { password: "open-Sesame-77" } },
    },
    {
      call: calls.find(({ kind }) => kind === "element_task")!,
      answer: { kind: "done", reference: null },
    },
  ]);
  assert.equal((await itemOf(fixture, orderId)).cause, "taking_back");
  shop.time.now += LEASE_MS + 1;
  await fixture.calls();
  assert.equal(fixture.saw.registrations.length, 0, "it is not begun anew");
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    [null],
  );
  assert.deepEqual(
    fixture.saw.elements.map(({ action }) => action),
    ["remove"],
  );
  assert.equal((await itemOf(fixture, orderId)).cause, "taken_back");
  assert.ok(!(await fixture.told()).some(({ kind }) => kind === "access_data"));
});

test("what could not be taken back is said to be so, and who has to see to it", async () => {
  for (const fails of ["remove", "element"] as const) {
    const fixture = await shop.fixture(`not taken back ${fails}`, [MAIL]);
    const { orderId } = await fixture.ask(["mail"]);
    await fixture.calls();
    fixture.answers[fails] = refuses;
    await cancel(fixture, orderId);
    await fixture.calls();
    const item = await itemOf(fixture, orderId);
    assert.equal(item.cause, "not_taken_back", fails);
    assert.match(item.reason, /a person has to see to it/);
    assert.match(await lastText(fixture), /could not be taken back yet/);
  }
});

test("what an item registered is taken back too where the item fails for another reason", async () => {
  const fixture = await shop.fixture("element fails", [MAIL]);
  fixture.answers.element = refuses;
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  await fixture.told();
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.equal(fixture.saw.registrations.length, fixture.saw.removals.length);
  assert.deepEqual(fixture.saw.billing, []);
});

test("a registration that a service server is ending is not called back: the order cannot be cancelled then", async () => {
  const fixture = await shop.fixture("ending", [{ ...MAIL, elements: [] }]);
  fixture.answers.billing = refuses; // no account: a removal is not prepared first
  const first = await fixture.ask(["mail"]);
  await fixture.calls();
  await fixture.told();
  await fixture.calls();
  const { orderId } = await fixture.ask(["mail"], { action: "remove" });
  await claim("service_registration");
  await assert.rejects(cancel(fixture, orderId), { code: "order_closed" });
  shop.time.now += LEASE_MS + 1;
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  const { subscriberId } = await fixture.story(first.orderId);
  assert.deepEqual(await fixture.requests.provisioned({ ...fixture.scope, subscriberId }), []);

  const again = await fixture.ask(["mail"]);
  await fixture.calls();
  await fixture.told();
  const removal = await fixture.ask(["mail"], { action: "remove" });
  fixture.saw.removals.length = 0;
  await cancel(fixture, removal.orderId);
  await fixture.calls();
  assert.deepEqual(fixture.saw.removals, [], "a removal that nobody was asked for yet is withheld");
  assert.equal((await fixture.status(again.orderId)).state, "completed");
});

test("what was done before an order was cancelled stays, and the notice names it", async () => {
  const fixture = await shop.fixture("kept", [{ ...MAIL, elements: [] }, RADIO]);
  const { orderId } = await fixture.ask(["mail", "radio"]);
  const radio = (await fixture.status(orderId)).items.find(({ catalogId }) => catalogId === "radio")!;
  await fixture.installed(orderId, radio.id);
  await cancel(fixture, orderId);
  assert.match(
    await lastText(fixture),
    /Not passed on to anybody: mail\. Set up before that, and kept: radio\./,
  );
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.billing.map(({ kind }) => kind),
    ["account", "feature"],
  );
  assert.deepEqual(fixture.saw.registrations, []);
});
