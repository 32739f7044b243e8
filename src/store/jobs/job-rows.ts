/** Jobs as their rows stand in the database, and as they are told. */
import type { JobOutcome, JobState, JobView } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { bulkInsert, type Column } from "../database/bulk.ts";

export const JOB = `j.id, j.kind, j.state, j.input, j.done, j.total, j.summary, j.reason, j.next_action as "nextAction",
  j.asked_by as "askedBy", j.asked_by_person as "askedByPerson", j.asked_at as "askedAt", j.started_at as "startedAt",
  j.ended_at as "endedAt", j.updated_at as "updatedAt", j.deadline_at as "deadlineAt", j.approval_id as "approvalId"`;

type Moments = "askedAt" | "startedAt" | "endedAt" | "updatedAt" | "deadlineAt";
export type JobRow = Omit<JobView, Moments | "done" | "total"> & {
  readonly done: bigint;
  readonly total: bigint | null;
  readonly askedAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
  readonly deadlineAt: Date | null;
};

export const jobView = (row: JobRow): JobView => ({
  ...row,
  done: Number(row.done),
  total: row.total === null ? null : Number(row.total),
  askedAt: row.askedAt.toISOString(),
  startedAt: row.startedAt?.toISOString() ?? null,
  endedAt: row.endedAt?.toISOString() ?? null,
  updatedAt: row.updatedAt.toISOString(),
  deadlineAt: row.deadlineAt?.toISOString() ?? null,
});

/** How a job stands from now on. */
export type Standing = {
  readonly state: JobState;
  readonly reason: string;
  readonly nextAction: string;
  readonly summary?: unknown;
  /** Of one that waits for an approval: until when. */
  readonly deadlineAt?: Date;
  readonly approvalId?: string;
};

/** Final, or waiting for a person: no server has it any more. */
export const SETTLE = {
  name: "settle_job", // job_pkey
  text: `update job set state = $3, reason = $4, next_action = $5, summary = coalesce($6, summary), due_at = null, lease_until = null,
                deadline_at = $7, ended_at = case when $7::timestamptz is null then $8::timestamptz end,
                approval_id = coalesce($9, approval_id), updated_at = $8
          where operator_id = $1 and id = $2 and ended_at is null`,
};
export const settleValues = (
  operatorId: string,
  jobId: string,
  { state, reason, nextAction, summary, deadlineAt, approvalId }: Standing,
  now: Date,
): unknown[] => [
  operatorId,
  jobId,
  state,
  reason,
  nextAction,
  summary === undefined ? null : JSON.stringify(summary),
  deadlineAt ?? null,
  now,
  approvalId ?? null,
];

type StoredOutcome = JobOutcome & { readonly jobId: string };
const OUTCOME_COLUMNS: readonly Column<StoredOutcome>[] = [
  { name: "job_id", type: "uuid", value: ({ jobId }) => jobId },
  { name: "position", type: "int8", value: ({ position }) => position },
  { name: "subject", type: "text", value: ({ subject }) => subject },
  { name: "code", type: "text", value: ({ code }) => code },
  { name: "reason", type: "text", value: ({ reason }) => reason },
];
/** A row whose outcome is there keeps it: it was done once. */
export const insertOutcomes = bulkInsert(
  "job_outcome",
  OUTCOME_COLUMNS,
  "on conflict (job_id, position) do nothing",
);

export const jobNotFound = (): TurnupError =>
  new TurnupError("job_not_found", "There is no such job.", { nextStep: "GET /v1/jobs lists them." });
