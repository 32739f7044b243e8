/**
 * A Turnup server in a process of its own, as the benches ask it: the same `startServer` that `turnup start` runs, on a
 * fresh embedded database or on the server of a URL, bound to a message centre of the bench. Written lines are kept for
 * when it fails; nothing is logged a request.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { dataFolderOf, readConfig } from "../src/app/config/config.ts";
import { type Server, startServer } from "../src/app/server/server.ts";
import { hashToken, tokenOf } from "../src/kernel/account/token.ts";
import { uuidv7 } from "../src/store/database/uuid.ts";
import { ensureOperator } from "../src/store/operator/operators.ts";
import { writeListedOrders } from "../test/fixture/listed-orders.ts";
import { withoutIndexes } from "../test/fixture/many-orders.ts";
import { copyPairs } from "./copy-pairs.ts";
import { parentOf } from "./cpu.ts";
import { importTacs } from "./tac-list.ts";

/** A token may ask 5,000 times a second; a bench that asks more often stands for more than one client. */
const TOKENS = 64;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const IDLE_TIMEOUT_MS = 180_000;
/** A million orders in a year. */
const ORDERS_APART_MS = 31_536;

export type TurnupProcess = {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly string[];
  readonly pid: number;
  /** Of the database's first process, whose children serve the sessions; undefined where the system does not tell. */
  postmaster(): Promise<number | undefined>;
  /** Waits until the engine has looked at every order: what it owes no longer takes the machine's time. */
  idle(): Promise<void>;
  /** Copies as many pairs of SIM and phone into the database, each last seen two minutes ago; of numbers that begin at 0. */
  copyPairs(pairs: number): Promise<void>;
  /** Writes as many orders into the database, the last of them opened now; tells how far it is. */
  listedOrders(orders: number, progress: (what: string) => void): Promise<void>;
  /** Imports a TAC list of so many codes for the operator of the bench. */
  importTacs(tacs: number): Promise<void>;
  /** Of the serving process, before and after it was made to collect its garbage. */
  memory(): Promise<MemoryLook>;
  /** Waits until that many pairs are known by heart. */
  filled(pairs: number): Promise<Filled>;
  close(): Promise<void>;
};

/** How long after the process began, and what a pair takes in memory. */
export type Filled = { readonly seconds: number; readonly octetsAPair: number };

/** Octets. */
type Memory = Pick<NodeJS.MemoryUsage, "rss" | "heapUsed" | "external">;
export type MemoryLook = { readonly before: Memory; readonly after: Memory };

type Ready = { readonly url: string; readonly tokens: readonly string[] };

