/** The session with the message centre, watched: a bind that it refused is told as any other machine's no. */
import type { Esme, EsmeState } from "../../net/smsc/esme.ts";
import { meaningOf, STATUS } from "../../wire/smpp/status.ts";
import type { Machine, MachineWatch } from "./machine-watch.ts";

/** Our own former session, which it has not noticed to be dead; or a centre that has too much to do, or is in trouble. */
const isOfCredentials = (status: number): boolean =>
  status !== STATUS.ESME_RALYBND && meaningOf(status) === "permanent";

export function watchSession(
  esme: Pick<Esme, "state" | "on">,
  watch: MachineWatch,
  machine: () => Machine,
): void {
  const look = (state: EsmeState): void => {
    if (state.name === "refused" && isOfCredentials(state.status)) watch.refused(machine(), state.statusName);
    else if (state.name === "bound") watch.accepted(machine());
  };
  look(esme.state);
  esme.on("state", look);
}
