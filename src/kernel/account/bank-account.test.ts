/** A bank account at the door: a token for a number, counted as a try, and the number nowhere (R8). */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "vitest";
import { freeTries } from "../../../test/fixture/memory-tries.ts";
import { parseIban } from "../../term/iban.ts";
import { checkAccount, takeAccount } from "./bank-account.ts";
import type { AccountTokens, takeCard } from "./card.ts";

type CardTokens = Parameters<typeof takeCard>[0]["provider"];

const IBAN = parseIban("AT61 1904 3002 3457 3201");
const SECRET = new Uint8Array(32).fill(7);
const input = {
  iban: IBAN,
  operatorId: "o",
  idempotencyKey: "k",
  now: new Date("2026-03-31T12:00:00Z"),
  triedBy: [],
};
type Account = Parameters<NonNullable<AccountTokens["tokeniseAccount"]>>[0];
const doorOf = (answer: AccountTokens["tokeniseAccount"]) => ({
  provider: {
    tokenise: async () => ({ kind: "failed", cause: "no card was given" }) as const,
    ...(answer && { tokeniseAccount: answer }),
  } satisfies CardTokens & AccountTokens,
  secret: SECRET,
  tries: freeTries(),
});

test("an account becomes a token with a mandate to collect from it; of the number its country and end are kept", async () => {
  const asked: Account[] = [];
  const door = doorOf(async (account) => {
    asked.push(account);
    return { kind: "token", token: "ba_1" };
  });
  const taken = await takeAccount(door, input);
  const { index, mandate, ...shown } = taken;
  assert.deepEqual(shown, { token: "ba_1", first6: "AT****", last4: "3201", brand: "iban" });
  assert.equal(index.length, 32);
  assert.equal(asked[0]?.iban, IBAN);
  assert.match(asked[0]?.mandate.reference ?? "", /^M[0-9A-F]{30}$/);
  assert.equal(asked[0]?.mandate.signedOn, "2026-03-31");
  assert.deepEqual(mandate, asked[0]?.mandate, "it is kept beside the token");
  await takeAccount(door, input);
  assert.deepEqual(asked[1]?.mandate, asked[0]?.mandate, "the same request is under the same mandate");
  const other = await takeAccount(door, { ...input, idempotencyKey: "another" });
  assert.notDeepEqual(asked[2]?.mandate, asked[0]?.mandate);
  assert.deepEqual(other.index, index, "the same account is seen again without being known");
});

test("whatever the payment provider does, no error holds the number, and a token that is the number is none", async () => {
  for (const [answer, code] of [
    [async () => ({ kind: "refused", cause: IBAN }) as const, "card_refused"],
    [async () => ({ kind: "failed", cause: IBAN }) as const, "dependency_unavailable"],
    [async () => Promise.reject(new Error(`no such account ${IBAN}`)), "dependency_unavailable"],
    [async () => ({ kind: "token", token: `x${IBAN}` }) as const, "dependency_unavailable"],
    [async () => ({ kind: "token", token: "" }) as const, "dependency_unavailable"],
    [async () => ({ kind: "not_taken" }) as const, "account_not_taken"],
    [undefined, "account_not_taken"],
  ] as const) {
    await assert.rejects(takeAccount(doorOf(answer), input), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      return !inspect(error, { depth: 9 }).includes(IBAN.slice(4));
    });
  }
});

test("an account is judged as typed, field by field: by its check digits, its holder and the holder's permission", () => {
  const good = { number: "at61 1904 3002 3457 3201", country: null, holder: "Ada Lovelace", isAllowed: true };
  assert.deepEqual(checkAccount(good), []);
  assert.deepEqual(checkAccount({ ...good, number: "8601 11 17947", country: "NO" }), []);
  assert.deepEqual(checkAccount({ ...good, country: "NO" }), [], "an IBAN is one in every country");
  for (const [change, field, code] of [
    [{ number: "AT61 1904 3002 3457 3202" }, "number", "iban_check_digits"],
    [{ number: "AT61 1904 3002 3457" }, "number", "iban_length"],
    [{ number: "QQ61 1904 3002 3457 3201" }, "number", "iban_country"],
    [{ number: "my account" }, "number", "iban_malformed"],
    [{ number: " " }, "number", "missing"],
    [{ number: "1".repeat(43), country: "NO" }, "number", "iban_length"],
    [{ number: "8601 11 17948", country: "NO" }, "number", "account_number_check_digits"],
    [{ number: "860111794", country: "NO" }, "number", "account_number_malformed"],
    // Where a country's numbers have no check digits, a mistyped one would be somebody else's.
    [{ number: "0532013000", country: "DE" }, "number", "iban_malformed"],
    [{ number: "8601 11 17947", country: null }, "number", "iban_malformed"],
    [{ holder: "" }, "holder", "missing"],
    [{ holder: "x".repeat(71) }, "holder", "too_long"],
    [{ holder: "1234" }, "holder", "no_name"],
    [{ holder: "Ada\u0007" }, "holder", "control_characters"],
    [{ isAllowed: false }, "mandate", "mandate_missing"],
  ] as const)
    assert.deepEqual(checkAccount({ ...good, ...change }), [{ field, code }], JSON.stringify(change));
});
