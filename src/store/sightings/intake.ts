/**
 * Sightings into rows. Most say nothing new: one look-up over indexes answers a whole batch of those. What changed is
 * decided under the lock of its subscriber, so that two nodes never open two orders for one move.
 *
 * Callers are coalesced: while one batch is at the database the next one gathers, so a lone sighting waits for nobody
 * and a flood costs a statement per thousand.
 */

import { setImmediate } from "node:timers/promises";
import {
  type Arrival,
  arrive,
  keepsNumber,
  opensOrder,
  outlasts,
  tellsNumber,
} from "../../kernel/detection/arrive.ts";
import { readSeenAt, readSighting, readSource } from "../../kernel/detection/read-sighting.ts";
import type {
  Intake,
  SightingInput,
  SightingResult,
  SightingSource,
  WhetherIds,
} from "../../kernel/detection/sighting.ts";
import { marketOf } from "../../kernel/operator/market.ts";
import { getFrom, pairsOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import type { HomePlmnOf, Imsi } from "../../term/imsi.ts";
import { createCoalescer, type Waiting } from "../database/coalescer.ts";
import type { Database, Db, Tx } from "../database/database.ts";
import type { PgOrderStore } from "../orders/order-store.ts";
import { addServingChanges } from "../requests/serving-changes.ts";
import type { Sealer } from "../seal/seal.ts";
import {
  ASKED_BEFORE,
  DEVICE_IDS,
  insertOrderEvents,
  insertOrders,
  insertSightings,
  LEAVE,
  LOCK_SUBSCRIBERS,
  type NewOrder,
  type NewSighting,
  PAIRINGS_OF,
  type PairingWrite,
  PLACE,
  type Row,
  TOUCH,
  UNWRITE_NUMBERS,
  updateSubscribers,
  upsertPairings,
  WAKE,
} from "./intake-rows.ts";
import { answerUnchanged, keyOf } from "./intake-unchanged.ts";
import { columnsOf, insertUnseen, type Told, toldBy } from "./new-sims.ts";
import { endRivals, lockHolders, loseNumbers, type NumberLost, type NumberSeen } from "./number-moves.ts";
import { createPairMemory, type PairMemory, simOf } from "./pair-memory.ts";
import { createPairTable } from "./pair-table.ts";

const MAX_BATCH_ROWS = 2_000;
const MAX_BATCHES_AT_ONCE = 3;
/** Rows read at once; whoever else waits for the program is served in between. */
const SLICE_ROWS = 500;
/** More rows than this waiting and callers are turned away with 503: memory is not a queue. */
const MAX_WAITING_ROWS = 200_000;
/** SIMs of which a command that has no memory knows when it saw them last. */
const REMEMBERED_TIMES = 1_000_000;
type IntakeDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly newId: () => string;
  readonly clock: () => Date;
  readonly homePlmnOf: HomePlmnOf;
  /** ISO country of an MCC, for the region rule. */
  readonly countryOf: (mcc: string, operatorId: string | undefined) => string | null;
  readonly termsIn: PgOrderStore["termsIn"];
  /** Called when orders were opened, so that nobody has to poll for them. */
  readonly onOrders: (count: number) => void;
  /** How far a probe's clock may run ahead (`kernel/detection/clock-tolerance.ts`). */
  readonly clockToleranceMs?: number | undefined;
  /** What is known without asking; without it every pair is looked up. */
  readonly memory?: PairMemory;
};

