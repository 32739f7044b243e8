/**
 * What is counted for /metrics, in a registry of this server alone. Labels are route patterns, codes and words of ours:
 * no identifier and no operator's name ever becomes one.
 */
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";

export type Measures = {
  readonly registry: Registry;
  readonly requests: Counter<"method" | "route" | "status">;
  readonly requestSeconds: Histogram<"method" | "route">;
  readonly problems: Counter<"code">;
  readonly sightings: Counter<"outcome">;
};

/** From half a millisecond, the aim of the hot path being 5 ms. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createMeasures(registry: Registry = new Registry()): Measures {
  if (!registry.getSingleMetric("turnup_process_start_time_seconds")) {
    collectDefaultMetrics({ register: registry, prefix: "turnup_" });
  }
  const registers = [registry];
  return {
    registry,
    requests: new Counter({
      name: "turnup_http_requests_total",
      help: "Requests answered.",
      labelNames: ["method", "route", "status"],
      registers,
    }),
    requestSeconds: new Histogram({
      name: "turnup_http_request_seconds",
      help: "Time from the request's head to the answer's end.",
      labelNames: ["method", "route"],
      buckets: BUCKETS_SECONDS,
      registers,
    }),
    problems: new Counter({
      name: "turnup_http_problems_total",
      help: "Requests refused, by stable error code.",
      labelNames: ["code"],
      registers,
    }),
    sightings: new Counter({
      name: "turnup_sightings_total",
      help: "Sightings taken in, by what became of them.",
      labelNames: ["outcome"],
      registers,
    }),
  };
}
