/** The shipped files of data: listed, licensed, readable. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { test } from "vitest";
import { supportEndOf } from "../../kernel/support/support-knowledge.ts";
import { csvObjects, csvRecords, separatorOf } from "../../wire/csv/csv.ts";
import { contentOf, readShippedContent } from "./content.ts";
import { DATASETS } from "./datasets.ts";
import { readShippedDatasets } from "./devices.ts";
import { shippedDataFolder } from "./folder.ts";
import { parseTacImport } from "./tac-import.ts";

const folder = shippedDataFolder();

test("every shipped file is listed, and every listed file is shipped", () => {
  const files = readdirSync(folder).filter((file) => /\.csv(\.gz)?$/.test(file));
  assert.deepEqual(files.sort(), DATASETS.map(({ file }) => file).sort());
});

test("every licence that the list names stands in the folder or in the notice", () => {
  const texts = new Set(DATASETS.flatMap(({ licence }) => licence.split(" AND ")));
  for (const licence of [...texts].filter((name) => name !== "CC-PDDC")) {
    assert.ok(existsSync(join(folder, "licenses", `${licence}.txt`)), licence);
  }
});

for (const { kind, file } of DATASETS) {
  test(`${file} reads the same here and with csv-parse`, () => {
    const { text } = readShippedContent(kind);
    const [header, ...rows] = parse(text) as string[][];
    const ours = [...csvRecords(text)].map(({ cells }) => cells);
    assert.deepEqual(ours[0], header);
    assert.deepEqual(ours.slice(1), rows);
  });
}

test("the shipped device data has its rows", () => {
  const { tac, lifecycle, supportPolicy, makerExits, facts, capability, ageRules, reportingBodies } =
    readShippedDatasets();
  assert.deepEqual(
    tac.map(({ rows }) => [...rows].length),
    [25_484, 8_397],
  );
  assert.deepEqual(
    [lifecycle, supportPolicy, facts, capability, ageRules, reportingBodies].map(({ rows }) => rows.length),
    [1_042 + 217, 100, 676, 17, 67, 26],
  );
  assert.ok(makerExits.rows.every(({ endedBy }) => /^\d{4}-\d{2}-\d{2}$/.test(endedBy)));
  assert.ok(ageRules.rows.every(({ yearFrom, yearTo }) => 1990 < yearFrom && yearFrom <= yearTo));
  assert.deepEqual(
    supportPolicy.rows
      .filter(({ make }) => make === "Xiaomi")
      .map(({ fromYear, toYear }) => [fromYear, toYear]),
    [
      [null, 2021],
      [2022, 2023],
      [2025, null],
    ],
  );
});

test("models of Xiaomi's list of ended updates have ended by the day it named them; what the other list says of a model stands", () => {
  const { rows } = readShippedDatasets().lifecycle;
  const named = (label: string) => rows.filter((row) => row.make === "Xiaomi" && row.label === label);
  assert.deepEqual(
    named("POCO C31").map((row) => supportEndOf(row, "2026-08-22")),
    [{ kind: "date", date: "2024-09-27", quality: "list-first-seen" }],
  );
  assert.deepEqual(
    named("POCO F2 Pro").map(({ securityUpdatesEnd }) => securityUpdatesEnd),
    ["2023-06-25"],
  );
});

test("a folder without the data names the file and what to do", () => {
  assert.throws(() => readShippedDatasets("/nowhere"), { code: "dataset_missing" });
});

test("quotes, commas and line ends inside a cell, CRLF, a byte order mark and empty lines are read as RFC 4180 says", () => {
  const text = '\ufeffa,b\r\n"x, ""y""",1\r\n\r\n"two\nlines",2\n"",\nplain,3';
  assert.deepEqual(
    [...csvRecords(text)],
    [
      { line: 1, cells: ["a", "b"] },
      { line: 2, cells: ['x, "y"', "1"] },
      { line: 4, cells: ["two\nlines", "2"] },
      { line: 6, cells: ["", ""] },
      { line: 7, cells: ["plain", "3"] },
    ],
  );
  assert.deepEqual([...csvObjects("a,b\n1")], [{ line: 2, row: { a: "1", b: "" } }]);
});

test("a quote that is never closed is the fault of its own line, whatever quotes the lines behind it hold", () => {
  const fault = "a quote is opened and never closed";
  assert.deepEqual(
    [...csvRecords('a,b\n1,"2\n3,4\n5,"6"\n')],
    [
      { line: 1, cells: ["a", "b"] },
      { line: 2, cells: ["1", '"2'], fault },
      { line: 3, cells: ["3", "4"] },
      { line: 4, cells: ["5", "6"] },
    ],
  );
});

test("a line that names the separator is no data; lines of separators alone are skipped; a carriage return ends a line", () => {
  assert.equal(separatorOf("sep=;\r\na;b,c,d\r\n"), ";");
  assert.equal(separatorOf('"sep=|"\na|b'), "|");
  assert.deepEqual(
    [...csvRecords("sep=;\r\na;b\r\n;;\r\n ; ;\r\n1;2\r\n", ";")],
    [
      { line: 2, cells: ["a", "b"] },
      { line: 5, cells: ["1", "2"] },
    ],
  );
  assert.deepEqual(
    [...csvRecords("a,b\r1,2\r\r3,4")].map(({ line, cells }) => [line, ...cells]),
    [
      [1, "a", "b"],
      [2, "1", "2"],
      [4, "3", "4"],
    ],
  );
});

test("the Osmocom list as published: a licence line, two columns called name, bad rows named by line", () => {
  const text = [
    "Osmocom TAC database under CC-BY-SA v3.0 (c) Harald Welte 2016",
    "tac,name,name,contributor,comment,gsmarena,gsmarena,aka",
    "35675904,Oppo,N1,someone,,,,",
    '35147307,Apple,"iPhone 6, silver",someone,,,,"A1549,A1586"',
    "3514730,Apple,iPhone 6,,,,,",
    "35147308,,iPhone 6,,,,,",
    "35147309,Apple,,,,,,",
    "35147310,Nokia,3310,,,,,",
  ].join("\n");
  const { rows, refused } = parseTacImport(text);
  assert.deepEqual(
    rows.map(({ tac, make, model, aka }) => [tac, make, model, aka]),
    [
      ["35675904", "Oppo", "N1", []],
      ["35147307", "Apple", "iPhone 6, silver", ["A1549", "A1586"]],
      ["35147310", "Nokia", "3310", []],
    ],
  );
  assert.deepEqual(refused, [
    { line: 5, reason: "a TAC has 8 digits, this cell has 7 characters" },
    { line: 6, reason: "no make" },
    { line: 7, reason: "no model" },
  ]);
});

test("an operator's list with other header words is understood; one without a TAC column is refused", () => {
  const { rows } = parseTacImport("Brand Name,TAC,Model Name\nAcme,35123499,One\n");
  assert.deepEqual([rows[0]?.tac, rows[0]?.make, rows[0]?.model], ["35123499", "Acme", "One"]);
  for (const text of ["", "a,b\n1,2\n", "tac\n35123499\n", "x\n".repeat(100_000)]) {
    assert.throws(() => parseTacImport(text), { code: "dataset_malformed" });
  }
});

test("gzip is told by its first octets; a broken one is refused", () => {
  assert.equal(contentOf("tac", "x", gzipSync("a,b\n")).text, "a,b\n");
  assert.throws(() => contentOf("tac", "x", gzipSync("a,b\n").subarray(0, 12)), {
    code: "dataset_malformed",
  });
});
