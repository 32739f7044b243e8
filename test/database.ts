/** A test file's own database: migrated, empty, dropped at the end. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { type Database, type DatabaseConfig, openDatabase } from "../src/store/database.ts";
import { whenDone } from "./when-done.ts";

/** `database` for the test's work; `config` and `url` open it once more, as another program would. */
export type FreshDatabase = {
  readonly database: Database;
  readonly config: DatabaseConfig;
  readonly url: string;
};

/**
 * Call it where the file begins, outside any test: `const database = await freshDatabase();`
 * It fails loudly when there is no server; it never skips.
 */
export async function freshDatabase(): Promise<Database> {
  return (await freshDatabaseConfig()).database;
}

export async function freshDatabaseConfig(
  options: { readonly migrated?: boolean } = {},
): Promise<FreshDatabase> {
  const { connection, template } = inject("postgres");
  const name = `turnup_test_${randomUUID().replaceAll("-", "")}`;
  // Copying files needs two checkpoints; copying through the log needs none, and the template is small.
  const source = options.migrated === false ? "template1" : template;
  await runOn(connection, `create database ${name} template ${source} strategy wal_log`);
  const config = { connection: { ...connection, database: name }, poolMax: 8, applicationName: name };
  const database = await openDatabase(config);
  whenDone(async () => {
    await database.close();
    await runOn(connection, `drop database if exists ${name} with (force)`);
  });
  return { database, config, url: urlOf(connection, name) };
}

/** A unix socket stands in the query. */
function urlOf({ host = "", port = 5432, user = "", password }: pg.PoolConfig, database: string): string {
  const who = encodeURIComponent(user) + (password ? `:${encodeURIComponent(String(password))}` : "");
  return `postgres://${who}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

async function runOn(connection: pg.PoolConfig, statement: string): Promise<void> {
  const client = new pg.Client(connection as pg.ClientConfig);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
