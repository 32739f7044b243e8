/** `turnup backup` and `restore`: whole or not there, for its owner alone, and what comes back is what was. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { STORY, writeOrderStory } from "../../../test/fixture/order-story.ts";
import type { Database } from "../../store/database/database.ts";
import { migrationFiles } from "../../store/database/migrate.ts";
import type { CommandEntry } from "../terminal/command.ts";
import { backupCommand, restoreCommand } from "./backup.ts";
import { ledgerCommand } from "./ledger.ts";
import { orderShowCommand } from "./order.ts";
import { orderListCommand } from "./orders.ts";

const COMMANDS: readonly CommandEntry[] = [
  backupCommand,
  restoreCommand,
  ledgerCommand,
  orderShowCommand,
  orderListCommand,
].map((command) => ({ ...command, load: async () => command }));
const fixture = await cliFixture(COMMANDS);
const operatorId = await fixture.operator("meridian");
const { orderId } = await writeOrderStory(fixture, operatorId);
const ODD = ["\\.", "a\ttab", "a\nline", "back\\slash", "ü", "", "\\N", "{json}", "x".repeat(200_000)];
for (const [at, action] of ODD.entries()) {
  await fixture.database.run(
    `insert into audit (id, operator_id, actor, action, subject, detail) values ($1, $2, 'cli', $3, '', $4)`,
    [
      `00000000-0000-7000-8000-${String(at).padStart(12, "0")}`,
      operatorId,
      action,
      JSON.stringify({ action }),
    ],
  );
}
await fixture.database.run(
  `insert into audit (id, operator_id, actor, action, subject)
   select gen_random_uuid(), $1, 'cli', 'many ' || n, repeat('y', 300) from generate_series(1, 20000) n`,
  [operatorId],
);
const file = fixture.file("taken", "").replace("taken", "backup.gz");
const taken = await fixture.run(["backup", file, "--json"]);
const empty = () => freshDatabaseConfig({ migrated: false });
/** The same command line over another database, with the seal key of the fixture or another. */
const runOn = (url: string, argv: readonly string[], key = Buffer.alloc(32, 5)) =>
  runWith(COMMANDS, argv, "", { env: { DATABASE_URL: url, TURNUP_SEAL_KEY: key.toString("hex") } });

/** Without numbers of transactions, which mean nothing on another server: what is restored has that of its restore. */
async function rowsOf(database: Database): Promise<Record<string, string>> {
  const tables = await database.rows<{ name: string; columns: string }>(
    `select c.relname as name, (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid <> 'xid8'::regtype) as columns
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  const sums: Record<string, string> = {};
  for (const { name, columns } of tables) {
    if (name.startsWith("kysely_")) continue;
    const sum = await database.one<{ sum: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text collate "C")), '') as sum from (select ${columns} from ${name}) t`,
    );
    sums[name] = sum!.sum;
  }
  return sums;
}

test("a backup restored into an empty database tells the same orders, the same ledger and every row as it was", async () => {
  assert.equal(taken.exitCode, 0, taken.stderr);
  const { url, database } = await empty();
  const restored = await runOn(url, ["restore", file, "--json"]);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.deepEqual(jsonLines(restored.stdout), jsonLines(taken.stdout));
  assert.match(restored.stderr, /seal key here opens/);
  assert.deepEqual(await rowsOf(database), await rowsOf(fixture.database));
  for (const argv of [["order", "list"], ["ledger"], ["order", "show", orderId]]) {
    const [before, after] = [await fixture.run([...argv, "--json"]), await runOn(url, [...argv, "--json"])];
    assert.ok(before.stdout.length > 100);
    assert.equal(after.stdout, before.stdout);
  }
  const next = "select nextval('node_number')::int as next";
  assert.deepEqual(
    await database.one(next),
    await fixture.database.one(next),
    "numbers go on where they were",
  );
});

test("a backup is whole or not there, is for its owner alone, and holds nothing sealed in clear and no seal key", async () => {
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(existsSync(`${file}.part`), false);
  assert.match(taken.stderr, /seal key is not in it/);
  const plain = gunzipSync(readFileSync(file)).toString("latin1");
  for (const secret of [STORY.imei, STORY.password, Buffer.alloc(32, 5).toString("hex")])
    assert.ok(!plain.includes(secret));
  const again = await fixture.run(["backup", file]);
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /is there already/);
});

