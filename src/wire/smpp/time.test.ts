/** Times of SMPP, absolute and relative. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { formatAbsoluteTime, formatRelativeTime, formatTime, momentOf, parseTime } from "./time.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

test("SMPP time: two years, six months, ten days, 23:34:29 from now (SMPP v3.4 §7.1.1)", () => {
  const time = parseTime("020610233429000R");
  assert.deepEqual(time, {
    kind: "relative",
    years: 2,
    months: 6,
    days: 10,
    hours: 23,
    minutes: 34,
    seconds: 29,
  });
  assert.equal(momentOf(time, NOW), Date.UTC(2028, 6, 41, 35, 34, 29));
  assert.equal(formatTime(time), "020610233429000R");
});

test("SMPP time: an hour east of UTC is an hour earlier in UTC", () => {
  const time = parseTime("260131120000004+");
  assert.equal(momentOf(time, 0), Date.UTC(2026, 0, 31, 11, 0, 0));
  assert.equal(momentOf(parseTime("260131120000304-"), 0), Date.UTC(2026, 0, 31, 13, 0, 0, 300));
  assert.equal(formatTime(time), "260131120000004+");
});

test("SMPP time: any moment of this century comes back to the tenth of a second, in any zone", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2000, 0, 2) / 100, max: Date.UTC(2099, 11, 30) / 100 }),
      fc.integer({ min: -48, max: 48 }),
      (tenths, quarters) => {
        const time = parseTime(formatAbsoluteTime(tenths * 100, quarters));
        assert.deepEqual(time, { kind: "absolute", atMs: tenths * 100, utcOffsetQuarters: quarters });
      },
    ),
    { seed: SEED },
  );
});

test("SMPP time: a validity below 32 days comes back to the second, a longer one is refused", () => {
  for (const seconds of [0, 59, 3600, 86_399, 86_400, 31 * 86_400]) {
    assert.equal(momentOf(parseTime(formatRelativeTime(seconds * 1000)), NOW) - NOW, seconds * 1000);
  }
  for (const bad of [-1, Number.NaN, 32 * 86_400_000]) {
    assert.throws(() => formatRelativeTime(bad), { code: "smpp_field_invalid" });
  }
  assert.throws(() => formatAbsoluteTime(0), { code: "smpp_field_invalid" });
  assert.throws(() => formatAbsoluteTime(NOW, 49), { code: "smpp_field_invalid" });
});

for (const [text, offset] of [
  ["", 0],
  ["0206102334290R", 0],
  ["261301000000000+", 2],
  ["260230000000000+", 2],
  ["260131240000000+", 6],
  ["260131006000000+", 8],
  ["260131000060000+", 10],
  ["260131000000049+", 13],
  ["000000010000100R", 12],
] as const) {
  test(`SMPP time: "${text}" is no time`, () => {
    assert.throws(() => parseTime(text), { name: "DecodeError", offset });
  });
}
