/** A request that is cancelled: what nobody was asked yet is withheld, the rest is taken back, and which of both is said. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type RequestHouse, requestShop } from "../../../test/fixture/request-shop.ts";
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

const cancel = (house: RequestHouse, orderId: string) =>
  shop.conductor.cancel(house.operatorId, orderId, "care");
/** A caller takes the calls and is not heard of again. */
const claim = (kind: CallKind) =>
  shop.store.claimCalls({ kind, now: new Date(shop.time.now), limit: 100, leaseMs: LEASE_MS });
const itemOf = async (house: RequestHouse, orderId: string) => (await house.story(orderId)).items[0]!;
const lastText = async (house: RequestHouse) => (await house.told()).at(-1)?.text ?? "nothing";
const refuses = () => Promise.resolve({ kind: "refused", cause: "not_now", reason: "no" } as const);

/** The billing centre knows the account of its user. */
async function known(name: string, items: readonly (typeof MAIL)[]) {
  const house = await shop.house(name, [RADIO, ...items]);
  const { orderId } = await house.ask(["radio"]);
  const [radio] = (await house.status(orderId)).items;
  await house.installed(orderId, radio!.id);
  await house.errands();
  await house.told();
  house.saw.billing.length = 0;
  return house;
}

test("what nobody was asked for yet is withheld: no registration, no element, no change of the bill, and so it is told", async () => {
  const house = await shop.house("withheld", [MAIL]);
  const { orderId } = await house.ask(["mail"]);
  await cancel(house, orderId);
  await house.errands();
  assert.deepEqual([house.saw.registrations, house.saw.removals, house.saw.elements], [[], [], []]);
  const item = await itemOf(house, orderId);
  assert.deepEqual([item.state, item.cause], ["cancelled", "withheld"]);
  assert.ok((await house.events(orderId)).includes("withheld"));
  assert.match(await lastText(house), /was cancelled\. Not passed on to anybody: mail\./);
  assert.match((await house.status(orderId)).items[0]!.reason, /nobody was asked for it yet/);

  const change = await known("withheld change", [MAIL]);
  const asked = await change.ask(["mail"]);
  await cancel(change, asked.orderId);
  await change.errands();
  assert.deepEqual([change.saw.billing, change.saw.registrations], [[], []]);
  assert.equal((await itemOf(change, asked.orderId)).cause, "withheld");
});

test("what was registered is taken back, which is told when the service server and the elements have said so", async () => {
  const house = await shop.house("taken back", [MAIL]);
  const { orderId } = await house.ask(["mail"]);
  await house.errands();
  await cancel(house, orderId);
  assert.equal((await itemOf(house, orderId)).cause, "taking_back");
  const told = (await house.told()).map(({ text }) => text);
  assert.match(told.at(-1)!, /was cancelled\. Being taken back: mail; we tell you when it is\./);
  assert.ok(!told.some((text) => /taken back: mail\. Nothing/.test(text)), "nobody has said so yet");
  await house.errands();
  assert.deepEqual(
    house.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.deepEqual(
    house.saw.elements.map(({ action }) => action),
    ["add", "remove"],
  );
  assert.equal((await itemOf(house, orderId)).cause, "taken_back");
  assert.match(await lastText(house), /taken back: mail\. Nothing is charged/);
  assert.equal(await shop.count("registration", "order_id = $1 and state = 'removed'", [orderId]), 1);
  assert.deepEqual(house.saw.billing, []);
});

test("what a caller may have begun when it was cut off is taken back by our own id once nobody can be at it any more", async () => {
  const house = await shop.house("cut off", [MAIL]);
  const { orderId } = await house.ask(["mail"]);
  const calls = [...(await claim("service_registration")), ...(await claim("element_task"))];
  await cancel(house, orderId);
  await house.errands();
  assert.deepEqual([house.saw.removals, house.saw.elements], [[], []], "somebody may still be at it");
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
  assert.equal((await itemOf(house, orderId)).cause, "taking_back");
  shop.time.now += LEASE_MS + 1;
  await house.errands();
  assert.equal(house.saw.registrations.length, 0, "it is not begun anew");
  assert.deepEqual(
    house.saw.removals.map(({ remoteId }) => remoteId),
    [null],
  );
  assert.deepEqual(
    house.saw.elements.map(({ action }) => action),
    ["remove"],
  );
  assert.equal((await itemOf(house, orderId)).cause, "taken_back");
  assert.ok(!(await house.told()).some(({ kind }) => kind === "access_data"));
});

test("what could not be taken back is said to be so, and who has to see to it", async () => {
  for (const fails of ["remove", "element"] as const) {
    const house = await shop.house(`not taken back ${fails}`, [MAIL]);
    const { orderId } = await house.ask(["mail"]);
    await house.errands();
    house.answers[fails] = refuses;
    await cancel(house, orderId);
    await house.errands();
    const item = await itemOf(house, orderId);
    assert.equal(item.cause, "not_taken_back", fails);
    assert.match(item.reason, /a person has to see to it/);
    assert.match(await lastText(house), /could not be taken back yet/);
  }
});

test("what an item registered is taken back too where the item fails for another reason", async () => {
  const house = await shop.house("element fails", [MAIL]);
  house.answers.element = refuses;
  const { orderId } = await house.ask(["mail"]);
  await house.errands();
  await house.told();
  await house.errands();
  assert.equal((await house.status(orderId)).state, "failed");
  assert.equal(house.saw.registrations.length, house.saw.removals.length);
  assert.deepEqual(house.saw.billing, []);
});

test("a registration that a service server is ending is not called back: the order cannot be cancelled then", async () => {
  const house = await shop.house("ending", [{ ...MAIL, elements: [] }]);
  house.answers.billing = refuses; // no account: a removal is not prepared first
  const first = await house.ask(["mail"]);
  await house.errands();
  await house.told();
  await house.errands();
  const { orderId } = await house.ask(["mail"], { action: "remove" });
  await claim("service_registration");
  await assert.rejects(cancel(house, orderId), { code: "order_closed" });
  shop.time.now += LEASE_MS + 1;
  await house.errands();
  assert.equal((await house.status(orderId)).state, "completed");
  const { subscriberId } = await house.story(first.orderId);
  assert.deepEqual(await house.requests.provisioned({ ...house.scope, subscriberId }), []);

  const again = await house.ask(["mail"]);
  await house.errands();
  await house.told();
  const removal = await house.ask(["mail"], { action: "remove" });
  house.saw.removals.length = 0;
  await cancel(house, removal.orderId);
  await house.errands();
  assert.deepEqual(house.saw.removals, [], "a removal that nobody was asked for yet is withheld");
  assert.equal((await house.status(again.orderId)).state, "completed");
});

test("what was done before an order was cancelled stays, and the notice names it", async () => {
  const house = await shop.house("kept", [{ ...MAIL, elements: [] }, RADIO]);
  const { orderId } = await house.ask(["mail", "radio"]);
  const radio = (await house.status(orderId)).items.find(({ catalogId }) => catalogId === "radio")!;
  await house.installed(orderId, radio.id);
  await cancel(house, orderId);
  assert.match(
    await lastText(house),
    /Not passed on to anybody: mail\. Set up before that, and kept: radio\./,
  );
  await house.errands();
  assert.deepEqual(
    house.saw.billing.map(({ kind }) => kind),
    ["account", "feature"],
  );
  assert.deepEqual(house.saw.registrations, []);
});
