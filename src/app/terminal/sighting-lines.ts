/**
 * Lines of a file to sightings, one at a time, whatever the file's size: JSON lines, or csv as a request may be
 * (`http/v1/sightings.csv.ts`). What is wrong with a line stays with that line.
 */
import {
  doubledField,
  isBlankLine,
  isSeparatorLine,
  type SightingColumns,
  type SightingField,
  type SightingRow,
  sightingColumns,
  sightingField,
  sightingOfRow,
  sightingRow,
} from "../../http/v1/sightings.csv.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import { TurnupError } from "../../term/error.ts";

export type SightingLine =
  | { readonly line: number; readonly sighting: SightingInput }
  | { readonly line: number; readonly code: "sighting_malformed"; readonly reason: string };

type LineReader = {
  /** Undefined for the header and for blank lines. */
  read(text: string): SightingLine | undefined;
  /** Columns of the header that say nothing to us; empty before the header was read. */
  readonly unusedColumns: readonly string[];
};

/** `plmn` is the serving network of rows that name none. */
export function sightingLines(plmn: string | undefined): LineReader {
  let line = 0;
  let intro = "";
  let rowOf: ((text: string) => SightingRow | string) | undefined;
  let unusedColumns: readonly string[] = [];
  return {
    get unusedColumns() {
      return unusedColumns;
    },
    read(text) {
      line++;
      if (isBlankLine(text)) return undefined;
      if (!rowOf) {
        if (isSeparatorLine(text)) {
          intro = text;
          return undefined;
        }
        if (/^\s*\{/.test(text)) rowOf = jsonRow;
        else {
          const columns = columnsOf(text, intro, plmn !== undefined);
          unusedColumns = columns.names.filter((_, at) => columns.fields[at] === undefined);
          rowOf = (next) => sightingRow(columns, next);
          return undefined;
        }
      }
      const row = rowOf(text);
      const sighting = typeof row === "string" ? row : sightingOfRow(row, plmn);
      return typeof sighting === "string"
        ? { line, code: "sighting_malformed", reason: sighting }
        : { line, sighting };
    },
  };
}

/** @throws TurnupError `sighting_malformed` */
function columnsOf(text: string, intro: string, hasPlmn: boolean): SightingColumns {
  const refuse = (fact: string): never => {
    throw new TurnupError("sighting_malformed", fact, {
      nextStep:
        "Name the columns in the first line: imsi, imei or imeisv, plmn (or mcc and mnc); or write one JSON object a line.",
    });
  };
  if (/^\s*\[/.test(text)) refuse("A JSON list cannot be read line by line: write one object a line.");
  const columns = sightingColumns(text, intro) ?? refuse("A quote in the header is opened and never closed.");
  const twice = doubledField(columns);
  if (twice !== undefined) refuse(`Two columns are named ${twice}.`);
  const has = (field: SightingField): boolean => columns.fields.includes(field);
  if (!has("imsi")) refuse("The header lacks imsi.");
  if (!has("imei") && !has("imeisv")) refuse("The header lacks imei.");
  if (!has("plmn") && !(has("mcc") && has("mnc")) && !hasPlmn) {
    refuse("The header lacks plmn; --plmn gives it for all rows.");
  }
  return columns;
}

function jsonRow(text: string): SightingRow | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "the line is not JSON"; // the parser's message quotes the line
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "a sighting is an object";
  const row: SightingRow = {};
  for (const [name, member] of Object.entries(value)) {
    const field = sightingField(name);
    if (field === undefined || member === null || member === "") continue;
    if (typeof member !== "string") return `${field} must be a JSON string: a number loses leading zeros`;
    row[field] = member;
  }
  return row;
}
