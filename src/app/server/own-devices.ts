/**
 * What operators imported about devices and networks, in memory: a catalog for each operator that has imports, over the shipped
 * rows, which all share. An operator's rows are in its own catalog and in no other, so that no tenant is ever answered
 * with another's list. About 5 MB and 60 ms an operator, and some hundred octets a TAC of its own; an operator without imports costs nothing.
 */
import { setImmediate as turn } from "node:timers/promises";
import { countryCovering } from "../../kernel/detection/country-places.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { DeviceDatasets } from "../../kernel/devices/rows.ts";
import { Lessons, Taught } from "../../kernel/devices/taught.ts";
import type { Network } from "../../kernel/settings/access-point.ts";
import type { AccessPointIndex } from "../../kernel/settings/find-settings.ts";
import { SupportKnowledge } from "../../kernel/support/support-knowledge.ts";
import type { Database } from "../../store/database/database.ts";
import { accessPointIndexOf, type NetworkData } from "../../store/dataset/access-point-data.ts";
import { ownDatasetHeads, readPackedDatasets } from "../../store/dataset/dataset-store.ts";
import { type OwnDataset, withOwnDatasets } from "../../store/dataset/own-devices.ts";
import { saysOfNetworks, withOwnNetworks } from "../../store/dataset/own-networks.ts";
import { inTurns } from "../../store/node/in-turns.ts";
import { type HomePlmnResolver, homePlmnResolver } from "../../term/imsi.ts";
import { plmnOf } from "../../term/plmn.ts";

const MCC_DIGITS = 3;

export type DeviceKnowledge = { readonly catalog: DeviceCatalog; readonly support: SupportKnowledge };

/** Who runs which network, where it is, and what its SIMs reach the packet network by. */
export type NetworkKnowledge = {
  readonly homePlmnOf: HomePlmnResolver;
  /** ISO 3166 country of an MCC. */
  countryOf(mcc: string): string | null;
  /** ISO 3166 country that a network covers; null where it tells no place. */
  countryOfNetwork(plmn: string): string | null;
  /** Bands by network. */
  readonly bands: ReadonlyMap<string, readonly string[]>;
  readonly index: AccessPointIndex;
};

export type OwnDevices = {
  /** Undefined: the operator has imported nothing about devices, and the shipped catalog speaks. */
  of(operatorId: string): DeviceKnowledge | undefined;
  /** Undefined: nothing about networks, and the shipped lists speak. */
  networksOf(operatorId: string): NetworkKnowledge | undefined;
  /** Takes up what was imported before the call; one small query when nothing was. */
  refresh(): Promise<void>;
};

type Known = {
  /** The ids of the data sets in use. */
  readonly imports: string;
  readonly devices: DeviceKnowledge | undefined;
  readonly networks: NetworkKnowledge | undefined;
};

export function createOwnDevices(
  shipped: DeviceDatasets,
  database: Database,
  /** Asked where an operator has imported something about networks. */
  shippedNetworks: () => NetworkData,
): OwnDevices {
  const known = new Map<string, Known>();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function read(): Promise<void> {
    const imports = new Map<string, string>();
    for (const { id, operatorId } of await ownDatasetHeads(database)) {
      imports.set(operatorId, `${imports.get(operatorId) ?? ""} ${id}`);
    }
    for (const operatorId of known.keys()) if (!imports.has(operatorId)) known.delete(operatorId);
    for (const [operatorId, ids] of imports) {
      if (known.get(operatorId)?.imports === ids) continue;
      // An import between the two queries is in these rows already; the next round reads them once more.
      const own = await readPackedDatasets(database, operatorId);
      const ofNetworks = own.filter(saysOfNetworks);
      known.set(operatorId, {
        imports: ids,
        devices: own.some(saysOfDevices) ? await devicesWith(shipped, own) : undefined,
        networks: ofNetworks.length > 0 ? networksIn(withOwnNetworks(shippedNetworks(), own)) : undefined,
      });
    }
  }

  return {
    of: (operatorId) => known.get(operatorId)?.devices,
    networksOf: (operatorId) => known.get(operatorId)?.networks,
    refresh() {
      if (!running) {
        running = read().finally(() => {
          running = undefined;
        });
        return running;
      }
      // The one that runs may have looked before: another follows it.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return this.refresh();
        });
      return next;
    },
  };
}

const saysOfDevices = (set: OwnDataset): boolean => !saysOfNetworks(set);

/** Over the shipped rows; made between the program's other work, since an operator's list may have hundred thousands of rows. */
export async function devicesWith(
  shipped: DeviceDatasets,
  own: readonly OwnDataset[],
): Promise<DeviceKnowledge> {
  const data = withOwnDatasets(shipped, own);
  const lessons = new Lessons();
  for (const { rows } of data.tac) await inTurns(rows, (row) => lessons.learn(row));
  const taught = new Taught(lessons);
  await turn();
  return { catalog: new DeviceCatalog(data, taught), support: new SupportKnowledge(data) };
}

const networksIn = (data: NetworkData): NetworkKnowledge =>
  networkKnowledge(data.networks, accessPointIndexOf(data));

export const networkKnowledge = (
  networks: readonly Network[],
  index: AccessPointIndex,
): NetworkKnowledge => ({
  ...knownNetworks(networks),
  countryOfNetwork: placesOf(networks),
  bands: bandsOf(networks),
  index,
});

/** What the list of networks says of a SIM: all that sightings need. */
export function knownNetworks(
  networks: readonly Network[],
): Pick<NetworkKnowledge, "homePlmnOf" | "countryOf"> {
  const countries = new Map(networks.map(({ mcc, country }) => [mcc, country === "" ? null : country]));
  return {
    homePlmnOf: homePlmnResolver(
      networks.filter(({ mnc }) => /^\d{2,3}$/.test(mnc)).map(({ mcc, mnc }) => plmnOf(mcc, mnc)),
    ),
    countryOf: (mcc) => countries.get(mcc) ?? null,
  };
}

/** Of networks that stand in the list once for each of their countries, the bands of all. */
function bandsOf(networks: readonly Network[]): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, readonly string[]>();
  for (const { mcc, mnc, bands } of networks) {
    const plmn = mcc + mnc;
    known.set(plmn, [...new Set([...(known.get(plmn) ?? []), ...bands])]);
  }
  return known;
}

/** By the network's own rows in the list; of one that it does not name, by all of its country code. */
function placesOf(networks: readonly Network[]): NetworkKnowledge["countryOfNetwork"] {
  const listed = new Map<string, Set<string>>();
  const add = (key: string, country: string) =>
    listed.set(key, (listed.get(key) ?? new Set<string>()).add(country));
  for (const { mcc, mnc, country } of networks) {
    if (country === "") continue;
    add(mcc, country);
    if (/^\d{2,3}$/.test(mnc)) add(mcc + mnc, country);
  }
  return (plmn) => countryCovering([...(listed.get(plmn) ?? listed.get(plmn.slice(0, MCC_DIGITS)) ?? [])]);
}
