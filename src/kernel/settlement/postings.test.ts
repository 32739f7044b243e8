/** The books of one charge: double entry, to the minor unit. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { type ChargeDraft, portionMinorOf } from "./charge.ts";
import { type Entry, feePaidEntries, payoutEntries } from "./postings.ts";

const charge = (more: Partial<ChargeDraft>): ChargeDraft => ({
  id: "c1",
  operatorId: "o",
  orderId: "r",
  itemId: "i",
  make: "Acme",
  keySource: "maker",
  feeMinor: 251n,
  portionMinor: 83n,
  currency: "EUR",
  state: "requested",
  ...more,
});
function balances(entries: readonly Entry[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { debit, credit, amountMinor } of entries) {
    sums.set(debit, (sums.get(debit) ?? 0n) + amountMinor);
    sums.set(credit, (sums.get(credit) ?? 0n) - amountMinor);
  }
  return sums;
}

test("a fee with a portion: the operator owes nothing, the bank holds the rest, the maker is paid", () => {
  const paid = balances([...feePaidEntries(charge({})), ...payoutEntries(charge({}))]);
  assert.deepEqual(Object.fromEntries(paid), {
    "receivable:operator": 0n,
    "revenue:fees": -251n,
    "cash:bank": 168n,
    "expense:portions": 83n,
    "payable:maker:acme": 0n,
  });
});

test("an own key pays no portion, whatever the contract says", () => {
  const portionMinor = portionMinorOf({
    keySource: "own",
    feeMinor: 251n,
    currency: "EUR",
    portionBasisPoints: 10_000,
  });
  assert.equal(portionMinor, 0n);
  assert.deepEqual(
    feePaidEntries(charge({ keySource: "own", portionMinor })).map(({ reference }) => reference),
    ["c1:fee", "c1:paid"],
  );
  assert.deepEqual(payoutEntries(charge({ portionMinor })), []);
});

test("whatever fee and portion: no entry of zero, none above the fee, every cent is somewhere once", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 12n), fc.nat(10_000), (feeMinor, portionBasisPoints) => {
      const portionMinor = portionMinorOf({
        keySource: "maker",
        feeMinor,
        currency: "EUR",
        portionBasisPoints,
      });
      assert.ok(portionMinor >= 0n && portionMinor <= feeMinor);
      const entries = [feePaidEntries, payoutEntries].flatMap((book) =>
        book(charge({ feeMinor, portionMinor })),
      );
      assert.ok(entries.every(({ amountMinor, debit, credit }) => amountMinor > 0n && debit !== credit));
      assert.equal(new Set(entries.map(({ reference }) => reference)).size, entries.length);
      const sums = balances(entries);
      assert.equal(
        [...sums.values()].reduce((sum, one) => sum + one, 0n),
        0n,
      );
      assert.equal(sums.get("cash:bank") ?? 0n, feeMinor - portionMinor);
    }),
    { seed: SEED },
  );
});
