/**
 * Sightings into rows. Most say nothing new: one look-up over indexes answers a whole batch of those. What changed is
 * decided under the lock of its subscriber, so that two nodes never open two orders for one move.
 *
 * Callers are coalesced: while one batch is at the data base the next one gathers, so a lone sighting waits for nobody
 * and a flood costs a statement per thousand.
 */
import { type ReadSighting, readSighting } from "../kernel/detection/read-sighting.ts";
import {
  detect,
  type Intake,
  type SightingInput,
  type SightingResult,
  type SightingSource,
} from "../kernel/detection/sighting.ts";
import type { OrderStore } from "../kernel/order/order-store.ts";
import { TurnupError } from "../term/error.ts";
import type { HomePlmnResolver } from "../term/imsi.ts";
import { bulkInsert } from "./bulk.ts";
import type { Database, Db } from "./database.ts";
import type { Sealer } from "./seal.ts";

const MAX_BATCH_ROWS = 2_000;
const MAX_BATCHES_AT_ONCE = 3;
/** More rows than this waiting and callers are turned away with 503: memory is not a queue. */
const MAX_WAITING_ROWS = 200_000;
/** `last_seen_at` of an unchanged pair is written when it is older than this; a finer grain would cost a write a sighting. */
const LAST_SEEN_GRAIN_MS = 3_600_000;
const WAIT_DEADLINE_MS = 7 * 86_400_000;

type Row = ReadSighting & {
  readonly operatorId: string;
  readonly source: SightingSource;
  readonly imsiIndex: Buffer;
  readonly imeiIndex: Buffer;
  readonly msisdnIndex: Buffer | null;
};
type Waiting = {
  readonly row: Row;
  readonly answer: (result: SightingResult) => void;
  readonly fail: (error: unknown) => void;
};

const LOOK_UP = {
  name: "look_up_pairs", // subscriber_operator_id_imsi_index_key, pairing_current, device_operator_id_imei_index_key
  text: `select q.at::int as at, s.id as "subscriberId", s.msisdn_index as "msisdnIndex", d.id as "deviceId",
                p.device_id as "currentDeviceId", p.last_seen_at as "lastSeenAt", p.id as "pairingId"
           from unnest($1::uuid[], $2::bytea[], $3::bytea[]) with ordinality as q(operator_id, imsi_index, imei_index, at)
           join subscriber s on s.operator_id = q.operator_id and s.imsi_index = q.imsi_index
           join device d on d.operator_id = q.operator_id and d.imei_index = q.imei_index
           join pairing p on p.subscriber_id = s.id and p.is_current`,
};
const TOUCH = {
  name: "touch_pairings", // pairing_pkey
  text: `update pairing p set last_seen_at = v.seen_at from unnest($1::uuid[], $2::timestamptz[]) as v(id, seen_at)
          where p.id = v.id and p.last_seen_at < v.seen_at`,
};
const insertSubscribers = bulkInsert<NewSubscriber>(
  "subscriber",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "imsi_index", type: "bytea", value: (row) => row.imsiIndex },
    { name: "imsi_sealed", type: "bytea", value: (row) => row.imsiSealed },
    { name: "home_plmn", type: "text", value: (row) => row.homePlmn },
  ],
  "on conflict (operator_id, imsi_index) do nothing",
);
type NewSubscriber = Pick<Row, "operatorId" | "imsiIndex" | "homePlmn"> & {
  readonly id: string;
  readonly imsiSealed: Buffer;
};
const insertDevices = bulkInsert<NewDevice>(
  "device",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "imei_index", type: "bytea", value: (row) => row.imeiIndex },
    { name: "imei_sealed", type: "bytea", value: (row) => row.imeiSealed },
    { name: "tac", type: "text", value: (row) => row.tac },
    { name: "software_version", type: "text", value: (row) => row.softwareVersion },
  ],
  "on conflict (operator_id, imei_index) do nothing",
);
type NewDevice = Pick<Row, "operatorId" | "imeiIndex" | "tac" | "softwareVersion"> & {
  readonly id: string;
  readonly imeiSealed: Buffer;
};

