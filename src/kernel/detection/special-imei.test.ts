/** IMEIs that name no handset. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { imeiClassOf, isSpecialTac } from "./special-imei.ts";

test("zeros, runs, test bodies and blank serial numbers are each a class of their own", () => {
  assert.equal(imeiClassOf("000000000000000"), "zeros");
  assert.equal(imeiClassOf("111111111111119"), "run");
  assert.equal(imeiClassOf("123456789012347"), "run");
  assert.equal(imeiClassOf("98765432109876"), "run");
  assert.equal(imeiClassOf("004999010640000"), "test");
  assert.equal(imeiClassOf("356938030000000"), "blank_serial");
  assert.equal(imeiClassOf("35000000123457"), "blank_serial");
});

test("a number of a sold handset is ordinary, whatever digit it begins with", () => {
  for (const imei of ["356938035643809", "013584004234567", "010932004567890", "990000862471854"])
    assert.equal(imeiClassOf(imei), "ordinary", imei);
});

test("a TAC is special where all its numbers are", () => {
  assert.deepEqual(["00440245", "35000000", "12345678", "35693803", "01358400"].map(isSpecialTac), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
