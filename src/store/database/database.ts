/**
 * The one way to PostgreSQL: a pool, named statements, transactions, and errors a caller can act on.
 *
 * Values come back as: `bigint` for int8 (money is never a float; cast counts with `::int`), text for `date` and
 * `numeric`, `Date` for timestamps, `Buffer` for bytea. Every wait here ends: connecting, queueing for a
 * connection, waiting for a lock, running a statement, idling in a transaction.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { TurnupError } from "../../term/error.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import { inBinary } from "./binary-array.ts";
import { socketOf } from "./driver.ts";
import { momentOf } from "./moment.ts";

const POOL_MAX_DEFAULT = 16;
/** A query of the product takes milliseconds; one of 30 s is a mistake. Imports ask for more by name. */
const STATEMENT_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;
/** A transaction that waits for its own program holds locks that others need. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
/** A connection keeps its prepared statements: a new one plans each anew. */
const IDLE_CONNECTION_MS = 300_000;
/** For a connection: from the pool when all are busy, or new. */
const CONNECT_TIMEOUT_MS = 5_000;
/** How long a server that is starting again is waited for. */
const RESTART_PATIENCE_MS = 5_000;
/** How long a program that starts goes on asking a server that takes connections and answers none. */
const START_PATIENCE_MS = 15_000;
/** As driver and pool word it: the server did not answer in time, or hung up before it did. */
const CAME_TO_NOTHING = /Connection terminated/;
const RESTART_POLL_MS = 50;
/** The server ends a statement that takes too long; if even that does not come, the client gives up this much later. */
const SILENCE_MARGIN_MS = 5_000;
/** Callers queueing for a connection; more are turned away at once. */
const WAITING_MAX = 10_000;
/**
 * A plan kept from when a table was small reads all of it when it is large: what is asked now and then is planned anew
 * each time.
 */
const PLAN_FOR_TODAY = "-c plan_cache_mode=force_custom_plan";
/**
 * Planning is a third of what a statement of the hot paths costs. Each of those names the index that it runs on, so its
 * plan is kept for a while, and may be of no other kind than loops over indexes.
 */
const KEEP_PLANS = [
  "plan_cache_mode=force_generic_plan",
  ...["seqscan", "hashjoin", "mergejoin", "material"].map((way) => `enable_${way}=off`),
]
  .map((setting) => `-c ${setting}`)
  .join(" ");
/**
 * Of the connections, those that keep plans; the others are for lists, imports, the desk, and for what a transaction of
 * the hot paths asks beside itself: were it of the same kind, as many transactions as connections would wait for ever.
 */
const SHARE_THAT_KEEPS_PLANS = 0.6;
/** An empty table is full after seconds, and until PostgreSQL analyzes it a plan may take any index for the right one. */
const PLANS_KEPT_MS = 2_000;
const REPEATS_MAX = 5;
const REPEAT_PAUSE_MS = 10;
const VERSION_MIN = 15;
const VERSION_UNIT = 10_000;

/**
 * SQL with a name is prepared once a connection and planned for indexes alone. The name is the meaning: the same name is
 * always the same text.
 */
export type Statement = { readonly name: string; readonly text: string };
export type Values = readonly unknown[];

export interface Db {
  rows<T>(statement: Statement | string, values?: Values): Promise<T[]>;
  /** The first row. */
  one<T>(statement: Statement | string, values?: Values): Promise<T | undefined>;
  /** How many rows it touched. */
  run(statement: Statement | string, values?: Values): Promise<number>;
}

/** Statements of a transaction go out one behind the other; only who needs an answer waits for it. */
export interface Tx extends Db {
  /** Sends a statement whose answer nobody needs. Where it fails, the transaction fails. */
  send(statement: Statement | string, values?: Values): void;
}

type TransactionOptions = {
  /** Its statements are named, each running on an index: it is one of the hot paths. */
  readonly keepsPlans?: boolean;
  /**
   * The work may run again from its start when PostgreSQL chose it as a deadlock's victim or could not serialize it:
   * it does nothing outside the database.
   */
  readonly safeToRepeat?: boolean;
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  readonly statementTimeoutMs?: number;
};

