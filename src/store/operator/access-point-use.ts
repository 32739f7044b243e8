/**
 * What was seen of access points in use, and how often they failed: gathered in memory, each SIM and access point once however often it
 * came, and merged into one row an access point of a network and a group of its SIMs (migration 0044) once a minute. SIMs are counted by
 * sketches that name nobody (`kernel/settings/distinct.ts`). A server that is killed loses a minute of it, which nobody misses.
 */
import { countOf, emptySketch, joined, withOne } from "../../kernel/settings/distinct.ts";
import type { UseRecord } from "../../kernel/settings/use-record.ts";
import { groupBy } from "../../term/collections.ts";
import type { Database, Db } from "../database/database.ts";
import type { Sealer } from "../seal/seal.ts";

/** Who it was seen of: whatever the witness knows of the SIM. */
type SeenSim = { readonly imsi: string } | { readonly subscriberId: string } | { readonly imei: string };

type SeenUse = {
  readonly operatorId: string;
  readonly sim: SeenSim;
  readonly apn: string;
  readonly at: Date;
  /** Why it failed; left out where it was used. */
  readonly failure?: string;
};

/** Different SIMs with different access points that are kept between two writes; more are not counted. */
const WAITING_MAX = 20_000;
/** Rows of one operator: who types in thousands of names does not fill the disk. */
const ROWS_MAX = 2_000;
/** Of them, for one flush. */
const ROWS_DROPPED_MAX = 200;
const SIGN_CHARACTERS_MAX = 64;
const REASON_CHARACTERS_MAX = 200;
/** What was seen so long ago says nothing of today. */
const DAYS_READ = 400;
/** What of an IMEI never varies: without its check digit. */
const IMEI_INDEX_DIGITS = 14;

/** Flushes that try to write what was seen; then it is lost, so that what can never be written does not fill the memory. */
const TRIES_MAX = 3;

type Waiting = SeenUse & { readonly count: number; readonly first: Date; readonly tries: number };
type Group = { readonly plmn: string; readonly spn: string; readonly gid1: string };
type KnownSim = Group & { readonly key: Buffer; readonly imsiIndex: Buffer };

/**
 * What was let go: rows that nobody used for longer than counts (`unseen`), rows that were used least while others needed their place
 * (`least_used`), and what was seen and not counted since there was no room (`no_room`) or its write failed (`failed`).
 */
export const USE_LOSSES = ["unseen", "least_used", "no_room", "failed"] as const;
type UseLoss = (typeof USE_LOSSES)[number];
type Lost = (cause: UseLoss, count: number) => void;

export type AccessPointUse = {
  note(seen: SeenUse): void;
  /**
   * Writes what waits, each operator's by itself, and reads what all servers wrote.
   * @throws the first fault of a write, after the others are written; what it was to write is tried again by the next flush
   */
  flush(): Promise<void>;
  /** As of the last flush. */
  recordsOf(operatorId: string): readonly UseRecord[];
  /** Since this server began. */
  losses(): ReadonlyMap<UseLoss, number>;
};

type UseDeps = { readonly database: Database; readonly sealer: Sealer; readonly clock: () => Date };

export function createAccessPointUse(deps: UseDeps): AccessPointUse {
  let waiting = new Map<string, Waiting>();
  let known: ReadonlyMap<string, readonly UseRecord[]> = new Map();
  const losses = new Map<UseLoss, number>(USE_LOSSES.map((cause) => [cause, 0]));
  const lost: Lost = (cause, count) => losses.set(cause, (losses.get(cause) ?? 0) + count);
  const keep = (one: Waiting): void => {
    const key = JSON.stringify([one.operatorId, one.sim, one.apn, one.failure !== undefined]);
    const before = waiting.get(key);
    if (!before && waiting.size >= WAITING_MAX) lost("no_room", one.count);
    else waiting.set(key, before ? merged(before, one) : one);
  };
  return {
    note: (seen) => keep({ ...seen, apn: seen.apn.toLowerCase(), first: seen.at, count: 1, tries: 0 }),
    async flush() {
      const taken = waiting;
      waiting = new Map();
      const byOperator = groupBy([...taken.values()], ({ operatorId }) => operatorId);
      const faults: unknown[] = [];
      for (const [operatorId, all] of byOperator) {
        try {
          await write(deps, operatorId, all, lost);
        } catch (fault) {
          faults.push(fault);
          for (const one of all) {
            if (one.tries + 1 < TRIES_MAX) keep({ ...one, tries: one.tries + 1 });
            else lost("failed", one.count);
          }
        }
      }
      known = await readAll(deps);
      if (faults.length > 0) throw faults[0];
    },
    recordsOf: (operatorId) => known.get(operatorId) ?? [],
    losses: () => losses,
  };
}

