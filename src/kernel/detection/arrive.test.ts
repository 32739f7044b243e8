/** What an arrival does, decided from what is known of SIM, handset and number. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { arrive, keepsNumber, opensOrder, outlasts, tellsNumber } from "./arrive.ts";

const AT = Date.UTC(2026, 4, 4, 8);
const MINUTE_MS = 60_000;
const stay = (deviceId: string, lastSeenMs = AT) => ({ deviceId, sinceMs: AT - MINUTE_MS, lastSeenMs });

test("a SIM that is seen for the first time arrives, and leaves nothing", () => {
  assert.deepEqual(arrive(undefined, { deviceId: "a", seenMs: AT, isKnown: false }), {
    kind: "first_registration",
    leaves: false,
    isReturn: false,
  });
});

test("a SIM in another handset leaves the one before, and is known to return where it was there already", () => {
  for (const isKnown of [false, true])
    assert.deepEqual(arrive(stay("a"), { deviceId: "b", seenMs: AT + 1, isKnown }), {
      kind: "sim_moved",
      leaves: true,
      isReturn: isKnown,
    });
});

test("the same pair again goes on, and moves its last sight forward only", () => {
  for (const [seenMs, isLatest] of [
    [AT - 1, false],
    [AT, false],
    [AT + 1, true],
  ] as const)
    assert.deepEqual(arrive(stay("a"), { deviceId: "a", seenMs, isKnown: true }), {
      kind: "unchanged",
      isLatest,
    });
});

test("a sighting that is no younger than the latest of its SIM is history, and a pair is written down once", () => {
  for (const seenMs of [AT - 1, AT])
    for (const isKnown of [false, true])
      assert.deepEqual(arrive(stay("a"), { deviceId: "b", seenMs, isKnown }), {
        kind: "late",
        isNewPair: !isKnown,
      });
});

test("each arrival opens an order, but for a return where the operator leaves those alone", () => {
  assert.equal(opensOrder({ isReturn: false }, { returningPair: "skip" }), true);
  assert.equal(opensOrder({ isReturn: true }, { returningPair: "open" }), true);
  assert.equal(opensOrder({ isReturn: true }, { returningPair: "skip" }), false);
});

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
