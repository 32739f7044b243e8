/**
 * What the machines of others look like from here, for /metrics: by what a machine is for. Anybody may ask there, so no host
 * is named; the log names it.
 */
import { Counter, Gauge, type Registry } from "prom-client";
import { MACHINES, type MachineState, type MachineWatch } from "./machine-watch.ts";

type OfOneKind = readonly MachineState[];
const GAUGES: readonly {
  readonly name: string;
  readonly help: string;
  readonly read: (states: OfOneKind, nowMs: number) => number;
}[] = [
  {
    name: "turnup_machine_refused",
    help: "Machines of others that refuse our credentials now, by what they are for.",
    read: (states) => states.filter(({ refusedSinceMs }) => refusedSinceMs !== null).length,
  },
  {
    name: "turnup_machine_refused_seconds",
    help: "How long the first of them has been refusing; 0 where none does.",
    read: (states, nowMs) =>
      secondsSince(
        states.map(({ refusedSinceMs }) => refusedSinceMs),
        nowMs,
      ),
  },
  {
    name: "turnup_machine_open_calls",
    help: "Calls of this process that they have not answered.",
    read: (states) => states.reduce((sum, { openCalls }) => sum + openCalls, 0),
  },
  {
    name: "turnup_machine_oldest_call_seconds",
    help: "How long the first of those calls has been waiting.",
    read: (states, nowMs) =>
      secondsSince(
        states.map(({ oldestCallMs }) => oldestCallMs),
        nowMs,
      ),
  },
];

function secondsSince(moments: readonly (number | null)[], nowMs: number): number {
  const known = moments.filter((at) => at !== null);
  return known.length === 0 ? 0 : Math.max(0, (nowMs - Math.min(...known)) / 1_000);
}

export function observeMachines(
  registry: Registry,
  watch: Pick<MachineWatch, "states">,
  nowMs: () => number,
): void {
  const byKind = () =>
    MACHINES.map((machine) => ({ machine, states: watch.states().filter(({ kind }) => kind === machine) }));
  for (const { name, help, read } of GAUGES)
    new Gauge({
      name,
      help,
      labelNames: ["machine"],
      registers: [registry],
      collect() {
        for (const { machine, states } of byKind()) this.set({ machine }, read(states, nowMs()));
      },
    });
  new Counter({
    name: "turnup_machine_refusals_total",
    help: "Answers by which they refused our credentials.",
    labelNames: ["machine"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { machine, states } of byKind())
        this.inc(
          { machine },
          states.reduce((sum, { refusals }) => sum + refusals, 0),
        );
    },
  });
}
