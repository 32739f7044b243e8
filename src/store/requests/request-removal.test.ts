/** What a removal ends at other companies' machines, and that only their own word makes it removed. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { pair } from "../../../test/fixture/order-shop.ts";
import { type RequestHouse, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
const MAIL: Partial<CatalogItem> & { readonly id: string } = {
  id: "mail",
  kind: "service",
  service: { uri: "https://mail.example/scim", module: null, fields: [] },
};

/** The service is had; no billing centre knows an account of its user. */
async function having(name: string, item: typeof MAIL = MAIL): Promise<RequestHouse> {
  const house = await shop.house(name, [item]);
  house.answers.billing = () => Promise.resolve({ kind: "refused", cause: "no_such_account", reason: "no" });
  const { orderId } = await house.ask(["mail"]);
  await house.errands();
  await house.told();
  for (const { id, kind } of (await house.status(orderId)).items)
    if (kind === "feature") await house.installed(orderId, id);
  await house.errands();
  assert.equal((await house.status(orderId)).state, "completed");
  house.saw.elements.length = 0;
  return house;
}

const hadBy = async (house: RequestHouse, orderId: string) => {
  const { subscriberId } = await house.story(orderId);
  return (await house.requests.provisioned({ ...house.scope, subscriberId })).map(({ itemId }) => itemId);
};
const refuses = () => Promise.resolve({ kind: "refused", cause: "not_now", reason: "no" } as const);

test("a removal reaches the service server where no billing centre knows the account, and is said when it answered", async () => {
  const house = await having("no account");
  const { orderId } = await house.ask(["mail"], { action: "remove" });
  assert.equal((await house.status(orderId)).items[0]?.state, "registering");
  assert.ok(!(await house.told()).some(({ text }) => /removed/.test(text)), "nobody has ended it yet");
  await house.errands();
  assert.deepEqual(
    house.saw.removals.map(({ remoteId }) => remoteId),
    ["scim-1"],
  );
  assert.equal((await house.status(orderId)).state, "completed");
  assert.match((await house.told()).at(-1)!.text, /removed: mail/);
  assert.deepEqual(await hadBy(house, orderId), []);
});

test("a removal that the service server refuses is not said to be done, and the subscriber still has it", async () => {
  const house = await having("removal refused", { ...MAIL, elements: ["e-mail"] });
  house.answers.remove = refuses;
  const { orderId } = await house.ask(["mail"], { action: "remove" });
  await house.errands();
  assert.equal((await house.status(orderId)).state, "failed");
  assert.ok(!(await house.told()).some(({ text }) => /removed/.test(text)));
  assert.deepEqual(await hadBy(house, orderId), ["mail"]);
  assert.deepEqual(
    house.saw.elements.map(({ action }) => action),
    ["remove", "add"],
    "what its element had ended is there again",
  );
});

test("a service server is not asked to end what an element of the network does not end", async () => {
  const house = await having("element refuses", { ...MAIL, elements: ["e-mail"] });
  house.answers.element = refuses;
  const { orderId } = await house.ask(["mail"], { action: "remove" });
  await house.errands();
  assert.equal((await house.status(orderId)).state, "failed");
  assert.deepEqual(house.saw.removals, []);
  assert.deepEqual(await hadBy(house, orderId), ["mail"]);
});

for (const kept of ["scim-1", "scim-2"]) {
  test(`each registration of a subscriber who had the service on two devices is ended, or it is not removed: ${kept} stays`, async () => {
    const house = await having(`two devices ${kept}`);
    house.answers.register = () =>
      Promise.resolve({ kind: "registered", remoteId: "scim-2", accessData: {} });
    const who = { imsi: house.imsi, imei: pair(`second device ${kept}`).imei };
    const other = await house.ask(["mail"], { who });
    await house.errands();
    assert.equal((await house.status(other.orderId)).state, "completed");
    house.answers.remove = ({ remoteId }) =>
      remoteId === kept ? refuses() : Promise.resolve({ kind: "done" });
    const half = await house.ask(["mail"], { action: "remove" });
    await house.errands();
    assert.equal((await house.status(half.orderId)).state, "failed", "one device still has it");
    assert.deepEqual(await hadBy(house, half.orderId), ["mail"]);
    house.answers.remove = () => Promise.resolve({ kind: "done" });
    house.saw.removals.length = 0;
    const { orderId } = await house.ask(["mail"], { action: "remove" });
    await house.errands();
    assert.deepEqual(
      house.saw.removals.map(({ remoteId }) => remoteId),
      [kept],
      "the rest",
    );
    assert.equal((await house.status(orderId)).state, "completed");
  });
}

test("a removal of what stands at no service server by our books is not done by saying so", async () => {
  const house = await having("unknown there", { ...MAIL, elements: ["e-mail"] });
  await shop.database.run("update registration set state = 'refused' where operator_id = $1", [
    house.operatorId,
  ]);
  const { orderId } = await house.ask(["mail"], { action: "remove" });
  await house.errands();
  const story = await house.story(orderId);
  assert.deepEqual([story.state, story.items[0]?.cause], ["failed", "registration_unknown"]);
  assert.deepEqual([house.saw.removals, house.saw.elements], [[], []]);
  assert.deepEqual(await hadBy(house, orderId), ["mail"]);
});

test("the module of a service leaves the device when the service has ended, and stays where it has not", async () => {
  const module = { kind: "activation", module: "mail-client" } as const;
  const withModule = { ...MAIL, service: { ...MAIL.service!, module } };
  for (const isRefused of [true, false]) {
    const house = await having(`module ${isRefused}`, withModule);
    if (isRefused) house.answers.remove = refuses;
    const { orderId } = await house.ask(["mail"], { action: "remove" });
    assert.ok((await house.told()).every(({ kind }) => kind !== "content_ready"));
    await house.errands();
    const isSent = (await house.told()).some(({ kind }) => kind === "content_ready");
    assert.equal(isSent, !isRefused);
    const states = (await house.status(orderId)).items.map(({ kind, state }) => `${kind} ${state}`).sort();
    assert.deepEqual(
      states,
      isRefused ? ["feature cancelled", "service failed"] : ["feature sending", "service works"],
    );
  }
});
