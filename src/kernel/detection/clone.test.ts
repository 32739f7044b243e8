/** When one IMEI is two handsets, and what only looks like it. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cloneIn, cloneWords } from "./clone.ts";
import { countryCovering, leastDistanceKm } from "./country-places.ts";

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

// What everybody can look up: nearest points of the two countries by air, in km; 0 where they share a border or a strait of no account.
const NEAREST_KM = [
  ...[
    ["DE", "FR", 0],
    ["ES", "PT", 0],
    ["ES", "MA", 14],
    ["GB", "IE", 0],
    ["GB", "FR", 34],
    ["FI", "EE", 50],
  ],
  ...[
    ["SE", "DK", 4],
    ["NO", "RU", 0],
    ["US", "CA", 0],
    ["US", "MX", 0],
    ["US", "RU", 4],
    ["US", "CU", 150],
  ],
  ...[
    ["BR", "FR", 6_000],
    ["BR", "GF", 0],
    ["CO", "PA", 0],
    ["AR", "CL", 0],
    ["CL", "PF", 2_000],
    ["PE", "EC", 0],
  ],
  ...[
    ["JP", "KR", 50],
    ["JP", "RU", 4],
    ["CN", "HK", 0],
    ["CN", "VN", 0],
    ["SG", "MY", 1],
    ["SG", "ID", 10],
  ],
  ...[
    ["AU", "NZ", 740],
    ["AU", "ID", 330],
    ["AU", "PG", 5],
    ["NZ", "FJ", 1_900],
    ["IN", "LK", 30],
    ["IN", "NP", 0],
  ],
  ...[
    ["PK", "AF", 0],
    ["OM", "YE", 0],
    ["EG", "SA", 15],
    ["DJ", "YE", 26],
    ["KE", "TZ", 0],
    ["MZ", "MG", 410],
  ],
  ...[
    ["RE", "MU", 170],
    ["KM", "MZ", 290],
    ["CV", "SN", 560],
    ["PT", "MA", 230],
    ["IT", "TN", 70],
    ["GR", "TR", 2],
  ],
  ...[
    ["CY", "TR", 65],
    ["CY", "LB", 160],
    ["IS", "GL", 290],
    ["IS", "GB", 800],
    ["IS", "NO", 550],
    ["FO", "GB", 300],
  ],
  ...[
    ["JM", "CU", 145],
    ["DO", "PR", 110],
    ["TT", "VE", 11],
    ["BB", "LC", 140],
    ["LS", "ZA", 0],
    ["ZA", "NA", 0],
  ],
] as const satisfies readonly (readonly [string, string, number])[];

test("between two countries never stands more than lies between their nearest points", () => {
  for (const [one, other, nearestKm] of NEAREST_KM) {
    const least = leastDistanceKm(one, other);
    assert.ok(least !== null && least <= nearestKm, `${one} ${other}: ${least}, and it is ${nearestKm}`);
    assert.equal(leastDistanceKm(other, one), least);
  }
});

test("countries on two continents stand far enough apart to tell a clone within hours", () => {
  for (const [one, other, km] of [
    ...[
      ["DE", "KE", 4_000],
      ["GB", "NG", 2_500],
      ["FR", "BR", 4_000],
      ["DE", "US", 1_500],
      ["PL", "IN", 2_500],
    ],
    ...[
      ["AE", "ZA", 4_000],
      ["NL", "TH", 6_000],
      ["CH", "JP", 6_000],
      ["AR", "ES", 5_000],
      ["KE", "SG", 6_000],
    ],
  ] as const)
    assert.ok((leastDistanceKm(one, other) ?? 0) >= km, `${one} ${other}: ${leastDistanceKm(one, other)}`);
});

test("a network that serves a country and what lies within its reach is of that one; one that serves Guam too tells no place", () => {
  assert.equal(countryCovering(["PR", "US", "VI"]), "US");
  assert.equal(countryCovering(["GB", "IM"]), "GB");
  assert.equal(countryCovering(["PS", "IL"]), "IL");
  assert.equal(countryCovering(["GU", "US"]), null);
  assert.equal(countryCovering(["AU", "XX"]), null);
  assert.equal(countryCovering(["KE"]), "KE");
  assert.equal(countryCovering([]), null);
});
