/**
 * TAC lists as they come: our own columns, the Osmocom database as it is published (a licence sentence before the
 * header, two pairs of columns with one name), the Samsung list, or an operator's export with other header words. A bad
 * row is reported with its line and reason and the rest goes on.
 */
import type { TacRow } from "../../kernel/devices/rows.ts";
import { TurnupError } from "../../term/error.ts";
import { entriesOf } from "../../term/record.ts";
import { type CsvRecord, csvRecords, SEPARATORS } from "./csv.ts";

export type RefusedRow = { readonly line: number; readonly reason: string };
type TacImport = {
  readonly rows: readonly TacRow[];
  /** The line that each row begins on. */
  readonly lines: readonly number[];
  /** The first `REFUSED_KEPT_MAX`. */
  readonly refused: readonly RefusedRow[];
  readonly refusedCount: number;
};

/** Lines looked at for the header. */
const HEADER_LINES_MAX = 10;
/** Refused rows kept with their reason; the rest are counted. */
const REFUSED_KEPT_MAX = 10_000;
const CELL_CHARACTERS_MAX = 4_096;

/** Our columns, each with the header words it is known by. The first column of a name wins, `name` means two things. */
const COLUMNS = {
  tac: ["tac", "type allocation code", "tac code"],
  make: ["make", "manufacturer", "brand", "brand name", "vendor", "maker"],
  model: ["model", "model name", "marketing name", "device"],
  modelCodes: ["model_codes", "model_code", "model codes", "hardware model", "codes"],
  names: ["marketing_names", "marketing_name", "names"],
  aka: ["aka", "alias", "aliases"],
  upstreamSource: ["upstream_source", "comment", "source"],
  releasedYear: ["released_year", "year", "released"],
  ageCheck: ["age_check"],
  dump: ["dump"],
} as const;
type Column = keyof typeof COLUMNS;
type Header = Partial<Record<Column, number>>;

/** @throws TurnupError `dataset_malformed`: no header with a TAC column in the first lines */
export function parseTacImport(text: string): TacImport {
  for (const separator of SEPARATORS) {
    const read = readRows(csvRecords(text, separator));
    if (read) return read;
  }
  throw new TurnupError(
    "dataset_malformed",
    `The first ${HEADER_LINES_MAX} lines hold no header with a column tac.`,
    {
      nextStep: "The header needs at least tac, make and model.",
    },
  );
}

/** Undefined: there is no header among the first records, so they are parted by something else. */
function readRows(records: Iterable<CsvRecord>): TacImport | undefined {
  const rows: TacRow[] = [];
  const lines: number[] = [];
  const refused: RefusedRow[] = [];
  let refusedCount = 0;
  let header: Header | undefined;
  let looked = 0;
  for (const record of records) {
    if (!header) {
      header = headerOf(record.cells);
      if (!header && ++looked >= HEADER_LINES_MAX) break;
      continue;
    }
    const row = rowOf(header, record);
    if (typeof row !== "string") {
      rows.push(row);
      lines.push(record.line);
    } else if (++refusedCount <= REFUSED_KEPT_MAX) refused.push({ line: record.line, reason: row });
  }
  return header && { rows, lines, refused, refusedCount };
}

function headerOf(cells: readonly string[]): Header | undefined {
  const words = cells.map((cell) => cell.trim().toLowerCase());
  const header: Header = {};
  for (const [column, names] of entriesOf<Column, readonly string[]>(COLUMNS)) {
    const at = words.findIndex((word) => names.includes(word));
    if (at >= 0) header[column] = at;
  }
  if (header.tac === undefined) return undefined;
  const name = words.indexOf("name"); // the published Osmocom file calls both make and model `name`
  if (header.make === undefined && name >= 0) header.make = name;
  if (header.model === undefined && name >= 0) header.model = words.indexOf("name", name + 1);
  return header.make === undefined ? undefined : header;
}

/** The row, or the reason why it is none. */
function rowOf(header: Header, { cells }: CsvRecord): TacRow | string {
  const tac = cellOf(cells, header.tac);
  if (!/^\d{8}$/.test(tac)) return `a TAC has 8 digits, this cell has ${tac.length} characters`;
  const make = cellOf(cells, header.make);
  const model = cellOf(cells, header.model);
  const modelCodes = listOf(cellOf(cells, header.modelCodes));
  const names = listOf(cellOf(cells, header.names));
  if (make === "") return "no make";
  if (model === "" && modelCodes.length === 0 && names.length === 0) return "no model";
  if (cells.some((cell) => cell.length > CELL_CHARACTERS_MAX)) {
    return `a cell is longer than ${CELL_CHARACTERS_MAX} characters`;
  }
  return {
    tac,
    make,
    model,
    modelCodes,
    names,
    aka: listOf(cellOf(cells, header.aka)),
    upstreamSource: cellOf(cells, header.upstreamSource),
    listedYear: yearOf(cellOf(cells, header.dump)),
    releasedYear: yearOf(cellOf(cells, header.releasedYear)),
    suspect: cellOf(cells, header.ageCheck) === "suspect",
  };
}

const cellOf = (cells: readonly string[], at: number | undefined): string =>
  at === undefined ? "" : (cells[at] ?? "").trim();

const yearOf = (cell: string): number | null => (/^\d{4}/.test(cell) ? Number(cell.slice(0, 4)) : null);

const NONE: readonly string[] = [];
const listOf = (cell: string): readonly string[] =>
  cell === ""
    ? NONE
    : cell.includes("|") || cell.includes(",")
      ? cell.split(/[|,]/).map((item) => item.trim())
      : [cell];
