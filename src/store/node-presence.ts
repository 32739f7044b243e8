/**
 * Which servers work on this database, told by the database itself: each takes a number and holds an advisory lock on
 * it, in a session of its own that does nothing else. PostgreSQL frees the lock the moment that session ends, however
 * it ends, and whoever looks then knows that the server is gone, without comparing clocks.
 *
 *   join ── number from the sequence ── lock ── session lost? ── the same number again, unless it was given up meanwhile
 *   look ── numbers without a lock, twice in a row ── their leases are due again ── the numbers are forgotten
 *
 * Twice in a row, since a session can drop while its server lives and comes back at once. A server that stays cut off
 * for longer and yet speaks to the message centre is overtaken, as when a lease lapses: the same octets may go out
 * once more under the same reference, and a handset drops them. Behind a pooler that shares sessions the lock says
 * nothing; leases then lapse by their time alone.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Database, Db } from "./database.ts";

/** The advisory locks of this use: first of two keys. */
const LOCK_CLASS = 1_953_854_062;
const CONNECT_TIMEOUT_MS = 5_000;
const REJOIN_PAUSE_MS = 250;

export type NodePresence = {
  /** Null while the session is lost: a lease taken now has no owner and lapses by its time. */
  number(): number | null;
  close(): Promise<void>;
};

export async function joinNodes(connection: pg.PoolConfig): Promise<NodePresence> {
  let held: { readonly client: pg.Client; readonly number: number } | undefined;
  let closed = false;

  async function enter(before: number | undefined): Promise<void> {
    const client = new pg.Client({
      ...(connection as pg.ClientConfig),
      application_name: "turnup node",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on("error", () => undefined); // `end` follows
    try {
      await client.connect();
      const number = await numberFor(client, before);
      client.once("end", () => lost(number));
      held = { client, number };
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (closed) await held.client.end();
  }

  function lost(number: number): void {
    held = undefined;
    if (!closed) void rejoin(number);
  }

  async function rejoin(number: number): Promise<void> {
    while (!closed) {
      try {
        return await enter(number);
      } catch {
        await sleep(REJOIN_PAUSE_MS, undefined, { ref: false }); // the database is away; others tell of it
      }
    }
  }

  await enter(undefined);
  return {
    number: () => held?.number ?? null,
    async close() {
      closed = true;
      await held?.client.end();
    },
  };
}

/** The number it had, if nobody has taken over its leases; else a new one. Locked before anybody can look for it. */
async function numberFor(client: pg.Client, before: number | undefined): Promise<number> {
  if (before !== undefined) {
    await client.query("select pg_advisory_lock($1, $2)", [LOCK_CLASS, before]);
    const { rowCount } = await client.query("select from node where number = $1", [before]);
    if (rowCount === 1) return before;
    await client.query("select pg_advisory_unlock($1, $2)", [LOCK_CLASS, before]);
  }
  const { rows } = await client.query("select nextval('node_number')::int as number");
  const { number } = rows[0] as { number: number };
  await client.query("select pg_advisory_lock($1, $2)", [LOCK_CLASS, number]);
  await client.query("insert into node (number) values ($1) on conflict (number) do nothing", [number]);
  return number;
}

const UNHELD = {
  name: "nodes_unheld",
  text: `select number from node n
          where not exists (select from pg_locks l
                             where l.locktype = 'advisory' and l.granted and l.classid = $1::int::oid
                               and l.objid = n.number::oid and l.objsubid = 2
                               and l.database = (select oid from pg_database where datname = current_database()))`,
};
/** In order of id, as every other batch locks its messages. */
const RECLAIM_MESSAGES = {
  name: "reclaim_messages", // message_due
  text: `update message set state = 'queued', reason = 'the server that was sending it is gone; it goes out again',
                due_at = $2, lease_until = null, updated_at = $2
          where id in (select id from message
                        where due_at is not null and lease_until is not null and leased_by = any($1::integer[])
                        order by id for update)`,
};
const RECLAIM_CALLS = {
  name: "reclaim_calls", // outbound_call_due
  text: `update outbound_call set due_at = $2, lease_until = null, updated_at = $2
          where id in (select id from outbound_call
                        where due_at is not null and lease_until is not null and leased_by = any($1::integer[])
                        order by id for update)`,
};
const FORGET = { name: "forget_nodes", text: "delete from node where number = any($1::integer[])" };

/** Each call is one look; answers how many leases of servers that are gone are due again. */
export function createLeaseWatch(database: Database): (now: Date) => Promise<number> {
  let missing: ReadonlySet<number> = new Set();
  return async (now) => {
    const unheld = (await database.rows<{ number: number }>(UNHELD, [LOCK_CLASS])).map(
      ({ number }) => number,
    );
    const gone = unheld.filter((number) => missing.has(number));
    missing = new Set(unheld);
    if (gone.length === 0) return 0;
    return database.transaction((tx) => reclaim(tx, gone, now), { safeToRepeat: true });
  };
}

const TAKE_OVER = {
  name: "take_over_nodes", // node_pkey
  text: "select number from node where number = any($1::integer[]) and pg_try_advisory_xact_lock($2, number)",
};

/** Under the lock of the number: a server that comes back this moment waits, and then finds its number gone. */
async function reclaim(tx: Db, missed: readonly number[], now: Date): Promise<number> {
  const rows = await tx.rows<{ number: number }>(TAKE_OVER, [missed, LOCK_CLASS]);
  const gone = rows.map(({ number }) => number);
  if (gone.length === 0) return 0;
  const messages = await tx.run(RECLAIM_MESSAGES, [gone, now]);
  const calls = await tx.run(RECLAIM_CALLS, [gone, now]);
  await tx.run(FORGET, [gone]);
  return messages + calls;
}
