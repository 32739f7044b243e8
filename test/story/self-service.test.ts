/** A new phone asks by itself, through the proxy, and gets its features and services (US 6,647,260 whole; row 71). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { roadHouse } from "./road-house.ts";

const house = await roadHouse();

test("first power-on to a service that works, on a keypad and without a shop", async () => {
  const phone = await house.phone();
  phone.powerOn();
  await phone.walk([
    { await: "start" },
    { choose: "Features" },
    { await: "list" },
    { choose: "Java runtime" },
    { await: "item" },
    { choose: "Order" },
    { await: "order" },
    { submit: true },
  ]);
  const story = await house.storyUntil(phone, ({ endedAt }) => endedAt !== null, "the order has ended");
  assert.equal(story.state, "completed", JSON.stringify(story, null, 1).slice(0, 4_000));
  assert.deepEqual(house.faults, []);
});
