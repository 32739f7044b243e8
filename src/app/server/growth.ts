/** Keeps the database from growing for ever: months of its large tables are made ahead, and what operators keep no longer goes. */
import { setTimeout as sleep } from "node:timers/promises";
import { Gauge, type Registry } from "prom-client";
import { GROWN_KINDS, RETAINED_KINDS, type RetainedKind } from "../../kernel/operator/retention.ts";
import { dropManagedDevicesOver } from "../../store/retention/managed-devices-over.ts";
import { makeMonthsAhead, monthsAheadOf } from "../../store/retention/partitions.ts";
import { createPutAway } from "../../store/retention/put-away.ts";
import { type SweepDeps, sweepStep } from "../../store/retention/sweep.ts";
import { TurnupError } from "../../term/error.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";

/** A month is made two months ahead, and goes within a minute of its time; nobody waits for either. */
const LOOK_MS = 60_000;
/** A table that is in use (a backup reads all of them in one transaction) is tried again this much later: who waits for it holds up others. */
const IN_USE_PAUSE_MS = 300_000;

/** Messages that are over are looked for from the oldest on, so seldom: those of orders that are under way for long are met each time. */
const PUT_AWAY_PAUSE_MS = 3_600_000;

/** It rests so many times as long as each step took: what pays is served first. */
const PUT_AWAY_REST = 4;

/** Servers that start at once, or a long transaction, are no fault. */
const TOLD_WHEN_PUT_OFF = 3;

type Observed = {
  readonly measures: Registry;
  /** How long it pauses between two looks. */
  readonly lookMs?: number;
  readonly onFault: (what: string, error: unknown) => void;
};

export const measureMonths = (measures: Registry): Gauge<"kind"> =>
  new Gauge({
    name: "turnup_partition_months_ahead",
    help: "Months ahead for which a large table has a partition; at 0 nobody made the next one, at -1 not even this month's.",
    labelNames: ["kind"],
    registers: [measures],
  });

/** Nobody waits for it: what a table in use put off comes again at the next look, and is told when it was put off thrice. */
export function keepGrowth(
  closing: ClosingStack,
  deps: SweepDeps,
  { measures, onFault, lookMs = LOOK_MS }: Observed,
): void {
  const gauge = measureMonths(measures);
  const failures = new Map<string, number>();
  const notBeforeMs = new Map<RetainedKind, number>();
  const putAway = createPutAway(deps);
  let putAwayNotBeforeMs = 0;
  const attempt = async (what: string, work: () => Promise<boolean>): Promise<boolean | "failed"> => {
    try {
      const isMore = await work();
      failures.delete(what);
      return isMore;
    } catch (error) {
      const inTurn = (failures.get(what) ?? 0) + 1;
      failures.set(what, inTurn);
      const isInUse = error instanceof TurnupError && error.code === "database_timeout";
      if (!isInUse || inTurn >= TOLD_WHEN_PUT_OFF) onFault(what, error);
      return "failed";
    }
  };
  const loop = startLoop({
    name: "growth",
    pauseMs: lookMs,
    pass: async () => {
      const now = deps.clock();
      await attempt("partitions", async () => (await makeMonthsAhead(deps.database, now)).length > 0);
      const ahead = await monthsAheadOf(deps.database, now);
      for (const kind of GROWN_KINDS) gauge.set({ kind }, ahead[kind]);
      let isMore = false;
      if (putAwayNotBeforeMs <= performance.now()) {
        const begunMs = performance.now();
        const put = await attempt("putting messages away", putAway);
        isMore = put === true;
        if (isMore) await sleep(PUT_AWAY_REST * (performance.now() - begunMs));
        else {
          putAwayNotBeforeMs = performance.now() + (put ? IN_USE_PAUSE_MS : PUT_AWAY_PAUSE_MS);
          await attempt("settings of managed devices", async () => (await dropManagedDevicesOver(deps)) > 0);
        }
      }
      for (const kind of RETAINED_KINDS) {
        if ((notBeforeMs.get(kind) ?? 0) > performance.now()) continue;
        const swept = await attempt(`retention of ${kind}`, () => sweepStep(deps, kind));
        if (swept === "failed") notBeforeMs.set(kind, performance.now() + IN_USE_PAUSE_MS);
        else isMore ||= swept;
      }
      return isMore;
    },
    onFailure: onFault,
  });
  closing.defer(() => loop.stop());
}
