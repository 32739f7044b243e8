/**
 * Brings a database to this release: numbered SQL files in `migrations/`, forward only, in steps. A step is one transaction
 * under one advisory lock, so that several nodes may start at once: a whole file, one part of it, or one batch of a large
 * table's rows (`migration-file.ts`). How far a file has come is remembered in the step itself, so whoever is killed, or
 * comes beside it, goes on from there.
 *
 * Beside each applied migration its checksum is kept: a file that was edited after it ran, or began to, is refused, since
 * nobody could say any more what shape the database has.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { TurnupError } from "../../term/error.ts";
import { codeOf } from "../../term/narrow.ts";
import type { Database, Db, Tx } from "./database.ts";
import { type MigrationFile, type MigrationPart, migrationFiles, partsOf } from "./migration-file.ts";

export { checksumOf, type MigrationFile, migrationFiles } from "./migration-file.ts";

/** Building an index on millions of rows. */
const MIGRATION_TIMEOUT_MS = 3_600_000;
/** Nodes that start meanwhile wait for it as long. The number is the one that release 0.1.0 takes, so they wait on each other. */
const MIGRATION_LOCK = "3853314791062309107";
/** A batch takes well under a second, and holds the locks of its rows no longer. */
const BATCH_ROWS = 10_000;
const BEFORE_ALL_IDS = "00000000-0000-0000-0000-000000000000";
/**
 * Behind a step that waits for a table everybody else waits too: it gives way, and comes again, until a long transaction (a
 * backup reads all tables in one) is over. It does so too where it and a server wait on each other.
 */
const TABLE_WAIT_MS = 2_000;
const TABLE_PAUSE_MS = 1_000;
const TABLE_PATIENCE_MS = 1_800_000;

/** `version` is the number of the last migration, 0 for none. */
export type MigrateOutcome = {
  readonly applied: readonly string[];
  readonly version: number;
  /** What the applied ones changed of an operator's own decisions, in words for a person; it stands in the audit too. */
  readonly notes: readonly string[];
};
/** Told where a step begins, and once more where it was its migration's last. Counts are rows of `table`. */
type MigrateProgress = {
  readonly name: string;
  /** From 1. */
  readonly part: number;
  readonly parts: number;
  readonly table: string | null;
  readonly done: number;
  readonly total: number;
  readonly isApplied: boolean;
};
export type OnMigrateProgress = (progress: MigrateProgress) => void;

/**
 * @throws TurnupError `migration_changed`: an applied file differs from when it ran
 * @throws TurnupError `migration_unknown`: the database was brought further by a newer release
 * @throws TurnupError `database_timeout`: a table that it has to change was in use by others for half an hour
 */
