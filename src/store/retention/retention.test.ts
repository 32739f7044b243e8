/** Months of the large tables on PostgreSQL: made ahead, turned, put away as a whole or by rows, and counted still. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase, waitersFor } from "../../../test/fixture/database.ts";
import { until } from "../../../test/fixture/story.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import {
  type GrownKind,
  KEEP_ALL,
  type RetainedKind,
  type RetentionPolicy,
} from "../../kernel/operator/retention.ts";
import type { Database } from "../database/database.ts";
import { ensureOperator } from "../operator/operators.ts";
import { createSealer } from "../seal/seal.ts";
import { boundOf, GROWN, makeMonthsAhead, monthsAheadOf, partitionsOf } from "./partitions.ts";
import { createRetention } from "./retention.ts";
import { sweepStep } from "./sweep.ts";

const database = await freshDatabase();
let count = 0;
const octets = (): Buffer => Buffer.from(`${++count}`.padStart(32, "0"));
/** An id of that moment, as every id of ours is one. */
const idAt = (at: string): string =>
  `${boundOf(GROWN.audit, new Date(at)).slice(0, 14)}7000-8000-${String(++count).padStart(12, "0")}`;
const names = async (kind: GrownKind, on: Database = database): Promise<string[]> =>
  (await partitionsOf(on, GROWN[kind])).map(({ name }) => name);

async function operator(slug: string, retention: Partial<RetentionPolicy>): Promise<string> {
  const id = idAt("2026-01-01T00:00:00Z");
  await ensureOperator(database, { id, slug, name: slug, kind: "mno", homePlmns: [] });
  await keeps(id, 1, retention);
  return id;
}
const keeps = (operatorId: string, version: number, retention: Partial<RetentionPolicy>) =>
  database.run(
    "insert into operator_policy (operator_id, version, body, made_by) values ($1, $2, $3, 'ada')",
    [operatorId, version, JSON.stringify({ ...DEFAULT_POLICY, retention: { ...KEEP_ALL, ...retention } })],
  );

const seen = (operatorId: string, at: string, outcome = "sim_moved", on: Pick<Database, "run"> = database) =>
  on.run(
    `insert into sighting (id, operator_id, subscriber_id, device_id, serving_plmn, source, outcome, seen_at)
     values ($1, $2, $3, $3, '262-01', 'radius', $4, $5)`,
    [idAt(at), operatorId, idAt(at), outcome, at],
  );
const audited = (operatorId: string, at: string, action: string) =>
  database.run(
    "insert into audit (id, operator_id, actor, action, subject, at) values ($1, $2, 'ada', $3, '', $4)",
    [idAt(at), operatorId, action, at],
  );

/** An order with two steps of one event and three: the second holds two in `more`. */
async function order(operatorId: string, at: string, state: "provisioning" | "completed"): Promise<string> {
  const [subscriber, device, id] = [idAt(at), idAt(at), idAt(at)];
  await database.run(
    "insert into subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn) values ($1, $2, $3, $3, '26201')",
    [subscriber, operatorId, octets()],
  );
  await database.run(
    "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $3, '35163707')",
    [device, operatorId, octets()],
  );
  const due = state === "provisioning" ? new Date() : null;
  await database.run(
    `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action,
       due_at, deadline_at, created_at, updated_at)
     values ($1, $2, $3, $4, 'sim_moved', 'mno', $5, 'r', 'n', $6, $6, $7, $7)`,
    [id, operatorId, subscriber, device, state, due, at],
  );
  const more = [
    [idAt(at), null, "item_added", "pending", "r", null, null],
    [idAt(at), null, "message_queued", null, "r", null, null],
  ];
  for (const rest of [null, more])
    await database.run(
      `insert into order_event (id, operator_id, order_id, kind, state, reason, more, at)
       values ($1, $2, $3, 'order_provisioning', 'provisioning', 'r', $4, $5)`,
      [idAt(at), operatorId, id, rest && JSON.stringify(rest), at],
    );
  return id;
}

const at = (now: string, on: Database = database) => ({
  database: on,
  sealer: createSealer(Buffer.alloc(32, 7)),
  newId: () => idAt(now),
  clock: () => new Date(now),
});
async function sweep(kind: RetainedKind, now: string): Promise<void> {
  for (let steps = 0; await sweepStep(at(now), kind); steps++)
    assert.ok(steps < 100, "a sweep comes to its end");
}
const retentionAt = (now: string) =>
  createRetention({
    ...at(now),
    policyOf: async (operatorId) => {
      const row = await database.one<{ body: typeof DEFAULT_POLICY }>(
        "select body from operator_policy where operator_id = $1 order by version desc limit 1",
        [operatorId],
      );
      return row?.body ?? DEFAULT_POLICY;
    },
  });
