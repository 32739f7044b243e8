/**
 * One run of `turnup start --once` of a checkout: how fast its phones were turned up, and what a phone took of the
 * processor, of the database's rows and of its log. On a machine that others use too the rate says little; what a phone
 * took says the same again and again.
 */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { runningPostgres, startEmbeddedPostgres } from "../src/store/embedded/supervisor.ts";
import { type CpuWatch, parentOf, type WatchedProcess, watchCpu } from "./cpu.ts";
import { ownChild, ownFolder, removeFolder } from "./leftovers.ts";
import { withoutSettings } from "./turnup-process.ts";

/** All at once: what is asked is how fast they are worked off. */
export const PER_SECOND = 100_000;
const SEED = 7;
const TIMEOUT_MS = 900_000;

export const ROLES = ["server", "PostgreSQL", "simulated world"] as const;
type Role = (typeof ROLES)[number];

/** What was counted between the first phone that attached and the end, divided by the phones. */
export type PhoneRun = {
  readonly perSecond: number;
  /** Of each role, user and system; none where the system does not tell. */
  readonly cpuMs: ReadonlyMap<string, number>;
  readonly commits: number;
  readonly inserts: number;
  readonly updates: number;
  /** Of the updates, those that wrote no index (heap-only tuples). */
  readonly hotUpdates: number;
  readonly deletes: number;
  readonly walOctets: number;
  /** By which the database grew, with its indexes. */
  readonly octets: number;
  /** Old versions of rows that vacuum had not taken yet, more than there were before. */
  readonly deadRows: number;
};

/** What `turnup start --once --json` prints at the end. */
type Summary = {
  readonly phones: number;
  readonly completed: number;
  readonly tookMs: number;
  readonly openCharges: number;
  readonly booksBalance: boolean;
};

type Wanted = {
  readonly phones: number;
  /** The checkout whose program runs. */
  readonly checkout: string;
  /** An empty database of a server; without it the program runs its embedded one. */
  readonly databaseUrl?: string | undefined;
  /** That of what the database holds already. */
  readonly sealKey?: string | undefined;
  /** Called when the phones attach. */
  readonly onReady?: () => void;
};

/** @throws Error where a phone was not turned up, or the books do not balance: such a run measures nothing. */
export async function runPhones(wanted: Wanted): Promise<PhoneRun> {
  const { phones, databaseUrl } = wanted;
  const folder = ownFolder(mkdtempSync(join(tmpdir(), "turnup-bench-phones-")));
  const data = join(folder, "data");
  try {
    const before = { counts: undefined as Promise<Counts> | undefined };
    const cpu = watchCpu();
    const onReady = (): void => {
      wanted.onReady?.();
      cpu.start(); // what the start took is another question
      const connection = databaseUrl ?? { ...runningPostgres(data) };
      before.counts = countsOf(connection);
      before.counts.catch(() => undefined); // looked at after the run
    };
    const { text, code, taken } = await runStart({ ...wanted, folder }, cpu, onReady);
    const summary = JSON.parse(text.trim().split("\n").at(-1) ?? "{}") as Summary;
    const { completed, openCharges, booksBalance, tookMs } = summary;
    if (code !== 0 || completed !== phones || openCharges !== 0 || !booksBalance) {
      throw new Error(
        `${completed} of ${phones} phones, ${openCharges} fees open, books balance: ${booksBalance}`,
      );
    }
    const first = await before.counts;
    if (!first) throw new Error("the run ended before it was ready");
    const last = databaseUrl === undefined ? await countsAtRest(data) : await countsOf(databaseUrl);
    return {
      perSecond: (phones / tookMs) * 1_000,
      cpuMs: new Map([...taken(first.postmaster)].map(([role, ms]) => [role, ms / phones])),
      ...aPhone(first, last, phones),
    };
  } finally {
    removeFolder(folder);
  }
}

// ---- the database

type Counted = Omit<PhoneRun, "perSecond" | "cpuMs">;
type Counts = Counted & { readonly postmaster: number | undefined };

