/** The command line over a database of the test file's own: text in, text and exit code out. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
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
  const { database, url } = await freshDatabaseConfig();
  const folder = mkdtempSync(join(tmpdir(), "turnup-cli-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const env = {
    DATABASE_URL: url,
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

/** Every line of output as the JSON value it is. */
export const jsonLines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
