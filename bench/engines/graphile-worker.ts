/**
 * graphile-worker: a task a step, taken into its local queue by batches and completed by batches. It completes a job by itself behind
 * its task, so a task that was done before a crash comes again: the effect and the next job are one transaction, and a repeat finds
 * the effect there.
 */
import { randomUUID } from "node:crypto";
import { Logger, makeWorkerUtils, type Runner, run, type Task, type WorkerUtils } from "graphile-worker";
import pg from "pg";
import { checkEffects, inTransaction, makeEffects, takeEffect } from "./effects.ts";
import { BATCH, countdown, type Engine, STEPS } from "./engine.ts";

const CONCURRENT = 24;
const taskOf = (step: number): string => `step_${step}`;
const LOGGER = new Logger(() => () => undefined);

export async function openGraphileWorker(url: string): Promise<Engine> {
  const pool = new pg.Pool({ connectionString: url, max: CONCURRENT + 4 });
  pool.on("error", () => undefined); // a query that failed is told by that query
  await makeEffects(pool);
  pool.on("connect", (client) => client.on("error", () => undefined)); // it asks for this handler
  const utils: WorkerUtils = await makeWorkerUtils({ pgPool: pool, logger: LOGGER });
  await utils.migrate();
  let flows: string[] = [];
  return {
    async prepare(count) {
      flows = Array.from({ length: count }, () => randomUUID());
      await utils.addJobs(flows.map((flow) => ({ identifier: taskOf(1), payload: { flow } })));
    },
    async work() {
      const counting = countdown(flows.length * STEPS.length);
      const runner = await start(pool, counting.told);
      try {
        await Promise.race([counting.done, runner.promise]);
      } finally {
        await runner.stop();
      }
      await checkEffects(pool, flows);
    },
    async close() {
      await utils.release();
      await pool.end();
    },
  };
}

function start(pool: pg.Pool, told: (effects: number) => void): Promise<Runner> {
  const tasks = STEPS.map((step): [string, Task] => [taskOf(step), taskFor(pool, step, told)]);
  return run({
    pgPool: pool,
    logger: LOGGER,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList: Object.fromEntries(tasks),
    preset: {
      worker: {
        concurrentJobs: CONCURRENT,
        pollInterval: 500,
        localQueue: { size: BATCH, refetchDelay: { durationMs: 5 } },
        completeJobBatchDelay: 5,
      },
    },
  });
}

const taskFor =
  (pool: pg.Pool, step: number, told: (effects: number) => void): Task =>
  async (payload) => {
    const { flow } = payload as { readonly flow: string }; // as `prepare` and this function write it
    const effects = await inTransaction(pool, async (client) => {
      const created = await takeEffect(client, [flow], step);
      if (created.length > 0 && step < STEPS.length)
        await client.query("select graphile_worker.add_job($1, $2::json)", [taskOf(step + 1), { flow }]);
      return created.length;
    });
    told(effects);
  };
