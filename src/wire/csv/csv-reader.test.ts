/** CSV that comes in pieces is what it is as a whole, wherever it is cut, and takes bounded memory. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type CsvRecord, csvRecords, type Separator } from "./csv.ts";
import { CsvReader } from "./csv-reader.ts";

/** Longest record. */
const RECORD_CHARACTERS_MAX = 1_048_576;

function inPieces(text: string, characters: number, separator: Separator = ","): CsvRecord[] {
  const reader = new CsvReader(separator);
  const records: CsvRecord[] = [];
  for (let at = 0; at < text.length; at += characters)
    records.push(...reader.push(text.slice(at, at + characters)));
  return [...records, ...reader.end()];
}

const TEXTS: readonly (readonly [string, string, Separator?])[] = [
  ["plain lines", "a,b\n1,2\n\n3,4"],
  ["lines that end with CR LF", "a,b\r\n1,2\r\n3,4\r\n"],
  ["lines that end with CR alone", "a,b\r1,2\r\r3,4"],
  ["a byte order mark", "\ufeffa,b\n1,2\n"],
  ["a line that says the separator", "sep=;\na;b\n;;\n1;2\n", ";"],
  ["a quoted cell over lines", 'a,b\n1,"2\n3"\n4,"5 ""6"""\n'],
  ["a quote that is never closed", 'a,b\n1,"2\n3,4\n5,"6"\n'],
  ["inches", 'x,"14 inch\ny,2\nz,"3"\n'],
  ["quotes between bars", 'a|b\n1|"Two\n2|"Two ""2"""\n', "|"],
  ["a quoted cell at the very end", 'a,b\n1,"2"'],
];

for (const [what, text, separator] of TEXTS) {
  test(`${what}: the same records wherever the text is cut`, () => {
    const whole = [...csvRecords(text, separator)];
    for (let characters = 1; characters <= text.length; characters++)
      assert.deepEqual(inPieces(text, characters, separator), whole, `pieces of ${characters}`);
  });
}

test("a line without an end is told once and passed over, and what follows is read with its line", () => {
  const long = "x".repeat(RECORD_CHARACTERS_MAX + 200_000);
  const records = inPieces(`a,b\n${long}\n1,2\n`, 65_536);
  assert.deepEqual(
    records.map(({ line, cells, fault }) => [line, cells.length, fault !== undefined]),
    [
      [1, 2, false],
      [2, 0, true],
      [3, 2, false],
    ],
  );
});

test("a quote that nothing closes costs its own line, however much follows", () => {
  const text = `a,b\n1,"open\n${"2,3\n".repeat(400_000)}`;
  const records = inPieces(text, 262_144);
  assert.equal(records.length, 400_002);
  assert.deepEqual(
    records.flatMap(({ line, fault }) => (fault === undefined ? [] : [line])),
    [2],
  );
});
