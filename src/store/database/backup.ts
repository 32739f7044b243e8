/**
 * A whole database as one compressed file, and back. All tables are read in one REPEATABLE READ transaction, so the file
 * shows one moment whatever goes on beside; it is written into an empty database, all or nothing.
 *
 *   {"turnup": "backup", "format": 1, "migrations": {name: sha256}, ...}      first line: what it is
 *   {"table": "operator", "columns": [...]}                                   then each table, parents first:
 *   rows in PostgreSQL's COPY text form, one a line                           no row of it ever begins with \.
 *   \.                                                                        the table's end
 *   {"end": true, "rows": 1234}                                               last line: nothing is missing
 *
 * What is sealed stays sealed: the seal key is not in it.
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import pg from "pg";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { makePartitions } from "../retention/partitions.ts";
import { copyIn, copyOut } from "./copy.ts";
import type { Database } from "./database.ts";
import { sessionConfigOf, the } from "./driver.ts";
import { type MigrationFile, migrate, migrationFiles, type OnMigrateProgress } from "./migrate.ts";

const FORMAT = 1;
/** A row holds a payload or a dataset's line; one longer than this is no row of ours. */
const LINE_OCTETS_MAX = 64 * 1_024 * 1_024;
/** Rows of a table go out and in together in pieces of about this size. */
const PIECE_OCTETS = 64 * 1_024;
const TELL_EVERY_ROWS = 1_000;
const NEWLINE = 0x0a;
const END_OF_ROWS = "\\.";

type BackupHeader = {
  readonly turnup: "backup";
  readonly format: number;
  readonly at: string;
  /** Every migration that made its tables, with the checksum of its file. */
  readonly migrations: Readonly<Record<string, string>>;
  readonly sequences: Readonly<Record<string, Sequence>>;
  /** Months that its large tables had; a backup of a release without them has none. */
  readonly partitions?: readonly string[];
};
/** `isUsed`: `last` was given out already. */
type Sequence = { readonly last: string; readonly isUsed: boolean };
type TableHeader = { readonly table: string; readonly columns: readonly string[] };
type Footer = { readonly end: true; readonly rows: number };

export type Told = { readonly tables: number; readonly rows: number; readonly version: number };
/** `total` by the database's own estimate; null where it has none. */
type OnRows = (rows: number, total: number | null) => void;

const jsonLine = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

// ---- out

/** Tables of ours, parents before children. Numbers of transactions (xid8) mean nothing on another server. Partitions are read through their table. `kysely_`: the ledger of release 0.1.0. */
const TABLES = `
  with recursive ours as (
    select c.oid, c.relname as name, greatest(c.reltuples, 0)::bigint as estimate,
           (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
               and a.atttypid <> 'xid8'::regtype) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname !~ '^(kysely_|migration_(checksum|progress)$)'),
  depth(oid, level) as (
    select oid, 0 from ours
    union
    select k.conrelid, d.level + 1 from depth d join pg_constraint k on k.confrelid = d.oid
     where k.contype = 'f' and k.conrelid <> k.confrelid and d.level < 50)
  select o.name, o.columns, o.estimate::text as estimate from ours o join depth d on d.oid = o.oid
   group by o.name, o.columns, o.estimate order by max(d.level), o.name`;
type Table = { readonly name: string; readonly columns: string[]; readonly estimate: string };
const SEQUENCES = `select s.relname as name from pg_class s join pg_namespace n on n.oid = s.relnamespace
                    where n.nspname = 'public' and s.relkind = 'S' order by 1`;
const OF_MONTHS = `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
                    where n.nspname = 'public' and c.relkind = 'p' order by 1`;
const PARTITIONS = `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
                     join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind = 'r' order by 1`;

/** @throws TurnupError `database_unavailable`, `migration_unfinished` */
export async function writeBackup(
  connection: pg.PoolConfig,
  sink: NodeJS.WritableStream,
  now: Date,
  onRows: OnRows,
): Promise<Told> {
  return await inSession(connection, async (client) => {
    const { rows: grown } = await client.query<{ name: string }>(OF_MONTHS);
    await client.query("begin isolation level repeatable read read only");
    // Before the transaction's moment: a month that is dropped behind it would be missing, and not counted as gone either.
    for (const { name } of grown) await client.query(`lock table ${quoted(name)} in access share mode`);
    const told = { tables: 0, rows: 0, version: 0 };
    await pipeline(octetsOf(client, now, told, onRows), createGzip(), sink);
    await client.query("commit");
    return told;
  });
}

