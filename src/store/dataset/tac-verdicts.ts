/**
 * A list of TACs that another operator gave: csv with a column `tac` and perhaps one for the verdict and one for the reason, or TACs alone,
 * a line each. Read in pieces; a bad row is told with its line and the rest goes on.
 */
import type { TheirRow } from "../../kernel/operator/comparison.ts";
import type { SupportVerdict } from "../../kernel/support/decide-support.ts";
import { TurnupError } from "../../term/error.ts";
import { isRounded, plainNumber, ROUNDED } from "../../term/spreadsheet.ts";
import { type CsvRecord, csvRecords, separatorOf } from "../../wire/csv/csv.ts";
import { CsvReader } from "../../wire/csv/csv-reader.ts";
import type { RefusedRow } from "./tac-import.ts";

/** All TACs that there are come to a third of it. */
const TACS_MAX = 1_000_000;
const REFUSED_KEPT_MAX = 1_000;
const REASON_CHARACTERS_MAX = 200;

export type TheirList = {
  /** By TAC; of rows about one TAC the first counts. */
  readonly rows: ReadonlyMap<string, TheirRow>;
  /** The verdicts that it gives at all. */
  readonly spoken: ReadonlySet<SupportVerdict>;
  readonly refused: readonly RefusedRow[];
  readonly refusedCount: number;
};

/** By the letters of a column's name alone. */
const COLUMNS: Readonly<Record<string, "tac" | "verdict" | "because">> = {
  tac: "tac",
  typeallocationcode: "tac",
  verdict: "verdict",
  status: "verdict",
  support: "verdict",
  supportstatus: "verdict",
  reason: "because",
  because: "because",
  why: "because",
};
/** By the letters of a word alone; an empty cell says that they do not know. */
const WORDS: Readonly<Record<string, SupportVerdict>> = {
  ended: "ended",
  end: "ended",
  eol: "ended",
  endoflife: "ended",
  unsupported: "ended",
  notsupported: "ended",
  leftbehind: "ended",
  obsolete: "ended",
  legacy: "ended",
  supported: "supported",
  current: "supported",
  active: "supported",
  unknown: "unknown",
  notknown: "unknown",
  "": "unknown",
};
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

type Places = { readonly tac: number; readonly verdict: number; readonly because: number };

/**
 * @throws TurnupError `dataset_malformed`: no column of TACs, or no row with one; `input_too_long`: more than a million
 */
export async function readTheirList(text: AsyncIterable<string>): Promise<TheirList> {
  const rows = new Map<string, TheirRow>();
  const refused: RefusedRow[] = [];
  let refusedCount = 0;
  let places: Places | undefined;
  for await (const record of recordsOf(text)) {
    if (!places) {
      const found = placesIn(record);
      places = found.places;
      if (found.isHeader) continue;
    }
    const read = rowOf(record, places);
    if (typeof read !== "string") {
      if (!rows.has(read.tac)) rows.set(read.tac, read);
      if (rows.size > TACS_MAX) throw tooLong();
    } else if (++refusedCount <= REFUSED_KEPT_MAX) refused.push({ line: record.line, reason: read });
  }
  const [first] = refused;
  if (rows.size === 0)
    throw new TurnupError("dataset_malformed", "No row of the list has a TAC.", {
      nextStep: first
        ? `Mend its rows: line ${first.line}: ${first.reason}.`
        : "It has a header and no rows.",
    });
  return { rows, spoken: new Set([...rows.values()].map(({ verdict }) => verdict)), refused, refusedCount };
}

/** The separator is told by the first piece with a line in it. */
async function* recordsOf(text: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let reader: CsvReader | undefined;
  let head = "";
  for await (const piece of text) {
    if (reader) {
      yield* reader.push(piece);
      continue;
    }
    head += piece;
    if (!/[^\s\ufeff][^\n\r]*[\r\n]/.test(head) && head.length < 65_536) continue;
    reader = new CsvReader(separatorOf(head));
    yield* reader.push(head);
  }
  if (reader) yield* reader.end();
  else yield* csvRecords(head, separatorOf(head));
}

/** A first line that begins with digits is data: TACs, and their verdicts behind them. */
function placesIn({ cells }: CsvRecord): { readonly places: Places; readonly isHeader: boolean } {
  if (/^\s*\d{7,8}\s*$/.test(cells[0] ?? ""))
    return { places: { tac: 0, verdict: cells.length > 1 ? 1 : -1, because: -1 }, isHeader: false };
  const names = cells.map((cell) => COLUMNS[plain(cell)]);
  const [tac, verdict, because] = (["tac", "verdict", "because"] as const).map((name) => names.indexOf(name));
  if (tac === undefined || tac < 0)
    throw new TurnupError("dataset_malformed", "The list has no column of TACs.", {
      nextStep:
        "Give it a header: tac, and where you have them verdict and reason; or TACs alone, a line each.",
    });
  return { places: { tac, verdict: verdict ?? -1, because: because ?? -1 }, isHeader: true };
}

function rowOf({ line, cells, fault }: CsvRecord, places: Places): TheirRow | string {
  if (fault) return fault;
  const digits = plainNumber((cells[places.tac] ?? "").trim());
  if (isRounded(digits)) return `the TAC is no number any more: ${ROUNDED}`;
  // A spreadsheet takes the zero in front; of those with a zero only 01 gives out numbers (GSMA TS.06).
  const tac = /^1\d{6}$/.test(digits) ? `0${digits}` : digits;
  if (!/^\d{8}$/.test(tac)) return `a TAC has 8 digits, this cell has ${digits.length} characters`;
  const because = (cells[places.because] ?? "").trim().slice(0, REASON_CHARACTERS_MAX);
  if (places.verdict < 0) return { tac, verdict: "ended", because: because || null, line };
  const word = plain(cells[places.verdict] ?? "");
  const verdict = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return verdict === undefined
    ? "the verdict is not ended, supported or unknown"
    : { tac, verdict, because: because || null, line };
}

const tooLong = (): TurnupError =>
  new TurnupError("input_too_long", `The list has more than ${TACS_MAX} TACs.`, {
    nextStep: "Compare it in several parts.",
  });
