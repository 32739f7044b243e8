/** How often cards may be tried, and how long each pause is. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CARD_TRY_KINDS, DEFAULT_CARD_TRY_LIMITS as LIMITS, pauseAfter, type Tried } from "./card-tries.ts";

const lastAt = new Date("2026-03-01T12:00:00Z");
const after = (seconds: number): Date => new Date(lastAt.getTime() + seconds * 1_000);
const tried = (kind: Tried["kind"], tries: number, refused = tries): Tried => ({
  kind,
  tries,
  refused,
  lastAt,
});

for (const kind of CARD_TRY_KINDS) {
  test(`cards tried for one ${kind}: some are free, then each pause is twice the last, up to the longest`, () => {
    const free = LIMITS.free[kind];
    assert.equal(pauseAfter([tried(kind, free - 1)], LIMITS, lastAt), null);
    for (const [over, seconds] of [
      [0, 60],
      [1, 120],
      [2, 240],
      [5, 1_920],
      [40, 86_400],
    ] as const) {
      const one = [tried(kind, free + over)];
      assert.deepEqual(pauseAfter(one, LIMITS, after(seconds - 1)), {
        of: kind,
        until: after(seconds),
        tries: free + over,
      });
      assert.equal(pauseAfter(one, LIMITS, after(seconds)), null);
    }
  });
}

test("good cards never count for an address or a token, which many honest people share", () => {
  for (const kind of ["address", "token"] as const)
    assert.equal(pauseAfter([tried(kind, 500, 3)], LIMITS, lastAt), null);
  assert.equal(pauseAfter([tried("session", 3, 0)], LIMITS, lastAt)?.of, "session");
});

test("of several pauses the one that ends last holds", () => {
  assert.equal(
    pauseAfter([tried("session", 4), tried("number", 6), tried("card", 1)], LIMITS, lastAt)?.of,
    "number",
  );
});
