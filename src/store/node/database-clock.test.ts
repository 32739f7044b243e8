/** The database's time on servers whose own clocks are off. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { createDatabaseClock } from "./database-clock.ts";

const NOON = Date.parse("2026-05-04T12:00:00Z");
const HOUR_MS = 3_600_000;

function clockAt(startMs: number) {
  const own = { ms: 5_000 };
  const clock = createDatabaseClock(() => own.ms, startMs);
  return {
    own,
    now: () => clock.now().getTime(),
    beat(databaseMs: number, tookMs = 2) {
      own.ms += tookMs;
      clock.set({ databaseMs, sentMs: own.ms - tookMs, answeredMs: own.ms });
    },
  };
}

test("a server whose clock is an hour off has the database's time from the first beat on", () => {
  const { own, now, beat } = clockAt(NOON + HOUR_MS);
  assert.equal(now(), NOON + HOUR_MS);
  beat(NOON);
  assert.equal(now(), NOON + 1, "half the way back");
  own.ms += 60_000;
  assert.equal(now(), NOON + 60_001, "and goes on while none comes");
});

test("what the way to the database makes of it is no step, and time never goes back for it", () => {
  const { own, now, beat } = clockAt(NOON);
  beat(NOON);
  let before = now();
  for (const wrong of [40, -40, 90, -90]) {
    own.ms += 1_000;
    beat(before + 1_001 + wrong);
    assert.ok(now() >= before + 1_000);
    before = now();
  }
  own.ms += 1_000;
  beat(before + 4_000, 8_000);
  assert.ok(Math.abs(now() - before - 9_000) < 1, "a beat that took eight seconds says nothing finer");
});

test("a database whose clock is set is followed, since all servers follow it", () => {
  const { now, beat } = clockAt(NOON);
  beat(NOON);
  beat(NOON + HOUR_MS);
  assert.equal(now(), NOON + HOUR_MS + 1);
  beat(NOON - HOUR_MS);
  assert.equal(now(), NOON - HOUR_MS + 1);
});