export async function migrate(
  database: Database,
  files: readonly MigrationFile[] = migrationFiles(),
  onProgress: OnMigrateProgress = () => undefined,
): Promise<MigrateOutcome> {
  const before = await appliedMigrations(database);
  check(before, files);
  const pending = files.filter(({ name }) => !before.has(name));
  const version = Number(files.at(-1)?.name.slice(0, 4) ?? 0);
  if (pending.length === 0) return { applied: [], version, notes: [] };

  const applied: string[] = [];
  for (;;) {
    const step = await patientStep(database, files, onProgress);
    if (!step) break;
    if (step.isApplied) applied.push(step.name);
    if (step.isApplied) onProgress(step);
  }
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

// ---- a step

async function patientStep(
  database: Database,
  files: readonly MigrationFile[],
  onProgress: OnMigrateProgress,
): Promise<MigrateProgress | undefined> {
  const until = performance.now() + TABLE_PATIENCE_MS;
  for (;;) {
    try {
      return await takeStep(database, files, onProgress);
    } catch (error) {
      if (!isTableInUse(error) || performance.now() > until) throw error;
      await sleep(TABLE_PAUSE_MS);
    }
  }
}

/** PostgreSQL's lock_not_available, behind our own word for it, and deadlock_detected. */
const isTableInUse = (error: unknown): boolean => {
  const cause = error instanceof TurnupError ? error.cause : error;
  return ["55P03", "40P01"].includes(codeOf(cause) ?? "");
};

/** Undefined where nothing is left to do, maybe since another node did it meanwhile. */
const takeStep = (
  database: Database,
  files: readonly MigrationFile[],
  onProgress: OnMigrateProgress,
): Promise<MigrateProgress | undefined> =>
  database.transaction(
    async (tx) => {
      tx.send(`set local lock_timeout = ${MIGRATION_TIMEOUT_MS}`);
      tx.send(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      tx.send(`set local lock_timeout = ${TABLE_WAIT_MS}`);
      for (const table of OUR_TABLES) tx.send(table);
      const applied = await ledger(tx);
      check(applied, files);
      const next = files.find(({ name }) => !applied.has(name));
      return next && takePart(tx, next, onProgress);
    },
    { statementTimeoutMs: MIGRATION_TIMEOUT_MS },
  );

async function takePart(
  tx: Tx,
  file: MigrationFile,
  onProgress: OnMigrateProgress,
): Promise<MigrateProgress> {
  const parts = partsOf(file.text);
  const place = (await placeOf(tx, file)) ?? START;
  const part = parts[place.part] as MigrationPart; // a place is written by the same file alone
  const total = part.batchesOf !== null && place.done === 0 ? await countOf(tx, part.batchesOf) : place.total;
  const told: MigrateProgress = {
    name: file.name,
    part: place.part + 1,
    parts: parts.length,
    table: part.batchesOf,
    done: place.done,
    total,
    isApplied: false,
  };
  onProgress(told);
  const after = await run(tx, part, { ...place, total });
  const isApplied = after.part === parts.length;
  if (isApplied) {
    tx.send("delete from migration_progress where name = $1", [file.name]);
    tx.send("insert into migration_checksum (name, sha256) values ($1, $2)", [file.name, file.checksum]);
  } else remember(tx, file, after);
  return { ...told, isApplied };
}

/** Where a migration that is under way goes on: the part, from 0, and the last id of it that was done. */
type Place = {
  readonly part: number;
  readonly after: string;
  readonly done: number;
  readonly total: number;
};
const START: Place = { part: 0, after: BEFORE_ALL_IDS, done: 0, total: 0 };

async function run(tx: Tx, { text, batchesOf }: MigrationPart, place: Place): Promise<Place> {
  const next: Place = { ...START, part: place.part + 1 };
  if (batchesOf === null) {
    await tx.run(text);
    return next;
  }
  const batch = await tx.one<{ rows: number; last: string | null }>(
    `select count(*)::int as rows, (array_agg(id order by id desc))[1]::text as last
       from (select id from ${batchesOf} where id > $1 order by id limit ${BATCH_ROWS}) batch`,
    [place.after],
  );
  if (!batch?.last) return next;
  await tx.run(text, [place.after, batch.last]);
  return { ...place, after: batch.last, done: place.done + batch.rows };
}

const countOf = async (tx: Tx, table: string): Promise<number> =>
  (await tx.one<{ rows: number }>(`select count(*)::int as rows from ${table}`))?.rows ?? 0;

/** @throws TurnupError `migration_changed` */
async function placeOf(tx: Tx, file: MigrationFile): Promise<Place | undefined> {
  const place = await tx.one<Place & { sha256: string }>(
    "select sha256, part, after::text as after, done::int as done, total::int as total from migration_progress where name = $1",
    [file.name],
  );
  if (place && place.sha256 !== file.checksum) throw changed(file.name);
  return place;
}

function remember(tx: Tx, { name, checksum }: MigrationFile, { part, after, done, total }: Place): void {
  tx.send(
    `insert into migration_progress (name, sha256, part, after, done, total) values ($1, $2, $3, $4, $5, $6)
         on conflict (name) do update
        set part = excluded.part, after = excluded.after, done = excluded.done, total = excluded.total`,
    [name, checksum, part, after, done, total],
  );
}

// ---- what was applied

/**
 * Made before they are read, not looked for: a session that waited for the lock may remember that there was no such table, and
 * nothing but the making of one tells it otherwise.
 */
const OUR_TABLES = [
  "create table if not exists migration_checksum (name text primary key, sha256 text not null)",
  `create table if not exists migration_progress (name text primary key, sha256 text not null, part integer not null,
     after uuid not null, done bigint not null, total bigint not null)`,
];

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
        `The database has migration ${name}, which this release lacks.`,
        {
          nextStep: "Start the release that made it, or a later one.",
        },
      );
    }
    if (file.checksum !== checksum) throw changed(name);
  }
}

const changed = (name: string): TurnupError =>
  new TurnupError("migration_changed", `Migration ${name} was edited after it was applied.`, {
    nextStep: "Restore the file as it was released and put the change into a new migration.",
  });
