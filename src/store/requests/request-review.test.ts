/** Of whom nothing is known, somebody has a word before anything is done (US 6,647,260, claim 7; R38). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { requestShop, USER } from "../../../test/fixture/request-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { createRequestReader } from "./request-reader.ts";

const HOUR_MS = 3_600_000;
const MMS = [{ id: "mms" }];
/** As it ships. */
const { unknownUser, reviewDeadlineHours } = DEFAULT_POLICY.request;
const policy = { unknownUser, reviewDeadlineHours };
const shop = await requestShop();

test("as it ships, the bureau is asked of a stranger, and what it says decides", async () => {
  const fixture = await shop.fixture("review stranger", MMS, { policy });
  const { orderId } = await fixture.ask(["mms"]);
  assert.equal((await fixture.status(orderId)).state, "verifying");
  await fixture.calls();
  assert.equal((await fixture.status(orderId)).state, "completed");
  assert.deepEqual(
    fixture.saw.identities.map(({ user }) => user.familyName),
    ["Lovelace"],
  );
});

const waits = async (name: string) => {
  const fixture = await shop.fixture(name, MMS, { policy });
  const { orderId } = await fixture.ask(["mms"], { user: {} });
  return {
    fixture,
    orderId,
    review: (outcome: "approved" | "refused") =>
      fixture.requests.review(fixture.operatorId, orderId, { outcome, actor: "anna" }),
  };
};

test("a stranger without a name waits for a person, with a reason, a deadline and what is next; nobody outside hears of it", async () => {
  const { fixture, orderId } = await waits("review nameless");
  await fixture.calls();
  const { state, reason, nextAction, deadlineAt } = await fixture.status(orderId);
  assert.deepEqual(
    [state, reason],
    ["verifying", "a person has to look at who asks: nothing is known of who asks"],
  );
  assert.match(nextAction, /approve or refuse/);
  assert.equal(Date.parse(deadlineAt!), shop.time.now + reviewDeadlineHours * HOUR_MS);
  assert.deepEqual([fixture.saw.identities, fixture.saw.elements, fixture.saw.billing], [[], [], []]);
  const listed = await createRequestReader(shop.database, shop.sealer, () => new Date(shop.time.now)).list(
    fixture.operatorId,
    { isForReview: true },
    { limit: 10, cursor: undefined },
  );
  assert.deepEqual(
    listed.rows.map(({ id }) => id),
    [orderId],
  );
});

test("R23: whoever waits for a person is told by SMS that it is one, and until when, in their language", async () => {
  const quietHours = { from: "22:00", to: "07:00", timeZone: "Asia/Tokyo", timeZones: {} };
  for (const [language, first] of [
    ["en", /a person of ours looks at your request \w{8}, until \d+ May\D+\d\d:\d\d GMT\+9 at the latest\./],
    ["de", /sieht sich ein Mensch bei uns an, spätestens bis \d+\. Mai\D+\d\d:\d\d GMT\+9\./],
  ] as const) {
    const fixture = await shop.fixture(`review told ${language}`, MMS, { policy });
    const { body, version } = await shop.registry.policies.current(fixture.operatorId);
    const changed = { ...body, quietHours, request: { ...body.request, reviewDeadlineHours: 48 } };
    await shop.registry.policies.put(fixture.operatorId, version, changed, "test");
    const { orderId } = await fixture.ask(["mms"], { user: {}, language });
    const [text, ...more] = (await fixture.told()).map((one) => one.text);
    assert.match(text ?? "", first);
    assert.deepEqual(more, []);
    const { deadlineAt } = await fixture.status(orderId);
    const inTokyo = new Date(Date.parse(deadlineAt ?? "") + 9 * HOUR_MS).toISOString().slice(11, 16);
    assert.ok(text?.includes(inTokyo), `${text} is not by the operator's clock: ${inTokyo}`);
  }
});

test("a person's yes lets him in, and his no ends the request with the reason", async () => {
  const yes = await waits("review yes");
  await yes.review("approved");
  assert.equal((await yes.fixture.status(yes.orderId)).state, "completed");
  assert.ok((await yes.fixture.events(yes.orderId)).includes("review_approved"));
  await assert.rejects(yes.review("refused"), { code: "nothing_to_answer" });
  const no = await waits("review no");
  await no.review("refused");
  const { state, reason } = await no.fixture.status(no.orderId);
  assert.deepEqual([state, reason], ["rejected", "identity refused"]);
});

test("nobody who looks in time is a no", async () => {
  const { fixture, orderId } = await waits("review late");
  await shop.pass(reviewDeadlineHours * HOUR_MS);
  assert.equal((await fixture.status(orderId)).state, "rejected");
  assert.deepEqual((await fixture.status(orderId)).reason, "identity unverified");
});

test("where no bureau is configured a person is asked at once; where the policy demands one, silence stays a no", async () => {
  const nobody = { kind: "failed", cause: "not_configured", reason: "no identity bureau" } as const;
  const fixture = await shop.fixture("review no bureau", MMS, { policy });
  fixture.answers.identity = () => Promise.resolve(nobody);
  const { orderId } = await fixture.ask(["mms"]);
  await fixture.calls();
  assert.match(
    (await fixture.status(orderId)).reason,
    /a person has to look .* no identity bureau is configured/,
  );
  const { user } = (await fixture.requests.underReview(fixture.operatorId, orderId))!;
  assert.deepEqual(user, USER);
  await fixture.requests.review(fixture.operatorId, orderId, { outcome: "approved", actor: "anna" });
  assert.equal((await fixture.status(orderId)).state, "completed");

  const strict = await shop.fixture("review strict", MMS, { policy: { ...policy, verifyBy: "bureau" } });
  strict.answers.identity = () => Promise.resolve(nobody);
  const asked = await strict.ask(["mms"]);
  await strict.calls();
  assert.equal(await strict.requests.underReview(strict.operatorId, asked.orderId), undefined);
  await shop.pass(2 * HOUR_MS);
  assert.equal((await strict.status(asked.orderId)).state, "rejected");
});

test("a policy that refuses strangers says why, and one that takes the SIM for enough asks nobody", async () => {
  const refusing = await shop.fixture("review refusing", MMS, { policy: { unknownUser: "reject" } });
  const { orderId } = await refusing.ask(["mms"]);
  assert.deepEqual(
    [(await refusing.status(orderId)).state, (await refusing.status(orderId)).reason],
    ["rejected", "user unknown"],
  );
  const accepting = await shop.fixture("review accepting", MMS, { policy: { unknownUser: "accept" } });
  const accepted = await accepting.ask(["mms"], { user: {} });
  assert.equal((await accepting.status(accepted.orderId)).state, "completed");
});

test("a removal, where nobody looks at who asks, makes nobody known: the next request is looked at all the same", async () => {
  const removed = await shop.fixture("review by removal", MMS, { policy });
  await removed.ask(["mms"], { action: "remove" });
  const asked = await removed.ask(["mms"]);
  assert.equal((await removed.status(asked.orderId)).state, "verifying", "a removal makes nobody known");
  await removed.calls();
  assert.equal(removed.saw.identities.length, 1);

  // Nor one that an item would not have somebody from outside look at.
  const strict = { id: "strict", requires: { assurance: "otp", verification: true, card: false } } as const;
  const lenient = await shop.fixture("review by removal, item", [...MMS, strict]);
  await lenient.ask(["mms"], { action: "remove" });
  const wanted = await lenient.ask(["strict"]);
  assert.equal((await lenient.status(wanted.orderId)).state, "verifying");
});
