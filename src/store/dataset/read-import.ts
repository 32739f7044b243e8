/**
 * A file about devices that an operator brings, read whole: the rows as they are stored, what was refused with its line
 * and reason, what is to be said of it. Command line and API read the same file the same way.
 */
import { TurnupError } from "../../term/error.ts";
import { contentOf, type DatasetContent } from "./content.ts";
import type { DatasetRow } from "./dataset-store.ts";
import {
  openCapabilityImport,
  openLifecycleImport,
  openMenusImport,
  openModelsImport,
  type RowRead,
  type RowsFile,
} from "./device-import.ts";
import { type OwnKind, tacColumnsOf } from "./own-devices.ts";
import { type ColumnMap, parseColumnMap } from "./tac-columns.ts";
import { openTacImport, type RefusedRow } from "./tac-import.ts";

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
type OpenImport = {
  readonly reads: Iterable<RowRead>;
  /** The GSMA's own list. */
  readonly isDeviceMap: boolean;
  /** Clauses; whole when the last row was read. */
  warnings(): readonly string[];
  /** Rows so far whose number had lost the zero in front. */
  paddedCount(): number;
};

/** What whoever brings the file says of it. */
export type ImportHints = {
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
export function openDeviceImport(
  kind: OwnKind,
  text: string,
  { columns, make }: ImportHints = {},
): OpenImport {
  if (columns !== undefined && kind !== "tac") throw noSuchHint("columns are named for TAC lists alone");
  if (make !== undefined && kind !== "lifecycle") throw noSuchHint("a make is named for lifecycles alone");
  if (kind === "tac") return openTacs(text, columns === undefined ? undefined : parseColumnMap(columns));
  const opened = OPENERS[kind](text, make);
  return {
    reads: sound(opened.reads),
    isDeviceMap: false,
    warnings: () => opened.warnings,
    paddedCount: () => 0,
  };
}

const noSuchHint = (fact: string): TurnupError =>
  new TurnupError("dataset_malformed", `The file cannot be read so: ${fact}.`);

const OPENERS: Readonly<Record<Exclude<OwnKind, "tac">, (text: string, make?: string) => RowsFile>> = {
  lifecycle: openLifecycleImport,
  capability: openCapabilityImport,
  menus: openMenusImport,
  device_facts: openModelsImport,
};

/** With rows whose text is broken refused. */
function* sound(reads: Iterable<RowRead>): Generator<RowRead> {
  for (const read of reads) {
    const fault = "body" in read ? faultOfText(read.body) : undefined;
    yield fault === undefined ? read : { line: read.line, refused: fault };
  }
}

function openTacs(text: string, columns: ColumnMap | undefined): OpenImport {
  const file = openTacImport(text, columns);
  const told: string[] = [];
  const seen = new Set<string>();
  let [padded, repeated] = [0, 0];
  function* reads(): Generator<RowRead> {
    let before = 0;
    for (const read of file.reads) {
      if ("refused" in read) {
        before = Math.max(before, read.line);
        yield read;
        continue;
      }
      for (const { row, isPadded } of read.rows) {
        before = Math.max(before + 1, read.line);
        if (seen.has(row.tac)) repeated++;
        seen.add(row.tac);
        if (isPadded && ++padded <= PADDED_TOLD_MAX) told.push(`${row.tac} (line ${read.line})`);
        yield { line: before, body: tacColumnsOf(row) };
      }
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
  return { reads: sound(reads()), isDeviceMap: file.isDeviceMap, warnings, paddedCount: () => padded };
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
