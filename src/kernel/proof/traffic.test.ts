/** What traffic proves: each access point for itself, no fee for what another did, and words for what was not seen. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  CHOICE,
  HOUR_MS,
  IMSI,
  OPERATOR,
  type Setup,
  testEngine,
} from "../../../test/fixture/order-engine.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { reportReferenceOf, signDeviceReport } from "../../wire/message/device-report.ts";
import type { SettingsChoice } from "../operator/settings-choice.ts";
import type { SettingsPoint } from "../payload/settings-values.ts";

const [INTERNET] = CHOICE.kind === "chosen" ? CHOICE.values.points : [];
const point = (use: SettingsPoint["use"], apn: string): SettingsPoint => ({ ...INTERNET!, use, apn });
const choiceOf = (...points: SettingsPoint[]): SettingsChoice => ({
  kind: "chosen",
  values: { name: "Meridian", points },
  confirmed: true,
  source: "test",
});
/** Three uses on two access points: WAP goes by MMS's. */
const THREE_USES = choiceOf(
  point("internet", "Internet"),
  point("mms", "mms.example"),
  point("wap", "MMS.example"),
);

async function handedOver(setup: Setup) {
  const engine = testEngine({ relation: null, ...setup });
  const orderId = engine.open();
  await engine.conductor.advance(1);
  for (const message of engine.books.messages.values()) message.state = "submitted";
  const item = (kind: "settings" | "key") => engine.order(orderId).items.find((one) => one.kind === kind)!;
  const seen = async (...apns: string[]) =>
    (
      await engine.conductor.confirm(
        OPERATOR,
        apns.map((apn) => ({ kind: "traffic" as const, imsi: IMSI, apn, source: "probe" })),
      )
    ).map(({ outcome }) => outcome);
  return { engine, order: () => engine.order(orderId), item, seen };
}

test("settings work when each access point that they set was seen, and say until then which was not", async () => {
  const { order, item, seen } = await handedOver({ choice: THREE_USES });
  assert.deepEqual(item("settings").apns, ["internet", "mms.example"], "one that two uses share counts once");

  assert.deepEqual(await seen("INTERNET"), ["booked"]);
  const partly = item("settings");
  assert.deepEqual([partly.state, partly.apnsSeen], ["opened", ["internet"]]);
  assert.equal(partly.reason, "traffic was seen on access point internet; not seen yet: mms.example");
  assert.equal(partly.nextAction, "wait for traffic on access point mms.example");
  assert.ok(partly.deadlineAt, "it does not wait for ever");
  assert.equal(order().state, "provisioning");
  assert.deepEqual(await seen("internet"), ["repeated"]);

  assert.deepEqual(await seen("mms.example"), ["booked"]);
  assert.equal(item("settings").state, "works");
  assert.equal(item("settings").reason, "traffic was seen on access points internet, mms.example");
  assert.equal(order().state, "completed");
});

test("settings of which an access point was never seen end with its name, and late traffic still completes them", async () => {
  const { engine, order, item, seen } = await handedOver({
    choice: THREE_USES,
    policy: { proofDeadlineHours: 2 },
  });
  await seen("mms.example");
  for (let hour = 0; hour < 4; hour++) {
    engine.pass(HOUR_MS);
    await engine.conductor.advance(10);
  }
  assert.equal(order().state, "partly_completed");
  assert.match(
    item("settings").reason,
    /traffic was seen on access point mms\.example, and none on access point internet$/,
  );
  assert.match(order().reason, /none on access point internet/);
  await seen("internet");
  assert.equal(order().state, "completed");
});

test("where the policy counts one access point as enough, settings work by it and the words name the others", async () => {
  const { engine, order, item, seen } = await handedOver({
    choice: THREE_USES,
    policy: { worksBy: "one_access_point" },
  });
  assert.deepEqual(await seen("internet"), ["booked"]);
  assert.deepEqual([order().state, item("settings").state], ["completed", "works"]);
  assert.match(item("settings").reason, /not seen: mms\.example; the policy counts one as enough$/);
  assert.deepEqual(await seen("mms.example"), ["booked"]);
  assert.deepEqual(item("settings").apnsSeen, ["internet", "mms.example"]);
  assert.equal(item("settings").reason, "traffic was seen on access points internet, mms.example");
  assert.equal(engine.books.events.filter(({ kind }) => kind === "access_point_seen").length, 1);
});

test("traffic on an access point that the settings set too charges no key; the handset's word that it ran does", async () => {
  const { engine, item, seen } = await handedOver({
    relation: { keySource: "own", feeLevel: "works" },
    policy: { keyApnsInSettings: true },
  });
  assert.deepEqual(item("settings").apns, ["internet", "acme.maker"]);
  await seen("acme.maker", "internet");
  assert.equal(item("settings").state, "works");
  assert.equal(item("key").state, "sending", "it may be the settings' doing");
  assert.equal(engine.books.charges.size, 0);

  const { keyId, confirmSecret } = decodeDeviceKey([...engine.books.keys.values()][0]!.bytes);
  const ran = { reference: reportReferenceOf(keyId), level: "opened", cause: "none" } as const;
  await engine.conductor.bookReports([
    signDeviceReport({ ...ran, at: new Date(engine.world.now) }, confirmSecret),
  ]);
  await seen("acme.maker");
  assert.equal(item("key").state, "works");
  assert.equal(engine.books.charges.size, 1);
});

test("an access point that the key sets too does not say that settings arrived which nobody delivered", async () => {
  const { item, seen } = await handedOver({
    relation: { keySource: "own" },
    policy: { keyApnsInSettings: true },
  });
  await seen("acme.maker");
  assert.deepEqual([item("settings").state, item("settings").apnsSeen], ["sending", ["acme.maker"]]);
});