export interface Database extends Db {
  /** All or nothing. `tx` is of no use once the work has returned. */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}

type DatabaseConfig = {
  readonly connection: pg.PoolConfig;
  readonly poolMax?: number;
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Knows of a server that is away whether that is for want of room on its disk. */
  readonly isFull?: (() => boolean) | undefined;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
};

/** @throws TurnupError `database_unavailable`, `database_version` */
export async function openDatabase(config: DatabaseConfig): Promise<Database> {
  const statementTimeoutMs = config.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const poolMax = config.poolMax ?? POOL_MAX_DEFAULT;
  const keeping = Math.ceil(poolMax * SHARE_THAT_KEEPS_PLANS);
  const poolOf = (max: number, options: string): pg.Pool => {
    const pool = new pg.Pool({
      ...config.connection,
      max,
      application_name: config.applicationName ?? "turnup",
      statement_timeout: statementTimeoutMs,
      lock_timeout: config.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
      options,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      keepAlive: true,
      pipeline: true,
      types: { getTypeParser },
    });
    // A server that goes away is told by the next query; without a listener it would end the program.
    pool.on("error", () => undefined);
    pool.on("connect", (client) => client.on("error", () => undefined));
    return pool;
  };
  const pools = {
    keepsPlans: poolOf(keeping, KEEP_PLANS),
    plansAnew: poolOf(Math.max(1, poolMax - keeping), PLAN_FOR_TODAY),
  };
  const database = naming(pooled(pools, statementTimeoutMs), config.isFull);
  try {
    await atStart(() => checkServer(database));
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * A program that starts is busy with its own data, and the machine perhaps with many such programs: one connection that did
 * not come about in time says nothing yet. It did nothing either, so it is tried again.
 */
async function atStart<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + START_PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const mayCome = error instanceof TurnupError && CAME_TO_NOTHING.test(error.message);
      if (!mayCome || performance.now() > deadline) throw error;
    }
  }
}

/** A server that cannot run on a full disk is away like any other: only whoever keeps it knows why. */
function naming(database: Database, isFull: DatabaseConfig["isFull"]): Database {
  if (!isFull) return database;
  const named = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      const isAway = error instanceof TurnupError && error.code === "database_unavailable";
      throw isAway && isFull() ? full(error) : error;
    });
  return {
    ...database,
    rows: <T>(...asked: Parameters<Db["rows"]>) => named(database.rows<T>(...asked)),
    one: <T>(...asked: Parameters<Db["one"]>) => named(database.one<T>(...asked)),
    run: (...asked) => named(database.run(...asked)),
    transaction: (work, options) => named(database.transaction(work, options)),
  };
}

type Pools = { readonly keepsPlans: pg.Pool; readonly plansAnew: pg.Pool };

function pooled({ keepsPlans, plansAnew }: Pools, statementTimeoutMs: number): Database {
  const whole = dbOver(async (statement, values) => {
    const pool = typeof statement === "string" ? plansAnew : keepsPlans;
    refuseWhenFull(pool);
    return withPatience(() => queryOnce(pool, queryOf(statement, values, statementTimeoutMs)));
  });
  return {
    ...whole,
    transaction: (work, options = {}) =>
      transaction(options.keepsPlans ? keepsPlans : plansAnew, work, {
        ...options,
        sessionTimeoutMs: statementTimeoutMs,
      }),
    close: async () => void (await Promise.all([keepsPlans.end(), plansAnew.end()])),
  };
}

async function queryOnce(pool: pg.Pool, query: Query): Promise<pg.QueryResult> {
  const client = await pool.connect();
  holdTillTurnEnds(client);
  forgetOldPlans(client);
  try {
    const result = await client.query(query);
    client.release();
    return result;
  } catch (error) {
    client.release(!(error instanceof pg.DatabaseError) || LOST_CODES.has(codeOf(error) ?? ""));
    throw error;
  }
}

/** When a connection's plans were last made anew. */
const plannedAtMs = new WeakMap<pg.PoolClient, number>();

