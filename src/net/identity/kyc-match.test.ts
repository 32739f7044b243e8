/** The identity bureau's client against the simulated bureau: CAMARA KYC Match 0.4 (R38). */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { startBureau } from "../../sim/bureau/bureau.ts";
import { fixedToken } from "../exchange/token.ts";
import { kycMatchBureau } from "./kyc-match.ts";

type Person = Readonly<Record<string, string>>;

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const ANN: Person = { givenName: "Ann", familyName: "Müller", birthdate: "1980-02-01", idDocument: "X123" };
/** Who answers does so in milliseconds, and on a busy machine later: they are waited for. Who is silent is not. */
const PATIENCE_MS = 20_000;
const SILENT_MS = 300;

async function world(
  options: Partial<Parameters<typeof startBureau>[0]> = {},
  { secret = "right", timeoutMs = PATIENCE_MS } = {},
) {
  const bureau = await startBureau({
    secret: "right",
    people: new Map([["+447700900123", ANN]]),
    ...options,
  });
  const client = kycMatchBureau({
    url: bureau.url,
    tokens: fixedToken(secret),
    idDocumentType: "passport",
    timeoutMs,
  });
  closers.push(bureau.close, client.close);
  return client;
}
const asked = (user: object) => ({ id: "check-1", msisdn: "447700900123", user });

test("data that agrees in every field is a match of full score; case and accents do not count", async () => {
  const bureau = await world();
  assert.deepEqual(
    await bureau.verify(asked({ givenName: "ANN", familyName: "Muller", birthdate: "1980-02-01" })),
    {
      kind: "answered",
      outcome: "match",
      score: 100,
      mismatched: [],
    },
  );
});

test("one field that differs is a mismatch: named, with the lowest score", async () => {
  const bureau = await world();
  const answer = await bureau.verify(asked({ givenName: "Ann", familyName: "Miller" }));
  assert.ok(answer.kind === "answered");
  assert.deepEqual([answer.outcome, answer.mismatched], ["mismatch", ["familyName"]]);
  assert.equal(answer.score, 83); // five letters of six at their place
});

test("a bureau that has none of the fields on file has verified nobody", async () => {
  const bureau = await world();
  const answer = await bureau.verify(asked({ postalCode: "N1", locality: "London" }));
  assert.deepEqual(answer, { kind: "answered", outcome: "mismatch", score: null, mismatched: [] });
});

test("a bureau that knows his country and first name alone has not said who he is", async () => {
  const ofBureau = { people: new Map([["+447700900123", { givenName: "Ann", country: "GB" }]]) };
  const bureau = await world(ofBureau);
  const whole = { givenName: "Ann", familyName: "Müller", country: "GB" };
  for (const user of [
    whole,
    { familyName: "Müller", country: "GB" },
    { birthdate: "1980-02-01", country: "GB" },
  ]) {
    const answer = await bureau.verify(asked(user));
    assert.ok(answer.kind === "answered");
    assert.equal(answer.outcome, "mismatch", JSON.stringify(user));
  }
  const answer = await bureau.verify(asked({ country: "GB" }));
  assert.equal(answer.kind === "answered" && answer.outcome, "match", "where the operator asks for no more");
});

test("without any field to compare, nobody is asked and nobody is verified", async () => {
  const bureau = await world();
  const answer = await bureau.verify(asked({ fax: "+442079460000" }));
  assert.deepEqual(answer, { kind: "answered", outcome: "mismatch", score: null, mismatched: [] });
});

const noes: [string, Parameters<typeof world>[0], object, string][] = [
  ["the number is unknown", { strict: true, people: new Map() }, { givenName: "Ann" }, "phoneNumber"],
  ["the document is wanted", { needsDocument: true }, { givenName: "Ann" }, "idDocument"],
  ["the document is another", { needsDocument: true }, { givenName: "Ann", idDocument: "Y9" }, "idDocument"],
];
for (const [what, options, user, field] of noes) {
  test(`where ${what}, the bureau's definite word is a mismatch of ${field}`, async () => {
    const bureau = await world(options);
    const answer = await bureau.verify(asked(user));
    assert.deepEqual(answer, { kind: "answered", outcome: "mismatch", score: null, mismatched: [field] });
  });
}

test("a bureau that is silent has verified nobody: it fails, and is no match", async () => {
  const bureau = await world({}, { timeoutMs: SILENT_MS });
  const answer = await bureau.verify(asked({ givenName: "Ann", familyName: "Timeout" }));
  assert.ok(answer.kind === "failed");
  assert.equal(answer.cause, "timeout");
});

test("a wrong secret is told as such", async () => {
  const bureau = await world({}, { secret: "wrong" });
  const answer = await bureau.verify(asked({ givenName: "Ann" }));
  assert.ok(answer.kind === "failed");
  assert.equal(answer.cause, "unauthorised");
});
