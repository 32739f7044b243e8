/** A reader of the feed misses nothing, whoever writes beside it and however long their transactions take. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, test } from "vitest";
import { drawsOf, REPEAT_WITH, SEED } from "../../../test/fixture/seed.ts";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { CloudEvent } from "../../kernel/events/event-feed.ts";
import type { NewEvent } from "../../kernel/order/change-set.ts";
import { type Database, openDatabase } from "../database/database.ts";
import { migrate } from "../database/migrate.ts";
import { uuidFloor, uuidv7 } from "../database/uuid.ts";
import { startEmbeddedPostgres } from "../embedded/supervisor.ts";
import { insertSteps, stepsOf } from "../orders/event-rows.ts";
import { createEventFeed } from "./event-feed.ts";
import { forgetEvents } from "./forget-events.ts";

const WRITERS = 50;
/** A reader that missed the last event of all would look for it for ever. */
const READ_MS_MAX = 90_000;
/** A server of its own: a transaction of another test would hold the horizon, and 50 sessions are half of what the run's server has. */
const folder = mkdtempSync(join(tmpdir(), "turnup-feed-"));
const server = await startEmbeddedPostgres({ folder, log: () => undefined });
// Six of ten sessions are for what keeps plans, as the writers do.
const database: Database = await openDatabase({ connection: server.connection, poolMax: 90 });
await migrate(database);
whenDone(async () => {
  await database.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
const feed = createEventFeed(database);
afterAll(() => feed.close());

const operator = async (): Promise<string> => {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    id,
    `op-${id}`,
  ]);
  return id;
};
const noted = (operatorId: string, orderId: string, kind: NewEvent["kind"], at = new Date()): NewEvent => ({
  ...{ id: uuidv7(), operatorId, orderId, itemId: null, kind, state: null },
  ...{ reason: `because of ${kind}`, evidence: null, detail: null, at },
});

async function readAll(
  operatorId: string,
  limit = 1_000,
  types: readonly string[] = [],
): Promise<CloudEvent[]> {
  const all: CloudEvent[] = [];
  for (let after: string | undefined; ; ) {
    const page = await feed.read(operatorId, { after, limit, types });
    all.push(...page.events);
    after = page.next;
    if (!page.hasMore) return all;
  }
}

/** What follows a position, once so much of it is told: PostgreSQL's own upkeep may hold it back for a moment. */
async function readUntil(
  operatorId: string,
  after: string | undefined,
  count: number,
): Promise<readonly CloudEvent[]> {
  for (;;) {
    const { events, next } = await feed.read(operatorId, { after, limit: 1_000, types: [] });
    if (events.length >= count) return events;
    await feed.wait(operatorId, next, 50, new AbortController().signal);
  }
}

test(`a reader beside ${WRITERS} writers misses none of their events, sees none twice, and none that was taken back (${REPEAT_WITH})`, async () => {
  const operatorId = await operator();
  const other = await operator();
  const below = drawsOf(SEED);
  const committed = new Map<string, string[]>();
  const write = async (): Promise<void> => {
    const orderId = uuidv7();
    const own: string[] = [];
    committed.set(orderId, own);
    for (let turn = 0; turn < 12; turn++) {
      const first = [noted(operatorId, orderId, "sending"), noted(operatorId, orderId, "works")];
      const second = noted(below(5) === 0 ? other : operatorId, orderId, "resent");
      const pauseMs = below(8);
      const takesBack = below(6) === 0;
      await database
        .transaction(
          async (tx) => {
            await insertSteps(tx, stepsOf(first));
            await tx.run("select pg_sleep($1::float8 / 1000)", [pauseMs]);
            await insertSteps(tx, stepsOf([second]));
            if (takesBack) throw new Error("taken back");
          },
          { keepsPlans: true },
        )
        .catch((error: Error) => assert.equal(error.message, "taken back"));
      if (takesBack) continue;
      own.push(...first.map(({ id }) => id));
      if (second.operatorId === operatorId) own.push(second.id);
    }
  };
  const read: CloudEvent[] = [];
  const end = noted(operatorId, uuidv7(), "works");
  const untilMs = performance.now() + READ_MS_MAX;
  const readOn = async (): Promise<void> => {
    for (let after: string | undefined; read.at(-1)?.id !== end.id && performance.now() < untilMs; ) {
      const page = await feed.read(operatorId, { after, limit: 1 + below(40), types: [] });
      read.push(...page.events);
      after = page.next;
      // PostgreSQL's own upkeep is a transaction too: what is over may be told a little later.
      if (page.events.length === 0) await feed.wait(operatorId, after, 20, new AbortController().signal);
    }
  };
  const write50 = async (): Promise<void> => {
    await Promise.all(Array.from({ length: WRITERS }, write));
    committed.set(end.orderId, [end.id]);
    await insertSteps(database, stepsOf([end]));
  };
  await Promise.all([readOn(), write50()]);

  const wanted = [...committed.values()].flat();
  assert.equal(read.length, wanted.length, "as many as were written");
  assert.deepEqual(new Set(read.map(({ id }) => id)), new Set(wanted));
  for (const [orderId, own] of committed) {
    const seen = read.filter(({ subject }) => subject === `orders/${orderId}`).map(({ id }) => id);
    assert.deepEqual(seen, own, "those of one order as they happened");
  }
  assert.deepEqual(await readAll(operatorId, 17), read, "the order never changes");
});