function forgetOldPlans(client: pg.PoolClient): void {
  const nowMs = performance.now();
  const sinceMs = plannedAtMs.get(client);
  if (sinceMs !== undefined && nowMs - sinceMs < PLANS_KEPT_MS) return;
  plannedAtMs.set(client, nowMs);
  if (sinceMs !== undefined) client.query("discard plans").catch(() => undefined); // what follows fails the same way
}

type Limits = TransactionOptions & { readonly sessionTimeoutMs: number };

async function transaction<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>, limits: Limits): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transactionOnce(pool, work, limits);
    } catch (error) {
      const again = limits.safeToRepeat && isConflict(error) && attempt <= REPEATS_MAX;
      if (!again) throw error;
      await sleep(Math.random() * REPEAT_PAUSE_MS * 2 ** attempt); // two victims must not meet again in step
    }
  }
}

async function transactionOnce<T>(
  pool: pg.Pool,
  work: (tx: Tx) => Promise<T>,
  { isolation = "read committed", sessionTimeoutMs, statementTimeoutMs = sessionTimeoutMs }: Limits,
): Promise<T> {
  refuseWhenFull(pool);
  const client = await withPatience(() => pool.connect());
  const wire = wireOf(client, statementTimeoutMs);
  try {
    wire.tx.send(`begin isolation level ${isolation}`);
    if (statementTimeoutMs !== sessionTimeoutMs) {
      wire.tx.send(`set local statement_timeout = ${statementTimeoutMs}`);
    }
    const result = await work(wire.tx);
    await wire.commit();
    client.release();
    return result;
  } catch (error) {
    wire.close();
    await giveBack(client);
    throw wire.firstFailure() ?? error;
  }
}

/**
 * A connection during one transaction. What was sent and is not waited for is looked at when the commit was answered;
 * after a statement that failed PostgreSQL refuses all that follow it, so the first failure is the one to tell.
 */
function wireOf(client: pg.PoolClient, timeoutMs: number) {
  let isOpen = true;
  let failure: unknown;
  const query: Run = (statement, values) => {
    if (!isOpen) throw new Error("a statement came after its transaction had ended");
    holdTillTurnEnds(client);
    return told(() => client.query(queryOf(statement, values, timeoutMs)));
  };
  forgetOldPlans(client);
  const tx: Tx = {
    ...dbOver(query),
    send(statement, values = []) {
      query(statement, values).catch((error: unknown) => {
        failure ??= error;
      });
    },
  };
  return {
    tx,
    async commit(): Promise<void> {
      const answer = query("commit", []);
      isOpen = false;
      const { command } = await answer;
      // PostgreSQL answers a commit after a failed statement with a rollback, and without an error.
      if (command === "COMMIT") return;
      throw failure ?? new Error("a statement failed, its error was caught, and all was rolled back");
    },
    firstFailure: () => failure,
    close() {
      isOpen = false;
    },
  };
}

/** Statements that are sent in one turn of the program go out in one write. */
function holdTillTurnEnds(client: pg.PoolClient): void {
  const socket = socketOf(client);
  if (!socket || socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

/** A connection that cannot even roll back is closed, not used again. */
async function giveBack(client: pg.PoolClient): Promise<void> {
  try {
    await client.query(queryOf("rollback", [], 0));
    client.release();
  } catch {
    client.release(true);
  }
}

type Run = (statement: Statement | string, values: Values) => Promise<pg.QueryResult>;

const dbOver = (run: Run): Db => ({
  rows: async <T>(statement: Statement | string, values: Values = []) => {
    const { rows } = await run(statement, values);
    return rows as T[]; // the caller names the columns of its own statement
  },
  one: async <T>(statement: Statement | string, values: Values = []) => {
    const { rows } = await run(statement, values);
    return rows[0] as T | undefined; // likewise
  },
  run: async (statement, values = []) => (await run(statement, values)).rowCount ?? 0,
});

/** The driver knows it; its types do not. */
type Query = pg.QueryConfig & { readonly query_timeout: number };

/** `query_timeout` is the client's own patience, beyond the server's. */
function queryOf(statement: Statement | string, values: Values, statementTimeoutMs: number): Query {
  const words = typeof statement === "string" ? { text: statement } : statement;
  const sent = typeof statement === "string" ? [...values] : inBinary(statement, values);
  return { ...words, values: sent, query_timeout: statementTimeoutMs + SILENCE_MARGIN_MS };
}

function refuseWhenFull(pool: pg.Pool): void {
  if (pool.waitingCount < WAITING_MAX) return;
  throw unavailable(`${WAITING_MAX} callers already wait for a connection`);
}

/** Not reached at all, so nothing was done: the attempt may be made again while a server starts. */
const NOT_REACHED = ["ENOENT", "ECONNREFUSED", "57P03"];

async function withPatience<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + RESTART_PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!NOT_REACHED.includes(codeOf(error) ?? "") || performance.now() > deadline) throw translated(error);
      await sleep(RESTART_POLL_MS);
    }
  }
}

