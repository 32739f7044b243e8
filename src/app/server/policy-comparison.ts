/** Another operator's list of TACs beside what the rules say here, as the policy in force has it: on the command line, and as a job. */
import { setImmediate as turn } from "node:timers/promises";
import type { HttpDeps } from "../../http/ports.ts";
import {
  type ComparisonRow,
  type ComparisonSummary,
  comparisonWords,
  createComparison,
} from "../../kernel/operator/comparison.ts";
import type { OperatorTerms } from "../../kernel/operator/operator-terms.ts";
import type { Database } from "../../store/database/database.ts";
import { textOf } from "../../store/dataset/file-text.ts";
import { readTheirList, type TheirList } from "../../store/dataset/tac-verdicts.ts";
import { fileParts } from "../../store/jobs/job-files.ts";
import type { JobKind } from "../../store/jobs/job-kind.ts";
import type { createJobs } from "../../store/jobs/jobs.ts";
import { maskText } from "../../term/mask.ts";
import { assured } from "../../term/narrow.ts";
import { seenTacs } from "./import-verdicts.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Stores } from "./open-stores.ts";

/** A million TACs with a reason each. */
export const LIST_OCTETS_MAX = 64 * 1_048_576;
/** Judged in one turn of the program: a new model's judgement takes some hundred microseconds. */
const TACS_A_TURN = 50;
/** Between two words of how far it is. */
const TACS_A_STEP = 2_000;

type ComparisonDeps = {
  readonly database: Database;
  readonly knowledge: Pick<Knowledge, "explain">;
  readonly terms: OperatorTerms;
  readonly clock: () => Date;
};
type Compared = { readonly rows: readonly ComparisonRow[]; readonly summary: ComparisonSummary };

/** @param onProgress told after each piece; it may throw to end it */
export async function compareWithList(
  { database, knowledge, terms, clock }: ComparisonDeps,
  list: TheirList,
  onProgress: (done: number, total: number) => Promise<void>,
): Promise<Compared> {
  const asOf = clock().toISOString().slice(0, 10);
  const comparison = createComparison(list.spoken);
  const seen = (await seenTacs(database, terms.operatorId)).filter((tac) => !list.rows.has(tac));
  const total = list.rows.size + seen.length;
  let done = 0;
  const step = async (): Promise<void> => {
    done++;
    if (done % TACS_A_TURN === 0) await turn();
    if (done % TACS_A_STEP === 0) await onProgress(done, total);
  };
  for (const [tac, theirs] of list.rows) {
    comparison.add(theirs, knowledge.explain(terms, tac, asOf));
    await step();
  }
  for (const tac of seen) {
    comparison.addSeen(tac, knowledge.explain(terms, tac, asOf));
    await step();
  }
  return { rows: comparison.rows(), summary: comparison.summary() };
}

const KIND = "policy_comparison";
const HOURS_MAX = 6;

/** It only reads: whoever takes it after a kill begins anew, and writes the same outcomes under the same positions. */
export const policyComparisonKind = ({
  database,
  knowledge,
  termsOf,
  clock,
}: Pick<Stores, "database" | "knowledge" | "termsOf" | "clock">): JobKind => ({
  kind: KIND,
  async run(work) {
    const fileId = assured(work.fileId, "a comparison has its list");
    const list = await readTheirList(textOf(fileParts(database, fileId), LIST_OCTETS_MAX));
    const terms = await termsOf(work.operatorId);
    const { rows, summary } = await compareWithList(
      { database, knowledge, terms, clock },
      list,
      (done, total) => work.save({ done, total, checkpoint: null }),
    );
    const refused = list.refused.map(({ line, reason }, at) => ({
      ...{ position: at + 1, subject: `line ${line}`, code: "refused" },
      reason: `${maskText(reason)}.`,
    }));
    const told = rows.map((row, at) => ({
      ...{ position: refused.length + at + 1, subject: row.tac, code: row.code },
      reason: `${comparisonWords(row)}.`,
    }));
    // One transaction: whoever begins anew finds either none of them or a job that is as good as done.
    const outcomes = [...refused, ...told];
    await work.save({ done: summary.theirs + summary.ours, checkpoint: null, outcomes });
    const { theirs_only, ours_only, other_verdict } = summary.byCode;
    return {
      state: "done",
      reason: `${theirs_only} of their TACs have no verdict here, ${ours_only} of ours none there, of ${other_verdict} the verdicts differ.`,
      summary: { ...summary, refused: list.refusedCount },
    };
  },
});

export const policyComparisons = (
  { database, newId }: Pick<Stores, "database" | "newId">,
  jobs: Pick<ReturnType<typeof createJobs>, "ask">,
): HttpDeps["policyComparisons"] => ({
  async ask(operatorId, { fileId, sha256, fileName, askedBy }) {
    const id = newId();
    const input = { sha256, fileName };
    const job = { id, operatorId, kind: KIND, input, fileId, askedBy, hours: HOURS_MAX };
    await database.transaction((tx) => jobs.ask(tx, job));
    return id;
  },
});
