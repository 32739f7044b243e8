/**
 * The server's side of the device's road: connectors to other companies' machines, the portal's screens, and the door for
 * proxies. What the configuration does not name is not opened, and what needs it fails closed with its reason.
 */
import { randomBytes } from "node:crypto";
import { createPortal, type Portal } from "../http/d/portal.ts";
import type { PortalDeps, PortalOperator } from "../http/d/ports.ts";
import type { Database } from "../store/database.ts";
import { listOperators, type Operator } from "../store/operators.ts";
import type { Sealer } from "../store/seal.ts";
import type { Config } from "./config.ts";
import { type Land, type LandOptions, startLand } from "./land.ts";

/** How long a list of operators is believed: a new one is served within this time. */
const OPERATORS_FRESH_MS = 5_000;

/** Where proxies come to, and which they are. */
export type LandPlace = Pick<LandOptions, "id" | "host" | "port" | "certificates" | "proxies">;

/** The key of sessions and forms: the same on every node, since it comes from the seal key. */
export const portalKeyOf = (sealer: Sealer): Uint8Array =>
  Buffer.concat(["1", "2"].map((half) => sealer.blindIndex("portal_key", "all operators", half)));

/**
 * Whose portal it is: of a server with one operator, that one's; of a server with several, the one that
 * `portal.operator` names. A proxy serves the operator that is named beside it, else the same.
 */
export function operatorFinder(
  database: Database,
  portal: Config["portal"],
  now: () => number,
): PortalDeps["operatorAt"] {
  let known: readonly Operator[] = [];
  let freshUntil = 0;
  return async () => {
    if (now() >= freshUntil) {
      known = await listOperators(database);
      freshUntil = now() + OPERATORS_FRESH_MS;
    }
    const named = portal.operator ? known.filter(({ slug }) => slug === portal.operator) : known;
    return named.length === 1 ? portalOperator(named[0]!, portal) : undefined;
  };
}

const portalOperator = ({ id, name }: Operator, portal: Config["portal"]): PortalOperator => ({
  id,
  name,
  care: { phone: portal.carePhone ?? null, url: portal.careUrl ?? null },
});

export type ProvisioningRoad = {
  readonly portal: Portal;
  readonly land: Land | undefined;
  close(): Promise<void>;
};

export async function openRoad(
  deps: Omit<PortalDeps, "freshOctets">,
  place: LandPlace | undefined,
  enrolmentOf: LandOptions["enrolmentOf"],
): Promise<ProvisioningRoad> {
  const portal = createPortal({ ...deps, freshOctets: (octets) => Uint8Array.from(randomBytes(octets)) });
  const land =
    place &&
    (await startLand({
      ...place,
      handler: portal.road,
      enrolmentOf,
      onRefused: ({ cause, detail }) => deps.onFault("land", new Error(`${cause}: ${detail}`)),
      onFault: (error) => deps.onFault("land", error),
    }));
  return { portal, land, close: async () => void (await land?.close()) };
}
