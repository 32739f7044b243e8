/**
 * Puts away what operators keep no longer. A month of which nobody keeps anything is dropped as a whole; where some operator
 * keeps it, or an order of it is under way, the rows of the others are deleted, some pages at a time. What goes is counted
 * first, in the same transaction (`monthly_statistic`), and stands in the audit of its operator when all of it went.
 *
 * A sweep runs over one kind's partitions, oldest first, each time what is kept changes: with the month, or by a policy. How far
 * it has come is remembered with each step, so any server goes on with it.
 */
import { type GrownKind, keptFrom, monthOf, type RetainedKind } from "../../kernel/operator/retention.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import { START_OF_ORDER } from "../database/page.ts";
import { INSERT_AUDIT } from "../operator/audited.ts";
import type { Sealer } from "../seal/seal.ts";
import { countAway, ENTRIES, isOver, overIn } from "./entries.ts";
import { boundOf, GROWN, isOurTurn, type Partition, partitionsOf, TABLE_WAIT_MS } from "./partitions.ts";
import { peopleStep } from "./sweep-people.ts";

/** 4 MB of a table, 10,000 to 50,000 rows: a transaction well under a second. */
const PAGES = 512;
/** Counting a month of ten million rows before it is dropped. */
const STEP_TIMEOUT_MS = 600_000;
/** Behind the end of every month. */
const END_OF_DEFAULT = "~";

export type SweepDeps = {
  readonly database: Database;
  /** Of what is left where people were. */
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
};

/** By operator: what is older goes. */
type KeptFrom = Readonly<Record<string, string>>;
type Sweep = {
  readonly before: KeptFrom;
  readonly doneTo: string;
  readonly nextPage: number;
  readonly gone: Readonly<Record<string, number>>;
  readonly endedAt: Date | null;
};

/** One step of one kind; whether there is more to do at once. */
export const sweepStep = (deps: SweepDeps, kind: RetainedKind): Promise<boolean> =>
  deps.database.transaction(
    async (tx) => {
      if (!(await isOurTurn(tx))) return false;
      tx.send(`set local lock_timeout = ${TABLE_WAIT_MS}`);
      const before = await keptFromOf(tx, kind, deps.clock());
      const sweep = await sweepOf(tx, kind);
      if (!sweep || !isSame(sweep.before, before)) return beginSweep(tx, deps, { kind, sweep, before });
      if (sweep.endedAt) return false;
      if (kind === "people") await goOnWithPeople(tx, deps, sweep);
      else await goOn(tx, deps, { kind, sweep });
      return true;
    },
    { statementTimeoutMs: STEP_TIMEOUT_MS },
  );

/** Operators that keep everything are not in it. */
async function keptFromOf(db: Db, kind: RetainedKind, now: Date): Promise<KeptFrom> {
  const rows = await db.rows<{ id: string; months: number | null }>(
    `select o.id, (p.body -> 'retention' ->> $1)::int as months
       from operator o join lateral (select body from operator_policy where operator_id = o.id order by version desc limit 1) p on true
      order by o.id`,
    [kind],
  );
  const from = rows.map(({ id, months }) => [id, keptFrom(months, now)] as const);
  return Object.fromEntries(from.flatMap(([id, at]) => (at ? [[id, at.toISOString()]] : [])));
}

const isSame = (one: KeptFrom, other: KeptFrom): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.entries(one).every(([id, at]) => other[id] === at);

const sweepOf = (db: Db, kind: RetainedKind): Promise<Sweep | undefined> =>
  db.one<Sweep>(
    `select before, done_to as "doneTo", next_page::int as "nextPage", gone, ended_at as "endedAt"
       from retention_sweep where kind = $1`,
    [kind],
  );

type Begun = { readonly kind: RetainedKind; readonly sweep: Sweep | undefined; readonly before: KeptFrom };

function beginSweep(tx: Tx, deps: SweepDeps, { kind, sweep, before }: Begun): boolean {
  const isNothing = Object.keys(before).length === 0;
  if (isNothing && !sweep) return false;
  if (sweep && !sweep.endedAt) tell(tx, deps, kind, sweep); // what went of it went
  tx.send(
    `insert into retention_sweep (kind, before, begun_at, ended_at) values ($1, $2, $3, case when $4 then $3::timestamptz end)
         on conflict (kind) do update set before = excluded.before, done_to = '', next_page = 0, gone = '{}',
                                          begun_at = excluded.begun_at, ended_at = excluded.ended_at`,
    [kind, JSON.stringify(before), deps.clock(), isNothing],
  );
  return !isNothing;
}

function tell(tx: Tx, { newId, clock }: SweepDeps, kind: RetainedKind, { gone, before }: Sweep): void {
  for (const [operatorId, entries] of Object.entries(gone)) {
    const detail = JSON.stringify({ entries, keptFrom: before[operatorId] ?? null });
    tx.send(INSERT_AUDIT, [newId(), operatorId, "system", "retention.applied", kind, detail, clock()]);
  }
}

