/** Whose a number is once it was seen with a SIM. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { keepsNumber, outlasts, tellsNumber } from "./number.ts";

const AT = Date.UTC(2026, 4, 4, 8);

test("a late sighting tells which number a SIM once had, and not which it has; to one without a number it tells its number", () => {
  assert.equal(tellsNumber(AT - 1, { hasNumber: true, lastSeenMs: AT }), false);
  assert.equal(tellsNumber(AT, { hasNumber: true, lastSeenMs: AT }), true);
  assert.equal(tellsNumber(AT - 1, { hasNumber: false, lastSeenMs: AT }), true);
});

test("of two SIMs with one number, the one that was seen with it last has it", () => {
  assert.equal(outlasts(AT, undefined), true);
  assert.equal(outlasts(AT - 1, AT), false);
  assert.equal(outlasts(AT, AT), true);
});

test("whoever was seen since keeps the number, unless seen with another", () => {
  assert.equal(keepsNumber({ lastSeenMs: AT, hasAnother: false }, AT - 1), true);
  assert.equal(keepsNumber({ lastSeenMs: AT, hasAnother: false }, AT), false);
  assert.equal(keepsNumber({ lastSeenMs: AT, hasAnother: true }, AT - 1), false);
});