const left = async (table: string, operatorId: string): Promise<number> =>
  (
    await database.one<{ n: number }>(`select count(*)::int as n from ${table} where operator_id = $1`, [
      operatorId,
    ])
  )?.n ?? 0;
const applied = (operatorId: string, kind: RetainedKind) =>
  database.rows<{ entries: number; keptFrom: string }>(
    `select (detail ->> 'entries')::int as entries, detail ->> 'keptFrom' as "keptFrom" from audit
      where operator_id = $1 and action = 'retention.applied' and subject = $2 order by id`,
    [operatorId, kind],
  );

test("months are made ahead, each once, also where two servers make them at one moment", async () => {
  const own = await freshDatabase();
  const now = new Date("2026-12-31T23:59:59Z");
  const made = await Promise.all([
    makeMonthsAhead(own, now),
    makeMonthsAhead(own, now),
    makeMonthsAhead(own, now),
  ]);
  await makeMonthsAhead(own, now); // what one left to another that was at it
  assert.equal(new Set(made.flat()).size, made.flat().length, "none was made twice");
  for (const kind of ["sightings", "events", "audit", "messages"] as const) {
    const { table } = GROWN[kind];
    const months = ["2026_12", "2027_01", "2027_02", "default"];
    assert.deepEqual(
      await names(kind, own),
      months.map((month) => `${table}_${month}`),
    );
  }
  assert.deepEqual(await monthsAheadOf(own, now), { sightings: 2, events: 2, audit: 2, messages: 2 });
  const turned = new Date("2027-01-01T00:00:00Z");
  assert.deepEqual(
    await monthsAheadOf(own, turned),
    { sightings: 1, events: 1, audit: 1, messages: 1 },
    "the month turned",
  );
  await makeMonthsAhead(own, turned);
  assert.deepEqual(await monthsAheadOf(own, turned), { sightings: 2, events: 2, audit: 2, messages: 2 });
});

test("what came before anybody made its month moves into it; at the turn of a month each row stands on its own side", async () => {
  const own = await freshDatabase();
  const mine = idAt("2026-01-01T00:00:00Z");
  for (const moment of ["2026-03-31T23:59:59.999Z", "2026-04-01T00:00:00Z", "2026-06-30T00:00:00Z"])
    await seen(mine, moment, "late", own);
  await makeMonthsAhead(own, new Date("2026-03-10T00:00:00Z"));
  const rows = await own.rows<{ place: string; at: Date }>(
    `select tableoid::regclass::text as place, seen_at as at from sighting order by seen_at`,
  );
  assert.deepEqual(
    rows.map(({ place }) => place),
    ["sighting_2026_03", "sighting_2026_04", "sighting_default"],
  );
  const ids = ["2026-04-30T23:59:59.999Z", "2026-05-01T00:00:00.000Z"].map(idAt);
  for (const id of ids)
    await own.run(
      "insert into order_event (id, operator_id, order_id, kind, reason, at) values ($1, $2, $2, 'works', 'r', now())",
      [id, mine],
    );
  const events = await own.rows<{ place: string }>(
    "select tableoid::regclass::text as place from order_event order by id",
  );
  assert.deepEqual(
    events.map(({ place }) => place),
    ["order_event_2026_04", "order_event_2026_05"],
  );
});

test("whoever writes into a month in the moment in which it is made is not refused", async () => {
  const own = await freshDatabase();
  const mine = idAt("2026-01-01T00:00:00Z");
  let isOver = false;
  let written = 0;
  const write = async (): Promise<void> => {
    while (!isOver) {
      for (let month = 1; month <= 9; month++) {
        await seen(mine, `2026-0${month}-10T00:00:00Z`, "late", own);
        written++;
      }
    }
  };
  const writers = [write(), write(), write(), write()];
  try {
    for (const month of [1, 4, 7]) {
      const due = new Date(Date.UTC(2026, month - 1, 15));
      await until(
        async () => {
          await makeMonthsAhead(own, due).catch(() => undefined); // writers were before it: it comes again
          return (await monthsAheadOf(own, due)).sightings;
        },
        (ahead) => ahead === 2,
        "the months are made",
      );
    }
  } finally {
    isOver = true;
    await Promise.allSettled(writers); // a failure leaves nobody behind that writes
  }
  await Promise.all(writers);
  assert.deepEqual(await own.rows("select count(*)::int as n from sighting"), [{ n: written }]);
  assert.deepEqual(await own.rows("select from sighting_default"), []);
});

