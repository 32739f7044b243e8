/** Keeps the feed of events: what is kept no longer goes, and how far behind it is is measured. */
import { Gauge, type Registry } from "prom-client";
import { forgetEvents, secondsBehind } from "../../store/events/forget-events.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";
import type { Stores } from "./open-stores.ts";

/** Days do not pass faster than this. */
const LOOK_MS = 600_000;

type Kept = {
  readonly measures: Registry;
  readonly keptDays: number;
  readonly onFault: (what: string, error: unknown) => void;
};

export function keepEvents(
  closing: ClosingStack,
  { database, clock }: Pick<Stores, "database" | "clock">,
  { measures, keptDays, onFault }: Kept,
): void {
  measureEvents(measures, () => secondsBehind(database));
  const loop = startLoop({
    name: "events",
    pauseMs: LOOK_MS,
    pass: () => forgetEvents(database, clock(), keptDays),
    onFailure: onFault,
  });
  closing.defer(() => loop.stop());
}

export function measureEvents(measures: Registry, behind: () => Promise<number>): void {
  new Gauge({
    name: "turnup_events_behind_seconds",
    help: "How long the oldest transaction that writes has been under way: events that are younger are not told yet.",
    registers: [measures],
    async collect() {
      this.set(await behind().catch(() => Number.NaN));
    },
  });
}
