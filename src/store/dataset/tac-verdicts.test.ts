/** Lists of TACs as another operator gives them. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { readTheirList } from "./tac-verdicts.ts";

async function* pieces(text: string, length = 7): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}
const rowsOf = async (text: string) =>
  [...(await readTheirList(pieces(text))).rows.values()].map(({ tac, verdict, because, line }) => [
    ...[tac, verdict, because, line],
  ]);

test("TACs alone are those that were left behind; the zero that a spreadsheet took is put back", async () => {
  assert.deepEqual(await rowsOf("35010210\n1012345\n35010210\n"), [
    ["35010210", "ended", null, 1],
    ["01012345", "ended", null, 2],
  ]);
});

test("columns are found by their names, verdicts by their words, whatever parts them", async () => {
  for (const separator of [",", ";", "\t", "|"]) {
    const lines = [
      ["Reason", "TAC", "Support status"],
      ["3G is off", "35010210", "End of life"],
      ["", "35010211", "Supported"],
      ["", "35010212", ""],
    ];
    const text = lines.map((cells) => cells.join(separator)).join("\r\n");
    assert.deepEqual(await rowsOf(text), [
      ["35010210", "ended", "3G is off", 2],
      ["35010211", "supported", null, 3],
      ["35010212", "unknown", null, 4],
    ]);
  }
});

test("a row that is none is told with its line, and the rest is read", async () => {
  const { rows, refused, spoken } = await readTheirList(
    pieces("tac,verdict\n3501021,ended\n35010211,perhaps\n35010212,supported\n3.50E+07,ended\n"),
  );
  assert.deepEqual([[...rows.keys()], [...spoken]], [["35010212"], ["supported"]]);
  assert.deepEqual(
    refused.map(({ line }) => line),
    [2, 3, 5],
  );
});

test("a file that is no list of TACs is refused with what one looks like", async () => {
  for (const text of ["", "make,model\nNokia,3310\n", "tac\n", "tac\nabc\n"])
    await assert.rejects(readTheirList(pieces(text)), { code: "dataset_malformed" }, JSON.stringify(text));
});