test("what was begun before is told before, though it was over later; until then nothing behind it is told", async () => {
  const operatorId = await operator();
  const [early, late] = [noted(operatorId, uuidv7(), "sending"), noted(operatorId, uuidv7(), "sending")];
  const ends = new EventTarget();
  let open: Promise<void> = Promise.resolve();
  await new Promise((begun) => {
    open = database.transaction(async (tx) => {
      await insertSteps(tx, stepsOf([early]));
      begun(undefined);
      await new Promise((over) => ends.addEventListener("end", over));
    });
  });
  await insertSteps(database, stepsOf([late]));
  const before = await feed.read(operatorId, { after: undefined, limit: 10, types: [] });
  ends.dispatchEvent(new Event("end")); // before anything can fail: a transaction left open would hold up the closing
  await open;
  assert.deepEqual(before.events, []);
  assert.deepEqual(
    (await readUntil(operatorId, before.next, 2)).map(({ id }) => id),
    [early.id, late.id],
  );
});

test("a step's events share a row and are told one by one, also to who stops between them", async () => {
  const operatorId = await operator();
  const orderId = uuidv7();
  const at = new Date();
  const events = (["judged", "pending", "sending", "order_provisioning"] as const).map((kind) =>
    noted(operatorId, orderId, kind, at),
  );
  await insertSteps(database, stepsOf(events));
  await readUntil(operatorId, undefined, 4);
  const one = await readAll(operatorId, 1);
  assert.deepEqual(
    one.map(({ type }) => type),
    ["turnup.order.judged", "turnup.item.pending", "turnup.item.sending", "turnup.order.provisioning"],
  );
  assert.deepEqual(await readAll(operatorId, 3), one);
  const [second] = one.slice(1);
  const behind = await feed.read(operatorId, {
    after: second?.position,
    limit: 10,
    types: ["turnup.order.*"],
  });
  assert.deepEqual(behind.events, one.slice(3));
  assert.equal(one[0]?.source, `urn:uuid:${operatorId}`);
  assert.equal(one[0]?.subject, `orders/${orderId}`);
  assert.deepEqual(one[0]?.data.reason, "because of judged");
});

test("what a statement changes of messages is told, each with its state; leases are no news", async () => {
  const operatorId = await operator();
  const ids = [uuidv7(), uuidv7()];
  await database.run(
    `insert into message (id, operator_id, kind, idempotency_key, reference, part_count, state, reason, expires_at, created_at, updated_at, sealed, octets)
     select id, $2, 'text', id::text, 1, 1, 'queued', 'waits', now(), now(), now(), '\\x00', 1 from unnest($1::uuid[]) as id`,
    [ids, operatorId],
  );
  for (const state of ["submitting", "submitted", "submitted", "delivered"])
    await database.run("update message set state = $2, reason = $2 where id = any($1::uuid[])", [ids, state]);
  await readUntil(operatorId, undefined, 6);
  const told = await readAll(operatorId, 1);
  assert.deepEqual(
    told.map(({ type, subject }) => [type.replace("turnup.message.", ""), subject.replace("messages/", "")]),
    ["queued", "submitted", "delivered"].flatMap((state) => ids.map((id) => [state, id])),
  );
  assert.equal(new Set(told.map(({ id }) => id)).size, told.length);
  const rows = await database.rows("select from change where operator_id = $1", [operatorId]);
  assert.equal(rows.length, 3, "a row a statement");
});

