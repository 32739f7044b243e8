/** What an item says of its bill: that the billing centre was told, or changed it, only once the centre took it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { type RequestHouse, requestShop } from "../../../test/fixture/request-shop.ts";

const shop = await requestShop();
const VOICE_MAIL = { id: "voice-mail", elements: ["voice-mail"] } as const;
const RING_BACK = { id: "ring-back", elements: ["hlr-profile"] } as const;

const billOf = async (house: RequestHouse, orderId: string) =>
  (await house.story(orderId)).items[0]?.subject?.billing;
async function later(house: RequestHouse): Promise<void> {
  await shop.pass(HOUR_MS);
  await house.errands();
}
const silent = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" } as const);
const refused = () => Promise.resolve({ kind: "refused", cause: "no_such_item", reason: "no" } as const);
const taken = () => Promise.resolve({ kind: "done", reference: "bill-1" } as const);

test("the billing centre is said to be told once it took the word, and a silent one was not told", async () => {
  const house = await shop.house("silent centre", [VOICE_MAIL]);
  house.answers.billing = silent;
  const { orderId } = await house.ask(["voice-mail"]);
  await house.errands();
  assert.equal((await house.status(orderId)).state, "completed");
  assert.equal(await billOf(house, orderId), "telling");
  assert.ok(!(await house.events(orderId)).includes("billing_feature_done"));
  house.answers.billing = taken;
  await later(house);
  await later(house);
  assert.equal(await billOf(house, orderId), "told");
  assert.deepEqual(
    house.saw.billing.filter(({ kind }) => kind === "feature").map(({ id }) => id),
    [house.saw.billing.find(({ kind }) => kind === "feature")!.id],
    "and once",
  );
});

test("word that the billing centre refuses is not taken, and is not sent again by itself", async () => {
  const house = await shop.house("refusing centre", [VOICE_MAIL]);
  house.answers.billing = ({ kind }) => (kind === "feature" ? refused() : taken());
  const { orderId } = await house.ask(["voice-mail"]);
  await house.errands();
  await later(house);
  await later(house);
  assert.equal(await billOf(house, orderId), "not_taken");
  assert.equal(house.saw.billing.filter(({ kind }) => kind === "feature").length, 1);
});

test("a change is committed once the centre took the commit, and until then it says that it is on its way", async () => {
  const house = await shop.house("change", [VOICE_MAIL, RING_BACK]);
  await house.ask(["voice-mail"]);
  await house.errands();
  await later(house);
  house.answers.billing = ({ kind }) => (kind === "commit" ? silent() : taken());
  const { orderId } = await house.ask(["ring-back"]);
  await house.errands();
  assert.equal(await billOf(house, orderId), "committing");
  house.answers.billing = taken;
  await later(house);
  await later(house);
  assert.equal(await billOf(house, orderId), "committed");
});
