/**
 * A file about devices that an operator brings: the rows as they are stored, what was refused with its line and reason, what is to be said
 * of it. A job reads it in pieces, whatever its length; both ways read the same file the same way.
 */
import { TurnupError } from "../../term/error.ts";
import { type CsvRecord, csvRecords, type Separator } from "../../wire/csv/csv.ts";
import { CsvReader } from "../../wire/csv/csv-reader.ts";
import { contentOf, type DatasetContent } from "./content.ts";
import type { DatasetRow } from "./dataset-store.ts";
import { isReadWhole, openRowLines, openWhole, type RowRead } from "./device-import.ts";
import { type OwnKind, tacColumnsOf } from "./own-devices.ts";
import { type ColumnMap, parseColumnMap } from "./tac-columns.ts";
import { openTacLines, type RefusedRow } from "./tac-import.ts";

type ReadImport = {
  readonly content: DatasetContent;
  /** Each with a line of its own: where a cell holds several TACs, the next free ones. */
  readonly rows: readonly DatasetRow[];
  /** The first `REFUSED_KEPT_MAX`. */
  readonly refused: readonly RefusedRow[];
  readonly refusedCount: number;
  /** Clauses. */
  readonly warnings: readonly string[];
};
const REFUSED_KEPT_MAX = 10_000;

/** A file whose header was read; its rows come as they are asked for. */
type OpenImport = About & { readonly reads: Iterable<RowRead> };
/** As `OpenImport`, its rows piece by piece: those of one are to be taken before the next is asked for. */
type StreamedImport = About & { readonly pieces: AsyncIterable<Iterable<RowRead>> };
type About = {
  /** The GSMA's own list. */
  readonly isDeviceMap: boolean;
  /** Clauses; whole when the last row was read. */
  warnings(): readonly string[];
  /** Rows so far whose number had lost the zero in front. */
  paddedCount(): number;
};

/** What whoever brings the file says of it. */
type ImportHints = {
  /** `tac=1,make=0,model=2`; of kind `tac` alone. */
  readonly columns?: string | undefined;
  /** Of a lifecycle file that does not say it. */
  readonly make?: string | undefined;
};

/** Padded TACs that are told with their lines. */
const PADDED_TOLD_MAX = 5;

/** @throws TurnupError `dataset_malformed`: not of its kind at all, or a hint that its kind does not take */
export function readDeviceImport(
  kind: OwnKind,
  name: string,
  octets: Uint8Array,
  hints: ImportHints = {},
): ReadImport {
  const content = contentOf(kind, name, octets);
  const { reads, warnings } = openDeviceImport(kind, content.text, hints);
  const rows: DatasetRow[] = [];
  const refused: RefusedRow[] = [];
  let refusedCount = 0;
  for (const read of reads) {
    if ("body" in read) rows.push(read);
    else if (++refusedCount <= REFUSED_KEPT_MAX) refused.push({ line: read.line, reason: read.refused });
  }
  return { content, rows, refused, refusedCount, warnings: warnings() };
}

/** @throws TurnupError `dataset_malformed`: not of its kind at all, or a hint that its kind does not take */
function openDeviceImport(kind: OwnKind, text: string, hints: ImportHints = {}): OpenImport {
  const lines = linesOf(kind, text, hints);
  return lines
    ? { ...lines, reads: readsIn(lines, csvRecords(text, lines.separator)) }
    : whole(kind, text, hints);
}

/** In which a header is looked for. */
const HEAD_CHARACTERS = 262_144;
/** Of a file that has to be read as a whole. */
const WHOLE_CHARACTERS_MAX = 32 * 1_048_576;

/**
 * A file whose text comes in pieces; no more of it is held than its longest record, save of JSON and YAML.
 * @throws TurnupError `dataset_malformed`: not of its kind at all, or a hint that its kind does not take; `input_too_long`: JSON or YAML of
 *   more than `WHOLE_CHARACTERS_MAX`
 */
export async function openStreamedImport(
  kind: OwnKind,
  text: AsyncIterable<string>,
  hints: ImportHints = {},
): Promise<StreamedImport> {
  const rest = text[Symbol.asyncIterator]();
  try {
    const head = await taken(rest, HEAD_CHARACTERS);
    const lines = linesOf(kind, head, hints);
    if (lines) return { ...lines, pieces: piecesOf(lines, head, rest) };
    return wholeOf(kind, head + (await taken(rest, WHOLE_CHARACTERS_MAX)), hints);
  } catch (error) {
    await rest.return?.(); // what is open behind it is closed
    throw error;
  }
}

function wholeOf(kind: OwnKind, text: string, hints: ImportHints): StreamedImport {
  if (text.length > WHOLE_CHARACTERS_MAX) {
    const fact = `A file of JSON or YAML has at most ${WHOLE_CHARACTERS_MAX} characters.`;
    throw new TurnupError("input_too_long", fact, { nextStep: "Bring it as csv." });
  }
  const { reads, ...about } = whole(kind, text, hints);
  async function* pieces(): AsyncGenerator<Iterable<RowRead>> {
    yield reads;
  }
  return { ...about, pieces: pieces() };
}

