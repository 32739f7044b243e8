/**
 * CSV to sighting rows, a line at a time, the same for a request and for a file on the command line. The header row names
 * the fields in any order, as the API does or as operators' exports do. What is wrong with a line stays with that line.
 */
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import { plainText } from "../../term/spreadsheet.ts";
import { csvRecords, type Separator, separatorOf } from "../../wire/csv/csv.ts";
import { InvalidRequest } from "../problem.ts";

export type SightingField = keyof SightingInput | "mcc" | "mnc";

/** By the letters and digits of the name alone: `Seen_At`, `seen at` and `seenAt` are one. */
const FIELDS: Readonly<Record<string, SightingField>> = {
  imei: "imei",
  deviceimei: "imei",
  imeisv: "imeisv",
  imsi: "imsi",
  msisdn: "msisdn",
  msisdne164: "msisdn",
  phonenumber: "msisdn",
  iccid: "iccid",
  simserial: "iccid",
  gid1: "gid1",
  gid: "gid1",
  spn: "spn",
  plmn: "plmn",
  servingplmn: "plmn",
  visitedplmn: "plmn",
  mccmnc: "plmn",
  mcc: "mcc",
  mnc: "mnc",
  radio: "radio",
  radiotype: "radio",
  rat: "radio",
  rattype: "radio",
  seenat: "seenAt",
  seen: "seenAt",
  lastseen: "seenAt",
  timestamp: "seenAt",
  eventtime: "seenAt",
  time: "seenAt",
  source: "source",
};
const COLUMNS_MAX = 20;
/** Longer than any field can rightly be. */
const FIELD_CHARACTERS_MAX = 100;

/** The field that a column's name stands for. */
export const sightingField = (name: string): SightingField | undefined => {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return Object.hasOwn(FIELDS, plain) ? FIELDS[plain] : undefined;
};

export type SightingColumns = {
  readonly separator: Separator;
  readonly names: readonly string[];
  /** Undefined: a column that says nothing to us. */
  readonly fields: readonly (SightingField | undefined)[];
};

/** What a header line names; undefined: its quotes do not close. `intro` is a `sep=` line before it. */
export function sightingColumns(text: string, intro = ""): SightingColumns | undefined {
  const separator = separatorOf(intro === "" ? text : `${intro}\n${text}`);
  const cells = cellsOf(text, separator);
  if (cells === undefined) return undefined;
  const names = cells.map((name) => name.trim());
  return { separator, names, fields: names.map(sightingField) };
}

/** The field that two columns are named for. */
export const doubledField = ({ fields }: SightingColumns): SightingField | undefined =>
  fields.find((field, at) => field !== undefined && fields.indexOf(field) !== at);

/** The line that tells a spreadsheet its separator. */
export const isSeparatorLine = (text: string): boolean => /^"?sep=."?\s*$/i.test(text);

/** Whether the line holds nothing but separators. */
export const isBlankLine = (text: string): boolean => /^[\s,;|]*$/.test(text);

function cellsOf(text: string, separator: Separator): readonly string[] | undefined {
  if (!text.includes('"') || separator === "|") return text.split(separator);
  const [record, more] = csvRecords(text, separator);
  return record === undefined || record.fault !== undefined || more !== undefined ? undefined : record.cells;
}

export type SightingRow = Partial<Record<SightingField, string>>;

/** The cells of a line by their fields, or why it is no row. An empty cell says nothing. */
export function sightingRow({ separator, fields }: SightingColumns, text: string): SightingRow | string {
  const cells = cellsOf(text, separator);
  if (cells === undefined) return "a quote is opened and never closed";
  if (cells.length !== fields.length) {
    return `the row has ${cells.length} cells, the header has ${fields.length}`;
  }
  const row: SightingRow = {};
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at];
    const cell = cells[at]?.trim() ?? "";
    if (field !== undefined && cell !== "") row[field] = cell;
  }
  return row;
}

/** The row as the intake takes it; `plmn` is the serving network of rows that name none. */
export function sightingOfRow({ mcc, mnc, ...row }: SightingRow, plmn?: string): SightingInput | string {
  for (const [field, value] of Object.entries(row)) {
    if (value.length > FIELD_CHARACTERS_MAX)
      return `${field} is longer than ${FIELD_CHARACTERS_MAX} characters`;
    if (value.includes("\0")) return `${field} holds a null character`;
  }
  const serving = row.plmn ?? (mcc && mnc ? `${plainText(mcc)}-${plainText(mnc)}` : plmn);
  return serving === undefined ? row : { ...row, plmn: serving };
}

/** A line of a request that is no sighting, in its place among those that are. */
export class RowFault {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * At most one row more than `rowsMax` is read: enough to be refused as too many.
 * @throws InvalidRequest no header row, quotes in it that do not close, or a column that is not known
 */
export function sightingsOfCsv(csv: string, rowsMax: number): (SightingInput | RowFault)[] {
  const rows: (SightingInput | RowFault)[] = [];
  let columns: SightingColumns | undefined;
  let intro = "";
  for (const line of linesOf(csv)) {
    if (columns) {
      if (isBlankLine(line)) continue;
      if (rows.length > rowsMax) break;
      const row = sightingRow(columns, line);
      const sighting = typeof row === "string" ? row : sightingOfRow(row);
      rows.push(typeof sighting === "string" ? new RowFault(sighting) : sighting);
    } else if (isSeparatorLine(line)) intro = line;
    else if (!isBlankLine(line)) columns = checkedColumns(sightingColumns(line, intro));
  }
  if (!columns) checkedColumns(undefined);
  return rows;
}

function* linesOf(text: string): Generator<string> {
  const plain = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  for (let at = 0; at < plain.length; ) {
    const found = plain.indexOf("\n", at);
    const end = found < 0 ? plain.length : found;
    yield plain.slice(at, end);
    at = end + 1;
  }
}

/** An unknown column is refused, so that a misspelt one is not silently lost: a request has nobody to read a warning. */
function checkedColumns(columns: SightingColumns | undefined): SightingColumns {
  if (!columns || columns.names.length > COLUMNS_MAX) {
    throw new InvalidRequest([
      { at: "body", wanted: `a header row with 1 to ${COLUMNS_MAX} columns is wanted` },
    ]);
  }
  const unknown = columns.fields.indexOf(undefined);
  if (unknown >= 0) {
    const known = [...new Set(Object.values(FIELDS))].join(", ");
    throw new InvalidRequest([{ at: `body/header/${unknown}`, wanted: `must be one of ${known}` }]);
  }
  const doubled = doubledField(columns);
  if (doubled !== undefined) {
    const twice = columns.fields.lastIndexOf(doubled);
    throw new InvalidRequest([{ at: `body/header/${twice}`, wanted: "is there twice" }]);
  }
  return columns;
}