async function* octetsOf(
  client: pg.Client,
  now: Date,
  told: { -readonly [Key in keyof Told]: Told[Key] },
  onRows: OnRows,
): AsyncGenerator<Buffer> {
  await refuseUnfinished(client);
  const { rows: tables } = await client.query<Table>(TABLES);
  const header = await headerOf(client, now);
  told.version = versionOf(Object.keys(header.migrations));
  yield jsonLine(header);
  const estimate = tables.reduce((sum, table) => sum + Number(table.estimate), 0);
  for (const { name, columns } of tables) {
    told.tables++;
    yield jsonLine({ table: name, columns } satisfies TableHeader);
    const copy = `copy (select ${columns.map(quoted).join(", ")} from ${quoted(name)}) to stdout`;
    for await (const row of copyOut(client, copy)) {
      yield row;
      if (++told.rows % TELL_EVERY_ROWS === 0) onRows(told.rows, estimate > told.rows ? estimate : null);
    }
    yield Buffer.from(`${END_OF_ROWS}\n`);
  }
  yield jsonLine({ end: true, rows: told.rows } satisfies Footer);
}

/** Tables between two releases are those of none: nobody could make them anew for the rows. */
async function refuseUnfinished(client: pg.Client): Promise<void> {
  const known = await client.query("select where to_regclass('migration_progress') is not null");
  if (known.rowCount === 0) return; // a database of release 0.1.0
  const { rows } = await client.query<{ name: string }>("select name from migration_progress");
  const [begun] = rows;
  if (!begun) return;
  throw new TurnupError("migration_unfinished", `Migration ${begun.name} is under way, or was cut short.`, {
    nextStep: "Let `turnup migrate` come to its end, then take the backup.",
  });
}

async function headerOf(client: pg.Client, now: Date): Promise<BackupHeader> {
  const applied = await client.query<{ name: string; sha256: string }>(
    "select name, sha256 from migration_checksum order by name",
  );
  const sequences: Record<string, Sequence> = {};
  for (const { name } of (await client.query<{ name: string }>(SEQUENCES)).rows) {
    const { rows } = await client.query<Sequence>(
      `select last_value::text as last, is_called as "isUsed" from ${quoted(name)}`,
    );
    sequences[name] = the(rows);
  }
  return {
    turnup: "backup",
    format: FORMAT,
    at: now.toISOString(),
    migrations: Object.fromEntries(applied.rows.map(({ name, sha256 }) => [name, sha256])),
    sequences,
    partitions: (await client.query<{ name: string }>(PARTITIONS)).rows.map(({ name }) => name),
  };
}

// ---- in

/** Numbers of transactions mean nothing on another server. */
const OF_ANOTHER_SERVER = [
  "update unmatched_receipt set look_at = now(), horizon = null where look_at is not null",
  // What proxies were told after the backup is on no list here: each is told all anew.
  "update proxy_account_list set epoch = gen_random_uuid()",
  "update proxy_told set leased_until = null",
  // What was read of the feed by the former numbers of transactions says nothing of the new ones.
  "update event_feed set epoch = gen_random_uuid(), floor = '0'",
  `select pg_notify('turnup_changed', '{"kind":"everything"}')`,
];

type RestoreTarget = { readonly database: Database; readonly connection: pg.PoolConfig };

/**
 * Brings an empty database to the state of the backup, and then to this release.
 * @throws TurnupError `backup_unreadable`, `migration_unknown`, `migration_changed`, `database_not_empty`
 */
export async function restoreBackup(
  { database, connection }: RestoreTarget,
  file: string,
  { onRows, onMigrate }: { readonly onRows: OnRows; readonly onMigrate?: OnMigrateProgress },
): Promise<Told> {
  const lines = linesOf(file);
  try {
    const header = parsedHeader(await lines.next());
    const files = migrationsOf(header);
    await refuseUnlessEmpty(database, files);
    await migrate(database, files);
    await makePartitions(database, header.partitions ?? []);
    const told = await inSession(connection, async (client) => {
      await client.query("begin; set local turnup.restoring = 'on'"); // versions of changes come with their table
      const written = await writeTables(client, lines, onRows);
      for (const [name, { last, isUsed }] of Object.entries(header.sequences))
        await client.query("select setval($1::regclass, $2, $3)", [quoted(name), last, isUsed]);
      await client.query("commit");
      return written;
    });
    await database.run("analyze");
    const { version } = await migrate(database, migrationFiles(), onMigrate);
    for (const statement of OF_ANOTHER_SERVER) await database.run(statement);
    return { ...told, version };
  } finally {
    lines.close();
  }
}

async function writeTables(client: pg.Client, lines: Lines, onRows: OnRows): Promise<Omit<Told, "version">> {
  let tables = 0;
  let rows = 0;
  for (;;) {
    const line = parsed<TableHeader | Footer>(await lines.next());
    if ("end" in line) {
      if (line.rows !== rows) throw unreadable(`it names ${line.rows} rows and holds ${rows}`);
      if (await lines.next()) throw unreadable("something follows its end"); // or its checksum is wrong
      return { tables, rows };
    }
    if (typeof line.table !== "string" || !Array.isArray(line.columns))
      throw unreadable("a table has no name");
    tables++;
    const columns = line.columns.map((column) => quoted(String(column))).join(", ");
    await copyIn(client, `copy ${quoted(line.table)} (${columns}) from stdin`, piecesOf(lines, countRow));
  }

  function countRow(): void {
    if (++rows % TELL_EVERY_ROWS === 0) onRows(rows, null);
  }
}

