/** What the checks of device and user come to. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { SEED } from "../../../test/fixture/seed.ts";
import type { UserAccount } from "../account/account-facts.ts";
import {
  differingFields,
  type Findings,
  judgeVerification,
  reviewedWithoutName,
  type Verdict,
  type VerificationDue,
  verificationDue,
} from "./judge-verification.ts";
import { DEFAULT_REGISTRATION_POLICY as POLICY } from "./registration-policy.ts";

const ACCOUNT: UserAccount = {
  id: "a",
  operatorId: "o",
  subscriberId: "s",
  user: {},
  language: "en",
  card: null,
  state: "registered",
  billingReference: null,
};
const FULL: VerificationDue = { road: "full", identity: "bureau", card: true, fields: [] };
const GOOD: Findings = {
  faults: [],
  ownData: null,
  bureau: { state: "answered", outcome: "match", score: 95, mismatched: [] },
  hasCard: true,
  card: { state: "answered", outcome: "approved", cause: null },
  device: { imei: "valid", isKnownModel: true, pairing: "current" },
  fraud: [],
};
const judge = (findings: Partial<Findings>, due: Partial<VerificationDue> = {}, policy = {}): Verdict =>
  judgeVerification({ ...POLICY, ...policy }, { ...FULL, ...due }, { ...GOOD, ...findings });
const codes = (verdict: Verdict): string[] =>
  verdict.outcome === "rejected" ? verdict.reasons.map(({ code }) => code) : [verdict.outcome];
/** Neither policy nor item asks for anything. */
const plainItem = sampleItem("mms");
const known = { isKnownDevice: true, account: ACCOUNT };
const stranger = { isKnownDevice: false, account: null };

test("a device that was provisioned before for this user takes the short road, another the full one (R37)", () => {
  assert.equal(verificationDue(POLICY, [plainItem], known).road, "short");
  for (const one of [stranger, { ...known, isKnownDevice: false }, { ...known, account: null }]) {
    assert.equal(verificationDue(POLICY, [plainItem], one).road, "full");
  }
  const closed = { ...known, account: { ...ACCOUNT, state: "closed" as const } };
  assert.equal(verificationDue(POLICY, [plainItem], closed).road, "full");
});

test("who is verified by a bureau is asked for a name at least, since nobody can compare nothing", () => {
  const asks = (policy: Partial<typeof POLICY>, one = stranger) =>
    verificationDue({ ...POLICY, ...policy }, [plainItem], one).fields;
  assert.deepEqual(asks({ verifyBy: "bureau" }), ["givenName", "familyName"]);
  assert.deepEqual(asks({ verifyBy: "bureau", userFields: ["idDocument"] }), ["idDocument"]);
  assert.deepEqual(
    asks({ verifyBy: "own_data" }),
    ["givenName", "familyName"],
    "the bureau looks at strangers",
  );
  assert.deepEqual(asks({ unknownUser: "accept" }), [], "possession of the SIM is enough");
  assert.deepEqual(verificationDue({ ...POLICY, verifyBy: "bureau" }, [plainItem], known).fields, []);
});

test("as it ships, nobody of whom nothing is known is approved without a word from elsewhere (R38)", () => {
  const due = (
    policy: Partial<typeof POLICY>,
    one: Parameters<typeof verificationDue>[2] = stranger,
    action: "add" | "remove" = "add",
  ) => verificationDue({ ...POLICY, ...policy }, [plainItem], one, action);
  const empty = { isKnownDevice: false, account: ACCOUNT };
  const named = { isKnownDevice: false, account: { ...ACCOUNT, user: { familyName: "Lovelace" } } };
  for (const one of [stranger, empty]) {
    assert.deepEqual([due({}, one).identity, due({}, one).orReview], ["bureau", true]);
    assert.equal(due({ unknownUser: "review" }, one).identity, "review");
  }
  assert.equal(due({}, named).identity, "own_data", "who he is stands on file");
  assert.equal(due({}, stranger, "remove").identity, "none", "what is given back needs nobody's word");
  const own = { identity: "own_data", card: false } as const;
  assert.deepEqual(codes(judge({ ownData: null }, own)), ["user_unknown"]);
  assert.deepEqual(codes(judge({ ownData: null }, own, { unknownUser: "reject" })), ["user_unknown"]);
  assert.deepEqual(codes(judge({ ownData: null }, own, { unknownUser: "accept" })), ["approved"]);
});

