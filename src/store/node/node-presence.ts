/**
 * Which servers work on this database, told by the database itself: each takes a number and holds an advisory lock on
 * it, in a session of its own that does nothing else. PostgreSQL frees the lock the moment that session ends, however
 * it ends, and whoever looks then knows that the server is gone, without comparing clocks.
 *
 *   join ── number from the sequence ── lock ── session lost? ── the same number again, unless it was given up meanwhile
 *   look ── numbers without a lock, twice in a row ── their leases are due again ── the numbers are forgotten ── what they
 *           leased in transactions that ended later is due again, too
 *
 * Twice in a row, since a session can drop while its server lives and comes back at once. A server that stays cut off
 * for longer and yet speaks to the message centre is overtaken, as when a lease lapses: the same octets may go out
 * once more under the same reference, and a handset drops them. Behind a pooler that shares sessions the lock says
 * nothing; leases then lapse by their time alone.
 *
 * A server of release 0.1 that finds no other takes a second lock, of which there is one: while it holds that, it remembers
 * what only a server could have changed. Who joins asks for it and waits until it was given up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { codeOf } from "../../term/narrow.ts";
import type { Database, Db } from "../database/database.ts";
import { sessionConfigOf, the } from "../database/driver.ts";

/** The advisory locks of this use: first of two keys. */
const LOCK_CLASS = 1_953_854_062;
/** The lock of the server that is alone: first of two keys; the second is 0. */
const ALONE_CLASS = 1_953_854_063;
const JOINED_CHANNEL = "turnup_node_joined";
/** A server that does not give up being alone for this long hangs: it hears of us before anything else. */
const ALONE_PATIENCE_MS = 10_000;
const LOCK_NOT_AVAILABLE = "55P03";
const CONNECT_TIMEOUT_MS = 5_000;
const REJOIN_PAUSE_MS = 250;

type NodePresence = {
  /** Null while the session is lost: a lease taken now has no owner and lapses by its time. */
  number(): number | null;
  close(): Promise<void>;
};

type Presence = {
  readonly connection: pg.PoolConfig;
  /** The session that holds the lock of our number; undefined while it is lost. */
  held: { readonly client: pg.Client; readonly number: number } | undefined;
  closed: boolean;
};

export async function joinNodes(connection: pg.PoolConfig): Promise<NodePresence> {
  const node: Presence = {
    connection,
    held: undefined,
    closed: false,
  };

  await enter(node, undefined);
  return {
    number: () => node.held?.number ?? null,
    async close() {
      node.closed = true;
      await node.held?.client.end();
    },
  };
}

