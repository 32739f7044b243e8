/** The road of most sightings: a pair that is known, and nothing about it is new. One look-up answers a whole batch. */
import type { SightingResult } from "../../kernel/detection/sighting.ts";
import type { Waiting } from "../database/coalescer.ts";
import type { Db } from "../database/database.ts";
import { LOOK_UP, type Row, TOUCH } from "./intake-rows.ts";
import { LAST_SEEN_GRAIN_MS } from "./last-seen.ts";
import type { Asking, PairMemory } from "./pair-memory.ts";

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
  readonly servingPlmn: string | null;
};

/** Answers what says nothing new, and gives back the rest. */
export async function answerUnchanged(
  database: Db,
  memory: PairMemory,
  batch: readonly Waiting<Row, SightingResult>[],
): Promise<Waiting<Row, SightingResult>[]> {
  const asking = memory.ask();
  try {
    return await askAndAnswer(database, memory, asking, batch);
  } finally {
    asking.end();
  }
}

async function askAndAnswer(
  database: Db,
  memory: PairMemory,
  asking: Asking,
  batch: readonly Waiting<Row, SightingResult>[],
): Promise<Waiting<Row, SightingResult>[]> {
  const rows = await database.rows<Known>(LOOK_UP, [
    batch.map(({ row }) => row.operatorId),
    batch.map(({ row }) => row.imsiIndex),
    batch.map(({ row }) => row.imeiIndex),
  ]);
  const known = new Map(rows.map((row) => [row.at - 1, row]));
  const isKnown = batch.map(
    ({ row }, at) => saysNothingNew(row, known.get(at)) && !asking.isDoubtful(row.imsiIndex),
  );
  // A SIM that moves within the batch: "the same as before" is then not the same any more, so all its rows are decided.
  const moving = new Set(batch.flatMap(({ row }, at) => (isKnown[at] ? [] : [row.sim])));
  const touched = new Map<string, number>();
  const unchanged: { readonly waiting: Waiting<Row, SightingResult>; readonly tell: () => void }[] = [];
  const changed = batch.filter((waiting, at) => {
    const { row, answer } = waiting;
    const pair = known.get(at);
    if (!pair || !isKnown[at] || (moving.size > 0 && moving.has(row.sim))) return true;
    const { subscriberId, deviceId } = pair;
    const writtenMs = pair.lastSeenAt.getTime();
    const isBehind = row.seenMs - writtenMs > LAST_SEEN_GRAIN_MS;
    if (isBehind) touched.set(pair.pairingId, Math.max(row.seenMs, touched.get(pair.pairingId) ?? 0));
    const tell = (): void => {
      asking.know({ ...row, ...pair, lastSeenMs: isBehind ? row.seenMs : writtenMs });
      // What is answered by heart is answered without notes.
      if (row.notes.length === 0) memory.keep(row.sim, row.input, row, { subscriberId, deviceId });
      memory.see(row.imsiIndex, row.imeiIndex, row.seenMs);
      answer({ outcome: "unchanged", subscriberId, deviceId });
    };
    unchanged.push({ waiting, tell });
    return false;
  });
  if (touched.size > 0) {
    await database.run(TOUCH, [[...touched.keys()], [...touched.values()].map((ms) => new Date(ms))]);
  }
  // Word of a change may have come while the times were written.
  for (const { waiting, tell } of unchanged)
    if (asking.isDoubtful(waiting.row.imsiIndex)) changed.push(waiting);
    else tell();
  return changed;
}

/** The SIM is in this handset as far as is known, on this network, with this number and these names. */
function saysNothingNew(row: Row, pair: Known | undefined): boolean {
  if (pair?.currentDeviceId !== pair?.deviceId || pair === undefined) return false;
  // Only of the latest place: an older sighting is decided with the others, and changes none.
  const isNewPlace = row.servingPlmn !== pair.servingPlmn && row.seenMs > pair.lastSeenAt.getTime();
  const isNewNumber = row.msisdnIndex !== null && !pair.msisdnIndex?.equals(row.msisdnIndex);
  const isNewName =
    (row.gid1 !== null && row.gid1 !== pair.gid1) ||
    (row.spn !== null && row.spn !== pair.spn) ||
    (row.iccid !== null && !pair.hasIccid);
  return !isNewPlace && !isNewNumber && !isNewName;
}

export const keyOf = (operatorId: string, index: Buffer): string =>
  `${operatorId} ${index.toString("latin1")}`;
