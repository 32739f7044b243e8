/** Opens the door of the 5G-EIR: what AMFs ask is answered by the equipment desk, and is a sighting (R73). */
import type { Registry } from "prom-client";
import { tokenCheck } from "../../http/eir/core-token.ts";
import { type EirDoor, openEirDoor } from "../../http/eir/eir-door.ts";
import { mutualTls } from "../../http/mutual-tls.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import type { EirPlace } from "../config/eir-config.ts";
import { nearestAt } from "../config/places-file.ts";
import type { EquipmentDesk } from "./equipment-desk.ts";
import { countEir } from "./equipment-measures.ts";

type EirDeps = {
  readonly desk: EquipmentDesk;
  readonly clock: () => Date;
  readonly registry: Registry;
  readonly onFault: (name: string, error: unknown) => void;
};
type EirListener = Pick<EirDoor, "port" | "close"> & {
  /** Other functions and keys from now on. */
  change(place: EirPlace): void;
};

/** @throws TurnupError `config_invalid`: nobody may listen there */
export async function openEir(
  { desk, clock, registry, onFault }: EirDeps,
  place: EirPlace,
): Promise<EirListener> {
  const count = countEir(registry, place.clients);
  const rulesOf = ({ clients, nrfKeys, instanceId }: EirPlace) => ({
    clientAt: nearestAt(clients.map((client) => ({ addresses: client.addresses, place: client }))),
    operatorOf: new Map(clients.map(({ name, operator }) => [name, operator])),
    tokenFault:
      nrfKeys.length === 0
        ? () => undefined
        : tokenCheck({ keys: nrfKeys, instanceId, nowMs: () => clock().getTime() }),
  });
  let rules = rulesOf(place);
  try {
    const door = await openEirDoor({
      ...{ host: place.host, port: place.port, prefix: place.prefix },
      tls: place.tls && mutualTls(place.tls, { admitsOlder: true }),
      clientAt: (address) => rules.clientAt(address),
      tokenFault: (authorization) => rules.tokenFault(authorization),
      check: (client, equipment) =>
        desk.check({
          ...{ source: "eir", client: client.name },
          ...{ operator: rules.operatorOf.get(client.name), equipment },
        }),
      onOutcome: (outcome, client) => count.inc({ client: client?.name ?? "", outcome }),
      onFault: (error) => onFault("eir", error),
    });
    return {
      port: door.port,
      close: door.close,
      change(next) {
        rules = rulesOf(next);
        if (next.tls) door.changeTls(mutualTls(next.tls, { admitsOlder: true }));
      },
    };
  } catch (cause) {
    const why = codeOf(cause) === "EADDRINUSE" ? "another program has it" : messageOf(cause);
    throw new TurnupError(
      "config_invalid",
      `The 5G-EIR cannot listen at ${place.host} port ${place.port}: ${why}.`,
      {
        cause,
        nextStep: "Stop the other program, or change eir.host and eir.port.",
      },
    );
  }
}
