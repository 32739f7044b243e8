/** What a removal ends at other companies' machines, and that only their own word makes it removed. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
const MAIL: Partial<CatalogItem> & { readonly id: string } = {
  id: "mail",
  kind: "service",
  service: { uri: "https://mail.example/scim", module: null, fields: [] },
};

/** The service is had; no billing centre knows an account of its user. */
async function having(name: string, item: typeof MAIL = MAIL): Promise<RequestFixture> {
  const fixture = await shop.fixture(name, [item]);
  fixture.answers.billing = () =>
    Promise.resolve({ kind: "refused", cause: "no_such_account", reason: "no" });
  const { orderId } = await fixture.ask(["mail"]);
  await fixture.calls();
  await fixture.told();
  for (const { id, kind } of (await fixture.status(orderId)).items)
    if (kind === "feature") await fixture.installed(orderId, id);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  fixture.saw.elements.length = 0;
  return fixture;
}

const hadBy = async (fixture: RequestFixture, orderId: string) => {
  const { subscriberId } = await fixture.story(orderId);
  return (await fixture.requests.provisioned({ ...fixture.scope, subscriberId })).map(({ itemId }) => itemId);
};
const refuses = () => Promise.resolve({ kind: "refused", cause: "not_now", reason: "no" } as const);

test("a removal reaches the service server where no billing centre knows the account, and is said when it answered", async () => {
  const fixture = await having("no account");
  const { orderId } = await fixture.ask(["mail"], { action: "remove" });
  assert.equal((await fixture.status(orderId)).items[0]?.state, "registering");
  assert.ok(!(await fixture.told()).some(({ text }) => /removed/.test(text)), "nobody has ended it yet");
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.match((await fixture.told()).at(-1)!.text, /removed: mail/);
  assert.deepEqual(await hadBy(fixture, orderId), []);
});

test("a removal that the service server refuses is not said to be done, and the subscriber still has it", async () => {
  const fixture = await having("removal refused", { ...MAIL, elements: ["e-mail"] });
  fixture.answers.remove = refuses;
  const { orderId } = await fixture.ask(["mail"], { action: "remove" });
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.ok(!(await fixture.told()).some(({ text }) => /removed/.test(text)));
  assert.deepEqual(await hadBy(fixture, orderId), ["mail"]);
  assert.deepEqual(
    fixture.saw.elements.map(({ action }) => action),
    ["remove", "add"],
    "what its element had ended is there again",
  );
});

test("a service server is not asked to end what an element of the network does not end", async () => {
  const fixture = await having("element refuses", { ...MAIL, elements: ["e-mail"] });
  fixture.answers.element = refuses;
  const { orderId } = await fixture.ask(["mail"], { action: "remove" });
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.deepEqual(fixture.saw.removals, []);
  assert.deepEqual(await hadBy(fixture, orderId), ["mail"]);
});

for (const kept of ["scim-1", "scim-2"]) {
  test(`each registration of a subscriber who had the service on two devices is ended, or it is not removed: ${kept} stays`, async () => {
    const fixture = await having(`two devices ${kept}`);
    fixture.answers.register = () =>
      Promise.resolve({ kind: "registered", remoteId: "scim-2", accessData: {} });
    const who = { imsi: fixture.imsi, imei: pair(`second device ${kept}`).imei };
    const other = await fixture.ask(["mail"], { who });
    await fixture.calls();
    assert.equal((await fixture.status(other.orderId)).state, "completed");
    fixture.answers.remove = ({ remoteId }) =>
      remoteId === kept ? refuses() : Promise.resolve({ kind: "done" });
    const half = await fixture.ask(["mail"], { action: "remove" });
    await fixture.calls();
    assert.equal((await fixture.status(half.orderId)).state, "failed", "one device still has it");
    assert.deepEqual(await hadBy(fixture, half.orderId), ["mail"]);
    fixture.answers.remove = () => Promise.resolve({ kind: "done" });
    fixture.saw.removals.length = 0;
    const { orderId } = await fixture.ask(["mail"], { action: "remove" });
    await fixture.calls();
    assert.deepEqual(
      fixture.saw.removals.map(({ remoteId }) => remoteId),
      [kept],
      "the rest",
    );
    assert.equal((await fixture.status(orderId)).state, "completed");
  });
}

test("a removal of what stands at no service server by our books is not done by saying so", async () => {
  const fixture = await having("unknown there", { ...MAIL, elements: ["e-mail"] });
  await shop.database.run("update registration set state = 'refused' where operator_id = $1", [
    fixture.operatorId,
  ]);
  const { orderId } = await fixture.ask(["mail"], { action: "remove" });
  await fixture.calls();
  const story = await fixture.story(orderId);
  assert.deepEqual([story.state, story.items[0]?.cause], ["failed", "registration_unknown"]);
  assert.deepEqual([fixture.saw.removals, fixture.saw.elements], [[], []]);
  assert.deepEqual(await hadBy(fixture, orderId), ["mail"]);
});

test("the module of a service leaves the device when the service has ended, and stays where it has not", async () => {
  const module = { kind: "activation", module: "mail-client" } as const;
  const withModule = { ...MAIL, service: { ...MAIL.service!, module } };
  for (const isRefused of [true, false]) {
    const fixture = await having(`module ${isRefused}`, withModule);
    if (isRefused) fixture.answers.remove = refuses;
    const { orderId } = await fixture.ask(["mail"], { action: "remove" });
    assert.ok((await fixture.told()).every(({ kind }) => kind !== "content_ready"));
    await fixture.calls();
    const isSent = (await fixture.told()).some(({ kind }) => kind === "content_ready");
    assert.equal(isSent, !isRefused);
    const states = (await fixture.status(orderId)).items.map(({ kind, state }) => `${kind} ${state}`).sort();
    assert.deepEqual(
      states,
      isRefused ? ["feature cancelled", "service failed"] : ["feature sending", "service works"],
    );
  }
});
