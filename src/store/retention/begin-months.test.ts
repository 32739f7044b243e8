/** Migration 0037 on a database that is in use: what is there becomes the first partition, while others go on writing. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { migrate, migrationFiles } from "../database/migrate.ts";
import { uuidv7 } from "../database/uuid.ts";
import { ensureOperator } from "../operator/operators.ts";
import { GROWN, makeMonthsAhead, monthsAheadOf, partitionsOf } from "./partitions.ts";

const FIRST = "0037-months";
/** What the release before sends. */
const EVENT = {
  name: "event_before",
  text: "insert into order_event (id, operator_id, order_id, kind, reason, at) values ($1, $2, $3, 'works', 'r', now())",
};
const SIGHTING = {
  name: "sighting_before",
  text: `insert into sighting (id, operator_id, subscriber_id, device_id, serving_plmn, source, outcome, seen_at)
         values ($1, $2, $1, $1, '262-01', 'radius', 'sim_moved', now())`,
};
const AUDIT = {
  name: "audit_before",
  text: "insert into audit (id, operator_id, actor, action, subject) values ($1, $2, 'ada', 'policy.put', '')",
};

test("tables of a database in use become tables of months: nothing is lost, copied or refused while others write, and a key stays a key", async () => {
  const { database } = await freshDatabaseConfig({ migrated: false });
  const files = migrationFiles();
  await migrate(
    database,
    files.filter(({ name }) => name < FIRST),
  );
  const operatorId = uuidv7();
  await ensureOperator(database, {
    id: operatorId,
    slug: "busy",
    name: "Busy",
    kind: "mno",
    homePlmns: [],
  });
  const orderId = uuidv7();
  const wrongClock = "ffffffff-0000-7000-8000-000000000001";
  let written = 0;
  const write = async (): Promise<void> => {
    await database.run(EVENT, [uuidv7(), operatorId, orderId]);
    // Repeated as the intake repeats it: the migration locks a part before its table and a writer the table before its part, so
    // that now and then they wait on each other, and PostgreSQL refuses one of them.
    await database.transaction((tx) => tx.run(SIGHTING, [uuidv7(), operatorId]), { safeToRepeat: true });
    await database.run(AUDIT, [uuidv7(), operatorId]);
    written++;
  };
  await write();
  await database.run(EVENT, [wrongClock, operatorId, orderId]);
  const fileOf = "select pg_relation_filenode($1) as file";
  const before = await database.one(fileOf, ["order_event"]);

  let isOver = false;
  const writer = (async () => {
    while (!isOver) await write();
  })();
  await migrate(database, files).finally(() => {
    isOver = true;
  });
  await writer;
  await write();

  const [until] = await partitionsOf(database, GROWN.events);
  assert.match(String(until?.name), /^order_event_until_\d{4}_\d\d$/);
  assert.deepEqual(await database.one(fileOf, [until?.name]), before, "the rows stand where they stood");
  const rows = await database.rows(
    `select (select count(*)::int from order_event) as events, (select count(*)::int from sighting) as sightings,
            (select count(*)::int from audit where actor = 'ada') as audit`,
  );
  assert.deepEqual(rows, [{ events: written + 1, sightings: written, audit: written }]);
  const place = "select tableoid::regclass::text as place from order_event where id = $1";
  assert.deepEqual(await database.rows(place, [wrongClock]), [{ place: "order_event_default" }]);
  const known = await database.one<{ id: string }>("select id from order_event where id <> $1 limit 1", [
    wrongClock,
  ]);
  await assert.rejects(database.run(EVENT, [known?.id, operatorId, orderId]), /order_event.*pkey/);
  // Each table began in a transaction of its own: of one month, unless that turned between two of them.
  const begun = await Promise.all(
    Object.values(GROWN).map(async (grown) => (await partitionsOf(database, grown))[0]?.to ?? new Date(0)),
  );
  const beyond = begun.reduce((latest, one) => (one > latest ? one : latest));
  await makeMonthsAhead(database, beyond);
  assert.deepEqual(await monthsAheadOf(database, beyond), { sightings: 2, events: 2, audit: 2, messages: 2 });
});

test("tables that are empty begin without a past: their months are made as on any other day", async () => {
  const { database } = await freshDatabaseConfig();
  for (const grown of Object.values(GROWN))
    assert.deepEqual(
      (await partitionsOf(database, grown)).map(({ name }) => name),
      [`${grown.table}_default`],
    );
});
