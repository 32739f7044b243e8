/** National language tables, with words whose septets were read off the tables of 3GPP TS 23.038 Annex A by hand. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { bytesOf } from "../hex.ts";
import { lockingTable, singleShiftTable } from "./national.ts";
import { decodeText } from "./text.ts";
import { decodeUdh, nationalShiftsOf } from "./udh.ts";

/** Header elements: 24 single shift, 25 locking shift, each with the number of its language. */
const WORDS: readonly (readonly [what: string, header: string, septets: string, text: string])[] = [
  ["Turkish, single shift (A.2.1)", "03 240101", "1b53 1b73 1b47 1b67 1b49 1b69 1b63 1b65", "ŞşĞğİıç€"],
  ["Turkish, locking shift (A.3.1)", "03 250101", "0b 0c 1c 1d 40 07 60 04 41", "ĞğŞşİıç€A"],
  [
    "Spanish, single shift (A.2.2)",
    "03 240102",
    "1b61 1b69 1b6f 1b75 1b41 1b49 1b4f 1b55 1b09 7d",
    "áíóúÁÍÓÚçñ",
  ],
  ["Portuguese, single shift (A.2.3)", "03 240103", "1b7b 1b7c 1b0b 1b0c 1b1f 1b05 1b61 1b7f", "ãõÔôÊêÂâ"],
  ["Portuguese, locking shift (A.3.3)", "03 250103", "7b 7c 04 06 07 08 09 5b 5d 18 1a", "ãõêúíóçÃÚ€|"],
  ["Bengali, locking shift (A.3.4)", "03 250104", "1f 4c 5f 42 5a", "ঞস্মৈ"],
  ["Hindi, locking shift (A.3.6)", "03 250106", "2f 42 4c 5f 27 59", "नमस्ते"],
  ["Hindi, both shifts (A.2.6, A.3.6)", "06 250106 240106", "1b1c 1b20 15 1b2c 1b41", "०४क\u0958A"],
  ["Tamil, locking shift (A.3.11)", "03 25010b", "49 26 15 5f 15 42 5f", "வணக்கம்"],
  ["Telugu, locking shift (A.3.12)", "03 25010c", "2f 42 4c 5f 15 50 44 02", "నమస్కారః"],
  ["Urdu, locking shift (A.3.13)", "03 25010d", "3e 47 25 59 56 28 29", "شکریہ)("],
  ["Urdu, single shift (A.2.13)", "03 24010d", "1b1c 1b20 1b26 1b3f", "۰۴،۔"],
];
for (const [what, header, septets, text] of WORDS) {
  test(`${what}: ${text}`, () => {
    const shifts = nationalShiftsOf(decodeUdh(bytesOf(header)));
    assert.equal(decodeText(0, bytesOf(septets), shifts), text);
  });
}

test("every table has 128 places, its escape at 0x1b, its line ends, digits and small letters where all others have them", () => {
  for (let language = 0; language <= 14; language++) {
    const table = lockingTable(language);
    assert.equal(table.length, 128, String(language));
    assert.deepEqual([table[0x0a], table[0x0d], table[0x1b], table[0x20]], ["\n", "\r", "\uffff", " "]);
    assert.equal(table.slice(0x30, 0x3a), "0123456789");
    assert.equal(table.slice(0x61, 0x7b), "abcdefghijklmnopqrstuvwxyz");
    const shift = singleShiftTable(language);
    assert.deepEqual([shift[0x0a], shift[0x14], shift[0x65], shift[0x1b]], ["\f", "^", "€", undefined]);
  }
});

test("a language that has no table, a header without one and one of a wrong length leave the default alphabet", () => {
  for (const header of ["03 240100", "03 25010e", "04 24020101", "00"]) {
    const shifts = nationalShiftsOf(decodeUdh(bytesOf(header)));
    assert.equal(decodeText(0, bytesOf("59 45 53 00 1b65"), shifts), "YES@€", header);
  }
});