/** By subscriber, the oldest first: how far it came stands where other kinds have the end of a month. */
async function goOnWithPeople(tx: Tx, deps: SweepDeps, sweep: Sweep): Promise<void> {
  const { before, doneTo } = sweep;
  const at = { before, now: deps.clock() };
  const { gone, last } = await peopleStep(tx, deps.sealer, doneTo || START_OF_ORDER, at);
  if (last !== undefined) return advance(tx, { kind: "people", sweep }, { gone, doneTo: last, nextPage: 0 });
  tell(tx, deps, "people", sweep);
  tx.send("update retention_sweep set ended_at = $2 where kind = $1", ["people", deps.clock()]);
}

type Working = { readonly kind: GrownKind; readonly sweep: Sweep };

async function goOn(tx: Tx, deps: SweepDeps, { kind, sweep }: Working): Promise<void> {
  const last = Object.values(sweep.before).sort().at(-1) ?? "";
  const partition = (await partitionsOf(tx, GROWN[kind])).find(
    (one) => endOf(one) > sweep.doneTo && (one.from === null || one.from.toISOString() < last),
  );
  if (!partition) {
    tell(tx, deps, kind, sweep);
    tx.send("update retention_sweep set ended_at = $2 where kind = $1", [kind, deps.clock()]);
    return;
  }
  const isFirstLook = sweep.nextPage === 0;
  if (isFirstLook && (await isOverForAll(tx, kind, partition, sweep.before))) {
    const gone = await tx.rows<Gone>(countAway(kind, { from: partition.name }));
    tx.send(`drop table ${partition.name}`);
    await advance(tx, { kind, sweep }, { gone, doneTo: endOf(partition), nextPage: 0 });
    return;
  }
  await takePages(tx, deps, { kind, sweep }, partition);
}

const endOf = ({ to }: Partition): string => to?.toISOString() ?? END_OF_DEFAULT;

/** The default is never dropped, nor what is kept by anybody, nor the history of an order that is under way. */
async function isOverForAll(
  tx: Tx,
  kind: GrownKind,
  { name, to }: Partition,
  before: KeptFrom,
): Promise<boolean> {
  if (to === null) return false;
  const over = Object.entries(before).flatMap(([id, at]) => (to.toISOString() <= at ? [id] : []));
  const another = `select from ${name} r where r.operator_id <> all($1::uuid[]) limit 1`;
  const underWay = `select from ${name} r where not (${ENTRIES[kind].mayGo}) limit 1`;
  return nothingOf(tx, name, async () => !(await tx.one(another, [over])) && !(await tx.one(underWay)));
}

const isEmpty = (tx: Tx, name: string): Promise<boolean> =>
  nothingOf(tx, name, async () => !(await tx.one(`select from ${name} limit 1`)));

/**
 * A sighting may come long after its time: before a month is dropped, what is being written into it is waited for and looked at
 * too, and who comes later waits for us. Where there is something nobody waits.
 */
async function nothingOf(tx: Tx, name: string, isNothing: () => Promise<boolean>): Promise<boolean> {
  if (!(await isNothing())) return false;
  await tx.run(`lock table ${name} in share mode`);
  return isNothing();
}

type Gone = { readonly operatorId: string; readonly entries: number };

async function takePages(
  tx: Tx,
  deps: SweepDeps,
  { kind, sweep }: Working,
  partition: Partition,
): Promise<void> {
  const { name, to } = partition;
  const size = await tx.one<{ pages: number }>(
    "select (pg_relation_size($1::regclass) / current_setting('block_size')::int)::int as pages",
    [name],
  );
  const end = sweep.nextPage + PAGES;
  const deleted = `deleted as (delete from ${name} r using ${overIn(kind)}
      where r.ctid >= '(${sweep.nextPage},0)' and r.ctid < '(${end},0)' and ${isOver(kind)} returning r.*)`;
  const operators = Object.keys(sweep.before);
  const bounds = Object.values(sweep.before).map((at) => boundOf(GROWN[kind], new Date(at)));
  const gone = await tx.rows<Gone>(countAway(kind, { before: deleted, from: "deleted" }), [
    operators,
    bounds,
  ]);
  const isDone = end >= (size?.pages ?? 0);
  if (isDone && to && to <= monthOf(deps.clock()) && (await isEmpty(tx, name))) tx.send(`drop table ${name}`);
  const at = isDone ? { doneTo: endOf(partition), nextPage: 0 } : { doneTo: sweep.doneTo, nextPage: end };
  await advance(tx, { kind, sweep }, { gone, ...at });
}

type Advanced = { readonly kind: RetainedKind; readonly sweep: Sweep };
type Advance = { readonly gone: readonly Gone[]; readonly doneTo: string; readonly nextPage: number };

async function advance(
  tx: Tx,
  { kind, sweep }: Advanced,
  { gone, doneTo, nextPage }: Advance,
): Promise<void> {
  const sums = { ...sweep.gone };
  for (const { operatorId, entries } of gone) sums[operatorId] = (sums[operatorId] ?? 0) + entries;
  await tx.run("update retention_sweep set done_to = $2, next_page = $3, gone = $4 where kind = $1", [
    kind,
    doneTo,
    nextPage,
    JSON.stringify(sums),
  ]);
}
