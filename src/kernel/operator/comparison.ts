/**
 * Another operator's list of TACs beside our own verdicts: where the two differ, row by row, each with the rule of ours that decided, the
 * fact that it saw, whose fact that is, and its date. What both say in the same words is counted and not told.
 */
import type { SupportDecision, SupportReason, SupportVerdict } from "../support/decide-support.ts";
import { decidingReason, saidBy } from "../support/policy-tests.ts";

/** A row of theirs. */
export type TheirRow = {
  readonly tac: string;
  /** A list that gives no verdicts names what its operator left behind: `ended`. */
  readonly verdict: SupportVerdict;
  /** Why, in their words; null where their list does not say. */
  readonly because: string | null;
  /** Of their file. */
  readonly line: number;
};

/** What is known here of a TAC, and what the rules say of it. */
export type OurWord = {
  readonly make: string | null;
  readonly model: string | null;
  /** The list that names the model, and its version; null where none does. */
  readonly source: string | null;
  readonly version: string | null;
  readonly decision: SupportDecision;
};

const COMPARISON_CODES = [
  /** They say something of it, and no rule of ours does. */
  "theirs_only",
  /** It was seen here and our rules say of it what their list says of others, and their list does not say it of this one. */
  "ours_only",
  /** Both say something, and not the same. */
  "other_verdict",
] as const;
type ComparisonCode = (typeof COMPARISON_CODES)[number];

export type ComparisonRow = {
  readonly code: ComparisonCode;
  readonly tac: string;
  readonly make: string | null;
  readonly model: string | null;
  /** Null: their list has no such row. */
  readonly theirs: SupportVerdict | null;
  readonly theirLine: number | null;
  readonly theirBecause: string | null;
  readonly ours: SupportVerdict;
  /** That decided; null: none did. */
  readonly rule: string | null;
  /** What the rule saw, in words; of no rule, which were asked. */
  readonly fact: string;
  /** Whose fact it is: a list with its version, an address, the policy, the operator's own word. */
  readonly source: string;
  /** ISO date or year that the fact is about: the end of support, the release; null where it has none. */
  readonly date: string | null;
};

export type ComparisonSummary = {
  /** TACs of their list, and TACs seen here that it does not name. */
  readonly theirs: number;
  readonly ours: number;
  readonly same: number;
  readonly byCode: Readonly<Record<ComparisonCode, number>>;
  /** Of `other_verdict`: `ended there, supported here` and how many. */
  readonly moves: Readonly<Record<string, number>>;
  /** Of all three, by the rule of ours that decided. */
  readonly byRule: Readonly<Record<string, number>>;
  /** Rows beyond the limit, which are counted above and not told one by one. */
  readonly untold: number;
};

/** Of each code: more than anybody reads; what is beyond is counted. */
const ROWS_MAX = 20_000;

type Comparison = {
  /** A row of theirs, and what is said of the same TAC here. */
  add(theirs: TheirRow, ours: OurWord): void;
  /** A TAC that was seen here and is not in their list. */
  addSeen(tac: string, ours: OurWord): void;
  /** By code, then by TAC. */
  rows(): readonly ComparisonRow[];
  summary(): ComparisonSummary;
};

/** @param spoken the verdicts that their list gives at all: of others its silence says nothing */
export function createComparison(spoken: ReadonlySet<SupportVerdict>, rowsMax = ROWS_MAX): Comparison {
  const rows: Record<ComparisonCode, ComparisonRow[]> = { theirs_only: [], ours_only: [], other_verdict: [] };
  const byCode: Record<ComparisonCode, number> = { theirs_only: 0, ours_only: 0, other_verdict: 0 };
  const moves = new Map<string, number>();
  const byRule = new Map<string, number>();
  let [theirCount, ourCount, same, untold] = [0, 0, 0, 0];
  const tell = (code: ComparisonCode, row: Omit<ComparisonRow, "code">): void => {
    byCode[code]++;
    count(byRule, row.rule ?? "no rule");
    if (rows[code].length < rowsMax) rows[code].push({ code, ...row });
    else untold++;
  };
  return {
    add(theirs, ours) {
      theirCount++;
      const code = codeOf(theirs.verdict, ours.decision.verdict);
      if (code === undefined) {
        same++;
        return;
      }
      if (code === "other_verdict") count(moves, `${theirs.verdict} there, ${ours.decision.verdict} here`);
      tell(code, rowOf(theirs.tac, theirs, ours));
    },
    addSeen(tac, ours) {
      ourCount++;
      const { verdict } = ours.decision;
      if (verdict === "unknown" || !spoken.has(verdict)) same++;
      else tell("ours_only", rowOf(tac, null, ours));
    },
    rows: () =>
      COMPARISON_CODES.flatMap((code) =>
        [...rows[code]].sort((one, other) => (one.tac < other.tac ? -1 : 1)),
      ),
    summary: () => ({
      ...{ theirs: theirCount, ours: ourCount, same, byCode, untold },
      moves: Object.fromEntries(moves),
      byRule: Object.fromEntries(byRule),
    }),
  };
}

