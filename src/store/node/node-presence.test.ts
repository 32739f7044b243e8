/** Servers on one database: who lives, and what becomes of the leases of those that do not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { sessionConfigOf } from "../database/driver.ts";
import { uuidv7 } from "../database/uuid.ts";
import { ownLeases } from "../orders/own-leases.ts";
import { createLeaseWatch, joinNodes } from "./node-presence.ts";

const { database, config } = await freshDatabaseConfig();
const OPERATOR = uuidv7();
const LEASE_MS = 120_000;
/** The class of the lock of a server that is alone, in release 0.1. */
const ALONE_CLASS = 1_953_854_063;

/** A message and a call, leased as a sender leases them. */
async function lease(number: number | null): Promise<{ readonly message: string; readonly call: string }> {
  const [payload, message, call] = [uuidv7(), uuidv7(), uuidv7()];
  const until = new Date(Date.now() + LEASE_MS);
  await database.run(
    "insert into payload (id, operator_id, kind, protocol, octets, sealed, created_at) values ($1, $2, 'text', 'text', 1, $3, now())",
    [payload, OPERATOR, Buffer.alloc(1)],
  );
  await database.run(
    `insert into message (id, operator_id, payload_id, kind, idempotency_key, reference, part_count, state, reason, due_at,
                          lease_until, leased_by, expires_at, created_at, updated_at)
     values ($1::uuid, $2, $3, 'text', $1::text, 0, 1, 'submitting', 'being handed to the SMSC', $4, $4, $5, $4, now(), now())`,
    [message, OPERATOR, payload, until, number],
  );
  await database.run(
    `insert into outbound_call (id, operator_id, kind, idempotency_key, body, state, reason, due_at, lease_until, leased_by,
                                deadline_at, created_at, updated_at)
     values ($1::uuid, $2, 'fee_request', $1::text, '{}', 'due', 'waits', $3, $3, $4, $3, now(), now())`,
    [call, OPERATOR, until, number],
  );
  return { message, call };
}

async function isDue({ message, call }: { message: string; call: string }): Promise<[boolean, boolean]> {
  const due = async (table: string, id: string): Promise<boolean> =>
    (await database.one<{ due: boolean }>(`select due_at <= now() as due from ${table} where id = $1`, [id]))!
      .due;
  return [await due("message", message), await due("outbound_call", call)];
}

/** The database notices a session's end on its own time. */
async function sessionsEnded(left: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const row = await database.one<{ count: number }>(
      "select count(*)::int as count from pg_stat_activity where application_name = 'turnup node' and datname = current_database()",
    );
    if (row?.count === left) return;
    await sleep(10);
  }
  assert.fail(`there are not ${left} sessions of servers`);
}

async function sessionPids(): Promise<number[]> {
  const rows = await database.rows<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'turnup node' and datname = current_database()",
  );
  return rows.map(({ pid }) => pid);
}

/** A server whose session was cut has opened another. */
async function anotherSessionThan(before: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if ((await sessionPids()).some((pid) => !before.includes(pid))) return;
    await sleep(10);
  }
  assert.fail("the cut was not felt");
}

test("what a server that is gone had leased is due at the second look; a living server's leases are left alone", async () => {
  const living = await joinNodes(config.connection);
  const dying = await joinNodes(config.connection);
  assert.notEqual(living.number(), dying.number());
  const leases = {
    living: await lease(living.number()),
    dying: await lease(dying.number()),
    nobodys: await lease(null),
  };
  const look = createLeaseWatch(database);
  assert.equal(await look(new Date()), 0);
  await dying.close();
  await sessionsEnded(1);
  assert.equal(await look(new Date()), 0, "it may be back in a moment");
  assert.deepEqual(await isDue(leases.dying), [false, false]);
  assert.equal(await look(new Date()), 2);
  assert.deepEqual(await isDue(leases.dying), [true, true]);
  assert.deepEqual(await isDue(leases.living), [false, false]);
  assert.deepEqual(await isDue(leases.nobodys), [false, false]);
  assert.equal(await look(new Date()), 0, "once is enough");
  await living.close();
});

test("what a server that is gone leased in a transaction that ends after it was missed is due as soon as it has ended", async () => {
  const dying = await joinNodes(config.connection);
  const number = dying.number();
  const leases = await lease(null);
  const late = await database.transaction(async (tx) => {
    for (const [table, id] of [
      ["message", leases.message],
      ["outbound_call", leases.call],
    ])
      await tx.run(`update ${table} set leased_by = $2 where id = $1`, [id, number]);
    await dying.close();
    await sessionsEnded(0);
    const look = createLeaseWatch(database);
    for (let looks = 0; looks < 4; looks++) await look(new Date());
    return look;
  });
  assert.deepEqual(await isDue(leases), [false, false]);
  assert.equal(await late(new Date()), 2);
  assert.deepEqual(await isDue(leases), [true, true]);
  assert.equal(await late(new Date()), 0);
});