export function createIntake(deps: IntakeDeps): Intake {
  const memory =
    deps.memory ?? createPairMemory(createPairTable(REMEMBERED_TIMES, deps.clock().getTime()), () => false);
  const rows = createCoalescer<Row, SightingResult>({
    maxBatchRows: MAX_BATCH_ROWS,
    maxBatchesAtOnce: MAX_BATCHES_AT_ONCE,
    maxWaitingRows: MAX_WAITING_ROWS,
    work: (batch) => takeBatch(deps, memory, batch),
  });
  return {
    async accept(operatorId, sightings, source, ids = "wanted") {
      const origin: Origin = { operatorId, source, ids, nowMs: deps.clock().getTime() };
      const results = new Array<SightingResult>(sightings.length);
      const unknown: Row[] = [];
      const places: number[] = [];
      for (const [at, sighting] of sightings.entries()) {
        if (at > 0 && at % SLICE_ROWS === 0) await setImmediate();
        const row = readRow(deps, memory, origin, sighting);
        if ("outcome" in row) results[at] = row;
        else {
          unknown.push(row);
          places.push(at);
        }
      }
      if (unknown.length === 0) return results;
      const answers = await Promise.all(rows.put(unknown));
      for (const [at, [place, answer]] of [...pairsOf(places, answers)].entries())
        results[place] = noted(answer, unknown[at]?.notes);
      return results;
    },
  };
}

/** Whose it is, who told it and when. */
type Origin = {
  readonly operatorId: string;
  readonly source: SightingSource;
  readonly ids: WhetherIds;
  readonly nowMs: number;
};

const noted = (result: SightingResult, notes: readonly string[] = []): SightingResult =>
  notes.length === 0 || result.outcome === "refused" ? result : { ...result, notes };

/** A row for the database to say what it is, or what became of it where that is known already. */
function readRow(
  deps: IntakeDeps,
  memory: PairMemory,
  origin: Origin,
  input: SightingInput,
): Row | SightingResult {
  try {
    if (typeof input !== "object" || input === null)
      throw new TurnupError("sighting_malformed", "A sighting is an object.");
    const sim = typeof input.imsi === "string" ? simOf(origin.operatorId, input.imsi) : undefined;
    const before = sim && memory.readingOf(sim, input);
    if (before && (before.ids || origin.ids === "unneeded")) {
      const seenMs = readSeenAt(input.seenAt, origin.nowMs, deps.clockToleranceMs);
      if (memory.isStillUnchanged(before, seenMs)) return { outcome: "unchanged", ...before.ids };
    }
    const row = rowOf(deps, origin, input);
    if (before || origin.ids === "wanted") return row;
    if (!memory.isUnchanged(row, row.seenMs)) return row;
    if (row.notes.length === 0) memory.keepOften(row.sim, input, row);
    return noted({ outcome: "unchanged" }, row.notes);
  } catch (error) {
    if (error instanceof TurnupError) return { outcome: "refused", code: error.code, reason: error.message };
    throw error;
  }
}

/** @throws TurnupError with the code of what is wrong */
function rowOf(
  { sealer, homePlmnOf, clockToleranceMs }: IntakeDeps,
  { operatorId, source, nowMs }: Origin,
  input: SightingInput,
): Row {
  const homeOf = (imsi: Imsi) => homePlmnOf(imsi, operatorId);
  const read = readSighting(input, nowMs, homeOf, clockToleranceMs);
  return {
    ...read,
    operatorId,
    sim: simOf(operatorId, read.imsi),
    input,
    source: readSource(input, source),
    imsiIndex: sealer.blindIndex("imsi", operatorId, read.imsi),
    imeiIndex: sealer.blindIndex("imei", operatorId, read.imei14),
    msisdnIndex: read.msisdn === null ? null : sealer.blindIndex("msisdn", operatorId, read.msisdn),
  };
}

async function takeBatch(
  deps: IntakeDeps,
  memory: PairMemory,
  batch: readonly Waiting<Row, SightingResult>[],
): Promise<void> {
  const changed = await answerUnchanged(deps.database, memory, batch);
  if (changed.length === 0) return;
  const rows = changed.map(({ row }) => row);
  const endChange = memory.change(rows.map(({ imsiIndex }) => imsiIndex));
  /** SIMs beside those of the batch, whose numbers are others' from now on. */
  const others: (() => void)[] = [];
  let results: readonly SightingResult[];
  try {
    const taken = await deps.database.transaction(
      (tx) => takeChanged(deps, memory, tx, rows, (sims) => void others.push(memory.change(sims))),
      {
        keepsPlans: true,
        safeToRepeat: true,
      },
    );
    results = taken.results;
    await endRivals(deps, taken.numbers, (holders) => {
      others.push(memory.change(holders.map(({ imsiIndex }) => imsiIndex)));
    });
  } finally {
    endChange();
    for (const end of others) end();
  }
  for (const [{ answer }, result] of pairsOf(changed, results)) answer(result);
  const opened = results.filter((result) => "orderId" in result).length;
  if (opened > 0) deps.onOrders(opened);
}

