/** Files of sightings as networks and people write them, read the same by a request and by the command line. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { linesOf } from "../../app/terminal/lines.ts";
import { sightingLines } from "../../app/terminal/sighting-lines.ts";
import { readSighting } from "../../kernel/detection/read-sighting.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import { TurnupError } from "../../term/error.ts";
import { decodedText } from "../../wire/csv/text.ts";
import { RowFault, sightingsOfCsv } from "./sightings.csv.ts";

const FILES = join(import.meta.dirname, "../../../test/vector/data/imports");
const NOW = Date.parse("2026-11-29T12:00:00Z");
const LINE_CHARACTERS_MAX = 10_000;
const IMEI = "353879234252633";

type Told = { readonly imsi: string; readonly imei: string; readonly notes: readonly string[] } | string;

/** What the intake would make of a row: whose it is, or why it is refused. */
function told(row: SightingInput | string): Told {
  if (typeof row === "string") return row;
  try {
    const { imsi, imei, notes } = readSighting(row, NOW, () => undefined);
    return { imsi, imei, notes };
  } catch (error) {
    if (error instanceof TurnupError) return error.message;
    throw error;
  }
}

async function byFile(octets: Buffer): Promise<Told[]> {
  const reader = sightingLines(undefined);
  const rows: Told[] = [];
  for await (const line of linesOf(inPieces(octets), LINE_CHARACTERS_MAX)) {
    const read = reader.read(line);
    if (read) rows.push(told("sighting" in read ? read.sighting : read.reason));
  }
  return rows;
}

/** Three octets at a time: a mark, a letter and a line end may all be cut. */
async function* inPieces(octets: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; at += 3) yield octets.subarray(at, at + 3);
}

const byRequest = (octets: Buffer): Told[] =>
  sightingsOfCsv(decodedText(octets), 10_000).map((row) => told(row instanceof RowFault ? row.reason : row));

/** The rows of a file; both doors read it alike. */
async function rowsOf(file: string): Promise<Told[]> {
  const octets = readFileSync(join(FILES, file));
  const rows = await byFile(octets);
  assert.deepEqual(byRequest(octets), rows, "a request reads what the command line reads");
  return rows;
}
const imsiOf = (row: Told): string => (typeof row === "string" ? row : row.imsi.slice(-3));

for (const [file, imsis] of [
  ["sightings-sep-line.csv", ["102"]],
  ["sightings-cr-only.csv", ["103", "104"]],
  ["sightings-utf16.csv", ["105"]],
] as const) {
  test(`${file} is read whole, by request and by file`, async () => {
    assert.deepEqual((await rowsOf(file)).map(imsiOf), imsis);
  });
}

test("one cell with an unclosed quote costs its own row, the same by request and by file", async () => {
  assert.deepEqual((await rowsOf("sightings-quote-in-cell.csv")).map(imsiOf), [
    "227",
    "a quote is opened and never closed",
    "229",
  ]);
});

test("what a spreadsheet did to the numbers: read where nothing is lost, refused with the reason where digits are", async () => {
  const rows = await rowsOf("sightings-spreadsheet.csv");
  assert.equal(rows.length, 20, "rows of separators alone are none");
  const lost = /spreadsheet/;
  const wanted: readonly (RegExp | null)[] = [
    lost, // 1.01E+12
    ...[null, null, null, null, null, null, null], // ="...", apostrophe, .0, filler F and FF, a zero more, the spare zero
    /check digit/, // the last digit is wrong
    lost, // 13 digits
    lost, // 14 digits that begin with 13: the zero of 01 is gone
    null, // spaces
    lost, // network 1-1
    null, // 00101, a number with spaces
    lost, // IMSI of 13 digits
    null, // IMEISV with 99
    /filler/, // zeros alone
    null, // imei-...
    ...[null, null], // other networks
  ];
  for (const [at, want] of wanted.entries()) {
    const row = rows[at];
    if (want) assert.match(String(typeof row === "string" ? row : "read"), want, `row ${at + 1}`);
    else assert.equal(typeof row === "object" ? row.imei : row, IMEI, `row ${at + 1}`);
  }
});

test("an ICCID that cannot be read is left out and noted; the sighting counts", async () => {
  const rows = await rowsOf("sightings-iccid.csv");
  assert.deepEqual(rows.map(imsiOf), ["131", "132", "133"]);
  for (const row of rows.slice(1))
    assert.match(typeof row === "string" ? row : row.notes.join(), /^iccid is left out: /);
});

test("times are read where they can mean one moment, else refused with the form wanted", async () => {
  const rows = await rowsOf("sightings-times.csv");
  const wanted = /no RFC 3339 time with a zone, like 2026-05-04T10:20:30Z/;
  assert.deepEqual(
    rows.map((row) => (typeof row === "object" ? "read" : wanted.test(row) ? "wanted" : row)),
    [
      "wanted",
      "wanted",
      "read",
      "wanted",
      "read",
      "The field seenAt is no time any more: a spreadsheet rounded it and its digits are lost: format the column as text.",
    ],
  );
  const at = (seenAt: string) =>
    readSighting({ imsi: "001010000000151", imei: IMEI, plmn: "00101", seenAt }, NOW, () => undefined).seenMs;
  assert.equal(at("1795946400.123"), 1_795_946_400_123);
  assert.equal(at("1795946400"), 1_795_946_400_000);
  assert.equal(at("1795946400123"), 1_795_946_400_123);
  assert.equal(at("2026-11-28T10:00:00+0100"), Date.parse("2026-11-28T09:00:00Z"));
});

test("a request that is no table is refused as such, a row more than are taken is read and no more", () => {
  for (const csv of ["", "\n\n", "sep=;\n", "imei,imzi\n1,2\n", "imei,imei\n1,2\n", '"imei","imsi\n1,2']) {
    assert.throws(() => sightingsOfCsv(csv, 10), { code: "invalid_request" }, csv);
  }
  assert.equal(sightingsOfCsv(`imei,imsi\n${"1,2\n".repeat(50)}`, 10).length, 11);
});
