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
const SIGN_CHARACTERS_MAX = 64;
const REASON_CHARACTERS_MAX = 200;
/** What was seen so long ago says nothing of today. */
const DAYS_READ = 400;
/** What of an IMEI never varies: without its check digit. */
const IMEI_INDEX_DIGITS = 14;

type Waiting = SeenUse & { readonly count: number; readonly first: Date };
type Group = { readonly plmn: string; readonly spn: string; readonly gid1: string };
type KnownSim = Group & { readonly key: Buffer; readonly imsiIndex: Buffer };

export type AccessPointUse = {
  note(seen: SeenUse): void;
  /** Writes what waits, and reads what all servers wrote. */
  flush(): Promise<void>;
  /** As of the last flush. */
  recordsOf(operatorId: string): readonly UseRecord[];
};

export function createAccessPointUse(deps: {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: () => Date;
}): AccessPointUse {
  let waiting = new Map<string, Waiting>();
  let known: ReadonlyMap<string, readonly UseRecord[]> = new Map();
  return {
    note(seen) {
      const key = JSON.stringify([
        seen.operatorId,
        seen.sim,
        seen.apn.toLowerCase(),
        seen.failure !== undefined,
      ]);
      const before = waiting.get(key);
      if (!before && waiting.size >= WAITING_MAX) return;
      const first = before && before.first < seen.at ? before.first : seen.at;
      const last = before && before.at > seen.at ? before : seen;
      waiting.set(key, { ...last, apn: seen.apn.toLowerCase(), first, count: (before?.count ?? 0) + 1 });
    },
    async flush() {
      const taken = waiting;
      waiting = new Map();
      const byOperator = groupBy([...taken.values()], ({ operatorId }) => operatorId);
      for (const [operatorId, all] of byOperator) await write(deps, operatorId, all);
      known = await readAll(deps);
    },
    recordsOf: (operatorId) => known.get(operatorId) ?? [],
  };
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

async function write(
  deps: { readonly database: Database; readonly sealer: Sealer },
  operatorId: string,
  all: readonly Waiting[],
): Promise<void> {
  const sims = await simsOf(deps, operatorId, all);
  const additions = additionsOf(deps.sealer, operatorId, all, sims);
  if (additions.length === 0) return;
  const byKey = new Map(additions.map((one) => [rowKey(one), one]));
  const keys = (["plmn", "spn", "gid1", "apn"] as const).map((name) => additions.map((one) => one[name]));
  await deps.database.transaction(async (tx) => {
    const room = ROWS_MAX - ((await tx.one<{ rows: number }>(COUNT_ROWS, [operatorId]))?.rows ?? 0);
    if (room > 0) await tx.run(MAKE_ROWS, [operatorId, ...keys, room]);
    for (const row of await tx.rows<StoredKey>(LOCK_ROWS, [operatorId, ...keys])) {
      const one = byKey.get(rowKey(row));
      if (one) await add(tx, operatorId, one, row);
    }
  });
}

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
