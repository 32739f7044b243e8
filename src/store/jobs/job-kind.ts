/** What a kind of job is: how it does its work, step by step, each step with its checkpoint in one transaction. */
import type { Acting } from "../../kernel/account/person.ts";
import type { JobOutcome } from "../../kernel/jobs/job.ts";
import type { Tx } from "../database/database.ts";
import type { ApprovalAsked } from "./ask-approval.ts";

export type JobKind = {
  /** In the row; never renamed. */
  readonly kind: string;
  /** Does the work from `work.checkpoint` on. What it throws fails the job, save what a database that is away throws. */
  run(work: JobWork): Promise<JobEnd>;
  /** Takes away what a job that fails or is cancelled left behind, in the transaction that ends it. */
  abandon?(
    tx: Tx,
    job: { readonly id: string; readonly operatorId: string; readonly checkpoint: unknown },
  ): Promise<void>;
};

/** One job while a server has it. */
export type JobWork = {
  readonly id: string;
  readonly operatorId: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What it reads, where something was brought: `job-files.ts`. */
  readonly fileId: string | null;
  /** As the last step left it; null: from its beginning. */
  readonly checkpoint: unknown;
  readonly done: number;
  readonly askedBy: Acting;
  /** Aborted when the server stops, or the job is taken from it: the next `save` throws. */
  readonly signal: AbortSignal;
  /**
   * Keeps what a step did: progress, checkpoint and outcomes, with what `also` writes, all or nothing.
   * @throws JobStopped cancelled, overdue, taken by another server, or this one stops: let it through
   */
  save(step: JobStep, also?: (tx: Tx) => Promise<void>): Promise<void>;
};

type JobStep = {
  readonly done: number;
  readonly total?: number | null;
  readonly checkpoint: unknown;
  readonly outcomes?: readonly JobOutcome[];
};

/** `also` is written in the transaction that ends it. */
export type JobEnd = { readonly also?: (tx: Tx) => Promise<void> } & (
  | { readonly state: "done"; readonly reason: string; readonly summary: unknown }
  | {
      readonly state: "failed";
      readonly reason: string;
      readonly nextAction: string;
      readonly summary?: unknown;
    }
  | {
      readonly state: "waiting_approval";
      readonly reason: string;
      readonly summary: unknown;
      /** What is asked for; its kind carries it out, and says how the job goes on (`jobs.ts`). */
      readonly approval: Omit<ApprovalAsked, "operatorId" | "subject" | "askedBy">;
    }
);

/** Thrown by `save` where the job is no longer this server's to do. */
export class JobStopped extends Error {
  override readonly name = "JobStopped";
}
