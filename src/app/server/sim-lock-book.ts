/**
 * Locks of SIMs and devices as this server answers by them: known by heart, moved at once by what networks show, written behind the
 * answer. The row in the database decides between servers; word of each change comes back to all of them.
 */
import type { Registry } from "prom-client";
import type { Changes } from "../../kernel/account/changes.ts";
import { lockSeen, type SimLock } from "../../kernel/equipment/sim-lock.ts";
import {
  type LockedSim,
  type SimLockStore,
  type SimSeen,
  simKeyOf,
} from "../../store/equipment/sim-locks.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { countLocks } from "./equipment-measures.ts";
import { startLoop } from "./loop.ts";
import type { OwnEquipmentOf } from "./own-equipment.ts";

const LOOK_MS = 500;
/** Clocks of servers differ, and transactions take a while: what changed so long ago is read again. */
const OVERLAP_MS = 60_000;
/** About 3 MB; a lock moves when a SIM changes its device. */
const WAITING_MAX = 10_000;
const IMEI_DIGITS = 14;
/** A gateway tells of a session every few minutes; an answer of its own comes in seconds. */
const DISCONNECT_AGAIN_MS = 30_000;
const DISCONNECTED_KNOWN_MAX = 100_000;

/** Ends a SIM's sessions at its gateways; `none`: no gateway answered, or none is named. */
export type DisconnectSession = (asked: {
  readonly operatorId: string;
  readonly imsi: string;
  readonly reason: string;
}) => Promise<"ack" | "nak" | "none">;

type Shown = {
  readonly operatorId: string;
  readonly imsi: string;
  /** 14 to 16 digits. */
  readonly imei: string;
  readonly source: string;
  readonly client: string;
};
export type SimLockBook = {
  /** Whether this SIM is refused in this device; at once. */
  isRefused(shown: Shown): boolean;
  /** As `isRefused` of a data session that goes on: one that is refused is ended behind it. */
  session(shown: Shown): void;
};
type BookDeps = {
  readonly store: SimLockStore;
  readonly sealer: Sealer;
  readonly changes: Changes;
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
  /** Its lists. */
  readonly ownOf: OwnEquipmentOf;
  /** Whether anybody is refused at all, by the settings and by the switch. */
  readonly answersBlack: (operatorId: string) => boolean;
  readonly disconnect: DisconnectSession | undefined;
  readonly registry: Registry;
  readonly onFault: (name: string, error: unknown) => void;
};

export async function openSimLockBook(closing: ClosingStack, deps: BookDeps): Promise<SimLockBook> {
  const { sealer, ownOf, answersBlack, clock } = deps;
  const known = createKnownLocks(deps);
  await known.readAll();
  const counts = countLocks(deps.registry, known.size);
  const moves = writeBehind(closing, deps, counts);
  followChanges(closing, deps, known);
  const disconnect = disconnecting(closing, deps);
  const look = ({ operatorId, imsi, imei, source, client }: Shown): SimSeen | undefined => {
    const own = known.of(operatorId);
    if (!own || own.size === 0) return undefined;
    const simKey = simKeyOf(sealer, operatorId, imsi);
    const lock = own.get(simKey);
    if (!lock || lock.state === "neutral") return undefined;
    const imei14 = imei.slice(0, IMEI_DIGITS);
    const seenMs = clock().getTime();
    const said = ownOf(operatorId);
    const { lock: next, isRefused } = lockSeen(lock, imei14, isOnListOf(said, imei), seenMs);
    const seen = { operatorId, simKey, imei14, seenMs, source, client };
    if (next !== lock) {
      own.set(simKey, next);
      moves.put(seen, imei);
    }
    if (!isRefused || !answersBlack(operatorId)) return undefined;
    counts.refusals.inc({ source, client });
    return seen;
  };
  return {
    isRefused: (shown) => look(shown) !== undefined,
    session(shown) {
      const seen = look(shown);
      if (seen) disconnect(seen, shown.imsi);
    },
  };
}

const isOnListOf =
  (said: ReturnType<OwnEquipmentOf>, imei: string) =>
  (list: string): boolean =>
    said?.index.isOn(list, { imei, imsi: undefined, softwareVersion: undefined }) ?? false;

