/**
 * The one loop that runs jobs in a server: it takes what is due, some at a time, gives up approvals and jobs whose time is over,
 * and forgets what ended long ago. Word of a job or a decision wakes it; without it it looks every few seconds.
 */
import { Counter, Gauge, type Registry } from "prom-client";
import { OPEN_JOB_STATES } from "../../kernel/jobs/job.ts";
import type { ApprovalDesk } from "../../store/jobs/approvals.ts";
import { APPROVAL_NEWS } from "../../store/jobs/ask-approval.ts";
import { forgetJobs } from "../../store/jobs/forget-jobs.ts";
import { type JobPiles, readJobPiles } from "../../store/jobs/job-piles.ts";
import { JOB_NEWS } from "../../store/jobs/jobs.ts";
import { failOverdue, type RunnerDeps, type TakenJob, takeJob } from "../../store/jobs/run-job.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";
import type { Stores } from "./open-stores.ts";

/** At once in one server: they share its processor with phones that wait. */
const JOBS_AT_ONCE = 2;
/** Whoever missed a word finds the job by then. */
const LOOK_MS = 2_000;
const OVERDUE_AT_ONCE = 100;

type Running = RunnerDeps & {
  readonly changes: Stores["changes"];
  readonly approvals: Pick<ApprovalDesk, "expire">;
  readonly measures: Registry;
  /** Days that a job stands behind its end. */
  readonly keptDays: number;
};

export function runJobs(closing: ClosingStack, deps: Running): void {
  const stop = new AbortController();
  const running = new Map<TakenJob, Promise<void>>();
  const ended = measureJobs(deps.measures, () => readJobPiles(deps.database, deps.clock()));
  const loop = startLoop({
    name: "jobs",
    pauseMs: LOOK_MS,
    pass: async () => {
      await deps.approvals.expire(OVERDUE_AT_ONCE);
      await failOverdue(deps, OVERDUE_AT_ONCE);
      while (running.size < JOBS_AT_ONCE && !stop.signal.aborted) {
        const job = await takeJob(deps, stop.signal);
        if (!job) return await forgetJobs(deps.database, deps.clock(), deps.keptDays);
        running.set(job, done(job));
      }
      return false;
    },
    onFailure: deps.onFault,
  });
  const done = async (job: TakenJob): Promise<void> => {
    try {
      ended(job.kind, await job.run());
    } catch (error) {
      deps.onFault("job", error); // its lease lapses, and it is taken again
    } finally {
      running.delete(job);
      loop.wake();
    }
  };
  deps.changes.onChange((news) => {
    if (news !== "everything" && news.kind !== JOB_NEWS && news.kind !== APPROVAL_NEWS) return;
    for (const job of running.keys()) if (news === "everything" || news.detail === job.id) job.look();
    loop.wake();
  });
  closing.defer(async () => {
    stop.abort();
    await loop.stop();
    await Promise.all(running.values());
  });
}

/** Answers what counts an end. Without the database nothing is told of what waits. */
export function measureJobs(
  registry: Registry,
  piles: () => Promise<JobPiles>,
): (kind: string, state: string) => void {
  const open = new Gauge({
    name: "turnup_jobs",
    help: "Jobs that have not ended, by state.",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      const found = await piles().catch(() => undefined);
      this.reset();
      for (const state of OPEN_JOB_STATES) if (found) this.set({ state }, found.jobs[state] ?? 0);
      if (found) waiting.set(found.approvals);
      if (found) oldest.set(found.oldestDueSeconds);
    },
  });
  const waiting = new Gauge({
    name: "turnup_approvals_waiting",
    help: "What waits for a person to approve or refuse it.",
    registers: [registry],
  });
  const oldest = new Gauge({
    name: "turnup_jobs_oldest_due_seconds",
    help: "How long the first job that no server has taken has been due.",
    registers: [registry],
  });
  open.set({ state: "queued" }, 0);
  const ends = new Counter({
    name: "turnup_job_runs_total",
    help: "Runs of jobs in this process, by kind and how the job stood behind them.",
    labelNames: ["kind", "state"],
    registers: [registry],
  });
  return (kind, state) => ends.inc({ kind, state });
}