/** The rows up to the table's end, many in one buffer. */
async function* piecesOf(lines: Lines, countRow: () => void): AsyncGenerator<Buffer> {
  let piece: Buffer[] = [];
  let octets = 0;
  for (;;) {
    const line = await lines.next();
    if (!line) throw unreadable("it ends in the middle of a table");
    if (line.length === 2 && line.toString("latin1") === END_OF_ROWS) break;
    countRow();
    piece.push(line, LINE_END);
    octets += line.length + 1;
    if (octets < PIECE_OCTETS) continue;
    yield Buffer.concat(piece);
    piece = [];
    octets = 0;
  }
  if (octets > 0) yield Buffer.concat(piece);
}
const LINE_END = Buffer.of(NEWLINE);

/** Ours, as they were when the backup was made. A newer release's are not here. */
function migrationsOf({ migrations }: BackupHeader): MigrationFile[] {
  const ours = migrationFiles();
  for (const [name, checksum] of Object.entries(migrations)) {
    const file = ours.find((one) => one.name === name);
    if (!file) {
      throw new TurnupError(
        "migration_unknown",
        `The backup is of a newer release: it has migration ${name}, which this release lacks.`,
        { nextStep: "Restore it with the release that made it, or a later one." },
      );
    }
    if (file.checksum !== checksum) {
      throw new TurnupError(
        "migration_changed",
        `Migration ${name} of the backup is not the one of this release.`,
        {
          nextStep: "Restore it with the release that made it.",
        },
      );
    }
  }
  return ours.filter(({ name }) => name in migrations);
}

async function refuseUnlessEmpty(database: Database, files: readonly MigrationFile[]): Promise<void> {
  const refuse = (fact: string): never => {
    throw new TurnupError(
      "database_not_empty",
      `A backup is restored into an empty database only: ${fact}.`,
      {
        nextStep: "Make a new database, or name a new data folder.",
      },
    );
  };
  for (const { name } of await database.rows<Table>(TABLES)) {
    const row = await database.one(`select from ${quoted(name)} limit 1`);
    if (row) refuse(`table ${name} has rows`);
  }
  const known = await database.one<{ there: boolean }>(
    "select to_regclass('migration_checksum') is not null as there",
  );
  if (!known?.there) return;
  const applied = await database.rows<{ name: string }>("select name from migration_checksum");
  const beyond = applied.find(({ name }) => !files.some((file) => file.name === name));
  if (beyond) refuse(`its schema is newer than the backup's (${beyond.name})`);
}

function parsedHeader(line: Buffer | undefined): BackupHeader {
  const header = parsed<BackupHeader>(line);
  if (header.turnup !== "backup") throw unreadable("it is no backup of Turnup");
  if (header.format !== FORMAT)
    throw unreadable(`it has format ${header.format}; this release reads ${FORMAT}`);
  return header;
}

function parsed<T extends object>(line: Buffer | undefined): T {
  if (!line) throw unreadable("it ends early");
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    if (typeof value === "object" && value !== null) return value as T; // of our own making; what is used of it is checked
  } catch {
    // told below, without the line: it may hold a row
  }
  throw unreadable("a line that names what follows is not JSON");
}

const unreadable = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("backup_unreadable", `The backup cannot be read: ${fact}.`, {
    cause,
    nextStep: "Take another backup; this one was cut short or changed.",
  });

type Lines = {
  /** Without its line end; undefined at the end of the file. */
  next(): Promise<Buffer | undefined>;
  close(): void;
};

function linesOf(file: string): Lines {
  const source = createReadStream(file);
  const plain = source.pipe(createGunzip());
  source.on("error", (error) => plain.destroy(error));
  const lines = splitLines(plain);
  return {
    async next() {
      try {
        const { value, done } = await lines.next();
        return done ? undefined : value;
      } catch (error) {
        if (error instanceof TurnupError) throw error;
        throw unreadable(messageOf(error), error);
      }
    },
    close() {
      source.destroy();
      plain.destroy();
    },
  };
}

async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let begun: Buffer[] = [];
  let octets = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end);
      yield begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
      begun = [];
      octets = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    octets += chunk.length - from;
    if (octets > LINE_OCTETS_MAX) throw unreadable(`a line has more than ${LINE_OCTETS_MAX} octets`);
  }
  if (octets > 0) yield Buffer.concat(begun);
}

// ---- a session of its own

/** Its statements take as long as they take, and dates and octets are written the one way that reads everywhere. */
async function inSession<T>(connection: pg.PoolConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...sessionConfigOf(connection), application_name: "turnup backup" });
  client.on("error", () => undefined); // told by the statement that meets it
  await client.connect();
  try {
    await client.query(
      "set statement_timeout = 0; set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set bytea_output = 'hex'; set intervalstyle = 'postgres'",
    );
    return await work(client);
  } finally {
    await client.end();
  }
}

const versionOf = (names: readonly string[]): number =>
  names.reduce((latest, name) => Math.max(latest, Number(name.slice(0, 4))), 0);
