/** What comes to the door for RADIUS accounting, for /metrics. */
import { Counter, Gauge, type Registry } from "prom-client";
import { RADIUS_OUTCOMES, type RadiusClient } from "../../net/probe/radius/accounting-desk.ts";
import { ACCOUNTING_FIELDS } from "../../wire/radius/accounting.ts";

/** Measures of the door; those of each gateway begin at 0. */
export function countRadius(
  registry: Registry,
  clients: readonly Pick<RadiusClient, "name">[],
  sessionsNow: () => number,
) {
  new Gauge({
    name: "turnup_radius_sessions",
    help: "Sessions that this server may have ended, as gateways that can be asked told of them.",
    registers: [registry],
    collect() {
      this.set(sessionsNow());
    },
  });
  const packets = new Counter({
    name: "turnup_radius_packets_total",
    help: "Packets at the door for RADIUS accounting, by gateway and what became of each; without a gateway those of strangers.",
    labelNames: ["client", "outcome"],
    registers: [registry],
  });
  for (const { name } of clients)
    for (const outcome of RADIUS_OUTCOMES)
      if (outcome !== "unknown_client") packets.inc({ client: name, outcome }, 0);
  packets.inc({ client: "", outcome: "unknown_client" }, 0);
  const unread = new Counter({
    name: "turnup_radius_fields_unread_total",
    help: "Numbers in accounting packets that are in no form that is known, by field; the rest of such a packet counts.",
    labelNames: ["client", "field"],
    registers: [registry],
  });
  for (const { name } of clients)
    for (const field of ACCOUNTING_FIELDS) unread.inc({ client: name, field }, 0);
  const sightings = new Counter({
    name: "turnup_radius_sightings_total",
    help: "Sightings that accounting packets were, by gateway and what they came to; refused ones by their code.",
    labelNames: ["client", "outcome"],
    registers: [registry],
  });
  const asked = new Counter({
    name: "turnup_radius_sessions_asked_total",
    help: "Sessions that gateways were asked to end or to change, by gateway, what was asked and what came of it.",
    labelNames: ["client", "kind", "outcome"],
    registers: [registry],
  });
  return { packets, unread, sightings, asked };
}
