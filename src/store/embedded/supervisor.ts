/**
 * The embedded PostgreSQL: one server under one data folder, for as long as Turnup runs.
 *
 *   start ── lock the folder ── a server left by a killed Turnup? ── yes ── ours and answering? ── adopt it
 *                                         │ no                                   │ no: stop it
 *                                         └── new folder? initdb ── launch ──────┘
 *   run   ── the server ends by itself, or by somebody's hand? launch it again (keeper.ts)
 *   stop  ── fast shutdown ── wait ── immediate shutdown ── unlock
 *
 * The server listens on a unix socket in a folder of mode 0700 and on nothing else; who can enter the folder is
 * trusted. It runs in a session of its own, so that Ctrl-C reaches Turnup, which then stops it in its own time.
 */
import { execFile, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { TurnupError } from "../../term/error.ts";
import { assured, membersOf, messageOf } from "../../term/narrow.ts";
import { the } from "../database/driver.ts";
import { type Binaries, EMBEDDED_MAJOR, findBinaries } from "./binaries.ts";
import { holderOfFolder, lockFolder } from "./folder-lock.ts";
import { keep, type RestartLimits, stopServer } from "./keeper.ts";
import { clearLeftovers, LEFTOVER_LIMIT_MS } from "./leftovers.ts";
import {
  dataIn,
  makeDataFolder,
  makeServerFolder,
  type Place,
  PORT,
  preparePlace,
  socketIn,
} from "./place.ts";
import { type Postmaster, readPostmaster } from "./postmaster.ts";
import { isServerOf } from "./process.ts";
import { type ServerUser, startAs } from "./server-user.ts";
import { clusterNameOf, serverArguments } from "./settings.ts";

const run = promisify(execFile);

/** PostgreSQL's superuser inside; nobody but the folder's owner can reach it. */
const USER = "turnup";
const DATABASE = "turnup";
/** Where the server is asked about itself: there before our own is. */
const MAINTENANCE = "template1";
/** Making a data folder takes half a second; a slow disk may need a hundred times that. */
const INITDB_LIMIT_MS = 120_000;
/** Replaying the log after a crash: at most max_wal_size (4 GB). */
const START_LIMIT_MS = 300_000;
const ANSWER_LIMIT_MS = 5_000;
const POLL_MS = 5;
const LOG_OCTETS_MAX = 10 * 1024 * 1024;
const LOG_TAIL_LINES = 8;
const WAL_SEGMENT_OCTETS = 16 * 1024 * 1024;

type EmbeddedPostgres = {
  readonly connection: pg.PoolConfig & { readonly host: string; readonly database: string };
  /** The data folder was new. */
  readonly startedCold: boolean;
  /** The server was running already, left by a Turnup that was killed. */
  readonly adopted: boolean;
  /** The server does not run, since its disk is full. */
  readonly isFull: () => boolean;
  /** Process number of the server, which changes when it had to be started again. */
  readonly pid: () => number;
  /** How the server's user was chosen; see server-user.ts. */
  readonly runsAs: ServerUser["kind"];
  readonly stop: () => Promise<void>;
};

type EmbeddedOptions = {
  /** Made if it is missing. */
  readonly folder: string;
  /** Told what a person watching the start would want to know; never a row. */
  readonly log: Log;
  /** The work is with PostgreSQL's processes for a while: called once or more, for whoever has other work to do. */
  readonly onWaiting?: (() => void) | undefined;
  /** The server died and does not come back: the program is of no use any more, and another start may be. */
  readonly onLost?: ((error: TurnupError) => void) | undefined;
  /** How a server that dies is started again. */
  readonly restarts?: Partial<RestartLimits>;
  /** The server's programs, where they do not lie in node_modules. */
  readonly binaries?: Binaries;
  /** Where data goes that no user but root could walk to, and no user namespace is allowed. */
  readonly walkableFolder?: string;
};

type Log = (message: string) => void;

/**
 * Starts the server of a data folder, or takes over the one left running there.
 *
 * @throws TurnupError `embedded_unsupported`, `data_folder_in_use`, `data_folder_unusable`,
 *   `embedded_version` (data of another major version), `embedded_failed` (with the server's own last words)
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const binaries = options.binaries ?? findBinaries();
  const folder = makeDataFolder(options.folder);
  const unlock = lockFolder(folder);
  try {
    const place = await preparePlace(folder, binaries, options.walkableFolder);
    const startedCold = !existsSync(join(place.data, "PG_VERSION"));
    const { log, onWaiting = () => undefined, onLost, restarts } = options;
    if (startedCold) {
      const made = makeData(place, log);
      onWaiting();
      await made;
    } else checkVersion(place.data);
    return await keepServer(place, { startedCold, unlock, log, onWaiting, onLost, restarts });
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * The server that another, living Turnup keeps in this folder: for commands that look at its data beside it. None
 * where nobody has the folder.
 */
export function runningPostgres(folder: string): EmbeddedPostgres["connection"] | undefined {
  if (!existsSync(folder)) return undefined;
  const real = realpathSync(folder);
  if (holderOfFolder(real) === undefined) return undefined;
  const postmaster = readPostmaster(dataIn(real));
  return postmaster?.ready ? connectionTo(postmaster.socketFolder) : undefined;
}

const connectionTo = (socketFolder: string): EmbeddedPostgres["connection"] => ({
  host: socketFolder,
  port: PORT,
  user: USER,
  database: DATABASE,
});

async function keepServer(
  place: Place,
  {
    startedCold,
    unlock,
    log,
    onWaiting,
    onLost,
    restarts: limits,
  }: Pick<EmbeddedOptions, "onLost"> & {
    restarts: Partial<RestartLimits> | undefined;
    startedCold: boolean;
    unlock: () => void;
    log: Log;
    onWaiting: () => void;
  },
): Promise<EmbeddedPostgres> {
  const clusterName = clusterNameOf(place.binaries.version);
  const keeper = keep({
    unlock,
    log,
    launch: (onSpawn) =>
      launch(place, clusterName, log, (pid) => {
        onSpawn(pid);
        onWaiting();
      }),
    onLost,
    limits,
  });
  try {
    const left = startedCold ? undefined : await adoptOrStop(place, clusterName, log);
    await keeper.start(left?.pid);
    await nameDatabase(place.socketFolder);
    return {
      connection: connectionTo(place.socketFolder),
      startedCold,
      adopted: left !== undefined,
      isFull: keeper.isFull,
      pid: keeper.pid,
      runsAs: place.user.kind,
      stop: keeper.stop,
    };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}

/** Made aside and renamed when complete: a first start that was cut short leaves nothing half made. */
async function makeData(place: Place, log: Log): Promise<void> {
  log("making a new PostgreSQL data folder");
  const half = `${place.data}.new`;
  makeServerFolder(half, place.user);
  // The sync at the end is kept: it costs 80 ms once, and without it a power cut soon after could take all data.
  // The built-in C.UTF-8 sorts by code point on every platform and still knows the case of letters beyond ASCII.
  const words = ["-D", half, "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions"];
  const locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const { command, args, identity } = startAs(place.user, place.binaries.initdb, [...words, ...locale]);
  try {
    await run(command, args, { ...identity, cwd: "/", env: environmentOf(place), timeout: INITDB_LIMIT_MS });
  } catch (cause) {
    const stderr = String(membersOf(cause).stderr ?? "");
    throw failureOf(
      "A PostgreSQL data folder could not be made",
      lastLines(stderr || messageOf(cause)),
      half,
      cause,
    );
  }
  renameSync(half, place.data);
  syncFolder(dirname(place.data));
}

function checkVersion(data: string): void {
  const major = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
  if (major === EMBEDDED_MAJOR) return;
  throw new TurnupError(
    "embedded_version",
    `${data} was made by PostgreSQL ${major}; this Turnup has ${EMBEDDED_MAJOR}.`,
    {
      nextStep: "Take a backup with the release that made it and restore it here.",
    },
  );
}

async function adoptOrStop(place: Place, clusterName: string, log: Log): Promise<Postmaster | undefined> {
  const left = readPostmaster(place.data);
  if (!left || !isServerOf(left.pid, place.data)) return undefined; // an old file alone: leftovers.ts clears it away
  const answer = left.ready ? await ask(left.socketFolder) : undefined;
  if (
    answer?.cluster === clusterName &&
    answer.data === place.data &&
    left.socketFolder === place.socketFolder
  ) {
    log(`adopting the PostgreSQL server left running as process ${left.pid}`);
    return left;
  }
  log(`stopping the PostgreSQL server left running as process ${left.pid}`);
  await stopServer(left.pid);
  return undefined;
}

async function launch(
  place: Place,
  clusterName: string,
  log: Log,
  onSpawn: (pid: number) => void,
): Promise<void> {
  await clearLeftovers(place.data, socketIn(place.socketFolder), log);
  const deadline = performance.now() + LEFTOVER_LIMIT_MS;
  for (;;) {
    const outcome = await launchOnce(place, clusterName, onSpawn);
    if (outcome === "ready") return;
    const waitsForDead = /pre-existing shared memory block/.test(outcome);
    if (!waitsForDead || performance.now() > deadline)
      throw failureOf("PostgreSQL did not start", lastLines(outcome), place.data);
    await sleep(POLL_MS * 10);
  }
}

/** `ready`, or what the server wrote before it ended. `onSpawn` hears of it at once, so that it is never orphaned. */
async function launchOnce(
  place: Place,
  clusterName: string,
  onSpawn: (pid: number) => void,
): Promise<string> {
  rotateLog(place.logFile);
  const log = openSync(place.logFile, "a", 0o600);
  const logFrom = statSync(place.logFile).size;
  const words = serverArguments(place.data, place.socketFolder, clusterName);
  const { command, args, identity } = startAs(place.user, place.binaries.postgres, words);
  const stdio = ["ignore", log, log] as const;
  const child = spawn(command, args, {
    ...identity,
    cwd: "/",
    env: environmentOf(place),
    detached: true,
    stdio: [...stdio],
  });
  closeSync(log);
  let failure: Error | undefined;
  child.on("error", (error) => {
    failure = error;
  });
  child.unref();
  if (child.pid !== undefined) onSpawn(child.pid);
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const server = readPostmaster(place.data);
    if (failure) return failure.message;
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded) return readFileSync(place.logFile).subarray(logFrom).toString("utf8");
    if (server?.ready && server.pid === child.pid) return "ready";
    if (performance.now() > deadline) {
      await stopServer(assured(child.pid, "it was started"));
      return `not ready after ${START_LIMIT_MS / 1000} s`;
    }
    await sleep(POLL_MS);
  }
}

