/** How often an order's messages go, and what goes no more. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CHOICE, OPERATOR } from "../../../test/fixture/order-engine.ts";
import { item, messagesOf, opened, receipt } from "../../../test/fixture/order-steps.ts";
import { DEFAULT_POLICY } from "../operator/policy.ts";

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

test("what is refused for good when it is handed over is not sent again, whoever refused it; what the network failed is", async () => {
  for (const [errorCode, sent] of [
    ["ESME_RINVSRCTON", 1],
    ["ESME_RINVDSTADR", 1],
    ["alphabet_unfit", 1],
    ["smpp_field_invalid", 1],
    ["unreadable", 2],
    ["034", 2],
  ] as const) {
    const { engine, orderId } = await opened({ relation: null });
    const [message] = messagesOf(engine, "settings");
    assert.ok(message);
    await engine.conductor.bookSubmissions(
      [],
      [{ messageId: message.id, reason: "r", retryAt: null, errorCode }],
    );
    const { state, cause } = item(engine, orderId, "settings");
    assert.equal(messagesOf(engine, "settings").length, sent, errorCode);
    assert.deepEqual([state, cause], sent === 1 ? ["failed", "sms_failed"] : ["sending", null], errorCode);
    const isOurs = !/^(ESME|0)/.test(errorCode);
    const said = item(engine, orderId, "settings").reason;
    assert.equal(said.startsWith("the SMSC failed it"), !isOurs, `${errorCode}: ${said}`);
  }
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
