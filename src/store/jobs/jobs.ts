/** Jobs on PostgreSQL: asked for, listed, cancelled, decided about, forgotten. How one runs stands in `run-job.ts`. */
import type { Acting } from "../../kernel/account/person.ts";
import {
  isFinalJob,
  type JobOutcome,
  type JobState,
  type Jobs,
  type JobView,
} from "../../kernel/jobs/job.ts";
import { TurnupError } from "../../term/error.ts";
import { Conditions } from "../database/conditions.ts";
import type { Database, Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { tellAll } from "../node/change-channel.ts";
import { noteIn } from "../operator/audited.ts";
import { withdrawApproval } from "./approvals.ts";
import type { JobKind } from "./job-kind.ts";
import { JOB, type JobRow, jobNotFound, jobView, SETTLE, type Standing, settleValues } from "./job-rows.ts";

/** As word of it goes to all servers. */
export const JOB_NEWS = "job";

export type JobDeps = {
  readonly database: Database;
  readonly newId: () => string;
  readonly clock: () => Date;
};

type JobAsked = {
  /** The same id again asks for nothing. */
  readonly id: string;
  readonly operatorId: string;
  readonly kind: string;
  /** What its kind reads; no identifier of a person, no secret. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly fileId?: string;
  readonly askedBy: Acting;
  /** For how long it may go on, from now; then it fails. */
  readonly hours: number;
};

const INSERT_JOB = {
  name: "insert_job", // job_pkey
  text: `insert into job (id, operator_id, kind, state, input, file_id, reason, next_action, asked_by, asked_by_person, asked_by_vouched,
                          asked_at, updated_at, deadline_at, due_at)
         values ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $11)
             on conflict (id) do nothing`,
};
const FIND = `select ${JOB} from job j where j.operator_id = $1 and j.id = $2`; // job_pkey
const LOCK = `select j.kind, j.state, j.file_id as "fileId", j.checkpoint, j.asked_by as "askedBy"
                from job j where j.operator_id = $1 and j.id = $2 for update`; // job_pkey
const OUTCOMES = {
  name: "job_outcomes", // job_outcome_pkey
  text: `select position::float8 as position, subject, code, reason from job_outcome
          where job_id = $1 and position > $2 and ($3::text is null or code = $3) order by position limit $4`,
};
const ASK_CANCEL = {
  name: "ask_cancel_job", // job_pkey
  text: `update job set cancel_asked_by = $3, cancel_reason = $4, next_action = 'It ends at its next checkpoint.', updated_at = $5
          where operator_id = $1 and id = $2 and state = 'running'`,
};
const GO_ON = {
  name: "go_on_job", // job_pkey
  text: `update job set state = 'queued', reason = $3, next_action = 'A server takes it.', due_at = $4, deadline_at = $5,
                checkpoint = coalesce($6, checkpoint), updated_at = $4
          where operator_id = $1 and id = $2 and state = 'waiting_approval'`,
};
const LOCK_APPROVAL = {
  name: "lock_approval_of_job", // job_pkey, approval_pkey
  text: `select a.id from job j join approval a on a.id = j.approval_id
          where j.operator_id = $1 and j.id = $2 and a.state = 'waiting' for update of a`,
};
const DROP_FILE = { name: "drop_job_file", text: "delete from job_file where id = $1" }; // job_file_pkey

/** Puts it into the queue, with its audit row; a server takes it once `tx` is committed. */
async function askJob(tx: Tx, deps: Omit<JobDeps, "database">, asked: JobAsked): Promise<void> {
  const { id, operatorId, kind, input, fileId, askedBy } = asked;
  const now = deps.clock();
  const deadline = new Date(now.getTime() + asked.hours * 3_600_000);
  const added = await tx.run(INSERT_JOB, [
    ...[
      id,
      operatorId,
      kind,
      JSON.stringify(input),
      fileId ?? null,
      "It was asked for.",
      "A server takes it.",
    ],
    ...[askedBy.label, askedBy.person, askedBy.vouchedBy, now, deadline],
  ]);
  if (added === 0) return;
  await noteIn(deps)(tx, operatorId, {
    actor: askedBy.label,
    action: "job.ask",
    subject: id,
    detail: { kind, ...(askedBy.person !== null && { person: askedBy.person }) },
  });
  tellAll(tx, { kind: JOB_NEWS, operatorId, version: 0, detail: id });
}

/** What is asked for within a transaction of somebody else's, beside what the doors ask. */
export type JobDesk = Jobs & {
  /** Puts it into the queue; a server takes it once `tx` is committed. */
  ask(tx: Tx, asked: JobAsked): Promise<void>;
  /** Has a job that waited for an approval go on, in the transaction of the decision, from the checkpoint that is given. */
  goOn(tx: Tx, job: JobName, how: GoOn): Promise<void>;
  /** Ends one that waits, in the transaction of what ends it. */
  end(tx: Tx, job: JobName, ending: Ending): Promise<void>;
};
type JobName = { readonly operatorId: string; readonly id: string };
type GoOn = { readonly reason: string; readonly hours: number; readonly checkpoint?: unknown };

export function createJobs(deps: JobDeps & { readonly kinds: readonly JobKind[] }): JobDesk {
  const { database } = deps;
  const find = async (operatorId: string, id: string): Promise<JobView | undefined> => {
    const row = await database.one<JobRow>(FIND, [operatorId, id]);
    return row && jobView(row);
  };
  return {
    async list(operatorId, { kind, state }, page) {
      const { text, values } = new Conditions()
        .add("j.operator_id = ?", operatorId)
        .maybe("j.kind = ?", kind)
        .maybe("j.state = ?", state)
        .page(`select ${JOB} from job j`, "j", { cursor: undefined, ...page }); // job_by_id
      return cutPage((await database.rows<JobRow>(text, values)).map(jobView), page.limit);
    },
    find,
    ask: (tx, asked) => askJob(tx, deps, asked),
    goOn: (tx, job, how) => goOn(tx, deps, job, how),
    end: (tx, job, ending) => endJob(tx, deps, job, ending),
    async outcomes(operatorId, jobId, { limit, after, code }) {
      if (!(await database.one(FIND, [operatorId, jobId]))) return undefined;
      return await database.rows<JobOutcome>(OUTCOMES, [jobId, after, code ?? null, limit]);
    },
    async cancel(operatorId, jobId, said) {
      await database.transaction((tx) => cancelIn(tx, deps, { operatorId, jobId, ...said }));
      const job = await find(operatorId, jobId);
      if (!job) throw jobNotFound();
      return job;
    },
  };
}

type Cancelled = {
  readonly operatorId: string;
  readonly jobId: string;
  readonly actor: string;
  readonly reason: string;
};
type Locked = {
  readonly kind: string;
  readonly state: JobState;
  readonly fileId: string | null;
  readonly checkpoint: unknown;
  readonly askedBy: string;
};

async function cancelIn(
  tx: Tx,
  deps: Omit<JobDeps, "database"> & { readonly kinds: readonly JobKind[] },
  { operatorId, jobId, actor, reason }: Cancelled,
): Promise<void> {
  await tx.rows(LOCK_APPROVAL, [operatorId, jobId]); // before the job, as whoever decides about it
  const job = await tx.one<Locked>(LOCK, [operatorId, jobId]);
  if (!job) throw jobNotFound();
  if (isFinalJob(job.state))
    throw new TurnupError("job_ended", `This job has ended: it is ${job.state}.`, {
      nextStep: "GET /v1/jobs/ID tells what it came to.",
    });
  await noteIn(deps)(tx, operatorId, {
    actor,
    action: "job.cancel",
    subject: jobId,
    detail: { kind: job.kind, reason },
  });
  if (job.state === "running") {
    await tx.run(ASK_CANCEL, [operatorId, jobId, actor, reason, deps.clock()]);
    tellAll(tx, { kind: JOB_NEWS, operatorId, version: 0, detail: jobId });
    return;
  }
  if (job.state === "waiting_approval") {
    const of = { operatorId, kind: job.kind, subject: jobId };
    await withdrawApproval(tx, deps, of, { actor, reason: `The job was cancelled: ${reason}` });
  }
  await endJob(tx, deps, { operatorId, id: jobId }, cancelledBy(actor, reason));
}

export const cancelledBy = (actor: string, reason: string): Ending => ({
  state: "cancelled",
  reason: `Cancelled by ${actor}: ${reason}`,
  nextAction: "Ask again where it is still wanted.",
});

export type Ending = Omit<Standing, "state" | "deadlineAt" | "approvalId"> & {
  readonly state: "done" | "failed" | "cancelled";
};

/**
 * Ends a job, in the transaction of what ends it: what its kind left behind is taken away where it came to no good, and its file goes.
 * Nothing where it has ended already.
 */
export async function endJob(
  tx: Tx,
  deps: Omit<JobDeps, "database"> & { readonly kinds: readonly JobKind[] },
  { operatorId, id }: { readonly operatorId: string; readonly id: string },
  ending: Ending,
): Promise<void> {
  const job = await tx.one<Locked>(LOCK, [operatorId, id]);
  if (!job || isFinalJob(job.state)) return;
  const kind = deps.kinds.find((one) => one.kind === job.kind);
  if (ending.state !== "done") await kind?.abandon?.(tx, { id, operatorId, checkpoint: job.checkpoint });
  await tx.run(SETTLE, settleValues(operatorId, id, ending, deps.clock()));
  if (job.fileId !== null) await tx.run(DROP_FILE, [job.fileId]);
  await noteIn(deps)(tx, operatorId, {
    actor: job.askedBy,
    action: `job.${ending.state}`,
    subject: id,
    detail: { kind: job.kind, reason: ending.reason },
  });
  tellAll(tx, { kind: JOB_NEWS, operatorId, version: 0, detail: id });
}

/** Has a job that waited for an approval go on, in the transaction of the decision: its kind reads the checkpoint that is given. */
async function goOn(
  tx: Tx,
  { clock }: Pick<JobDeps, "clock">,
  { operatorId, id }: { readonly operatorId: string; readonly id: string },
  {
    reason,
    hours,
    checkpoint,
  }: { readonly reason: string; readonly hours: number; readonly checkpoint?: unknown },
): Promise<void> {
  const now = clock();
  const deadline = new Date(now.getTime() + hours * 3_600_000);
  const kept = checkpoint === undefined ? null : JSON.stringify(checkpoint);
  await tx.run(GO_ON, [operatorId, id, reason, now, deadline, kept]);
  tellAll(tx, { kind: JOB_NEWS, operatorId, version: 0, detail: id });
}
