/**
 * The server's side of the device's road: connectors to other companies' machines, the portal's screens, and the door for
 * proxies. What the configuration does not name is not opened, and what needs it fails closed with its reason.
 */
import { createPortal, type Portal } from "../../http/d/portal.ts";
import type { PortalDeps, PortalOperator } from "../../http/d/ports.ts";
import type { Changes } from "../../kernel/account/changes.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import type { Database } from "../../store/database/database.ts";
import { listOperators, type Operator } from "../../store/operator/operators.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import { TurnupError } from "../../term/error.ts";
import type { Config } from "../config/config.ts";
import { type Land, type LandOptions, startLand } from "./land.ts";
import type { ManageAddress } from "./proxy-teller.ts";

const MCC_DIGITS = 3;

/** Where proxies come to, and which they are. */
export type LandPlace = Pick<LandOptions, "id" | "host" | "port" | "certificates" | "revocation"> & {
  readonly proxies: readonly (LandOptions["proxies"][number] & {
    /** Short name of the operator whose devices come by it; the portal's unless given. */
    readonly operator?: string | undefined;
    readonly manage?: ManageAddress;
  })[];
};

/** `host:port` by which devices address our door for proxies; null where there is none, or it is not known. */
export function landNameOf({ url }: Pick<Config["land"], "url">, door: string | undefined): string | null {
  // An address that stands for all of a machine's is none that a device could use.
  const isEverywhere = /^https:\/\/(?:0\.0\.0\.0|\[::\])[:/]/.test(door ?? "");
  const known = door && (url ?? (isEverywhere ? undefined : door));
  return known === undefined || known === "" ? null : serverNameOf(known);
}

/** The key of sessions and forms: the same on every node, since it comes from the seal key. */
export const portalKeyOf = (sealer: Sealer): Uint8Array =>
  Buffer.concat(["1", "2"].map((half) => sealer.blindIndex("portal_key", "all operators", half)));

/** Operators as subscribers are told of them, and whose portal this server shows. */
export type PortalOperators = {
  /**
   * Behind a proxy the one whose it was said to be. Else the one that `portal.operator` names; without it the one that was made
   * first, whoever came after.
   */
  readonly at: PortalDeps["operatorAt"];
  /** By short name; the one that was made first unless given. Undefined where there is none. */
  readonly idOf: (slug: string | undefined) => Promise<string | undefined>;
  /** @throws TurnupError `operator_not_found` */
  readonly of: (operatorId: string) => Promise<PortalOperator>;
};

export function portalOperators(
  database: Database,
  portal: Config["portal"],
  changes: Changes,
  /** ISO country of an MCC. */
  countryOf: (mcc: string, operatorId: string | undefined) => string | null,
  /** Short name of the operator that a proxy was said to be of. */
  operatorOfProxy: (proxy: string) => string | undefined = () => undefined,
): PortalOperators {
  let known: readonly Operator[] | undefined;
  let changed = 0;
  changes.onChange((news) => {
    if (news !== "everything" && news.kind !== "operator") return;
    changed++; // a list that is being read may be of before
    known = undefined;
  });
  const all = async (): Promise<readonly Operator[]> => {
    if (known && changes.isHeard()) return known;
    const before = changed;
    const found = await listOperators(database);
    if (before === changed) known = found;
    return found;
  };
  const told = ({ id, name, homePlmns }: Operator): PortalOperator => ({
    id,
    name,
    country: homePlmns[0] === undefined ? null : countryOf(homePlmns[0].slice(0, MCC_DIGITS), id),
    care: { phone: portal.carePhone ?? null, url: portal.careUrl ?? null },
  });
  return {
    async at(place) {
      const every = await all();
      const slug = ("proxy" in place ? operatorOfProxy(place.proxy) : undefined) ?? portal.operator;
      const named = slug ? every.find((operator) => operator.slug === slug) : every[0];
      return named && told(named);
    },
    async idOf(slug) {
      const every = await all();
      return (slug === undefined ? every[0] : every.find((operator) => operator.slug === slug))?.id;
    },
    async of(operatorId) {
      const operator = (await all()).find(({ id }) => id === operatorId);
      if (!operator) throw new TurnupError("operator_not_found", `There is no operator ${operatorId}.`);
      return told(operator);
    },
  };
}

export type DeviceDoors = {
  readonly portal: Portal;
  readonly land: Land | undefined;
  close(): Promise<void>;
};

export async function openDeviceDoors(
  deps: PortalDeps,
  place: LandPlace | undefined,
  { enrolmentOf, onProved, onRefused }: Required<Pick<LandOptions, "enrolmentOf" | "onProved" | "onRefused">>,
): Promise<DeviceDoors> {
  const portal = createPortal(deps);
  const land =
    place &&
    (await startLand({
      ...place,
      now: deps.clock,
      handler: portal.road,
      enrolmentOf,
      onProved,
      onRefused,
      onFault: (error) => deps.onFault("land", error),
    }));
  return { portal, land, close: async () => void (await land?.close()) };
}