test("positions of before a restore, and of what is kept no longer, are refused and never misread", async () => {
  const operatorId = await operator();
  await insertSteps(database, stepsOf([noted(operatorId, uuidv7(), "sending")]));
  const [event] = await readUntil(operatorId, undefined, 1);
  const ask = { after: event?.position, limit: 10, types: [] };
  await feed.read(operatorId, ask);
  await database.run("update event_feed set floor = pg_current_xact_id() where operator_id = $1", [
    operatorId,
  ]);
  await assert.rejects(feed.read(operatorId, ask), { code: "event_position_gone" });
  assert.deepEqual(await readAll(operatorId), []);
  await database.run("update event_feed set floor = '0', epoch = gen_random_uuid() where operator_id = $1", [
    operatorId,
  ]);
  await assert.rejects(feed.read(operatorId, ask), { code: "event_position_gone" });
  assert.equal((await readAll(operatorId)).length, 1);
  await assert.rejects(feed.read(operatorId, { ...ask, after: "A".repeat(60) }), {
    code: "cursor_malformed",
  });
});

test("a moment is found among the transactions; whoever begins now gets only what comes", async () => {
  const operatorId = await operator();
  const HOUR_MS = 3_600_000;
  const start = Date.now() - 40 * HOUR_MS;
  for (let hour = 0; hour < 40; hour++) {
    const at = new Date(start + hour * HOUR_MS);
    const id = `${uuidFloor(at).slice(0, 24)}${uuidv7().slice(24)}`;
    await insertSteps(database, stepsOf([{ ...noted(operatorId, uuidv7(), "sending", at), id }]));
  }
  await readUntil(operatorId, undefined, 40);
  const from = async (moment: number) => {
    const after = await feed.at(operatorId, new Date(moment));
    return (await feed.read(operatorId, { after, limit: 100, types: [] })).events.length;
  };
  assert.equal(await from(start + 30 * HOUR_MS), 10);
  assert.equal(await from(start - HOUR_MS), 40);
  assert.equal(await from(start + 50 * HOUR_MS), 0);
  const after = await feed.now(operatorId);
  await insertSteps(database, stepsOf([noted(operatorId, uuidv7(), "works")]));
  assert.deepEqual(
    (await readUntil(operatorId, after, 1)).map(({ type }) => type),
    ["turnup.item.works"],
  );
});

test("who waits is woken by what comes", async () => {
  const operatorId = await operator();
  const { next } = await feed.read(operatorId, { after: undefined, limit: 10, types: [] });
  const woken = feed.wait(operatorId, next, 100_000, new AbortController().signal);
  await insertSteps(database, stepsOf([noted(operatorId, uuidv7(), "works")]));
  await woken;
  const { events } = await feed.read(operatorId, { after: next, limit: 10, types: [] });
  assert.equal(events.length, 1);
  const gone = new AbortController();
  const left = feed.wait(operatorId, next, 100_000, gone.signal);
  gone.abort();
  await left;
});

test("who waits is let go when the time is over, also where memory was tidied up meanwhile", async () => {
  const operatorId = await operator();
  const { next } = await feed.read(operatorId, { after: undefined, limit: 10, types: [] });
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const waits = feed.wait(operatorId, next, 1_000, new AbortController().signal);
  let isOver = false;
  const over = waits.then(() => {
    isOver = true;
  });
  // What comes late is no matter; what never comes ends the test by its own limit.
  while (!isOver) {
    collect();
    await new Promise((turn) => setTimeout(turn, 50));
  }
  await over;
});

