/**
 * CSV to sighting rows. The header row names the fields, in any order and letter case; an unknown column is refused, so
 * that a misspelt one is not silently lost. Lines without a quote, which is nearly all, are cut by hand.
 */
import { parse } from "csv-parse/sync";
import { TurnupError } from "../../term/error.ts";
import { InvalidRequest } from "../problem.ts";

const FIELD_OF: Readonly<Record<string, string>> = {
  imei: "imei",
  imeisv: "imeisv",
  imsi: "imsi",
  msisdn: "msisdn",
  iccid: "iccid",
  gid1: "gid1",
  spn: "spn",
  plmn: "plmn",
  seenat: "seenAt",
  seen_at: "seenAt",
  source: "source",
};
const COLUMNS_MAX = 20;
const RECORD_CHARACTERS_MAX = 4_096;

/**
 * At most one row more than `rowsMax` is read: enough to be refused as too many.
 * A row of another width than the header becomes `null`, which the door refuses by itself.
 * @throws InvalidRequest no header row, or a column that is not known
 * @throws TurnupError `body_malformed` quotes that do not close
 */
export function sightingsOfCsv(csv: string, rowsMax: number): (Record<string, string> | null)[] {
  const text = csv.startsWith("\uFEFF") ? csv.slice(1) : csv;
  const lines = text.includes('"') ? quoted(text, rowsMax) : plain(text, rowsMax);
  const [header, ...rows] = lines;
  const fields = fieldsOf(header ?? []);
  return rows.map((cells) => rowOf(fields, cells));
}

function plain(text: string, rowsMax: number): string[][] {
  const lines: string[][] = [];
  for (let at = 0; at < text.length && lines.length <= rowsMax + 1; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end === -1 ? text.length : end).replace(/\r$/, "");
    if (line.trim() !== "") lines.push(line.split(",", COLUMNS_MAX + 1));
    at = end === -1 ? text.length : end + 1;
  }
  return lines;
}

function quoted(text: string, rowsMax: number): string[][] {
  try {
    return parse(text, {
      relax_column_count: true,
      skip_empty_lines: true,
      to: rowsMax + 2,
      max_record_size: RECORD_CHARACTERS_MAX,
    });
  } catch (cause) {
    throw new TurnupError("body_malformed", "The body is not well-formed CSV (RFC 4180).", { cause });
  }
}

function fieldsOf(header: readonly string[]): string[] {
  if (header.length === 0 || header.length > COLUMNS_MAX) {
    throw new InvalidRequest([
      { at: "body", wanted: `a header row with 1 to ${COLUMNS_MAX} columns is wanted` },
    ]);
  }
  const fields = header.map((name, at) => {
    const key = name.trim().toLowerCase();
    const field = Object.hasOwn(FIELD_OF, key) ? FIELD_OF[key] : undefined;
    if (field !== undefined) return field;
    const known = [...new Set(Object.values(FIELD_OF))].join(", ");
    throw new InvalidRequest([{ at: `body/header/${at}`, wanted: `must be one of ${known}` }]);
  });
  const twice = fields.findIndex((name, at) => fields.indexOf(name) !== at);
  if (twice !== -1) throw new InvalidRequest([{ at: `body/header/${twice}`, wanted: "is there twice" }]);
  return fields;
}

function rowOf(fields: readonly string[], cells: readonly string[]): Record<string, string> | null {
  if (cells.length !== fields.length) return null;
  const row: Record<string, string> = {};
  for (const [at, field] of fields.entries()) {
    const cell = cells[at]?.trim();
    if (cell) row[field] = cell; // an empty cell says nothing
  }
  return row;
}