/** Both of one SIM and access point, with one outcome. */
function merged(before: Waiting, one: Waiting): Waiting {
  const last = before.at > one.at ? before : one;
  const first = before.first < one.first ? before.first : one.first;
  return { ...last, first, count: before.count + one.count, tries: Math.max(before.tries, one.tries) };
}

// Whose SIMs they are.

const GROUP = `s.imsi_index as "imsiIndex", s.home_plmn as plmn, coalesce(s.spn, '') as spn, coalesce(s.gid1, '') as gid1`;
const BY_IMSI = {
  name: "use_by_imsi", // subscriber_operator_id_imsi_index_key
  text: `select s.imsi_index as key, ${GROUP} from subscriber s where s.operator_id = $1 and s.imsi_index = any($2::bytea[])`,
};
const BY_ID = {
  name: "use_by_subscriber", // subscriber_pkey
  text: `select uuid_send(s.id) as key, ${GROUP} from subscriber s where s.operator_id = $1 and s.id = any($2::uuid[])`,
};
const BY_IMEI = {
  name: "use_by_imei", // device_operator_id_imei_index_key, pairing_of_device, subscriber_pkey
  text: `select d.imei_index as key, ${GROUP}
           from device d join pairing p on p.device_id = d.id and p.is_current join subscriber s on s.id = p.subscriber_id
          where d.operator_id = $1 and d.imei_index = any($2::bytea[])`,
};

const keyOf = (sealer: Sealer, operatorId: string, sim: SeenSim): Buffer => {
  if ("imsi" in sim) return sealer.blindIndex("imsi", operatorId, sim.imsi);
  if ("imei" in sim) return sealer.blindIndex("imei", operatorId, sim.imei.slice(0, IMEI_INDEX_DIGITS));
  return Buffer.from(sim.subscriberId.replaceAll("-", ""), "hex");
};

/** By the key in hexadecimal; a SIM that the operator never saw is nobody's, and is not counted. */
async function simsOf(
  { database, sealer }: { readonly database: Database; readonly sealer: Sealer },
  operatorId: string,
  all: readonly Waiting[],
): Promise<ReadonlyMap<string, KnownSim>> {
  const keys = (kind: "imsi" | "imei") =>
    all.flatMap(({ sim }) => (kind in sim ? [keyOf(sealer, operatorId, sim)] : []));
  const ids = all.flatMap(({ sim }) => ("subscriberId" in sim ? [sim.subscriberId] : []));
  const found: KnownSim[] = [];
  for (const [statement, values] of [
    [BY_IMSI, keys("imsi")],
    [BY_IMEI, keys("imei")],
    [BY_ID, ids],
  ] as const) {
    if (values.length > 0) found.push(...(await database.rows<KnownSim>(statement, [operatorId, values])));
  }
  return new Map(found.map((one) => [one.key.toString("hex"), one]));
}

// What is added to each row.

type Addition = Group & {
  readonly apn: string;
  usedBy: Uint8Array;
  sessions: number;
  firstSeenAt: Date | null;
  lastSeenAt: Date | null;
  failedFor: Uint8Array;
  failures: number;
  lastFailedAt: Date | null;
  lastFailure: string | null;
};

const emptyAddition = (group: Group, apn: string): Addition => ({
  ...group,
  apn,
  ...{ usedBy: emptySketch(), sessions: 0, firstSeenAt: null, lastSeenAt: null },
  ...{ failedFor: emptySketch(), failures: 0, lastFailedAt: null, lastFailure: null },
});

function additionsOf(
  sealer: Sealer,
  operatorId: string,
  all: readonly Waiting[],
  sims: ReadonlyMap<string, KnownSim>,
): Addition[] {
  const additions = new Map<string, Addition>();
  for (const { sim, apn, at, first, count, failure } of all) {
    const known = sims.get(keyOf(sealer, operatorId, sim).toString("hex"));
    if (!known) continue;
    const [spn, gid1] = [known.spn, known.gid1].map((sign) => sign.slice(0, SIGN_CHARACTERS_MAX));
    const group = { plmn: known.plmn, spn: spn ?? "", gid1: gid1 ?? "" };
    const row = additions.get(rowKey({ ...group, apn })) ?? emptyAddition(group, apn);
    additions.set(rowKey(row), row);
    if (failure === undefined) {
      row.usedBy = withOne(row.usedBy, known.imsiIndex);
      row.sessions += count;
      row.firstSeenAt = !row.firstSeenAt || first < row.firstSeenAt ? first : row.firstSeenAt;
      row.lastSeenAt = !row.lastSeenAt || at > row.lastSeenAt ? at : row.lastSeenAt;
      continue;
    }
    row.failedFor = withOne(row.failedFor, known.imsiIndex);
    row.failures += count;
    if (row.lastFailedAt && at <= row.lastFailedAt) continue;
    row.lastFailedAt = at;
    row.lastFailure = failure.slice(0, REASON_CHARACTERS_MAX);
  }
  return [...additions.values()];
}

