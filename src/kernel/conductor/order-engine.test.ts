/** What the order engine does where one thing waits for another, comes too late, or goes wrong. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { outboundCall } from "../../../test/fixture/order-books.ts";
import {
  CHOICE,
  HOUR_MS,
  IMSI,
  makerKey,
  OPERATOR,
  relationTerms,
  type TestEngine,
  testEngine,
} from "../../../test/fixture/order-engine.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { DEFAULT_POLICY } from "../order/policy.ts";

const item = (engine: TestEngine, orderId: string, kind: "key" | "settings") =>
  engine.order(orderId).items.find((one) => one.kind === kind)!;
const messagesOf = ({ books }: TestEngine, kind: string) =>
  [...books.messages.values()].filter((message) => message.kind === kind);
const kindsOf = ({ books }: TestEngine) => books.events.map(({ kind }) => kind);

function answer(engine: TestEngine, kind: string, given: CallAnswer): Promise<void> {
  const call = [...engine.books.calls.values()].find((one) => one.kind === kind && one.dueAt !== null);
  assert.ok(call, `a ${kind} is due`);
  call.attempts += 1;
  return engine.conductor.bookAnswers([{ call: outboundCall(call), answer: given }]);
}
const receipt = (engine: TestEngine, messageId: string, state: "delivered" | "failed" | "expired") =>
  engine.conductor.bookReceipts([{ smsc: "one", smscMessageId: messageId, state, errorCode: null }]);
const NO_ANSWER: CallAnswer = { kind: "failed", cause: "timeout", reason: "no answer within 10000 ms" };

async function opened(
  setup: Parameters<typeof testEngine>[0],
): Promise<{ engine: TestEngine; orderId: string }> {
  const engine = testEngine(setup);
  const orderId = engine.open();
  await engine.conductor.advance(10);
  return { engine, orderId };
}

test("key and settings wait for each other; when the key comes they go in one message", async () => {
  const { engine, orderId } = await opened({ policy: { package: "together" } });
  assert.equal(item(engine, orderId, "settings").cause, "sent_with_key");
  assert.equal(engine.books.messages.size, 0);
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(messagesOf(engine, "package").length, 1);
  assert.equal(item(engine, orderId, "key").message?.id, item(engine, orderId, "settings").message?.id);
});

test("settings that wait for a key go alone when the manufacturer says no", async () => {
  const { engine, orderId } = await opened({ policy: { package: "together" } });
  const no = {
    kind: "refused",
    cause: "no_agreement",
    reason: "nothing is agreed with this operator",
  } as const;
  await answer(engine, "key_request", no);
  assert.equal(item(engine, orderId, "key").state, "failed");
  assert.equal(item(engine, orderId, "key").cause, "maker_no_agreement");
  assert.equal(item(engine, orderId, "settings").state, "sending");
  assert.equal(messagesOf(engine, "settings").length, 1);
  assert.equal([...engine.books.calls.values()][0]!.state, "refused");
});

test("a key that comes after the operator said that the handset gets none is not sent, and its settings go alone", async () => {
  const { engine, orderId } = await opened({ policy: { package: "together" } });
  engine.world.judgement = { ...engine.world.judgement, verdict: "supported" };
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(item(engine, orderId, "key").state, "failed");
  assert.equal(item(engine, orderId, "key").cause, "key_withheld");
  assert.equal(engine.books.keys.size, 0);
  assert.deepEqual(messagesOf(engine, "package").length + messagesOf(engine, "key").length, 0);
  assert.equal(messagesOf(engine, "settings").length, 1);
  assert.equal([...engine.books.calls.values()][0]!.state, "done");
});

test("a key that waits to be sent when the operator says that the handset gets none is revoked; settings of one message with it go alone", async () => {
  for (const [form, kind] of [
    ["apart", "key"],
    ["together", "package"],
  ] as const) {
    const policy = { package: form, authentication: "userpin" } as const;
    const { engine, orderId } = await opened({ policy, relation: { keySource: "own" } });
    const [message] = messagesOf(engine, kind);
    const pins = messagesOf(engine, "pin_notice");
    const withheld = { messageId: message!.id, reason: "r", retryAt: null, errorCode: "key_withheld" };
    await engine.conductor.bookSubmissions([], [withheld]);
    const { state, cause, keyId } = item(engine, orderId, "key");
    assert.deepEqual(
      [state, cause, engine.books.keys.get(keyId!)!.state],
      ["failed", "key_withheld", "revoked"],
    );
    assert.equal(item(engine, orderId, "settings").state, "sending");
    assert.equal(messagesOf(engine, "settings").length, 1);
    const live = messagesOf(engine, "pin_notice").filter(({ state: one }) => one === "queued");
    assert.equal(live.length, 1, "one PIN goes, that of the settings");
    assert.equal(live[0]!.id === pins[0]!.id, form === "apart");
  }
});

test("a person cannot have a key sent again, nor ask for one anew, that the operator says the handset is not to get", async () => {
  for (const keySource of ["own", "maker"] as const) {
    const { engine, orderId } = await opened({ policy: { package: "apart" }, relation: { keySource } });
    if (keySource === "maker")
      await answer(engine, "key_request", { kind: "refused", cause: "no", reason: "no" });
    const calls = engine.books.calls.size;
    engine.world.judgement = { ...engine.world.judgement, takesKey: false };
    await engine.conductor.resend(OPERATOR, orderId, "care");
    assert.equal(messagesOf(engine, "settings").length, 2, "the settings go again");
    assert.deepEqual(
      [messagesOf(engine, "key").length, engine.books.calls.size],
      [keySource === "own" ? 1 : 0, calls],
    );
    for (const message of messagesOf(engine, "settings")) message.state = "submitted";
    engine.books.terms = {
      ...engine.books.terms,
      policy: { ...engine.books.terms.policy, doneAt: "delivered" },
    };
    await receipt(engine, messagesOf(engine, "settings").at(-1)!.id, "delivered");
    await assert.rejects(engine.conductor.resend(OPERATOR, orderId, "care"), {
      code: "nothing_to_resend",
      message: /is to get no key/,
    });
    engine.world.judgement = { ...engine.world.judgement, takesKey: true };
    await engine.conductor.resend(OPERATOR, orderId, "care");
    assert.equal(
      messagesOf(engine, "key").length + engine.books.calls.size,
      calls + (keySource === "own" ? 2 : 1),
    );
  }
});

test("settings that wait for a key go alone when the key's time is up", async () => {
  const { engine, orderId } = await opened({ policy: { package: "together", waitDeadlineHours: 10 } });
  engine.pass(4 * HOUR_MS);
  await answer(engine, "key_request", NO_ANSWER);
  assert.equal(item(engine, orderId, "key").cause, "timeout");
  assert.equal(item(engine, orderId, "settings").state, "pending");
  engine.pass(6 * HOUR_MS);
  await engine.conductor.advance(10);
  assert.equal(item(engine, orderId, "key").cause, "no_key");
  assert.equal(item(engine, orderId, "settings").state, "sending");
});

test("a key for another handset, a key cut short and a key given before leave the order waiting with what was met", async () => {
  const { engine, orderId } = await opened({});
  const cases = [
    { bytes: makerKey("one", { imei: "490154203237518" }), cause: "key_foreign_key" },
    { bytes: makerKey("one").subarray(0, 40), cause: "key_malformed" },
  ];
  for (const { bytes, cause } of cases) {
    await answer(engine, "key_request", { kind: "key", bytes });
    const { state, cause: met, nextAction, deadlineAt } = item(engine, orderId, "key");
    assert.deepEqual({ state, met }, { state: "waiting_for_key", met: cause });
    assert.match(nextAction, /^ask the manufacturer again at /);
    assert.ok(deadlineAt);
  }
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(item(engine, orderId, "key").state, "sending");
  const second = engine.open("first_registration", "00000000-0000-7000-8000-0000000000dd");
  await engine.conductor.advance(10);
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(item(engine, second, "key").cause, "key_not_unique");
});

test("a younger order for the same handset takes over a key that was not used, and its fee is asked for once", async () => {
  for (const standing of ["cancelled", "sending", "delivered"] as const) {
    const { engine, orderId: older } = await opened({ policy: { package: "apart" } });
    await answer(engine, "key_request", { kind: "key", bytes: makerKey(standing) });
    const [first] = messagesOf(engine, "key");
    if (standing === "cancelled") await engine.conductor.cancel(OPERATOR, older, "care");
    if (standing === "delivered") {
      first!.state = "submitted";
      await receipt(engine, first!.id, "delivered");
    }
    const younger = engine.open("sim_moved");
    await engine.conductor.advance(10);
    await answer(engine, "key_request", { kind: "key", bytes: makerKey(standing) });
    assert.deepEqual(
      [item(engine, older, "key").state, item(engine, older, "key").keyId],
      [standing === "delivered" ? "delivered" : "cancelled", null],
    );
    if (standing === "sending") assert.equal(first!.state, "cancelled", "the key goes once");
    const taken = item(engine, younger, "key");
    assert.equal(taken.state, "sending");
    const key = engine.books.keys.get(taken.keyId!)!;
    assert.deepEqual([key.orderId, key.state], [younger, "issued"]);
    const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
    assert.deepEqual(await engine.conductor.confirm(OPERATOR, [traffic]), [{ outcome: "booked" }]);
    assert.deepEqual(
      [...engine.books.charges.values()].map(({ orderId }) => orderId),
      [younger],
    );
    assert.equal(engine.books.keys.get(taken.keyId!)!.state, "used");
  }
});

test("a key that was used, or was charged for, stays with the order that had it", async () => {
  for (const feeLevel of ["works", "delivered"] as const) {
    const { engine, orderId: older } = await opened({ policy: { package: "apart" }, relation: { feeLevel } });
    await answer(engine, "key_request", { kind: "key", bytes: makerKey(feeLevel) });
    const [first] = messagesOf(engine, "key");
    first!.state = "submitted";
    await receipt(engine, first!.id, "delivered");
    if (feeLevel === "works") {
      const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
      await engine.conductor.confirm(OPERATOR, [traffic]);
    }
    const younger = engine.open("sim_moved");
    await engine.conductor.advance(10);
    await answer(engine, "key_request", { kind: "key", bytes: makerKey(feeLevel) });
    assert.equal(item(engine, younger, "key").cause, "key_not_unique");
    assert.ok(item(engine, older, "key").keyId);
  }
});

test("a person may ask again for a key that was refused", async () => {
  const { engine, orderId } = await opened({ policy: { package: "apart" } });
  await answer(engine, "key_request", { kind: "refused", cause: "no_agreement", reason: "no" });
  await engine.conductor.resend(OPERATOR, orderId, "care");
  assert.equal(item(engine, orderId, "key").state, "waiting_for_key");
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(item(engine, orderId, "key").state, "sending");
});

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

test("a message is sent as often as the policy says, later and later, and then its item fails with the cause", async () => {
  const { engine, orderId } = await opened({ relation: null, policy: { resendLimit: 2 } });
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 3; attempt++) {
    const message = messagesOf(engine, "settings").at(-1)!;
    message.state = "submitted";
    await receipt(engine, message.id, "failed");
    waits.push(messagesOf(engine, "settings").at(-1)!.dueAt.getTime() - engine.world.now);
  }
  assert.deepEqual(waits.slice(0, 2), [5 * 60_000, 20 * 60_000]);
  assert.equal(messagesOf(engine, "settings").length, 3);
  assert.equal(engine.order(orderId).state, "failed");
  assert.equal(item(engine, orderId, "settings").cause, "sms_failed");
});

test("a PIN notice goes again with a resend, before the settings that open with it", async () => {
  const { engine, orderId } = await opened({ relation: null, policy: { authentication: "userpin" } });
  for (const message of engine.books.messages.values()) message.state = "submitted";
  await engine.conductor.resend(OPERATOR, orderId, "care");
  const sent = [...engine.books.messages.values()].filter(({ state }) => state === "queued");
  assert.deepEqual(
    sent.map(({ kind }) => kind),
    ["pin_notice", "settings"],
  );
  const [first, again] = messagesOf(engine, "pin_notice");
  assert.equal(first!.payloadId, again!.payloadId, "the PIN is the same, as its settings are");
});

test("a cancelled order sends neither its message nor its PIN, and revokes its key", async () => {
  const { engine, orderId } = await opened({
    policy: { authentication: "userpin", package: "apart" },
    relation: { keySource: "own" },
  });
  await engine.conductor.cancel(OPERATOR, orderId, "care");
  assert.deepEqual(
    new Set([...engine.books.messages.values()].map(({ state }) => state)),
    new Set(["cancelled"]),
  );
  assert.deepEqual(
    [...engine.books.keys.values()].map(({ state }) => state),
    ["revoked"],
  );
});

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

test("a device left behind that runs no key gets the key's access points as settings, where the policy says so", async () => {
  const { engine, orderId } = await opened({
    policy: { keyApnsInSettings: true },
    relation: { keySource: "own" },
    judgement: { takesKey: false },
  });
  assert.equal(item(engine, orderId, "key"), undefined);
  assert.deepEqual(item(engine, orderId, "settings").apns, ["internet", "acme.maker"]);
});

test("a fee says what it waits for, is asked for again, and in the end that a person has to see to it", async () => {
  const { engine, orderId } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  const key = [...engine.books.keys.values()][0]!;
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  assert.equal(item(engine, orderId, "key").keyId, key.keyId);
  const charge = () => [...engine.books.charges.values()][0]!;
  const unset: CallAnswer = {
    kind: "failed",
    cause: "not_configured",
    reason: "no payment system is configured",
  };
  await answer(engine, "fee_request", unset);
  assert.match(charge().reason, /^the fee is asked for again at .*: no payment system is configured$/);
  engine.pass(15 * 24 * HOUR_MS);
  await answer(engine, "fee_request", unset);
  assert.equal(charge().state, "requested");
  assert.match(charge().reason, /given up, a person has to see to it/);
  assert.ok(kindsOf(engine).includes("fee_request_given_up"));
});

test("a fee is asked for in the name of its item, so that one item is never paid twice", async () => {
  const { engine } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  const [call, ...more] = [...engine.books.calls.values()].filter(({ kind }) => kind === "fee_request");
  assert.ok(call?.itemId);
  assert.equal(call.idempotencyKey, call.itemId);
  assert.deepEqual(more, []);
});

test("two answers to one fee in one batch, a yes and a late no, book one payment and leave it paid", async () => {
  const { engine } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  const call = outboundCall([...engine.books.calls.values()].find(({ kind }) => kind === "fee_request")!);
  await engine.conductor.bookAnswers([
    { call, answer: { kind: "done", reference: "b1" } },
    { call, answer: { kind: "refused", cause: "limit_exceeded", reason: "too much" } },
  ]);
  const [charge] = [...engine.books.charges.values()];
  assert.equal(charge!.state, "settled");
  assert.equal(engine.books.postings.size, 2);
  assert.ok(!kindsOf(engine).includes("fee_refused"));
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

const CHEAPER = { feeMinor: 9n, currency: "USD", feeLevel: "delivered", portionBasisPoints: 10_000 } as const;
const agreeAnew = ({ books }: TestEngine): void => {
  books.terms = { ...books.terms, relations: new Map([["acme", relationTerms(CHEAPER)]]) };
};

test("a key costs what was agreed when it was issued, whatever the relation says when it works", async () => {
  const { engine } = await opened({ relation: { keySource: "own" }, policy: { package: "apart" } });
  agreeAnew(engine);
  for (const message of messagesOf(engine, "key")) {
    message.state = "submitted";
    await receipt(engine, message.id, "delivered");
  }
  assert.equal(engine.books.charges.size, 0, "the level of the new relation is not the key's");
  const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
  await engine.conductor.confirm(OPERATOR, [traffic]);
  const [charge] = [...engine.books.charges.values()];
  assert.deepEqual([charge?.feeMinor, charge?.currency, charge?.level], [251n, "EUR", "works"]);
});

test("a maker's key costs what was agreed when it was asked for; asked for anew, it is what holds then", async () => {
  for (const isAskedAnew of [false, true]) {
    const { engine, orderId } = await opened({ policy: { package: "apart" } });
    if (isAskedAnew) {
      await answer(engine, "key_request", { kind: "refused", cause: "unknown_model", reason: "no" });
      agreeAnew(engine);
      await engine.conductor.resend(OPERATOR, orderId, "care");
    } else agreeAnew(engine);
    await answer(engine, "key_request", { kind: "key", bytes: makerKey(`agreed ${isAskedAnew}`) });
    const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
    await engine.conductor.confirm(OPERATOR, [traffic]);
    const [charge] = [...engine.books.charges.values()];
    // A third of 2.51, to the nearest cent, is the maker's; all of 0.09 in the later relation.
    assert.deepEqual(
      [charge?.feeMinor, charge?.portionMinor, charge?.currency],
      isAskedAnew ? [9n, 9n, "USD"] : [251n, 84n, "EUR"],
    );
  }
});

for (const isKeyKnown of [true, false]) {
  for (const keySource of ["own", "maker"] as const) {
    test(`a fee due at delivery is due ${isKeyKnown ? "then" : "at the handset's own word"} for a key from ${keySource === "own" ? "the own store" : "its maker"} to a model that is ${isKeyKnown ? "" : "not "}said to run keys`, async () => {
      const { engine } = await opened({
        relation: { keySource, feeLevel: "delivered" },
        judgement: { isKeyKnown },
        policy: { package: "apart" },
      });
      if (keySource === "maker")
        await answer(engine, "key_request", { kind: "key", bytes: makerKey(`proved ${isKeyKnown}`) });
      for (const message of messagesOf(engine, "key")) {
        message.state = "submitted";
        await receipt(engine, message.id, "delivered");
      }
      assert.equal(engine.books.charges.size, isKeyKnown ? 1 : 0, "any phone acknowledges an SMS");
      assert.equal(kindsOf(engine).includes("fee_level_raised"), !isKeyKnown);
      const traffic = { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" } as const;
      await engine.conductor.confirm(OPERATOR, [traffic]);
      assert.deepEqual(
        [...engine.books.charges.values()].map(({ level }) => level),
        [isKeyKnown ? "delivered" : "opened"],
      );
    });
  }
}

test("the own store makes no key where the servers that it leads to are not set up, and the settings go", async () => {
  const { engine, orderId } = await opened({ relation: { keySource: "own", appHosts: [] } });
  assert.equal(item(engine, orderId, "key"), undefined);
  assert.equal(item(engine, orderId, "settings").state, "sending");
  assert.ok(kindsOf(engine).includes("key_not_available"));
});

test("settings that may go out no more fail of that at once: they are not sent again later", async () => {
  assert.ok(CHOICE.kind === "chosen");
  const choice = { ...CHOICE, values: { ...CHOICE.values, unconfirmed: true as const } };
  const { engine, orderId } = await opened({ relation: null, choice });
  const [message] = messagesOf(engine, "settings");
  const withheld = { messageId: message!.id, reason: "r", retryAt: null, errorCode: "settings_unconfirmed" };
  await engine.conductor.bookSubmissions([], [withheld]);
  const { state, cause } = item(engine, orderId, "settings");
  assert.deepEqual([state, cause], ["failed", "settings_unconfirmed"]);
  assert.equal(messagesOf(engine, "settings").length, 1);
  await assert.rejects(engine.conductor.resend(OPERATOR, orderId, "care"), { code: "settings_unconfirmed" });
  engine.books.terms = { ...engine.books.terms, policy: { ...DEFAULT_POLICY, sendUnconfirmed: true } };
  await engine.conductor.resend(OPERATOR, orderId, "care");
  assert.equal(messagesOf(engine, "settings").length, 2, "a host that switched them on may");
});

test("the PIN for settings that nobody confirmed is held back with them", async () => {
  assert.ok(CHOICE.kind === "chosen");
  for (const isConfirmed of [true, false]) {
    const values = { ...CHOICE.values, ...(isConfirmed ? {} : { unconfirmed: true as const }) };
    const { engine } = await opened({
      relation: null,
      policy: { authentication: "userpin" },
      choice: { ...CHOICE, values },
    });
    const held = [...engine.books.messages.values()]
      .filter(({ payloadId }) => engine.books.unconfirmed.has(payloadId))
      .map(({ kind }) => kind);
    assert.deepEqual(held.sort(), isConfirmed ? [] : ["pin_notice", "settings"]);
  }
});

test("settings that go in several messages are delivered when each of them is, whichever comes last", async () => {
  assert.ok(CHOICE.kind === "chosen");
  const [internet] = CHOICE.values.points;
  const mms = { ...internet!, use: "mms" as const, apn: "mms.example", mmsc: "http://mmsc.example/" };
  const choice = { ...CHOICE, values: { ...CHOICE.values, points: [internet!, mms] } };
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { engine, orderId } = await opened({ relation: null, judgement: { protocol: "nokiaota" }, choice });
    const messages = messagesOf(engine, "settings");
    assert.equal(messages.length, 2, "one for browsing, one for MMS");
    for (const message of messages) message.state = "submitted";
    await receipt(engine, messages[order[0]!]!.id, "delivered");
    assert.equal(
      item(engine, orderId, "settings").state,
      "sending",
      "half of the settings is not the settings",
    );
    await receipt(engine, messages[order[1]!]!.id, "delivered");
    assert.equal(item(engine, orderId, "settings").state, "delivered");
  }
});

// ---- bearers

const POINT = CHOICE.kind === "chosen" ? CHOICE.values.points[0]! : undefined;
const THREE_USES = {
  ...CHOICE,
  values: { name: "Meridian", points: ["internet", "mms", "wap"].map((apn) => ({ ...POINT!, apn })) },
} as typeof CHOICE;
const payloadOf = ({ books }: TestEngine, { payloadId }: { readonly payloadId: string }) =>
  books.payloads.get(payloadId)!;
const onTdma = (partsMax: number) =>
  ({ unknownBearer: "tdma", bearers: { tdma: { partsMax, partOctets: 140 } } }) as const;

test("R31: settings that are more than the bearer carries go in a message a use, and each message tells the rule", async () => {
  const { engine, orderId } = await opened({
    policy: onTdma(2),
    relation: null,
    choice: THREE_USES,
  });
  const sent = messagesOf(engine, "settings");
  assert.equal(sent.length, 3);
  assert.equal(item(engine, orderId, "settings").state, "sending");
  for (const message of sent) {
    assert.ok(message.partCount <= 2, `${message.partCount} parts`);
    const { air } = payloadOf(engine, message);
    assert.deepEqual([air?.bearer, air?.channel, air?.partOctets], ["tdma", "narrowband", 140]);
    assert.match(air?.rule ?? "", /octets are too many for tdma: a message a use/);
  }
  const wide = await opened({ relation: null, choice: THREE_USES });
  assert.equal(messagesOf(wide.engine, "settings").length, 1);
  assert.equal(payloadOf(wide.engine, messagesOf(wide.engine, "settings")[0]!).air?.bearer, "gsm");
});

test("R31: settings of which no form fits the bearer are refused with both figures, and the order ends by it", async () => {
  const { engine, orderId } = await opened({ policy: onTdma(1), relation: null, choice: THREE_USES });
  const { state, cause, reason } = item(engine, orderId, "settings");
  assert.deepEqual([state, cause], ["failed", "bearer_too_narrow"]);
  assert.match(
    reason,
    /settings of \d+ octets is more than tdma carries in one message \(1 SMS of 140 octets\)/,
  );
  assert.equal(engine.order(orderId).state, "failed");
  assert.equal(engine.books.messages.size, 0);
});

test("R31: key and settings that fit the bearer one by one and not together go in two messages", async () => {
  const { engine } = await opened({
    policy: { package: "together", ...onTdma(4) },
    choice: THREE_USES,
  });
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(messagesOf(engine, "package").length, 0);
  assert.equal(messagesOf(engine, "key").length, 1);
  assert.ok(messagesOf(engine, "settings").length >= 1);
});

test("R30: a message is cut as its bearer carries it", async () => {
  const { engine } = await opened({ policy: { unknownBearer: "phs" }, relation: null, choice: THREE_USES });
  const [phs] = messagesOf(engine, "settings");
  const gsm = await opened({ relation: null, choice: THREE_USES });
  assert.ok(phs!.partCount > messagesOf(gsm.engine, "settings")[0]!.partCount);
  assert.equal(payloadOf(engine, phs!).air?.partOctets, 90);
});

// ---- models

test("R125: a handset that has no band of the network gets nothing sent there, and the order says why it waits", async () => {
  const service = { answer: "no", common: [], plmn: "26201" } as const;
  const { engine, orderId } = await opened({ relation: null, judgement: { service } });
  const { state, reason } = engine.order(orderId);
  assert.equal(state, "waiting");
  assert.match(reason, /none of the bands of network 26201/);
  assert.equal(engine.books.messages.size, 0);
});

test("R127: on a model whose access points are all blocked the key still goes, and the settings say why they do not", async () => {
  const reason = "the maker lets nobody set this access point on the model (its letter): internet";
  const { engine, orderId } = await opened({
    relation: { keySource: "own" },
    choice: { kind: "refused", code: "access_points_blocked", reason },
  });
  const settings = item(engine, orderId, "settings");
  assert.deepEqual(
    [settings.state, settings.cause, settings.reason],
    ["failed", "access_points_blocked", reason],
  );
  assert.equal(item(engine, orderId, "key").state, "sending");
  assert.equal(messagesOf(engine, "key").length, 1);
  assert.equal(messagesOf(engine, "settings").length, 0);
  const alone = await opened({
    relation: null,
    choice: { kind: "refused", code: "access_points_blocked", reason },
  });
  assert.equal(alone.engine.order(alone.orderId).state, "failed");
});
