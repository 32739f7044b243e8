/**
 * What a proxy's own work looks like from outside, for /metrics of its operator's door: accounts, forced ends by reason, and the
 * process itself. Labels are words of ours: no identifier and no address.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Edge } from "../../proxy/edge.ts";
import type { TerminationReason } from "../../proxy/session.ts";

type Observed = {
  readonly edge: Pick<Edge, "size" | "blocked">;
  /** How often each reason ended a session since the start. */
  readonly counts: Readonly<Partial<Record<TerminationReason, number>>>;
  /** Requests that were forwarded, by what came of them. */
  readonly forwarded: Readonly<Record<"answered" | "failed", number>>;
};

export function proxyMeasures({ edge, counts, forwarded }: Observed): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: "turnup_" });
  new Gauge({
    name: "turnup_proxy_accounts",
    help: "Devices that have an account, by whether they are blocked.",
    labelNames: ["state"],
    registers,
    collect() {
      const blocked = edge.blocked();
      this.set({ state: "open" }, edge.size() - blocked);
      this.set({ state: "blocked" }, blocked);
    },
  });
  new Counter({
    name: "turnup_proxy_terminations_total",
    help: "Sessions that were ended by force, by reason.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(counts)) this.inc({ reason }, count);
    },
  });
  new Counter({
    name: "turnup_proxy_forwarded_total",
    help: "Requests of devices that were sent on to a provisioning server, by what came of them.",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(forwarded)) this.inc({ outcome }, count);
    },
  });
  return registry;
}
