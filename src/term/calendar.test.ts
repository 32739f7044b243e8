/** Days that there are, and those that JavaScript would read as another day. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { beginsWithDay, isCalendarDay, monthsAfter } from "./calendar.ts";

test("a day that its month lacks is none, leap years counted as the calendar counts them", () => {
  for (const day of ["2026-02-28", "2024-02-29", "2000-02-29", "2026-12-31"])
    assert.ok(isCalendarDay(day), day);
  const none = [
    "2026-02-29",
    "2026-02-30",
    "1900-02-29",
    "2026-04-31",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
  ];
  for (const day of [...none, "2026-1-1", "20260101", "", "2026-01-01T00:00:00Z"])
    assert.ok(!isCalendarDay(day), day);
  assert.ok(beginsWithDay("2024-02-29T23:59:59+02:00"));
  assert.ok(!beginsWithDay("2026-02-30T00:00:00Z"));
});

test("a month later is the same day, or the last one of a month that lacks it", () => {
  for (const [from, months, to] of [
    ["2026-01-15T10:20:30.400Z", 1, "2026-02-15T10:20:30.400Z"],
    ["2026-01-31T23:59:59.000Z", 1, "2026-02-28T23:59:59.000Z"],
    ["2028-01-31T00:00:00.000Z", 1, "2028-02-29T00:00:00.000Z"],
    ["2026-01-31T00:00:00.000Z", 2, "2026-03-31T00:00:00.000Z"],
    ["2026-12-31T00:00:00.000Z", 2, "2027-02-28T00:00:00.000Z"],
    ["2026-01-31T00:00:00.000Z", 12, "2027-01-31T00:00:00.000Z"],
  ] as const)
    assert.equal(monthsAfter(new Date(from), months).toISOString(), to);
});