test("without a name a person looks where the bureau may be spared, and nobody else decides (R38)", () => {
  const due = verificationDue(POLICY, [plainItem], stranger);
  assert.equal(reviewedWithoutName(due, POLICY, { givenName: "Ada" }).identity, "review");
  assert.equal(
    reviewedWithoutName(due, POLICY, { givenName: "Ada", familyName: "Byron" }).identity,
    "bureau",
  );
  const demanded = verificationDue({ ...POLICY, verifyBy: "bureau" }, [plainItem], stranger);
  assert.equal(reviewedWithoutName(demanded, POLICY, {}).identity, "bureau");
  const review = (state: Findings["review"]) =>
    codes(judge({ review: state! }, { identity: "review", card: false }));
  assert.deepEqual(review({ state: "asked" }), ["pending"]);
  assert.deepEqual(review({ state: "gave_up" }), ["identity_unverified"]);
  assert.deepEqual(review({ state: "answered", outcome: "refused" }), ["identity_refused"]);
  assert.deepEqual(review({ state: "answered", outcome: "approved" }), ["approved"]);
});

test("policy may verify everybody, or only whom an item asks it of", () => {
  assert.equal(verificationDue({ ...POLICY, verify: "always" }, [plainItem], known).road, "full");
  const byItems = { ...POLICY, verify: "items" as const };
  assert.equal(verificationDue(byItems, [plainItem], stranger).road, "short");
  const bank = sampleItem("bank", { requires: { assurance: "network", verification: true, card: false } });
  assert.deepEqual(
    [verificationDue(byItems, [bank], stranger).road, verificationDue(byItems, [bank], stranger).identity],
    ["full", "bureau"],
  );
  assert.equal(verificationDue(byItems, [bank], known).road, "short", "who was verified before is verified");
});

test("a card is due where an item asks for it or the policy does; else a request without one is fine (R8)", () => {
  const paid = sampleItem("paid", { requires: { assurance: "network", verification: false, card: true } });
  assert.equal(verificationDue(POLICY, [plainItem], stranger).card, false);
  assert.equal(verificationDue(POLICY, [plainItem, paid], known).card, true);
  assert.equal(verificationDue({ ...POLICY, cardRequired: true }, [plainItem], stranger).card, true);
  assert.equal(verificationDue({ ...POLICY, cardRequired: true }, [plainItem], known).card, false);
  assert.deepEqual(codes(judge({ hasCard: false, card: { state: "not_asked" } }, { card: false })), [
    "approved",
  ]);
});

test("a request is approved when every check that was due passed", () => {
  assert.deepEqual(judge({}), { outcome: "approved" });
});

const rejections: [string, Partial<Findings>, string][] = [
  ["a field that is missing", { faults: [{ field: "birthdate", code: "missing" }] }, "user_data_incomplete"],
  [
    "a field that cannot be true",
    { faults: [{ field: "birthdate", code: "date_impossible" }] },
    "user_data_malformed",
  ],
  [
    "a bureau that knows another",
    { bureau: { state: "answered", outcome: "mismatch", score: null, mismatched: [] } },
    "identity_mismatch",
  ],
  [
    "a score below the threshold",
    { bureau: { state: "answered", outcome: "match", score: 79, mismatched: [] } },
    "identity_score_too_low",
  ],
  [
    "a score that is no number",
    { bureau: { state: "answered", outcome: "match", score: Number.NaN, mismatched: [] } },
    "identity_score_too_low",
  ],
  ["a bureau that never answered", { bureau: { state: "gave_up" } }, "identity_unverified"],
  ["no card where one is due", { hasCard: false, card: { state: "not_asked" } }, "card_missing"],
  [
    "a card that is refused",
    { card: { state: "answered", outcome: "refused", cause: "stolen" } },
    "card_refused",
  ],
  ["a payment provider that never answered", { card: { state: "gave_up" } }, "card_unverified"],
  ["an IMEI that is none", { device: { ...GOOD.device, imei: "malformed" } }, "device_identity_malformed"],
  ["a test IMEI", { device: { ...GOOD.device, imei: "test" } }, "device_identity_test"],
  [
    "a SIM that sightings have in another device",
    { device: { ...GOOD.device, pairing: "another_device" } },
    "device_pairing_not_current",
  ],
  [
    "a cloned device",
    { fraud: [{ pattern: "cloned_device", saw: 2, limit: 10, detail: {} }] },
    "cloned_device",
  ],
];
for (const [name, findings, code] of rejections) {
  test(`${name} ends the request: ${code} (260 figure 7A:712)`, () => {
    assert.deepEqual(codes(judge(findings)), [code]);
  });
}