// The rows.

const KEYS = "$2::text[], $3::text[], $4::text[], $5::text[]";
const COUNT_ROWS = {
  name: "count_access_point_use", // access_point_use_pkey
  text: "select count(*)::int as rows from access_point_use where operator_id = $1",
};
/**
 * Out of the way of those that are being counted elsewhere, so that no two servers wait for each other. What is long unseen first, then
 * what is used least: names that somebody makes up come once each, and drive out one another.
 */
const MAKE_ROOM = {
  name: "make_room_for_access_point_use", // access_point_use_pkey
  text: `with spare as (
           select plmn, spn, gid1, apn, coalesce(greatest(last_seen_at, last_failed_at), $2) <= $2 as unseen from access_point_use
            where operator_id = $1 and not ((plmn, spn, gid1, apn) in (select * from unnest($4::text[], $5::text[], $6::text[], $7::text[])))
            order by coalesce(greatest(last_seen_at, last_failed_at), $2) > $2, sessions + failures, greatest(last_seen_at, last_failed_at)
            limit $3 for update skip locked),
         gone as (
           delete from access_point_use u using spare s
            where u.operator_id = $1 and u.plmn = s.plmn and u.spn = s.spn and u.gid1 = s.gid1 and u.apn = s.apn returning s.unseen)
         select count(*) filter (where unseen)::int as unseen, count(*) filter (where not unseen)::int as "leastUsed" from gone`,
};
const NEW_ROWS = {
  name: "new_access_point_use", // access_point_use_pkey
  text: `select count(*)::int as rows from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as q(plmn, spn, gid1, apn)
          where not exists (select from access_point_use u where u.operator_id = $1
                               and u.plmn = q.plmn and u.spn = q.spn and u.gid1 = q.gid1 and u.apn = q.apn)`,
};
const MAKE_ROWS = {
  name: "make_access_point_use", // access_point_use_pkey
  text: `insert into access_point_use (operator_id, plmn, spn, gid1, apn, used_by, failed_for)
         select $1, q.plmn, q.spn, q.gid1, q.apn, ''::bytea, ''::bytea from unnest(${KEYS}) as q(plmn, spn, gid1, apn)
          order by 2, 3, 4, 5 limit $6
             on conflict do nothing`,
};
const LOCK_ROWS = {
  name: "lock_access_point_use", // access_point_use_pkey; in one order, so that two servers never wait for each other
  text: `select u.plmn, u.spn, u.gid1, u.apn, u.used_by as "usedBy", u.failed_for as "failedFor"
           from access_point_use u join unnest(${KEYS}) as q(plmn, spn, gid1, apn) using (plmn, spn, gid1, apn)
          where u.operator_id = $1 order by 1, 2, 3, 4 for update of u`,
};
const ADD = {
  name: "add_access_point_use", // access_point_use_pkey
  text: `update access_point_use set used_by = $6, sessions = sessions + $7, first_seen_at = least(first_seen_at, $8),
                last_seen_at = greatest(last_seen_at, $9), failed_for = $10, failures = failures + $11,
                last_failure = case when $12 >= coalesce(last_failed_at, $12) then $13 else last_failure end,
                last_failed_at = greatest(last_failed_at, $12)
          where operator_id = $1 and plmn = $2 and spn = $3 and gid1 = $4 and apn = $5`,
};

