/**
 * One PostgreSQL for the whole test run, with one migrated database that every test file's own is copied from
 * (`test/database.ts`). The embedded server in a temporary folder, or the one that DATABASE_URL names.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../src/store/database.ts";
import { isAlive } from "../src/store/embedded/process.ts";
import { startEmbeddedPostgres } from "../src/store/embedded/supervisor.ts";
import { migrate } from "../src/store/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: { readonly connection: pg.PoolConfig; readonly template: string };
  }
}

const FOLDER_PREFIX = "turnup-test-";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = process.env.DATABASE_URL ? serverOf(process.env.DATABASE_URL) : await embedded();
  const template = `turnup_template_${process.pid}_${Date.now()}`;
  try {
    await runOn(server.connection, `create database ${template}`);
    const database = await openDatabase({
      connection: { ...server.connection, database: template },
      poolMax: 1,
    });
    await migrate(database);
    await database.close(); // a database with a session cannot be copied
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide("postgres", { connection: server.connection, template });
  return async () => {
    await runOn(server.connection, `drop database if exists ${template} with (force)`);
    await server.stop();
  };
}

type Server = { readonly connection: pg.PoolConfig; readonly stop: () => Promise<void> };

/** The parts of the URL, so that another database of the same server can be named. */
function serverOf(url: string): Server {
  const { host, port, user, password, ssl, database } = new pg.Client(url);
  const connection = {
    host,
    port,
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ssl,
    database,
  };
  return { connection: connection as pg.PoolConfig, stop: async () => undefined };
}

async function embedded(): Promise<Server> {
  await removeLeftBehind();
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  const server = await startEmbeddedPostgres({
    folder: join(folder, String(process.pid)),
    log: () => undefined,
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { connection: server.connection, stop };
}

/** A test run that was killed left its server running and its folder lying; the folder inside bears its number. */
async function removeLeftBehind(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const folder = join(tmpdir(), name);
    try {
      const [owner] = readdirSync(folder);
      if (!owner || isAlive(Number(owner))) continue;
      const pidFile = join(folder, owner, "postgres", "data", "postmaster.pid");
      const server = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
      if (isAlive(server)) process.kill(server, "SIGQUIT");
    } catch {
      // No server there, or the folder of another user: nothing to end.
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function runOn(connection: pg.PoolConfig, statement: string): Promise<void> {
  const client = new pg.Client(connection as pg.ClientConfig);
  await client.connect();
  await client.query(statement);
  await client.end();
}
