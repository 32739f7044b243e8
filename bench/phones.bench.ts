// Question: how many whole phones a second does one server turn up, each step durable?
// Budget: 1,500/s from the first sighting to the last fee that was paid.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFolder } from "../src/store/dataset/folder.ts";
import { watchCpu } from "./cpu.ts";
import { ownChild, ownFolder, removeFolder } from "./leftovers.ts";
import {
  debianPostgres,
  freshDatabase,
  POSTGRES_MISSING,
  type PostgresServer,
  startDebianPostgres,
} from "./postgres.ts";
import { type Bench, type Figure, median, type Question } from "./question.ts";
import { withoutSettings } from "./turnup-process.ts";

const PHONES = 3_000;
const QUICK_PHONES = 300;
/** All at once: what is asked is how fast they are worked off. */
const PER_SECOND = 100_000;
const SEED = 7;
const AIM_PER_SECOND = 1_500;
const TIMEOUT_MS = 600_000;

export const phonesQuestion: Question = {
  name: "phones",
  asks: "How many whole phones a second are turned up, from the first sighting to the last fee that was paid?",
  how: [
    `\`turnup start --once --phones ${PHONES} --per-second ${PER_SECOND} --json\`: the product's own command with its`,
    "simulated message centre, handsets, core network, manufacturer and bank in a process beside it, over the real",
    "protocols. The time is from the first phone that attaches to the last row that was written (fee paid, portion",
    "settled); a run counts only when every phone was turned up and the books balance. Embedded: the shipped PostgreSQL with",
    "fsync on. By URL: Debian's server with its default settings on the loopback. The simulated world takes a core of its",
    "own: on two cores it is part of the figure, so the CPU time that each part took a phone stands beside it.",
  ].join(" "),
  uses: ["PostgreSQL embedded", "PostgreSQL server"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const phones = bench.quick ? QUICK_PHONES : PHONES;
  const embedded: Run[] = [];
  const byUrl: Run[] = [];
  let server: PostgresServer | undefined;
  try {
    if (debianPostgres()) server = await startDebianPostgres();
    for (let run = 1; run <= bench.runs; run++) {
      bench.progress(`embedded: run ${run} of ${bench.runs}`);
      embedded.push(await phonesPerSecond(phones));
      if (!server) continue;
      bench.progress(`PostgreSQL ${server.major} by URL: run ${run} of ${bench.runs}`);
      byUrl.push(await phonesPerSecond(phones, await freshDatabase(server, `phones_${run}`)));
    }
  } finally {
    await server?.close();
  }
  const figure = (what: string, runs: readonly Run[]): Figure => ({
    what,
    unit: "phones/s",
    values: runs.map(({ perSecond }) => perSecond),
    peers: [],
    aim: { kind: "at least", value: AIM_PER_SECOND },
    note: cpuNote(runs),
  });
  const missing = { ...figure("server by URL", []), note: POSTGRES_MISSING };
  return [
    figure("embedded", embedded),
    server ? figure(`PostgreSQL ${server.major} by URL`, byUrl) : missing,
  ];
}

type Run = { readonly perSecond: number; readonly cpuMsPerPhone: ReadonlyMap<string, number> };

const ROLES = ["server", "PostgreSQL", "simulated world"] as const;

function cpuNote(runs: readonly Run[]): string {
  const parts = ROLES.flatMap((role) => {
    const taken = runs.flatMap(({ cpuMsPerPhone }) => cpuMsPerPhone.get(role) ?? []);
    return taken.length > 0 ? [`${role} ${median(taken).toFixed(2)} ms`] : [];
  });
  return parts.length > 0 ? `CPU a phone: ${parts.join(", ")}` : "";
}

/** What `turnup start --once --json` prints at the end. */
type Summary = {
  readonly phones: number;
  readonly completed: number;
  readonly tookMs: number;
  readonly openCharges: number;
  readonly booksBalance: boolean;
};

async function phonesPerSecond(phones: number, databaseUrl?: string): Promise<Run> {
  const folder = ownFolder(mkdtempSync(join(tmpdir(), "turnup-bench-phones-")));
  try {
    const { text, code, cpu } = await runStart(phones, folder, databaseUrl);
    const summary = JSON.parse(text.trim().split("\n").at(-1) ?? "{}") as Summary;
    const { completed, openCharges, booksBalance, tookMs } = summary;
    if (code !== 0 || completed !== phones || openCharges !== 0 || !booksBalance) {
      throw new Error(
        `${completed} of ${phones} phones, ${openCharges} fees open, books balance: ${booksBalance}`,
      );
    }
    const cpuMsPerPhone = new Map([...cpu].map(([role, ms]) => [role, ms / phones]));
    return { perSecond: (phones / tookMs) * 1_000, cpuMsPerPhone };
  } finally {
    removeFolder(folder);
  }
}

type Ended = {
  readonly text: string;
  readonly code: number | null;
  readonly cpu: ReadonlyMap<string, number>;
};

/** Of all processes: other servers of PostgreSQL on the machine are idle while this is measured, or it is not idle. */
function roleOf(command: string, isServer: boolean): string | undefined {
  if (isServer) return "server";
  if (command.includes("turnup.js world")) return "simulated world";
  return command.includes("postgres") ? "PostgreSQL" : undefined;
}

function runStart(phones: number, folder: string, databaseUrl: string | undefined): Promise<Ended> {
  const program = join(packageFolder(), "bin", "turnup.js");
  const counts = [
    "--phones",
    String(phones),
    "--new-phones",
    "0",
    "--per-second",
    String(PER_SECOND),
    "--seed",
    String(SEED),
  ];
  const child = spawn(process.execPath, [program, "start", "--once", ...counts, "--json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...withoutSettings(process.env),
      TURNUP_DATA_FOLDER: join(folder, "data"),
      TURNUP_HTTP_PORT: "0",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
  });
  ownChild(child);
  const cpu = watchCpu(({ pid, command }) => roleOf(command, pid === child.pid));
  let text = "";
  let troubles = "";
  let isReady = false;
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    troubles = (troubles + chunk.toString()).slice(-2_000);
    if (isReady || !troubles.includes("phones attach")) return;
    isReady = true; // what the start took is another question
    cpu.start();
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.once("exit", (code) => {
      clearTimeout(timer);
      const taken = cpu.stop();
      if (text.trim() === "")
        reject(new Error(`turnup start said nothing and ended with ${code}: ${troubles}`));
      else resolve({ text, code, cpu: taken });
    });
  });
}