type Locked = {
  readonly id: string;
  readonly operatorId: string;
  readonly imsiIndex: Buffer;
  readonly msisdnIndex: Buffer | null;
  readonly msisdnSealed: Buffer | null;
};
/** As it was before this batch, which wrote the number that moves to it now. */
const numberless = (row: Locked): Locked => ({ ...row, msisdnIndex: null, msisdnSealed: null });

type DeviceId = { readonly id: string; readonly operatorId: string; readonly imeiIndex: Buffer };
type Pairing = {
  id: string;
  subscriberId: string;
  deviceId: string;
  since: Date;
  lastSeenAt: Date;
  isCurrent: boolean;
  /** Of the handset where the SIM is; null of others. */
  imeiIndex: Buffer | null;
};

/** What one batch will write, as its decisions pile up. */
type Decisions = {
  readonly results: SightingResult[];
  /** Where each SIM is now, as far as this batch knows. */
  readonly current: Map<string, Pick<Pairing, "id" | "deviceId" | "since" | "lastSeenAt">>;
  /** Pairs that were seen before this batch. */
  readonly known: ReadonlySet<string>;
  readonly writes: Map<string, PairingWrite>;
  readonly left: Set<string>;
  /** Stays that go on, and until when they were seen. */
  readonly touched: Map<string, Date>;
  /** And on which network. */
  readonly places: Map<string, string>;
  /** Orders that somebody opened for pairs that nobody had seen: their first sighting opens no second one. */
  readonly asked: ReadonlyMap<string, string>;
  /** SIMs that moved on, and to which handset: their open orders are left to the new one, and their servers are told. */
  readonly moved: Map<string, string>;
  readonly sightings: NewSighting[];
  readonly orders: NewOrder[];
};

const pairOf = (subscriberId: string, deviceId: string): string => `${subscriberId} ${deviceId}`;

/** Decides what is new under the locks of its subscribers, oldest sighting first. */
async function takeChanged(
  deps: IntakeDeps,
  memory: PairMemory,
  tx: Tx,
  rows: readonly Row[],
  onChange: (imsiIndexes: readonly Buffer[]) => void,
): Promise<{ readonly results: readonly SightingResult[]; readonly numbers: readonly NumberSeen[] }> {
  const now = deps.clock();
  const whole = await insertUnseen(deps, tx, rows);
  const operatorIds = rows.map(({ operatorId }) => operatorId);
  const locked = await tx.rows<Locked>(LOCK_SUBSCRIBERS, [
    operatorIds,
    rows.map(({ imsiIndex }) => imsiIndex),
  ]);
  const subscribers = new Map(
    locked.map((row) => [keyOf(row.operatorId, row.imsiIndex), whole.has(row.id) ? numberless(row) : row]),
  );
  const found = await tx.rows<DeviceId>(DEVICE_IDS, [operatorIds, rows.map(({ imeiIndex }) => imeiIndex)]);
  const devices = new Map(found.map((row) => [keyOf(row.operatorId, row.imeiIndex), row.id]));
  const pairings = await tx.rows<Pairing>(PAIRINGS_OF, [locked.map(({ id }) => id)]);
  const decisions: Decisions = {
    results: new Array<SightingResult>(rows.length),
    current: staysOf(pairings, locked, memory),
    known: new Set(pairings.map(({ subscriberId, deviceId }) => pairOf(subscriberId, deviceId))),
    writes: new Map(),
    left: new Set(),
    touched: new Map(),
    places: new Map(),
    asked: await askedBefore(tx, locked, pairings),
    moved: new Map(),
    sightings: [],
    orders: [],
  };
  const seenBefore = new Map(
    [...decisions.current].map(([id, { lastSeenAt }]) => [id, lastSeenAt.getTime()]),
  );
  const oldestFirst = [...rows.entries()].sort(
    ([at, one], [otherAt, other]) => one.seenMs - other.seenMs || at - otherAt,
  );
  for (const [at, row] of oldestFirst) {
    const subscriberId = getFrom(subscribers, keyOf(row.operatorId, row.imsiIndex)).id;
    const deviceId = getFrom(devices, keyOf(row.operatorId, row.imeiIndex));
    decisions.results[at] = await decide(deps, tx, decisions, row, { subscriberId, deviceId, now });
  }
  await write(tx, decisions);
  const { told, numbers } = await updateKnown(deps, tx, rows, {
    subscribers,
    whole,
    seenBefore,
    seenMs: memory.seenMs,
    onChange,
    now,
  });
  const woken = [...new Set([...told, ...decisions.moved.keys()])];
  const renumbered = new Set(numbers.map(({ subscriberId }) => subscriberId));
  const isAnew = (id: string): boolean => decisions.moved.has(id) || renumbered.has(id);
  if (woken.length > 0) await tx.run(WAKE, [woken, woken.map(isAnew), now]);
  const moves = [...decisions.moved].map(([subscriberId, deviceId]) => ({
    id: deps.newId(),
    subscriberId,
    deviceId,
  }));
  await addServingChanges(tx, moves, { event: "changed", what: "handset", at: now });
  await insertOrders(tx, decisions.orders);
  await insertOrderEvents(
    tx,
    decisions.orders.map((opened) => ({ ...opened, eventId: deps.newId() })),
  );
  return { results: decisions.results, numbers };
}

