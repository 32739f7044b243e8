/** What the sources of sightings tell, and what is doubted of what they told, for /metrics. No identifier and no operator's name is in it. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { CONFLICT_RULES } from "../../kernel/detection/conflict.ts";
import { DOUBT_KINDS, type DoubtKind } from "../../kernel/detection/doubts.ts";
import { SIGHTING_SOURCES, type SightingSource } from "../../kernel/detection/sighting.ts";
import { SOURCE_STATES } from "../../kernel/detection/source-health.ts";

/** From a second to a day: a gateway tells within seconds, a file of the night within hours. */
const LAG_BUCKETS_SECONDS = [1, 5, 30, 60, 300, 900, 3_600, 21_600, 86_400];

/** What this process was told, kept by whoever watches the path. */
export type SourceTally = {
  readonly outcomes: ReadonlyMap<string, number>;
  readonly lastMs: number;
};
type Observed = {
  readonly tallies: () => ReadonlyMap<SightingSource, SourceTally>;
  /** Numbers that name no handset, by class. */
  readonly specials: () => ReadonlyMap<string, number>;
  readonly nowMs: () => number;
};

export function measureSources(registry: Registry, { tallies, specials, nowMs }: Observed) {
  const registers = [registry];
  new Counter({
    name: "turnup_source_sightings_total",
    help: "Sightings that this process was told, by source and what became of each.",
    labelNames: ["source", "outcome"],
    registers,
    collect() {
      this.reset();
      for (const [source, { outcomes }] of tallies())
        for (const [outcome, count] of outcomes) this.inc({ source, outcome }, count);
    },
  });
  new Gauge({
    name: "turnup_source_silent_seconds",
    help: "How long ago this process was told something by each source; none of a source that never told it anything.",
    labelNames: ["source"],
    registers,
    collect() {
      this.reset();
      for (const [source, { lastMs }] of tallies())
        this.set({ source }, Math.max(0, (nowMs() - lastMs) / 1_000));
    },
  });
  new Counter({
    name: "turnup_special_imeis_total",
    help: "Sightings that were refused since their number names no handset, by class of number.",
    labelNames: ["class"],
    registers,
    collect() {
      this.reset();
      for (const [word, count] of specials()) this.inc({ class: word }, count);
    },
  });
  return {
    lag: new Histogram({
      name: "turnup_source_lag_seconds",
      help: "Between what was seen and its arrival, of one in eight sightings that tell their time, by source.",
      labelNames: ["source"],
      buckets: LAG_BUCKETS_SECONDS,
      registers,
    }),
    states: new Gauge({
      name: "turnup_sources",
      help: "Sources of sightings by how they fare, counted once for each operator that they tell; as all servers know it.",
      labelNames: ["source", "state"],
      registers,
    }),
    conflicts: counterOf(registry, "turnup_sighting_conflicts_total", {
      help: "SIMs that two sources were found to see in two handsets, when it was new or came again after a day, by rule.",
      label: "rule",
      words: CONFLICT_RULES,
    }),
  };
}

export function measureDoubts(registry: Registry) {
  return {
    found: counterOf(registry, "turnup_imei_doubts_total", {
      help: "Handsets of which this process began to doubt that they are what their IMEIs say, by kind.",
      label: "kind",
      words: DOUBT_KINDS,
    }),
    open: new Gauge({
      name: "turnup_open_imei_doubts",
      help: "Doubts about IMEIs that stand, by kind; as of the last minute.",
      labelNames: ["kind"],
      registers: [registry],
    }),
  };
}

function counterOf<Word extends string>(
  registry: Registry,
  name: string,
  { help, label, words }: { readonly help: string; readonly label: string; readonly words: readonly Word[] },
): (word: Word, count: number) => void {
  const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
  for (const word of words) counter.inc({ [label]: word }, 0);
  return (word, count) => counter.inc({ [label]: word }, count);
}

type StateGauge = ReturnType<typeof measureSources>["states"];

/** All states of each source that tells somebody something, so that one that went is seen to be 0. */
export function setStates(
  gauge: StateGauge,
  found: readonly { readonly source: SightingSource; readonly state: (typeof SOURCE_STATES)[number] }[],
): void {
  gauge.reset();
  for (const source of SIGHTING_SOURCES) {
    const own = found.filter((one) => one.source === source);
    if (own.length === 0) continue;
    for (const state of SOURCE_STATES)
      gauge.set({ source, state }, own.filter((one) => one.state === state).length);
  }
}

export function setOpenDoubts(
  gauge: ReturnType<typeof measureDoubts>["open"],
  counts: ReadonlyMap<DoubtKind, number>,
): void {
  for (const kind of DOUBT_KINDS) gauge.set({ kind }, counts.get(kind) ?? 0);
}
