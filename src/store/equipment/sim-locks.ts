/** Locks of SIMs and devices on PostgreSQL: whatever moves one does it under its row's lock, with its event, in one transaction. */
import {
  type LockAction,
  type LockEvent,
  type LockScope,
  type LockState,
  lockSeen,
  lockWished,
  type SimLock,
} from "../../kernel/equipment/sim-lock.ts";
import type {
  LockAsked,
  LockResult,
  SimLockEventView,
  SimLocks,
  SimLockView,
} from "../../kernel/equipment/sim-locks.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { Conditions } from "../database/conditions.ts";
import type { Database, Tx } from "../database/database.ts";
import { cutPage } from "../database/page.ts";
import { noteIn } from "../operator/audited.ts";
import type { Sealer } from "../seal/seal.ts";

type LockDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
};

/** As of a subscriber: the same SIM has the same index. */
const IMSI = "imsi";
const DEVICE = "locked_device";
const EVENTS_SHOWN = 200;
const LOADED_AT_ONCE = 5_000;
const MASKED_FROM = 14;

const COLUMNS = `id, operator_id as "operatorId", imsi_index as "imsiIndex", imsi_sealed as "imsiSealed", state, scope,
  expected_sealed as "expectedSealed", received_sealed as "receivedSealed", foreign_since as "foreignSince",
  grace_seconds as "graceSeconds", is_refusing as "isRefusing", changed_at as "changedAt", changed_by as "changedBy"`;
const FIND = `select ${COLUMNS} from sim_lock where operator_id = $1 and imsi_index = $2`; // sim_lock_of_sim
const LOCK = `${FIND} for update`;
const LOAD = `select ${COLUMNS} from sim_lock where id > $1 and changed_at >= $2 order by id limit ${LOADED_AT_ONCE}`; // sim_lock_pkey
const PUT = `
  insert into sim_lock (id, operator_id, imsi_index, imsi_sealed, state, scope, expected_sealed, received_sealed, foreign_since,
                        grace_seconds, is_refusing, changed_at, changed_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
      on conflict (operator_id, imsi_index) do update
     set state = excluded.state, scope = excluded.scope, expected_sealed = excluded.expected_sealed,
         received_sealed = excluded.received_sealed, foreign_since = excluded.foreign_since, grace_seconds = excluded.grace_seconds,
         is_refusing = excluded.is_refusing, changed_at = excluded.changed_at, changed_by = excluded.changed_by
  returning id`;
