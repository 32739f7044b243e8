/**
 * Brings a database to this release: numbered SQL files in `migrations/`, forward only, each in one transaction and under
 * one advisory lock, so that several nodes may start at once.
 *
 * Beside each applied migration its checksum is kept: a file that was edited after it ran is refused, since nobody
 * could say any more what shape the database has.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TurnupError } from "../../term/error.ts";
import type { Database, Db } from "./database.ts";

/** Beside this room in a checkout; in a release all is in one folder. */
const FOLDER = ["migrations", "../migrations"]
  .map((folder) => join(import.meta.dirname, folder))
  .find((folder) => existsSync(folder)) as string;
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;
/** Building an index on millions of rows. */
const MIGRATION_TIMEOUT_MS = 3_600_000;
/** Nodes that start meanwhile wait for it as long. The number is the one that release 0.1.0 takes, so they wait on each other. */
const MIGRATION_LOCK = "3853314791062309107";

export type MigrationFile = { readonly name: string; readonly text: string; readonly checksum: string };
/** `version` is the number of the last migration, 0 for none. */
export type MigrateOutcome = {
  readonly applied: readonly string[];
  readonly version: number;
  /** What the applied ones changed of an operator's own decisions, in words for a person; it stands in the audit too. */
  readonly notes: readonly string[];
};

/**
 * @throws TurnupError `migration_changed`: an applied file differs from when it ran
 * @throws TurnupError `migration_unknown`: the database was brought further by a newer release
 */
export async function migrate(
  database: Database,
  files: readonly MigrationFile[] = migrationFiles(),
): Promise<MigrateOutcome> {
  const before = await appliedMigrations(database);
  check(before, files);
  const pending = files.filter(({ name }) => !before.has(name));
  const version = Number(files.at(-1)?.name.slice(0, 4) ?? 0);
  if (pending.length === 0) return { applied: [], version, notes: [] };

  const applied: string[] = [];
  for (let name = await applyNext(database, files); name; name = await applyNext(database, files))
    applied.push(name);
  check(await appliedMigrations(database), files);
  return { applied, version, notes: await notesOf(database, applied) };
}

/** A migration that changes what operators decided writes it into their audit, as `migration <number>`. */
async function notesOf(database: Database, applied: readonly string[]): Promise<string[]> {
  const there = await database.one<{ there: boolean }>("select to_regclass('audit') is not null as there");
  if (!there?.there || applied.length === 0) return [];
  const rows = await database.rows<{ slug: string; action: string; subject: string; why: string }>(
    `select o.slug, a.action, a.subject, coalesce(a.detail ->> 'why', '') as why from audit a join operator o on o.id = a.operator_id
      where a.actor = any($1::text[]) order by a.actor, o.slug`,
    [applied.map((name) => `migration ${name.slice(0, 4)}`)],
  );
  return rows.map(({ slug, action, subject, why }) => `${slug}: ${action}, ${subject}: ${why}`);
}

/** The shipped files in order. Two with one number is a mistake of ours; a number may be kept for work that is under way. */
export function migrationFiles(folder: string = FOLDER): MigrationFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  let last = 0;
  return names.map((fileName) => {
    const number = Number(FILE_NAME.exec(fileName)?.[1]);
    if (!(number > last)) {
      throw new Error(`migrations are numbered 0001, 0002, ..., each once; ${fileName} breaks the row`);
    }
    last = number;
    const text = readFileSync(join(folder, fileName), "utf8");
    return { name: fileName.slice(0, -".sql".length), text, checksum: checksumOf(text) };
  });
}

/** Line ends may change on the way through version control; nothing else may. */
export const checksumOf = (text: string): string =>
  createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");

/** Names the migration that it applied; undefined where none was left, since another node took it meanwhile. */
const applyNext = (database: Database, files: readonly MigrationFile[]): Promise<string | undefined> =>
  database.transaction(
    async (tx) => {
      tx.send(`set local lock_timeout = ${MIGRATION_TIMEOUT_MS}`);
      tx.send(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      tx.send("set local lock_timeout to default"); // its own statements wait no longer than anybody's
      tx.send(LEDGER);
      const applied = await ledger(tx);
      check(applied, files);
      const next = files.find(({ name }) => !applied.has(name));
      if (!next) return undefined;
      await tx.run(next.text);
      tx.send("insert into migration_checksum (name, sha256) values ($1, $2)", [next.name, next.checksum]);
      return next.name;
    },
    { statementTimeoutMs: MIGRATION_TIMEOUT_MS },
  );

/**
 * Made before it is read, not looked for: a session that waited for the lock may remember that there was no such table, and
 * nothing but the making of one tells it otherwise.
 */
const LEDGER = "create table if not exists migration_checksum (name text primary key, sha256 text not null)";

async function appliedMigrations(database: Database): Promise<ReadonlyMap<string, string>> {
  const known = await database.one<{ there: boolean }>(
    "select to_regclass('migration_checksum') is not null as there",
  );
  return known?.there ? ledger(database) : new Map();
}

async function ledger(database: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await database.rows<{ name: string; sha256: string }>(
    "select name, sha256 from migration_checksum",
  );
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]));
}

function check(applied: ReadonlyMap<string, string>, files: readonly MigrationFile[]): void {
  for (const [name, checksum] of applied) {
    const file = files.find((candidate) => candidate.name === name);
    if (!file) {
      throw new TurnupError(
        "migration_unknown",
        `the database has migration ${name}, which this release lacks`,
        {
          nextStep: "start the release that made it, or a later one",
        },
      );
    }
    if (file.checksum !== checksum) {
      throw new TurnupError("migration_changed", `migration ${name} was edited after it was applied`, {
        nextStep: "restore the file as it was released and put the change into a new migration",
      });
    }
  }
}