async function ask(socketFolder: string): Promise<{ cluster: string; data: string } | undefined> {
  try {
    return await withClient(socketFolder, async (client) => {
      const { rows } = await client.query<{ cluster: string; data: string }>(
        "select current_setting('cluster_name') as cluster, current_setting('data_directory') as data",
      );
      return the(rows);
    });
  } catch {
    return undefined; // whatever it is, it does not answer as ours does
  }
}

/** initdb's own empty database gets our name: no copy, no checkpoint. The first start may have been cut short before it. */
async function nameDatabase(socketFolder: string): Promise<void> {
  await withClient(socketFolder, async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`alter database postgres rename to ${DATABASE}`);
  });
}

async function withClient<T>(host: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const limits = { connectionTimeoutMillis: ANSWER_LIMIT_MS, query_timeout: ANSWER_LIMIT_MS };
  const client = new pg.Client({ host, port: PORT, user: USER, database: MAINTENANCE, ...limits });
  client.on("error", () => undefined); // a query that fails says so itself
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Nothing of our own environment reaches the server: a stray PGPORT or locale would change what it does. */
function environmentOf(place: Place): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC", ...place.environment };
}

function rotateLog(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_OCTETS_MAX) renameSync(file, `${file}.1`);
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  fsyncSync(handle);
  closeSync(handle);
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-LOG_TAIL_LINES).join("\n");

/** How the server, and the system, say that a disk is full. */
const NO_ROOM = /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/;

/** A full disk has a name of its own. What the server says of it may be lost, since its log lies on the same disk. */
function failureOf(fact: string, words: string, folder: string, cause?: unknown): TurnupError {
  if (!NO_ROOM.test(words) && hasRoom(folder)) return failed(fact, words, cause);
  return new TurnupError("database_full", `${fact}: there is no room on the disk of ${folder}.`, {
    cause,
    nextStep: "Make room on that disk; what was answered is kept.",
  });
}

/** For one more segment of the log, without which no server starts. */
function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(existsSync(folder) ? folder : dirname(folder));
    return bavail * bsize >= WAL_SEGMENT_OCTETS;
  } catch {
    return true; // not known
  }
}

const failed = (fact: string, words: string, cause?: unknown): TurnupError =>
  new TurnupError("embedded_failed", words ? `${fact}: ${words}.` : `${fact}.`, {
    cause,
    nextStep: "See postgres/server.log in the data folder, or set DATABASE_URL to a PostgreSQL server.",
  });
