/**
 * What an item's former version set on the device and the new one does not have: it is taken off there by the device's own word,
 * or the item says that it stays (US 6,647,260 claim 6; R122).
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";
import type { CatalogItem } from "../../kernel/catalog/catalog-item.ts";
import { decodeContent } from "../../wire/message/content.ts";

const shop = await requestShop();
type Item = Partial<CatalogItem> & { readonly id: string };

const PARAMETERS: CatalogItem["content"] = {
  kind: "parameters",
  values: { "relay.host": "10.0.0.7", "relay.port": "5070" },
};
const RELAY: Item = { id: "relay", content: PARAMETERS, elements: ["forwarding"] };
const IN_NETWORK: Item = { id: "relay", content: { kind: "none" }, elements: ["forwarding"] };
const RADIO: CatalogItem["content"] = {
  kind: "module",
  module: "radio",
  version: "1.0",
  sha256: "ab".repeat(32),
  octets: 10,
  url: "https://modules.example/radio",
};

async function released(fixture: RequestFixture, { id, ...said }: Item): Promise<void> {
  const { id: _, version: __, ...body } = sampleItem(id, said);
  await shop.catalog.put(fixture.operatorId, id, body, { expected: () => true, actor: "test" });
}
const itemsOf = async (fixture: RequestFixture, orderId: string) => {
  await fixture.calls();
  return (await fixture.story(orderId)).items;
};
async function reported(fixture: RequestFixture, orderId: string, modules?: readonly string[]) {
  await fixture.calls();
  await fixture.delivered();
  for (const { id, hasContent } of (await fixture.status(orderId)).items) {
    const outcome = { kind: "installed" as const, ...(modules && { modules }) };
    if (hasContent)
      await fixture.requests.deviceReports(fixture.scope, { orderId, itemId: id }, outcome, "wideband");
  }
  await fixture.calls();
}
async function failed(fixture: RequestFixture, orderId: string, itemId: string) {
  const of = { orderId, itemId };
  const fault = { kind: "failed", cause: "storage" } as const;
  await fixture.requests.deviceReports(fixture.scope, of, fault, "wideband");
  await fixture.requests.chooseRetransmission(fixture.scope, of, "give_up", "screen");
  await fixture.calls();
}
async function had(name: string, item: Item) {
  const fixture = await shop.fixture(name, [item]);
  const { orderId } = await fixture.ask([item.id]);
  await reported(fixture, orderId);
  assert.equal((await fixture.status(orderId)).state, "completed");
  fixture.saw.elements.length = 0;
  return fixture;
}
const heldVersion = async ({ operatorId }: RequestFixture): Promise<number[]> =>
  (
    await shop.database.rows<{ version: number }>(
      "select version from provisioned_item where operator_id = $1 and ended_at is null",
      [operatorId],
    )
  ).map(({ version }) => version);
async function contentOf(fixture: RequestFixture, orderId: string, itemId: string) {
  const got = await fixture.requests.content(fixture.scope, { orderId, itemId });
  assert.ok(got, "there is content for the device");
  return decodeContent(got.bytes);
}

test("a new version that has nothing on the device takes off what the old one set there, and is done by the device's own word", async () => {
  const fixture = await had("to network", RELAY);
  await released(fixture, IN_NETWORK);
  const { orderId } = await fixture.ask(["relay"]);
  const [item] = await itemsOf(fixture, orderId);
  assert.ok(item);
  assert.deepEqual([item.state, (await fixture.status(orderId)).state], ["sending", "provisioning"]);
  assert.deepEqual(await heldVersion(fixture), [1], "until the device says so the old one stands");
  const { parameters } = await contentOf(fixture, orderId, item.id);
  assert.deepEqual(parameters, { "relay.host": "", "relay.port": "" });
  await reported(fixture, orderId);
  assert.deepEqual((await itemsOf(fixture, orderId))[0]?.state, "works");
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(await heldVersion(fixture), [2]);
});

test("where the device keeps what the old version set, the network is told that version again and it stays whole", async () => {
  const fixture = await had("kept", RELAY);
  await released(fixture, IN_NETWORK);
  const { orderId } = await fixture.ask(["relay"]);
  const [item] = await itemsOf(fixture, orderId);
  assert.ok(item);
  await failed(fixture, orderId, item.id);
  assert.equal((await itemsOf(fixture, orderId))[0]?.state, "failed");
  assert.deepEqual(await heldVersion(fixture), [1]);
  assert.deepEqual(
    fixture.saw.elements.map(({ action, values }) => [action, values["relay.host"] ?? null]),
    [
      ["add", null],
      ["add", "10.0.0.7"],
    ],
  );
});

test("software, and what of the device's own was woken, goes with a version that has neither", async () => {
  const fixture = await had("software", { id: "radio", content: RADIO });
  await released(fixture, { id: "radio", content: { kind: "none" } });
  const first = await fixture.ask(["radio"]);
  const [item] = await itemsOf(fixture, first.orderId);
  assert.ok(item);
  assert.deepEqual((await contentOf(fixture, first.orderId, item.id)).removals, ["radio"]);
  await reported(fixture, first.orderId, ["radio 1.0"]);
  const [still] = await itemsOf(fixture, first.orderId);
  assert.equal(still?.state, "awaiting_choice", "it names the software that was to go");
  assert.match(still.reason, /it has radio 1\.0/);

  const woken = await had("woken", { id: "browser", content: { kind: "activation", module: "wap" } });
  await released(woken, { id: "browser", content: PARAMETERS });
  const second = await woken.ask(["browser"]);
  const [next] = await itemsOf(woken, second.orderId);
  assert.ok(next);
  assert.deepEqual((await contentOf(woken, second.orderId, next.id)).removals, ["wap"]);
});

test("a version that is access points now takes off what the old one set once they work; where that fails it is said to stay", async () => {
  const fixture = await had("to settings", { id: "relay", content: PARAMETERS });
  await released(fixture, { id: "relay", content: { kind: "settings" } });
  const { orderId } = await fixture.ask(["relay"]);
  await fixture.calls();
  await fixture.delivered();
  const [points, leftover] = await itemsOf(fixture, orderId);
  assert.ok(points && leftover);
  assert.equal(leftover.state, "pending");
  const traffic = { kind: "traffic", imsi: fixture.imsi, apn: "internet", source: "probe" } as const;
  await shop.conductor.confirm(fixture.operatorId, [traffic]);
  assert.deepEqual(
    (await itemsOf(fixture, orderId)).map(({ state }) => state),
    ["works", "sending"],
  );
  assert.equal((await fixture.status(orderId)).state, "provisioning");
  const { parameters } = await contentOf(fixture, orderId, leftover.id);
  assert.deepEqual(parameters, { "relay.host": "", "relay.port": "" });
  await failed(fixture, orderId, leftover.id);
  const [now] = await itemsOf(fixture, orderId);
  assert.match(now?.reason ?? "", /what only version 1 had stays on the device: a person has to see to it$/);
  assert.equal((await fixture.status(orderId)).state, "partly_completed");
  assert.ok((await fixture.events(orderId)).includes("former_left"));
});

test("access points of an old version are said to stay on the device, to the subscriber too; so are those of what is removed", async () => {
  const fixture = await shop.fixture("from settings", [{ id: "relay", content: { kind: "settings" } }]);
  const first = await fixture.ask(["relay"]);
  await fixture.delivered();
  const traffic = { kind: "traffic", imsi: fixture.imsi, apn: "internet", source: "probe" } as const;
  await shop.conductor.confirm(fixture.operatorId, [traffic]);
  assert.equal((await fixture.status(first.orderId)).state, "completed");
  await released(fixture, { id: "relay", content: PARAMETERS });
  const { orderId } = await fixture.ask(["relay"]);
  await fixture.delivered();
  await reported(fixture, orderId);
  const [item] = await itemsOf(fixture, orderId);
  assert.equal(item?.state, "works");
  assert.match(
    item.reason,
    /access points that came with it stay on the device until they are deleted there$/,
  );
  assert.match((await fixture.told()).at(-1)?.text ?? "", /access points stay on your device/);

  const other = await shop.fixture("settings removed", [{ id: "points", content: { kind: "settings" } }]);
  const asked = await other.ask(["points"]);
  await other.delivered();
  await shop.conductor.confirm(other.operatorId, [{ ...traffic, imsi: other.imsi }]);
  assert.equal((await other.status(asked.orderId)).state, "completed");
  const removal = await other.ask(["points"], { action: "remove" });
  assert.match((await itemsOf(other, removal.orderId))[0]?.reason ?? "", /stay on the device until/);
});

test("parameters that a service needed on the device and its new version does not have are taken off", async () => {
  const service = (values: Readonly<Record<string, string>>): Item => ({
    id: "mail",
    kind: "service",
    service: { uri: "https://mail.example/scim", module: { kind: "parameters", values }, fields: [] },
  });
  const fixture = await had("service", service({ "mail.host": "a", "mail.tls": "off" }));
  await released(fixture, service({ "mail.host": "b" }));
  const { orderId } = await fixture.ask(["mail"]);
  const removing = (await itemsOf(fixture, orderId)).find(({ subject }) => subject?.action === "remove");
  assert.ok(removing, "what is left behind is an item of its own");
  for (let pass = 0; pass < 4 && (await fixture.status(orderId)).state === "provisioning"; pass++) {
    const { items } = await fixture.status(orderId);
    const isOpen = items.some(({ id, hasContent }) => id === removing.id && hasContent);
    if (isOpen)
      assert.deepEqual((await contentOf(fixture, orderId, removing.id)).parameters, { "mail.tls": "" });
    await reported(fixture, orderId);
  }
  assert.equal((await fixture.status(orderId)).state, "completed");
});