const LOCK_SUBSCRIBERS = {
  name: "lock_subscribers", // subscriber_operator_id_imsi_index_key
  text: `select s.id, s.operator_id as "operatorId", s.imsi_index as "imsiIndex", s.msisdn_index as "msisdnIndex", s.gid1, s.spn,
                s.iccid_sealed is not null as "hasIccid"
           from subscriber s join unnest($1::uuid[], $2::bytea[]) as q(operator_id, imsi_index)
             on s.operator_id = q.operator_id and s.imsi_index = q.imsi_index
          order by s.id for update of s`,
};
const DEVICE_IDS = {
  name: "device_ids", // device_operator_id_imei_index_key
  text: `select d.id, d.operator_id as "operatorId", d.imei_index as "imeiIndex"
           from unnest($1::uuid[], $2::bytea[]) as q(operator_id, imei_index)
           join device d on d.operator_id = q.operator_id and d.imei_index = q.imei_index`,
};
const PAIRINGS_OF = {
  name: "pairings_of", // pairing_subscriber_id_device_id_key
  text: `select id, subscriber_id as "subscriberId", device_id as "deviceId", since, last_seen_at as "lastSeenAt", is_current as "isCurrent"
           from pairing where subscriber_id = any($1::uuid[])`,
};
const LEAVE = {
  name: "leave_handsets", // pairing_pkey
  text: "update pairing set is_current = false where id = any($1::uuid[])",
};
const upsertPairings = bulkInsert<PairingWrite>(
  "pairing",
  [
    { name: "id", type: "uuid", value: (row) => row.id },
    { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
    { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
    { name: "device_id", type: "uuid", value: (row) => row.deviceId },
    { name: "first_seen_at", type: "timestamptz", value: (row) => row.since },
    { name: "last_seen_at", type: "timestamptz", value: (row) => row.lastSeenAt },
    { name: "since", type: "timestamptz", value: (row) => row.since },
    { name: "is_current", type: "boolean", value: (row) => row.isCurrent },
  ],
  `on conflict (subscriber_id, device_id) do update
     set last_seen_at = greatest(pairing.last_seen_at, excluded.last_seen_at), is_current = excluded.is_current,
         first_seen_at = least(pairing.first_seen_at, excluded.first_seen_at),
         since = case when excluded.is_current then excluded.since else pairing.since end`,
);
type PairingWrite = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  since: Date;
  lastSeenAt: Date;
  isCurrent: boolean;
};
const updateSubscribers = {
  name: "update_subscribers", // subscriber_pkey
  text: `update subscriber s
            set msisdn_index = coalesce(v.msisdn_index, s.msisdn_index), msisdn_sealed = coalesce(v.msisdn_sealed, s.msisdn_sealed),
                iccid_sealed = coalesce(v.iccid_sealed, s.iccid_sealed), gid1 = coalesce(v.gid1, s.gid1), spn = coalesce(v.spn, s.spn)
           from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::text[], $6::text[])
                  as v(id, msisdn_index, msisdn_sealed, iccid_sealed, gid1, spn)
          where s.id = v.id`,
};
const WAKE = {
  name: "wake_waiting_orders", // provisioning_order_of_subscriber
  text: `update provisioning_order set due_at = $2 where subscriber_id = any($1::uuid[]) and state = 'waiting'`,
};
const insertSightings = bulkInsert<NewSighting>("sighting", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
  { name: "device_id", type: "uuid", value: (row) => row.deviceId },
  { name: "serving_plmn", type: "text", value: (row) => row.row.servingPlmn },
  { name: "source", type: "text", value: (row) => row.row.source },
  { name: "outcome", type: "text", value: (row) => row.outcome },
  { name: "seen_at", type: "timestamptz", value: (row) => new Date(row.row.seenMs) },
]);
type NewSighting = {
  readonly id: string;
  readonly row: Row;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly outcome: string;
};
const insertOrders = bulkInsert<NewOrder>("provisioning_order", [
  { name: "id", type: "uuid", value: (row) => row.id },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "subscriber_id", type: "uuid", value: (row) => row.subscriberId },
  { name: "device_id", type: "uuid", value: (row) => row.deviceId },
  { name: "cause", type: "text", value: (row) => row.cause },
  { name: "network_kind", type: "text", value: (row) => row.networkKind },
  { name: "market", type: "text", value: (row) => row.market },
  { name: "state", type: "text", value: () => "received" },
  { name: "reason", type: "text", value: () => "seen on the network" },
  { name: "next_action", type: "text", value: () => "judge the handset" },
  { name: "due_at", type: "timestamptz", value: (row) => row.now },
  {
    name: "deadline_at",
    type: "timestamptz",
    value: (row) => new Date(row.now.getTime() + WAIT_DEADLINE_MS),
  },
  { name: "created_at", type: "timestamptz", value: (row) => row.now },
  { name: "updated_at", type: "timestamptz", value: (row) => row.now },
]);
type NewOrder = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly cause: "first_registration" | "sim_moved";
  readonly networkKind: string;
  readonly market: string | null;
  readonly now: Date;
};
const insertOrderEvents = bulkInsert<NewOrder & { readonly eventId: string }>("order_event", [
  { name: "id", type: "uuid", value: (row) => row.eventId },
  { name: "operator_id", type: "uuid", value: (row) => row.operatorId },
  { name: "order_id", type: "uuid", value: (row) => row.id },
  { name: "kind", type: "text", value: () => "order_received" },
  { name: "state", type: "text", value: () => "received" },
  {
    name: "reason",
    type: "text",
    value: (row) =>
      row.cause === "first_registration"
        ? "the SIM registered for the first time"
        : "the SIM moved to another handset",
  },
  { name: "at", type: "timestamptz", value: (row) => row.now },
]);

