/**
 * Databases of former releases (test/fixture/releases): each is restored and migrated by this release with nothing lost and
 * goes on; and what a former release's server writes is taken by this release's tables, since they run beside each other.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { backupCommand, restoreCommand } from "../src/app/command/backup.ts";
import { ledgerCommand } from "../src/app/command/ledger.ts";
import { migrateCommand } from "../src/app/command/migrate.ts";
import { orderListCommand } from "../src/app/command/orders.ts";
import { restoreBackup } from "../src/store/database/backup.ts";
import type { Database } from "../src/store/database/database.ts";
import { migrate, migrationFiles } from "../src/store/database/migrate.ts";
import { jsonLines } from "./fixture/cli.ts";
import { runWith } from "./fixture/cli-io.ts";
import { freshDatabaseConfig } from "./fixture/database.ts";
import { type Release, readRows, releases, writeRows } from "./fixture/releases/release.ts";

const BIN = join(import.meta.dirname, "..", "bin", "turnup.js");
const COMMANDS = [backupCommand, restoreCommand, migrateCommand, orderListCommand, ledgerCommand].map(
  (command) => ({
    ...command,
    load: async () => command,
  }),
);
const folder = mkdtempSync(join(tmpdir(), "turnup-upgrade-"));
afterAll(() => rmSync(folder, { recursive: true }));
const all = releases();
const runOn = (url: string, { sealKey }: Release, argv: readonly string[]) =>
  runWith(COMMANDS, argv, "", { env: { DATABASE_URL: url, TURNUP_SEAL_KEY: sealKey } });
const rowsOf = ({ tables }: Release, name: string): number =>
  tables.find(({ table }) => table === name)?.rows.length ?? 0;
const count = async (database: Database, table: string): Promise<number> =>
  (await database.one<{ rows: number }>(`select count(*)::int as rows from ${table}`))?.rows ?? 0;

/** Each row as it was; a migration may add rows of its own. */
async function assertNothingLost(release: Release, { config }: Fresh): Promise<void> {
  const found = await readRows(release, config.connection);
  for (const [at, { table, rows }] of release.tables.entries()) {
    const there = new Set(found[at]?.rows);
    const lost = rows.filter((row) => !there.has(row));
    assert.deepEqual(lost, [], `rows of ${table} that are not as they were`);
  }
}
type Fresh = Awaited<ReturnType<typeof freshDatabaseConfig>>;

test("a fixture of each release shows orders, keys, consents, requests and a ledger", () => {
  assert.deepEqual(
    all.map(({ name }) => name),
    ["0.1.0"],
  );
  for (const release of all)
    for (const table of [
      "provisioning_order",
      "device_key",
      "consent",
      "request",
      "posting",
      "provisioned_item",
    ])
      assert.ok(rowsOf(release, table) > 0, `${release.name} ${table}`);
});

for (const release of all) {
  test(`a backup of release ${release.name} is restored: every row as it was, its seals open, orders and ledger tell the same`, async () => {
    const fresh = await freshDatabaseConfig({ migrated: false });
    const restored = await runOn(fresh.url, release, ["restore", release.backup, "--json"]);
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.match(restored.stderr, /seal key here opens/);
    await assertNothingLost(release, fresh);
    const orders = await runOn(fresh.url, release, ["order", "list", "--json", "--limit", "100"]);
    assert.equal(jsonLines(orders.stdout).length, rowsOf(release, "provisioning_order"), orders.stderr);
    const ledger = await runOn(fresh.url, release, ["ledger", "--json"]);
    assert.equal(ledger.exitCode, 0, ledger.stderr);
    assert.ok(ledger.stdout.length > 100);
  });

  test(`who restores a backup of release ${release.name} hears which of the later migrations runs`, async () => {
    const { database, config } = await freshDatabaseConfig({ migrated: false });
    const told = new Set<string>();
    await restoreBackup({ database, connection: config.connection }, release.backup, {
      onRows: () => undefined,
      onMigrate: ({ name }) => told.add(name),
    });
    const later = migrationFiles().filter(({ name }) => !release.migrations.some((one) => one.name === name));
    assert.deepEqual(
      [...told],
      later.map(({ name }) => name),
    );
  });

  test(`a database of release ${release.name} is migrated with nothing lost, and new phones are turned up on it`, async () => {
    const fresh = await freshDatabaseConfig({ migrated: false });
    await migrate(fresh.database, release.migrations);
    await writeRows(release, fresh.config.connection);
    const migrated = await runWith(COMMANDS, ["migrate", "--json"], "", {
      env: { DATABASE_URL: fresh.url, TURNUP_DATA_FOLDER: join(folder, "no-seal-key-here") },
    });
    assert.equal(migrated.exitCode, 0, migrated.stderr);
    const [told] = jsonLines(migrated.stdout) as [{ applied: string[]; tookMs: Record<string, number> }];
    const later = migrationFiles().filter(({ name }) => !release.migrations.some((one) => one.name === name));
    assert.deepEqual(
      told.applied,
      later.map(({ name }) => name),
    );
    assert.deepEqual(Object.keys(told.tookMs), told.applied);
    await assertNothingLost(release, fresh);

    const before = await count(fresh.database, "provisioning_order where state = 'completed'");
    const { status, output } = await start(fresh.url, release);
    assert.equal(status, 0, output);
    assert.equal(await count(fresh.database, "provisioning_order where state = 'completed'"), before + 3);
  });

  test(`what a server of release ${release.name} writes from its start to the last posting is taken by this release's tables`, async () => {
    const { database } = await freshDatabaseConfig();
    for (const { text, values } of release.writes) {
      await database.run(text, values).catch((error: Error) => {
        assert.fail(`${error.message}: ${text}`);
      });
    }
    for (const { table, rows } of release.tables) {
      if (NOT_OF_THE_RUN.has(table)) continue;
      assert.equal(await count(database, table), rows.length, `rows of ${table}`);
    }
  });
}
/** Written by hand of the fixture's maker, or before the first statement. */
const NOT_OF_THE_RUN = new Set<string>([]);

/** Two old phones and a new one, with the world around them. */
async function start(url: string, { sealKey }: Release): Promise<{ status: number | null; output: string }> {
  const child = spawn(
    process.execPath,
    [BIN, "start", "--once", "--phones", "2", "--new-phones", "1", "--seed", "20"],
    {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: folder,
        DATABASE_URL: url,
        TURNUP_SEAL_KEY: sealKey,
        TURNUP_DATA_FOLDER: join(folder, "data"),
        TURNUP_HTTP_PORT: "0",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(String(chunk)));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, output: chunks.join("") };
}
