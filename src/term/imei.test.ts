/** IMEI, IMEISV and TAC by TS 23.003, on a file of cases. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { test } from "vitest";
import {
  checkDigitOf,
  classifyIdentity,
  imei14Of,
  imeiFromNetwork,
  imeiOf,
  parseImei,
  parseImeisv,
  parseTac,
  tacOf,
} from "./imei.ts";

type Case = { readonly input: string; readonly kind: string; readonly valid: string; readonly why: string };
const CASES = parse(
  readFileSync(join(import.meta.dirname, "../../test/vector/data/imei-cases.csv"), "utf8"),
  { columns: true },
) as Case[];

/** What a refused row's error code must be: the file says yes, no, test, junk or nothing. */
const CODES: Record<string, string> = {
  test: "imei_test",
  junk: "imei_filler",
  no: "imei_check_digit",
  "": "identity_unknown",
};

test("the file of cases has all its rows", () => assert.equal(CASES.length, 15));
for (const { input, kind, valid, why } of CASES) {
  test(`${input} is ${kind || "none"}, valid: ${valid || "no"} (${why})`, () => {
    const identity = classifyIdentity(input);
    assert.equal(identity.kind, kind || "none");
    assert.equal(identity.valid, valid === "yes");
    if (!identity.valid) assert.equal(identity.error.code, CODES[kind ? valid : ""]);
  });
}

test("the IMEI of TS 23.003 is read with its separators, and its parts are named", () => {
  const imei = parseImei("49-015420-323751-8");
  assert.equal(imei, "490154203237518");
  assert.equal(tacOf(imei), "49015420");
  assert.equal(imei14Of(imei), "49015420323751");
  assert.equal(checkDigitOf("49015420323751"), "8");
  assert.equal(parseImei(" 35/209900 176148-1"), "352099001761481");
});

for (const digits of [
  "49015420323751",
  "490154203237510",
  "490154203237518",
  "49015420323751F",
  "4901542032375101",
]) {
  test(`a network's ${digits} is the one device, with its check digit rebuilt`, () => {
    assert.equal(imeiFromNetwork(digits), "490154203237518");
  });
}

const REFUSED_FROM_NETWORK = [
  ["490154203237517", "imei_check_digit"],
  ["4901542032375", "imei_malformed"],
  ["49015420323751A", "imei_malformed"],
  ["49015420323751018", "imei_malformed"],
  ["00499901064000", "imei_test"],
  ["1111111111111199", "imei_filler"],
] as const;
for (const [digits, code] of REFUSED_FROM_NETWORK) {
  test(`a network's ${digits} is refused: ${code}`, () => {
    assert.throws(() => imeiFromNetwork(digits), { name: "TurnupError", code });
  });
}

test("an IMEI read from text is refused with the reason: length, check digit, filler, test number", () => {
  assert.throws(() => parseImei("49015420323751"), { code: "imei_malformed" });
  assert.throws(() => parseImei("4".repeat(10_000)), { code: "imei_malformed" });
  assert.throws(() => parseImei("490154203237510"), { code: "imei_check_digit" });
  assert.throws(() => parseImei("000000000000000"), { code: "imei_filler" });
  assert.throws(() => parseImei("004999010640000"), { code: "imei_test" });
});

test("an error never repeats the number it refused", () => {
  for (const text of ["490154203237517", "4901542032375", "35209900176148123"]) {
    const identity = classifyIdentity(text);
    assert.ok(!identity.valid && !identity.error.message.includes(text));
    assert.throws(
      () => parseImei(text),
      (error: Error) => !error.message.includes(text),
    );
  }
});

test("an IMEISV keeps its software version, 99 included, and gives the IMEI of its device", () => {
  assert.equal(imeiOf(parseImeisv("4901542032375199")), "490154203237518");
  assert.throws(() => parseImeisv("490154203237518"), { code: "imeisv_malformed" });
});

/** Why the device that these 14 digits name is none. */
function faultOf(imei14: string): string | undefined {
  const identity = classifyIdentity(imei14);
  return identity.valid ? undefined : identity.error?.code;
}

test("reporting bodies 00 and 02 to 09 are test ones, 01 and the rest are not", () => {
  const bodies = Array.from({ length: 100 }, (_, at) => String(at).padStart(2, "0"));
  assert.deepEqual(
    bodies.filter((body) => faultOf(`${body}999901064000`) === "imei_test"),
    ["00", "02", "03", "04", "05", "06", "07", "08", "09"],
  );
});

test("one digit repeated and counts up or down are filler, a single other digit among them is not", () => {
  for (const digits of ["00000000000000", "99999999999999", "01234567890123", "98765432109876"])
    assert.equal(faultOf(digits), "imei_filler", digits);
  for (const digits of ["35999999999999", "12345678901235"]) assert.equal(faultOf(digits), undefined, digits);
});

test("hexadecimal and decimal writing of a MEID name the same device, which has no TAC", () => {
  const hex = classifyIdentity("AF 0123450ABCDE");
  const decimal = classifyIdentity("293608736500703710");
  assert.ok(hex.valid && hex.kind === "meid" && decimal.valid && decimal.kind === "meid-dec");
  assert.equal(hex.meid, decimal.meid);
  assert.ok(!("tac" in hex));
});

test("the check digit of a MEID is to the base 16", () => {
  // The worked example of 3GPP2 S.R0048.
  const right = [..."0123456789ABCDEF"].filter((digit) => classifyIdentity(`AF0123450ABCDE${digit}`).valid);
  assert.deepEqual(right, ["C"]);
  assert.deepEqual(classifyIdentity("293608736599999999").valid, false);
});

test("a TAC keeps its leading zeros", () => {
  assert.equal(parseTac("01020100"), "01020100");
  assert.throws(() => parseTac("1020100"), { code: "imei_malformed" });
});
