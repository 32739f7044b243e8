/** What comes to the doors of the equipment identity register, for /metrics. */
import { Counter, Gauge, type Registry } from "prom-client";
import { EIR_OUTCOMES, type EirClient } from "../../http/eir/eir-door.ts";
import { GSUP_OUTCOMES, type GsupClient } from "../../net/probe/gsup/gsup-door.ts";
import { S13_OUTCOMES, type S13Peer } from "../../net/probe/s13/peer.ts";

export function countChecks(registry: Registry, waitingNow: () => number) {
  const registers = [registry];
  new Gauge({
    name: "turnup_equipment_sightings_waiting",
    help: "Sightings of equipment checks that were answered and are not on disk yet.",
    registers,
    collect() {
      this.set(waitingNow());
    },
  });
  return {
    checks: new Counter({
      name: "turnup_equipment_checks_total",
      help: "Questions of cores whether a handset may be used, by door, peer and answer.",
      labelNames: ["source", "client", "answer"],
      registers,
    }),
    sightings: new Counter({
      name: "turnup_equipment_sightings_total",
      help: "Sightings that equipment checks were, by door, peer and what they came to; dropped ones found the queue full or the process ending.",
      labelNames: ["source", "client", "outcome"],
      registers,
    }),
    faults: new Counter({
      name: "turnup_equipment_faults_total",
      help: "Checks that were answered white since the status could not be looked up.",
      registers,
    }),
  };
}

export function countS13(registry: Registry, peers: readonly S13Peer[]) {
  const messages = new Counter({
    name: "turnup_s13_messages_total",
    help: "Messages and connections at the door for Diameter S13, by peer and what became of each; without a peer those of strangers.",
    labelNames: ["peer", "outcome"],
    registers: [registry],
  });
  for (const { name } of peers)
    for (const outcome of S13_OUTCOMES)
      if (outcome !== "unknown_peer") messages.inc({ peer: name, outcome }, 0);
  messages.inc({ peer: "", outcome: "unknown_peer" }, 0);
  return messages;
}

export function countEir(registry: Registry, clients: readonly EirClient[]) {
  const requests = new Counter({
    name: "turnup_eir_requests_total",
    help: "Requests and connections at the door of the 5G-EIR, by client and what became of each; without a client those of strangers.",
    labelNames: ["client", "outcome"],
    registers: [registry],
  });
  for (const { name } of clients)
    for (const outcome of EIR_OUTCOMES)
      if (outcome !== "unknown_client") requests.inc({ client: name, outcome }, 0);
  requests.inc({ client: "", outcome: "unknown_client" }, 0);
  return requests;
}

export function countGsup(registry: Registry, clients: readonly GsupClient[]) {
  const messages = new Counter({
    name: "turnup_gsup_messages_total",
    help: "CHECK-IMEI and connections at the door for GSUP, by client and what became of each; without a client those of strangers.",
    labelNames: ["client", "outcome"],
    registers: [registry],
  });
  for (const { name } of clients)
    for (const outcome of GSUP_OUTCOMES)
      if (outcome !== "unknown_client") messages.inc({ client: name, outcome }, 0);
  messages.inc({ client: "", outcome: "unknown_client" }, 0);
  return messages;
}

export function countLocks(registry: Registry, sizeNow: () => number) {
  const registers = [registry];
  new Gauge({
    name: "turnup_sim_locks_known",
    help: "Locks of SIMs and devices that this server knows by heart.",
    registers,
    collect() {
      this.set(sizeNow());
    },
  });
  return {
    refusals: new Counter({
      name: "turnup_sim_lock_refusals_total",
      help: "SIMs that were refused in a foreign device, by door and peer.",
      labelNames: ["source", "client"],
      registers,
    }),
    dropped: new Counter({
      name: "turnup_sim_lock_moves_dropped_total",
      help: "Moves of locks that were not written, since too many waited or the process ended; what networks show next moves them again.",
      registers,
    }),
  };
}