test("a database in the middle of a migration is not backed up, since no release has its tables", async () => {
  const { url, database } = await freshDatabaseConfig();
  await database.run("insert into migration_progress values ('0099-half', 'x', 1, gen_random_uuid(), 1, 2)");
  const refused = await runOn(url, ["backup", file.replace("backup.gz", "half.gz")]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /migration_unfinished.*0099-half/s);
});

test("a database that holds a row is never restored into", async () => {
  const before = await rowsOf(fixture.database);
  const refused = await fixture.run(["restore", file]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /database_not_empty/);
  assert.deepEqual(await rowsOf(fixture.database), before);
});

test("a backup of a newer release is refused before anything is written", async () => {
  const [header, ...rest] = gunzipSync(readFileSync(file)).toString("latin1").split("\n");
  const { migrations, ...more } = JSON.parse(header!);
  const newer = JSON.stringify({ ...more, migrations: { ...migrations, "9999-later": "00" } });
  const { url, database } = await empty();
  const refused = await runOn(url, ["restore", changed("newer", [newer, ...rest].join("\n"))]);
  assert.match(refused.stderr, /migration_unknown.*9999-later/s);
  assert.equal(await database.run("select from pg_tables where schemaname = 'public'"), 0);
});

test("a backup of an older release is restored and brought to this one", async () => {
  const [header, ...rest] = gunzipSync(readFileSync(file)).toString("latin1").split("\n");
  const { migrations, ...more } = JSON.parse(header!);
  const first = migrationFiles()[0]!.name;
  const { url, database } = await empty();
  // Of its rows only what the first release had: one operator.
  const begin = rest.indexOf(rest.find((line) => line.startsWith('{"table":"operator",'))!);
  const older = [
    JSON.stringify({ ...more, sequences: {}, migrations: { [first]: migrations[first] } }),
    ...rest.slice(begin, begin + 3),
    '{"end":true,"rows":1}',
    "",
  ];
  const restored = await runOn(url, ["restore", changed("older", older.join("\n"))]);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.equal(
    (await rowsOf(database)).migration_checksum,
    (await rowsOf(fixture.database)).migration_checksum,
  );
  assert.deepEqual(await database.rows("select slug from operator"), [{ slug: "meridian" }]);
});

test("a backup that is cut short anywhere, or counts other rows, leaves no row behind and can be tried again", async () => {
  const octets = readFileSync(file);
  const plain = gunzipSync(octets).toString("latin1");
  const bad = [
    changed("cut early", octets.subarray(0, 20)),
    changed("cut", octets.subarray(0, octets.length >> 1)),
    changed("cut late", octets.subarray(0, octets.length - 1)),
    changed("cut at a row", plain.slice(0, plain.indexOf("\n", plain.length >> 1) + 1)),
    changed(
      "fewer rows",
      plain.replace(/"rows":(\d+)/, (_, rows) => `"rows":${Number(rows) + 1}`),
    ),
    changed("text", "hello\n"),
    changed("not compressed", Buffer.from("hello")),
  ];
  const { url, database } = await empty();
  for (const one of bad) {
    const refused = await runOn(url, ["restore", one]);
    assert.match(refused.stderr, /backup_unreadable/, one);
    const there = await database.one<{ name: string | null }>("select to_regclass('operator')::text as name");
    if (there?.name) assert.equal(await database.run("select from operator"), 0);
  }
  assert.equal((await runOn(url, ["restore", file])).exitCode, 0);
});

test("with another seal key the data comes back, and who restores it is told that it cannot be used yet", async () => {
  const { url } = await empty();
  const restored = await runOn(url, ["restore", file], Buffer.alloc(32, 9));
  assert.equal(restored.exitCode, 0);
  assert.match(restored.stderr, /cannot be used yet\. .*seal/s);
});

/** Text is compressed; octets stand as they are. */
function changed(name: string, content: string | Buffer): string {
  const path = file.replace("backup.gz", name);
  writeFileSync(path, typeof content === "string" ? gzipSync(Buffer.from(content, "latin1")) : content);
  return path;
}
