/** GET /metrics: all measures, for a scraper. */
import type { Measures } from "./measures.ts";
import { ok, type Route, route } from "./route.ts";

/** Open, so that a scraper needs no secret: numbers only, no identifier and no operator's name. */
export const metrics = ({ registry }: Measures): Route =>
  route({
    method: "GET",
    path: "/metrics",
    summary: "Measures in the Prometheus text format",
    tag: "health",
    roles: "open",
    errors: [],
    status: 200,
    produces: ["text/plain"],
    handle: async () => ok(await registry.metrics(), { "content-type": registry.contentType }),
  });