const count = (counts: Map<string, number>, name: string): unknown =>
  counts.set(name, (counts.get(name) ?? 0) + 1);

/** Undefined: both say the same. */
function codeOf(theirs: SupportVerdict, ours: SupportVerdict): ComparisonCode | undefined {
  if (theirs === ours) return undefined;
  if (ours === "unknown") return "theirs_only";
  return theirs === "unknown" ? "ours_only" : "other_verdict";
}

function rowOf(tac: string, theirs: TheirRow | null, ours: OurWord): Omit<ComparisonRow, "code"> {
  const { make, model, decision } = ours;
  const reason = decidingReason(decision);
  return {
    ...{ tac, make, model },
    theirs: theirs?.verdict ?? null,
    theirLine: theirs?.line ?? null,
    theirBecause: theirs?.because ?? null,
    ours: decision.verdict,
    rule: reason?.rule ?? null,
    fact: saidBy(decision),
    source: sourceOf(reason, ours),
    date: dateOf(reason, decision),
  };
}

/** Whose word the rule went by; of a rule that went by the model's own data, the list that names the model. */
function sourceOf(reason: SupportReason | undefined, { source, version }: OurWord): string {
  const list =
    source === null ? "no list names this TAC" : `${source}${version === null ? "" : ` ${version}`}`;
  switch (reason?.rule) {
    case "operator_override":
      return "the operator's own word (override)";
    case "model_list":
      return "the policy (listedModels)";
    case "maker_relation":
      return "what is agreed with the maker (relation)";
    case "maker_support_end":
      return textIn(reason, "source") ?? list;
    case "maker_exit":
      return `${list}; makers that left the business`;
    case "age_cutoff":
      return `${list}; the policy (ageCutOffYears)`;
    case "support_estimate":
      return `${list}; how long makers support what they release`;
    case "number_age":
      return "the reporting body and the age of the number";
    case undefined:
      return list;
  }
}

/** The end of support where the rule knows one, else the date that it counted from. */
function dateOf(reason: SupportReason | undefined, { supportEnds }: SupportDecision): string | null {
  if (!reason) return null;
  if (reason.rule === "operator_override") return supportEnds;
  const names = ["ends", "endedBy", "supportedOn", "releasedBy", "releasedFrom", "window"];
  for (const name of names) {
    const said = textIn(reason, name);
    if (said !== undefined) return said;
  }
  return null;
}

function textIn({ saw }: SupportReason, name: string): string | undefined {
  const value = saw[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** `Nokia 3310: they say ended (line 7), here it is supported by age_cutoff (...); from tac-osmocom 1f2e, 2024-10-01`. */
export function comparisonWords(row: ComparisonRow): string {
  const phone = row.make === null ? "a model in no list" : `${row.make} ${row.model ?? "(model not named)"}`;
  const because = row.theirBecause === null ? "" : `, since ${row.theirBecause}`;
  const theirs =
    row.theirs === null
      ? "their list does not name it"
      : `they say ${row.theirs} (line ${row.theirLine}${because})`;
  const date = row.date === null ? "" : `, ${row.date}`;
  return `${phone}: ${theirs}, here it is ${row.fact}; from ${row.source}${date}`;
}
