/** UUIDs of version 7 that sort as they were made. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { isUuid, uuidv7 } from "./uuid.ts";

test("identifiers of one process sort as they were made, and none comes twice", () => {
  const made = Array.from({ length: 100_000 }, () => uuidv7());
  assert.deepEqual(made.toSorted(), made);
  assert.equal(new Set(made).size, made.length);
});

test("an identifier is a UUID of version 7 and variant 10 that bears its time", () => {
  const later = Date.now() + 3_600_000;
  const uuid = uuidv7(later);
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(Number.parseInt(uuid.replace("-", "").slice(0, 12), 16), later);
});

test("a clock that steps back does not break the order", () => {
  const first = uuidv7(Date.now() + 7_200_000);
  const second = uuidv7(1_000);
  assert.ok(first < second, `${first} < ${second}`);
});

test("every random bit and every bit of the counter's start takes both values", () => {
  let ones = 0n;
  let zeros = 0n;
  const start = Date.now() + 10_000_000;
  for (let i = 0; i < 2_000; i++) {
    const bits = BigInt(`0x${uuidv7(start + i).replaceAll("-", "")}`);
    ones |= bits;
    zeros |= ~bits;
  }
  const moving = ones & zeros & ((1n << 80n) - 1n);
  // 80 bits less 4 of the version (they lie above), 2 of the variant and the counter's highest, which starts as 0.
  const fixed = ((1n << 76n) - 1n) ^ moving;
  assert.equal(fixed.toString(2).replaceAll("0", "").length, 3);
});

test("what is no UUID is told apart", () => {
  assert.ok(isUuid(uuidv7()));
  for (const text of ["", "1", `${uuidv7()} `, uuidv7().toUpperCase()])
    assert.equal(isUuid(text), false, text);
});
