/** A key and the settings that wait for it: together, one without the other, withheld, refused, taken over. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS, IMSI, makerKey, OPERATOR } from "../../../test/fixture/order-engine.ts";
import { answer, item, kindsOf, messagesOf, opened, receipt } from "../../../test/fixture/order-steps.ts";
import type { CallAnswer } from "../calls/answer.ts";

const NO_ANSWER: CallAnswer = { kind: "failed", cause: "timeout", reason: "no answer within 10000 ms" };

test("key and settings wait for each other; when the key comes they go in one message", async () => {
  const { engine, orderId } = await opened({ policy: { package: "together" } });
  assert.equal(item(engine, orderId, "settings").cause, "sent_with_key");
  assert.equal(engine.books.messages.size, 0);
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(messagesOf(engine, "package").length, 1);
  assert.equal(item(engine, orderId, "key").message?.id, item(engine, orderId, "settings").message?.id);
});

test("what is on its way to one handset bears references of its own, whatever chance gives: else parts are lost to each other", async () => {
  const { engine, orderId } = await opened({
    randomBytes: (octets) => new Uint8Array(octets).fill(255),
    policy: { package: "apart", authentication: "userpin" },
    relation: { keySource: "own" },
  });
  const referencesOf = () => [...engine.books.messages.values()].map(({ reference }) => reference);
  assert.ok(referencesOf().length >= 3, "a PIN, settings and a key");
  assert.equal(new Set(referencesOf()).size, referencesOf().length, "in one step");
  const before = referencesOf();
  await engine.conductor.resend(OPERATOR, orderId, "care");
  const again = referencesOf().slice(before.length);
  assert.ok(again.length > 0);
  assert.equal(new Set(again).size, again.length, "sent again");
  const stillThere = before.filter((reference) => again.includes(reference));
  assert.deepEqual(stillThere, [], "parts of the former may still be on their way");
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

test("a device left behind that runs no key gets the key's access points as settings, where the policy says so", async () => {
  const { engine, orderId } = await opened({
    policy: { keyApnsInSettings: true },
    relation: { keySource: "own" },
    judgement: { takesKey: false },
  });
  assert.equal(item(engine, orderId, "key"), undefined);
  assert.deepEqual(item(engine, orderId, "settings").apns, ["internet", "acme.maker"]);
});

test("the own store makes no key where the servers that it leads to are not set up, and the settings go", async () => {
  const { engine, orderId } = await opened({ relation: { keySource: "own", appHosts: [] } });
  assert.equal(item(engine, orderId, "key"), undefined);
  assert.equal(item(engine, orderId, "settings").state, "sending");
  assert.ok(kindsOf(engine).includes("key_not_available"));
});
