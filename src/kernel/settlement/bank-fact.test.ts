/** What a bank's word means for a transfer: each state by each word. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { TRANSFER_STATES, type TransferState, type Verdict, weighBankFact } from "./bank-fact.ts";
import { type PaidLine, type Payable, planTransfers, sharesOf } from "./payment-batch.ts";

type Transfer = NonNullable<Parameters<typeof weighBankFact>[0]>;
type BankMovementFact = Extract<Parameters<typeof weighBankFact>[1], { readonly kind: "movement" }>;
const transfer = (state: TransferState, bookedMinor = 0n, more: Partial<Transfer> = {}): Transfer => ({
  state,
  amountMinor: 300n,
  bookedMinor,
  currency: "EUR",
  bookedBy: bookedMinor > 0n ? "movement" : null,
  isUnclaimed: true,
  ...more,
});
const moved = (amountMinor: bigint | null, more: Partial<BankMovementFact> = {}): BankMovementFact => ({
  kind: "movement",
  amountMinor,
  currency: "EUR",
  direction: "debit",
  isReversal: false,
  isBooked: true,
  returnReason: null,
  ...more,
});
const back = (amountMinor: bigint): BankMovementFact => moved(amountMinor, { direction: "credit" });
const said = (status: string) => ({ kind: "status", status, reason: null }) as const;
const brief = ({ outcome, state, paidMinor, givenBackMinor }: Verdict) => [
  outcome,
  state ?? null,
  paidMinor ?? 0n,
  givenBackMinor ?? 0n,
];

test("a debit books what it says, a part as a part, and never more than the transfer pays", () => {
  for (const [one, fact, wanted] of [
    [transfer("exported"), moved(300n), ["booked", "booked", 300n, 0n]],
    [transfer("accepted"), moved(100n), ["partly_booked", "partly_booked", 100n, 0n]],
    [transfer("partly_booked", 100n), moved(200n), ["booked", "booked", 200n, 0n]],
    [transfer("partly_booked", 100n), moved(201n), ["conflict", null, 0n, 0n]],
    [transfer("exported"), moved(301n), ["conflict", null, 0n, 0n]],
    [transfer("booked", 300n), moved(300n), ["conflict", null, 0n, 0n]],
    // One that came to nothing, and was paid all the same: its portions are free, so it is theirs.
    [transfer("rejected"), moved(300n), ["booked", "booked", 300n, 0n]],
    [transfer("cancelled"), moved(300n), ["booked", "booked", 300n, 0n]],
    [transfer("cancelled", 0n, { isUnclaimed: false }), moved(300n), ["conflict", null, 0n, 0n]],
    [transfer("returned"), moved(300n), ["conflict", null, 0n, 0n]],
  ] as const)
    assert.deepEqual(brief(weighBankFact(one, fact)), wanted, `${one.state} by ${String(fact.amountMinor)}`);
});

test("what comes back is booked back, never more than was paid; before it was paid it waits", () => {
  for (const [one, fact, wanted] of [
    [transfer("booked", 300n), back(300n), ["returned", "returned", 0n, 300n]],
    [transfer("booked", 300n), back(100n), ["returned", "partly_returned", 0n, 100n]],
    [transfer("partly_returned", 200n), back(200n), ["returned", "returned", 0n, 200n]],
    [transfer("booked", 300n), back(301n), ["conflict", null, 0n, 0n]],
    [transfer("exported"), back(300n), ["early", null, 0n, 0n]],
    [transfer("booked", 300n), moved(300n, { isReversal: true }), ["conflict", null, 0n, 0n]],
  ] as const)
    assert.deepEqual(brief(weighBankFact(one, fact)), wanted);
});

test("an entry that is announced, of another currency, without a sum, or of nobody, books nothing", () => {
  const one = transfer("exported");
  assert.equal(weighBankFact(one, moved(300n, { isBooked: false })).outcome, "noted");
  assert.equal(weighBankFact(one, moved(300n, { currency: "USD" })).outcome, "mismatch");
  assert.equal(weighBankFact(one, moved(null)).outcome, "mismatch");
  assert.equal(weighBankFact(undefined, moved(300n)).outcome, "unknown");
});

test("a bank's status: taken, settled, refused; the entry that follows a settlement books nothing again", () => {
  assert.deepEqual(brief(weighBankFact(transfer("exported"), said("ACCP"))), [
    "accepted",
    "accepted",
    0n,
    0n,
  ]);
  assert.deepEqual(brief(weighBankFact(transfer("accepted"), said("ACSC"))), ["booked", "booked", 300n, 0n]);
  assert.deepEqual(brief(weighBankFact(transfer("accepted"), said("RJCT"))), [
    "rejected",
    "rejected",
    0n,
    0n,
  ]);
  assert.equal(weighBankFact(transfer("booked", 300n), said("RJCT")).outcome, "conflict");
  assert.equal(weighBankFact(transfer("exported"), said("PDNG")).outcome, "noted");
  const settled = transfer("booked", 300n, { bookedBy: "status" });
  assert.deepEqual(brief(weighBankFact(settled, moved(300n))), ["confirmed", null, 0n, 0n]);
});

test("whatever banks say in whatever order, what is booked lies between nothing and the transfer's sum", () => {
  const words = fc.oneof(
    fc
      .tuple(fc.constantFrom("debit", "credit"), fc.bigInt(1n, 400n))
      .map(([direction, sum]) => moved(sum, { direction: direction as "debit" | "credit" })),
    fc.constantFrom("ACCP", "ACSC", "RJCT", "PDNG", "XXXX").map(said),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 12 }), (facts) => {
      let one: Transfer = transfer("exported");
      for (const fact of facts) {
        const verdict = weighBankFact(one, fact);
        const { paidMinor = 0n, givenBackMinor = 0n, state = one.state, bookedBy = one.bookedBy } = verdict;
        one = { ...one, state, bookedBy, bookedMinor: one.bookedMinor + paidMinor - givenBackMinor };
        assert.ok(
          one.bookedMinor >= 0n && one.bookedMinor <= one.amountMinor,
          JSON.stringify(verdict, String),
        );
        assert.ok(TRANSFER_STATES.includes(one.state));
        assert.equal(one.state === "booked", one.bookedMinor === one.amountMinor);
      }
    }),
    { seed: SEED },
  );
});

const payable = (make: string, amountMinor: bigint, more: Partial<Payable> = {}): Payable => ({
  chargeId: `${make} ${amountMinor}`,
  disputeId: null,
  make,
  currency: "EUR",
  amountMinor,
  ...more,
});

test("one transfer a manufacturer and currency, less what is claimed back; what it cannot pay is left out with its reason", () => {
  const { transfers, leftOut } = planTransfers(
    [
      payable("Sony", -100n, { disputeId: "d" }),
      payable("Sony", 250n),
      payable("SONY", 50n),
      payable("Sony", 7n, { currency: "JPY" }),
      payable("LG", 100n),
      payable("HTC", 100n),
      payable("HTC", -100n, { disputeId: "e" }),
    ],
    (make) => make.toLowerCase() !== "lg",
  );
  assert.deepEqual(
    transfers.map(({ make, currency, amountMinor, lines }) => [make, currency, amountMinor, lines.length]),
    [
      ["Sony", "EUR", 200n, 3],
      ["Sony", "JPY", 7n, 1],
    ],
  );
  assert.deepEqual(
    leftOut.map(({ make, why, amountMinor }) => [make, why, amountMinor]),
    [
      ["HTC", "set_off", 0n],
      ["LG", "no_account", 100n],
    ],
  );
});

test("a sum that moved is parted over the lines to the last minor unit, and what comes back takes the last shares first", () => {
  const LINE = fc.record({ amountMinor: fc.bigInt(-50n, 100n).filter((sum) => sum !== 0n) });
  fc.assert(
    fc.property(fc.array(LINE, { minLength: 1, maxLength: 20 }), fc.bigInt(1n, 10_000n), (drawn, chance) => {
      const lines = drawn.map(
        ({ amountMinor }, at): PaidLine => ({ id: String(at), amountMinor, bookedMinor: 0n }),
      );
      const total = lines.reduce((sum, line) => sum + line.amountMinor, 0n);
      if (total <= 0n) return;
      const paid = 1n + (chance % total);
      const shares = sharesOf(lines, paid, "paid");
      assert.equal(
        shares.reduce((sum, share) => sum + share.amountMinor, 0n),
        paid,
      );
      assert.ok(shares.every(({ lineId, amountMinor }) => amountMinor <= lines[Number(lineId)]!.amountMinor));
      const booked = lines.map((line) => ({
        ...line,
        bookedMinor: shares.find(({ lineId }) => lineId === line.id)?.amountMinor ?? 0n,
      }));
      const returned = sharesOf(booked, paid, "given_back");
      assert.deepEqual([...returned].reverse(), shares);
    }),
    { seed: SEED },
  );
  assert.throws(() => sharesOf([{ id: "a", amountMinor: 5n, bookedMinor: 5n }], 1n, "paid"), RangeError);
});
