/** What an item says of its bill: that the billing centre was told, or changed it, only once the centre took it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { type RequestFixture, requestShop } from "../../../test/fixture/request-shop.ts";

const shop = await requestShop();
const VOICE_MAIL = { id: "voice-mail", elements: ["voice-mail"] } as const;
const RING_BACK = { id: "ring-back", elements: ["hlr-profile"] } as const;

const billOf = async (fixture: RequestFixture, orderId: string) =>
  (await fixture.story(orderId)).items[0]?.subject?.billing;
async function later(fixture: RequestFixture): Promise<void> {
  await shop.pass(HOUR_MS);
  await fixture.calls();
}
const silent = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "none" } as const);
const refused = () => Promise.resolve({ kind: "refused", cause: "no_such_item", reason: "no" } as const);
const taken = () => Promise.resolve({ kind: "done", reference: "bill-1" } as const);

test("the billing centre is said to be told once it took the word, and a silent one was not told", async () => {
  const fixture = await shop.fixture("silent centre", [VOICE_MAIL]);
  fixture.answers.billing = silent;
  const { orderId } = await fixture.ask(["voice-mail"]);
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.equal(await billOf(fixture, orderId), "telling");
  assert.ok(!(await fixture.events(orderId)).includes("billing_feature_done"));
  fixture.answers.billing = taken;
  await later(fixture);
  await later(fixture);
  assert.equal(await billOf(fixture, orderId), "told");
  assert.deepEqual(
    fixture.saw.billing.filter(({ kind }) => kind === "feature").map(({ id }) => id),
    [fixture.saw.billing.find(({ kind }) => kind === "feature")!.id],
    "and once",
  );
});

test("word that the billing centre refuses is not taken, and is not sent again by itself", async () => {
  const fixture = await shop.fixture("refusing centre", [VOICE_MAIL]);
  fixture.answers.billing = ({ kind }) => (kind === "feature" ? refused() : taken());
  const { orderId } = await fixture.ask(["voice-mail"]);
  await fixture.calls();
  await later(fixture);
  await later(fixture);
  assert.equal(await billOf(fixture, orderId), "not_taken");
  assert.equal(fixture.saw.billing.filter(({ kind }) => kind === "feature").length, 1);
});

test("a change is committed once the centre took the commit, and until then it says that it is on its way", async () => {
  const fixture = await shop.fixture("change", [VOICE_MAIL, RING_BACK]);
  await fixture.ask(["voice-mail"]);
  await fixture.calls();
  await later(fixture);
  fixture.answers.billing = ({ kind }) => (kind === "commit" ? silent() : taken());
  const { orderId } = await fixture.ask(["ring-back"]);
  await fixture.calls();
  assert.equal(await billOf(fixture, orderId), "committing");
  fixture.answers.billing = taken;
  await later(fixture);
  await later(fixture);
  assert.equal(await billOf(fixture, orderId), "committed");
});