test("all reasons are told at once, and a no does not wait for an answer that is still out", () => {
  const verdict = judge({
    faults: [{ field: "email", code: "email_malformed" }],
    bureau: { state: "asked" },
    card: { state: "gave_up" },
  });
  assert.deepEqual(codes(verdict), ["user_data_malformed", "card_unverified"]);
});

test("the threshold itself is enough, and a bureau without scores says yes by its outcome", () => {
  for (const score of [80, 100, null]) {
    assert.deepEqual(
      codes(judge({ bureau: { state: "answered", outcome: "match", score, mismatched: [] } })),
      ["approved"],
    );
  }
});

test("what has not answered is waited for; a failed attempt is no answer", () => {
  assert.deepEqual(judge({ bureau: { state: "asked" }, card: { state: "failed" } }), {
    outcome: "pending",
    waitingFor: ["bureau", "card"],
  });
});

test("no silence and no failure, in whatever mix, is ever an approval (R38: time-outs fail closed)", () => {
  const silent = fc.constantFrom(
    "not_asked" as const,
    "asked" as const,
    "failed" as const,
    "gave_up" as const,
  );
  fc.assert(
    fc.property(silent, silent, fc.boolean(), (bureau, card, bureauAnswers) => {
      const verdict = judge({
        bureau: bureauAnswers ? GOOD.bureau : { state: bureau },
        card: { state: card },
      });
      assert.notEqual(verdict.outcome, "approved");
    }),
    { seed: SEED },
  );
});

test("own data: what is on file must agree in who somebody is; an address may have changed", () => {
  const own = { identity: "own_data" as const };
  assert.deepEqual(codes(judge({ ownData: ["familyName"] }, own)), ["user_data_differs"]);
  assert.deepEqual(codes(judge({ ownData: ["streetName", "email"] }, own)), ["approved"]);
  assert.deepEqual(codes(judge({ ownData: ["streetName"] }, own, { userFields: ["streetName"] })), [
    "user_data_differs",
  ]);
  assert.deepEqual(codes(judge({ ownData: [], bureau: { state: "not_asked" } }, own)), ["approved"]);
});

test("a model that no data names, and a SIM seen nowhere, pass or not as the policy says", () => {
  const unknown = { device: { ...GOOD.device, isKnownModel: false } };
  assert.deepEqual(codes(judge(unknown)), ["approved"]);
  assert.deepEqual(codes(judge(unknown, {}, { knownModelsOnly: true })), ["device_model_unknown"]);
  const nowhere = { device: { ...GOOD.device, pairing: "never" as const } };
  assert.deepEqual(codes(judge(nowhere)), ["approved"]);
  assert.deepEqual(codes(judge(nowhere, {}, { devicePairing: "current" })), ["device_pairing_not_current"]);
  const elsewhere = { device: { ...GOOD.device, pairing: "another_device" as const } };
  assert.deepEqual(codes(judge(elsewhere, {}, { devicePairing: "any" })), ["approved"]);
});

test("names are compared without case, accents' form, spaces and marks; other letters differ", () => {
  assert.deepEqual(
    differingFields(
      { familyName: "o’brien", givenName: "JOSÉ" },
      { familyName: "O'Brien", givenName: "Jose\u0301" },
    ),
    [],
  );
  assert.deepEqual(differingFields({ idDocument: "L01X00T47" }, { idDocument: "l01-x00 t48" }), [
    "idDocument",
  ]);
  assert.deepEqual(differingFields({ email: "a@b.example" }, {}), [], "what is not on file says nothing");
});

test("reasons hold codes and names of fields that we know, never what somebody or a bureau wrote", () => {
  const verdict = judge({
    faults: [{ field: "email", code: "email_malformed" }],
    bureau: {
      state: "answered",
      outcome: "mismatch",
      score: 3,
      mismatched: ["familyName", "Mr. Smith of 4 Elm Street"],
    },
  });
  assert.doesNotMatch(JSON.stringify(verdict), /Smith/);
  assert.match(JSON.stringify(verdict), /familyName/);
});
