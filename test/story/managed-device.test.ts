/** A device that is managed by OMA DM, from the network's sight of it to traffic, over the real server, SMPP and HTTP. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { ManagedModel } from "../../src/sim/handset/management/client.ts";
import type { HandsetModel } from "../../src/sim/handset/phones.ts";
import { itemOf, kindsOf, type StoryOperator, type StoryPhone, storyFixture } from "../fixture/story.ts";

const managed = (model: string, how: ManagedModel): HandsetModel => ({
  tac: "35014200",
  make: "Nokia",
  model,
  capability: { opensBy: "itself", takes: ["omacp", "omadm"] },
  managed: how,
});

const fixture = await storyFixture({
  models: [
    managed("by digest", { kind: "connmo", encoding: "wbxml", proof: "digest" }),
    managed("by MAC", { kind: "s60", encoding: "xml", proof: "mac", maxMsgSize: 2_400 }),
    managed("of its own kind", { kind: "none", encoding: "wbxml", proof: "digest" }),
  ],
});

/** The operator's own word: this device gets its settings in sessions. */
async function setUp(operator: StoryOperator, phone: StoryPhone): Promise<void> {
  const { status, text } = await operator.call("PUT", "/v1/overrides", {
    scope: "imei",
    key: phone.spec.imei,
    body: { settingsForm: "oma_dm", takesKey: false },
    why: "a managed device",
  });
  assert.equal(status, 200, text);
  await phone.attach();
}

for (const [model, tree, octets] of [
  ["by digest", "connmo", null],
  ["by MAC", "s60", 2_400],
] as const) {
  test(`a device ${model}: bootstrapped by SMS, notified, connects, takes its access points, and works`, async () => {
    const operator = await fixture.operator();
    const phone = fixture.phone(model);
    await setUp(operator, phone);
    const story = await operator.settled(phone);
    assert.deepEqual(
      story.messages.map(({ kind, protocol }: Record<string, string>) => [kind, protocol]).sort(),
      [
        ["bootstrap", "omacp"],
        ["wake", "omadm"],
      ],
    );
    const [set] = story.events.filter(({ kind }: { kind: string }) => kind === "settings_set");
    assert.deepEqual(
      [set.evidence, set.detail.tree, set.detail.firmware],
      ["management_session", tree, `${model} 1.0`],
    );
    const opened = story.events.find(
      ({ evidence }: Record<string, string>) => evidence === "management_session",
    );
    assert.equal(opened.kind, "opened");
    const { state, apnsSeen } = itemOf(story, "settings");
    assert.deepEqual([state, [...apnsSeen].sort()], ["works", ["internet.meridian", "mms.meridian"]]);
    assert.deepEqual(
      phone.did("managed").map((event) => event.kind === "managed" && event.isWhole),
      [true],
    );
    assert.ok(octets === null || set.detail.nodes > 0);
  });
}

test("a device whose tree nobody here knows: nothing is guessed, and the order says what the device has not", async () => {
  const operator = await fixture.operator();
  const phone = fixture.phone("of its own kind");
  await setUp(operator, phone);
  const story = await operator.settled(phone, "failed");
  const { state, cause } = itemOf(story, "settings");
  assert.deepEqual([state, cause], ["failed", "device_no_known_tree"]);
  assert.ok(!kindsOf(story).includes("settings_set"));
});
