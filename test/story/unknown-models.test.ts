/**
 * A model that no list names, from its first handset to the operator's own row, and handsets that are not what their IMEIs say: through
 * the API of a real server, with what a message centre and a device manager heard.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { imeiFromNetwork } from "../../src/term/imei.ts";
import { kindsOf, type StoryOperator, storyFixture, until } from "../fixture/story.ts";

const fixture = await storyFixture();

/** Of a range that no list names. */
const UNKNOWN_TAC = "86999901";
/** A whole number of a TAC; no story sees these serial numbers. */
const imei = (tac: string, serial: number): string =>
  imeiFromNetwork(`${tac}${String(700_100 + serial).padStart(6, "0")}`);

let sims = 0;
const sight = async (operator: StoryOperator, number: string) => {
  const imsi = `26201${String(880_000_000 + ++sims).padStart(10, "0")}`;
  const result = await operator.sight({ imei: number, imsi, plmn: "26201" });
  return { imsi, orderId: String(result.orderId), deviceId: String(result.deviceId) };
};
const say = async (operator: StoryOperator, ...said: readonly object[]) =>
  assert.equal((await operator.call("POST", "/v1/devices/said", { said }, "probe")).status, 202);

test("handsets of a model that no list names say what they are; a person approves, and the TAC has its name", async () => {
  const operator = await fixture.operator();
  const handsets = [imei(UNKNOWN_TAC, 1), imei(UNKNOWN_TAC, 2)];
  for (const one of handsets) await sight(operator, one);
  const value = "http://wap.samsungmobile.com/uaprof/SM-A546B.xml";
  await say(operator, ...handsets.map((one) => ({ imei: one, source: "ua_profile", value })));
  const queue = async () =>
    (await operator.get("/v1/devices/unknown", "engineer")).rows.find(
      ({ tac }: { tac: string }) => tac === UNKNOWN_TAC,
    );
  const row = await until(queue, (found) => found?.proposal, "its handsets make a row likely");
  assert.deepEqual(row.proposal, {
    ...{ make: "Samsung", model: "SM-A546B", handsets: 2, ofHandsets: 2 },
    sources: ["ua_profile"],
  });
  assert.deepEqual(row.said, [{ source: "ua_profile", value, handsets: 2 }]);

  const { make, model } = row.proposal;
  const asked = await operator.call(
    ...(["POST", "/v1/devices/unknown/proposals"] as const),
    { rows: [{ tac: UNKNOWN_TAC, make, model }], reason: "two handsets say so" },
    "engineer",
    { "idempotency-key": "unknown-models-1" },
  );
  assert.equal(asked.status, 202, asked.text);
  assert.ok(await queue(), "nothing counts before a person has agreed");
  const approved = await operator.call(
    ...(["POST", `/v1/approvals/${asked.body.approvalId}`] as const),
    { outcome: "approved", reason: "looked at" },
    "engineer",
  );
  assert.equal(approved.status, 200, approved.text);
  assert.equal(await until(queue, (found) => found === undefined, "it has left the queue"), undefined);
  const device = await until(
    () => operator.get(`/v1/devices/${handsets[0]}`, "engineer"),
    (found) => found.make !== null,
    "its model has a name",
  );
  assert.deepEqual([device.make, device.source], ["Samsung", "reviewed"]);
});

test("a handset whose own word is not of its number's model stands as doubted on its subscriber and in the order, until a person has looked", async () => {
  const operator = await fixture.operator();
  const number = imei("35693803", 3);
  const { imsi, orderId } = await sight(operator, number);
  const { make } = await operator.get(`/v1/devices/${number}`, "engineer");
  assert.notEqual(make, null, "a list names it");
  const isApple = make === "Apple";
  await say(operator, {
    imei: number,
    ...(isApple
      ? { source: "ua_profile", value: "http://wap.samsungmobile.com/uaprof/SGH-E250.xml" }
      : { source: "apple_product", value: "iPhone14,2" }),
  });
  const doubtsOf = async () => (await operator.get(`/v1/devices/${number}`, "care")).doubts;
  const [doubt] = await until(doubtsOf, (found) => found.length > 0, "its IMEI is doubted");
  assert.equal(doubt.kind, "false_model");
  const standing = await operator.get(`/v1/care/subscribers/${imsi}`, "care");
  assert.deepEqual(
    standing.devices.map(({ doubts }: { doubts: { id: string }[] }) => doubts.map(({ id }) => id)),
    [[doubt.id]],
  );
  assert.ok(kindsOf(await operator.get(`/v1/orders/${orderId}`, "engineer")).includes("imei_doubted"));
  const ended = await operator.call(
    ...(["POST", `/v1/devices/doubts/${doubt.id}/end`] as const),
    { reason: "Seen in the shop." },
    "engineer",
  );
  assert.equal(ended.status, 200, ended.text);
  assert.deepEqual(await doubtsOf(), []);
});