async function told<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    throw translated(error);
  }
}

/** serialization_failure and deadlock_detected. */
const isConflict = (error: unknown): boolean => ["40001", "40P01"].includes(codeOf(error) ?? "");

const LOST_CODES = new Set([
  ...NOT_REACHED,
  ...["ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "EACCES"],
  ...["57P01", "57P02", "57P05", "53300", "28000", "28P01", "3D000"], // shut down, crashed, full, not let in
]);
const LOST_WORDS =
  /Connection terminated|connection error and is not queryable|when trying to connect|after calling end/;
/** disk_full; what PostgreSQL, and the system below it, say when nothing more can be written. */
const FULL_CODES = new Set(["53100", "ENOSPC", "EDQUOT"]);
const TIMEOUT_CODES = new Set(["57014", "55P03", "25P03"]);

/**
 * What the caller can act on becomes a TurnupError. Any other error of PostgreSQL stays itself (its `code` and
 * `constraint` are for the caller) but loses the fields that quote rows, since errors are logged.
 */
function translated(error: unknown): unknown {
  const code = codeOf(error) ?? "";
  const message = messageOf(error);
  if (error instanceof pg.DatabaseError) {
    for (const field of ["detail", "where", "internalQuery"] as const) error[field] = undefined;
  }
  if (LOST_CODES.has(code) || code.startsWith("08") || LOST_WORDS.test(message))
    return unavailable(message, error);
  if (TIMEOUT_CODES.has(code) || message === "Query read timeout") {
    return new TurnupError("database_timeout", `The database took too long: ${message}.`, {
      cause: error,
      nextStep: "Try again; if it stays, look for a long transaction in pg_stat_activity.",
    });
  }
  return FULL_CODES.has(code) ? full(error) : error;
}

const full = (cause: unknown): TurnupError =>
  new TurnupError("database_full", "The disk of the database is full: nothing can be written.", {
    cause,
    nextStep: "Make room on the disk of the database; writing goes on by itself as soon as there is some.",
  });

const unavailable = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("database_unavailable", `The database cannot be reached: ${fact}.`, {
    cause,
    nextStep: "Check that the PostgreSQL server runs and that database.url (DATABASE_URL) names it.",
  });

async function checkServer(database: Db): Promise<void> {
  const server = await database.one<{ version: number; encoding: string }>(
    "select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding",
  );
  const version = Math.floor((server?.version ?? 0) / VERSION_UNIT);
  if (version >= VERSION_MIN && server?.encoding === "UTF8") return;
  throw new TurnupError("database_version", `The server is PostgreSQL ${version} with ${server?.encoding}.`, {
    nextStep: `Use PostgreSQL ${VERSION_MIN} or later with a database in UTF8.`,
  });
}

/** Types whose usual reading would change the value: a 64-bit integer, and a day (which has no time zone). */
function getTypeParser(oid: number, format?: "text" | "binary") {
  if (format !== "binary") {
    if (oid === pg.types.builtins.INT8) return BigInt;
    if (oid === pg.types.builtins.DATE) return String;
    if (oid === pg.types.builtins.TIMESTAMPTZ) return momentOf;
  }
  return pg.types.getTypeParser(oid, format as "text"); // the type knows no binary, the driver does
}
