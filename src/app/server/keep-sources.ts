/** Keeps what the sources of sightings tell: counted each other second, judged each minute, with what two of them disagree about. */
import type { Registry } from "prom-client";
import type { Intake } from "../../kernel/detection/sighting.ts";
import { createSightingConflicts } from "../../store/sightings/sighting-conflicts.ts";
import { createSourceCounts, type SourceCounts } from "../../store/sightings/source-counts.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";
import type { Stores } from "./open-stores.ts";
import { createSightingWatch, type FoundConflict } from "./sighting-watch.ts";
import { measureSources, setStates } from "./source-measures.ts";

const WRITE_MS = 2_000;
const JUDGE_MS = 60_000;
const SWEEP_MS = 3_600_000;

type Kept = {
  /** The same path, watched. */
  readonly watched: (intake: Intake) => Intake;
  readonly counts: SourceCounts;
};

export function keepSources(
  closing: ClosingStack,
  stores: Pick<Stores, "database" | "sealer" | "newId" | "clock" | "deviceStatements">,
  {
    measures,
    onFault,
    onCame,
  }: Pick<Parameters<typeof createSightingWatch>[0], "onCame"> & {
    readonly measures: Registry;
    readonly onFault: (name: string, error: unknown) => void;
  },
): Kept {
  const counts = createSourceCounts(stores);
  const conflicts = createSightingConflicts(stores);
  const watch = createSightingWatch({
    clock: stores.clock,
    counts,
    noteRadio: stores.deviceStatements.note,
    ...(onCame && { onCame }),
    onLag: (source, lagMs) => gauges.lag.observe({ source }, lagMs / 1_000),
  });
  const gauges = measureSources(measures, { ...watch, nowMs: () => stores.clock().getTime() });
  /** Kept until they are booked, whatever becomes of the database. */
  let unbooked: readonly FoundConflict[] = [];
  const write = async (): Promise<void> => {
    await counts.flush();
    unbooked = [...unbooked, ...watch.conflicts()];
    for (const one of unbooked) {
      if ((await conflicts.book([one])) > 0) gauges.conflicts(one.rule, 1);
      unbooked = unbooked.slice(1);
    }
  };
  let judgedAtMs = Number.NEGATIVE_INFINITY;
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  const loop = startLoop({
    name: "sighting_sources",
    pauseMs: WRITE_MS,
    pass: async () => {
      await write();
      const nowMs = performance.now();
      if (nowMs - judgedAtMs >= JUDGE_MS) {
        judgedAtMs = nowMs;
        setStates(gauges.states, await counts.states());
      }
      if (nowMs - sweptAtMs >= SWEEP_MS) {
        sweptAtMs = nowMs;
        await counts.sweep();
      }
      return false;
    },
    onFailure: onFault,
  });
  closing.defer(async () => {
    await loop.stop();
    await write().catch((error: unknown) => onFault("sighting_sources", error));
  });
  return { watched: watch.watched, counts };
}
