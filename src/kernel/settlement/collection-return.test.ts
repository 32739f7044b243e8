/** What comes back is booked once, whoever tells of it; what fits nothing is kept (R8). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { collectionNamed, collectionNameOf, endsMeans, weighReturn } from "./collection-return.ts";

const taken = {
  state: "taken",
  amountMinor: 349n,
  returnedMinor: 0n,
  settledMinor: 0n,
  currency: "EUR",
} as const;
const told = {
  source: "payment_provider",
  kind: "return",
  amountMinor: 349n,
  currency: "EUR",
  code: "AM04",
} as const;
const outcomes = (
  collected: Parameters<typeof weighReturn>[0],
  earlier: Parameters<typeof weighReturn>[1] = [],
  more: Partial<Parameters<typeof weighReturn>[2]> = {},
) => {
  const { outcome, backMinor, state } = weighReturn(collected, earlier, { ...told, ...more });
  return [outcome, backMinor, state];
};
const before = (source: string, amountMinor: bigint, outcome: "booked" | "confirmed" = "booked") => ({
  source,
  amountMinor,
  outcome,
});

test("what was taken comes back whole or in parts, and no more than was taken", () => {
  assert.deepEqual(outcomes(taken), ["booked", 349n, "returned"]);
  assert.deepEqual(outcomes(taken, [], { amountMinor: 100n }), ["booked", 100n, "partly_returned"]);
  const rest = { ...taken, state: "partly_returned", returnedMinor: 100n } as const;
  const first = [before("payment_provider", 100n)];
  assert.deepEqual(outcomes(rest, first, { amountMinor: 249n }), ["booked", 249n, "returned"]);
  assert.deepEqual(outcomes(rest, first, { amountMinor: 250n }), ["conflict", undefined, undefined]);
});

test("the same return told by the other way confirms it; the same part told twice by one way is two parts", () => {
  const back = { ...taken, state: "returned", returnedMinor: 349n } as const;
  const first = before("payment_provider", 349n);
  assert.deepEqual(outcomes(back, [first], { source: "camt.053" }), ["confirmed", undefined, undefined]);
  const both = [first, before("camt.054", 349n, "confirmed")];
  assert.deepEqual(outcomes(back, both, { source: "camt.053" })[0], "conflict", "a third is no other's word");
  const part = { ...taken, state: "partly_returned", returnedMinor: 100n } as const;
  const one = [before("payment_provider", 100n)];
  assert.deepEqual(outcomes(part, one, { amountMinor: 100n })[0], "booked");
  assert.deepEqual(outcomes(part, one, { amountMinor: 100n, source: "camt.054" })[0], "confirmed");
});

test("a return proves that a sum was taken which was never answered; one that is not answered yet waits; a refused one never comes back", () => {
  assert.deepEqual(outcomes({ ...taken, state: "unknown" }), ["booked", 349n, "returned"]);
  for (const state of ["asked", "waiting"] as const)
    assert.equal(outcomes({ ...taken, state })[0], "unknown");
  assert.equal(outcomes({ ...taken, state: "refused" })[0], "conflict");
  assert.equal(outcomes(undefined)[0], "unknown");
});

test("what was paid otherwise and never taken does not come back; what was paid of a part that came back leaves the rest to come back", () => {
  assert.equal(outcomes({ ...taken, settledMinor: 349n })[0], "conflict");
  const partPaid = { ...taken, returnedMinor: 100n, settledMinor: 100n } as const;
  assert.deepEqual(outcomes(partPaid, [], { amountMinor: 249n }), ["booked", 249n, "returned"]);
});

test("another currency, no sum and nothing are none of what was taken", () => {
  for (const more of [{ currency: "CHF" }, { currency: null }, { amountMinor: null }, { amountMinor: 0n }])
    assert.equal(outcomes(taken, [], more)[0], "mismatch");
});

test("a sum's name on bank statements leads back to it, and is no other's", () => {
  const id = "01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11";
  assert.equal(collectionNameOf(id), "C01981F2E7B307CC08F005B3E1F6D2A11");
  assert.equal(collectionNamed(collectionNameOf(id)), id);
  for (const other of ["T01981F2E7B307CC08F005B3E1F6D2A11", "C7", "", `${collectionNameOf(id)}0`])
    assert.equal(collectionNamed(other), undefined);
});

test("no mandate, no account and a dispute end what may be collected from; want of funds and a refund do not", () => {
  const ends = (code: string | null) => endsMeans({ kind: "return", code });
  assert.deepEqual(["MD01", "AC04", "MD07", "AC06"].map(ends), [true, true, true, true]);
  assert.deepEqual(["AM04", "MD06", "MS03", null].map(ends), [false, false, false, false]);
  assert.equal(endsMeans({ kind: "chargeback", code: "4855" }), true);
  const reasonOf = (code: string): string => weighReturn(taken, [], { ...told, code }).reason;
  assert.equal(reasonOf("AM04"), "It came back: there was not enough on the account (AM04).");
  assert.equal(reasonOf("4855"), "It came back: the reason is 4855.");
});
