/** `turnup maker`: the key server of a manufacturer as its files set it up. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { policyOf } from "./maker.ts";

const file = (contract: Readonly<Record<string, unknown>>): Buffer =>
  Buffer.from(
    JSON.stringify({
      issuer: "maker.example",
      clients: [{ id: "meridian", currency: "EUR", ...contract }],
      models: [],
      offers: [
        { hosts: ["a.example"], accessPoints: [{ apn: "a.example", use: "maker", authType: "none" }] },
      ],
      validityDays: 365,
    }),
  );

test("a maker's contract names the fee and its portion; a file of the release before, the sum itself", () => {
  const byFee = { feeMinor: 250, portionBasisPoints: 4_000 };
  assert.deepEqual(policyOf(file(byFee)).clients, [{ id: "meridian", currency: "EUR", ...byFee }]);
  assert.deepEqual(policyOf(file({ portionMinor: 100 })).clients, [
    { id: "meridian", currency: "EUR", feeMinor: 100, portionBasisPoints: 10_000 },
  ]);
});

for (const contract of [{}, { feeMinor: 250 }, { feeMinor: 250, portionBasisPoints: 1, portionMinor: 1 }]) {
  test(`a contract of ${Object.keys(contract).join(", ") || "nothing"} is refused before anything starts`, () => {
    assert.throws(() => policyOf(file(contract)), { code: "config_invalid" });
  });
}