export type IntakeDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly homePlmnOf: HomePlmnResolver;
  /** ISO country of an MCC, for the region rule. */
  readonly countryOf: (mcc: string) => string | null;
  readonly termsOf: OrderStore["termsOf"];
  /** Called when orders were opened, so that nobody has to poll for them. */
  readonly onOrders: (count: number) => void;
};

export function createIntake(deps: IntakeDeps): Intake {
  const waiting: Waiting[] = [];
  let running = 0;

  const pump = (): void => {
    while (running < MAX_BATCHES_AT_ONCE && waiting.length > 0) {
      const batch = waiting.splice(0, MAX_BATCH_ROWS);
      running++;
      void takeBatch(deps, batch).finally(() => {
        running--;
        pump();
      });
    }
  };

  return {
    async accept(operatorId, sightings, source) {
      if (waiting.length + sightings.length > MAX_WAITING_ROWS) {
        throw new TurnupError("intake_full", `${waiting.length} sightings wait for the data base`, {
          nextStep: "send them again in a few seconds",
        });
      }
      const nowMs = deps.clock().getTime();
      const results: (SightingResult | Promise<SightingResult>)[] = sightings.map((input) => {
        const row = readRow(deps, operatorId, input, source, nowMs);
        if ("outcome" in row) return row;
        return new Promise((answer, fail) => waiting.push({ row, answer, fail }));
      });
      // One turn of the event loop lets requests that came together go together.
      setImmediate(pump);
      return Promise.all(results);
    },
  };
}

function readRow(
  { sealer, homePlmnOf }: IntakeDeps,
  operatorId: string,
  input: SightingInput,
  source: SightingSource,
  nowMs: number,
): Row | Extract<SightingResult, { outcome: "refused" }> {
  try {
    if (typeof input !== "object" || input === null)
      throw new TurnupError("sighting_malformed", "a sighting is an object");
    const read = readSighting(input, nowMs, homePlmnOf);
    return {
      ...read,
      operatorId,
      source,
      imsiIndex: sealer.blindIndex("imsi", operatorId, read.imsi),
      imeiIndex: sealer.blindIndex("imei", operatorId, read.imei14),
      msisdnIndex: read.msisdn === null ? null : sealer.blindIndex("msisdn", operatorId, read.msisdn),
    };
  } catch (error) {
    if (error instanceof TurnupError) return { outcome: "refused", code: error.code, reason: error.message };
    throw error;
  }
}

async function takeBatch(deps: IntakeDeps, batch: readonly Waiting[]): Promise<void> {
  try {
    const changed = await answerUnchanged(deps, batch);
    if (changed.length === 0) return;
    const results = await deps.database.transaction(
      (tx) =>
        takeChanged(
          deps,
          tx,
          changed.map(({ row }) => row),
        ),
      {
        safeToRepeat: true,
      },
    );
    changed.forEach(({ answer }, at) => {
      answer(results[at]!);
    });
    const opened = results.filter((result) => "orderId" in result).length;
    if (opened > 0) deps.onOrders(opened);
  } catch (error) {
    for (const { fail } of batch) fail(error); // those that were answered already stay answered
  }
}

type Known = {
  readonly at: number;
  readonly subscriberId: string;
  readonly msisdnIndex: Buffer | null;
  readonly deviceId: string;
  readonly currentDeviceId: string;
  readonly lastSeenAt: Date;
  readonly pairingId: string;
};