test("a month that nobody keeps is dropped as a whole and is counted still; with two times the rows of one go, and the month with the last", async () => {
  await makeMonthsAhead(database, new Date("2026-01-15T00:00:00Z"));
  await makeMonthsAhead(database, new Date("2026-04-15T00:00:00Z"));
  const brief = await operator("brief", { sightings: 1 });
  const long = await operator("long", { sightings: 3 });
  for (const month of ["01", "02", "03", "04"]) {
    await seen(brief, `2026-${month}-10T00:00:00Z`, "first_registration");
    await seen(brief, `2026-${month}-11T00:00:00Z`);
    await seen(brief, `2026-${month}-12T00:00:00Z`);
    if (month !== "01") await seen(long, `2026-${month}-10T00:00:00Z`);
  }
  const now = "2026-05-02T00:00:00Z"; // brief keeps April and May, long keeps February and later
  const told = (await retentionAt(now).look(brief, {})).find(({ kind }) => kind === "sightings");
  await sweep("sightings", now);
  assert.equal(await left("sighting", brief), 3);
  assert.equal(await left("sighting", long), 3);
  const months = await names("sightings");
  assert.ok(!months.includes("sighting_2026_01"), "nobody keeps January");
  assert.ok(
    months.includes("sighting_2026_02") && months.includes("sighting_2026_03"),
    "one operator keeps them",
  );
  const expected = ["2026-01", "2026-02", "2026-03"].map((month) => ({ month, entries: 3 }));
  assert.deepEqual(told?.over, expected, "the look beforehand");
  assert.deepEqual(await applied(brief, "sightings"), [{ entries: 9, keptFrom: "2026-04-01T00:00:00.000Z" }]);
  assert.deepEqual(await applied(long, "sightings"), []);
  const counted = await retentionAt(now).statistics(brief, { kind: "sightings", to: "2026-02" });
  const of = (month: string) => [
    { month, what: ["first_registration", "radius", "262-01"], count: 1 },
    { month, what: ["sim_moved", "radius", "262-01"], count: 2 },
  ];
  assert.deepEqual(counted, [...of("2026-01"), ...of("2026-02")]);

  await sweep("sightings", "2026-08-01T00:00:00Z");
  assert.deepEqual(await left("sighting", brief), 0);
  assert.deepEqual(await left("sighting", long), 0);
  assert.ok(!(await names("sightings")).includes("sighting_2026_02"));
  const again = await retentionAt(now).statistics(long, { kind: "sightings" });
  assert.deepEqual(
    again.map(({ month, count: n }) => [month, n]),
    [
      ["2026-02", 1],
      ["2026-03", 1],
      ["2026-04", 1],
    ],
  );
});

test("the history of an order that is under way stays, however old; all events of a row are counted", async () => {
  const mine = await operator("histories", { events: 6 });
  const [open, ended] = [
    await order(mine, "2026-02-10T00:00:00Z", "provisioning"),
    await order(mine, "2026-02-10T00:00:00Z", "completed"),
  ];
  await order(mine, "2026-01-10T00:00:00Z", "completed");
  const now = "2026-09-15T00:00:00Z";
  const told = (await retentionAt(now).look(mine, {})).find(({ kind }) => kind === "events");
  await sweep("events", now);
  const rows = await database.rows<{ orderId: string }>(
    `select distinct order_id as "orderId" from order_event where operator_id = $1`,
    [mine],
  );
  assert.deepEqual(rows, [{ orderId: open }], `${ended} has ended`);
  assert.ok(!(await names("events")).includes("order_event_2026_01"), "nothing of January is under way");
  assert.ok((await names("events")).includes("order_event_2026_02"));
  assert.deepEqual(told?.over, [
    { month: "2026-01", entries: 4 },
    { month: "2026-02", entries: 4 },
  ]);
  assert.deepEqual(
    (await applied(mine, "events")).map(({ entries }) => entries),
    [8],
  );
  const counted = await retentionAt(now).statistics(mine, { kind: "events", from: "2026-02" });
  assert.deepEqual(counted, [
    { month: "2026-02", what: ["item_added", "pending"], count: 1 },
    { month: "2026-02", what: ["message_queued", ""], count: 1 },
    { month: "2026-02", what: ["order_provisioning", "provisioning"], count: 2 },
  ]);
});

