/**
 * Whose subscriber is this SIM: the network's own, a virtual operator's on it, or somebody's we do not know?
 * The Android carrier list says what each carrier's SIMs look like; brand and operator of the numbering list
 * say who the network is. The answer decides whether the network's own access points may be given.
 */
import type { CarrierRule, Network, SettingsQuery } from "./access-point.ts";
import { fixedDigits, gid1Matches, iccidMatches, imsiMatches, saysNothing, spnMatches } from "./criteria.ts";
import { type ComparableName, comparable, speaksOf } from "./names.ts";

export const SIM_SIGNS = ["iccid", "imsi", "gid1", "spn"] as const;
/** What on a SIM tells it apart, the most telling first. */
export type SimSign = (typeof SIM_SIGNS)[number];

/** `exact`: how many characters of the sign the rule names; 0 where no rule does. */
export type Evidence = { readonly sign: SimSign; readonly value: string; readonly exact: number };

export type Subscriber =
  | { readonly kind: "host" }
  | {
      readonly kind: "virtual";
      readonly names: readonly string[];
      readonly carrierIds: readonly number[];
      readonly by: Evidence;
    }
  | { readonly kind: "unknown"; readonly by: Evidence };

/** All that the lists say about one network, ready for questions. */
export type NetworkProfile = {
  readonly network: Network | undefined;
  /** As a person says it: `Vodafone UK`; the bare number if nobody named it. */
  readonly hostName: string;
  readonly hostNames: readonly ComparableName[];
  /** Names its SIMs show beside its own: sub-brands, older names. */
  readonly hostSpns: readonly ComparableName[];
  readonly hostCarrierIds: ReadonlySet<number>;
  readonly rules: readonly CarrierRule[];
};

export function profileOf(
  plmn: { readonly mcc: string; readonly mnc: string },
  networks: readonly Network[],
  rules: readonly CarrierRule[],
): NetworkProfile {
  const alive = networks.filter((one) => one.operational !== false);
  const listed = alive.length > 0 ? alive : networks;
  const network = listed[0];
  const compare = (name: string) => comparable(name, network);
  // `T-Mobile (BEN)`, `Telus Mobility, Koodo Mobile`: the first name is the network's, the others' are looked at.
  const brands = listed.map((one) => one.brand.split(/[(),/]/).map((part) => part.trim()));
  const first = [...brands.map(([name = ""]) => name), ...listed.map((one) => one.operator)].map(compare);
  const hosts = hostRulesOf(
    rules,
    first.filter((name) => name.words.length > 0),
    compare,
  );
  const ids = new Set(hosts.map((rule) => rule.carrierId));
  // A part of the host (its prepaid brand, its 5G plan) is the host.
  const parts = rules.filter((rule) => rule.parentId !== null && ids.has(rule.parentId));
  const hostIds = new Set([...ids, ...parts.map((rule) => rule.carrierId)]);
  const others = rules.filter((rule) => !hostIds.has(rule.carrierId));
  const isOthers = (name: ComparableName) => others.some((rule) => speaksOf(name, compare(rule.name)));
  const later = brands
    .flatMap((parts) => parts.slice(1))
    .map(compare)
    .filter((name) => !isOthers(name));
  const named = (names: readonly ComparableName[]) => names.filter((name) => name.words.length > 0);
  return {
    network,
    hostName: network?.brand || network?.operator || hosts[0]?.name || `${plmn.mcc}/${plmn.mnc}`,
    hostNames: named([...first, ...later, ...hosts.map((rule) => compare(rule.name))]),
    hostSpns: named(hosts.flatMap((rule) => rule.spns).map(compare)),
    hostCarrierIds: hostIds,
    rules,
  };
}

/** A carrier on somebody else's network, with what tells its SIMs; lists may be empty. */
export type VirtualOperator = {
  readonly name: string;
  readonly spns: readonly string[];
  readonly gid1Prefixes: readonly string[];
  readonly imsiPrefixes: readonly string[];
};