/** Open orders for SIMs without a stay, by their pair. */
async function askedBefore(
  tx: Db,
  locked: readonly Locked[],
  pairings: readonly Pairing[],
): Promise<ReadonlyMap<string, string>> {
  const seen = new Set(pairings.map(({ subscriberId }) => subscriberId));
  const unseen = locked.flatMap(({ id }) => (seen.has(id) ? [] : [id]));
  if (unseen.length === 0) return new Map();
  const found = await tx.rows<{ id: string; subscriberId: string; deviceId: string }>(ASKED_BEFORE, [unseen]);
  return new Map(found.map(({ id, subscriberId, deviceId }) => [pairOf(subscriberId, deviceId), id]));
}

/** Where each SIM is, and when it was seen there last: on disk, or since. */
function staysOf(
  pairings: readonly Pairing[],
  locked: readonly Locked[],
  memory: PairMemory,
): Map<string, Pairing> {
  const sims = new Map(locked.map(({ id, imsiIndex }) => [id, imsiIndex]));
  const stays = new Map<string, Pairing>();
  for (const pairing of pairings) {
    if (!pairing.isCurrent || pairing.imeiIndex === null) continue;
    const ms = memory.seenMs(getFrom(sims, pairing.subscriberId), pairing.imeiIndex);
    const lastSeenAt = ms > pairing.lastSeenAt.getTime() ? new Date(ms) : pairing.lastSeenAt;
    stays.set(pairing.subscriberId, { ...pairing, lastSeenAt });
  }
  return stays;
}

type Ids = { readonly subscriberId: string; readonly deviceId: string; readonly now: Date };

