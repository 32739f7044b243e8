/** When one IMEI is two handsets, and what only looks like it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cloneIn, cloneWords } from "./clone.ts";
import { leastDistanceKm } from "./country-places.ts";

const IMEI = "35693803564380";
const AT = Date.UTC(2026, 4, 4, 8);
const HOUR_MS = 3_600_000;
const seen = (subscriberId: string, country: string | null, hours: number) => ({
  subscriberId,
  country,
  seenMs: AT + hours * HOUR_MS,
});

test("one IMEI with two SIMs in two countries within an hour is a clone, whichever was told first", () => {
  const [german, kenyan] = [seen("a", "DE", 0), seen("b", "KE", 1)];
  for (const order of [
    [german, kenyan],
    [kenyan, german],
  ]) {
    const clone = cloneIn(IMEI, order);
    assert.deepEqual([clone?.one.country, clone?.other.country, clone?.minutesBetween], ["DE", "KE", 60]);
    assert.ok(clone);
    assert.match(
      cloneWords(clone),
      /^seen with one SIM in DE and with another in KE, \d{4} km away at least, 60 minutes later$/,
    );
  }
});

test("a handset that is carried in the time that a flight takes is no clone", () => {
  assert.equal(cloneIn(IMEI, [seen("a", "DE", 0), seen("b", "KE", 9)]), null);
});

test("a family that hands its phone on within its country is no clone, however often", () => {
  const days = [0, 0.1, 0.2, 24, 24.1].map((hours, at) => seen(at % 2 === 0 ? "mother" : "son", "GB", hours));
  assert.equal(cloneIn(IMEI, days), null);
});

test("a phone that is handed over a border is no clone: from there to here is one step", () => {
  assert.equal(leastDistanceKm("DE", "PL"), 0);
  assert.equal(leastDistanceKm("ES", "MA"), 0);
  assert.equal(cloneIn(IMEI, [seen("a", "DE", 0), seen("b", "PL", 0)]), null);
});

test("one SIM that networks of two countries tell of is the affair of clocks, and no clone of the handset", () => {
  assert.equal(cloneIn(IMEI, [seen("a", "DE", 0), seen("a", "KE", 1)]), null);
});

test("a network of no known country, or a country without a place, decides nothing", () => {
  assert.equal(cloneIn(IMEI, [seen("a", null, 0), seen("b", "KE", 0)]), null);
  assert.equal(cloneIn(IMEI, [seen("a", "AQ", 0), seen("b", "KE", 0)]), null);
});

test("the two numbers of a phone with two SIMs are two handsets to the network, and each is looked at alone", () => {
  // The second IMEI of a phone is another number: what is seen of it never stands among the first one's.
  assert.equal(cloneIn(IMEI, [seen("a", "DE", 0)]), null);
  assert.equal(cloneIn("35693803564381", [seen("b", "DE", 0)]), null);
});

test("a special IMEI is many phones', and no clone of one", () => {
  for (const imei of ["00000000000000", "12345678901234", "00440245123456", "35693803000000"])
    assert.equal(cloneIn(imei, [seen("a", "DE", 0), seen("b", "KE", 0)]), null, imei);
});

test("between countries far apart stands a distance that is shorter than any flight, and never longer", () => {
  // Great-circle distances between the nearest large airports, in km.
  for (const [one, other, flightKm] of [
    ["GB", "US", 5_100],
    ["FR", "MA", 800],
    ["SG", "AU", 2_900],
    ["JP", "KR", 210],
    ["IN", "AE", 1_200],
    ["BR", "PT", 5_600],
  ] as const) {
    const least = leastDistanceKm(one, other);
    assert.ok(least !== null && least <= flightKm, `${one} ${other} ${least}`);
  }
});
