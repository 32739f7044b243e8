/** Text with quotes that lead nowhere: what they cost, and what the lines around them are (RFC 4180). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { csvRecords } from "./csv.ts";

const LAST = '"one\ntwo",three\n';
const faultsIn = (text: string) => [...csvRecords(text)].filter(({ fault }) => fault).length;

test("lines whose quotes were never meant to close cost themselves alone, and a cell that spans lines is read behind them", () => {
  const records = [...csvRecords(`${'x,"14 inch\n'.repeat(300)}${LAST}`)];
  assert.equal(records.length, 301);
  assert.deepEqual(records.at(-1), { line: 301, cells: ["one\ntwo", "three"] });
  assert.equal(records.filter(({ fault }) => fault).length, 300);
});

test("a text that is made to be read over and over is not: from then on no quote closes on a later line", () => {
  const opening = 'a","a\n'.repeat(255);
  const records = [...csvRecords(`${opening}a"x\n${LAST}`)];
  assert.equal(records.length, 258, "each line by itself, the last two as well");
  assert.deepEqual(records.at(-1), { line: 258, cells: ['two"', "three"] });
  assert.ok(faultsIn(`${opening}a"x\n`) >= 254);
  assert.equal(faultsIn('a,"b, c"\n'.repeat(1_000)), 0);
});
