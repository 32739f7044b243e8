/** Every key of a policy says what it does, and docs/policy.md tells of all of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { policyTable, withPolicyTable } from "../../../app/config/policy-table.ts";
import { isMembers } from "../../../kernel/operator/merge-patch.ts";
import { DEFAULT_POLICY } from "../../../kernel/operator/policy.ts";
import { policyKeys } from "./policy-keys.ts";

const leaves = (value: unknown, key: string): string[] =>
  isMembers(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([name, member]) => leaves(member, key === "" ? name : `${key}.${name}`))
    : [key];

test("each key has its effect, a number its unit and its bounds, and each key that ships stands among them as it ships", () => {
  const keys = policyKeys();
  for (const { key, effect, allowed, unit } of keys) {
    assert.match(effect, /[.:)]$/, `${key} says what it does`);
    if (/\d+ to \d+/.test(allowed)) assert.ok(unit, `${key} has a unit`);
    assert.doesNotMatch(allowed, /undefined/, key);
  }
  const told = new Map(keys.map(({ key, shipped }) => [key, shipped]));
  const shipped = leaves({ ...DEFAULT_POLICY, request: { ...DEFAULT_POLICY.request, notices: {} } }, "");
  assert.ok(shipped.length > 80);
  for (const key of shipped) {
    assert.ok(told.has(key), `${key} is told`);
    const value = key
      .split(".")
      .reduce<unknown>((here, step) => (isMembers(here) ? here[step] : here), DEFAULT_POLICY);
    assert.deepEqual(told.get(key), value, key);
  }
});

test("docs/policy.md has the table of today (`node bin/turnup.js policy keys --update docs/policy.md` writes it)", () => {
  const document = readFileSync("docs/policy.md", "utf8");
  assert.equal(withPolicyTable(document), document);
  for (const { key } of policyKeys()) assert.ok(policyTable().includes(`\`${key}\``), key);
});
