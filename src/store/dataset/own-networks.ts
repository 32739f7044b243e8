/**
 * An operator's imports about networks over the shipped lists: who runs a network and where it is, and how the SIMs of a carrier on it
 * are told. What the operator says of a network, or of a carrier, takes the place of all that is shipped about it.
 */
import type { CarrierRule, Network } from "../../kernel/settings/access-point.ts";
import { onlyOf } from "../../term/collections.ts";
import { isOneOf } from "../../term/narrow.ts";
import { carrierRuleOf, type NetworkData, networkOf } from "./access-point-data.ts";
import { NETWORK_KINDS, type OwnDataset } from "./own-devices.ts";

export const saysOfNetworks = ({ kind }: Pick<OwnDataset, "kind">): boolean => isOneOf(NETWORK_KINDS, kind);

/** `own` is of one operator, newest first: of two imports that speak of the same network or carrier the newer one counts. */
export const withOwnNetworks = (shipped: NetworkData, own: readonly OwnDataset[]): NetworkData => ({
  ...shipped,
  networks: networksWithOwn(shipped.networks, own),
  carriers: withCarriers(shipped.carriers, own),
});

const plmnOf = ({ mcc, mnc }: Pick<Network, "mcc" | "mnc">): string => mcc + mnc;

/** The operator's own come last: of a country's networks the last one says what the country is. */
export function networksWithOwn(shipped: readonly Network[], own: readonly OwnDataset[]): readonly Network[] {
  const said = byNewest(
    own.filter(({ kind }) => kind === "mcc_mnc").map(({ rows }) => rows.map(networkOf)),
    plmnOf,
  );
  if (said.length === 0) return shipped;
  const plmns = new Set(said.map(plmnOf));
  const places = new Map<string, Network>();
  for (const one of shipped) for (const place of [one.mcc, plmnOf(one)]) places.set(place, one);
  const placed = said.map((one) => {
    if (one.country !== "") return one;
    const { country = "", countryName = "" } = places.get(plmnOf(one)) ?? places.get(one.mcc) ?? {};
    return { ...one, country, countryName };
  });
  return [...shipped.filter((one) => !plmns.has(plmnOf(one))), ...placed];
}

function withCarriers(shipped: readonly CarrierRule[], own: readonly OwnDataset[]): readonly CarrierRule[] {
  const sets = own.filter(({ kind }) => kind === "carrier_id");
  if (sets.length === 0) return shipped;
  const numberOf = numbering(shipped);
  const rulesOf = ({ rows }: OwnDataset): readonly CarrierRule[] =>
    rows.map((row) => {
      const rule = carrierRuleOf(row);
      return row.carrier_id === undefined ? { ...rule, carrierId: numberOf(rule) } : rule;
    });
  const said = byNewest(sets.map(rulesOf), ({ carrierId }) => carrierId);
  const carriers = new Set(said.map(({ carrierId }) => carrierId));
  return [...said, ...shipped.filter(({ carrierId }) => !carriers.has(carrierId))];
}

/**
 * Of a carrier that comes without a number: access points name carriers by them. It is the listed one of its name on one of its
 * networks, where there is just one, else a new one.
 */
function numbering(shipped: readonly CarrierRule[]): (rule: CarrierRule) => number {
  const made = new Map<string, number>();
  return ({ name, plmns }) => {
    const key = name.toLowerCase();
    const alike = shipped.filter(
      (one) => one.name.toLowerCase() === key && one.plmns.some((plmn) => plmns.includes(plmn)),
    );
    const known = onlyOf([...new Set(alike.map(({ carrierId }) => carrierId))]);
    if (known !== undefined) return known;
    const own = made.get(key) ?? -1 - made.size; // no list has a number below zero
    made.set(key, own);
    return own;
  };
}

/** All rows about something are of the newest set that speaks of it. */
function byNewest<Row>(sets: readonly (readonly Row[])[], aboutOf: (row: Row) => unknown): readonly Row[] {
  const said = new Set<unknown>();
  const kept: Row[] = [];
  for (const set of sets) {
    const rows = set.filter((row) => !said.has(aboutOf(row)));
    for (const row of rows) said.add(aboutOf(row));
    kept.push(...rows);
  }
  return kept;
}