/** Answers what says nothing new, and gives back the rest. */
async function answerUnchanged({ database }: IntakeDeps, batch: readonly Waiting[]): Promise<Waiting[]> {
  const rows = await database.rows<Known>(LOOK_UP, [
    batch.map(({ row }) => row.operatorId),
    batch.map(({ row }) => row.imsiIndex),
    batch.map(({ row }) => row.imeiIndex),
  ]);
  const known = new Map(rows.map((row) => [row.at - 1, row]));
  const touched = new Map<string, number>();
  const unchanged: (() => void)[] = [];
  const changed = batch.filter(({ row, answer }, at) => {
    const pair = known.get(at);
    const isSame = pair && pair.currentDeviceId === pair.deviceId;
    const isNewNumber = row.msisdnIndex !== null && !pair?.msisdnIndex?.equals(row.msisdnIndex);
    if (!isSame || isNewNumber) return true;
    if (row.seenMs - pair.lastSeenAt.getTime() > LAST_SEEN_GRAIN_MS) {
      touched.set(pair.pairingId, Math.max(row.seenMs, touched.get(pair.pairingId) ?? 0));
    }
    unchanged.push(() =>
      answer({ outcome: "unchanged", subscriberId: pair.subscriberId, deviceId: pair.deviceId }),
    );
    return false;
  });
  if (touched.size > 0) {
    await database.run(TOUCH, [[...touched.keys()], [...touched.values()].map((ms) => new Date(ms))]);
  }
  for (const answer of unchanged) answer();
  return changed;
}

type Locked = {
  readonly id: string;
  readonly operatorId: string;
  readonly imsiIndex: Buffer;
  readonly msisdnIndex: Buffer | null;
};
type Pairing = {
  id: string;
  subscriberId: string;
  deviceId: string;
  since: Date;
  lastSeenAt: Date;
  isCurrent: boolean;
};

const keyOf = (operatorId: string, index: Buffer): string => `${operatorId} ${index.toString("latin1")}`;

/** Decides what is new under the locks of its subscribers, oldest sighting first. */
async function takeChanged(deps: IntakeDeps, tx: Db, rows: readonly Row[]): Promise<SightingResult[]> {
  const now = deps.clock();
  await insertUnknown(deps, tx, rows);
  const subscribers = new Map(
    (
      await tx.rows<Locked>(LOCK_SUBSCRIBERS, [
        rows.map(({ operatorId }) => operatorId),
        rows.map(({ imsiIndex }) => imsiIndex),
      ])
    ).map((row) => [keyOf(row.operatorId, row.imsiIndex), row]),
  );
  const devices = new Map(
    (
      await tx.rows<{ id: string; operatorId: string; imeiIndex: Buffer }>(DEVICE_IDS, [
        rows.map(({ operatorId }) => operatorId),
        rows.map(({ imeiIndex }) => imeiIndex),
      ])
    ).map((row) => [keyOf(row.operatorId, row.imeiIndex), row.id]),
  );
  const pairings = await tx.rows<Pairing>(PAIRINGS_OF, [[...subscribers.values()].map(({ id }) => id)]);
  const current = new Map(
    pairings.flatMap((pairing) => (pairing.isCurrent ? [[pairing.subscriberId, pairing]] : [])),
  );
  const stays = new Set(pairings.map((pairing) => `${pairing.subscriberId} ${pairing.deviceId}`));
  const writes = new Map<string, PairingWrite>();
  const left = new Set<string>();
  const sightings: NewSighting[] = [];
  const orders: NewOrder[] = [];
  const results = new Array<SightingResult>(rows.length);
  const order = rows
    .map((_, at) => at)
    .sort((one, other) => rows[one]!.seenMs - rows[other]!.seenMs || one - other);
  for (const at of order) {
    const row = rows[at]!;
    const subscriberId = subscribers.get(keyOf(row.operatorId, row.imsiIndex))!.id;
    const deviceId = devices.get(keyOf(row.operatorId, row.imeiIndex))!;
    const stay = current.get(subscriberId);
    const outcome = detect(
      stay && {
        deviceId: stay.deviceId,
        sinceMs: stay.since.getTime(),
        lastSeenMs: stay.lastSeenAt.getTime(),
      },
      {
        deviceId,
        seenMs: row.seenMs,
      },
    );
    const seenAt = new Date(row.seenMs);
    const pair = `${subscriberId} ${deviceId}`;
    if (outcome === "unchanged") {
      if (seenAt > stay!.lastSeenAt) stay!.lastSeenAt = seenAt;
      const write = writes.get(pair);
      if (write && seenAt > write.lastSeenAt) write.lastSeenAt = seenAt;
      results[at] = { outcome, subscriberId, deviceId };
      continue;
    }
    if (outcome === "late") {
      // Kept as history: the SIM was once in that handset. Nothing is done about it.
      if (!stays.has(pair) && !writes.has(pair)) {
        writes.set(pair, {
          id: deps.newId(),
          operatorId: row.operatorId,
          subscriberId,
          deviceId,
          since: seenAt,
          lastSeenAt: seenAt,
          isCurrent: false,
        });
      }
      sightings.push({ id: deps.newId(), row, subscriberId, deviceId, outcome });
      results[at] = { outcome, subscriberId, deviceId };
      continue;
    }
    if (stay) {
      left.add(stay.id);
      const earlier = writes.get(`${subscriberId} ${stay.deviceId}`);
      if (earlier) earlier.isCurrent = false;
    }
    const write: PairingWrite = {
      id: deps.newId(),
      operatorId: row.operatorId,
      subscriberId,
      deviceId,
      since: seenAt,
      lastSeenAt: seenAt,
      isCurrent: true,
    };
    const isReturn = stays.has(pair) || writes.has(pair);
    writes.set(pair, write);
    current.set(subscriberId, { ...write });
    sightings.push({ id: deps.newId(), row, subscriberId, deviceId, outcome });
    const { policy, kind } = await deps.termsOf(row.operatorId);
    if (isReturn && policy.returningPair === "skip") {
      results[at] = { outcome: "unchanged", subscriberId, deviceId };
      continue;
    }
    const country = deps.countryOf(row.homePlmn.slice(0, 3));
    const opened: NewOrder = {
      id: deps.newId(),
      operatorId: row.operatorId,
      subscriberId,
      deviceId,
      cause: outcome,
      networkKind: kind,
      market: country !== null && policy.markets.includes(country) ? country : null,
      now,
    };
    orders.push(opened);
    results[at] = { outcome, orderId: opened.id, subscriberId, deviceId };
  }
  // A handset that the SIM left gives up its place before another takes it: one current pairing a subscriber.
  if (left.size > 0) await tx.run(LEAVE, [[...left]]);
  await upsertPairings(
    tx,
    [...writes.values()].filter(({ isCurrent }) => !isCurrent),
  );
  await upsertPairings(
    tx,
    [...writes.values()].filter(({ isCurrent }) => isCurrent),
  );
  await insertSightings(tx, sightings);
  await updateKnown(deps, tx, rows, subscribers, now);
  await insertOrders(tx, orders);
  await insertOrderEvents(
    tx,
    orders.map((opened) => ({ ...opened, eventId: deps.newId() })),
  );
  return results;
}