test("one wanted among many that are not is found in one page, and the next page leads on behind it", async () => {
  const operatorId = await operator();
  const many = Array.from({ length: 60 }, () => noted(operatorId, uuidv7(), "sending"));
  const [first, second] = [noted(operatorId, uuidv7(), "works"), noted(operatorId, uuidv7(), "works")];
  await insertSteps(database, stepsOf([...many, first, second]));
  await readUntil(operatorId, undefined, 62);
  const types = ["turnup.item.works"];
  const one = await feed.read(operatorId, { after: undefined, limit: 1, types });
  assert.deepEqual([one.events.map(({ id }) => id), one.hasMore], [[first.id], true]);
  const other = await feed.read(operatorId, { after: one.next, limit: 1, types });
  assert.deepEqual([other.events.map(({ id }) => id), other.hasMore], [[second.id], false]);
});

test("a position of a moment that the database went back behind is refused", async () => {
  const operatorId = await operator();
  const row = await database.one<{ epoch: string; tx: string }>(
    "insert into event_feed (operator_id) values ($1) returning left(epoch::text, 8) as epoch, (pg_current_xact_id()::text::bigint + 1000000)::text as tx",
    [operatorId],
  );
  const after = Buffer.from(`${row?.epoch}.${row?.tx}.${"0".repeat(32)}.-1`).toString("base64url");
  await assert.rejects(feed.read(operatorId, { after, limit: 10, types: [] }), {
    code: "event_position_gone",
  });
});

const DAY_MS = 86_400_000;
const idOf = (at: Date): string => `${uuidFloor(at).slice(0, 24)}${uuidv7().slice(24)}`;

test("what triggers noted goes when it was kept for so long, of every operator, and positions of before are refused", async () => {
  const now = new Date();
  const [many, few] = [await operator(), await operator()];
  const CHANGES =
    "insert into change (operator_id, id, subject, changes) select $1, id, 'message', $3 from unnest($2::uuid[]) as id";
  const add = (operatorId: string, ids: readonly string[]) =>
    database.run(CHANGES, [
      operatorId,
      ids,
      JSON.stringify([[uuidv7(), null, null, "text", "queued", "waits", now]]),
    ]);
  const before = new Date(now.getTime() - 31 * DAY_MS);
  const young = [idOf(new Date(now.getTime() - 29 * DAY_MS))];
  await add(
    many,
    Array.from({ length: 2_001 }, () => idOf(before)),
  );
  await add(few, [idOf(before)]);
  for (const operatorId of [many, few]) await add(operatorId, young);
  const [old] = await readUntil(few, undefined, 2);
  await readUntil(many, undefined, 1_000);
  const kept = async (operatorId: string) =>
    (await database.rows("select from change where operator_id = $1", [operatorId])).length;

  assert.equal(await forgetEvents(database, now, 30), true, "there is more");
  assert.deepEqual([await kept(many), await kept(few)], [2, 1], "one that has much holds up no other");
  assert.equal(await forgetEvents(database, now, 30), false);
  assert.deepEqual([await kept(many), await kept(few)], [1, 1]);
  const told = await readAll(few);
  assert.deepEqual(
    told.map(({ id }) => id),
    [`${young[0]}-0`],
  );
  await assert.rejects(feed.read(few, { after: old?.position, limit: 10, types: [] }), {
    code: "event_position_gone",
  });
  assert.deepEqual((await feed.read(few, { after: told[0]?.position, limit: 10, types: [] })).events, []);
});

test("what a restore brought in one transaction is kept, and found by its time, for as long as its youngest event", async () => {
  const operatorId = await operator();
  const now = new Date();
  const daysAgo = [200, 31, 2].map((days) => new Date(now.getTime() - days * DAY_MS));
  const restored = daysAgo.map((at) => ({ ...noted(operatorId, uuidv7(), "sending", at), id: idOf(at) }));
  await database.transaction(async (tx) => {
    for (const one of restored) await insertSteps(tx, stepsOf([one]));
  });
  await readUntil(operatorId, undefined, 3);
  await forgetEvents(database, now, 30);
  const ids = restored.map(({ id }) => id);
  assert.deepEqual(
    (await readAll(operatorId)).map(({ id }) => id),
    ids,
  );
  const after = await feed.at(operatorId, new Date(now.getTime() - 3 * DAY_MS));
  assert.ok(
    (await feed.read(operatorId, { after, limit: 10, types: [] })).events.some(({ id }) => id === ids[2]),
  );
  await forgetEvents(database, new Date(now.getTime() + 29 * DAY_MS), 30);
  assert.deepEqual(await readAll(operatorId), []);
});
