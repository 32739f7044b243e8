/** What is there in an older version is offered, ordered and replaced, whole or not at all (US 6,647,260 claim 6; R122). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";

const shop = await requestShop();
type Fixture = Awaited<ReturnType<typeof shop.fixture>>;
type Item = Partial<CatalogItem> & { readonly id: string };

const module = (version: string) =>
  ({
    kind: "module",
    module: "Radio",
    version,
    sha256: "ab".repeat(32),
    octets: 10,
    url: "https://modules.example/radio",
  }) as const;
const RADIO: Item = { id: "radio", content: module("1.0") };
const RELAY: Item = {
  id: "relay",
  content: { kind: "parameters", values: { target: "one" } },
  elements: ["forwarding"],
};

/** The catalog's next version of an item. */
async function released(fixture: Fixture, { id, ...said }: Item): Promise<void> {
  const { id: _, version: __, ...body } = sampleItem(id, said);
  await shop.catalog.put(fixture.operatorId, id, body, { expected: () => true, actor: "test" });
}
async function had(name: string, item: Item, modules?: readonly string[]) {
  const fixture = await shop.fixture(name, [item]);
  const { orderId } = await fixture.ask([item.id]);
  await reported(fixture, orderId, modules);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  return fixture;
}
async function reported(fixture: Fixture, orderId: string, modules?: readonly string[], cause?: string) {
  const item = await itemOf(fixture, orderId);
  const known = modules && { modules };
  const outcome =
    cause === undefined ? ({ kind: "installed" } as const) : ({ kind: "failed", cause } as const);
  await fixture.requests.deviceReports(
    fixture.scope,
    { orderId, itemId: item.id },
    { ...outcome, ...known },
    "wideband",
  );
}
const itemOf = async (fixture: Fixture, orderId: string) => {
  await fixture.calls();
  const [item] = (await fixture.story(orderId)).items;
  assert.ok(item);
  return item;
};
const heldVersion = async ({ operatorId }: Fixture): Promise<number[]> =>
  (
    await shop.database.rows<{ version: number }>(
      "select version from provisioned_item where operator_id = $1 and ended_at is null",
      [operatorId],
    )
  ).map(({ version }) => version);

test("the same version is there already; an older one is replaced when the device says that it has the new one", async () => {
  const fixture = await had("replaced", RADIO, ["Radio 1.0"]);
  const again = await fixture.ask(["radio"]);
  assert.equal((await itemOf(fixture, again.orderId)).cause, "had");
  await released(fixture, { ...RADIO, content: module("2.0") });
  const { orderId } = await fixture.ask(["radio"]);
  assert.equal((await itemOf(fixture, orderId)).state, "sending");
  assert.deepEqual(await heldVersion(fixture), [1], "until then the old one is what is had");
  await reported(fixture, orderId, ["Radio 2.0"]);
  await fixture.calls();
  const { items, state } = await fixture.status(orderId);
  assert.deepEqual([state, items[0]?.state], ["completed", "works"]);
  assert.match(items[0]?.reason ?? "", /it has Radio 2\.0/);
  assert.deepEqual(await heldVersion(fixture), [2]);
  assert.ok((await fixture.events(orderId)).includes("item_replaced"));
  const third = await fixture.ask(["radio"]);
  assert.equal((await itemOf(fixture, third.orderId)).cause, "had", "now it is the same version");
});

test("where the new one fails the old one stays, by the device's own word, and can be asked to be replaced again", async () => {
  const fixture = await had("stays", RADIO, ["Radio 1.0"]);
  await released(fixture, { ...RADIO, content: module("2.0") });
  const { orderId } = await fixture.ask(["radio"]);
  await reported(fixture, orderId, ["Radio 1.0"], "memory_full");
  const failed = await itemOf(fixture, orderId);
  assert.equal(failed.state, "awaiting_choice");
  assert.match(failed.reason, /memory full; it has Radio 1\.0/);
  await fixture.requests.chooseRetransmission(
    fixture.scope,
    { orderId, itemId: failed.id },
    "give_up",
    "screen",
  );
  await fixture.calls();
  assert.deepEqual(await heldVersion(fixture), [1]);
  const next = await fixture.ask(["radio"]);
  assert.equal((await itemOf(fixture, next.orderId)).state, "sending");
});

test("a device that confirms and names another version than the one that was to come has not installed it", async () => {
  const fixture = await had("other version", RADIO, ["Radio 1.0"]);
  await released(fixture, { ...RADIO, content: module("2.0") });
  const { orderId } = await fixture.ask(["radio"]);
  await reported(fixture, orderId, ["Radio 1.0"]);
  const item = await itemOf(fixture, orderId);
  assert.deepEqual([item.state, item.cause], ["awaiting_choice", "device_other_version"]);
  assert.deepEqual(await heldVersion(fixture), [1]);
});

test("an element that served the old version is told that again where the new one comes to nothing", async () => {
  const fixture = await had("elements", RELAY);
  await released(fixture, { ...RELAY, content: { kind: "parameters", values: { target: "two" } } });
  fixture.saw.elements.length = 0;
  const { orderId } = await fixture.ask(["relay"]);
  await fixture.calls();
  await reported(fixture, orderId, undefined, "no_space");
  const item = await itemOf(fixture, orderId);
  await fixture.requests.chooseRetransmission(
    fixture.scope,
    { orderId, itemId: item.id },
    "give_up",
    "screen",
  );
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.elements.map(({ action, values }) => [action, values.target]),
    [
      ["add", "two"],
      ["add", "one"],
    ],
  );
});

test("what changed in words or price alone is the same version; a newer one is offered to who has the older, and told as such", async () => {
  const fixture = await had("offered", RADIO, ["Radio 1.0"]);
  const { msisdn, operatorId, requests } = fixture;
  const offer = async (key: string) => {
    const given = { itemId: "radio", to: [{ msisdn }], actor: "test", idempotencyKey: key };
    return (await requests.sendOffers(operatorId, given))[0]?.outcome;
  };
  await released(fixture, { ...RADIO, name: { en: "Radio and more" } });
  assert.equal(await offer("words"), "has_already");
  const { orderId: same } = await fixture.ask(["radio"]);
  assert.equal((await itemOf(fixture, same)).cause, "had");
  await released(fixture, { ...RADIO, content: module("2.0") });
  assert.equal(await offer("newer"), "sent");
  const { subscriberId } = await fixture.story(same);
  const [held] = await requests.provisioned({ operatorId, subscriberId });
  assert.deepEqual([held?.itemId, held?.version, held?.isOutdated], ["radio", 1, true]);
  const { orderId } = await fixture.ask(["radio"]);
  assert.equal(await offer("underway"), "ordered_already");
  assert.equal((await itemOf(fixture, orderId)).state, "sending");
});
