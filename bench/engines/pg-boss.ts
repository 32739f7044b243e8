/**
 * pg-boss: a queue a step. Jobs are fetched in batches; their effects, the next jobs and their completion are one transaction, which
 * its `db` option allows. Its own `work` loop would wait half a second at least between two batches.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import PgBoss from "pg-boss";
import { checkEffects, inTransaction, makeEffects, takeEffect } from "./effects.ts";
import { BATCH, countdown, type Engine, STEPS } from "./engine.ts";

type Flow = { readonly flow: string };
const IDLE_MS = 2;
const queueOf = (step: number): string => `step-${step}`;

export async function openPgBoss(url: string): Promise<Engine> {
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  pool.on("error", () => undefined); // a query that failed is told by that query
  await makeEffects(pool);
  const boss = new PgBoss({ connectionString: url, max: 8, schedule: false, supervise: false });
  boss.on("error", () => undefined); // a call that failed is told by that call
  await boss.start();
  for (const step of STEPS) await boss.createQueue(queueOf(step));
  let flows: string[] = [];
  return {
    async prepare(count) {
      flows = Array.from({ length: count }, () => randomUUID());
      await boss.insert(flows.map((flow) => ({ name: queueOf(1), data: { flow } })));
    },
    async work() {
      const counting = countdown(flows.length * STEPS.length);
      let isOver = false;
      const stepOn = async (step: number): Promise<void> => {
        while (!isOver) {
          const jobs = await boss.fetch<Flow>(queueOf(step), { batchSize: BATCH });
          if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
          else counting.told(await endAll(boss, pool, jobs, step));
        }
      };
      const working = Promise.all(STEPS.map(stepOn));
      try {
        await Promise.race([counting.done, working]);
      } finally {
        isOver = true;
      }
      await working;
      await checkEffects(pool, flows);
    },
    async close() {
      await boss.stop({ graceful: false, wait: true });
      await pool.end();
    },
  };
}

/** Answers how many effects were new. */
function endAll(
  boss: PgBoss,
  pool: pg.Pool,
  jobs: readonly PgBoss.Job<Flow>[],
  step: number,
): Promise<number> {
  return inTransaction(pool, async (client) => {
    const db = { executeSql: (text: string, values: unknown[]) => client.query(text, values) };
    const created = await takeEffect(
      client,
      jobs.map(({ data }) => data.flow),
      step,
    );
    if (step < STEPS.length && created.length > 0)
      await boss.insert(
        created.map((flow) => ({ name: queueOf(step + 1), data: { flow } })),
        { db },
      );
    await boss.complete(
      queueOf(step),
      jobs.map(({ id }) => id),
      { db },
    );
    return created.length;
  });
}
