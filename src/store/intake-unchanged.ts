/** The road of most sightings: a pair that is known, and nothing about it is new. One look-up answers a whole batch. */
import type { SightingResult } from "../kernel/detection/sighting.ts";
import type { Waiting } from "./coalescer.ts";
import type { Db } from "./database.ts";
import { LOOK_UP, type Row, TOUCH } from "./intake-rows.ts";

/**
 * `last_seen_at` of an unchanged pair is written when it is older than this: a finer grain would cost a write a sighting.
 * What was seen since is remembered by the server that saw it, so that a late sighting is known as late; another server
 * may take one for a move that is late by less than this.
 */
const LAST_SEEN_GRAIN_MS = 60_000;
const MAX_REMEMBERED_SIMS = 50_000;

/** When a SIM was last seen in a handset, where that is newer than what is on disk. */
export type Recent = {
  get(sim: string, deviceId: string): number;
  put(sim: string, deviceId: string, ms: number): void;
};

export function createRecent(): Recent {
  const seen = new Map<string, { readonly deviceId: string; readonly ms: number }>();
  return {
    get(sim, deviceId) {
      const last = seen.get(sim);
      return last?.deviceId === deviceId ? last.ms : 0;
    },
    put(sim, deviceId, ms) {
      const last = seen.get(sim);
      if (last?.deviceId === deviceId && last.ms >= ms) return;
      seen.delete(sim);
      if (seen.size >= MAX_REMEMBERED_SIMS) seen.delete(seen.keys().next().value!);
      seen.set(sim, { deviceId, ms });
    },
  };
}

type Known = {
  readonly at: number;
  readonly subscriberId: string;
  readonly msisdnIndex: Buffer | null;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly hasIccid: boolean;
  readonly deviceId: string;
  readonly currentDeviceId: string;
  readonly lastSeenAt: Date;
  readonly pairingId: string;
};

/** Answers what says nothing new, and gives back the rest. */
export async function answerUnchanged(
  database: Db,
  recent: Recent,
  batch: readonly Waiting<Row, SightingResult>[],
): Promise<Waiting<Row, SightingResult>[]> {
  const rows = await database.rows<Known>(LOOK_UP, [
    batch.map(({ row }) => row.operatorId),
    batch.map(({ row }) => row.imsiIndex),
    batch.map(({ row }) => row.imeiIndex),
  ]);
  const known = new Map(rows.map((row) => [row.at - 1, row]));
  const isKnown = batch.map(({ row }, at) => saysNothingNew(row, known.get(at)));
  // A SIM that moves within the batch: "the same as before" is then not the same any more, so all its rows are decided.
  const moving = new Set(batch.flatMap(({ row }, at) => (isKnown[at] ? [] : [simOf(row)])));
  const touched = new Map<string, number>();
  const unchanged: (() => void)[] = [];
  const changed = batch.filter(({ row, answer }, at) => {
    const pair = known.get(at);
    if (!pair || !isKnown[at] || (moving.size > 0 && moving.has(simOf(row)))) return true;
    recent.put(simOf(row), pair.deviceId, row.seenMs);
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

const simOf = (row: Row): string => keyOf(row.operatorId, row.imsiIndex);

/** The SIM is in this handset as far as is known, with this number and these names. */
function saysNothingNew(row: Row, pair: Known | undefined): boolean {
  if (pair?.currentDeviceId !== pair?.deviceId || pair === undefined) return false;
  const isNewNumber = row.msisdnIndex !== null && !pair.msisdnIndex?.equals(row.msisdnIndex);
  const isNewName =
    (row.gid1 !== null && row.gid1 !== pair.gid1) ||
    (row.spn !== null && row.spn !== pair.spn) ||
    (row.iccid !== null && !pair.hasIccid);
  return !isNewNumber && !isNewName;
}

export const keyOf = (operatorId: string, index: Buffer): string =>
  `${operatorId} ${index.toString("latin1")}`;
