/** Sightings as networks tell them, and what an arrival is: the first, a move, a return, late. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { HomePlmnResolver } from "../../term/imsi.ts";
import { DEFAULT_CLOCK_TOLERANCE_MS } from "./clock-tolerance.ts";
import { readSighting, readSource } from "./read-sighting.ts";
import { detect, type SightingInput } from "./sighting.ts";

const NOW = Date.parse("2026-05-04T10:20:30Z");
const nobody: HomePlmnResolver = () => undefined;
const GOOD: SightingInput = { imei: "356938035643809", imsi: "262019876543210", plmn: "262-01" };
const read = (more: Partial<Record<keyof SightingInput, unknown>> = {}) =>
  readSighting({ ...GOOD, ...more } as SightingInput, NOW, nobody);

const stays = { deviceId: "a", sinceMs: 100, lastSeenMs: 200 };
const cases = [
  {
    name: "the first one ever",
    stay: undefined,
    seen: { deviceId: "a", seenMs: 1 },
    is: "first_registration",
  },
  { name: "the same handset, later", stay: stays, seen: { deviceId: "a", seenMs: 300 }, is: "unchanged" },
  { name: "the same handset, earlier", stay: stays, seen: { deviceId: "a", seenMs: 1 }, is: "unchanged" },
  { name: "another handset, later", stay: stays, seen: { deviceId: "b", seenMs: 201 }, is: "sim_moved" },
  {
    name: "another handset at that very time",
    stay: stays,
    seen: { deviceId: "b", seenMs: 200 },
    is: "late",
  },
  { name: "another handset, before", stay: stays, seen: { deviceId: "b", seenMs: 150 }, is: "late" },
];
for (const { name, stay, seen, is } of cases) {
  test(`a sighting: ${name} is ${is}`, () => assert.equal(detect(stay, seen), is));
}

const BAD: readonly {
  readonly name: string;
  readonly row: Record<string, unknown>;
  readonly code: string;
}[] = [
  { name: "no IMEI", row: { imei: undefined }, code: "sighting_malformed" },
  { name: "an IMEI that is a number", row: { imei: 356938035643809 }, code: "sighting_malformed" },
  { name: "an IMEI with a letter", row: { imei: "35693803564380O" }, code: "imei_malformed" },
  { name: "a wrong check digit", row: { imei: "356938035643808" }, code: "imei_check_digit" },
  { name: "imei and imeisv of two devices", row: { imeisv: "4901542032375181" }, code: "sighting_malformed" },
  { name: "no IMSI", row: { imsi: "" }, code: "sighting_malformed" },
  { name: "an IMSI that is null", row: { imsi: null }, code: "sighting_malformed" },
  { name: "an IMSI of 16 digits", row: { imsi: "2620198765432101" }, code: "imsi_malformed" },
  { name: "no network", row: { plmn: undefined }, code: "sighting_malformed" },
  { name: "a network of one digit", row: { plmn: "2" }, code: "plmn_malformed" },
  { name: "a phone number as a number", row: { msisdn: 4915112345678 }, code: "sighting_malformed" },
  { name: "half an octet of GID1", row: { gid1: "0a1" }, code: "sighting_malformed" },
  { name: "a GID1 that is an object", row: { gid1: {} }, code: "sighting_malformed" },
  { name: "a name with a NUL", row: { spn: "Li\0me" }, code: "sighting_malformed" },
  { name: "a name of 65 characters", row: { spn: "x".repeat(65) }, code: "sighting_malformed" },
  { name: "a time without a zone", row: { seenAt: "2026-05-04T10:20:30" }, code: "sighting_malformed" },
  { name: "30 February", row: { seenAt: "2026-02-30T10:20:30Z" }, code: "sighting_malformed" },
  { name: "a day that is none", row: { seenAt: "2026-13-45T10:20:30Z" }, code: "sighting_malformed" },
  { name: "an applet's home that is none", row: { appletHome: "moon" }, code: "sighting_malformed" },
  { name: "a time before 1970", row: { seenAt: "1969-12-31T23:59:59Z" }, code: "sighting_malformed" },
  {
    name: "a time ahead of the clock",
    row: { seenAt: new Date(NOW + DEFAULT_CLOCK_TOLERANCE_MS + 1).toISOString() },
    code: "seen_in_future",
  },
];
for (const { name, row, code } of BAD) {
  test(`a sighting with ${name} is refused as ${code}`, () => {
    assert.throws(() => read(row), { name: "TurnupError", code });
  });
}

test("a sighting is read as the network tells it: 14 digits and a zero, IMEISV, no time, no number", () => {
  assert.equal(read({ imei: "356938035643800" }).imei, "356938035643809");
  const sv = read({ imei: undefined, imeisv: "3569380356438042" });
  assert.deepEqual([sv.imei, sv.softwareVersion, sv.tac], ["356938035643809", "42", "35693803"]);
  const plain = read();
  assert.deepEqual([plain.seenMs, plain.msisdn, plain.homePlmn], [NOW, null, "26201"]);
  assert.equal(read({ gid1: "0a1b" }).gid1, "0A1B");
  assert.equal(read({ spn: "  " }).spn, null);
});

test("a phone number or ICCID that cannot be read is left out and noted: the sighting counts without it", () => {
  const { msisdn, iccid, notes, imsi } = read({ msisdn: "hello", iccid: "8949" });
  assert.deepEqual([msisdn, iccid, imsi], [null, null, GOOD.imsi]);
  assert.deepEqual(notes, [
    "msisdn is left out: A phone number is 7 to 15 digits beginning with its country code",
    "iccid is left out: An ICCID has 19 or 20 digits beginning with 89",
  ]);
  assert.deepEqual(read({ msisdn: "+49 151 12345678" }).notes, []);
});

test("who saw it is what the row says, else what its batch says; a word that no probe has is refused", () => {
  assert.equal(readSource({ ...GOOD, source: "applet" }, "radius"), "applet");
  assert.equal(readSource(GOOD, "radius"), "radius");
  assert.equal(readSource({ ...GOOD, source: "" }, "csv"), "csv");
  for (const source of ["network_probe", "Applet", "toString"]) {
    assert.throws(() => readSource({ ...GOOD, source }, "api"), { code: "sighting_malformed" });
  }
});