/** The next pieces, as many as make that many characters, or all there are. */
async function taken(pieces: AsyncIterator<string>, characters: number): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  while (length < characters) {
    const next = await pieces.next();
    if (next.done) break;
    parts.push(next.value);
    length += next.value.length;
  }
  return parts.join("");
}

async function* piecesOf(
  lines: Lines,
  head: string,
  rest: AsyncIterator<string>,
): AsyncGenerator<Iterable<RowRead>> {
  const reader = new CsvReader(lines.separator);
  try {
    yield readsIn(lines, reader.push(head));
    for (let next = await rest.next(); !next.done; next = await rest.next())
      yield readsIn(lines, reader.push(next.value));
    yield readsIn(lines, reader.end());
  } finally {
    await rest.return?.(); // whoever stops in the middle closes what is open behind it
  }
}

/** How the lines of a csv file become rows: told from its first ones, of which the header is one. */
type Lines = About & {
  readonly separator: Separator;
  /** The line that the data begin on. */
  readonly fromLine: number;
  rows(record: CsvRecord): Iterable<RowRead>;
};

function* readsIn({ fromLine, rows }: Lines, records: Iterable<CsvRecord>): Generator<RowRead> {
  for (const record of records) if (record.line >= fromLine) yield* rows(record);
}

/** Undefined: it is no csv, and has to be read as a whole. */
function linesOf(kind: OwnKind, head: string, { columns, make }: ImportHints): Lines | undefined {
  if (columns !== undefined && kind !== "tac") throw noSuchHint("columns are named for TAC lists alone");
  if (make !== undefined && kind !== "lifecycle") throw noSuchHint("a make is named for lifecycles alone");
  if (kind === "tac") return tacLinesOf(head, columns === undefined ? undefined : parseColumnMap(columns));
  if (isReadWhole(kind, head)) return undefined;
  const { separator, headerLine, read, warnings } = openRowLines(kind, head);
  return {
    ...{ separator, fromLine: headerLine + 1, ...aboutOf(warnings) },
    rows: (record) => [sound(read(record))],
  };
}

function whole(kind: OwnKind, text: string, { make }: ImportHints): OpenImport {
  if (kind === "tac") throw noSuchHint("a TAC list is csv");
  const { reads, warnings } = openWhole(kind, text, make);
  function* soundReads(): Generator<RowRead> {
    for (const read of reads) yield sound(read);
  }
  return { ...aboutOf(warnings), reads: soundReads() };
}

const aboutOf = (warnings: readonly string[]): About => ({
  isDeviceMap: false,
  warnings: () => warnings,
  paddedCount: () => 0,
});

const noSuchHint = (fact: string): TurnupError =>
  new TurnupError("dataset_malformed", `The file cannot be read so: ${fact}.`);

/** A row whose text is broken is refused. */
function sound(read: RowRead): RowRead {
  const fault = "body" in read ? faultOfText(read.body) : undefined;
  return fault === undefined ? read : { line: read.line, refused: fault };
}

function tacLinesOf(head: string, columns: ColumnMap | undefined): Lines {
  const { separator, fromLine, isDeviceMap, read } = openTacLines(head, columns);
  const told: string[] = [];
  const seen = new Set<string>();
  let [before, padded, repeated] = [0, 0, 0];
  function* rows(record: CsvRecord): Generator<RowRead> {
    const found = read(record);
    if ("refused" in found) {
      before = Math.max(before, found.line);
      yield found;
      return;
    }
    for (const { row, isPadded } of found.rows) {
      before = Math.max(before + 1, found.line);
      if (seen.has(row.tac)) repeated++;
      seen.add(row.tac);
      if (isPadded && ++padded <= PADDED_TOLD_MAX) told.push(`${row.tac} (line ${found.line})`);
      yield sound({ line: before, body: tacColumnsOf(row) });
    }
  }
  const warnings = (): string[] => [
    ...(repeated > 0 ? [`${repeated} rows repeat a TAC: the first row of each counts`] : []),
    ...(padded > 0
      ? [
          `${padded} TACs of 7 digits were read with the zero in front that spreadsheets drop: ${told.join(", ")}${padded > told.length ? " and so on" : ""}`,
        ]
      : []),
  ];
  return { separator, fromLine, isDeviceMap, rows, warnings, paddedCount: () => padded };
}

/** Octets that were no UTF-8 have become U+FFFD; a name with it is broken for good. PostgreSQL holds no NUL. */
function faultOfText(body: DatasetRow["body"]): string | undefined {
  for (const name in body) {
    const cell = body[name] ?? "";
    if (cell.includes("\ufffd")) return `${name} is not UTF-8: save the file as UTF-8`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(cell)) return `${name} holds a control character`;
  }
  return undefined;
}
