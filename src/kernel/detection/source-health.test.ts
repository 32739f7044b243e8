/** When a source of sightings is ill, by its own habit. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { SIGHTING_SOURCES } from "./sighting.ts";
import { healthOf, type SourceFigures } from "./source-health.ts";
import { provesAbsence } from "./sources.ts";

const MINUTE_MS = 60_000;
const NOW = Date.UTC(2026, 4, 4, 8);
const of = (more: Partial<SourceFigures>): SourceFigures => ({
  source: "radius",
  firstReceivedMs: NOW - 3 * 1_440 * MINUTE_MS,
  lastReceivedMs: NOW,
  activeMinutes: 1_440,
  ...{ received: 6_000, refused: 0, lagMs: 800 },
  ...more,
});
const ago = (minutes: number): number => NOW - minutes * MINUTE_MS;

test("a gateway that tells every minute is silent after ten; a file of each night is not silent all day", () => {
  assert.equal(healthOf(of({ lastReceivedMs: ago(9) }), NOW).state, "healthy");
  assert.deepEqual(healthOf(of({ lastReceivedMs: ago(10), received: 5_000 }), NOW), {
    state: "silent",
    reason: "nothing came for 10 minutes, where something usually comes every 1",
  });
  const file = of({ source: "csv", activeMinutes: 12, received: 0, lagMs: null });
  assert.equal(healthOf({ ...file, lastReceivedMs: ago(1_100) }, NOW).state, "healthy");
  assert.equal(healthOf({ ...file, lastReceivedMs: ago(1_300) }, NOW).state, "silent");
});

test("a source that only begins has no habit, so that its silence tells nothing yet", () => {
  const young = { firstReceivedMs: ago(9), lastReceivedMs: ago(5), activeMinutes: 5 };
  assert.equal(healthOf(of(young), NOW + 60 * MINUTE_MS).state, "healthy");
  const grown = { firstReceivedMs: ago(20), lastReceivedMs: ago(10), activeMinutes: 11 };
  assert.equal(healthOf(of(grown), NOW).state, "silent");
});

test("a source of which most is refused says so, unless it told a handful alone", () => {
  assert.equal(healthOf(of({ received: 100, refused: 51 }), NOW).state, "refused");
  assert.equal(healthOf(of({ received: 100, refused: 50 }), NOW).state, "healthy");
  assert.equal(healthOf(of({ received: 9, refused: 9 }), NOW).state, "healthy");
});

test("what tells as it sees is late after five minutes; a report may bring yesterday's", () => {
  const lagMs = 5 * MINUTE_MS + 1;
  assert.deepEqual(healthOf(of({ lagMs: 7 * MINUTE_MS }), NOW), {
    state: "late",
    reason: "what came in the last hour was 7 minutes old on average",
  });
  assert.equal(healthOf(of({ lagMs }), NOW).state, "late");
  assert.equal(healthOf(of({ lagMs, source: "csv" }), NOW).state, "healthy");
  assert.equal(healthOf(of({ lagMs: null }), NOW).state, "healthy");
});

test("only who tells of each session proves by silence that a handset is gone: who asks at times, or speaks at changes, does not", () => {
  assert.deepEqual(SIGHTING_SOURCES.filter(provesAbsence), ["radius"]);
});