/** Notes what follows from one sighting; what that is, `arrive` says. */
async function decide(
  deps: IntakeDeps,
  tx: Tx,
  decisions: Decisions,
  row: Row,
  ids: Ids,
): Promise<SightingResult> {
  const { subscriberId, deviceId } = ids;
  const stay = decisions.current.get(subscriberId);
  const seenAt = new Date(row.seenMs);
  const pair = pairOf(subscriberId, deviceId);
  const arrival = arrive(
    stay && { deviceId: stay.deviceId, sinceMs: stay.since.getTime(), lastSeenMs: stay.lastSeenAt.getTime() },
    { deviceId, seenMs: row.seenMs, isKnown: decisions.known.has(pair) || decisions.writes.has(pair) },
  );
  const pairing = (isCurrent: boolean): PairingWrite => ({
    id: deps.newId(),
    operatorId: row.operatorId,
    subscriberId,
    deviceId,
    since: seenAt,
    lastSeenAt: seenAt,
    isCurrent,
    servingPlmn: row.servingPlmn,
  });
  switch (arrival.kind) {
    case "unchanged": {
      if (stay && arrival.isLatest) {
        stay.lastSeenAt = seenAt;
        decisions.touched.set(stay.id, seenAt);
        decisions.places.set(stay.id, row.servingPlmn);
      }
      return { outcome: arrival.kind, subscriberId, deviceId };
    }
    case "late":
      if (arrival.isNewPair) decisions.writes.set(pair, pairing(false));
      decisions.sightings.push({ id: deps.newId(), row, subscriberId, deviceId, outcome: arrival.kind });
      return { outcome: arrival.kind, subscriberId, deviceId };
    default: {
      if (stay && arrival.leaves) {
        leave(decisions, subscriberId, stay);
        decisions.moved.set(subscriberId, deviceId);
      }
      const arrived = pairing(true);
      decisions.writes.set(pair, arrived);
      decisions.current.set(subscriberId, arrived);
      decisions.sightings.push({ id: deps.newId(), row, subscriberId, deviceId, outcome: arrival.kind });
      return open(deps, tx, decisions, row, { ...ids, arrival });
    }
  }
}

function leave(decisions: Decisions, subscriberId: string, stay: Pick<Pairing, "id" | "deviceId">): void {
  decisions.left.add(stay.id);
  const earlier = decisions.writes.get(pairOf(subscriberId, stay.deviceId));
  if (earlier) earlier.isCurrent = false;
}

type Leaving = Extract<Arrival, { readonly leaves: boolean }>;

async function open(
  deps: IntakeDeps,
  tx: Tx,
  decisions: Decisions,
  row: Row,
  { subscriberId, deviceId, now, arrival }: Ids & { readonly arrival: Leaving },
): Promise<SightingResult> {
  const asked =
    arrival.kind === "first_registration" ? decisions.asked.get(pairOf(subscriberId, deviceId)) : undefined;
  if (asked !== undefined) return { outcome: arrival.kind, orderId: asked, subscriberId, deviceId };
  const { policy, kind } = await deps.termsIn(tx, row.operatorId);
  if (!opensOrder(arrival, policy)) return { outcome: "unchanged", subscriberId, deviceId };
  const { operatorId } = row;
  const opened: NewOrder = {
    id: deps.newId(),
    operatorId,
    subscriberId,
    deviceId,
    cause: arrival.kind,
    networkKind: kind,
    market: marketOf(row, (mcc) => deps.countryOf(mcc, operatorId), policy.markets),
    servingPlmn: row.servingPlmn,
    now,
  };
  decisions.orders.push(opened);
  return { outcome: arrival.kind, orderId: opened.id, subscriberId, deviceId };
}

/** A handset that the SIM left gives up its place before another takes it: one current pairing a subscriber. */
async function write(tx: Db, { left, writes, sightings, touched, places }: Decisions): Promise<void> {
  if (touched.size > 0) await tx.run(TOUCH, [[...touched.keys()], [...touched.values()]]);
  if (places.size > 0) await tx.run(PLACE, [[...places.keys()], [...places.values()]]);
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
}

type Knowledge = {
  readonly subscribers: ReadonlyMap<string, Locked>;
  /** New ones whose rows hold what they are told of already. */
  readonly whole: ReadonlySet<string>;
  /** When each SIM was seen last before this batch. */
  readonly seenBefore: ReadonlyMap<string, number>;
  readonly seenMs: PairMemory["seenMs"];
  readonly onChange: (imsiIndexes: readonly Buffer[]) => void;
  readonly now: Date;
};

