// Question: what does a flow of three durable steps cost our order engine, and two job queues on PostgreSQL that are well known?
// Budget: none is set. Ours keeps a charge, a ledger and an order's history beside each step, theirs a row of two columns.
import pg from "pg";
import { parentOf, watchCpu } from "./cpu.ts";
import type { Engine } from "./engines/engine.ts";
import { openGraphileWorker } from "./engines/graphile-worker.ts";
import { openOurs } from "./engines/ours.ts";
import { openPgBoss } from "./engines/pg-boss.ts";
import { debianPostgres, freshDatabase, POSTGRES_MISSING, startDebianPostgres } from "./postgres.ts";
import type { Bench, Figure, Question } from "./question.ts";

const FLOWS = 10_000;
const QUICK_FLOWS = 1_000;
const ENGINES: readonly (readonly [string, (url: string) => Promise<Engine>])[] = [
  ["ours", openOurs],
  ["pg-boss", openPgBoss],
  ["graphile-worker", openGraphileWorker],
];

export const enginesQuestion: Question = {
  name: "engines",
  asks: "What does a flow of three durable steps cost our order engine, pg-boss and graphile-worker on one database?",
  how: [
    `${FLOWS.toLocaleString("en")} flows wait with their first job. Each of three steps ends its job, has its effect once and makes the next job, in one transaction;`,
    "a run counts only when each flow had each effect exactly once. Ours: a proven key's fee is asked for, its portion is paid, the",
    "manufacturer is told; machines outside answer at once in the process, and each answer books the charge, postings in the ledger, the order's history and",
    "the next call. pg-boss: a queue a step, fetched, written and completed in batches of 500 in one transaction. graphile-worker: tasks out of",
    "its local queue of 500, 24 at a time, completed in batches right behind that transaction; an effect is a row of two columns for both. Node and the database share the machine;",
    "each engine has a database of its own on the same server of Debian, and a run before the first warms it up. CPU is of Node and that server.",
  ].join(" "),
  durability: "alike: a step is on disk (fsync on) before the next one begins, by all three.",
  uses: ["PostgreSQL server", "pg-boss", "graphile-worker"],
  measure,
};

/** Flows a second; milliseconds of Node and of the database a flow. */
type Took = { readonly rate: number; readonly nodeMs: number; readonly databaseMs: number };

async function measure(bench: Bench): Promise<readonly Figure[]> {
  if (debianPostgres() === undefined)
    return [{ what: POSTGRES_MISSING, unit: "flows/s", values: [], peers: [] }];
  const server = await startDebianPostgres();
  const engines: { readonly name: string; readonly engine: Engine; readonly took: Took[] }[] = [];
  try {
    for (const [at, [name, open]] of ENGINES.entries())
      engines.push({ name, engine: await open(await freshDatabase(server, `engine_${at}`)), took: [] });
    const postmaster = await postmasterOf(server.url);
    for (let run = 0; run <= bench.runs; run++)
      for (const { name, engine, took } of engines) {
        bench.progress(run === 0 ? `${name}: warming up` : `${name}: run ${run} of ${bench.runs}`);
        const one = await runOnce(engine, bench.quick || run === 0 ? QUICK_FLOWS : FLOWS, postmaster);
        if (run > 0) took.push(one);
      }
  } finally {
    for (const { engine } of engines) await engine.close();
    await server.close();
  }
  return figuresOf(engines);
}

async function runOnce(engine: Engine, flows: number, postmaster: number | undefined): Promise<Took> {
  await engine.prepare(flows);
  const watch = watchCpu();
  watch.start();
  const before = process.cpuUsage();
  const began = performance.now();
  await engine.work();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const ofDatabase = watch.stop().filter(({ parent }) => parent === postmaster);
  return {
    rate: flows / seconds,
    nodeMs: (user + system) / 1_000 / flows,
    databaseMs: ofDatabase.reduce((sum, { ms }) => sum + ms, 0) / flows,
  };
}

async function postmasterOf(url: string): Promise<number | undefined> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const parent = parentOf(rows[0]?.pid ?? 0);
  await client.end();
  return parent;
}

function figuresOf(engines: readonly { readonly name: string; readonly took: readonly Took[] }[]): Figure[] {
  const [ours, ...peers] = engines;
  const valuesOf = (took: readonly Took[] | undefined, of: (one: Took) => number): number[] =>
    (took ?? []).map(of);
  const figure = (what: string, unit: string, of: (one: Took) => number, isSteady: boolean): Figure => ({
    what,
    unit,
    values: valuesOf(ours?.took, of),
    peers: peers.map(({ name, took }) => ({ name, values: valuesOf(took, of) })),
    isSteady,
  });
  return [
    figure("three steps", "flows/s", ({ rate }) => rate, false),
    figure(
      "three steps: CPU of Node and PostgreSQL",
      "ms a flow",
      ({ nodeMs, databaseMs }) => nodeMs + databaseMs,
      true,
    ),
    figure("three steps: CPU of PostgreSQL", "ms a flow", ({ databaseMs }) => databaseMs, true),
  ];
}
