/** The session with the message centre, watched: a bind that it refused is told as any other machine's no. */
import type { Esme, EsmeState } from "../../net/smsc/esme.ts";
import type { Machine, MachineWatch } from "./machine-watch.ts";

/** Our own former session, which it has not noticed to be dead: no word about our credentials. */
const ALREADY_BOUND = "ESME_RALYBND";

export function watchSession(esme: Pick<Esme, "state" | "on">, watch: MachineWatch, machine: Machine): void {
  const look = (state: EsmeState): void => {
    if (state.name === "refused" && state.statusName !== ALREADY_BOUND)
      watch.refused(machine, state.statusName);
    else if (state.name === "bound") watch.accepted(machine);
  };
  look(esme.state);
  esme.on("state", look);
}
