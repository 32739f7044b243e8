/** An order that waits for something, stumbles, is cancelled, or is left to a younger one. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CHOICE, HOUR_MS, IMSI, testEngine } from "../../../test/fixture/order-engine.ts";
import { kindsOf } from "../../../test/fixture/order-steps.ts";

test("an order whose SIM moved on is left to the younger one; what a person asked for is done", async () => {
  const engine = testEngine({ relation: null });
  const [former, asked, younger] = [engine.open(), engine.open("requested"), engine.open("sim_moved")];
  engine.books.superseded.add(former);
  engine.books.superseded.add(asked);
  await engine.conductor.advance(10);
  assert.equal(engine.order(former).state, "cancelled");
  assert.match(engine.order(former).reason, /a younger order takes its place/);
  assert.equal(engine.order(asked).state, "provisioning");
  assert.equal(engine.order(younger).state, "provisioning");
});

test("one order that cannot be composed says why and is tried again, while the others of its batch go on", async () => {
  const engine = testEngine({ relation: null });
  const [broken, sound] = [engine.open(), engine.open()];
  engine.world.fault = new RangeError("a settings document holds 1 to 8 access points, not 9");
  engine.world.faultOf = broken;
  await engine.conductor.advance(10);
  assert.equal(engine.order(broken).state, "waiting");
  assert.match(engine.order(broken).reason, /could not be taken further: a settings document holds 1 to 8/);
  assert.equal(engine.order(sound).state, "provisioning");
  engine.world.fault = null;
  engine.pass(HOUR_MS);
  await engine.conductor.advance(10);
  assert.equal(engine.order(broken).state, "provisioning");
});

test("the reason of a fault never bears a number long enough to be somebody's", async () => {
  const engine = testEngine({ relation: null });
  const orderId = engine.open();
  engine.world.fault = new Error(`no such thing as ${IMSI}`);
  await engine.conductor.advance(10);
  assert.doesNotMatch(engine.order(orderId).reason, /\d{6}/);
});

test("an order waits for a number, is judged once when it comes, and ends at the policy's deadline without", async () => {
  const engine = testEngine({ relation: null, msisdn: null, policy: { waitDeadlineHours: 3 } });
  const orderId = engine.open();
  for (let hour = 0; hour < 3; hour++) {
    await engine.conductor.advance(10);
    assert.equal(engine.order(orderId).state, "waiting");
    engine.pass(HOUR_MS);
  }
  await engine.conductor.advance(10);
  assert.equal(engine.order(orderId).state, "failed");
  assert.match(engine.order(orderId).reason, /deadline has passed/);
});

test("an order that waits for an access point is judged in its history once, however often it is looked at", async () => {
  const engine = testEngine({ relation: null });
  engine.world.choice = { kind: "refused", code: "no_access_point", reason: "no access point is known" };
  engine.open();
  for (let hour = 0; hour < 5; hour++) {
    await engine.conductor.advance(10);
    engine.pass(HOUR_MS);
  }
  assert.equal(kindsOf(engine).filter((kind) => kind === "judged").length, 1);
});

test("what was half composed when an order stumbled is forgotten", async () => {
  const engine = testEngine({ relation: null });
  const orderId = engine.open();
  engine.world.choice = { kind: "chosen", values: { name: "M", points: [] }, confirmed: true, source: "" };
  await engine.conductor.advance(10);
  assert.equal(engine.order(orderId).state, "waiting");
  assert.deepEqual(engine.order(orderId).items, []);
  engine.world.choice = CHOICE;
  engine.pass(HOUR_MS);
  await engine.conductor.advance(10);
  assert.equal(engine.order(orderId).items.length, 1);
});
