/** Items of which nothing goes to the device: they stand as done once every element of the network has said so, not before. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { type RequestHouse, requestShop } from "../../../test/fixture/request-shop.ts";

const shop = await requestShop();
const FORWARDING = { id: "forward", elements: ["voice-mail", "forwarding"] } as const;
const silent = (of: string) => (task: { readonly element: string }) =>
  Promise.resolve(
    task.element === of
      ? ({ kind: "failed", cause: "timeout", reason: "none" } as const)
      : ({ kind: "done", reference: null } as const),
  );
const itemOf = async (house: RequestHouse, orderId: string) => (await house.story(orderId)).items[0]!;

test("an item that the network alone provides is not said to have arrived until every element is done", async () => {
  const house = await shop.house("one is slow", [FORWARDING]);
  house.answers.element = silent("forwarding");
  const { orderId } = await house.ask(["forward"]);
  assert.equal((await itemOf(house, orderId)).state, "sending", "nobody was asked yet");
  await house.errands();
  const waiting = await itemOf(house, orderId);
  assert.deepEqual([waiting.state, waiting.nextAction], ["sending", "wait for the network's elements"]);
  assert.equal((await house.status(orderId)).state, "provisioning");
  house.answers.element = silent("none");
  await shop.pass(HOUR_MS);
  await house.errands();
  assert.equal((await itemOf(house, orderId)).state, "delivered");
  const said = (await house.story(orderId)).events.find(({ kind }) => kind === "delivered");
  assert.deepEqual([said?.reason, said?.evidence], ["the network's elements are done", "element:forwarding"]);
  assert.equal((await house.status(orderId)).state, "completed");
});

test("an element that never answers fails the item with what was met, takes back what the other did, and bills nothing", async () => {
  const house = await shop.house("one is silent", [FORWARDING]);
  house.answers.element = silent("forwarding");
  const { orderId } = await house.ask(["forward"]);
  for (let hour = 0; hour < 27; hour++) {
    await house.errands();
    await shop.pass(HOUR_MS);
  }
  await house.errands();
  const item = await itemOf(house, orderId);
  assert.deepEqual([item.state, item.cause], ["failed", "element_failed"]);
  assert.match(item.reason, /forwarding failed: timeout/);
  assert.equal(item.subject?.elements["voice-mail"], "undone");
  assert.equal((await house.status(orderId)).state, "failed");
  assert.deepEqual(house.saw.billing, []);
});

test("a removal that the network makes is not said to work before the network has made it", async () => {
  const house = await shop.house("slow removal", [FORWARDING]);
  await house.ask(["forward"]);
  await house.errands();
  await shop.pass(HOUR_MS);
  await house.errands();
  house.answers.element = silent("forwarding");
  const { orderId } = await house.ask(["forward"], { action: "remove" });
  await house.errands();
  await shop.pass(HOUR_MS);
  await house.errands();
  assert.equal((await itemOf(house, orderId)).state, "sending");
  house.answers.element = silent("none");
  await shop.pass(HOUR_MS);
  await house.errands();
  await shop.pass(HOUR_MS);
  await house.errands();
  assert.equal((await itemOf(house, orderId)).state, "works");
});
