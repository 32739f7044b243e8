/** Holds docs/api.md true: its table of lists has each sort with the filters that are offered with it, and no other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { ORDER_LISTS, ORDER_SORTS } from "../src/kernel/order/order-list.ts";

const rows = ORDER_SORTS.map((sort) => {
  const { filters, needs, only } = ORDER_LISTS[sort];
  const notes = [needs && `\`${needs}\` is needed`, only && `only ${only}`].filter(Boolean).join("; ");
  return `| \`${sort}\` | ${filters.map((name) => `\`${name}\``).join(", ")} | ${notes} |`;
});
const table = ["| sort | filters | lists |", "| --- | --- | --- |", ...rows].join("\n");

test("docs/api.md lists every sort of orders with the filters that go with it", () => {
  const page = readFileSync(join(import.meta.dirname, "..", "docs", "api.md"), "utf8");
  assert.ok(page.includes(`\n\n${table}\n\n`), `the table is to be:\n${table}`);
});
