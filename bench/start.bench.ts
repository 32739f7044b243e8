// Question: how long from the command to a server that takes work, the first time and later?
// Budget: 6 s on a fresh data folder, 1.5 s on one that has been used.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFolder } from "../src/store/dataset/folder.ts";
import { ownChild, ownFolder, removeFolder } from "./leftovers.ts";
import { freePort } from "./postgres.ts";
import type { Bench, Figure, Question } from "./question.ts";
import { withoutSettings } from "./turnup-process.ts";

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

export const startQuestion: Question = {
  name: "start",
  asks: "How long from the command to a server that takes work, the first time and later?",
  how: [
    "`node bin/turnup.js start` from the sources, with its simulated network beside it and a fleet of one phone, on the",
    "embedded database: from the spawn of the process until `/readyz` answers 200 (database reached, bound at the message",
    "centre). First: an empty data folder. Later: the same folder after an orderly stop. `/readyz` is asked every 20 ms.",
  ].join(" "),
  durability:
    "what was on disk before is there again; nothing is written that is measured. There is no peer.",
  uses: ["PostgreSQL embedded"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const first: number[] = [];
  const later: number[] = [];
  for (let run = 1; run <= bench.runs; run++) {
    const folder = ownFolder(mkdtempSync(join(tmpdir(), "turnup-bench-start-")));
    try {
      bench.progress(`first start: run ${run} of ${bench.runs}`);
      first.push(await secondsToReady(folder));
      bench.progress(`later start: run ${run} of ${bench.runs}`);
      later.push(await secondsToReady(folder));
    } finally {
      removeFolder(folder);
    }
  }
  const figure = (what: string, values: number[], value: number): Figure => ({
    what,
    unit: "s",
    values,
    peers: [],
    aim: { kind: "at most", value },
  });
  return [figure("first start", first, 6), figure("later start", later, 1.5)];
}

async function secondsToReady(folder: string): Promise<number> {
  const port = await freePort();
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [join(packageFolder(), "bin", "turnup.js"), "start", "--phones", "1"],
    {
      cwd: folder,
      stdio: "ignore",
      env: {
        ...withoutSettings(process.env),
        TURNUP_DATA_FOLDER: join(folder, "data"),
        TURNUP_HTTP_PORT: String(port),
      },
    },
  );
  try {
    ownChild(child);
    await ready(child, port);
    return (performance.now() - start) / 1_000;
  } finally {
    await stopped(child);
  }
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const end = performance.now() + READY_TIMEOUT_MS;
  while ((await statusOf(port)) !== 200) {
    if (child.exitCode !== null) throw new Error(`turnup start ended with ${child.exitCode}`);
    if (performance.now() > end) throw new Error(`turnup start was not ready after ${READY_TIMEOUT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** 0 where nobody listens yet. */
function statusOf(port: number): Promise<number> {
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port, path: "/readyz", agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).on("error", () => resolve(0));
  });
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`turnup start did not stop within ${STOP_TIMEOUT_MS} ms`));
    }, STOP_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
