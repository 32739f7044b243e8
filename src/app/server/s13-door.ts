/** Opens the door for Diameter S13: what peers ask is answered by the equipment desk, and is a sighting (R73). */
import type { Registry } from "prom-client";
import { openS13Door, type S13Door } from "../../net/probe/s13/s13-door.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import { nearestAt } from "../config/places-file.ts";
import type { S13PeerPlace, S13Place } from "../config/s13-config.ts";
import type { EquipmentDesk } from "./equipment-desk.ts";
import { countS13 } from "./equipment-measures.ts";

type S13Deps = {
  readonly desk: EquipmentDesk;
  readonly clock: () => Date;
  readonly registry: Registry;
  readonly onFault: (name: string, error: unknown) => void;
};
type S13Listener = Pick<S13Door, "port" | "close"> & {
  /** Other peers from now on; who is connected and no longer named is cut off. */
  change(place: S13Place): void;
};

/** @throws TurnupError `config_invalid`: nobody may listen there */
export async function openS13(
  { desk, clock, registry, onFault }: S13Deps,
  place: S13Place,
): Promise<S13Listener> {
  const messages = countS13(registry, place.peers);
  let peers = peersOf(place);
  const isNear = (address: string) => peers.nearest(address) !== undefined;
  const identity = {
    originHost: place.originHost,
    originRealm: place.originRealm,
    realms: [],
    originState: Math.floor(clock().getTime() / 1_000) >>> 0,
  };
  try {
    const door = await openS13Door({
      host: place.host,
      port: place.port,
      tls: place.tls,
      identity,
      isNear,
      peerOf: (originHost, address) => peers.named(originHost, address),
      check(peer, { imei, softwareVersion, imsi, originRealm }) {
        if (imei === undefined) return "white"; // a handset of CDMA alone: no register of IMEIs knows it
        return desk.check({
          source: "s13",
          client: peer.name,
          operator: peers.operatorOf(peer.name),
          equipment: { imei, softwareVersion, imsi, msisdn: undefined, visited: desk.networkOf(originRealm) },
        });
      },
      onOutcome: (outcome, peer) => messages.inc({ peer: peer?.name ?? "", outcome }),
      onFault: (error) => onFault("s13", error),
    });
    return {
      port: door.port,
      close: door.close,
      change(next) {
        peers = peersOf(next);
        if (next.tls) door.changeTls(next.tls);
        door.recheck();
      },
    };
  } catch (cause) {
    const why = codeOf(cause) === "EADDRINUSE" ? "another program has it" : messageOf(cause);
    throw new TurnupError(
      "config_invalid",
      `Diameter S13 cannot listen at ${place.host} port ${place.port}: ${why}.`,
      {
        cause,
        nextStep: "Stop the other program, or change s13.host and s13.port.",
      },
    );
  }
}

function peersOf({ peers }: Pick<S13Place, "peers">) {
  const byHost = new Map(peers.map((peer) => [peer.originHost.toLowerCase(), peer]));
  const byName = new Map(peers.map((peer) => [peer.name, peer]));
  const isAt = new Map(
    peers.map((peer) => [peer, nearestAt([{ addresses: peer.addresses, place: peer }])] as const),
  );
  return {
    nearest: nearestAt(peers.map((place) => ({ addresses: place.addresses, place }))),
    /** By its name and from an address of its own: a name alone is no credential. */
    named(originHost: string, address: string): S13PeerPlace | undefined {
      const peer = byHost.get(originHost.toLowerCase());
      return peer && isAt.get(peer)?.(address);
    },
    operatorOf: (name: string): string | undefined => byName.get(name)?.operator,
  };
}
