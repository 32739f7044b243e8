/** Opens the door for GSUP: what MSCs ask is answered by the equipment desk or the register behind, and is a sighting (R73). */
import type { Registry } from "prom-client";
import { type GsupDoor, openGsupDoor } from "../../net/probe/gsup/gsup-door.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import type { GsupPlace } from "../config/gsup-config.ts";
import { nearestAt } from "../config/places-file.ts";
import type { EquipmentDesk } from "./equipment-desk.ts";
import { countGsup } from "./equipment-measures.ts";

type GsupDeps = {
  readonly desk: EquipmentDesk;
  readonly registry: Registry;
  readonly onFault: (name: string, error: unknown) => void;
};
type GsupListener = Pick<GsupDoor, "port" | "close"> & {
  /** Other clients from now on; who is connected and no longer named is cut off. */
  change(place: GsupPlace): void;
};

/** @throws TurnupError `config_invalid`: nobody may listen there */
export async function openGsup(
  { desk, registry, onFault }: GsupDeps,
  place: GsupPlace,
): Promise<GsupListener> {
  const count = countGsup(registry, place.clients);
  const rulesOf = ({ clients }: GsupPlace) => ({
    clientAt: nearestAt(clients.map((client) => ({ addresses: client.addresses, place: client }))),
    operatorOf: new Map(clients.map(({ name, operator }) => [name, operator])),
  });
  let rules = rulesOf(place);
  const asked = (name: string, handset: { imsi: string; imei: string; msisdn: string | undefined }) => ({
    ...({ source: "gsup", client: name, operator: rules.operatorOf.get(name) } as const),
    equipment: { ...handset, softwareVersion: undefined, visited: undefined },
  });
  try {
    const door = await openGsupDoor({
      ...{ host: place.host, port: place.port, register: place.register },
      clientAt: (address) => rules.clientAt(address),
      isAllowed(client, handset) {
        const answer = desk.statusOf(asked(client.name, handset));
        return answer === "white" || answer === "grey";
      },
      saw: (client, handset) => desk.saw(asked(client.name, handset)),
      onOutcome: (outcome, client) => count.inc({ client: client?.name ?? "", outcome }),
      onFault: (error) => onFault("gsup", error),
    });
    return {
      port: door.port,
      close: door.close,
      change(next) {
        rules = rulesOf(next);
        door.recheck();
      },
    };
  } catch (cause) {
    const why = codeOf(cause) === "EADDRINUSE" ? "another program has it" : messageOf(cause);
    throw new TurnupError(
      "config_invalid",
      `GSUP cannot listen at ${place.host} port ${place.port}: ${why}.`,
      {
        cause,
        nextStep: "Stop the other program, or change gsup.host and gsup.port.",
      },
    );
  }
}
