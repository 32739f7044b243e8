/** Migrations: in order, once, resumed after a kill. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, vi } from "vitest";
import { freshDatabaseConfig, waitersFor } from "../../../test/fixture/database.ts";
import { type Database, openDatabase } from "./database.ts";
import { checksumOf, type MigrationFile, migrate, migrationFiles } from "./migrate.ts";
import { uuidv7 } from "./uuid.ts";

const file = (name: string, text: string): MigrationFile => ({ name, text, checksum: checksumOf(text) });
const FIRST = file("0001-phone", "create table phone (id int primary key);\ninsert into phone values (1);");
const SECOND = file("0002-note", "alter table phone add note text;");
const WAITING = `select 1 from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
const { database, config } = await freshDatabaseConfig({ migrated: false });
const { database: shipped } = await freshDatabaseConfig({ migrated: false });

test("the shipped migrations bring an empty database to this release, and a second run changes nothing", async () => {
  const files = migrationFiles();
  assert.ok(files.length > 0);
  const { applied, version } = await migrate(shipped);
  assert.deepEqual(
    applied,
    files.map(({ name }) => name),
  );
  assert.equal(version, Number(files.at(-1)?.name.slice(0, 4)));
  assert.deepEqual(await migrate(shipped), { applied: [], version, notes: [] });
});

test("two programs that start at once apply each migration once", async () => {
  const other = await openDatabase(config);
  const outcomes = await Promise.all([migrate(database, [FIRST, SECOND]), migrate(other, [FIRST, SECOND])]);
  await other.close();
  const applied = outcomes.flatMap((outcome) => outcome.applied);
  assert.deepEqual(applied.toSorted(), [FIRST.name, SECOND.name]);
  assert.deepEqual(await database.rows("select * from phone"), [{ id: 1, note: null }]);
});

test("who starts while another program migrates waits for it, whichever release that is", async () => {
  const { database: other } = await freshDatabaseConfig({ migrated: false });
  let outcome: Promise<unknown> | undefined;
  await other.transaction(async (tx) => {
    await tx.run("select pg_advisory_xact_lock(3853314791062309107)"); // as release 0.1.0 takes it
    outcome = migrate(other, [FIRST]);
    await vi.waitFor(async () => assert.equal((await other.rows(WAITING)).length, 1), { timeout: 10_000 });
    assert.deepEqual(await tx.rows("select to_regclass('phone') as phone"), [{ phone: null }]);
  });
  assert.deepEqual(await outcome, { applied: [FIRST.name], version: 1, notes: [] });
});

test("a migration that was edited after it ran is refused by name", async () => {
  const edited = file(FIRST.name, `${FIRST.text} insert into phone values (2);`);
  await assert.rejects(migrate(database, [edited, SECOND]), {
    code: "migration_changed",
    message: /0001-phone/,
  });
});

test("a line end changed on the way through version control is no edit", async () => {
  const checkedOut = file(FIRST.name, FIRST.text.replaceAll("\n", "\r\n"));
  assert.deepEqual((await migrate(database, [checkedOut, SECOND])).applied, []);
});

test("a database of a newer release is refused", async () => {
  await assert.rejects(migrate(database, [FIRST]), { code: "migration_unknown", message: /0002-note/ });
});

test("a migration that fails half way leaves nothing of itself and keeps those before it", async () => {
  const third = file("0003-kept", "create table kept ();");
  const broken = file("0004-broken", "create table half (); select 1 / 0;");
  await assert.rejects(migrate(database, [FIRST, SECOND, third, broken]), /division by zero/);
  const there = "select to_regclass('kept') is not null as kept, to_regclass('half') is not null as half";
  assert.deepEqual(await database.one(there), { kept: true, half: false });
  const mended = file("0004-broken", "create table half ();");
  assert.deepEqual((await migrate(database, [FIRST, SECOND, third, mended])).applied, ["0004-broken"]);
});

const BIG = file("0001-big", "create table big (id uuid primary key, note text);");
const PARTED = file(
  "0002-parted",
  `alter table big add column seen int not null default 0;
-- next in batches of big
update big set seen = seen + 1 where id > $1 and id <= $2;
-- next transaction
create index big_seen on big (seen);`,
);

test("a file in parts is done part by part, and a large table's rows in batches, each once, told as they go", async () => {
  const { database } = await freshDatabaseConfig({ migrated: false });
  await migrate(database, [BIG]);
  await database.run("insert into big (id) select gen_random_uuid() from generate_series(1, 25000)");
  const told: string[] = [];
  const { applied } = await migrate(
    database,
    [BIG, PARTED],
    ({ part, parts, table, done, total, isApplied }) =>
      told.push(`${part}/${parts} ${table} ${done} of ${total}${isApplied ? " applied" : ""}`),
  );
  assert.deepEqual(applied, [PARTED.name]);
  assert.deepEqual(told, [
    "1/3 null 0 of 0",
    "2/3 big 0 of 25000",
    "2/3 big 10000 of 25000",
    "2/3 big 20000 of 25000",
    "2/3 big 25000 of 25000",
    "3/3 null 0 of 0",
    "3/3 null 0 of 0 applied",
  ]);
  assert.deepEqual(await database.rows("select seen, count(*)::int as rows from big group by seen"), [
    { seen: 1, rows: 25_000 },
  ]);
  assert.deepEqual(await database.rows("select from migration_progress"), []);
});

test("a file that was cut short between its parts goes on where it was, and is refused if it was edited since", async () => {
  const { database } = await freshDatabaseConfig({ migrated: false });
  await migrate(database, [BIG]);
  await database.run("insert into big (id) select gen_random_uuid() from generate_series(1, 15000)");
  let steps = 0;
  const cut = migrate(database, [BIG, PARTED], () => {
    if (++steps === 3) throw new Error("cut short");
  });
  await assert.rejects(cut, /cut short/);
  const seen = "select seen, count(*)::int as rows from big group by seen order by seen";
  assert.deepEqual(await database.rows(seen), [
    { seen: 0, rows: 5_000 },
    { seen: 1, rows: 10_000 },
  ]);
  const edited = file(PARTED.name, `${PARTED.text} -- edited`);
  await assert.rejects(migrate(database, [BIG, edited]), {
    code: "migration_changed",
    message: /0002-parted/,
  });
  assert.deepEqual((await migrate(database, [BIG, PARTED])).applied, [PARTED.name]);
  assert.deepEqual(await database.rows(seen), [{ seen: 1, rows: 15_000 }]);
});

test("a step whose table somebody reads for long gives way to those who write there, and comes again", async () => {
  const { database, config: writing } = await freshDatabaseConfig({ migrated: false });
  await migrate(database, [FIRST]);
  const writer = await openDatabase({ ...writing, lockTimeoutMs: 5_000 });
  const waits = `${waitersFor("phone")} and mode = 'AccessExclusiveLock'`;
  let outcome: Promise<{ applied: readonly string[] }> | undefined;
  await database.transaction(async (reader) => {
    await reader.rows("select from phone"); // as a backup does, for as long as it takes
    outcome = migrate(database, [FIRST, SECOND]);
    await vi.waitFor(async () => assert.equal((await database.rows(waits)).length, 1), { timeout: 10_000 });
    assert.equal(await writer.run("insert into phone values (2)"), 1, "and is not cut for want of a lock");
  });
  await writer.close();
  assert.deepEqual((await outcome)?.applied, [SECOND.name]);
  assert.deepEqual(await database.rows("select id, note from phone order by id"), [
    { id: 1, note: null },
    { id: 2, note: null },
  ]);
});

test("two files of one number, and one without a number, are refused", () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-migrations-"));
  for (const name of ["0001-one.sql", "0003-three.sql"]) writeFileSync(join(folder, name), "select 1");
  assert.deepEqual(
    migrationFiles(folder).map(({ name }) => name),
    ["0001-one", "0003-three"],
  );
  writeFileSync(join(folder, "0003-too.sql"), "select 1");
  assert.throws(() => migrationFiles(folder), /0003-too/);
  rmSync(join(folder, "0003-too.sql"));
  writeFileSync(join(folder, "later.sql"), "select 1");
  assert.throws(() => migrationFiles(folder), /later/);
  rmSync(folder, { recursive: true });
});

/** What the release before 0012 left: operators of each kind, with and without a policy of their own. */
async function operatorsBefore(database: Database) {
  const policies = { mvno: true, tertiary: null, secondary: false, mno: true, quiet: null } as const;
  const made: Record<string, string> = {};
  for (const [slug, sends] of Object.entries(policies)) {
    const id = uuidv7();
    made[slug] = id;
    const kind = slug === "quiet" ? "mno" : slug;
    await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, $3)", [
      id,
      slug,
      kind,
    ]);
    if (sends === null) continue;
    for (const version of [1, 2])
      await database.run(
        "insert into operator_policy (operator_id, version, body, made_by) values ($1, $2, $3, 'ada')",
        [id, version, JSON.stringify({ sendUnconfirmed: sends, sender: `${version}` })],
      );
  }
  return made;
}

