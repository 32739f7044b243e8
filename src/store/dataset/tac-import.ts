/**
 * TAC lists as they come: our own columns, the GSMA's Device Map, the Osmocom database as it is published (a licence
 * sentence before the header, two pairs of columns with one name), the Samsung list, or an operator's export with other
 * header words or none. A bad row is reported with its line and reason and the rest goes on.
 */
import type { TacRow } from "../../kernel/devices/rows.ts";
import { isRounded, plainNumber, ROUNDED } from "../../term/spreadsheet.ts";
import { type CsvRecord, csvRecords, SEPARATORS, type Separator, separatorOf } from "../../wire/csv/csv.ts";
import {
  type ColumnMap,
  headerOf,
  isByPlace,
  isWhole,
  mappedHeader,
  noHeader,
  type TacHeader,
} from "./tac-columns.ts";

export type RefusedRow = { readonly line: number; readonly reason: string };
type TacImport = {
  readonly rows: readonly TacRow[];
  /** The line that each row begins on. */
  readonly lines: readonly number[];
  /** The first `REFUSED_KEPT_MAX`. */
  readonly refused: readonly RefusedRow[];
  readonly refusedCount: number;
  /** TACs of 7 digits that were read with the zero in front of them. */
  readonly padded: readonly { readonly line: number; readonly tac: string }[];
  /** Whether it is the GSMA's Device Map, or laid out as that is. */
  readonly isDeviceMap: boolean;
};

/** Lines looked at for the header. */
const HEADER_LINES_MAX = 10;
/** Refused rows kept with their reason; the rest are counted. */
const REFUSED_KEPT_MAX = 10_000;
const CELL_CHARACTERS_MAX = 4_096;
/** TACs of one cell. */
const CELL_TACS_MAX = 500;

/** What one line of the file comes to: its rows, one a TAC, or why there is none. */
type TacRead = { readonly line: number } & (
  | { readonly rows: readonly ReadRow[] }
  | { readonly refused: string }
);
/** A file whose header was found: how each of its records is read. */
type TacLines = {
  readonly separator: Separator;
  /** The line that the data begin on. */
  readonly fromLine: number;
  /** Whether it is the GSMA's Device Map, or laid out as that is. */
  readonly isDeviceMap: boolean;
  read(record: CsvRecord): TacRead;
};

/**
 * @param head the file's first lines, or all of it
 * @throws TurnupError `dataset_malformed`: no header with what a row needs in the first lines
 */
export function openTacLines(head: string, columns?: ColumnMap): TacLines {
  let seen: CsvRecord | undefined;
  const isOneForm = columns !== undefined && isByPlace(columns);
  for (const separator of isOneForm ? [separatorOf(head)] : SEPARATORS) {
    const found = headerIn(csvRecords(head, separator), columns);
    if ("header" in found) {
      const { header, fromLine } = found;
      const { make, applicant, model, marketingName } = header;
      const isDeviceMap = [make, applicant, model, marketingName].every((at) => at !== undefined);
      const read = (record: CsvRecord): TacRead => {
        const rows = rowsOf(header, record);
        return typeof rows === "string" ? { line: record.line, refused: rows } : { line: record.line, rows };
      };
      return { separator, fromLine, isDeviceMap, read };
    }
    if (found.seen && (seen?.cells.length ?? 0) < found.seen.cells.length) seen = found.seen;
  }
  throw noHeader(HEADER_LINES_MAX, seen);
}

/** @throws TurnupError `dataset_malformed`: no header with what a row needs in the first lines */
export function parseTacImport(text: string, columns?: ColumnMap): TacImport {
  const { isDeviceMap, separator, fromLine, read: readOne } = openTacLines(text, columns);
  const rows: TacRow[] = [];
  const lines: number[] = [];
  const refused: RefusedRow[] = [];
  const padded: { line: number; tac: string }[] = [];
  let refusedCount = 0;
  for (const record of csvRecords(text, separator)) {
    if (record.line < fromLine) continue;
    const read = readOne(record);
    if ("refused" in read) {
      if (++refusedCount <= REFUSED_KEPT_MAX) refused.push({ line: read.line, reason: read.refused });
      continue;
    }
    for (const { row, isPadded } of read.rows) {
      rows.push(row);
      lines.push(read.line);
      if (isPadded) padded.push({ line: read.line, tac: row.tac });
    }
  }
  return { rows, lines, refused, refusedCount, padded, isDeviceMap };
}

/** The line that the data begin on: the header's own where places alone are told and it holds data. */
type Found = { readonly header: TacHeader; readonly fromLine: number };
type Unread = { readonly seen: CsvRecord | undefined };

function headerIn(records: Iterable<CsvRecord>, columns: ColumnMap | undefined): Found | Unread {
  let seen: CsvRecord | undefined;
  let looked = 0;
  for (const record of records) {
    const header = columns ? mappedHeader(columns, record) : headerOf(record);
    if (header && (columns || isWhole(header))) {
      const isDataLine = columns !== undefined && isByPlace(columns) && isData(header, record);
      return { header, fromLine: record.line + (isDataLine ? 0 : 1) };
    }
    if (header || (seen?.cells.length ?? 0) < record.cells.length) seen = record;
    if (header || ++looked >= HEADER_LINES_MAX) break;
  }
  return { seen };
}