test("an attempt that its server did not live to end does not count: nothing is put off longer for it", async () => {
  const dying = await joinNodes(config.connection);
  const { message, call } = await lease(dying.number());
  for (const [table, id] of [
    ["message", message],
    ["outbound_call", call],
  ])
    await database.run(`update ${table} set attempts = 3 where id = $1`, [id]);
  await dying.close();
  await sessionsEnded(0);
  const look = createLeaseWatch(database);
  for (let looks = 0; looks < 2; looks++) await look(new Date());
  const attempts = await database.rows(
    "select attempts from message where id = $1 union all select attempts from outbound_call where id = $2",
    [message, call],
  );
  assert.deepEqual(attempts, [{ attempts: 2 }, { attempts: 2 }]);
});

test("a server whose session is cut comes back under its number, unless its leases were taken over meanwhile", async () => {
  let isReachable = true;
  const { host = "localhost" } = config.connection;
  const server = await joinNodes({
    ...config.connection,
    get host() {
      return isReachable ? host : "/nowhere";
    },
  });
  const number = server.number();
  const cut = () =>
    database.run(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'turnup node' and datname = current_database()",
    );
  const back = async (): Promise<number> => {
    for (let tries = 0; tries < 500; tries++) {
      const now = server.number();
      if (now !== null) return now;
      await sleep(10);
    }
    assert.fail("it did not come back");
  };
  const leased = await lease(number);
  const look = createLeaseWatch(database);
  const before = await sessionPids();
  await cut();
  await anotherSessionThan(before);
  assert.equal(await back(), number);
  await look(new Date());
  await look(new Date());
  assert.deepEqual(await isDue(leased), [false, false]);

  isReachable = false;
  await cut();
  await sessionsEnded(0);
  await until(() => server.number() === null, "the cut is not felt");
  await look(new Date());
  await look(new Date());
  assert.deepEqual(await isDue(leased), [true, true]);
  isReachable = true;
  assert.notEqual(await back(), number, "the number is another's business by now");
  await server.close();
});

/** A server looks once a second whether it is alone. */
async function until(what: () => boolean, fact: string): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (what()) return;
    await sleep(10);
  }
  assert.fail(fact);
}

test("who joins waits until a server of release 0.1 has given up being alone", async () => {
  const former = new pg.Client(sessionConfigOf(config.connection));
  await former.connect();
  await former.query("select pg_advisory_lock($1, 0)", [ALONE_CLASS]);
  await former.query("listen turnup_node_joined");
  let hasJoined = false;
  const asked = once(former, "notification");
  const joining = joinNodes(config.connection).then((node) => {
    hasJoined = true;
    return node;
  });
  await asked;
  assert.equal(hasJoined, false);
  await former.query("select pg_advisory_unlock($1, 0)", [ALONE_CLASS]);
  const joined = await joining;
  assert.notEqual(joined.number(), null);
  await joined.close();
  await former.end();
});

test("a server gives back its own leases of that attempt, soon at first and later each time; others' and newer ones stay", async () => {
  const number = 4_711;
  const mine = await lease(number);
  const again = await lease(number);
  const others = await lease(4_712);
  const book = ownLeases(database, () => number);
  await database.run("update message set attempts = 3 where id = $1", [again.message]);
  const now = new Date();
  const leased = await book.leasedHere(now);
  const ids = ({ message, call }: { message: string; call: string }): string[] => [message, call];
  assert.deepEqual(leased.map(({ id }) => id).sort(), [...ids(mine), ...ids(again)].sort());
  await database.run("update outbound_call set attempts = attempts + 1 where id = $1", [again.call]); // claimed anew meanwhile
  assert.equal(await book.giveBack([...leased, { id: others.message, attempts: 0 }], now), 3);
  const dueIn = async (table: string, id: string): Promise<number | null> =>
    (await database.one<{ in: number | null }>(
      `select case when lease_until is null then extract(epoch from due_at - $2)::float end as in from ${table} where id = $1`,
      [id, now],
    ))!.in;
  assert.deepEqual(
    [await dueIn("message", mine.message), await dueIn("message", again.message)],
    [0.5, 4],
    "the pause doubles with each attempt",
  );
  assert.equal(await dueIn("outbound_call", mine.call), 0.5);
  assert.equal(await dueIn("outbound_call", again.call), null);
  assert.equal(await dueIn("message", others.message), null);
  assert.deepEqual(await ownLeases(database, () => null).leasedHere(now), []);
});
