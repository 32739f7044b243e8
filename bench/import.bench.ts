// Question: how long does the import of a national TAC list take over the API, and what does a serving process feel of it?
// Budget: 10 s for 255,000 rows, 200 MiB more of memory, no /healthz above 100 ms meanwhile.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { debianPostgres, POSTGRES_MISSING, startDebianPostgres } from "./postgres.ts";
import type { Bench, Figure, Question } from "./question.ts";
import { startSink } from "./smpp-sink.ts";
import { tacListOf } from "./tac-list.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

const ROWS = 255_000;
const QUICK_ROWS = 25_000;
const AIM = { seconds: 10, growthMib: 200, healthMs: 100 } as const;
const LOOK_MS = 20;
const TIMEOUT_MS = 300_000;
const KIB_PER_MIB = 1_024;

export const importQuestion: Question = {
  name: "import",
  asks: "How long does the import of 255,000 TACs take over the API, and what does the serving process feel of it?",
  how: [
    "`POST /v1/imports` with `mode=live` sends a list of 255,000 rows to a server on an empty database of Debian's PostgreSQL, from the sources. Seconds are",
    `those from the first octet sent until the job is done, looked at every ${LOOK_MS} ms. /healthz is asked one after the other meanwhile, each from a connection`,
    "of its own; the slowest counts. Growth is the most that VmRSS of the serving process was above what it was before.",
  ].join(" "),
  durability: "each step of the job is a transaction that is on disk before the next. There is no peer.",
  uses: ["PostgreSQL of Debian"],
  measure,
};

type Look = { readonly seconds: number; readonly growthMib: number; readonly slowestMs: number };

async function measure(bench: Bench): Promise<readonly Figure[]> {
  if (debianPostgres() === undefined) throw new Error(POSTGRES_MISSING);
  const rows = bench.quick ? QUICK_ROWS : ROWS;
  const looks: Look[] = [];
  for (let run = 1; run <= bench.runs; run++) {
    bench.progress(`run ${run} of ${bench.runs}`);
    looks.push(await lookAtImport(rows));
  }
  const figure = (what: string, unit: string, value: (look: Look) => number, most: number): Figure => ({
    ...{ what, unit, values: looks.map(value), peers: [] },
    aim: { kind: "at most", value: most },
  });
  return [
    figure(`import of ${rows} rows`, "s", ({ seconds }) => seconds, AIM.seconds),
    figure("growth of the serving process", "MiB", ({ growthMib }) => growthMib, AIM.growthMib),
    figure("slowest /healthz meanwhile", "ms", ({ slowestMs }) => slowestMs, AIM.healthMs),
  ];
}

async function lookAtImport(rows: number): Promise<Look> {
  const sink = await startSink();
  const postgres = await startDebianPostgres();
  try {
    const sealKey = randomBytes(32).toString("hex");
    const turnup = await startTurnup({ smscPort: sink.port, databaseUrl: postgres.url, sealKey });
    try {
      return await watched(turnup, tacListOf(rows));
    } finally {
      await turnup.close();
    }
  } finally {
    await postgres.close();
    sink.close();
  }
}

async function watched(turnup: TurnupProcess, list: Buffer): Promise<Look> {
  const before = rssMib(turnup.pid);
  let [mostMib, slowestMs, isDone] = [before, 0, false];
  const watch = async (): Promise<void> => {
    while (!isDone) {
      const began = performance.now();
      await fetch(`${urlOf(turnup)}/healthz`, { headers: { connection: "close" } });
      slowestMs = Math.max(slowestMs, performance.now() - began);
      mostMib = Math.max(mostMib, rssMib(turnup.pid));
      await sleep(LOOK_MS);
    }
  };
  const began = performance.now();
  const watching = watch();
  try {
    await imported(turnup, list);
  } finally {
    isDone = true;
  }
  const seconds = (performance.now() - began) / 1_000;
  await watching;
  return { seconds, growthMib: mostMib - before, slowestMs };
}

async function imported(turnup: TurnupProcess, list: Buffer): Promise<void> {
  const [token = ""] = turnup.tokens;
  const headers = { authorization: `Bearer ${token}` };
  const form = new FormData();
  for (const [name, value] of Object.entries({ kind: "tac", name: "bench", mode: "live" }))
    form.set(name, value);
  form.set("file", new Blob([new Uint8Array(list)]), "tacdb.csv");
  const asked = await fetch(`${urlOf(turnup)}/v1/imports`, { method: "POST", headers, body: form });
  if (asked.status !== 202) throw new Error(`the import was answered ${asked.status}: ${await asked.text()}`);
  const { id } = jobOf(await asked.json());
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await sleep(LOOK_MS)) {
    const answer = await fetch(`${urlOf(turnup)}/v1/jobs/${id}`, { headers });
    const { state, reason } = jobOf(await answer.json());
    if (state === "done") return;
    if (state !== "queued" && state !== "running") throw new Error(`the import is ${state}: ${reason}`);
  }
  throw new Error("the import did not end in time");
}

function jobOf(answer: unknown): { readonly id: string; readonly state: string; readonly reason: string } {
  const { id, state, reason } = Object(answer);
  return { id: String(id), state: String(state), reason: String(reason) };
}

const urlOf = ({ host, port }: TurnupProcess): string => `http://${host}:${port}`;

/** Linux alone tells it so. */
function rssMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / KIB_PER_MIB;
}