/** With places alone the first line may be data or words. */
const isData = (header: TacHeader, { cells }: CsvRecord): boolean => /\d/.test(cellOf(cells, header.tac));

type ReadRow = { readonly row: TacRow; readonly isPadded: boolean };

/** The rows, one a TAC, or the reason why there is none. */
function rowsOf(header: TacHeader, { cells, fault }: CsvRecord): readonly ReadRow[] | string {
  if (fault) return fault;
  const tacs = tacsOf(cellOf(cells, header.tac));
  if (typeof tacs === "string") return tacs;
  const make = said(cells, header.make) || said(cells, header.applicant);
  if (make === "") return "no make";
  const named = namesOf(header, cells);
  const isNamed = named.model !== "" || named.modelCodes.length > 0 || named.names.length > 0;
  // A Device Map tells the applicant where it says "Not Known" of the model: that much is known.
  if (!isNamed && cellOf(cells, header.model ?? header.marketingName) === "") return "no model";
  if (cells.some((cell) => cell.length > CELL_CHARACTERS_MAX)) {
    return `a cell is longer than ${CELL_CHARACTERS_MAX} characters`;
  }
  const rest = {
    make,
    ...named,
    aka: listOf(cellOf(cells, header.aka)),
    upstreamSource: cellOf(cells, header.upstreamSource),
    listedYear: yearOf(cellOf(cells, header.dump)),
    releasedYear: yearOf(cellOf(cells, header.releasedYear)),
    suspect: cellOf(cells, header.ageCheck) === "suspect",
  };
  return tacs.map(({ tac, isPadded }) => ({ row: { tac, ...rest }, isPadded }));
}

/**
 * The TACs of a cell, or why there are none. A spreadsheet takes the zero in front; `0` and what is left are a TAC where
 * that reporting body gives out numbers: of those with a zero only 01 does (GSMA TS.06).
 */
function tacsOf(cell: string): readonly { readonly tac: string; readonly isPadded: boolean }[] | string {
  if (/^\d{8}$/.test(cell)) return [{ tac: cell, isPadded: false }]; // nearly all
  const words = cell.split(/[\s,;/|]+/).filter((word) => word !== "");
  if (words.length > CELL_TACS_MAX) return `a cell holds more than ${CELL_TACS_MAX} TACs`;
  const tacs: { tac: string; isPadded: boolean }[] = [];
  for (const word of words) {
    const digits = plainNumber(word);
    if (isRounded(digits)) return `the TAC is no number any more: ${ROUNDED}`;
    if (/^\d{8}$/.test(digits)) tacs.push({ tac: digits, isPadded: false });
    else if (/^1\d{6}$/.test(digits)) tacs.push({ tac: `0${digits}`, isPadded: true });
    else return `a TAC has 8 digits, this cell has ${digits.length} characters`;
  }
  return tacs.length > 0 ? tacs : "a TAC has 8 digits, this cell has 0 characters";
}

/** Beside a marketing name `Model Name` is a code mostly, alone or with the name: `SM-G973F`, `iPhone 11 (A2221)`. */
function namesOf(
  header: TacHeader,
  cells: readonly string[],
): Pick<TacRow, "model" | "modelCodes" | "names"> {
  const marketingName = said(cells, header.marketingName);
  const model = said(cells, header.model);
  const listed = listOf(cellOf(cells, header.modelCodes));
  const names = listOf(cellOf(cells, header.names));
  if (header.marketingName === undefined) return { model, modelCodes: listed, names };
  const texts = [model, said(cells, header.internalName)];
  const codes = [...new Set([...listed, ...texts.flatMap((text) => codesBeside(marketingName, text))])];
  if (marketingName !== "") return { model: marketingName, modelCodes: codes, names };
  return { model: codes.length > 0 && codes[0] === model ? "" : model, modelCodes: codes, names };
}

function codesBeside(name: string, text: string): string[] {
  const at = name === "" ? -1 : text.toLowerCase().indexOf(name.toLowerCase());
  const rest = at < 0 ? text : `${text.slice(0, at)} ${text.slice(at + name.length)}`;
  return rest.split(/[\s,;|()]+/).filter(isCode);
}

/** Letters and digits, or many digits; not `5G`, `128GB`, `14"`. */
const isCode = (word: string): boolean =>
  /\d/.test(word) && (/[A-Z]/i.test(word) || word.length >= 5) && !/^\d+(?:g|gb|tb|mp|mm|in)$/i.test(word);

/** Cells that say nothing, as the GSMA's list and people's spreadsheets write it. */
const SAYS_NOTHING =
  /^(?:not known|not available|not applicable|unknown|undefined|none|null|n\/?a|[-?._]+)$/i;

function said(cells: readonly string[], at: number | undefined): string {
  const cell = cellOf(cells, at);
  return SAYS_NOTHING.test(cell) ? "" : cell;
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
