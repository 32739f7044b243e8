/**
 * A policy replayed over verdicts of the past: which of them would be others under it, and why. Verdicts are of models, so
 * they come in groups that the rules cannot tell apart; what a group comes to is asked twice, under the policy in force and under
 * the one that is tried, so that what the data has learnt since is not taken for the policy's doing.
 */
import type { SupportVerdict } from "../support/decide-support.ts";

/** Verdicts that the rules could not tell apart. */
export type PastVerdicts = {
  readonly tac: string;
  readonly make: string | null;
  readonly model: string | null;
  readonly market: string | null;
  /** Blind index of the one handset that the operator spoke of by itself, hexadecimal; null: of the others. */
  readonly imeiIndex: string | null;
  readonly verdict: SupportVerdict;
  /** The rule that decided; null where none did. */
  readonly rule: string | null;
  /** ISO date of the verdict. */
  readonly asOf: string;
  readonly count: number;
  /** The first order among them. */
  readonly example: string;
};

/** What the rules say now of the same devices, as of the same day. */
export type Said = {
  readonly verdict: SupportVerdict;
  readonly rule: string | null;
  /** In words: verdict, rule and the facts that it saw. */
  readonly words: string;
};

const REPLAY_CODES = [
  /** The verdict itself would be another by the policy that is tried. */
  "verdict_changes",
  /** The same verdict by another rule. */
  "rule_changes",
  /** It would be another under the policy in force too: data, deals or overrides are others than at that time. */
  "changes_anyway",
] as const;
type ReplayCode = (typeof REPLAY_CODES)[number];

export type ReplayRow = {
  readonly code: ReplayCode;
  readonly tac: string;
  readonly make: string | null;
  readonly model: string | null;
  readonly market: string | null;
  readonly formerVerdict: SupportVerdict;
  readonly formerRule: string | null;
  readonly verdict: SupportVerdict;
  readonly rule: string | null;
  /** Why: what the deciding rule sees. */
  readonly why: string;
  readonly verdicts: number;
  readonly example: string;
};

export type ReplaySummary = {
  /** Verdicts that were looked at. */
  readonly verdicts: number;
  readonly unchanged: number;
  /** By code, how many verdicts; and how many of `verdict_changes` go from one word to another. */
  readonly byCode: Readonly<Record<ReplayCode, number>>;
  readonly moves: Readonly<Record<string, number>>;
  /** Rows beyond the limit, which are counted above and not told one by one. */
  readonly untold: number;
};

/** More rows than anybody reads; what is beyond is counted. */
const ROWS_MAX = 20_000;

type Replay = {
  add(past: PastVerdicts, inForce: Said, tried: Said): void;
  /** Most verdicts first. */
  rows(): readonly ReplayRow[];
  summary(): ReplaySummary;
};

export function createReplay(rowsMax = ROWS_MAX): Replay {
  const rows = new Map<string, ReplayRow>();
  const byCode: Record<ReplayCode, number> = { verdict_changes: 0, rule_changes: 0, changes_anyway: 0 };
  const moves = new Map<string, number>();
  let [verdicts, unchanged, untold] = [0, 0, 0];
  return {
    add(past, inForce, tried) {
      verdicts += past.count;
      const code = codeOf(past, inForce, tried);
      if (code === undefined) {
        unchanged += past.count;
        return;
      }
      byCode[code] += past.count;
      if (code === "verdict_changes") {
        const move = `${past.verdict} to ${tried.verdict}`;
        moves.set(move, (moves.get(move) ?? 0) + past.count);
      }
      const row = rowOf(code, past, tried);
      const key = JSON.stringify([
        code,
        row.tac,
        row.market,
        row.formerVerdict,
        row.formerRule,
        row.verdict,
        row.rule,
      ]);
      const known = rows.get(key);
      if (known) rows.set(key, { ...known, verdicts: known.verdicts + past.count });
      else if (rows.size < rowsMax) rows.set(key, row);
      else untold += past.count;
    },
    rows: () => [...rows.values()].sort((one, other) => other.verdicts - one.verdicts),
    summary: () => ({ verdicts, unchanged, byCode, moves: Object.fromEntries(moves), untold }),
  };
}

/** Undefined: nothing would be another. */
function codeOf(past: PastVerdicts, inForce: Said, tried: Said): ReplayCode | undefined {
  const isPolicy = inForce.verdict !== tried.verdict || inForce.rule !== tried.rule;
  if (past.verdict === tried.verdict && past.rule === tried.rule) return undefined;
  if (!isPolicy) return "changes_anyway";
  return past.verdict === tried.verdict ? "rule_changes" : "verdict_changes";
}

const rowOf = (code: ReplayCode, past: PastVerdicts, tried: Said): ReplayRow => ({
  code,
  tac: past.tac,
  make: past.make,
  model: past.model,
  market: past.market,
  formerVerdict: past.verdict,
  formerRule: past.rule,
  verdict: tried.verdict,
  rule: tried.rule,
  why: tried.words,
  verdicts: past.count,
  example: past.example,
});

/** `120 verdicts of Nokia 3310: ended by maker_exit becomes supported by ...`. */
export function wordsOf(row: ReplayRow): string {
  const phone = row.make === null ? "a model in no list" : `${row.make} ${row.model ?? "(model not named)"}`;
  const former =
    row.formerRule === null ? `${row.formerVerdict} by no rule` : `${row.formerVerdict} by ${row.formerRule}`;
  const where = row.market === null ? "" : ` in ${row.market}`;
  const count = row.verdicts === 1 ? "1 verdict" : `${row.verdicts} verdicts`;
  const anyway =
    row.code === "changes_anyway" ? ", whichever policy: data, deals or overrides have changed" : "";
  return `${count} of ${phone}${where}: ${former} becomes ${row.why}${anyway}; first order ${row.example}`;
}
