/** Proof and receipts that come late, too soon, or by a clock that is off. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  HOUR_MS,
  IMSI,
  makerKey,
  OPERATOR,
  type TestEngine,
  testEngine,
} from "../../../test/fixture/order-engine.ts";
import { answer, item, messagesOf, opened, receipt } from "../../../test/fixture/order-steps.ts";

test("an item without proof is looked at when its own deadline passes, not the order's", async () => {
  const { engine, orderId } = await opened({ relation: null, policy: { proofDeadlineHours: 5 } });
  const [message] = messagesOf(engine, "settings");
  message!.state = "submitted";
  await receipt(engine, message!.id, "delivered");
  assert.equal(engine.order(orderId).dueAt?.getTime(), engine.world.now + 5 * HOUR_MS);
  engine.pass(5 * HOUR_MS);
  await engine.conductor.advance(10);
  assert.equal(engine.order(orderId).state, "partly_completed");
  assert.match(engine.order(orderId).reason, /no proof of "works" came in time/);
});

test("an order that had ended without proof ends better when the proof comes late", async () => {
  const { engine, orderId } = await opened({ relation: null, policy: { proofDeadlineHours: 5 } });
  const [message] = messagesOf(engine, "settings");
  message!.state = "submitted";
  await receipt(engine, message!.id, "delivered");
  engine.pass(5 * HOUR_MS);
  await engine.conductor.advance(10);
  const traffic = { kind: "traffic", imsi: IMSI, apn: "INTERNET", source: "probe" } as const;
  assert.deepEqual(await engine.conductor.confirm(OPERATOR, [traffic]), [{ outcome: "booked" }]);
  assert.equal(engine.order(orderId).state, "completed");
  assert.equal(engine.order(orderId).dueAt, null);
  assert.deepEqual(await engine.conductor.confirm(OPERATOR, [traffic]), [{ outcome: "repeated" }]);
});

test("traffic before the settings were sent, or before the order was there, proves nothing", async () => {
  const { engine, orderId } = await opened({ policy: { package: "together" } });
  const traffic = { kind: "traffic", imsi: IMSI, apn: "internet", source: "probe" } as const;
  assert.equal((await engine.conductor.confirm(OPERATOR, [traffic]))[0]?.outcome, "no_order");
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  const yesterday = new Date(engine.world.now - 24 * HOUR_MS).toISOString();
  const old = { ...traffic, seenAt: yesterday };
  assert.equal((await engine.conductor.confirm(OPERATOR, [old]))[0]?.outcome, "no_order");
  assert.equal(item(engine, orderId, "settings").state, "sending");
  assert.equal((await engine.conductor.confirm(OPERATOR, [traffic]))[0]?.outcome, "booked");
});

test("a confirmation by a clock that is a little behind counts; by one that is further off it does not, nor from the future", async () => {
  const traffic = { kind: "traffic", imsi: IMSI, apn: "internet", source: "probe" } as const;
  const outcome = async (engine: TestEngine, offMs: number) => {
    const seenAt = new Date(engine.world.now + offMs).toISOString();
    return (await engine.conductor.confirm(OPERATOR, [{ ...traffic, seenAt }]))[0]!;
  };
  const MINUTE_MS = 60_000;
  for (const [offMs, booked] of [
    [-9 * MINUTE_MS, true],
    [-11 * MINUTE_MS, false],
    [9 * MINUTE_MS, true],
  ] as const) {
    const { engine } = await opened({ relation: null });
    assert.equal((await outcome(engine, offMs)).outcome, booked ? "booked" : "no_order", String(offMs));
  }
  const { engine } = await opened({ relation: null });
  assert.deepEqual(await outcome(engine, 11 * MINUTE_MS), {
    outcome: "refused",
    reason: "seenAt is more than 10 minutes ahead of this server's clock.",
  });
});

test("a session that a gateway tells of again, and that opened the order itself, proves nothing, whatever clocks are allowed", async () => {
  const { engine } = await opened({ relation: null });
  const outcome = async (offMs: number) => {
    const [seenAt, beganBy] = [0, offMs].map((ms) => new Date(engine.world.now + ms).toISOString());
    const one = { kind: "traffic", imsi: IMSI, apn: "internet", source: "radius", seenAt, beganBy } as const;
    return (await engine.conductor.confirm(OPERATOR, [one]))[0]?.outcome;
  };
  assert.equal(await outcome(-1), "no_order");
  assert.equal(await outcome(0), "booked");
});

test("what was seen a while before a SIM came into this handset may be the former one's doing, whatever clocks are allowed", async () => {
  const engine = testEngine({ relation: null });
  engine.open("sim_moved");
  await engine.conductor.advance(10);
  const at = async (offMs: number) => {
    const seenAt = new Date(engine.world.now + offMs).toISOString();
    const one = { kind: "traffic", imsi: IMSI, apn: "internet", source: "probe", seenAt } as const;
    return (await engine.conductor.confirm(OPERATOR, [one]))[0]!.outcome;
  };
  assert.equal(await at(-90_000), "no_order");
  assert.equal(await at(-30_000), "booked");
});

test("a receipt of the former message counts after a resend, and the new one is not sent any more", async () => {
  const { engine, orderId } = await opened({ relation: null });
  const [former] = messagesOf(engine, "settings");
  former!.state = "submitted";
  engine.pass(25 * HOUR_MS);
  await engine.conductor.expire(10);
  assert.equal(item(engine, orderId, "settings").attempt, 2);
  await receipt(engine, former!.id, "delivered");
  assert.equal(item(engine, orderId, "settings").state, "delivered");
  assert.equal(messagesOf(engine, "settings").at(-1)!.state, "cancelled");
});

test("an item is not given up while an attempt is left, even when its order is looked at before its message ends", async () => {
  const { engine, orderId } = await opened({
    relation: null,
    policy: { resendLimit: 3, messageValidityMinutes: 600, proofDeadlineHours: 1 },
  });
  for (let looks = 0; engine.order(orderId).state === "provisioning"; looks++) {
    assert.ok(looks < 2_000);
    await engine.conductor.advance(10);
    await engine.conductor.expire(10);
    engine.pass(5 * 60_000);
  }
  assert.equal(messagesOf(engine, "settings").length, 4);
  assert.equal(item(engine, orderId, "settings").cause, "sms_expired");
});

test("a server that was away for longer than a message lives sends it again, and gives nothing up", async () => {
  const { engine, orderId } = await opened({ relation: null, policy: { messageValidityMinutes: 60 } });
  messagesOf(engine, "settings")[0]!.state = "submitted";
  engine.order(orderId).dueAt = new Date(engine.world.now);
  engine.pass(2 * HOUR_MS);
  await engine.conductor.advance(10);
  await engine.conductor.expire(10);
  assert.equal(item(engine, orderId, "settings").state, "sending");
  assert.equal(messagesOf(engine, "settings").length, 2);
});
