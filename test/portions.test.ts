/** Two companies, one contract: what our books owe a manufacturer for a key is what its list says is due (R111). */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { test } from "vitest";
import { portionMinorOf } from "../src/kernel/settlement/charge.ts";
import { createKeyServer } from "../src/maker/key-server.ts";
import type { MakerClient } from "../src/maker/policy.ts";
import { SEED } from "./fixture/seed.ts";

const CONTRACTS = 10_000;
const NOW = new Date("2026-03-01T12:00:00Z");

/** No, two and three decimals: a minor unit is what the currency says it is. */
const currency = fc.constantFrom("JPY", "EUR", "KWD");
const CONTRACT = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ feeMinor: fc.nat(1_000_000_000), portionBasisPoints: fc.nat(10_000), currency }),
  },
  // A half exactly: a fee that ends on 5, at 10, 30 or 50 %.
  fc.record({
    feeMinor: fc.nat(100_000).map((tens) => tens * 10 + 5),
    portionBasisPoints: fc.constantFrom(1_000, 3_000, 5_000),
    currency,
  }),
);

/** A third way to the same number, by distances: the nearer neighbour, of two as near the even one. */
function nearest(feeMinor: number, basisPoints: number): bigint {
  const exact = BigInt(feeMinor) * BigInt(basisPoints);
  const low = exact / 10_000n;
  const [toLow, toHigh] = [exact - low * 10_000n, (low + 1n) * 10_000n - exact];
  if (toLow === toHigh) return low % 2n === 0n ? low : low + 1n;
  return toLow < toHigh ? low : low + 1n;
}

test(`the maker's list and our books agree to the minor unit on ${CONTRACTS} contracts (seed ${SEED})`, () => {
  const contracts = fc
    .sample(CONTRACT, { seed: SEED, numRuns: CONTRACTS })
    .map((contract, number): MakerClient => ({ id: `operator-${number}`, ...contract }));
  let octets = 0;
  const maker = createKeyServer(
    {
      issuer: "maker.example",
      signingKey: generateKeyPairSync("ed25519").privateKey,
      indexSecret: new Uint8Array(32),
      clients: contracts,
      modelOf: () => ({ make: "Acme", model: "One" }),
      offerOf: () => ({
        accessPoints: [{ apn: "apps.maker.example", use: "maker", authType: "none" }],
        hosts: ["mms.maker.example"],
      }),
      deleteAfterUse: true,
      validityMs: 86_400_000,
    },
    (count) => {
      const fresh = Buffer.alloc(count);
      fresh.writeUInt32BE(octets++, count - 4);
      return Uint8Array.from(fresh);
    },
  );
  let halves = 0;
  for (const contract of contracts) {
    const { feeMinor, portionBasisPoints } = contract;
    const request = { requestId: "r", uniqueId: { imei: "490154203237518" } };
    const { answer } = maker.issue(contract, [request], NOW);
    assert.ok(answer[0] && "key" in answer[0]);
    const [issued] = maker.issuedKeys(contract, undefined, 1).entries;
    maker.noteDownloads(contract, [{ keyId: issued!.keyId, at: NOW }]);
    const ours = portionMinorOf({
      keySource: "maker",
      feeMinor: BigInt(feeMinor),
      currency: contract.currency,
      portionBasisPoints,
    });
    const { entries, totals } = maker.paymentStates(contract, undefined, 1);
    const what = `${portionBasisPoints} of ${feeMinor} ${contract.currency}`;
    assert.deepEqual([entries[0]?.dueMinor, entries[0]?.currency], [Number(ours), contract.currency], what);
    assert.equal(totals.dueMinor, Number(ours), what);
    assert.equal(ours, nearest(feeMinor, portionBasisPoints), what);
    if ((BigInt(feeMinor) * BigInt(portionBasisPoints)) % 10_000n === 5_000n) halves++;
    // What is paid by our books settles its list.
    maker.notePayments(contract, [
      {
        paymentId: "p",
        keyId: issued!.keyId,
        amountMinor: Number(ours),
        currency: contract.currency,
        at: NOW,
      },
    ]);
    assert.equal(maker.paymentStates(contract, undefined, 1).totals.differences, 0, what);
  }
  assert.ok(halves > CONTRACTS / 8, "enough contracts lie on a half");
});