async function enter(node: Presence, before: number | undefined): Promise<void> {
  const client = new pg.Client({
    ...sessionConfigOf(node.connection),
    application_name: "turnup node",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on("error", () => undefined); // `end` follows
  try {
    await client.connect();
    const number = await numberFor(client, before);
    await waitForTheOneAlone(client);
    client.once("end", () => lost(node, number));
    node.held = { client, number };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  if (node.closed) await node.held.client.end();
}

function lost(node: Presence, number: number): void {
  node.held = undefined;
  if (!node.closed) void rejoin(node, number);
}

async function rejoin(node: Presence, number: number): Promise<void> {
  while (!node.closed) {
    try {
      return await enter(node, number);
    } catch {
      await sleep(REJOIN_PAUSE_MS, undefined, { ref: false }); // the database is away; others tell of it
    }
  }
}

/** The number it had, if nobody has taken over its leases; else a new one. Locked before anybody can look for it. */
async function numberFor(client: pg.Client, before: number | undefined): Promise<number> {
  if (before !== undefined) {
    await client.query("select pg_advisory_lock($1, $2)", [LOCK_CLASS, before]);
    const { rowCount } = await client.query("select from node where number = $1", [before]);
    if (rowCount === 1) return before;
    await client.query("select pg_advisory_unlock($1, $2)", [LOCK_CLASS, before]);
  }
  const { rows } = await client.query<{ number: number }>("select nextval('node_number')::int as number");
  const { number } = the(rows);
  await client.query("select pg_advisory_lock($1, $2)", [LOCK_CLASS, number]);
  await client.query(
    "insert into node (number, reads_past) values ($1, true) on conflict (number) do nothing",
    [number],
  );
  return number;
}

/** Tells whoever is alone that this server is here, and waits until it is told to be alone no more. */
async function waitForTheOneAlone(client: pg.Client): Promise<void> {
  await client.query("select pg_notify($1, '')", [JOINED_CHANNEL]);
  await client.query(`begin; set local lock_timeout = ${ALONE_PATIENCE_MS}`);
  try {
    await client.query("select pg_advisory_xact_lock($1, 0)", [ALONE_CLASS]);
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
  }
  await client.query("rollback");
}

const UNHELD = {
  name: "nodes_unheld",
  text: `select number from node n
          where not exists (select from pg_locks l
                             where l.locktype = 'advisory' and l.granted and l.classid = $1::int::oid
                               and l.objid = n.number::oid and l.objsubid = 2
                               and l.database = (select oid from pg_database where datname = current_database()))`,
};
/**
 * In order of id, as every other batch locks its messages. An attempt that its server did not live to end is none: the pause
 * before a next one grows with the attempts that failed, and a server killed four times would make it a minute and more.
 */
const RECLAIM_MESSAGES = {
  name: "reclaim_messages", // message_due
  text: `update message set state = 'queued', reason = 'the server that was sending it is gone; it goes out again',
                due_at = $2, lease_until = null, attempts = greatest(attempts - 1, 0), updated_at = $2
          where id in (select id from message
                        where due_at is not null and lease_until is not null and leased_by = any($1::integer[])
                        order by id for update)`,
};
const RECLAIM_CALLS = {
  name: "reclaim_calls", // outbound_call_due
  text: `update outbound_call set due_at = $2, lease_until = null, attempts = greatest(attempts - 1, 0), updated_at = $2
          where id in (select id from outbound_call
                        where due_at is not null and lease_until is not null and leased_by = any($1::integer[])
                        order by id for update)`,
};
/** That it was taken counts: a job that ends its servers is given up some day. */
const RECLAIM_JOBS = {
  name: "reclaim_jobs", // job_due
  text: `update job set due_at = $2, lease_until = null, updated_at = $2
          where due_at is not null and lease_until is not null and state = 'running' and leased_by = any($1::integer[])`,
};
const FORGET = { name: "forget_nodes", text: "delete from node where number = any($1::integer[])" };

/** Longer than any lease: what such a server left behind is due by itself. */
const LONGEST_LEASE_MS = 180_000;
/** Begun before a moment and going on, whoever began it: what it leases is seen once it has ended. */
const GOES_ON = {
  name: "transactions_before",
  text: `select exists (select from pg_stat_activity
                         where datname = current_database() and backend_type = 'client backend'
                           and pid <> pg_backend_pid() and xact_start <= $1) as "goesOn"`,
};

/**
 * Each call is one look; answers how many leases of servers that are gone are due again. PostgreSQL ends a transaction whose
 * commit it had received, also after whoever sent it is gone: so what a server leased is looked for until nothing goes on that
 * began before it was missed.
 */
export function createLeaseWatch(database: Database): (now: Date) => Promise<number> {
  let missing: ReadonlySet<number> = new Set();
  /** Taken over, and when they were missed. */
  const departed = new Map<number, Date>();
  return async (now) => {
    const unheld = (await database.rows<{ number: number }>(UNHELD, [LOCK_CLASS])).map(
      ({ number }) => number,
    );
    const gone = unheld.filter((number) => missing.has(number));
    missing = new Set(unheld);
    if (gone.length === 0 && departed.size === 0) return 0;
    const over = await settled(database, departed, now); // before what they committed is looked for
    const { taken, due } = await database.transaction((tx) => reclaim(tx, gone, [...departed.keys()], now), {
      safeToRepeat: true,
    });
    for (const number of over) departed.delete(number);
    for (const number of taken) departed.set(number, now);
    return due;
  };
}

/** Those of which nothing more can come. */
async function settled(db: Db, departed: ReadonlyMap<number, Date>, now: Date): Promise<number[]> {
  const over: number[] = [];
  for (const [number, missedAt] of departed) {
    const isLapsed = now.getTime() - missedAt.getTime() > LONGEST_LEASE_MS;
    if (isLapsed || (await db.one<{ goesOn: boolean }>(GOES_ON, [missedAt]))?.goesOn === false)
      over.push(number);
  }
  return over;
}

const TAKE_OVER = {
  name: "take_over_nodes", // node_pkey
  text: "select number from node where number = any($1::integer[]) and pg_try_advisory_xact_lock($2, number)",
};

/** Under the lock of the number: a server that comes back this moment waits, and then finds its number gone. */
async function reclaim(
  tx: Db,
  missed: readonly number[],
  departed: readonly number[],
  now: Date,
): Promise<{ readonly taken: readonly number[]; readonly due: number }> {
  const rows = missed.length === 0 ? [] : await tx.rows<{ number: number }>(TAKE_OVER, [missed, LOCK_CLASS]);
  const taken = rows.map(({ number }) => number);
  const gone = [...taken, ...departed];
  if (gone.length === 0) return { taken, due: 0 };
  const messages = await tx.run(RECLAIM_MESSAGES, [gone, now]);
  const calls = await tx.run(RECLAIM_CALLS, [gone, now]);
  const jobs = await tx.run(RECLAIM_JOBS, [gone, now]);
  if (taken.length > 0) await tx.run(FORGET, [taken]);
  return { taken, due: messages + calls + jobs };
}
