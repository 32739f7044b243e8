/** What the operator's own record comes to, by its policy (US 6,647,260, columns 3 and 5; R38). */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { UserData } from "../account/user-data.ts";
import { findByRecord, DEFAULT_OWN_RECORD_POLICY as POLICY } from "./own-record.ts";

const ADA: UserData = {
  givenName: "Ada",
  familyName: "Müller",
  birthdate: "1990-02-01",
  streetName: "Hauptstraße",
  streetNumber: "12",
  postalCode: "10115",
  locality: "Berlin",
};
const find = (
  given: UserData,
  {
    policy = {},
    tries = 0,
    isOfAnotherSim = false,
  }: { policy?: Partial<typeof POLICY>; tries?: number; isOfAnotherSim?: boolean } = {},
) => findByRecord({ ...POLICY, ...policy }, { user: given, record: { user: ADA, isOfAnotherSim }, tries });

test("a full match is enough, or the bureau or a person looks as well, as the policy says", () => {
  const given = { givenName: "ADA", familyName: "Mueller", birthdate: "1990-02-01" };
  for (const full of ["accept", "bureau", "review"] as const) {
    const { match, consequence, score } = find(given, { policy: { full } });
    assert.deepEqual([match, consequence, score], ["full", full, 100]);
  }
});

test("a field that is needed and differs, or is only close, makes no full match, however high the score", () => {
  const close = find({ ...ADA, givenName: "A." });
  assert.deepEqual([close.match, close.consequence, close.askAgain], ["partial", "ask_again", ["givenName"]]);
  const differs = find({ ...ADA, birthdate: "1990-02-02" });
  assert.deepEqual([differs.match, (differs.score ?? 0) >= POLICY.partialScore], ["partial", true]);
});

test("only fields that may be named are asked again; where none of them is amiss a person looks", () => {
  const { askAgain, consequence } = find({ ...ADA, birthdate: "1990-01-02", givenName: "Ada M." });
  assert.deepEqual([askAgain, consequence], [["givenName"], "ask_again"]);
  const birthdate = find({ ...ADA, birthdate: "1990-01-02" });
  assert.deepEqual([birthdate.match, birthdate.askAgain, birthdate.consequence], ["partial", [], "review"]);
});

test("what is needed and was not given is asked for before anything is compared, and is no try", () => {
  const lacking = find({ givenName: "Zoë", locality: "Berlin" });
  assert.deepEqual(
    [lacking.match, lacking.consequence, lacking.askAgain, lacking.fields],
    ["incomplete", "ask_again", ["familyName", "birthdate"], []],
  );
});

test("another person is no match, and where they live makes them nobody else", () => {
  const other = find({ ...ADA, givenName: "Bela", familyName: "Bartok", birthdate: "1981-03-25" });
  assert.deepEqual([other.match, other.consequence], ["none", "refuse"]);
  const town = find({ locality: "Berlin", postalCode: "10115" }, { policy: { requiredFields: [] } });
  assert.deepEqual([town.match, town.score], ["none", 100], "a town is nobody");
});

test("a record that names another SIM is never a full match", () => {
  assert.deepEqual(
    [
      find(ADA).match,
      find(ADA, { isOfAnotherSim: true }).match,
      find(ADA, { isOfAnotherSim: true }).consequence,
    ],
    ["full", "partial", "review"],
  );
});

test("after too many tries nothing is compared, not even what is right; the last try is asked nothing again", () => {
  const right = find(ADA, { tries: 3 });
  assert.deepEqual(
    [right.match, right.consequence, right.fields, right.score],
    ["not_compared", "review", [], null],
  );
  const last = find({ ...ADA, givenName: "A." }, { tries: 2, policy: { tooManyTries: "refuse" } });
  assert.deepEqual([last.match, last.consequence, last.askAgain], ["partial", "refuse", []]);
});