async function write(deps: UseDeps, operatorId: string, all: readonly Waiting[], lost: Lost): Promise<void> {
  const sims = await simsOf(deps, operatorId, all);
  const additions = additionsOf(deps.sealer, operatorId, all, sims);
  if (additions.length === 0) return;
  const byKey = new Map(additions.map((one) => [rowKey(one), one]));
  const keys = (["plmn", "spn", "gid1", "apn"] as const).map((name) => additions.map((one) => one[name]));
  await makeRoom(deps, operatorId, keys, lost);
  const unwritten = await deps.database.transaction(async (tx) => {
    const left = new Set(byKey.keys());
    const room = ROWS_MAX - (await countIn(tx, COUNT_ROWS, [operatorId]));
    if (room > 0) await tx.run(MAKE_ROWS, [operatorId, ...keys, room]);
    for (const row of await tx.rows<StoredKey>(LOCK_ROWS, [operatorId, ...keys])) {
      const one = byKey.get(rowKey(row));
      if (one) await add(tx, operatorId, one, row);
      left.delete(rowKey(row));
    }
    return left;
  });
  for (const key of unwritten) {
    const one = byKey.get(key);
    if (one) lost("no_room", one.sessions + one.failures);
  }
}

/**
 * Before the transaction that counts: it holds no row while it waits for others. Of a full table, at most a tenth goes at a time, so that
 * a flood of names costs no more than that.
 */
async function makeRoom(
  { database, clock }: UseDeps,
  operatorId: string,
  keys: readonly (readonly string[])[],
  lost: Lost,
): Promise<void> {
  const rows = await countIn(database, COUNT_ROWS, [operatorId]);
  const wanted = rows + (await countIn(database, NEW_ROWS, [operatorId, ...keys])) - ROWS_MAX;
  if (wanted <= 0) return;
  const since = new Date(clock().getTime() - DAYS_READ * 86_400_000);
  const values = [operatorId, since, Math.min(wanted, ROWS_DROPPED_MAX), ...keys];
  const gone = await database.one<{ unseen: number; leastUsed: number }>(MAKE_ROOM, values);
  lost("unseen", gone?.unseen ?? 0);
  lost("least_used", gone?.leastUsed ?? 0);
}

const countIn = async (db: Db, statement: typeof COUNT_ROWS, values: readonly unknown[]): Promise<number> =>
  (await db.one<{ rows: number }>(statement, values))?.rows ?? 0;

type StoredKey = Group & { readonly apn: string; readonly usedBy: Buffer; readonly failedFor: Buffer };
const rowKey = ({ plmn, spn, gid1, apn }: Group & { readonly apn: string }): string =>
  JSON.stringify([plmn, spn, gid1, apn]);

async function add(tx: Db, operatorId: string, one: Addition, row: StoredKey): Promise<void> {
  const { plmn, spn, gid1, apn, sessions, firstSeenAt, lastSeenAt, failures } = one;
  await tx.run(ADD, [
    ...[operatorId, plmn, spn, gid1, apn, Buffer.from(joined(one.usedBy, row.usedBy)), sessions],
    ...[firstSeenAt, lastSeenAt, Buffer.from(joined(one.failedFor, row.failedFor)), failures],
    ...[one.lastFailedAt, one.lastFailure],
  ]);
}

const READ_ALL = {
  name: "read_access_point_use", // few rows: those of all operators are read once a minute
  text: `select operator_id as "operatorId", plmn, spn, gid1, apn, used_by as "usedBy", sessions::float8 as sessions,
                first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt", failed_for as "failedFor", failures::float8 as failures,
                last_failed_at as "lastFailedAt", last_failure as "lastFailure"
           from access_point_use where greatest(last_seen_at, last_failed_at) > $1 order by operator_id, plmn, spn, gid1, apn`,
};

type Stored = Omit<
  UseRecord,
  "firstSeenAt" | "lastSeenAt" | "lastFailedAt" | "subscribers" | "failedSubscribers"
> &
  StoredKey & {
    readonly operatorId: string;
    readonly firstSeenAt: Date | null;
    readonly lastSeenAt: Date | null;
    readonly lastFailedAt: Date | null;
  };

async function readAll({
  database,
  clock,
}: {
  readonly database: Database;
  readonly clock: () => Date;
}): Promise<ReadonlyMap<string, readonly UseRecord[]>> {
  const since = new Date(clock().getTime() - DAYS_READ * 86_400_000);
  const rows = await database.rows<Stored>(READ_ALL, [since]);
  const byOperator = groupBy(rows, ({ operatorId }) => operatorId);
  return new Map([...byOperator].map(([operatorId, own]) => [operatorId, own.map(recordOf)]));
}

function recordOf({
  operatorId: _,
  usedBy,
  failedFor,
  firstSeenAt,
  lastSeenAt,
  lastFailedAt,
  ...rest
}: Stored): UseRecord {
  return {
    ...rest,
    subscribers: countOf(usedBy),
    failedSubscribers: countOf(failedFor),
    firstSeenAt: firstSeenAt?.toISOString() ?? null,
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
    lastFailedAt: lastFailedAt?.toISOString() ?? null,
  };
}
