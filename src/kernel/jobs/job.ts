/**
 * A job: work that takes longer than a request. It is a row from the moment in which somebody asks for it, goes on from its last
 * checkpoint whatever becomes of the server, and leaves an outcome for each of its rows.
 *
 *   queued ── a server takes it ── running ── done | failed
 *     ^                              │  └──── waiting_approval ── approved ── done, or queued for the rest
 *     └── the server is gone, ───────┘              └── refused, or not in time ── failed
 *         or what it needs is away                 cancelled: from each that is not final
 */
import type { RegistryPage, RegistryRows } from "../account/registry.ts";

export const JOB_STATES = ["queued", "running", "waiting_approval", "done", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];
export const OPEN_JOB_STATES = ["queued", "running", "waiting_approval"] as const;

export const isFinalJob = (state: JobState): boolean =>
  state === "done" || state === "failed" || state === "cancelled";

export type JobView = {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  /** What was asked for, by its kind. */
  readonly input: unknown;
  /** Rows that are done, and how many there are; null: not known yet. */
  readonly done: number;
  readonly total: number | null;
  /** What it came to, by its kind; null before. */
  readonly summary: unknown;
  readonly reason: string;
  readonly nextAction: string;
  readonly askedBy: string;
  readonly askedByPerson: string | null;
  readonly askedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly updatedAt: string;
  /** When it fails for want of an end; null where it has one. */
  readonly deadlineAt: string | null;
  /** The approval that it waits for, or that was decided about it. */
  readonly approvalId: string | null;
};

/** What became of one row. */
export type JobOutcome = {
  /** From 1, in the job's own order. */
  readonly position: number;
  /** A line, an id, a TAC; never a person's number. */
  readonly subject: string;
  readonly code: string;
  readonly reason: string;
};

type JobFilter = { readonly kind?: string | undefined; readonly state?: JobState | undefined };
type OutcomePage = {
  readonly limit: number;
  /** The position behind which it begins; 0: at the first. */
  readonly after: number;
  /** Only outcomes of this code. */
  readonly code?: string | undefined;
};

export interface Jobs {
  list(operatorId: string, filter: JobFilter, page: RegistryPage): Promise<RegistryRows<JobView>>;
  find(operatorId: string, jobId: string): Promise<JobView | undefined>;
  /** Undefined where there is no such job; fewer rows than `limit` are the last. */
  outcomes(operatorId: string, jobId: string, page: OutcomePage): Promise<readonly JobOutcome[] | undefined>;
  /**
   * A running one ends at its next checkpoint; what it had done stands.
   * @throws TurnupError `job_not_found`, `job_ended`
   */
  cancel(
    operatorId: string,
    jobId: string,
    said: { readonly actor: string; readonly reason: string },
  ): Promise<JobView>;
}
