/** So much of something in a window, and how long to wait for more. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { Allowance } from "./allowance.ts";

const RULE = { perWindow: 2, windowMs: 60_000, keysMax: 3 };

test("a key may do so much in a window, is told how long to wait, and begins anew after it", () => {
  const allowance = new Allowance(RULE);
  assert.deepEqual([allowance.take("a", 0), allowance.take("a", 1_000)], [0, 0]);
  assert.equal(allowance.take("a", 1_500), 59);
  assert.equal(allowance.take("b", 1_500), 0, "another key is not touched");
  assert.equal(allowance.take("a", 59_999), 1);
  assert.equal(allowance.take("a", 60_000), 0);
});

test("what came to something good counts no more, and nothing is earned beyond that", () => {
  const allowance = new Allowance(RULE);
  allowance.take("a", 0);
  for (let n = 0; n < 3; n++) allowance.giveBack("a", 0);
  assert.deepEqual([allowance.take("a", 1), allowance.take("a", 1)], [0, 0]);
  assert.ok(allowance.take("a", 1) > 0);
  allowance.giveBack("a", 60_000);
  allowance.giveBack("b", 0);
  assert.deepEqual([allowance.take("a", 60_001), allowance.take("a", 60_001)], [0, 0]);
  assert.ok(allowance.take("a", 60_001) > 0, "nor into the next window");
});

test("asking how long to wait counts nothing", () => {
  const allowance = new Allowance(RULE);
  for (let n = 0; n < 5; n++) assert.equal(allowance.secondsUntilAllowed("a", n), 0);
  allowance.take("a", 10);
  assert.equal(allowance.secondsUntilAllowed("a", 10), 0);
  allowance.take("a", 10);
  assert.equal(allowance.secondsUntilAllowed("a", 10), 60);
  assert.equal(allowance.secondsUntilAllowed("a", 60_010), 0);
});

test("a flood of keys is remembered up to the bound: the oldest is forgotten first, one in use is not", () => {
  const allowance = new Allowance(RULE);
  for (const [at, key] of ["a", "b", "c"].entries()) {
    allowance.take(key, at);
    allowance.take(key, at);
  }
  allowance.take("d", 10);
  assert.equal(allowance.secondsUntilAllowed("a", 10), 0, "forgotten");
  assert.ok(allowance.secondsUntilAllowed("b", 10) > 0);
  assert.ok(allowance.secondsUntilAllowed("c", 10) > 0);
});

test("an allowance of nothing allows nothing", () => {
  assert.ok(new Allowance({ ...RULE, perWindow: 0 }).take("a", 0) > 0);
});