/** An order that sent settings; `confirmed` as its event noted it. */
async function orderBefore(database: Database, operatorId: string, confirmed: boolean) {
  const [subscriber, device, order, payload, item] = [uuidv7(), uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const octets = Buffer.from(order);
  await database.run(
    "insert into subscriber (id, operator_id, imsi_index, imsi_sealed, home_plmn) values ($1, $2, $3, $3, '26201')",
    [subscriber, operatorId, octets],
  );
  await database.run(
    "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $3, '35163707')",
    [device, operatorId, octets],
  );
  await database.run(
    `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action,
       due_at, deadline_at, created_at, updated_at)
     values ($1, $2, $3, $4, 'first_registration', 'mvno', 'provisioning', 'r', 'n', now(), now(), now(), now())`,
    [order, operatorId, subscriber, device],
  );
  await database.run(
    `insert into order_event (id, operator_id, order_id, kind, state, reason, detail, at)
     values ($1, $2, $3, 'order_provisioning', 'provisioning', 'r', $4, now())`,
    [uuidv7(), operatorId, order, JSON.stringify({ confirmed })],
  );
  await database.run(
    "insert into payload (id, operator_id, kind, protocol, octets, sealed, created_at) values ($1, $2, 'link', 'text', 1, 'x', now())",
    [payload, operatorId],
  );
  await database.run(
    `insert into message (id, operator_id, order_id, payload_id, kind, idempotency_key, reference, part_count, state, reason,
       expires_at, created_at, updated_at)
     values ($1, $2, $3, $4, 'link', $5, 0, 1, 'queued', 'r', now(), now(), now())`,
    [uuidv7(), operatorId, order, payload, `${item}:1`],
  );
  await database.run(
    `insert into link (id, operator_id, order_id, item_id, token_hash, settings_sealed, expires_at)
     values ($1, $2, $3, $4, $5, 'x', now() + interval '1 day')`,
    [uuidv7(), operatorId, order, item, octets],
  );
  return { order, payload };
}

test("0012 takes their host's access points out of the policies of operators that are no hosts, and says so", async () => {
  const { database } = await freshDatabaseConfig({ migrated: false });
  const files = migrationFiles();
  await migrate(
    database,
    files.filter(({ name }) => name < "0012"),
  );
  const made = await operatorsBefore(database);
  const sent = await orderBefore(database, made.mvno!, false);
  const own = await orderBefore(database, made.mvno!, true);
  const hosts = await orderBefore(database, made.mno!, false);

  const { applied, notes } = await migrate(database, files);
  assert.ok(applied.includes("0012-confirmed-access-points"));
  const rows = await database.rows(
    `select o.slug, p.version, p.made_by as "madeBy", p.body from operator o
       join lateral (select * from operator_policy where operator_id = o.id order by version desc limit 1) p on true order by o.slug`,
  );
  const by = "migration 0012";
  assert.deepEqual(rows, [
    { slug: "mno", version: 2, madeBy: "ada", body: { sendUnconfirmed: true, sender: "2" } },
    { slug: "mvno", version: 3, madeBy: by, body: { sendUnconfirmed: false, sender: "2" } },
    { slug: "secondary", version: 2, madeBy: "ada", body: { sendUnconfirmed: false, sender: "2" } },
    { slug: "tertiary", version: 1, madeBy: by, body: { sendUnconfirmed: false } },
  ]);
  assert.deepEqual(
    notes.map((note) => note.slice(0, note.indexOf(",") + 40)),
    [
      "mvno: policy.put, version 3: an operator of kind mvno send",
      "quiet: policy.put, the shipped policy: shipped, unconfirmed",
      "tertiary: policy.put, version 1: an operator of kind tertiary",
    ].map((note) => note.slice(0, note.indexOf(",") + 40)),
  );
  const audited = await database.rows<{ slug: string; action: string; at: Date; id: string }>(
    "select o.slug, a.action, a.id from audit a join operator o on o.id = a.operator_id where a.actor = $1 order by o.slug",
    [by],
  );
  assert.deepEqual(
    audited.map(({ slug }) => slug),
    ["mvno", "quiet", "tertiary"],
  );
  assert.ok(
    audited.every(
      ({ id }) => id.slice(0, 8) <= uuidv7().slice(0, 8) && id.slice(0, 6) >= made.mvno!.slice(0, 6),
    ),
  );

  const marked = await database.rows<{ id: string }>("select id from payload where unconfirmed order by id");
  assert.deepEqual(
    marked.map(({ id }) => id),
    [sent.payload, hosts.payload].sort(),
  );
  const closed = await database.rows<{ id: string }>(
    "select order_id as id from link where expires_at <= now() order by order_id",
  );
  assert.deepEqual(
    closed.map(({ id }) => id),
    [sent.order],
  );
  assert.notEqual(own.order, sent.order);
  assert.deepEqual((await migrate(database, files)).notes, [], "told once");
});
