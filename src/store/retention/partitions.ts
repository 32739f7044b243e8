/**
 * The months of the tables that grow with every phone: sightings, events of orders, the audit, messages that are over. Their
 * names say what they hold, so nobody has to read PostgreSQL's bounds:
 *
 *   sighting_2026_11            one month, by UTC
 *   sighting_until_2026_12      all before December 2026: what was there before there were months
 *   sighting_default            what no month is for: what comes later than its month was dropped, or by a clock gone wrong
 *
 * Months are made ahead of their time. What lies in the default meanwhile (nobody was there to make them) moves into its month
 * as that is made.
 */
import { GROWN_KINDS, type GrownKind, monthOf } from "../../kernel/operator/retention.ts";
import type { Database, Db, Tx } from "../database/database.ts";

/** Behind whoever waits for a table everybody else waits too: the wait is short, and comes again with the next pass. */
export const TABLE_WAIT_MS = 500;
/** One at a time, whichever server it is. */
const GROWTH_LOCK = "7302214985521637733";
/** This month and the two behind it: there is time to say so, and to mend it, while none can be made. */
const MONTHS_AHEAD = 2;
/** What lies in the default moves within this. */
const MOVE_TIMEOUT_MS = 120_000;

/** `key` orders rows by time: an id is a UUIDv7. */
type Grown = { readonly table: string; readonly key: "id" | "seen_at" };
export const GROWN: Readonly<Record<GrownKind, Grown>> = {
  sightings: { table: "sighting", key: "seen_at" },
  events: { table: "order_event", key: "id" },
  audit: { table: "audit", key: "id" },
  messages: { table: "past_message", key: "id" },
};

/** `from` null: from the beginning. `to` null: the default, where a row may be of any time. */
export type Partition = { readonly name: string; readonly from: Date | null; readonly to: Date | null };

/** A moment as the table's key has it: its first possible value. */
export const boundOf = ({ key }: Grown, at: Date): string =>
  key === "seen_at" ? at.toISOString() : firstIdOf(at.getTime());

/** Below every UUIDv7 of this millisecond, and above those of the one before. */
function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Whoever gets it does the work; it ends with the transaction. */
export const isOurTurn = async (tx: Tx): Promise<boolean> =>
  (await tx.one<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${GROWTH_LOCK}) as mine`))?.mine ===
  true;

const nameOfMonth = ({ table }: Grown, month: Date): string =>
  `${table}_${month.toISOString().slice(0, 7).replace("-", "_")}`;

/** Oldest first, the default at the end. */
export async function partitionsOf(db: Db, grown: Grown): Promise<readonly Partition[]> {
  const rows = await db.rows<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass($1)`,
    [grown.table],
  );
  return rows
    .map(({ name }) => partitionNamed(grown, name))
    .filter((one) => one !== undefined)
    .sort((one, other) => endOf(one) - endOf(other));
}

const endOf = ({ to }: Partition): number => to?.getTime() ?? Number.POSITIVE_INFINITY;

/** Undefined for one that is not of our making: it is left alone. */
function partitionNamed({ table }: Grown, name: string): Partition | undefined {
  if (!name.startsWith(`${table}_`)) return undefined;
  const rest = name.slice(table.length + 1);
  if (rest === "default") return { name, from: null, to: null };
  const [, until, year, month] = /^(until_)?(\d{4})_(\d\d)$/.exec(rest) ?? [];
  if (year === undefined || month === undefined) return undefined;
  const first = new Date(Date.UTC(Number(year), Number(month) - 1, 1));
  return until === undefined ? { name, from: first, to: monthOf(first, 1) } : { name, from: null, to: first };
}

/**
 * Makes what is missing of this month and the next ones; the names of those that it made.
 * @throws what PostgreSQL says of the first that could not be made, when the others are
 */
export async function makeMonthsAhead(database: Database, now: Date): Promise<readonly string[]> {
  const made: string[] = [];
  const failures: unknown[] = [];
  for (const kind of GROWN_KINDS) {
    try {
      for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
        const name = await makeMonth(database, GROWN[kind], monthOf(now, ahead));
        if (name !== undefined) made.push(name);
      }
    } catch (error) {
      failures.push(error); // the table's other months would be waited for in vain too
    }
  }
  if (failures.length > 0) throw failures[0];
  return made;
}

