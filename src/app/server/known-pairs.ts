/**
 * Keeps what a server knows by heart of pairs of SIM and handset true: filled from the database beside the server's other
 * work, doubted as word of changes comes, and written back as far as it is newer than the database.
 *
 *   start, or word may have been missed ── fill ── known, while word is heard ── word of a pair ── doubted, and looked at again
 */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Changes } from "../../kernel/account/changes.ts";
import type { Intake } from "../../kernel/detection/sighting.ts";
import { createLastSeenWriter, STEP_PAUSE_MS } from "../../store/sightings/last-seen.ts";
import { fillPairs } from "../../store/sightings/pair-fill.ts";
import type { PairMemory } from "../../store/sightings/pair-memory.ts";
import { keyAt, type LastSeen } from "../../store/sightings/pair-table.ts";
import { resight } from "../../store/sightings/resight.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { type Loop, startLoop } from "./loop.ts";
import type { Stores } from "./open-stores.ts";

const FILL_POLL_MS = 1_000;
const RESIGHT_POLL_MS = 1_000;
/** Word that was not heard is of less long ago: what was seen since then is looked at again. */
const UNHEARD_FOR_MS = 5_000;
/** SIMs that wait to be looked at again: more come only where another server's moves are not kept up with for long. */
const DOUBTED_MAX = 1_000_000;
const FILL_PAUSE_MAX_MS = 60_000;
const KEY_DIGITS = /^[0-9a-f]{16}$/;

type Options = {
  readonly measures: Registry;
  readonly onFault: (name: string, error: unknown) => void;
};

type Kept = Pick<Stores, "database" | "connection" | "sealer" | "memory" | "clock"> & {
  readonly changes: Changes;
};

export function keepPairs(closing: ClosingStack, stores: Kept, intake: Intake, options: Options): void {
  const { memory, changes } = stores;
  const told = measurePairs(options.measures, memory);
  let doubted: LastSeen[] = [];
  const add = (pairs: readonly LastSeen[]): void => {
    for (const pair of pairs) if (doubted.length < DOUBTED_MAX) doubted.push(pair);
  };
  /** What cannot be told now waits for the next pass. */
  async function tellAgain(): Promise<boolean> {
    if (doubted.length === 0) return false;
    const pairs = doubted;
    doubted = [];
    try {
      const again = await resight({ ...stores, intake, onFault: options.onFault }, pairs);
      told.inc(again.told);
      add(again.failed);
      return again.failed.length < pairs.length && doubted.length > 0;
    } catch (error) {
      add(pairs);
      throw error;
    }
  }
  const resights = startLoop({
    name: "resight",
    pauseMs: RESIGHT_POLL_MS,
    pass: tellAgain,
    onFailure: options.onFault,
  });
  const fills = startFills(stores, options);
  const stopHearing = changes.onChange((news) => {
    if (news === "everything") {
      add(memory.doubtAll(stores.clock().getTime() - UNHEARD_FOR_MS));
      resights.wake();
      fills.again();
    } else if (news.kind === "pair" && KEY_DIGITS.test(news.detail ?? "")) {
      const known = memory.hear(keyAt(Buffer.from(news.detail ?? "", "hex")));
      if (known) add([known]);
      if (known) resights.wake();
    }
  });
  closing.defer(async () => {
    await resights.stop();
    await tellAgain().catch((error: unknown) => options.onFault("resight", error));
  });
  closing.defer(() => fills.stop());
  closing.defer(stopHearing);
  writeLastSeen(closing, stores, options);
}

/** One fill at a time; what is asked for meanwhile ends it, and begins another. */
function startFills({ connection, memory }: Kept, { onFault }: Options) {
  let wanted = 1;
  let filled = 0;
  let [pauseMs, notBeforeMs] = [FILL_POLL_MS, 0];
  const loop: Loop = startLoop({
    name: "known pairs",
    pauseMs: FILL_POLL_MS,
    async pass() {
      if (filled === wanted || performance.now() < notBeforeMs) return false;
      const which = wanted;
      try {
        await fillPairs(connection, memory, () => which !== wanted);
      } catch (error) {
        notBeforeMs = performance.now() + pauseMs;
        pauseMs = Math.min(pauseMs * 2, FILL_PAUSE_MAX_MS);
        throw error;
      }
      pauseMs = FILL_POLL_MS;
      if (which === wanted) filled = which;
      return filled !== wanted;
    },
    onFailure: onFault,
  });
  return {
    again() {
      wanted++;
      loop.wake();
    },
    stop() {
      wanted = filled = wanted + 1; // what runs ends, and no other begins
      return loop.stop();
    },
  };
}

function writeLastSeen(closing: ClosingStack, { database, memory }: Kept, { onFault }: Options): void {
  const writer = createLastSeenWriter(database, memory);
  const loop = startLoop({
    name: "last seen",
    pauseMs: STEP_PAUSE_MS,
    async pass() {
      await writer.step();
      return false;
    },
    onFailure: onFault,
  });
  closing.defer(async () => {
    await loop.stop();
    await writer.writeAll().catch((error: unknown) => onFault("last seen", error));
  });
}

/** Answers what counts the SIMs that were told again. */
export function measurePairs(measures: Registry, memory: Pick<PairMemory, "size">): Counter {
  new Gauge({
    name: "turnup_known_pairs",
    help: "Pairs of SIM and handset that this server has learned by heart; where it may have missed word, each is asked for once more.",
    registers: [measures],
    collect() {
      this.set(memory.size);
    },
  });
  return new Counter({
    name: "turnup_pairs_told_again_total",
    help: "SIMs that were answered for from memory while word of a change was on its way, and were told to the database again.",
    registers: [measures],
  });
}
