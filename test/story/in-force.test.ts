/** What an operator said at one server decides what another does with the next sighting, and with what is under way. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type StoryOperator, type StoryPhone, storyFixture, until } from "../fixture/story.ts";

const fixture = await storyFixture();
const other = await fixture.another();

const MODEL = "Xperia Z3";
const pairOf = ({ spec }: StoryPhone) => ({
  imsi: spec.imsi,
  imei: spec.imei,
  msisdn: spec.msisdn,
  plmn: "001-01",
});
const overrideOf = ({ spec }: StoryPhone) => ({
  scope: "imei" as const,
  key: spec.imei,
  body: { verdict: "supported" as const },
  why: "its maker looks after it",
});
const judged = (operator: StoryOperator, phone: StoryPhone) =>
  operator.storyUntil(
    phone,
    ({ verdict, state }) => verdict !== null && state !== "received",
    "it is judged",
  );
const keysOf = ({ items }: { items: { kind: string }[] }): number =>
  items.filter(({ kind }) => kind === "key").length;

test("an override that was answered forbids a key at the next sighting, on whichever server", async () => {
  const operator = await fixture.operator();
  const old = fixture.phone(MODEL);
  await operator.sight(pairOf(old)); // both servers know by now what the operator says
  assert.equal(keysOf(await judged(operator, old)), 1, "it is left behind, and gets a key");
  for (let round = 0; round < 3; round++) {
    const [one, two] = [fixture.phone(MODEL), fixture.phone(MODEL)];
    await other.registry.overrides.put(operator.id, overrideOf(one), "story");
    await operator.sight(pairOf(one));
    const answer = await operator.call("PUT", "/v1/overrides", overrideOf(two));
    assert.equal(answer.status, 200, answer.text);
    await other.deps.intake.accept(operator.id, [pairOf(two)], "api");
    for (const phone of [one, two]) {
      const story = await judged(operator, phone);
      assert.deepEqual([story.verdict, keysOf(story)], ["supported", 0], `round ${round}`);
    }
  }
  assert.deepEqual(fixture.faults, []);
});

test("a key that waits to be sent when the operator says that its handset gets none does not go out any more", async () => {
  const operator = await fixture.operator();
  const old = fixture.phone(MODEL);
  const { orderId } = await operator.sight(pairOf(old));
  const tell = () => operator.get(`/v1/orders/${orderId}`);
  const keyIn = ({ items }: { items: { kind: string; state: string; cause: string | null }[] }) =>
    items.find(({ kind }) => kind === "key");
  await until(
    tell,
    ({ messages }) =>
      messages.length > 1 && messages.every(({ state }: { state: string }) => state === "submitted"),
    "key and settings are with the centre, and the phone is off",
  );
  const sent = () => fixture.accepted.filter(({ to }) => to === old.spec.msisdn).length;
  const before = sent();
  assert.equal((await operator.call("PUT", "/v1/overrides", overrideOf(old))).status, 200);
  // As if the centre had put it off: it is due again.
  await fixture.database.run(
    "update message set state = 'queued', due_at = now() where order_id = $1 and kind = 'key'",
    [orderId],
  );
  const story = await until(tell, (one) => keyIn(one)?.state === "failed", "it is given up");
  assert.equal(keyIn(story)?.cause, "key_withheld");
  assert.equal(sent(), before);
  const again = await operator.call("POST", `/v1/orders/${orderId}/resend`, {}, "care", {
    "idempotency-key": "again",
  });
  assert.equal(again.status, 202, "its settings go again");
  const resent = await until(tell, ({ messages }) => messages.length > 2, "they are queued");
  assert.deepEqual(resent.messages.map(({ kind }: { kind: string }) => kind).sort(), [
    "key",
    "settings",
    "settings",
  ]);
});
