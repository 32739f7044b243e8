/** What differs between two policies. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DEFAULT_POLICY } from "./policy.ts";
import { policyChanges } from "./policy-diff.ts";

test("two policies differ by the keys that differ, however deep, and a list is one value", () => {
  const after = {
    ...DEFAULT_POLICY,
    ageCutOffYears: 7,
    listedModels: ["Nokia/6*"],
    marketRules: { AT: { doneAt: "delivered" } },
    request: {
      ...DEFAULT_POLICY.request,
      fraud: { ...DEFAULT_POLICY.request.fraud, place: "country" as const },
    },
  };
  assert.deepEqual(policyChanges(DEFAULT_POLICY, DEFAULT_POLICY), []);
  assert.deepEqual(policyChanges(DEFAULT_POLICY, after), [
    { key: "ageCutOffYears", before: null, after: 7 },
    { key: "listedModels", before: [], after: ["Nokia/6*"] },
    { key: "marketRules.AT", before: undefined, after: { doneAt: "delivered" } },
    { key: "request.fraud.place", before: "network", after: "country" },
  ]);
});

test("the order of members makes no difference, in lists neither", () => {
  assert.deepEqual(policyChanges({ a: [{ b: 1, c: 2 }] }, { a: [{ c: 2, b: 1 }] }), []);
  assert.equal(policyChanges({ a: [1, 2] }, { a: [2, 1] }).length, 1);
});
