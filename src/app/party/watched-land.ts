/** A proxy's land leg, watched: which provisioning server does not let it in, or does not prove itself, and since when. */
import type { Gateway } from "../../net/gateway/gateway.ts";
import type { ServerName } from "../../proxy/servers.ts";
import type { Machine, MachineWatch } from "../server/machine-watch.ts";

export function watchedLand(land: Gateway, watch: MachineWatch): Gateway {
  // A name that is no server's is whatever somebody wrote into an address.
  const at = <T>(name: ServerName, answer: Promise<T>): Promise<T> =>
    land.servers.has(name) ? watch.during(machineOf(name), answer) : answer;
  return {
    ...land,
    authenticate: (name) => at(name, land.authenticate(name)),
    forward: (request) => at(request.server, land.forward(request)),
    enrolmentOf: (name, ...asked) => at(name, land.enrolmentOf(name, ...asked)),
  };
}

const machineOf = (host: ServerName): Machine => ({ kind: "server", host });
