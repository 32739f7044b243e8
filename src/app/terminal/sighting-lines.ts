/**
 * Lines of a file to sightings, one at a time, whatever the file's size: JSON lines, or csv whose header names the
 * fields as the API does or as operators' exports do. What is wrong with a line stays with that line.
 */
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import { csvRecords, type Separator, separatorOf } from "../../store/dataset/csv.ts";
import { TurnupError } from "../../term/error.ts";

export type SightingLine =
  | { readonly line: number; readonly sighting: SightingInput }
  | { readonly line: number; readonly code: "sighting_malformed"; readonly reason: string };

type Field = keyof SightingInput | "mcc" | "mnc";

/** By the letters and digits of the name alone: `Seen_At`, `seen at` and `seenAt` are one. */
const FIELDS: Readonly<Record<string, Field>> = {
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
  seenat: "seenAt",
  seen: "seenAt",
  lastseen: "seenAt",
  timestamp: "seenAt",
  eventtime: "seenAt",
  time: "seenAt",
  source: "source",
};
/** Longer than any field can rightly be. */
const FIELD_CHARACTERS_MAX = 100;

const fieldOf = (name: string): Field | undefined => {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return Object.hasOwn(FIELDS, plain) ? FIELDS[plain] : undefined;
};

type LineReader = {
  /** Undefined for the header and for blank lines. */
  read(text: string): SightingLine | undefined;
  /** Columns of the header that say nothing to us; empty before the header was read. */
  readonly unusedColumns: readonly string[];
};

/** `plmn` is the serving network of rows that name none. */
export function sightingLines(plmn: string | undefined): LineReader {
  let line = 0;
  let rowOf: ((text: string) => Row | string) | undefined;
  let unusedColumns: readonly string[] = [];
  return {
    get unusedColumns() {
      return unusedColumns;
    },
    read(text) {
      line++;
      if (text.trim() === "") return undefined;
      if (!rowOf) {
        if (/^\s*\{/.test(text)) rowOf = jsonRow;
        else {
          const header = headerOf(text, plmn !== undefined);
          unusedColumns = header.unusedColumns;
          rowOf = (next) => csvRow(header, next);
          return undefined;
        }
      }
      const row = rowOf(text);
      const sighting = typeof row === "string" ? row : sightingOf(row, plmn);
      return typeof sighting === "string"
        ? { line, code: "sighting_malformed", reason: sighting }
        : { line, sighting };
    },
  };
}

type Row = Partial<Record<Field, string>>;
type Header = {
  readonly separator: Separator;
  readonly fields: readonly (Field | undefined)[];
  readonly unusedColumns: readonly string[];
};

/** @throws TurnupError `sighting_malformed` */
function headerOf(text: string, hasPlmn: boolean): Header {
  const refuse = (fact: string): never => {
    throw new TurnupError("sighting_malformed", fact, {
      nextStep:
        "The first line names the columns: imsi, imei or imeisv, plmn (or mcc and mnc), and where known msisdn, iccid, gid1, ." +
        "spn, seenAt. Or write one JSON object a line.",
    });
  };
  if (/^\s*\[/.test(text)) refuse("A JSON list cannot be read line by line: write one object a line.");
  const separator = separatorOf(text);
  const names = cellsOf(text, separator).map((name) => name.trim());
  const fields = names.map(fieldOf);
  const twice = fields.find((field, at) => field !== undefined && fields.indexOf(field) !== at);
  if (twice !== undefined) refuse(`Two columns are named ${twice}.`);
  const has = (field: Field): boolean => fields.includes(field);
  if (!has("imsi")) refuse("The header lacks imsi.");
  if (!has("imei") && !has("imeisv")) refuse("The header lacks imei.");
  if (!has("plmn") && !(has("mcc") && has("mnc")) && !hasPlmn) {
    refuse("The header lacks plmn; --plmn gives it for all rows.");
  }
  return { separator, fields, unusedColumns: names.filter((_, at) => fields[at] === undefined) };
}

function cellsOf(text: string, separator: Separator): readonly string[] {
  if (!text.includes('"')) return text.split(separator);
  for (const { cells } of csvRecords(text, separator)) return cells;
  return [];
}

function csvRow({ separator, fields }: Header, text: string): Row | string {
  const cells = cellsOf(text, separator);
  if (cells.length !== fields.length) {
    return `the row has ${cells.length} cells, the header has ${fields.length}`;
  }
  const row: Row = {};
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at];
    const cell = cells[at]?.trim() ?? "";
    if (field !== undefined && cell !== "") row[field] = cell;
  }
  return row;
}

function jsonRow(text: string): Row | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "the line is not JSON"; // the parser's message quotes the line
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "a sighting is an object";
  const row: Row = {};
  for (const [name, member] of Object.entries(value)) {
    const field = fieldOf(name);
    if (field === undefined || member === null || member === "") continue;
    if (typeof member !== "string") return `${field} must be a JSON string: a number loses leading zeros`;
    row[field] = member;
  }
  return row;
}

function sightingOf({ mcc, mnc, ...row }: Row, plmn: string | undefined): SightingInput | string {
  for (const [field, value] of Object.entries(row)) {
    if (value.length > FIELD_CHARACTERS_MAX)
      return `${field} is longer than ${FIELD_CHARACTERS_MAX} characters`;
    if (value.includes("\0")) return `${field} holds a null character`;
  }
  const serving = row.plmn ?? (mcc && mnc ? `${mcc}-${mnc}` : plmn);
  return {
    ...row,
    ...(serving === undefined ? {} : { plmn: serving }),
    ...(row.seenAt === undefined ? {} : { seenAt: timeOf(row.seenAt) }),
  };
}

/** Seconds or milliseconds since 1970 as RFC 3339; anything else stays as it is. */
function timeOf(text: string): string {
  if (!/^\d{10}(\d{3})?$/.test(text)) return text;
  return new Date(Number(text) * (text.length === 10 ? 1_000 : 1)).toISOString();
}
