/** The command line over a database of the test file's own: text in, text and exit code out. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, inject } from "vitest";
import { type CliRun, runWith } from "../src/app/cli-test-io.ts";
import type { CommandEntry } from "../src/app/command.ts";
import type { Database } from "../src/store/database.ts";
import { createSealer, type Sealer } from "../src/store/seal.ts";
import { uuidv7 } from "../src/store/uuid.ts";
import { freshDatabaseConfig } from "./database.ts";

export type CliHouse = {
  readonly database: Database;
  readonly sealer: Sealer;
  run(argv: readonly string[], stdin?: string): Promise<CliRun>;
  /** Writes a file and answers its path. */
  file(name: string, content: string | Uint8Array): string;
  operator(slug: string): Promise<string>;
};

const SEAL_KEY = Buffer.alloc(32, 5);

export async function cliHouse(entries: readonly CommandEntry[]): Promise<CliHouse> {
  const { database, config } = await freshDatabaseConfig();
  const folder = mkdtempSync(join(tmpdir(), "turnup-cli-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const env = {
    DATABASE_URL: urlOf(String(config.connection.database)),
    TURNUP_SEAL_KEY: SEAL_KEY.toString("hex"),
    TURNUP_DATA_FOLDER: join(folder, "data"),
  };
  return {
    database,
    sealer: createSealer(SEAL_KEY),
    run: (argv, stdin) => runWith(entries, argv, stdin, { env }),
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    async operator(slug) {
      const id = uuidv7();
      await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
        id,
        slug,
      ]);
      return id;
    },
  };
}

/** The test run's server by URL; a unix socket stands in the query. */
function urlOf(database: string): string {
  const { host = "", port = 5432, user = "", password } = inject("postgres").connection;
  const who = encodeURIComponent(user) + (password ? `:${encodeURIComponent(String(password))}` : "");
  return `postgres://${who}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

/** Every line of output as the JSON value it is. */
export const jsonLines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