export function virtualOperatorsOf({ rules, hostCarrierIds }: NetworkProfile): VirtualOperator[] {
  const byName = new Map<string, VirtualOperator>();
  for (const { carrierId, name, spns, gid1Prefixes, imsiPrefixes } of rules) {
    if (hostCarrierIds.has(carrierId)) continue;
    const known = byName.get(name) ?? { name, spns: [], gid1Prefixes: [], imsiPrefixes: [] };
    byName.set(name, {
      name,
      spns: [...known.spns, ...spns.filter((spn) => spn !== "")],
      gid1Prefixes: [...known.gid1Prefixes, ...gid1Prefixes],
      imsiPrefixes: [...known.imsiPrefixes, ...imsiPrefixes],
    });
  }
  return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Does a row's name or an APN speak of the network's operator? */
export function speaksOfHost(name: string, { network, hostNames }: NetworkProfile): boolean {
  const compared = comparable(name, network);
  return hostNames.some((host) => speaksOf(compared, host));
}

/** Is this the name that a SIM of the network's own shows? */
function isHostSpn(spn: string, profile: NetworkProfile): boolean {
  const compared = comparable(spn, profile.network);
  return speaksOfHost(spn, profile) || profile.hostSpns.some((host) => speaksOf(compared, host));
}

/**
 * Every sign the SIM carries is read. One that names a virtual operator settles it; one that nobody knows is
 * outweighed only by another sign that is the host's own.
 */
export function subscriberOf(query: SettingsQuery, profile: NetworkProfile): Subscriber {
  const matches = matchingRules(query, profile.rules);
  const virtual = matches.filter(({ rule }) => !profile.hostCarrierIds.has(rule.carrierId));
  const best = virtual[0];
  if (best) {
    const alike = virtual.filter((match) => match.weight === best.weight);
    return {
      kind: "virtual",
      names: [...new Set(alike.map(({ rule }) => rule.name))],
      carrierIds: [
        ...new Set(alike.flatMap(({ rule }) => [rule.carrierId, ...(rule.parentId ? [rule.parentId] : [])])),
      ],
      by: best.by,
    };
  }
  if (matches.length > 0) return { kind: "host" };
  const { gid1, spn } = query;
  if (spn && isHostSpn(spn, profile)) return { kind: "host" };
  if (gid1 && !saysNothing(gid1)) return { kind: "unknown", by: { sign: "gid1", value: gid1, exact: 0 } };
  if (spn) return { kind: "unknown", by: { sign: "spn", value: spn, exact: 0 } };
  return { kind: "host" };
}

type RuleMatch = { readonly rule: CarrierRule; readonly weight: number; readonly by: Evidence };

/** Android's order of strength (CarrierResolver): IMSI, then ICCID, GID1, SPN; a rule half known counts less. */
const WEIGHT: Record<SimSign, number> = { imsi: 128, iccid: 64, gid1: 32, spn: 4 };
const HALF_KNOWN = 0.5;

/** Rules that a sign of the SIM meets and none refutes, the strongest first. */
function matchingRules(query: SettingsQuery, rules: readonly CarrierRule[]): RuleMatch[] {
  const found: RuleMatch[] = [];
  for (const rule of rules) {
    const match = matchRule(query, rule);
    if (match) found.push(match);
  }
  return found.sort((a, b) => b.weight - a.weight);
}

function matchRule(query: SettingsQuery, rule: CarrierRule): RuleMatch | undefined {
  // Rules by the user's chosen APN or the PLMN shown on the screen cannot be decided from a SIM's data.
  if (rule.preferredApns.length > 0 || rule.shownPlmns.length > 0) return undefined;
  const tests: readonly [SimSign, readonly string[], (value: string, wanted: string) => boolean][] = [
    ["imsi", rule.imsiPrefixes, imsiMatches],
    ["iccid", rule.iccidPrefixes, iccidMatches],
    ["gid1", rule.gid1Prefixes, gid1Matches],
    ["spn", rule.spns, spnMatches],
  ];
  let weight = 0;
  let unknown = rule.gid2Prefixes.length > 0;
  let by: Evidence | undefined;
  for (const [sign, wanted, meets] of tests) {
    if (wanted.length === 0) continue;
    const value = query[sign];
    if (value === undefined || value === "") {
      unknown = true;
      continue;
    }
    const met = wanted.find((one) => one !== "" && meets(value, one));
    if (met === undefined) return undefined;
    weight += WEIGHT[sign];
    // Of an IMSI or ICCID only the prefix goes on: the number itself is one person's.
    by ??= { sign, value: sign === "imsi" || sign === "iccid" ? met : value, exact: fixedDigits(met) };
  }
  return by && { rule, weight: unknown ? weight * HALF_KNOWN : weight, by };
}

/** `Orange MVNOs` carries the host's name and is not the host. */
const RESOLD = /\bmvn[oe]|\bm2m\b|\biot\b/i;

/**
 * The rules of the network's own carrier: those without a criterion or open to a SIM without SPN, and those of
 * the same name. A network without such a rule takes those that bear its brand, or the only carrier there is.
 */
function hostRulesOf(
  rules: readonly CarrierRule[],
  brands: readonly ComparableName[],
  compare: (name: string) => ComparableName,
): CarrierRule[] {
  const own = rules.filter((rule) => rule.parentId === null && !RESOLD.test(rule.name));
  const open = own.filter((rule) => isBare(rule) || rule.spns.includes(""));
  if (open.length > 0) {
    const names = new Set(open.map((rule) => rule.name.toLowerCase()));
    return own.filter((rule) => names.has(rule.name.toLowerCase()));
  }
  const branded = own.filter((rule) => brands.some((brand) => speaksOf(compare(rule.name), brand)));
  if (branded.length > 0) return branded;
  return new Set(own.map((rule) => rule.carrierId)).size === 1 && brands.length === 0 ? own : [];
}

function isBare(rule: CarrierRule): boolean {
  const criteria = [
    rule.spns,
    rule.imsiPrefixes,
    rule.gid1Prefixes,
    rule.gid2Prefixes,
    rule.iccidPrefixes,
    rule.shownPlmns,
    rule.preferredApns,
  ];
  return criteria.every((list) => list.length === 0);
}