test("a look as if another policy held changes nothing, and without a policy nothing goes", async () => {
  const mine = await operator("looking", {});
  await audited(mine, "2024-01-10T00:00:00Z", "policy.put"); // no month of it: it lies in the default
  const now = "2026-10-01T00:00:00Z";
  await sweep("audit", now);
  const seenThen = await retentionAt(now).look(mine, { audit: 12, sightings: 1 });
  assert.deepEqual(
    seenThen.map(({ kind, months, askedMonths, keptFrom }) => [kind, months, askedMonths, keptFrom]),
    [
      ["sightings", null, 1, "2026-09-01T00:00:00.000Z"],
      ["events", null, null, null],
      ["audit", null, 12, "2025-10-01T00:00:00.000Z"],
      ["messages", null, null, null],
      ["people", null, null, null],
    ],
  );
  assert.deepEqual(
    seenThen.map(({ over }) => over),
    [[], [], [{ month: "2024-01", entries: 1 }], [], []],
  );
  assert.equal(await left("audit", mine), 1);
  await keeps(mine, 2, { audit: 12 });
  await sweep("audit", now);
  assert.deepEqual(
    (await applied(mine, "audit")).map(({ entries }) => entries),
    [1],
  );
  assert.equal((await retentionAt(now).look(mine, {}))[2]?.sweptAt, new Date(now).toISOString());
});

test("a month that somebody reads is left alone, with what was counted of it, and goes when they are done", async () => {
  const own = await operator("reader", { sightings: 1 });
  await makeMonthsAhead(database, new Date("2026-10-15T00:00:00Z"));
  await seen(own, "2026-10-03T00:00:00Z");
  const now = "2026-12-02T00:00:00Z";
  await database.transaction(async (reader) => {
    await reader.rows("select from sighting where seen_at < '2000-01-01'");
    const failure = await sweepAll(now).catch((error: unknown) => error);
    assert.match(String(failure), /database_timeout|took too long|lock timeout/);
  });
  assert.equal(await left("sighting", own), 1);
  assert.deepEqual(await retentionAt(now).statistics(own, { kind: "sightings" }), []);
  await sweepAll(now);
  assert.equal(await left("sighting", own), 0);
  assert.deepEqual(
    (await retentionAt(now).statistics(own, { kind: "sightings" })).map(({ count: n }) => n),
    [1],
  );
});
const sweepAll = (now: string) => sweep("sightings", now);

test("two servers that put away at once count everything once", async () => {
  const mine = await operator("twice", { sightings: 1 });
  await makeMonthsAhead(database, new Date("2027-01-15T00:00:00Z"));
  for (let n = 0; n < 40; n++) await seen(mine, `2027-0${1 + (n % 3)}-10T00:00:00Z`);
  const now = "2027-06-01T00:00:00Z";
  const work = async (): Promise<void> => {
    for (let steps = 0; steps < 30; steps++) await sweepStep(at(now), "sightings");
  };
  await Promise.all([work(), work(), work()]);
  await sweep("sightings", now);
  assert.equal(await left("sighting", mine), 0);
  const counted = await retentionAt(now).statistics(mine, { kind: "sightings" });
  assert.equal(
    counted.reduce((sum, one) => sum + one.count, 0),
    40,
  );
  assert.deepEqual(
    (await applied(mine, "sightings")).map(({ entries }) => entries),
    [40],
  );
});

test("a row that is being written into an old month as it is about to go stays, where its operator keeps it", async () => {
  const brief = await operator("late-brief", { sightings: 1 });
  const keeper = await operator("late-keeper", {});
  await makeMonthsAhead(database, new Date("2029-01-15T00:00:00Z"));
  await seen(brief, "2029-01-10T00:00:00Z");
  await sweepAll("2029-02-01T00:00:00Z"); // nothing but January is left to drop
  const now = "2029-06-01T00:00:00Z";
  const swept = await database.transaction(async (writer) => {
    await seen(keeper, "2029-01-20T00:00:00Z", "sim_moved", writer);
    const sweeping = sweepAll(now).catch((error: unknown) => error); // where it waited too long it comes again
    let hasGivenUp = false; // its wait is short, and may be over before it is looked for
    void sweeping.then(() => {
      hasGivenUp = true;
    });
    await until(
      async () => hasGivenUp || (await database.rows(waitersFor("sighting", "sighting_2029_01"))).length > 0,
      (isSo) => isSo,
      "the sweep waits for whoever writes",
    );
    return { sweeping };
  });
  await swept.sweeping;
  await sweepAll(now);
  assert.deepEqual([await left("sighting", keeper), await left("sighting", brief)], [1, 0]);
});
