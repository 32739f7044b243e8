/**
 * An import at the command line: the same job as `POST /v1/imports` asks for, beside a running server or without one. Whoever takes it
 * first does it; where that is a server, the command line waits for it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Acting } from "../../kernel/account/person.ts";
import type { ImportAsked } from "../../kernel/jobs/imports.ts";
import { isFinalJob, type JobOutcome, type JobView } from "../../kernel/jobs/job.ts";
import { importJob } from "../../store/dataset/import-job.ts";
import { createImports } from "../../store/dataset/imports.ts";
import { settingsImportJob } from "../../store/dataset/settings-import.ts";
import { type JobKind, JobStopped } from "../../store/jobs/job-kind.ts";
import { createJobs } from "../../store/jobs/jobs.ts";
import { takeJob } from "../../store/jobs/run-job.ts";
import { assured } from "../../term/narrow.ts";
import { verdictChange } from "./import-verdicts.ts";
import { knowledgeBeside, termsBeside } from "./knowledge-beside.ts";
import type { OperatorStore } from "./operator-store.ts";

/** Between two looks how far it is. */
const LOOK_MS = 200;
/** Of a part, as it is brought. */
const PART_OCTETS = 262_144;

type Wish = {
  readonly octets: Uint8Array;
  readonly asked: ImportAsked;
  readonly by: Acting;
  /** Rows that were refused, as many are told. */
  readonly refusedMax: number;
  readonly signal: AbortSignal;
  /** Told its id: whoever ends the program in between leaves the job behind. */
  readonly onAsked: (jobId: string) => void;
  readonly onProgress: (done: number, total: number | null) => void;
};
export type ImportedBeside = { readonly job: JobView; readonly refused: readonly JobOutcome[] };

/**
 * Answers the job when it has ended, or waits for a person.
 * @throws TurnupError what kept the file from being read: `dataset_malformed`, `input_too_long`
 */
export async function importBeside(opened: OperatorStore, wish: Wish): Promise<ImportedBeside> {
  const { store, operator, newId, clock } = opened;
  const deps = { database: store.database, sealer: store.sealer, newId, clock };
  const faults: unknown[] = [];
  const all = [kindOf(opened), settingsImportJob(deps)];
  const kinds = all.map((kind) => told(kind, (fault) => faults.push(fault)));
  const jobs = createJobs({ ...deps, kinds });
  const imports = createImports({ ...deps, jobs });
  const file = await imports.bring(operator.id, partsOf(wish.octets));
  const jobId = await imports.ask(operator.id, file, wish.asked, wish.by).catch(async (error: unknown) => {
    await imports.drop(operator.id, file.id);
    throw error;
  });
  wish.onAsked(jobId);
  const find = async (): Promise<JobView> =>
    assured(await jobs.find(operator.id, jobId), "a job that was asked for is there");
  const runner = { ...deps, kinds, nodeNumber: () => null, onFault: () => undefined };
  let running: Promise<unknown> | undefined;
  let job = await find();
  try {
    for (; !isSettled(job, clock()); job = await find()) {
      wish.signal.throwIfAborted();
      wish.onProgress(job.done, job.total);
      running ??= (await takeJob(runner, wish.signal, jobId))?.run().finally(() => {
        running = undefined; // or it was put back, and is taken again
      });
      await Promise.race(running ? [running, sleep(LOOK_MS)] : [sleep(LOOK_MS)]);
    }
  } finally {
    await running; // the database is closed behind it
  }
  if (job.state === "failed" && faults.length > 0) throw faults.at(-1); // with its code, which the job's words lack
  const limit = Math.max(1, wish.refusedMax);
  const refused = (await jobs.outcomes(operator.id, jobId, { limit, after: 0, code: "refused" })) ?? [];
  return { job, refused };
}

/** A job has a deadline: nobody waits beyond it. */
const isSettled = ({ state, deadlineAt }: JobView, now: Date): boolean =>
  isFinalJob(state) || state === "waiting_approval" || (deadlineAt !== null && new Date(deadlineAt) <= now);

/** Shipped data are read where verdicts are to be compared, and for no other import. */
const kindOf = (opened: OperatorStore): JobKind => {
  const { store, newId, clock } = opened;
  return importJob({
    ...{ database: store.database, newId, clock },
    verdicts: (operatorId, staged) => {
      const deps = { database: store.database, clock, termsOf: () => termsBeside(opened) };
      return verdictChange({ ...deps, knowledgeOf: () => knowledgeBeside(opened) }, operatorId, staged);
    },
  });
};

/** With what it throws told: the job's row keeps words alone, and no log of a server has the rest. */
const told = (kind: JobKind, onFault: (fault: unknown) => void): JobKind => ({
  ...kind,
  async run(work) {
    try {
      return await kind.run(work);
    } catch (error) {
      if (!(error instanceof JobStopped)) onFault(error);
      throw error;
    }
  },
});

async function* partsOf(octets: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += PART_OCTETS) yield octets.subarray(at, at + PART_OCTETS);
}