export async function startTurnup(options: {
  readonly smscPort: number;
  readonly databaseUrl?: string;
  /** 64 hexadecimal digits, for several servers on one database. */
  readonly sealKey?: string;
}): Promise<TurnupProcess> {
  const folder = mkdtempSync(join(tmpdir(), "turnup-bench-data-"));
  const said: string[] = [];
  const child = fork(fileURLToPath(import.meta.url), [], {
    execArgv: ["--import", "tsx", ...(process.env.TURNUP_BENCH_NODE_ARGS?.split(" ") ?? [])],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      ...withoutSettings(process.env),
      TURNUP_DATA_FOLDER: folder,
      TURNUP_HTTP_PORT: "0",
      TURNUP_SMSC_PORT: String(options.smscPort),
      TURNUP_SMSC_PASSWORD: "bench",
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      ...(options.sealKey === undefined ? {} : { TURNUP_SEAL_KEY: options.sealKey }),
    },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      said.push(chunk.toString());
      if (said.length > 100) said.shift();
    });
  }
  const close = async (): Promise<void> => {
    await stopped(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { url, tokens } = await ready(child, said);
    return {
      host: "127.0.0.1",
      port: Number(new URL(url).port),
      tokens,
      pid: child.pid ?? 0,
      postmaster: async () => parentOf(await asked<number>(child, "backend")),
      idle: () => idle(child),
      copyPairs: async (pairs) => void (await asked(child, { copyPairs: pairs })),
      listedOrders: async (orders, progress) => void (await asked(child, { listedOrders: orders }, progress)),
      importTacs: async (tacs) => void (await asked(child, { importTacs: tacs })),
      memory: () => asked<MemoryLook>(child, "memory"),
      filled: (pairs) => filled(child, pairs),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Settings of whoever runs the bench are not what is measured. */
export const withoutSettings = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^(TURNUP_|DATABASE_URL$)/.test(name)));

function ready(child: ChildProcess, said: readonly string[]): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}\n${said.join("")}`));
    const timer = setTimeout(() => fail("the server did not start in time"), START_TIMEOUT_MS);
    child.once("message", (message) => {
      clearTimeout(timer);
      resolve(message as Ready);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`the server ended with ${code}`);
    });
  });
}

async function idle(child: ChildProcess): Promise<void> {
  for (const end = Date.now() + IDLE_TIMEOUT_MS; Date.now() < end; ) {
    if ((await asked<number>(child, "due")) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("the orders of a bench were not worked off in time");
}

async function filled(child: ChildProcess, pairs: number): Promise<Filled> {
  for (const end = Date.now() + IDLE_TIMEOUT_MS; Date.now() < end; ) {
    const { known, seconds, octets } = await asked<Known>(child, "known");
    if (known >= pairs) return { seconds, octetsAPair: octets / known };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the pairs of a bench were not known in time");
}

type Question =
  | "due"
  | "known"
  | "backend"
  | "memory"
  | { readonly importTacs: number }
  | { readonly copyPairs: number }
  | { readonly listedOrders: number };
type Known = { readonly known: number; readonly seconds: number; readonly octets: number };

/** One question at a time; how far its work is may be told before the answer. */
function asked<Answer>(
  child: ChildProcess,
  question: Question,
  progress: (what: string) => void = () => undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    const hear = (message: unknown): void => {
      if (isProgress(message)) return progress(message.progress);
      child.off("message", hear);
      resolve(message as Answer);
    };
    child.on("message", hear);
    child.send(question);
  });
}

const isProgress = (message: unknown): message is { readonly progress: string } =>
  typeof message === "object" && message !== null && "progress" in message;

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.disconnect();
  });
}

// ---- the process itself

async function serve(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined); // the bench may be gone
  const { config } = readConfig({ env: process.env, folder: tmpdir() });
  const starting = startServer({
    config,
    log: (line) => process.stdout.write(`${line}\n`),
    onFault: (name, error) => process.stderr.write(`${name}: ${String(error)}\n`),
  });
  process.on("disconnect", () => {
    const closed = starting.then((started) => started.close());
    void closed.finally(() => {
      rmSync(dataFolderOf(config), { recursive: true, force: true }); // the bench may be gone already
      process.exit(0);
    });
  });
  const server = await starting;
  process.on("message", (question) => {
    void answerTo(server, question as Question).then((answer) => process.send?.(answer));
  });
  await bound(server);
  const tokens = await makeTokens(server);
  if (process.connected) process.send?.({ url: server.url, tokens } satisfies Ready);
}

async function answerTo(server: Server, question: Question): Promise<unknown> {
  if (question === "due") return ordersDue(server);
  if (question === "backend") {
    const row = await server.store.database.one<{ pid: number }>("select pg_backend_pid() as pid");
    return row?.pid;
  }
  if (question === "known") {
    const { size: known } = server.knownPairs;
    return { known, octets: server.knownPairs.octets(), seconds: process.uptime() };
  }
  if (question === "memory") return lookAtMemory();
  if ("copyPairs" in question) await copyPairs(server.store, question.copyPairs);
  else if ("importTacs" in question) await importTacs(server.store, question.importTacs);
  else await listedOrders(server, question.listedOrders);
  return true;
}

function lookAtMemory(): MemoryLook {
  const look = (): Memory => {
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, heapUsed, external };
  };
  const before = look();
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this runtime collects no garbage on demand");
  for (let round = 0; round < 2; round++) collect(); // what the first round lets go may hold more
  return { before, after: look() };
}

async function listedOrders({ store: { database } }: Server, orders: number): Promise<void> {
  const operator = await database.one<{ id: string }>("select id from operator where slug = 'bench'", []);
  if (!operator) throw new Error("the operator of the bench is made with its tokens");
  const written = { operatorId: operator.id, orders, until: new Date(), apartMs: ORDERS_APART_MS };
  const say = (progress: string): void => void process.send?.({ progress });
  await withoutIndexes(database, "provisioning_order", () =>
    writeListedOrders(database, written, (done) => {
      say(done < orders ? `${done} of ${orders} orders are written` : "its indexes are built");
    }),
  );
  say("the table is cleaned up");
  await database.run("vacuum (analyze) provisioning_order"); // as the database does by itself in time
}

async function ordersDue({ store }: Server): Promise<number> {
  const row = await store.database.one<{ due: string }>(
    "select count(*) as due from provisioning_order where state = 'received' and due_at is not null",
    [],
  );
  return Number(row?.due ?? 0);
}

async function bound({ engine }: Server): Promise<void> {
  while (!engine.centres.isAnyBound()) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function makeTokens(server: Server): Promise<string[]> {
  const operator = await ensureOperator(server.store.database, {
    id: uuidv7(),
    slug: "bench",
    name: "Bench",
    kind: "mno",
    homePlmns: ["001-01"],
  });
  const tokens = Array.from({ length: TOKENS }, () => tokenOf(randomBytes(32)));
  for (const token of tokens) {
    const record = {
      id: uuidv7(),
      hash: hashToken(token),
      role: "admin" as const,
      label: "bench",
      expiresAt: null,
    };
    await server.registry.tokens.create(operator.id, record, "bench");
  }
  return tokens;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await serve().catch((error: unknown) => {
    if (process.connected) throw error; // else the server was closed under it, as it should be
  });
}