/** Of a kind whose rows come long after their time: those of these months that no partition is for. */
export async function monthsLacking(
  db: Db,
  kind: GrownKind,
  months: readonly Date[],
): Promise<readonly Date[]> {
  if (months.length === 0) return [];
  const partitions = await partitionsOf(db, GROWN[kind]);
  return months.filter((month) => !covers(partitions, month));
}

export const makeMonthOf = (database: Database, kind: GrownKind, month: Date): Promise<string | undefined> =>
  makeMonth(database, GROWN[kind], month);

/** How many months without a gap lie ahead; -1 where not even the present one has a partition. */
async function countAhead(db: Db, grown: Grown, now: Date): Promise<number> {
  const partitions = await partitionsOf(db, grown);
  let ahead = -1;
  while (ahead < MONTHS_AHEAD && covers(partitions, monthOf(now, ahead + 1))) ahead++;
  return ahead;
}

export const monthsAheadOf = async (db: Db, now: Date): Promise<Readonly<Record<GrownKind, number>>> => ({
  sightings: await countAhead(db, GROWN.sightings, now),
  events: await countAhead(db, GROWN.events, now),
  audit: await countAhead(db, GROWN.audit, now),
  messages: await countAhead(db, GROWN.messages, now),
});

const covers = (partitions: readonly Partition[], month: Date): boolean =>
  partitions.some(({ from, to }) => to !== null && (from === null || from <= month) && month < to);

/** Its name; undefined where it was there, or another server is at it. */
async function makeMonth(database: Database, grown: Grown, month: Date): Promise<string | undefined> {
  if (covers(await partitionsOf(database, grown), month)) return undefined;
  return database.transaction(
    async (tx) => {
      if (!(await isOurTurn(tx)) || covers(await partitionsOf(tx, grown), month)) return undefined;
      tx.send(`set local lock_timeout = ${TABLE_WAIT_MS}`);
      return addPartition(tx, grown, { name: nameOfMonth(grown, month), from: month, to: monthOf(month, 1) });
    },
    { statementTimeoutMs: MOVE_TIMEOUT_MS },
  );
}

/**
 * With what the default holds of it. Writers of the table wait for that moment, readers of its other parts do not: a row that
 * was on its way into the default as its month came would be refused by PostgreSQL, and not led to the month.
 */
async function addPartition(tx: Tx, grown: Grown, { name, from, to }: Partition): Promise<string> {
  const { table, key } = grown;
  const [low, high] = [from && boundOf(grown, from), to && boundOf(grown, to)];
  const bounds = `from (${low ? `'${low}'` : "minvalue"}) to ('${high}')`;
  const within = `${low ? `${key} >= '${low}' and ` : ""}${key} < '${high}'`;
  tx.send(`create table ${name} (like ${table} including defaults including constraints)`);
  tx.send(`lock table ${table} in share row exclusive mode`);
  tx.send(`lock table ${table}_default in access exclusive mode`);
  tx.send(
    `with moved as (delete from ${table}_default where ${within} returning *) insert into ${name} select * from moved`,
  );
  await tx.run(`alter table ${table} attach partition ${name} for values ${bounds}`);
  return name;
}

/** Makes those of a backup, before its rows come. One that is there already stays; other names than ours make nothing. */
export async function makePartitions(database: Database, names: readonly string[]): Promise<void> {
  await database.transaction(async (tx) => {
    for (const kind of GROWN_KINDS) {
      const grown = GROWN[kind];
      const there = new Set((await partitionsOf(tx, grown)).map(({ name }) => name));
      for (const name of names) {
        const partition = partitionNamed(grown, name);
        if (partition?.to && !there.has(name)) await addPartition(tx, grown, partition);
      }
    }
  });
}

export type PartitionSize = {
  readonly name: string;
  /** By PostgreSQL's own estimate. */
  readonly rows: number;
  /** With its indexes. */
  readonly octets: number;
};

export async function partitionSizes(db: Db): Promise<readonly PartitionSize[]> {
  const sizes: PartitionSize[] = [];
  for (const kind of GROWN_KINDS) {
    for (const { name } of await partitionsOf(db, GROWN[kind])) {
      const [size] = await db.rows<Omit<PartitionSize, "name">>(
        `select greatest(reltuples, 0)::float8 as rows, pg_total_relation_size(oid)::float8 as octets
           from pg_class where oid = to_regclass($1)`,
        [name],
      );
      if (size) sizes.push({ name, ...size }); // or it went meanwhile
    }
  }
  return sizes;
}
