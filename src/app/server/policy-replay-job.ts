/** The replay of a policy as a job: asked for by the API, done by whichever server takes it, its rows the outcomes. */

import type { HttpDeps } from "../../http/ports.ts";
import { Policy } from "../../http/v1/policy/policy-schema.ts";
import { bodyOf } from "../../http/validation.ts";
import { DEFAULT_POLICY, type OrderPolicy } from "../../kernel/operator/policy.ts";
import { wordsOf } from "../../kernel/operator/replay.ts";
import type { Database } from "../../store/database/database.ts";
import type { JobKind } from "../../store/jobs/job-kind.ts";
import type { createJobs } from "../../store/jobs/jobs.ts";
import { isObject } from "../../term/narrow.ts";
import type { Stores } from "./open-stores.ts";
import { replayPolicy } from "./policy-replay.ts";

const KIND = "policy_replay";
/** A million verdicts take less than a minute. */
const HOURS_MAX = 6;
/** Rows with the most verdicts, whole, beside the sums; all of them are outcomes. */
const ROWS_IN_SUMMARY = 100;

/** It only reads: whoever takes it after a kill begins anew. */
export const policyReplayKind = ({
  database,
  knowledge,
  termsOf,
}: Pick<Stores, "database" | "knowledge" | "termsOf">): JobKind => ({
  kind: KIND,
  async run(work) {
    const terms = await termsOf(work.operatorId);
    const { policy, since } = inputOf(work.input);
    const { rows, summary } = await replayPolicy(
      { database, knowledge, terms },
      { policy, since, onProgress: (done, total) => work.save({ done, total, checkpoint: null }) },
    );
    const outcomes = rows.map((row, at) => ({
      position: at + 1,
      subject: row.tac,
      code: row.code,
      reason: `${wordsOf(row)}.`,
    }));
    await work.save({ done: summary.verdicts, checkpoint: null, outcomes });
    const changed = summary.byCode.verdict_changes;
    return {
      state: "done",
      reason: `${changed} of ${summary.verdicts} verdicts would be others under this policy.`,
      summary: { ...summary, rows: rows.slice(0, ROWS_IN_SUMMARY) },
    };
  },
});

function inputOf({ policy, since }: Readonly<Record<string, unknown>>): {
  readonly policy: OrderPolicy;
  readonly since: Date;
} {
  if (!isObject(policy) || typeof since !== "string")
    throw new Error("a replay without its policy and its day");
  return { policy: bodyOf(Policy, policy), since: new Date(since) };
}

/** Its tests stay behind: they may name a handset, and a replay asks none of them. */
export const policyReplays = (
  database: Database,
  jobs: Pick<ReturnType<typeof createJobs>, "ask">,
): HttpDeps["policyReplays"] => ({
  async ask(operatorId, { id, since, policy, fromVersion, askedBy }) {
    const input = {
      since: since.toISOString(),
      fromVersion,
      policy: { ...policy, tests: DEFAULT_POLICY.tests },
    };
    await database.transaction((tx) =>
      jobs.ask(tx, { id, operatorId, kind: KIND, input, askedBy, hours: HOURS_MAX }),
    );
    return id;
  },
});
