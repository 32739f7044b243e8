import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../test/database.ts";
import { openDatabase } from "./database.ts";
import { checksumOf, type MigrationFile, migrate, migrationFiles } from "./migrate.ts";

const file = (name: string, text: string): MigrationFile => ({ name, text, checksum: checksumOf(text) });
const FIRST = file("0001-phone", "create table phone (id int primary key);\ninsert into phone values (1);");
const SECOND = file("0002-note", "alter table phone add note text;");
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
  assert.deepEqual(await migrate(shipped), { applied: [], version });
});

test("two programs that start at once apply each migration once", async () => {
  const other = await openDatabase(config);
  const outcomes = await Promise.all([migrate(database, [FIRST, SECOND]), migrate(other, [FIRST, SECOND])]);
  await other.close();
  const applied = outcomes.flatMap((outcome) => outcome.applied);
  assert.deepEqual(applied.toSorted(), [FIRST.name, SECOND.name]);
  assert.deepEqual(await database.rows("select * from phone"), [{ id: 1, note: null }]);
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
