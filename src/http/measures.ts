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

/** Counts an answered request. */
type RequestCount = (method: string, route: string, status: number, seconds: number) => void;

/** What a request is counted by is made once for each route, method and status, and not with each request. */
export function countRequests(measures: Measures): RequestCount {
  const kinds = new Map<string, Kind>();
  return (method, route, status, seconds) => {
    const key = `${method} ${route}`;
    let kind = kinds.get(key);
    if (!kind) {
      kind = { time: measures.requestSeconds.labels(method, route), answers: new Map() };
      kinds.set(key, kind);
    }
    kind.time.observe(seconds);
    let answers = kind.answers.get(status);
    if (!answers) {
      answers = measures.requests.labels(method, route, String(status));
      kind.answers.set(status, answers);
    }
    answers.inc();
  };
}
type Kind = {
  readonly time: Histogram.Internal<"method" | "route">;
  readonly answers: Map<number, Counter.Internal>;
};
