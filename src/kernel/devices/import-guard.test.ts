/** When an import is not taken on one person's word. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { lossesOf } from "./import-guard.ts";

const SAME = { before: 100, added: 0, changed: 0, removed: 0, cellsBefore: 400, emptied: 0 };
const READ = { taken: 100, refused: 0, padded: 0 };

test("a list that grows, is corrected, or loses a few rows is taken as it is", () => {
  const grown = { ...SAME, added: 900, changed: 100, removed: 10, emptied: 40 };
  assert.deepEqual(lossesOf(grown, { taken: 990, refused: 110, padded: 99 }, { seen: 100, changed: 5 }), []);
});

test("each way to lose much is named with its figures", () => {
  const cases: [
    Partial<typeof SAME>,
    Partial<typeof READ>,
    { seen: number; changed: number } | null,
    RegExp,
  ][] = [
    [{ removed: 11 }, {}, null, /^11 of 100 rows in use are not in the file\.$/],
    [{ emptied: 41 }, {}, null, /^41 of 400 filled cells/],
    [{}, { taken: 89, refused: 11 }, null, /^11 of 100 rows of the file cannot be read\.$/],
    [{}, { padded: 11 }, null, /^11 of 100 numbers of the file lost the zero in front\.$/],
    [{}, {}, { seen: 100, changed: 6 }, /^The verdict of 6 of 100 TACs/],
  ];
  for (const [change, read, verdicts, wanted] of cases) {
    const [loss, ...more] = lossesOf({ ...SAME, ...change }, { ...READ, ...read }, verdicts);
    assert.match(loss ?? "", wanted);
    assert.deepEqual(more, []);
  }
});

test("of a handful of rows a share says nothing; of the first import nothing is lost", () => {
  assert.deepEqual(lossesOf({ ...SAME, before: 19, removed: 19 }, READ, { seen: 19, changed: 19 }), []);
  const first = { before: 0, added: 100, changed: 0, removed: 0, cellsBefore: 0, emptied: 0 };
  assert.deepEqual(lossesOf(first, READ, null), []);
});
