/** Counting different ones without keeping which. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "vitest";
import { countOf, emptySketch, joined, withOne } from "./distinct.ts";

const hashOf = (one: number) => createHmac("sha256", "key").update(`sim ${one}`).digest();
const sketchOf = (from: number, to: number) => {
  let sketch = emptySketch();
  for (let one = from; one < to; one++) sketch = withOne(sketch, hashOf(one));
  return sketch;
};

for (const count of [0, 1, 2, 3, 10, 100, 1_000, 20_000]) {
  test(`${count} different ones are told within a tenth, and coming again adds none`, () => {
    const sketch = sketchOf(0, count);
    const told = countOf(sketch);
    assert.ok(Math.abs(told - count) <= count / 10, `${told}`);
    assert.deepEqual(count === 0 ? sketch : withOne(sketch, hashOf(0)), sketch);
  });
}

test("two servers' counts of overlapping ones join to the number of all", () => {
  const both = joined(sketchOf(0, 600), sketchOf(400, 1_000));
  assert.deepEqual(both, sketchOf(0, 1_000));
});

test("a sketch keeps 256 small numbers, whoever was counted, and a damaged one counts for nothing", () => {
  const sketch = sketchOf(0, 5_000);
  assert.equal(sketch.length, 256);
  assert.ok(sketch.every((run) => run <= 33));
  assert.deepEqual(joined(sketch, new Uint8Array(3)), sketch);
  assert.equal(countOf(new Uint8Array(3)), 0);
});
