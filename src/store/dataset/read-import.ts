/**
 * A file about devices that an operator brings, read whole: the rows as they are stored, what was refused with its line
 * and reason, what is to be said of it. Command line and API read the same file the same way.
 */
import { TurnupError } from "../../term/error.ts";
import { contentOf, type DatasetContent } from "./content.ts";
import type { DatasetRow } from "./dataset-store.ts";
import {
  parseCapabilityImport,
  parseLifecycleImport,
  parseMenusImport,
  parseModelsImport,
} from "./device-import.ts";
import { type OwnKind, tacColumnsOf } from "./own-devices.ts";
import { type ColumnMap, parseColumnMap } from "./tac-columns.ts";
import { parseTacImport, type RefusedRow } from "./tac-import.ts";

type ReadImport = {
  readonly content: DatasetContent;
  /** Each with a line of its own: where a cell holds several TACs, the next free ones. */
  readonly rows: readonly DatasetRow[];
  readonly refused: readonly RefusedRow[];
  readonly refusedCount: number;
  /** Clauses. */
  readonly warnings: readonly string[];
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
  { columns, make }: ImportHints = {},
): ReadImport {
  if (columns !== undefined && kind !== "tac") throw noSuchHint("columns are named for TAC lists alone");
  if (make !== undefined && kind !== "lifecycle") throw noSuchHint("a make is named for lifecycles alone");
  const content = contentOf(kind, name, octets);
  const parsed = parsersOf(content.text, columns === undefined ? undefined : parseColumnMap(columns), make)[
    kind
  ]();
  const bad = parsed.rows.filter(({ body }) => faultOfText(body));
  if (bad.length === 0) return { content, ...parsed };
  const refused = [
    ...parsed.refused,
    ...bad.map(({ line, body }) => ({ line, reason: faultOfText(body) ?? "" })),
  ];
  return {
    content,
    rows: parsed.rows.filter(({ body }) => !faultOfText(body)),
    refused: refused.sort((one, other) => one.line - other.line),
    refusedCount: parsed.refusedCount + bad.length,
    warnings: parsed.warnings,
  };
}

const noSuchHint = (fact: string): TurnupError =>
  new TurnupError("dataset_malformed", `The file cannot be read so: ${fact}.`);

type Parsed = Omit<ReadImport, "content">;

const parsersOf = (
  text: string,
  columns: ColumnMap | undefined,
  make: string | undefined,
): Readonly<Record<OwnKind, () => Parsed>> => ({
  tac: () => tacRows(text, columns),
  lifecycle: () => parseLifecycleImport(text, make),
  capability: () => parseCapabilityImport(text),
  menus: () => parseMenusImport(text),
  device_facts: () => parseModelsImport(text),
});

function tacRows(text: string, columns: ColumnMap | undefined): Parsed {
  const { rows, lines, refused, refusedCount, padded } = parseTacImport(text, columns);
  const repeated = rows.length - new Set(rows.map(({ tac }) => tac)).size;
  const warnings = repeated > 0 ? [`${repeated} rows repeat a TAC: the first row of each counts`] : [];
  if (padded.length > 0) {
    const told = padded.slice(0, PADDED_TOLD_MAX).map(({ line, tac }) => `${tac} (line ${line})`);
    const more = padded.length > told.length ? " and so on" : "";
    warnings.push(
      `${padded.length} TACs of 7 digits were read with the zero in front that spreadsheets drop: ${told.join(", ")}${more}`,
    );
  }
  let before = 0;
  const placed = rows.map((row, at) => {
    before = Math.max(before + 1, lines[at] ?? 0);
    return { line: before, body: tacColumnsOf(row) };
  });
  return { rows: placed, refused, refusedCount, warnings };
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
