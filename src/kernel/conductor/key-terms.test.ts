/** What a relation says of keys: taken from stock, made to stay, or carried by ordinary settings to who runs none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { outboundCall } from "../../../test/fixture/order-books.ts";
import { IMSI, makerKey, OPERATOR, type TestEngine, testEngine } from "../../../test/fixture/order-engine.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import type { CallAnswer } from "../calls/answer.ts";

const item = (engine: TestEngine, orderId: string, kind: "key" | "settings") => {
  const found = engine.order(orderId).items.find((one) => one.kind === kind);
  assert.ok(found, kind);
  return found;
};
async function opened(setup: Parameters<typeof testEngine>[0]) {
  const engine = testEngine(setup);
  const orderId = engine.open();
  await engine.conductor.advance(10);
  return { engine, orderId };
}
function answer({ books, conductor }: TestEngine, given: CallAnswer): Promise<void> {
  const call = [...books.calls.values()].find((one) => one.kind === "key_request" && one.dueAt !== null);
  assert.ok(call, "a key is asked for");
  call.attempts += 1;
  return conductor.bookAnswers([{ call: outboundCall(call), answer: given }]);
}
const messages = ({ books }: TestEngine) => [...books.messages.values()].map(({ kind }) => kind);
const runsNone = { takesKey: false, isKeyKnown: false };

test("a key that is made here deletes itself after use, or stays, as the relation says (R104)", async () => {
  for (const deleteAfterUse of [true, false]) {
    const { engine } = await opened({ relation: { keySource: "own", deleteAfterUse } });
    const [key] = engine.books.keys.values();
    assert.ok(key);
    assert.equal(decodeDeviceKey(key.bytes).script.deleteAfterUse, deleteAfterUse);
  }
});

test("a key's access points go as ordinary settings to a model that runs no key, where its maker agreed, and the record says which key they came out of", async () => {
  const { engine, orderId } = await opened({
    relation: { keyApnsAsSettings: true },
    judgement: runsNone,
  });
  assert.equal(item(engine, orderId, "settings").state, "pending");
  await answer(engine, { kind: "key", bytes: makerKey("one") });
  const [key, settings] = [item(engine, orderId, "key"), item(engine, orderId, "settings")];
  assert.deepEqual([key.state, settings.state], ["sending", "sending"]);
  assert.equal(key.message?.id, settings.message?.id, "one message for both");
  assert.deepEqual(messages(engine), ["package"], "it goes out only while a key is wanted");
  assert.deepEqual([key.apns, settings.apns], [["acme.maker"], ["internet"]]);
  const told = engine.books.events.find(({ kind }) => kind === "key_in_settings");
  assert.equal(told?.itemId, key.id);
  await engine.conductor.bookReceipts([
    { smsc: "one", smscMessageId: key.message?.id ?? "", state: "delivered", errorCode: null },
  ]);
  assert.equal(engine.books.charges.size, 0, "a receipt is no success");
  await engine.conductor.confirm(OPERATOR, [
    { kind: "traffic", imsi: IMSI, apn: "acme.maker", source: "probe" },
  ]);
  assert.equal(item(engine, orderId, "key").state, "works");
  assert.equal(engine.books.charges.size, 1);
});

test("without the maker's word, or against the operator's, such a model gets settings alone and no key is asked for", async () => {
  const cases = [
    { relation: { keyApnsAsSettings: false }, judgement: runsNone },
    { relation: { keyApnsAsSettings: true }, judgement: { ...runsNone, isKeyForbidden: true } },
  ];
  for (const setup of cases) {
    const { engine, orderId } = await opened(setup);
    assert.equal(engine.books.calls.size, 0);
    assert.deepEqual(messages(engine), ["settings"]);
    assert.deepEqual(item(engine, orderId, "settings").apns, ["internet"]);
  }
});

test("the operator forbids it while the key is asked for: the key stays here and the settings go alone", async () => {
  const { engine, orderId } = await opened({
    relation: { keyApnsAsSettings: true },
    judgement: runsNone,
  });
  engine.world.judgement = { ...engine.world.judgement, isKeyForbidden: true };
  await answer(engine, { kind: "key", bytes: makerKey("one") });
  assert.equal(item(engine, orderId, "key").cause, "key_withheld");
  assert.deepEqual(messages(engine), ["settings"]);
});

test("a key of stock is asked for as such, and a stock that is empty says what to do", async () => {
  const { engine, orderId } = await opened({ relation: { keySource: "stock", keyServer: null } });
  const [call] = engine.books.calls.values();
  assert.deepEqual(call?.body, { itemId: item(engine, orderId, "key").id, from: "stock" });
  const reason = "no key of Acme is left in stock";
  await answer(engine, { kind: "failed", cause: "stock_empty", reason });
  const waiting = item(engine, orderId, "key");
  assert.deepEqual(
    [waiting.state, waiting.cause, waiting.reason],
    ["waiting_for_key", "stock_empty", reason],
  );
  assert.match(waiting.nextAction, /^import a batch of keys of Acme/);
  assert.ok(waiting.deadlineAt);
});