/** Numbers and names that came along; answers whose: an order that waited for them is due at once. */
async function updateKnown(
  deps: IntakeDeps,
  tx: Db,
  rows: readonly Row[],
  known: Knowledge,
): Promise<{ readonly told: string[]; readonly numbers: readonly NumberSeen[] }> {
  const { sealer } = deps;
  const latest = new Map<string, Told>();
  const oldestFirst = [...rows].sort((one, other) => one.seenMs - other.seenMs);
  for (const row of oldestFirst) {
    if (row.msisdn === null && row.iccid === null && row.gid1 === null && row.spn === null) continue;
    const subscriber = getFrom(known.subscribers, keyOf(row.operatorId, row.imsiIndex));
    const before = latest.get(subscriber.id);
    const sim = {
      hasNumber: subscriber.msisdnIndex !== null,
      lastSeenMs: known.seenBefore.get(subscriber.id) ?? 0,
    };
    latest.set(subscriber.id, toldBy(before, row, row.msisdn !== null && tellsNumber(row.seenMs, sim)));
  }
  if (latest.size === 0) return { told: [], numbers: [] };
  const numbers = await moveNumbers(deps, tx, latest, known);
  const renumbered = new Set(numbers.map(({ subscriberId }) => subscriberId));
  const others = [...latest].filter(([id]) => !known.whole.has(id));
  const unwritten = [...latest].flatMap(([id, { msisdn }]) =>
    !known.whole.has(id) || msisdn === null || renumbered.has(id) ? [] : [id],
  );
  if (unwritten.length > 0) await tx.run(UNWRITE_NUMBERS, [unwritten]);
  await updateSubscribers(
    tx,
    others.map(([id, told]) => ({
      id,
      ...columnsOf(sealer, renumbered.has(id) ? told : { ...told, msisdn: null, msisdnIndex: null }),
    })),
  );
  return { told: others.map(([id]) => id), numbers };
}

/** Takes numbers from whom they were; answers who has which number that they had not before. */
async function moveNumbers(
  { newId }: IntakeDeps,
  tx: Db,
  latest: ReadonlyMap<string, Told>,
  { subscribers, seenMs, onChange, now }: Knowledge,
): Promise<readonly NumberSeen[]> {
  const byId = new Map([...subscribers.values()].map((one) => [one.id, one]));
  /** By number: of two SIMs in one batch the one that was seen with it last. */
  const wanted = new Map<string, NumberSeen & { readonly numberMs: number }>();
  for (const [subscriberId, { operatorId, msisdnIndex, numberMs }] of latest) {
    if (msisdnIndex === null || byId.get(subscriberId)?.msisdnIndex?.equals(msisdnIndex)) continue;
    const rival = wanted.get(keyOf(operatorId, msisdnIndex));
    if (outlasts(numberMs, rival?.numberMs))
      wanted.set(keyOf(operatorId, msisdnIndex), { subscriberId, operatorId, msisdnIndex, numberMs });
  }
  if (wanted.size === 0) return [];
  const lost: NumberLost[] = [];
  for (const holder of await lockHolders(tx, [...wanted.values()])) {
    const seen = getFrom(wanted, keyOf(holder.operatorId, holder.msisdnIndex));
    const hasAnother = latest.get(holder.subscriberId)?.msisdnIndex?.equals(holder.msisdnIndex) === false;
    const lastSeenMs = Math.max(
      holder.lastSeenAt?.getTime() ?? 0,
      holder.imeiIndex === null ? 0 : seenMs(holder.imsiIndex, holder.imeiIndex),
    );
    if (keepsNumber({ lastSeenMs, hasAnother }, seen.numberMs)) {
      wanted.delete(keyOf(holder.operatorId, holder.msisdnIndex));
      continue;
    }
    onChange([holder.imsiIndex]);
    lost.push({ ...holder, newHolderId: seen.subscriberId });
  }
  const given = [...wanted.values()];
  const takenAlready = new Set(lost.map(({ subscriberId }) => subscriberId));
  for (const { subscriberId: id } of given) {
    const { operatorId, msisdnIndex, msisdnSealed } = getFrom(byId, id);
    if (msisdnIndex === null || msisdnSealed === null || takenAlready.has(id)) continue;
    lost.push({ subscriberId: id, operatorId, msisdnIndex, msisdnSealed, newHolderId: null });
  }
  await loseNumbers(tx, lost, now, newId);
  return given;
}