function createKnownLocks({ store }: Pick<BookDeps, "store">) {
  let byOperator = new Map<string, Map<string, SimLock>>();
  let latestMs = 0;
  const put = (all: typeof byOperator, { operatorId, simKey, lock, changedAt }: LockedSim): void => {
    const own = all.get(operatorId) ?? new Map<string, SimLock>();
    all.set(operatorId, own);
    own.set(simKey, lock);
    latestMs = Math.max(latestMs, changedAt.getTime());
  };
  return {
    of: (operatorId: string) => byOperator.get(operatorId),
    size: (): number => [...byOperator.values()].reduce((sum, { size }) => sum + size, 0),
    async readAll(): Promise<void> {
      const all: typeof byOperator = new Map();
      for await (const page of store.load(undefined)) for (const one of page) put(all, one);
      byOperator = all;
    },
    async readLatest(): Promise<void> {
      const since = new Date(Math.max(0, latestMs - OVERLAP_MS));
      for await (const page of store.load(since)) for (const one of page) put(byOperator, one);
    },
    async readOne(operatorId: string, simKey: string): Promise<void> {
      const one = await store.loadOne(operatorId, simKey);
      if (one) put(byOperator, one);
      else byOperator.get(operatorId)?.delete(simKey);
    },
  };
}

/** Reads what other servers, or somebody by the API, changed. */
function followChanges(
  closing: ClosingStack,
  { changes, onFault }: BookDeps,
  known: ReturnType<typeof createKnownLocks>,
): void {
  const changed = new Map<string, { readonly operatorId: string; readonly simKey: string }>();
  let isAll = false;
  const loop = startLoop({
    name: "sim-locks",
    pauseMs: LOOK_MS,
    async pass() {
      if (isAll) {
        isAll = false;
        await known.readAll().catch((error: unknown) => {
          isAll = true;
          throw error;
        });
      } else if (!changes.isHeard()) await known.readLatest();
      const [next] = changed;
      if (!next) return false;
      const [key, sim] = next;
      changed.delete(key); // word that comes while it is read has it read again
      await known.readOne(sim.operatorId, sim.simKey).catch((error: unknown) => {
        changed.set(key, sim);
        throw error;
      });
      return changed.size > 0;
    },
    onFailure: onFault,
  });
  const unsubscribe = changes.onChange((news) => {
    if (news === "everything") isAll = true;
    else if (news.kind !== "sim_lock") return;
    else if (news.detail === undefined) isAll = true;
    else changed.set(news.detail + news.operatorId, { operatorId: news.operatorId, simKey: news.detail });
    loop.wake();
  });
  closing.defer(async () => {
    unsubscribe();
    await loop.stop();
  });
}

function writeBehind(
  closing: ClosingStack,
  { store, ownOf, onFault }: BookDeps,
  { dropped }: ReturnType<typeof countLocks>,
) {
  const waiting: { readonly seen: SimSeen; readonly imei: string }[] = [];
  const loop = startLoop({
    name: "sim-lock-moves",
    pauseMs: 1_000,
    async pass() {
      const [next] = waiting;
      if (!next) return false;
      await store.seen(next.seen, isOnListOf(ownOf(next.seen.operatorId), next.imei));
      waiting.shift();
      return waiting.length > 0;
    },
    onFailure: onFault,
  });
  closing.defer(async () => {
    loop.wake();
    await loop.stop();
    dropped.inc(waiting.length);
  });
  return {
    put(seen: SimSeen, imei: string): void {
      if (waiting.length >= WAITING_MAX) return dropped.inc();
      waiting.push({ seen, imei });
      loop.wake();
    },
  };
}

function disconnecting(
  closing: ClosingStack,
  { disconnect, store, monotonicMs, onFault }: BookDeps,
): (seen: SimSeen, imsi: string) => void {
  const quietUntil = new Map<string, number>();
  const running = new Set<Promise<void>>();
  closing.defer(async () => void (await Promise.all(running)));
  return (seen, imsi) => {
    if (!disconnect) return;
    const nowMs = monotonicMs();
    if ((quietUntil.get(seen.simKey) ?? 0) > nowMs) return;
    if (quietUntil.size >= DISCONNECTED_KNOWN_MAX) quietUntil.clear();
    quietUntil.set(seen.simKey, nowMs + DISCONNECT_AGAIN_MS);
    const asked = { operatorId: seen.operatorId, imsi, reason: "its SIM is locked to another device" };
    const done = disconnect(asked)
      .then((outcome) => store.disconnected(seen, outcome))
      .catch((error: unknown) => onFault("sim-lock", error))
      .finally(() => running.delete(done));
    running.add(done);
  };
}