const HAS_LIST = "select id from equipment_list where operator_id = $1 and name = $2"; // equipment_list_by_name
const INSERT_EVENT = `
  insert into sim_lock_event (id, operator_id, lock_id, at, kind, expected_sealed, received_sealed, source, client, actor, reason, outcome)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;
/** A SIM that is tried in one device after another fills no table. */
const FORGET_EVENTS = `
  delete from sim_lock_event where lock_id = $1
     and id <= (select id from sim_lock_event where lock_id = $1 order by id desc offset ${EVENTS_SHOWN} limit 1)`; // sim_lock_event_of_lock
const EVENTS = `
  select e.id, e.at, e.kind, e.expected_sealed as "expectedSealed", e.received_sealed as "receivedSealed", e.source, e.client, e.actor,
         e.reason, e.outcome
    from sim_lock l join sim_lock_event e on e.lock_id = l.id
   where l.operator_id = $1 and l.imsi_index = $2 order by e.id desc limit ${EVENTS_SHOWN}`; // sim_lock_event_of_lock

type Row = {
  readonly id: string;
  readonly operatorId: string;
  readonly imsiIndex: Buffer;
  readonly imsiSealed: Buffer;
  readonly state: LockState;
  readonly scope: LockScope;
  readonly expectedSealed: Buffer | null;
  readonly receivedSealed: Buffer | null;
  readonly foreignSince: Date | null;
  readonly graceSeconds: number;
  readonly isRefusing: boolean;
  readonly changedAt: Date;
  readonly changedBy: string;
};

/** By the SIM's blind index, hexadecimal. */
export type LockedSim = {
  readonly operatorId: string;
  readonly simKey: string;
  readonly lock: SimLock;
  readonly changedAt: Date;
};
export type SimSeen = {
  readonly operatorId: string;
  readonly simKey: string;
  readonly imei14: string;
  readonly seenMs: number;
  readonly source: string;
  readonly client: string;
};

const opened = (sealer: Sealer, sealed: Buffer | null): string | null =>
  sealed && sealer.open(DEVICE, sealed);
const sealedOf = (sealer: Sealer, text: string | null): Buffer | null =>
  text === null ? null : sealer.seal(DEVICE, text);

const lockOf = (sealer: Sealer, row: Row): SimLock => ({
  ...{ state: row.state, scope: row.scope, graceSeconds: row.graceSeconds, isRefusing: row.isRefusing },
  expected: opened(sealer, row.expectedSealed),
  received: opened(sealer, row.receivedSealed),
  foreignSinceMs: row.foreignSince?.getTime() ?? null,
});

export const simKeyOf = (sealer: Sealer, operatorId: string, imsi: string): string =>
  sealer.blindIndex(IMSI, operatorId, imsi).toString("hex");

export type SimLockStore = SimLocks & {
  /** Those that changed since, or all; by page. */
  load(since: Date | undefined): AsyncIterable<readonly LockedSim[]>;
  /** Undefined: it has none any more. */
  loadOne(operatorId: string, simKey: string): Promise<LockedSim | undefined>;
  /**
   * Writes what follows from a SIM that was seen, by the row as it is now; answers whether it is refused.
   */
  seen(seen: SimSeen, isOnList: (list: string) => boolean): Promise<boolean>;
  disconnected(seen: SimSeen, outcome: string): Promise<void>;
};

export function createSimLocks(deps: LockDeps): SimLockStore {
  const { database, sealer } = deps;
  const indexOf = (operatorId: string, imsi: string): Buffer => sealer.blindIndex(IMSI, operatorId, imsi);
  const lockedSim = (row: Row): LockedSim => ({
    operatorId: row.operatorId,
    simKey: row.imsiIndex.toString("hex"),
    lock: lockOf(sealer, row),
    changedAt: row.changedAt,
  });
  return {
    async list(operatorId, { state }, page) {
      const { text, values } = new Conditions()
        .add("l.operator_id = ?", operatorId)
        .maybe("l.state = ?", state)
        .page(`select ${COLUMNS} from sim_lock l`, "l", { cursor: undefined, ...page }); // sim_lock_list
      const rows = await database.rows<Row>(text, values);
      return cutPage(
        rows.map((row) => viewOf(sealer, row, "masked")),
        page.limit,
      );
    },
    async find(operatorId, imsi) {
      const row = await database.one<Row>(FIND, [operatorId, indexOf(operatorId, imsi)]);
      return row && viewOf(sealer, row, "whole");
    },
    async events(operatorId, imsi) {
      const rows = await database.rows<EventRow>(EVENTS, [operatorId, indexOf(operatorId, imsi)]);
      return rows.map(({ expectedSealed, receivedSealed, at, ...row }) => ({
        ...row,
        at: at.toISOString(),
        expected: opened(sealer, expectedSealed),
        received: opened(sealer, receivedSealed),
      }));
    },
    ask: (operatorId, asked, said) =>
      database.transaction(async (tx) => {
        const results: LockResult[] = [];
        // In the order of their rows, so that two who ask for the same SIMs wait for each other and never in a circle.
        const sorted = asked
          .map((one) => ({ one, index: indexOf(operatorId, one.imsi) }))
          .sort((a, b) => Buffer.compare(a.index, b.index));
        for (const { one, index } of sorted)
          results.push(await askOne(tx, deps, { operatorId, index, asked: one, ...said }));
        const done = results.filter(({ reason }) => reason === null).length;
        const detail = { action: asked[0]?.action, asked: asked.length, done, reason: said.reason };
        const note = { actor: said.actor, action: "sim_lock.ask", subject: "sim locks", detail };
        await noteIn(deps)(tx, operatorId, note);
        return results;
      }),
    async *load(since) {
      for (let after = "00000000-0000-0000-0000-000000000000"; ; ) {
        const rows = await database.rows<Row>(LOAD, [after, since ?? "-infinity"]);
        yield rows.map(lockedSim);
        const last = rows.at(-1);
        if (!last || rows.length < LOADED_AT_ONCE) return;
        after = last.id;
      }
    },
    async loadOne(operatorId, simKey) {
      const row = await database.one<Row>(FIND, [operatorId, Buffer.from(simKey, "hex")]);
      return row && lockedSim(row);
    },
    seen: (seen, isOnList) => database.transaction((tx) => putSeen(tx, deps, seen, isOnList)),
    disconnected: (seen, outcome) =>
      database.transaction(async (tx) => {
        const row = await tx.one<Row>(FIND, [seen.operatorId, Buffer.from(seen.simKey, "hex")]);
        const receivedSealed = sealedOf(sealer, seen.imei14);
        if (row) await putEvent(tx, deps, { ...row, ...seen, receivedSealed, kind: "disconnected", outcome });
      }),
  };
}

type EventRow = Omit<SimLockEventView, "at" | "expected" | "received"> & {
  readonly at: Date;
  readonly expectedSealed: Buffer | null;
  readonly receivedSealed: Buffer | null;
};

function viewOf(sealer: Sealer, row: Row, how: "masked" | "whole"): SimLockView {
  const { expected, received, ...lock } = lockOf(sealer, row);
  const shown = (text: string | null): string | null =>
    text !== null && how === "masked" && text.length >= MASKED_FROM && row.scope !== "list"
      ? maskIdentifier(text, "imei")
      : text;
  return {
    ...{ id: row.id, state: lock.state, scope: lock.scope },
    imsiMasked: maskIdentifier(sealer.open(IMSI, row.imsiSealed), "imsi"),
    expected: shown(expected),
    received: received !== null && how === "masked" ? maskIdentifier(received, "imei") : received,
    foreignSince: row.foreignSince?.toISOString() ?? null,
    ...{ graceSeconds: lock.graceSeconds, isRefusing: lock.isRefusing },
    ...{ changedAt: row.changedAt.toISOString(), changedBy: row.changedBy },
  };
}

const EVENT_OF: Readonly<Record<LockAction, LockEvent>> = {
  ...{ arm: "armed", lock: "locked", keep: "kept", move: "moved", unlock: "unlocked" },
};
type Asking = {
  readonly operatorId: string;
  readonly index: Buffer;
  readonly asked: LockAsked;
  readonly actor: string;
  readonly reason: string;
};

async function askOne(
  tx: Tx,
  deps: LockDeps,
  { operatorId, index, asked, actor, reason }: Asking,
): Promise<LockResult> {
  const { imsi, action } = asked;
  const row = await tx.one<Row>(LOCK, [operatorId, index]);
  const before = row && lockOf(deps.sealer, row);
  const wished = (await listFault(tx, operatorId, asked)) ?? lockWished(before, asked);
  if ("fault" in wished)
    return { imsi, outcome: "refused", state: before?.state ?? null, reason: wished.fault };
  const imsiSealed = row?.imsiSealed ?? deps.sealer.seal(IMSI, imsi);
  const put = { operatorId, index, imsiSealed, lock: wished.lock, changedBy: actor };
  const id = await putLock(tx, deps, put);
  const { expected } = wished.lock;
  const received = before?.received ?? null;
  await putEvent(tx, deps, {
    ...{ id, operatorId, kind: EVENT_OF[action], actor, reason },
    expectedSealed: sealedOf(deps.sealer, expected),
    receivedSealed: sealedOf(deps.sealer, received),
  });
  return { imsi, outcome: action, state: wished.lock.state, reason: null };
}

/** Locked to a list that is not there, a SIM would be refused in its own device too. */
async function listFault(
  tx: Tx,
  operatorId: string,
  { action, scope, expected }: LockAsked,
): Promise<{ readonly fault: string } | undefined> {
  if (action !== "lock" || scope !== "list" || expected === undefined) return undefined;
  const list = await tx.one(HAS_LIST, [operatorId, expected]);
  return list ? undefined : { fault: "there is no list of that name by the API: make it first" };
}

type Put = {
  readonly operatorId: string;
  readonly index: Buffer;
  readonly imsiSealed: Buffer;
  readonly lock: SimLock;
  readonly changedBy: string;
};

async function putLock(
  tx: Tx,
  { sealer, newId, clock }: LockDeps,
  { operatorId, index, imsiSealed, lock, changedBy }: Put,
): Promise<string> {
  const since = lock.foreignSinceMs === null ? null : new Date(lock.foreignSinceMs);
  const id = newId();
  const put = await tx.one<{ id: string }>(PUT, [
    ...[id, operatorId, index, imsiSealed, lock.state, lock.scope],
    ...[sealedOf(sealer, lock.expected), sealedOf(sealer, lock.received), since],
    ...[lock.graceSeconds, lock.isRefusing, clock(), changedBy],
  ]);
  return put?.id ?? id;
}

type Told = {
  /** Of the lock. */
  readonly id: string;
  readonly operatorId: string;
  readonly kind: LockEvent;
  readonly expectedSealed: Buffer | null;
  readonly receivedSealed: Buffer | null;
  readonly source?: string;
  readonly client?: string;
  readonly actor?: string;
  readonly reason?: string;
  readonly outcome?: string;
};

async function putEvent(tx: Tx, { newId, clock }: LockDeps, told: Told): Promise<void> {
  const { id, operatorId, kind, expectedSealed, receivedSealed, source, client, actor, reason, outcome } =
    told;
  await tx.run(INSERT_EVENT, [
    ...[newId(), operatorId, id, clock(), kind, expectedSealed, receivedSealed],
    ...[source ?? null, client ?? null, actor ?? null, reason ?? null, outcome ?? null],
  ]);
  await tx.run(FORGET_EVENTS, [id]);
}

async function putSeen(
  tx: Tx,
  deps: LockDeps,
  { operatorId, simKey, imei14, seenMs, source, client }: SimSeen,
  isOnList: (list: string) => boolean,
): Promise<boolean> {
  const index = Buffer.from(simKey, "hex");
  const row = await tx.one<Row>(LOCK, [operatorId, index]);
  if (!row) return false;
  const before = lockOf(deps.sealer, row);
  const { lock, isRefused, events } = lockSeen(before, imei14, isOnList, seenMs);
  if (lock === before) return isRefused;
  await putLock(tx, deps, { operatorId, index, imsiSealed: row.imsiSealed, lock, changedBy: "network" });
  for (const kind of events)
    await putEvent(tx, deps, {
      ...{ id: row.id, operatorId, kind, source, client },
      expectedSealed: sealedOf(deps.sealer, lock.expected),
      receivedSealed: sealedOf(deps.sealer, imei14),
    });
  return isRefused;
}
