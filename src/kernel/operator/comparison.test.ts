/** Another operator's list of TACs beside our verdicts. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { SupportReason, SupportVerdict } from "../support/decide-support.ts";
import { comparisonWords, createComparison, type OurWord, type TheirRow } from "./comparison.ts";

const theirs = (tac: string, verdict: SupportVerdict = "ended", because: string | null = null): TheirRow => ({
  ...{ tac, verdict, because, line: 7 },
});
function ours(
  verdict: SupportVerdict,
  rule?: SupportReason["rule"],
  saw: SupportReason["saw"] = {},
  source: string | null = "tac-osmocom",
): OurWord {
  const reasons = rule === undefined ? [] : [{ rule, outcome: verdict, saw, decided: true }];
  const [make, model] = source === null ? [null, null] : ["Nokia", "3310"];
  const version = source === null ? null : "1f2e";
  return { make, model, source, version, decision: { verdict, supportEnds: null, reasons } };
}
const ENDED: ReadonlySet<SupportVerdict> = new Set(["ended"]);
const AGE = { releasedFrom: "2019-01-01", releasedBy: "2024-12-31", basis: "listed", cutOffYears: 7 };

test("each row that differs says which rule of ours decided, what it saw, whose fact that is and of when", () => {
  const comparison = createComparison(ENDED);
  comparison.add(theirs("35010210"), ours("ended", "maker_exit", { endedBy: "2014-04-25" }));
  comparison.add(theirs("35010211", "ended", "3G is off"), ours("supported", "age_cutoff", AGE));
  comparison.add(theirs("35010212"), ours("unknown", undefined, {}, null));
  const end = { ends: "2021-05-01", source: "https://endoflife.date/nokia" };
  comparison.addSeen("35010213", ours("ended", "maker_support_end", end));
  comparison.addSeen("35010214", ours("supported", "age_cutoff", AGE));
  assert.deepEqual(
    comparison
      .rows()
      .map(({ code, tac, theirs: said, ours: own, rule, source, date }) => [
        ...[code, tac, said, own, rule, source, date],
      ]),
    [
      ["theirs_only", "35010212", "ended", "unknown", null, "no list names this TAC", null],
      [
        ...["ours_only", "35010213", null, "ended", "maker_support_end"],
        ...["https://endoflife.date/nokia", "2021-05-01"],
      ],
      [
        ...["other_verdict", "35010211", "ended", "supported", "age_cutoff"],
        ...["tac-osmocom 1f2e; the policy (ageCutOffYears)", "2024-12-31"],
      ],
    ],
  );
  assert.deepEqual(comparison.summary(), {
    ...{ theirs: 3, ours: 2, same: 2, untold: 0 },
    byCode: { theirs_only: 1, ours_only: 1, other_verdict: 1 },
    moves: { "ended there, supported here": 1 },
    byRule: { "no rule": 1, maker_support_end: 1, age_cutoff: 1 },
  });
  const [, , other] = comparison.rows();
  assert.equal(
    other && comparisonWords(other),
    "Nokia 3310: they say ended (line 7, since 3G is off), here it is supported by age_cutoff (releasedFrom 2019-01-01, releasedBy 2024-12-31, basis listed, cutOffYears 7); from tac-osmocom 1f2e; the policy (ageCutOffYears), 2024-12-31",
  );
});

test("the silence of a list that names what has ended alone says nothing of what is supported", () => {
  const silent = createComparison(ENDED);
  silent.addSeen("35010214", ours("supported", "age_cutoff", AGE));
  assert.deepEqual(silent.rows(), []);
  const whole = createComparison(new Set<SupportVerdict>(["ended", "supported"]));
  whole.addSeen("35010214", ours("supported", "age_cutoff", AGE));
  assert.deepEqual(
    whole.rows().map(({ code }) => code),
    ["ours_only"],
  );
});

test("where they say that they do not know, what our rules say is ours alone; of what neither knows nothing is told", () => {
  const comparison = createComparison(ENDED);
  comparison.add(theirs("35010210", "unknown"), ours("ended", "model_list", { listed: "Nokia/33*" }));
  comparison.add(theirs("35010211", "unknown"), ours("unknown"));
  const [row, ...others] = comparison.rows();
  assert.deepEqual([row?.code, row?.source, others.length], ["ours_only", "the policy (listedModels)", 0]);
});

test("more rows than anybody reads are counted", () => {
  const comparison = createComparison(ENDED, 1);
  for (const tac of ["35010210", "35010211"]) comparison.add(theirs(tac), ours("unknown"));
  assert.deepEqual(
    [comparison.rows().length, comparison.summary().untold, comparison.summary().byCode.theirs_only],
    [1, 1, 2],
  );
});
