/** The store that a start opens: embedded or by URL, with its schema and its seal key. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { runningPostgres } from "../../store/embedded/supervisor.ts";
import { readConfig } from "../config/config.ts";
import { openStore } from "./store.ts";

const server = inject("postgres").connection;
const { config: fresh } = await freshDatabaseConfig({ migrated: false });

/** The test run's server by URL; a unix socket stands in the query. */
function urlOf(database: string): string {
  const { host = "", port = 5432, user = "", password } = server;
  const who = encodeURIComponent(user) + (password ? `:${encodeURIComponent(String(password))}` : "");
  return `postgres://${who}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

test("one start makes folder, database, schema and seal key; the next finds them", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "turnup-store-")), "data");
  const { config } = readConfig({ env: { TURNUP_DATA_FOLDER: folder }, folder: tmpdir() });
  const first = await openStore({ config, log: () => undefined });
  assert.ok(first.migrated.applied.length > 0);
  assert.equal(statSync(join(folder, "seal.key")).mode & 0o777, 0o600);
  const sealed = first.sealer.seal("imsi", "001010123456789");

  const beside = await openStore({ config, log: () => undefined, beside: true });
  assert.deepEqual(beside.migrated.applied, []);
  await beside.close();
  assert.equal(await first.database.run("select 1"), 1); // the command beside did not end the server
  await assert.rejects(openStore({ config, log: () => undefined }), { code: "data_folder_in_use" });
  await first.close();
  assert.equal(runningPostgres(folder), undefined);

  const second = await openStore({ config, log: () => undefined, beside: true });
  assert.deepEqual(second.migrated.applied, []);
  assert.equal(second.sealer.open("imsi", sealed), "001010123456789");
  await second.close();
  rmSync(join(folder, ".."), { recursive: true });
});

test("a server by URL is used instead of the embedded one, and left running", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "turnup-store-")), "data");
  const env = { TURNUP_DATA_FOLDER: folder, DATABASE_URL: urlOf(String(fresh.connection.database)) };
  const { config } = readConfig({ env, folder: tmpdir() });
  const store = await openStore({ config, log: () => undefined });
  assert.ok(store.migrated.version > 0);
  await store.close();
  assert.equal(existsSync(join(folder, "postgres")), false);
  const again = await openStore({ config, log: () => undefined });
  assert.deepEqual(again.migrated.applied, []);
  await again.close();
  rmSync(join(folder, ".."), { recursive: true });
});
