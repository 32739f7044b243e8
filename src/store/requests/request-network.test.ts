/** Items of which nothing goes to the device: they stand as done once every element of the network has said so, not before. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";

const shop = await requestShop();
const FORWARDING = { id: "forward", elements: ["voice-mail", "forwarding"] } as const;
const silent = (of: string) => (task: { readonly element: string }) =>
  Promise.resolve(
    task.element === of
      ? ({ kind: "failed", cause: "timeout", reason: "none" } as const)
      : ({ kind: "done", reference: null } as const),
  );
const itemOf = async (fixture: RequestFixture, orderId: string) => (await fixture.story(orderId)).items[0]!;

test("an item that the network alone provides is not said to have arrived until every element is done", async () => {
  const fixture = await shop.fixture("one is slow", [FORWARDING]);
  fixture.answers.element = silent("forwarding");
  const { orderId } = await fixture.ask(["forward"]);
  assert.equal((await itemOf(fixture, orderId)).state, "sending", "nobody was asked yet");
  await fixture.calls();
  const waiting = await itemOf(fixture, orderId);
  assert.deepEqual([waiting.state, waiting.nextAction], ["sending", "wait for the network's elements"]);
  assert.equal((await fixture.status(orderId)).state, "provisioning");
  fixture.answers.element = silent("none");
  await shop.pass(HOUR_MS);
  await fixture.calls();
  assert.equal((await itemOf(fixture, orderId)).state, "delivered");
  const said = (await fixture.story(orderId)).events.find(({ kind }) => kind === "delivered");
  assert.deepEqual([said?.reason, said?.evidence], ["the network's elements are done", "element:forwarding"]);
  assert.equal((await fixture.status(orderId)).state, "completed");
});

test("an element that never answers fails the item with what was met, takes back what the other did, and bills nothing", async () => {
  const fixture = await shop.fixture("one is silent", [FORWARDING]);
  fixture.answers.element = silent("forwarding");
  const { orderId } = await fixture.ask(["forward"]);
  for (let hour = 0; hour < 27; hour++) {
    await fixture.calls();
    await shop.pass(HOUR_MS);
  }
  await fixture.calls();
  const item = await itemOf(fixture, orderId);
  assert.deepEqual([item.state, item.cause], ["failed", "element_failed"]);
  assert.match(item.reason, /forwarding failed: timeout/);
  assert.equal(item.subject?.elements["voice-mail"], "undone");
  assert.equal((await fixture.status(orderId)).state, "failed");
  assert.deepEqual(fixture.saw.billing, []);
});

test("a removal that the network makes is not said to work before the network has made it", async () => {
  const fixture = await shop.fixture("slow removal", [FORWARDING]);
  await fixture.ask(["forward"]);
  await fixture.calls();
  await shop.pass(HOUR_MS);
  await fixture.calls();
  fixture.answers.element = silent("forwarding");
  const { orderId } = await fixture.ask(["forward"], { action: "remove" });
  await fixture.calls();
  await shop.pass(HOUR_MS);
  await fixture.calls();
  assert.equal((await itemOf(fixture, orderId)).state, "sending");
  fixture.answers.element = silent("none");
  await shop.pass(HOUR_MS);
  await fixture.calls();
  await shop.pass(HOUR_MS);
  await fixture.calls();
  assert.equal((await itemOf(fixture, orderId)).state, "works");
});

test("R128: a request goes by the rules of the market whose network serves its device now", async () => {
  const rules = {
    markets: ["JM"],
    marketRules: { JM: { unknownBearer: "tdma" as const, sender: "JAMAICA" } },
  };
  const fixture = await shop.fixture("of a market", [{ id: "ring-back", content: { kind: "none" } }]);
  const { version, body } = await shop.registry.policies.current(fixture.operatorId);
  await shop.registry.policies.put(fixture.operatorId, version, { ...body, ...rules }, "test");
  const { imei, imsi, msisdn } = fixture;
  await shop.see(fixture.operatorId, { imei, imsi, msisdn, plmn: "338-05" });
  const { orderId } = await fixture.ask(["ring-back"], { bearer: null });
  await fixture.calls();
  const story = await fixture.story(orderId);
  assert.deepEqual([story.market, story.servingPlmn], ["JM", "33805"]);
  assert.ok(story.messages.length > 0 && story.messages.every(({ bearer }) => bearer === "tdma"));
  const elsewhere = await shop.fixture("of no market", [{ id: "ring-back", content: { kind: "none" } }]);
  const other = await elsewhere.ask(["ring-back"], { bearer: null });
  await elsewhere.calls();
  const plain = await elsewhere.story(other.orderId);
  assert.equal(plain.market, null);
  assert.ok(plain.messages.every(({ bearer }) => bearer === "gsm"));
});
