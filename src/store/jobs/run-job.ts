/**
 * Runs jobs: a server takes one under a lease that it renews, its kind does it step by step, and each step is kept with its checkpoint
 * under the claim that it was taken by. Whoever takes it after a kill goes on from there; a server that was thought dead writes
 * nothing more.
 */
import type { Acting } from "../../kernel/account/person.ts";
import type { JobState } from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { isOneOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import type { Tx } from "../database/database.ts";
import { askApproval } from "./ask-approval.ts";
import { type JobEnd, type JobKind, JobStopped, type JobWork } from "./job-kind.ts";
import { insertOutcomes, SETTLE, settleValues } from "./job-rows.ts";
import { cancelledBy, type Ending, endJob, type JobDeps } from "./jobs.ts";

const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
/** A job that ended its server so often without coming further is not taken again. */
const ATTEMPTS_MAX = 5;
const PAUSE_MAX_SECONDS = 60;
/** What passes: the job waits a while and goes on from its checkpoint. */
const PASSING = ["database_unavailable", "database_timeout", "database_full"] as const;

export type RunnerDeps = JobDeps & {
  readonly kinds: readonly JobKind[];
  /** Of this server; null: a lease taken now lapses by its time. */
  readonly nodeNumber: () => number | null;
  readonly onFault: (name: string, error: unknown) => void;
};

/** The oldest that is due, of an operator of which none is under way: a long one of one operator keeps no other's waiting. */
const CLAIM = {
  name: "claim_job", // job_due
  text: `update job set state = 'running', reason = 'A server is at it.', next_action = 'It ends by itself.', claim = claim + 1,
                attempts = attempts + 1, lease_until = $2, due_at = $2, leased_by = $3, started_at = coalesce(started_at, $1), updated_at = $1
          where id = (select j.id from job j
                       where j.due_at <= $1 and j.kind = any($4::text[]) and ($5::uuid is null or j.id = $5)
                         and not exists (select from job r where r.operator_id = j.operator_id and r.state = 'running' and r.due_at > $1)
                       order by j.due_at, j.id limit 1 for update skip locked)
         returning id, operator_id as "operatorId", kind, input, file_id as "fileId", checkpoint, done::float8 as done, claim, attempts,
                   asked_by as label, asked_by_person as person, asked_by_vouched as "vouchedBy",
                   cancel_asked_by as "cancelBy", cancel_reason as "cancelReason"`,
};
/** What comes behind it is whether it is still this claim's, and wanted. */
const HELD = `returning cancel_asked_by as "cancelBy", cancel_reason as "cancelReason", deadline_at <= $3 as "isOverdue"`;
const RENEW = {
  name: "renew_job", // job_pkey
  text: `update job set lease_until = $4, due_at = $4 where id = $1 and claim = $2 and state = 'running' ${HELD}`,
};
const SAVE = {
  name: "save_job", // job_pkey
  text: `update job set lease_until = $4, due_at = $4, done = $5, total = coalesce($6, total), checkpoint = $7, attempts = 1, updated_at = $3
          where id = $1 and claim = $2 and state = 'running' ${HELD}`,
};
const IS_MINE = {
  name: "lock_claimed_job", // job_pkey
  text: `select cancel_asked_by as "cancelBy", cancel_reason as "cancelReason" from job
          where id = $1 and claim = $2 and state = 'running' for update`,
};
const PUT_BACK = {
  name: "put_back_job", // job_pkey
  text: `update job set state = 'queued', reason = $3, next_action = 'A server takes it.', due_at = $4, lease_until = null, leased_by = null,
                attempts = greatest(attempts - $5, 0), updated_at = $6
          where id = $1 and claim = $2 and state = 'running'`,
};
const OVERDUE = {
  name: "overdue_jobs", // job_deadline
  text: `select id, operator_id as "operatorId" from job
          where deadline_at <= $1 and state in ('queued', 'running') and kind = any($2::text[]) order by deadline_at limit $3`,
};
const STILL_OVERDUE = {
  name: "lock_overdue_job", // job_pkey
  text: "select id from job where id = $1 and deadline_at <= $2 and state in ('queued', 'running') for update",
};

type Claimed = {
  readonly id: string;
  readonly operatorId: string;
  readonly kind: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly fileId: string | null;
  readonly checkpoint: unknown;
  readonly done: number;
  readonly claim: number;
  readonly attempts: number;
  readonly cancelBy: string | null;
  readonly cancelReason: string | null;
} & Acting;
type Held = {
  readonly cancelBy: string | null;
  readonly cancelReason: string | null;
  readonly isOverdue: boolean;
};

export type TakenJob = {
  readonly id: string;
  readonly kind: string;
  /** Looks at once whether it is still wanted: somebody cancelled it, perhaps. */
  look(): void;
  /** Does it, or as much as can be done; how it stands then. */
  run(): Promise<JobState>;
};

/**
 * Takes the next one that is due; undefined where none is. `stop` ends it at its next checkpoint, and it is queued again.
 * @param only of whoever waits for one job, its id
 */
export async function takeJob(
  deps: RunnerDeps,
  stop: AbortSignal,
  only: string | null = null,
): Promise<TakenJob | undefined> {
  const now = deps.clock();
  const names = deps.kinds.map(({ kind }) => kind);
  const lease = new Date(now.getTime() + LEASE_MS);
  const claimed = await deps.database.one<Claimed>(CLAIM, [now, lease, deps.nodeNumber(), names, only]);
  if (!claimed) return undefined;
  const hold = new Hold(deps, claimed, stop);
  return {
    id: claimed.id,
    kind: claimed.kind,
    look: () => void hold.renew().catch(() => undefined), // the next one tells
    run: () => runClaimed(deps, claimed, hold),
  };
}

/** Fails jobs that nobody brought to an end in time; answers how many. */
export async function failOverdue(deps: RunnerDeps, limit: number): Promise<number> {
  const names = deps.kinds.map(({ kind }) => kind);
  const now = deps.clock();
  const overdue = await deps.database.rows<{ id: string; operatorId: string }>(OVERDUE, [now, names, limit]);
  for (const job of overdue) {
    const ending = deps.database.transaction(async (tx) => {
      if (await tx.one(STILL_OVERDUE, [job.id, now])) await endJob(tx, deps, job, OVERDUE_END); // or it waits for a person by now
    });
    await ending.catch((error: unknown) => deps.onFault("job", error)); // one that cannot be ended keeps no other's waiting
  }
  return overdue.length;
}

const OVERDUE_END: Ending = {
  state: "failed",
  reason: "It did not come to its end in time.",
  nextAction: "Look at how far it came, and ask again.",
};

/** A claim, as long as it holds. */
class Hold {
  readonly #deps: RunnerDeps;
  readonly #job: Claimed;
  readonly #aborted = new AbortController();
  /** Why it may not go on. */
  cause: "stopping" | "taken" | "overdue" | { readonly by: string; readonly reason: string } | undefined;

  constructor(deps: RunnerDeps, job: Claimed, stop: AbortSignal) {
    this.#deps = deps;
    this.#job = job;
    if (stop.aborted) this.lose("stopping");
    else stop.addEventListener("abort", () => this.lose("stopping"), { signal: this.#aborted.signal });
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  lose(cause: NonNullable<Hold["cause"]>): void {
    this.cause ??= cause;
    this.#aborted.abort(new JobStopped("the job is no longer this server's"));
  }

  /** No row: another server has it, or it ended. */
  judge(held: Held | undefined): void {
    if (!held) this.lose("taken");
    else if (held.cancelBy !== null) this.lose({ by: held.cancelBy, reason: held.cancelReason ?? "" });
    else if (held.isOverdue) this.lose("overdue");
  }

  async renew(): Promise<void> {
    const now = this.#deps.clock();
    const { id, claim } = this.#job;
    this.judge(
      await this.#deps.database.one<Held>(RENEW, [id, claim, now, new Date(now.getTime() + LEASE_MS)]),
    );
  }

  check(): void {
    if (this.cause !== undefined) throw new JobStopped("the job is no longer this server's");
  }
}

async function runClaimed(deps: RunnerDeps, job: Claimed, hold: Hold): Promise<JobState> {
  const kind = deps.kinds.find((one) => one.kind === job.kind);
  if (!kind) throw new Error("a job of a kind was taken that is not known");
  if (job.cancelBy !== null) return end(deps, job, cancelledBy(job.cancelBy, job.cancelReason ?? ""));
  if (job.attempts > ATTEMPTS_MAX) return end(deps, job, worn(job.attempts - 1));
  const timer = setInterval(() => void hold.renew().catch(() => undefined), RENEW_MS); // a lease that is not renewed lapses
  try {
    const ended = await kind.run(workOf(deps, job, hold));
    hold.check();
    return await settle(deps, job, ended);
  } catch (error) {
    return await stopped(deps, job, hold, error);
  } finally {
    clearInterval(timer);
    hold.lose("taken"); // what still runs of it writes nothing more
  }
}

const worn = (times: number): Ending => ({
  state: "failed",
  reason: `Its server ended ${times} times while it was at the same place.`,
  nextAction: "Look into the log of the servers before it is asked for again.",
});

const workOf = ({ database, clock }: RunnerDeps, job: Claimed, hold: Hold): JobWork => ({
  id: job.id,
  operatorId: job.operatorId,
  input: job.input,
  fileId: job.fileId,
  checkpoint: job.checkpoint,
  done: job.done,
  askedBy: { label: job.label, person: job.person, vouchedBy: job.vouchedBy },
  signal: hold.signal,
  async save({ done, total = null, checkpoint, outcomes = [] }, also) {
    hold.check();
    const held = await database.transaction(async (tx) => {
      const now = clock();
      const values = [
        now,
        new Date(now.getTime() + LEASE_MS),
        done,
        total,
        JSON.stringify(checkpoint ?? null),
      ];
      const mine = await tx.one<Held>(SAVE, [job.id, job.claim, ...values]);
      if (!mine) return undefined;
      await insertOutcomes(
        tx,
        outcomes.map((one) => ({ ...one, jobId: job.id })),
      );
      await also?.(tx);
      return mine;
    });
    hold.judge(held);
    hold.check();
  },
});

/** What its kind says of its end, where it is still this claim's. */
async function settle(deps: RunnerDeps, job: Claimed, ended: JobEnd): Promise<JobState> {
  const of = { operatorId: job.operatorId, id: job.id };
  return deps.database.transaction(async (tx) => {
    const mine = await tx.one<Pick<Held, "cancelBy" | "cancelReason">>(IS_MINE, [job.id, job.claim]);
    if (!mine) return "queued" as const; // another server has it by now
    if (mine.cancelBy !== null) {
      await endJob(tx, deps, of, cancelledBy(mine.cancelBy, mine.cancelReason ?? "")); // word of it did not reach us
      return "cancelled" as const;
    }
    await ended.also?.(tx);
    if (ended.state === "waiting_approval") await waitFor(tx, deps, job, ended);
    else if (ended.state === "failed") await endJob(tx, deps, of, ended);
    else await endJob(tx, deps, of, { ...ended, nextAction: "Nothing." });
    return ended.state;
  });
}

async function waitFor(
  tx: Tx,
  deps: RunnerDeps,
  job: Claimed,
  { reason, summary, approval }: JobEnd & { readonly state: "waiting_approval" },
): Promise<void> {
  const { operatorId, id, label, person, vouchedBy } = job;
  const askedBy = { label, person, vouchedBy };
  const approvalId = await askApproval(tx, deps, { ...approval, operatorId, subject: id, askedBy });
  const who = approval.secondPerson ? "Another person than who asked" : "A person";
  const nextAction = `${who} approves or refuses it: POST /v1/approvals/${approvalId}.`;
  const standing = { state: "waiting_approval", reason, nextAction, summary, approvalId } as const;
  await tx.run(
    SETTLE,
    settleValues(operatorId, id, { ...standing, deadlineAt: approval.expiresAt }, deps.clock()),
  );
}

/** It did not come to its end: why says what becomes of it. */
async function stopped(deps: RunnerDeps, job: Claimed, hold: Hold, error: unknown): Promise<JobState> {
  const { cause } = hold;
  if (cause === "taken") return "queued";
  if (cause === "stopping")
    return putBack(deps, job, { reason: "Its server stopped; it goes on from its checkpoint.", seconds: 0 });
  if (cause === "overdue") return end(deps, job, OVERDUE_END);
  if (cause !== undefined) return end(deps, job, cancelledBy(cause.by, cause.reason));
  if (error instanceof TurnupError && isOneOf(PASSING, error.code)) {
    const seconds = Math.min(2 ** job.attempts, PAUSE_MAX_SECONDS);
    return putBack(deps, job, {
      reason: `It waits, and goes on from its checkpoint: ${error.message}`,
      seconds,
    });
  }
  return end(deps, job, failureOf(deps, error));
}

function failureOf({ onFault }: RunnerDeps, error: unknown): Ending {
  if (error instanceof TurnupError) {
    const nextAction = error.nextStep ?? "Ask again once this is mended.";
    return { state: "failed", reason: sentenceOf(maskText(error.message)), nextAction };
  }
  onFault("job", error);
  return {
    state: "failed",
    reason: "The server failed at it; the fault is logged.",
    nextAction: "Ask again; if it stays, report the id of the job.",
  };
}

async function end(deps: RunnerDeps, job: Claimed, ending: Ending): Promise<JobState> {
  return deps.database.transaction(async (tx) => {
    if (!(await tx.one(IS_MINE, [job.id, job.claim]))) return "queued" as const;
    await endJob(tx, deps, job, ending);
    return ending.state;
  });
}

/** A server that stops costs no attempt. */
async function putBack(
  { database, clock }: RunnerDeps,
  { id, claim }: Claimed,
  { reason, seconds }: { readonly reason: string; readonly seconds: number },
): Promise<JobState> {
  const now = clock();
  const due = new Date(now.getTime() + seconds * 1_000);
  await database.run(PUT_BACK, [id, claim, reason, due, seconds === 0 ? 1 : 0, now]);
  return "queued";
}
