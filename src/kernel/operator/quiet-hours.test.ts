/** Quiet hours by the local clock, over midnight and over changes of the clock. Offsets: IANA time zone data. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { isTimeZone, type QuietHours, quietFrom, quietUntil } from "./quiet-hours.ts";

const night: QuietHours = {
  from: "21:00",
  to: "08:00",
  timeZone: "Europe/Berlin",
  timeZones: { "310": "America/New_York" },
};
const until = (at: string, quiet: QuietHours | null = night, plmn: string | null = "262/01"): string | null =>
  quietUntil(quiet, plmn, new Date(at))?.toISOString() ?? null;

test("in the quiet hours of the operator's zone it waits until they end, by the minute", () => {
  assert.equal(until("2026-11-29T19:59:59Z"), null, "20:59 in Berlin");
  assert.equal(until("2026-11-29T20:00:00Z"), "2026-11-30T07:00:00.000Z");
  assert.equal(until("2026-11-30T03:12:34.567Z"), "2026-11-30T07:00:00.000Z");
  assert.equal(until("2026-11-30T06:59:59.999Z"), "2026-11-30T07:00:00.000Z");
  assert.equal(until("2026-11-30T07:00:00Z"), null);
});

test("a subscriber of a network elsewhere has the clock of there", () => {
  assert.equal(until("2026-11-29T20:00:00Z", night, "310/260"), null, "15:00 in New York");
  assert.equal(
    until("2026-11-30T07:00:00Z", night, "310/260"),
    "2026-11-30T13:00:00.000Z",
    "02:00 in New York",
  );
  assert.equal(until("2026-11-29T20:00:00Z", night, null), "2026-11-30T07:00:00.000Z");
});

test("hours within one day, and none at all", () => {
  const noon: QuietHours = { ...night, from: "12:00", to: "14:30" };
  assert.equal(until("2026-11-29T10:59:00Z", noon), null);
  assert.equal(until("2026-11-29T11:00:00Z", noon), "2026-11-29T13:30:00.000Z");
  assert.equal(until("2026-11-29T13:30:00Z", noon), null);
  assert.equal(until("2026-11-29T23:00:00Z", null), null);
});

test("a night in which the clock changes ends by the clock", () => {
  assert.equal(until("2026-03-28T22:00:00Z"), "2026-03-29T06:00:00.000Z", "forward: 08:00 is CEST");
  assert.equal(until("2026-10-24T21:00:00Z"), "2026-10-25T07:00:00.000Z", "back: 08:00 is CET");
  const skipped: QuietHours = { ...night, to: "02:30" };
  assert.equal(
    until("2026-03-28T22:00:00Z", skipped),
    "2026-03-29T01:30:00.000Z",
    "02:30 is not there: 03:30",
  );
  const nearlyAlways: QuietHours = { ...night, from: "00:00", to: "23:00", timeZone: "America/New_York" };
  assert.equal(
    until("2030-03-10T05:00:00Z", nearlyAlways),
    "2030-03-11T03:00:00.000Z",
    "a day of 23 hours: the hour behind 23:00 is not passed over",
  );
  const noon: QuietHours = { ...night, from: "12:00" };
  assert.equal(
    quietFrom(noon, null, new Date("2026-03-28T22:00:00Z"))?.toISOString(),
    "2026-03-29T10:00:00.000Z",
    "12:00 is CEST",
  );
});

test("what comes out of quiet hours lies in none, whenever it is and wherever", () => {
  const time = fc
    .integer({ min: 0, max: 1_439 })
    .map((at) => new Date(at * 60_000).toISOString().slice(11, 16));
  const zone = fc.constantFrom(
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "UTC",
  );
  fc.assert(
    fc.property(time, time, zone, fc.integer({ min: 1.7e12, max: 1.9e12 }), (from, to, timeZone, at) => {
      fc.pre(from !== to);
      const quiet: QuietHours = { from, to, timeZone, timeZones: {} };
      const now = new Date(at);
      const end = quietUntil(quiet, null, now);
      assert.equal(quietUntil(quiet, null, end ?? now), null);
      assert.ok(end === null || end.getTime() - at <= 26 * 3_600_000);
      assert.ok(quietFrom(quiet, null, now)! > now);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test("the next quiet hours begin by the same clock", () => {
  const from = (at: string) => quietFrom(night, null, new Date(at))?.toISOString();
  assert.equal(from("2026-11-29T12:34:56Z"), "2026-11-29T20:00:00.000Z");
  assert.equal(from("2026-11-29T20:00:00Z"), "2026-11-30T20:00:00.000Z");
  assert.equal(quietFrom(null, null, new Date(0)), null);
});

test("names of time zones are those of the IANA database", () => {
  for (const name of ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia"]) assert.ok(isTimeZone(name), name);
  for (const name of ["", "Berlin", "Europe/Atlantis", "now"]) assert.equal(isTimeZone(name), false, name);
});
