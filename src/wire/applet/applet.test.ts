/** Vectors of ETSI TS 102 223 §6.4.15 and 3GPP TS 24.008 §10.5.1.4, worked by hand from the clauses. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { DecodeError } from "../decode-error.ts";
import { bytesOf, hexOf } from "../hex.ts";
import {
  decodeIccid,
  decodeImei,
  decodeImeisv,
  decodeImsi,
  encodeIccid,
  encodeImei,
  encodeImeisv,
  encodeImsi,
} from "./identity.ts";
import {
  type AppletReport,
  DEFAULT_TEXT_PATTERN,
  decodeBinaryReport,
  encodeFixedReport,
  encodeObjectReport,
  readTextReport,
} from "./report.ts";
import { cannotDo, decodeCommand, decodeResponse, encodeCommand, encodeResponse } from "./terminal.ts";

const IMEI = "356938035643809";
const IMSI = "234150000000001";
const ICCID = "8944110000000000019";
const plain = (hex: string): Uint8Array => bytesOf(hex.replaceAll(" ", ""));

const NUMBERS = [
  { what: "an IMEI", hex: "3A 65 39 08 53 46 83 90", digits: IMEI, decode: decodeImei, encode: encodeImei },
  {
    what: "an IMEI whose last digit is spare",
    hex: "3A 65 39 08 53 46 83 00",
    digits: "356938035643800",
    decode: decodeImei,
    encode: encodeImei,
  },
  {
    what: "an IMEISV",
    hex: "33 65 39 08 53 46 83 10 F2",
    digits: "3569380356438012",
    decode: decodeImeisv,
    encode: encodeImeisv,
  },
  {
    what: "an IMSI of 15 digits",
    hex: "08 29 43 51 00 00 00 00 10",
    digits: IMSI,
    decode: decodeImsi,
    encode: encodeImsi,
  },
  {
    what: "an IMSI of 14 digits",
    hex: "08 21 43 51 00 00 00 00 F0",
    digits: "23415000000000",
    decode: decodeImsi,
    encode: encodeImsi,
  },
  {
    what: "an ICCID of 19 digits",
    hex: "98 44 11 00 00 00 00 00 10 F9",
    digits: ICCID,
    decode: decodeIccid,
    encode: encodeIccid,
  },
];
for (const { what, hex, digits, decode, encode } of NUMBERS) {
  test(`${what} as a card holds it is read, and written to the same octets`, () => {
    assert.equal(decode(plain(hex)), digits);
    assert.equal(hexOf(encode(digits)), hexOf(plain(hex)));
  });
  test(`${what} cut short anywhere is refused`, () => {
    for (let cut = 0; cut < plain(hex).length; cut++)
      assert.throws(() => decode(plain(hex).slice(0, cut)), DecodeError, `cut at ${cut}`);
  });
}

const WRONG = [
  { what: "an IMSI's type where an IMEI's belongs", hex: "39 65 39 08 53 46 83 90", offset: 0 },
  { what: "a letter for a digit", hex: "3A 65 39 0B 53 46 83 90", offset: 3 },
  { what: "a filler in the middle", hex: "3A F5 39 08 53 46 83 90", offset: 1 },
  { what: "even digits marked odd", hex: "3A 65 39 08 53 46 83 F0", offset: 0 },
  { what: "odd digits marked even", hex: "32 65 39 08 53 46 83 90", offset: 0 },
  { what: "an octet too many", hex: "3A 65 39 08 53 46 83 90 00", offset: 8 },
];
for (const { what, hex, offset } of WRONG) {
  test(`an IMEI with ${what} is refused at octet ${offset}`, () => {
    assert.throws(() => decodeImei(plain(hex)), { name: "DecodeError", offset });
  });
}

test("the terminal is asked for its number, and its answer is read; what it cannot do is told", () => {
  assert.equal(hexOf(encodeCommand("imei")), hexOf(plain("D0 09 81 03 01 26 01 82 02 81 82")));
  assert.equal(decodeCommand(encodeCommand("imeisv")), "imeisv");
  const given = plain("81 03 01 26 01 82 02 82 81 83 01 00 94 08 3A 65 39 08 53 46 83 90");
  assert.deepEqual(decodeResponse(given), { asked: "imei", kind: "given", digits: IMEI });
  assert.deepEqual(decodeResponse(Uint8Array.from([...given.slice(0, 12), 0x14, ...given.slice(13)])), {
    asked: "imei",
    kind: "given",
    digits: IMEI,
  });
  assert.equal(hexOf(encodeResponse({ asked: "imei", kind: "given", digits: IMEI })), hexOf(given));
  const refused = cannotDo("imeisv");
  assert.deepEqual(decodeResponse(encodeResponse(refused)), {
    asked: "imeisv",
    kind: "refused",
    result: 0x30,
  });
  for (let cut = 0; cut < given.length; cut++)
    assert.throws(() => decodeResponse(given.slice(0, cut)), DecodeError, `cut at ${cut}`);
});

const FULL: AppletReport = {
  ...{ imei: IMEI, imeisv: null, imsi: IMSI, iccid: ICCID, home: "uicc" },
  profile: "ffffffff7f1100df", // TERMINAL PROFILE, the first 8 octets of a phone of 2015
};

test("a report of data objects is read in any order, with what a vendor adds, and written back", () => {
  const octets = encodeObjectReport(FULL);
  assert.deepEqual(decodeBinaryReport(octets), FULL);
  const other = plain(`99 0A 984411000000000010F9 0B 02 FFFF 70 01 00 62 09 3365390853468310F2`);
  const read = decodeBinaryReport(other);
  assert.deepEqual([read.imeisv, read.iccid, read.imsi, read.home], ["3569380356438012", ICCID, null, null]);
  assert.equal(read.profile, "ffff");
});

test("a report of fixed fields is read with and without the card's number", () => {
  for (const iccid of [ICCID, null]) {
    const octets = encodeFixedReport({ imei: IMEI, imsi: IMSI, iccid });
    assert.deepEqual(decodeBinaryReport(octets), { ...FULL, iccid, home: null, profile: null });
  }
});

test("a report that is cut short anywhere is refused, never guessed", () => {
  for (const octets of [
    encodeObjectReport({ ...FULL, home: null, iccid: null, profile: null }),
    encodeFixedReport({ imei: IMEI, imsi: IMSI, iccid: null }),
  ]) {
    // Cut behind its IMEI, a report of data objects is a shorter report.
    const whole = new Set([octets.length, octets[0] === 0x94 ? 10 : octets.length]);
    for (let cut = 0; cut < octets.length; cut++)
      if (!whole.has(cut))
        assert.throws(() => decodeBinaryReport(octets.slice(0, cut)), DecodeError, `cut at ${cut}`);
  }
});

const PATTERN = new RegExp(DEFAULT_TEXT_PATTERN, "i");
const TEXTS: readonly [string, Partial<AppletReport> | null][] = [
  [`IMEI:${IMEI} IMSI:${IMSI}`, { imei: IMEI, imsi: IMSI }],
  [`DCI*${IMEI}*#`, { imei: IMEI }],
  [
    `imei=3569380356438012;imsi=${IMSI};iccid=${ICCID};home=eSIM`,
    { imei: null, imeisv: "3569380356438012", imsi: IMSI, iccid: ICCID, home: "esim" },
  ],
  [`IMEI:${IMEI} HOME:moon`, { imei: IMEI, home: null }],
  ["Hello", null],
  [`IMEI:12345`, null],
  [`IMEI:${IMEI}99`, null],
  [`${"x".repeat(400)} IMEI:${IMEI}`, null],
];
for (const [text, wanted] of TEXTS) {
  test(`a text "${text.slice(0, 40)}" is ${wanted ? "a report" : "none"}`, () => {
    const read = readTextReport(text, (text) => PATTERN.exec(text)?.groups ?? null);
    if (!wanted) assert.equal(read, null);
    else
      for (const [name, value] of Object.entries(wanted))
        assert.equal(read?.[name as keyof AppletReport], value, name);
  });
}

test("whatever octets come, a report is read, or refused with an offset inside them", () => {
  const vectors = [
    encodeObjectReport(FULL),
    encodeFixedReport({ imei: IMEI, imsi: IMSI, iccid: ICCID }),
    encodeResponse({ asked: "imei", kind: "given", digits: IMEI }),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...vectors), fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }))
    .map(([octets, changes]) => {
      const copy = Uint8Array.from(octets);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (octets) => {
      for (const decode of [decodeBinaryReport, decodeResponse, decodeCommand]) {
        try {
          decode(octets);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
          assert.ok(error.offset >= 0 && error.offset <= octets.length);
        }
      }
    }),
    { seed: SEED, numRuns: 5_000 },
  );
});