function aPhone(first: Counted, last: Counted, phones: number): Counted {
  const of = (name: keyof Counted): number => (last[name] - first[name]) / phones;
  return {
    commits: of("commits"),
    inserts: of("inserts"),
    updates: of("updates"),
    hotUpdates: of("hotUpdates"),
    deletes: of("deletes"),
    walOctets: of("walOctets"),
    octets: of("octets"),
    deadRows: of("deadRows"),
  };
}

/** Without the shipped data, whose rows may be counted late. */
const COUNTS = `
  select pg_backend_pid() as pid, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as "walOctets", pg_database_size(current_database())::float8 as octets, coalesce(sum(n_dead_tup), 0)::float8 as "deadRows",
         (select xact_commit::float8 from pg_stat_database where datname = current_database()) as commits,
         coalesce(sum(n_tup_ins), 0)::float8 as inserts, coalesce(sum(n_tup_upd), 0)::float8 as updates,
         coalesce(sum(n_tup_hot_upd), 0)::float8 as "hotUpdates", coalesce(sum(n_tup_del), 0)::float8 as deletes
    from pg_stat_user_tables where relname !~ '^dataset'`;

async function countsOf(connection: string | pg.ClientConfig): Promise<Counts> {
  const client = new pg.Client(connection as pg.ClientConfig);
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Counted & { readonly pid: number }>(COUNTS);
    const [row] = rows;
    if (!row) throw new Error("the database counted nothing");
    const { pid, ...counts } = row;
    return { ...counts, postmaster: parentOf(pid) };
  } finally {
    await client.end();
  }
}

/** Statistics outlive an orderly stop; while sessions run, what they did last is not in them yet. */
async function countsAtRest(folder: string): Promise<Counts> {
  const server = await startEmbeddedPostgres({ folder, log: () => undefined });
  try {
    return await countsOf(server.connection);
  } finally {
    await server.stop();
  }
}

// ---- the program

type Ended = {
  readonly text: string;
  readonly code: number | null;
  readonly taken: (postmaster: number | undefined) => ReadonlyMap<string, number>;
};

type Started = Wanted & { readonly folder: string };

function runStart(
  { phones, folder, checkout, databaseUrl, sealKey }: Started,
  cpu: CpuWatch,
  onReady: () => void,
): Promise<Ended> {
  const counts = { phones, "new-phones": 0, "per-second": PER_SECOND, seed: SEED };
  const options = Object.entries(counts).flatMap(([name, count]) => [`--${name}`, String(count)]);
  const program = join(checkout, "bin", "turnup.js");
  const child = spawn(process.execPath, [program, "start", "--once", ...options, "--json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...withoutSettings(process.env),
      TURNUP_DATA_FOLDER: join(folder, "data"),
      TURNUP_HTTP_PORT: "0",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(sealKey === undefined ? {} : { TURNUP_SEAL_KEY: sealKey }),
    },
  });
  ownChild(child);
  const server = child.pid;
  let text = "";
  let troubles = "";
  let isReady = false;
  let taken: Ended["taken"] = () => new Map();
  child.stdout.on("data", (chunk: Buffer) => {
    if (text === "") taken = stopped(cpu, server); // what the stop takes is another question too
    text += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    troubles = (troubles + chunk.toString()).slice(-2_000);
    if (isReady || !troubles.includes("phones attach")) return;
    isReady = true;
    onReady();
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.once("exit", (code) => {
      clearTimeout(timer);
      if (text.trim() === "")
        reject(new Error(`turnup start said nothing and ended with ${code}: ${troubles}`));
      else resolve({ text, code, taken });
    });
  });
}

/** Others may run servers of the same kinds beside it: a role is known by its parent. */
function stopped(cpu: CpuWatch, server: number | undefined): Ended["taken"] {
  const seen = cpu.stop();
  const roleOf = ({ pid, parent }: WatchedProcess, postmaster: number | undefined): Role | undefined => {
    if (pid === server) return "server";
    if (postmaster !== undefined && (pid === postmaster || parent === postmaster)) return "PostgreSQL";
    return parent === server ? "simulated world" : undefined;
  };
  return (postmaster) => {
    const taken = new Map<string, number>();
    for (const { ms, ...one } of seen) {
      const role = roleOf(one, postmaster);
      if (role) taken.set(role, (taken.get(role) ?? 0) + ms);
    }
    return taken;
  };
}