/** In order of their index, so that two batches with the same new SIMs do not wait on each other crosswise. */
async function insertUnknown({ newId, sealer }: IntakeDeps, tx: Db, rows: readonly Row[]): Promise<void> {
  const subscribers = new Map(rows.map((row) => [keyOf(row.operatorId, row.imsiIndex), row]));
  const devices = new Map(rows.map((row) => [keyOf(row.operatorId, row.imeiIndex), row]));
  const inOrder = (map: Map<string, Row>): Row[] =>
    [...map.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
  await insertSubscribers(
    tx,
    inOrder(subscribers).map((row) => ({ ...row, id: newId(), imsiSealed: sealer.seal("imsi", row.imsi) })),
  );
  await insertDevices(
    tx,
    inOrder(devices).map((row) => ({ ...row, id: newId(), imeiSealed: sealer.seal("imei", row.imei) })),
  );
}

/** Numbers and names that came along; an order that waited for them is due at once. */
async function updateKnown(
  { sealer }: IntakeDeps,
  tx: Db,
  rows: readonly Row[],
  subscribers: ReadonlyMap<string, Locked>,
  now: Date,
): Promise<void> {
  const latest = new Map<string, Row>();
  for (const row of rows) {
    if (row.msisdn === null && row.iccid === null && row.gid1 === null && row.spn === null) continue;
    const { id } = subscribers.get(keyOf(row.operatorId, row.imsiIndex))!;
    const known = latest.get(id);
    if (!known || known.seenMs <= row.seenMs) latest.set(id, row);
  }
  if (latest.size === 0) return;
  const entries = [...latest.values()];
  await tx.run(updateSubscribers, [
    [...latest.keys()],
    entries.map(({ msisdnIndex }) => msisdnIndex),
    entries.map(({ msisdn }) => (msisdn === null ? null : sealer.seal("msisdn", msisdn))),
    entries.map(({ iccid }) => (iccid === null ? null : sealer.seal("iccid", iccid))),
    entries.map(({ gid1 }) => gid1),
    entries.map(({ spn }) => spn),
  ]);
  await tx.run(WAKE, [[...latest.keys()], now]);
}
