import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const TABLES = join(import.meta.dirname, "schema-tables.ts");
const { config } = await freshDatabaseConfig();

test("the types of the tables are those of the migrated database", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-schema-"));
  const written = join(folder, "schema-tables.ts");
  const { host = "", port = 5432, user = "", password, database } = config.connection;
  const who = encodeURIComponent(user) + (password ? `:${encodeURIComponent(String(password))}` : "");
  const url = `postgres://${who}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;
  const args = ["--dialect", "postgres", "--url", url, "--out-file", written, "--date-parser", "string"];
  const more = ["--type-mapping", '{"int8":"bigint"}', "--exclude-pattern", "(kysely_*|migration_checksum)"];
  await run(join(ROOT, "node_modules/.bin/kysely-codegen"), [...args, ...more], { cwd: folder });
  await run(join(ROOT, "node_modules/.bin/biome"), [
    "format",
    "--write",
    `--config-path=${ROOT}`,
    "--vcs-enabled=false",
    written,
  ]);
  if (process.env.UPDATE_SCHEMA) copyFileSync(written, TABLES);
  const now = readFileSync(written, "utf8");
  rmSync(folder, { recursive: true });
  assert.equal(
    readFileSync(TABLES, "utf8"),
    now,
    "run: UPDATE_SCHEMA=1 npx vitest run src/store/database/schema.test.ts",
  );
});
