/** The operator's own records decide of whoever asks, and what is on file is told to nobody (US 6,647,260, columns 3 and 5; R38). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { withoutIds } from "../../../test/fixture/without-ids.ts";
import { fieldNameIn } from "../../kernel/account/field-names.ts";
import { USER_FIELDS, type UserData } from "../../kernel/account/user-data.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import type { OwnRecordPolicy } from "../../kernel/registration/own-record.ts";
import { createRequestReader } from "./request-reader.ts";

const HOUR_MS = 3_600_000;
const MMS = [{ id: "mms" }];
const BY = { source: "crm.csv", actor: "test" };
const ON_FILE: UserData = {
  givenName: "Quillaia",
  familyName: "Brändywein",
  birthdate: "1979-11-23",
  streetName: "Zwiebelgasse",
  postalCode: "10115",
};
const GIVEN: UserData = { givenName: "QUILLAIA", familyName: "Braendywein", birthdate: "1979-11-23" };
const { unknownUser, ownRecords: SHIPPED } = DEFAULT_POLICY.request;
const shop = await requestShop();
const reader = createRequestReader(shop.database, shop.sealer, () => new Date(shop.time.now));

async function withRecord(
  name: string,
  user: UserData,
  ownRecords: Partial<OwnRecordPolicy> = {},
  record: UserData | null = ON_FILE,
  language = "en",
) {
  const fixture = await shop.fixture(name, MMS, {
    policy: { unknownUser, ownRecords: { ...SHIPPED, ...ownRecords } },
  });
  const { imsi, operatorId, requests, scope } = fixture;
  if (record) await shop.registry.ownRecords.put(operatorId, [{ imsi, msisdn: null, user: record }], BY);
  const { orderId } = await fixture.ask(["mms"], { user, language });
  return {
    ...fixture,
    orderId,
    stands: () => fixture.status(orderId),
    again: (details: UserData) => requests.giveDetails(scope, orderId, details, "screen"),
    verification: async () => (await reader.detail(operatorId, orderId))?.verification,
  };
}

test("who agrees with the operator's record is let in by it, and nobody outside is asked", async () => {
  const one = await withRecord("record full", GIVEN);
  assert.equal((await one.stands()).state, "completed");
  assert.deepEqual(one.saw.identities, []);
  const verification = await one.verification();
  assert.deepEqual(
    [verification?.identity, verification?.record?.match, verification?.record?.score],
    ["own_data", "full", 100],
  );
  assert.deepEqual(
    verification?.record?.fields.map(({ field, result }) => `${field} ${result}`),
    ["givenName same", "familyName same", "birthdate same", "streetName not_given", "postalCode not_given"],
  );
});

test("own data first and the bureau second, or both, as the policy says", async () => {
  const both = await withRecord("record both", GIVEN, { full: "bureau" });
  assert.equal((await both.stands()).state, "verifying");
  await both.calls();
  assert.equal((await both.stands()).state, "completed");
  assert.equal(both.saw.identities.length, 1);

  const second = await withRecord("record second", { ...GIVEN, givenName: "Q." }, { partial: "bureau" });
  second.answers.identity = () =>
    Promise.resolve({ kind: "answered", outcome: "mismatch", score: null, mismatched: ["givenName"] });
  await second.calls();
  assert.deepEqual(
    [(await second.stands()).state, (await second.verification())?.reasons],
    ["rejected", ["identity_mismatch"]],
  );
});

test("where no bureau is configured, a person looks instead", async () => {
  const one = await withRecord("record no bureau", GIVEN, { full: "bureau" });
  one.answers.identity = () =>
    Promise.resolve({ kind: "failed", cause: "not_configured", reason: "no identity bureau" });
  await one.calls();
  assert.match((await one.stands()).reason, /a person has to look/);
});

test("a partial match asks again for the field by its name alone, and what is right then lets in", async () => {
  const one = await withRecord("record again", { ...GIVEN, givenName: "Q." });
  const { state, askAgain, reason, deadlineAt } = await one.stands();
  assert.deepEqual([state, askAgain], ["verifying", ["givenName"]]);
  assert.equal(Date.parse(deadlineAt ?? ""), shop.time.now + SHIPPED.askAgainHours * HOUR_MS);
  const told = withoutIds(
    JSON.stringify([await one.told(), reason, await one.story(one.orderId), await one.verification()]),
  );
  for (const value of ["Quillaia", "QUILLAIA", "Brändywein", "1979", "Zwiebelgasse", "10115"])
    assert.ok(!told.includes(value), `${value} is told`);
  assert.match(told, /still needs: First name\./);
  await assert.rejects(one.again({ birthdate: "1979-11-23" }), { code: "field_unknown" });
  await assert.rejects(one.again({ givenName: "12345" }), { code: "details_malformed" });
  await one.again({ givenName: "Quillaia" });
  assert.equal((await one.stands()).state, "completed");
  const events = await one.events(one.orderId);
  for (const kind of ["own_record_compared", "details_asked_again", "details_given_again", "verified"])
    assert.ok(events.includes(kind), kind);
  await assert.rejects(one.again({ givenName: "Quillaia" }), { code: "nothing_to_answer" });
});

test("fields are named in the language of whoever asks, in every language that is shipped", async () => {
  const one = await withRecord("record german", { ...GIVEN, givenName: "Q." }, {}, ON_FILE, "de-AT");
  const told = (await one.told()).map(({ text }) => text).join(" ");
  assert.match(told, /fehlt noch: Vorname\./);
  for (const language of Object.keys(DEFAULT_POLICY.request.notices))
    for (const field of USER_FIELDS)
      if (language !== "en" && field !== "email")
        assert.notEqual(fieldNameIn(field, language), fieldNameIn(field, "en"), `${language} ${field}`);
});

test("who does not answer in time is not let in", async () => {
  const one = await withRecord("record late", { ...GIVEN, givenName: "Q." });
  await shop.pass(SHIPPED.askAgainHours * HOUR_MS);
  assert.deepEqual(
    [(await one.stands()).state, (await one.verification())?.reasons],
    ["rejected", ["identity_unverified"]],
  );
});

test("guessing ends: after so many tries nothing is compared any more, in this request or another", async () => {
  const one = await withRecord("record guess", { ...GIVEN, givenName: "A." }, { triesMax: 2 });
  assert.deepEqual((await one.stands()).askAgain, ["givenName"], "the first is asked again");
  const fresh = await one.ask(["mms"], { user: { ...GIVEN, givenName: "Q." } });
  assert.equal((await one.status(fresh.orderId)).askAgain.length, 0, "the last try is asked nothing again");
  assert.match((await one.status(fresh.orderId)).reason, /a person has to look/);
  const third = await one.ask(["mms"], { user: GIVEN });
  const { state, reason } = await one.status(third.orderId);
  assert.equal(state, "verifying", "not even what is right is compared");
  assert.match(reason, /too often/);
  const later = await withRecord(
    "record guess refused",
    { ...GIVEN, familyName: "Other" },
    {
      triesMax: 1,
      tooManyTries: "refuse",
    },
  );
  const again = await later.ask(["mms"], { user: GIVEN });
  assert.deepEqual((await reader.detail(later.operatorId, again.orderId))?.verification?.reasons, [
    "own_record_tries_exceeded",
  ]);
  assert.equal((await later.status(again.orderId)).reason, "please contact us");
});

test("no match is refused without a word of what is on file, and staff are told fields and scores alone", async () => {
  const one = await withRecord("record none", { ...GIVEN, familyName: "Nobody", birthdate: "1990-01-01" });
  const { state, reason } = await one.stands();
  assert.deepEqual([state, reason], ["rejected", "user data differs"]);
  const told = withoutIds(
    JSON.stringify([await one.told(), await one.story(one.orderId), await one.verification()]),
  );
  for (const value of ["Brändywein", "1979", "Quillaia"])
    assert.ok(!told.includes(value), `${value} is told`);
});

test("fields that a full match needs are asked for where there is a record; without one a stranger is a stranger", async () => {
  const nameless = await withRecord("record nameless", { givenName: "Quillaia" });
  const { state, askAgain } = await nameless.stands();
  assert.deepEqual([state, askAgain], ["verifying", ["familyName", "birthdate"]], "however it was asked for");
  await nameless.again({ familyName: "Brändywein", birthdate: "1979-11-23" });
  assert.equal((await nameless.stands()).state, "completed");
  const stranger = await withRecord("record of nobody", GIVEN, {}, null);
  assert.equal((await stranger.verification())?.identity, "bureau");
});

test("a record is found by the SIM, else by its number; a number that another SIM's record takes goes there", async () => {
  const { operatorId } = await shop.fixture("record numbers", MMS);
  const { ownRecords } = shop.registry;
  const put = (imsi: string | null, msisdn: string | null, familyName: string) =>
    ownRecords.put(operatorId, [{ imsi, msisdn, user: { familyName } }], BY);
  await put("001010000000001", "447700900001", "Ash");
  await put("001010000000002", "447700900001", "Birch");
  assert.equal((await ownRecords.find(operatorId, { msisdn: "447700900001" }))?.user.familyName, "B***");
  const first = await ownRecords.find(operatorId, { imsi: "001010000000001" });
  assert.deepEqual(
    [first?.user.familyName, first?.msisdnMasked],
    ["A***", null],
    "it stays, without the number",
  );
  assert.deepEqual(await put(null, "447700900001", "Cedar"), { taken: 1, replaced: 1 });
  const erased = await ownRecords.remove(operatorId, { msisdn: "447700900001" }, "test");
  assert.deepEqual(
    [erased, await ownRecords.find(operatorId, { msisdn: "447700900001" })],
    [true, undefined],
  );
  const { rows } = await shop.registry.audit.list(operatorId, { limit: 10 });
  assert.ok(rows.some(({ action }) => action === "subscriber_record.erase"));
  assert.ok(!JSON.stringify(rows).includes("Cedar"));
});
