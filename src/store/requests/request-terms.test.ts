/** Which channels terms went out by: those that took them, by the policy's choice, and what follows where one does not. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { HOUR_MS } from "../../../test/fixture/order-engine.ts";
import { type RequestFixture, requestShop, USER } from "../../../test/fixture/request-shop.ts";
import { DEFAULT_POLICY, withDefaults } from "../../kernel/operator/policy.ts";
import type { RequestPolicy } from "../../kernel/operator/request-policy.ts";
import { createRequestReader } from "./request-reader.ts";

const shop = await requestShop();
const reader = createRequestReader(shop.database, shop.sealer, () => new Date(shop.time.now));
const BOTH = { ...USER, fax: "+442079460123" };

const termsOf = (name: string, policy: Partial<RequestPolicy> = {}) =>
  shop.fixture(
    name,
    [{ id: "ring-back", terms: "t", elements: ["hlr-profile"], content: { kind: "none" } }],
    {
      terms: ["t"],
      policy,
    },
  );
async function consentOf({ operatorId }: RequestFixture, orderId: string) {
  const [consent] = (await reader.detail(operatorId, orderId))!.consents;
  return consent!;
}
const refused = (channel: "mail" | "fax") => (mail: { readonly to: { readonly kind: string } }) =>
  Promise.resolve(
    mail.to.kind === channel
      ? ({ kind: "refused", cause: "mail_refused", reason: "550" } as const)
      : ({ kind: "done", reference: null } as const),
  );

test("a channel is named once it took the terms: the centre every part of the SMS, the mail server the mail", async () => {
  const fixture = await termsOf("channels");
  fixture.answers.mail = refused("fax");
  const { orderId } = await fixture.ask(["ring-back"], { user: BOTH, noticeKey: null });
  assert.deepEqual((await consentOf(fixture, orderId)).sentBy, [], "they wait in the queue");
  const [message] = (await fixture.story(orderId)).messages;
  await shop.database.run("update message set part_count = 2 where id = $1", [message!.id]);
  await fixture.submitted([{ messageId: message!.id, parts: 1 }]);
  assert.deepEqual((await consentOf(fixture, orderId)).sentBy, [], "half of a text is none");
  await fixture.submitted([{ messageId: message!.id, parts: 2 }]);
  assert.deepEqual((await consentOf(fixture, orderId)).sentBy, ["sms"]);

  await fixture.calls();
  const consent = await consentOf(fixture, orderId);
  assert.deepEqual(consent.sentBy, ["sms", "mail"]);
  assert.deepEqual(consent.notSentBy, [{ channel: "fax", reason: "the mail server refused: mail_refused" }]);
  const said = (await fixture.story(orderId)).events.filter(({ kind }) => kind.startsWith("mail_"));
  assert.deepEqual(said.map(({ kind, reason, evidence }) => [kind, reason, evidence]).sort(), [
    ["mail_not_sent", "the terms did not go out by fax: mail_refused", null],
    ["mail_sent", "the mail server took the terms for mail", "mail_server"],
  ]);
  assert.equal((await fixture.status(orderId)).state, "awaiting_consent", "the others are enough");
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  assert.deepEqual(
    (await consentOf(fixture, orderId)).sentBy,
    ["sms", "mail"],
    "an answer changes nothing of it",
  );
});

test("a mail server that is silent has sent nothing, until it takes the terms after all", async () => {
  const fixture = await termsOf("silent server", { termsAlsoBy: ["mail"] });
  fixture.answers.mail = () => Promise.resolve({ kind: "failed", cause: "timeout", reason: "silent" });
  const { orderId } = await fixture.ask(["ring-back"], { user: BOTH, noticeKey: null });
  await fixture.calls();
  const waiting = await consentOf(fixture, orderId);
  assert.deepEqual([waiting.sentBy, waiting.notSentBy], [[], []]);
  fixture.answers.mail = refused("fax");
  await shop.pass(HOUR_MS);
  await fixture.calls();
  assert.deepEqual((await consentOf(fixture, orderId)).sentBy, ["mail"]);
});

for (const [termsAlsoBy, went] of [
  [[], []],
  [["fax"], ["fax"]],
  [["mail"], ["mail"]],
  [
    ["mail", "fax"],
    ["fax", "mail"],
  ],
] as const) {
  test(`terms go by SMS, and beside it by ${went.join(" and ") || "nothing"} where the policy says so`, async () => {
    const fixture = await termsOf(`also by ${went.join("+")}`, { termsAlsoBy });
    const { orderId } = await fixture.ask(["ring-back"], { user: BOTH, noticeKey: null });
    await fixture.calls();
    assert.deepEqual(fixture.saw.mails.map(({ to }) => to.kind).sort(), went);
    const [terms] = await fixture.told();
    assert.match(terms!.text, /Reply YES/);
    assert.deepEqual([...(await consentOf(fixture, orderId)).sentBy].sort(), [...went, "sms"].sort());
  });
}

for (const channel of ["mail", "sms"] as const) {
  test(`where the policy stops at a channel that does not take the terms, ${channel} that fails ends the request with its name`, async () => {
    const fixture = await termsOf(`stops at ${channel}`, { termsNotSent: "stop" });
    const { orderId } = await fixture.ask(["ring-back"], { user: BOTH, noticeKey: null });
    if (channel === "mail") {
      fixture.answers.mail = refused("mail");
      await fixture.calls();
    } else
      for (let attempt = 0; attempt <= DEFAULT_POLICY.resendLimit; attempt++) {
        await fixture.told("failed");
        await shop.pass(6 * HOUR_MS);
      }
    const story = await fixture.story(orderId);
    assert.deepEqual([story.state, story.items[0]?.state], ["failed", "cancelled"]);
    assert.match(
      story.reason,
      new RegExp(`^the terms did not go out by ${channel}: .*, and the policy stops there$`),
    );
    const { notSentBy } = await consentOf(fixture, orderId);
    assert.ok(
      notSentBy.some((one) => one.channel === channel),
      JSON.stringify(notSentBy),
    );
    const [{ sealed }] = (await shop.database.rows<{ sealed: boolean }>(
      "select user_sealed is not null as sealed from request where order_id = $1",
      [orderId],
    )) as [{ sealed: boolean }];
    assert.equal(sealed, false, "nothing came of it, so nobody's data is kept");
  });
}

test("a channel that fails after the answer stops nothing", async () => {
  const fixture = await termsOf("late failure", { termsNotSent: "stop" });
  fixture.answers.mail = refused("mail");
  const { orderId } = await fixture.ask(["ring-back"], { user: BOTH, noticeKey: null });
  await fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen");
  await fixture.calls();
  assert.notEqual((await fixture.status(orderId)).state, "failed");
});

test("terms that no channel took and nobody answered end with just that", async () => {
  const fixture = await termsOf("nobody was told", { termsAlsoBy: [] });
  const { orderId } = await fixture.ask(["ring-back"], { noticeKey: null });
  await shop.pass(49 * HOUR_MS);
  const story = await fixture.story(orderId);
  assert.deepEqual(
    [story.state, story.reason],
    ["expired", "nobody answered the terms in time; no channel had taken them"],
  );
});

test("a policy that was stored before a switch of requests has the switch's default", () => {
  const { termsAlsoBy: _, termsNotSent: __, ...older } = DEFAULT_POLICY.request;
  const { termsAlsoBy, termsNotSent, offerDays } = withDefaults({
    request: { ...older, offerDays: 3 } as RequestPolicy,
  }).request;
  assert.deepEqual([termsAlsoBy, termsNotSent, offerDays], [["mail", "fax"], "continue", 3]);
});

test("terms whose request was cancelled, or whose time is over, take no answer any more", async () => {
  const fixture = await termsOf("closed question");
  const cancelled = await fixture.ask(["ring-back"], { user: BOTH });
  await shop.conductor.cancel(fixture.operatorId, cancelled.orderId, "care");
  const expired = await fixture.ask(["ring-back"], { user: BOTH });
  await shop.pass(DEFAULT_POLICY.request.consentDeadlineHours * HOUR_MS + 1);
  for (const [{ orderId }, state] of [
    [cancelled, "cancelled"],
    [expired, "expired"],
  ] as const) {
    assert.equal((await fixture.status(orderId)).state, state);
    await assert.rejects(fixture.requests.answerTerms(fixture.scope, orderId, "accept", "screen"), {
      code: "nothing_to_answer",
    });
    assert.equal((await fixture.status(orderId)).state, state, "an agreement that comes late opens nothing");
  }
});
