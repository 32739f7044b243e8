/**
 * Finds the access points for one SIM, best first. The operator's own come before all; then the shipped sets
 * as suggestions nobody has confirmed: those made for this SIM (ICCID or IMSI prefix, GID1, SPN), then the
 * network's. A SIM of a virtual operator for which nothing is known gets a refusal with the reason, never the
 * host network's access point: with it the phone would connect nowhere, or on the wrong bill.
 */

import { optionalMember } from "../../term/record.ts";
import { isModelListed } from "../devices/names.ts";
import {
  type AccessPoint,
  type CarrierRule,
  type Connection,
  type DataSource,
  type Network,
  type SettingsQuery,
  USES,
  type Use,
} from "./access-point.ts";
import { fixedDigits, gid1Matches, iccidMatches, imsiMatches, spnMatches } from "./criteria.ts";
import type { FormerName } from "./doubt.ts";
import { isForGroup, ownerOf, type Ranked, type RowOwner, rankFor, rowSpeaksOf } from "./rank.ts";
import {
  type Evidence,
  type NetworkProfile,
  profileOf,
  SIM_SIGNS,
  type SimSign,
  type Subscriber,
  speaksOfHost,
  subscriberOf,
  type VirtualOperator,
  virtualOperatorsOf,
} from "./subscriber.ts";

type MatchKind = "own" | SimSign | "plmn";

export type Match = Connection & {
  readonly use: Use;
  readonly name: string;
  readonly provider: string | null;
  /** Whose the row is by its name: the network operator's, nobody's in particular, or another brand's. */
  readonly owner: RowOwner;
  readonly confirmed: boolean;
  readonly source: DataSource;
  /** Other sets that name the same APN for the same use. */
  readonly agreeing: readonly string[];
  /** The criterion that let it in, and its value: `gid1` `5455`. */
  readonly match: MatchKind;
  readonly matchValue: string;
  readonly accessPointId: string;
  /** Why it stands behind all others, and is never sent unless the operator confirms it. */
  readonly doubtful?: string;
};

export type RefusalCode =
  | "network_unknown"
  | "imsi_of_another_network"
  | "no_access_point"
  | "mvno_without_access_point"
  | "subscriber_group_unknown";

export type Refusal = { readonly code: RefusalCode; readonly reason: string };

/** Signs of a virtual operator that the question left open. GID2 is in no question, and a few are told by it alone. */
type UncheckedSign = SimSign | "gid2";

/** The SIM is taken for the network's own for want of any sign, not by one. */
type Unchecked = {
  readonly code: "virtual_operator_not_checked";
  readonly reason: string;
  readonly signs: readonly UncheckedSign[];
};

export type Found = {
  readonly matches: readonly Match[];
  readonly refused?: Refusal;
  /** There where neither SPN nor GID1 was given: nothing but them tells most virtual operators' SIMs. */
  readonly unchecked?: Unchecked;
};

export type AccessPointIndex = {
  findSettings(query: SettingsQuery, ownAccessPoints?: readonly AccessPoint[]): Found;
  /** Whose subscriber a SIM is. */
  kindOf(query: SettingsQuery): Subscriber["kind"];
  aboutNetwork(
    mcc: string,
    mnc: string,
  ): {
    readonly name: string;
    /** Names that it had before: what an older list, or a phone's menu, still calls it. */
    readonly formerly: readonly string[];
    /** Whether a name speaks of the network's operator. */
    readonly isNamed: (name: string) => boolean;
    readonly virtualOperators: readonly VirtualOperator[];
  };
  /** The known network an IMSI is of; one with an MNC of 3 digits before one of 2. */
  plmnOfImsi(imsi: string): { readonly mcc: string; readonly mnc: string } | undefined;
};

export function createAccessPointIndex(
  rows: readonly AccessPoint[],
  carriers: readonly CarrierRule[],
  networks: readonly Network[],
  formerNames: readonly FormerName[] = [],
): AccessPointIndex {
  const rowsOf = groupBy(rows, ({ criteria }) => [criteria.mcc + criteria.mnc]);
  const rulesOf = groupBy(carriers, (rule) => rule.plmns);
  const networksOf = groupBy(networks, ({ mcc, mnc }) => [mcc + mnc]);
  const namesBefore = groupBy(formerNames, ({ mcc, mnc }) => [mcc + mnc]);
  const profiles = new Map<string, NetworkProfile>();

  const profile = (mcc: string, mnc: string): NetworkProfile => {
    const key = mcc + mnc;
    const kept = profiles.get(key);
    if (kept) return kept;
    const made = profileOf({ mcc, mnc }, networksOf.get(key) ?? [], rulesOf.get(key) ?? []);
    // Kept only for networks that exist, so that made-up queries cannot fill the memory.
    if (networksOf.has(key) || rulesOf.has(key) || rowsOf.has(key)) profiles.set(key, made);
    return made;
  };
  const known = (key: string) => networksOf.has(key) || rulesOf.has(key) || rowsOf.has(key);

  const answers = new Map<string, Answer>();
  const recall = (query: SettingsQuery, about: NetworkProfile): Answer => {
    const rows = rowsOf.get(query.mcc + query.mnc) ?? [];
    const alike = likenessOf(query, rows, about);
    const kept = answers.get(alike);
    if (kept) return kept;
    const subscriber = subscriberOf(query, about);
    const answer = { subscriber, shipped: chooseShipped(query, rows, subscriber, about) };
    if (answers.size >= ANSWERS_KEPT) answers.delete(answers.keys().next().value ?? "");
    answers.set(alike, answer);
    return answer;
  };

  return {
    findSettings(query, ownAccessPoints = []) {
      const { mcc, mnc, imsi } = query;
      const key = mcc + mnc;
      const place = `${mcc}/${mnc}`;
      if (imsi !== undefined && !imsi.startsWith(key)) {
        return refuse(
          "imsi_of_another_network",
          `the IMSI does not begin with ${mcc} ${mnc}, it is not of ${place}`,
        );
      }
      const own = ownAccessPoints.filter(({ criteria }) => criteria.mcc === mcc && criteria.mnc === mnc);
      const about = profile(mcc, mnc);
      const { subscriber, shipped } = recall(query, about);
      const matches = [...chooseOwn(query, own, subscriber, about), ...shipped];
      const unchecked = uncheckedIn(query, subscriber, about);
      if (matches.length > 0) return { matches, ...unchecked };
      if (!known(key) && own.length === 0) {
        const other = mnc.length === 2 ? `0${mnc}` : mnc.replace(/^0/, "");
        const hint = known(mcc + other) ? `; ${mcc}/${other} is known, and is another network` : "";
        return refuse("network_unknown", `no list knows the network ${place}${hint}`);
      }
      return { ...refusalFor(subscriber, about, place, own.length > 0), ...unchecked };
    },
    kindOf: (query) => subscriberOf(query, profile(query.mcc, query.mnc)).kind,
    aboutNetwork(mcc, mnc) {
      const about = profile(mcc, mnc);
      return {
        name: about.hostName,
        formerly: othersOf(about.hostName, namesBefore.get(mcc + mnc) ?? []),
        isNamed: (name) => speaksOfHost(name, about),
        virtualOperators: virtualOperatorsOf(about),
      };
    },
    plmnOfImsi(imsi) {
      const mcc = imsi.slice(0, 3);
      for (const digits of [3, 2]) {
        const mnc = imsi.slice(3, 3 + digits);
        if (mnc.length === digits && known(mcc + mnc)) return { mcc, mnc };
      }
      return undefined;
    },
  };
}

/** Each once, in the order of the list. */
function othersOf(current: string, former: readonly FormerName[]): readonly string[] {
  const names = new Map([[current.toLowerCase(), current]]);
  for (const { name } of former) if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  return [...names.values()].slice(1);
}

/** What the shipped sets say of one kind of SIM. */
type Answer = { readonly subscriber: Subscriber; readonly shipped: readonly Match[] };

/** Kinds of SIM whose answers are kept: finding one costs up to a millisecond, and subscribers are much alike. */
const ANSWERS_KEPT = 2048;

/** Equal for SIMs that no rule and no row tells apart. */
function likenessOf(query: SettingsQuery, rows: readonly AccessPoint[], { rules }: NetworkProfile): string {
  const { mcc, mnc, gid1 = "", spn = "", imsi, iccid } = query;
  const met: string[] = [];
  if (imsi) {
    for (const rule of rules) for (const one of rule.imsiPrefixes) if (imsiMatches(imsi, one)) met.push(one);
    for (const { criteria } of rows) {
      if (criteria.imsiPrefix && imsiMatches(imsi, criteria.imsiPrefix)) met.push(criteria.imsiPrefix);
    }
  }
  if (iccid) {
    for (const rule of rules)
      for (const one of rule.iccidPrefixes) if (iccidMatches(iccid, one)) met.push(`i${one}`);
    for (const { criteria } of rows) {
      if (criteria.iccidPrefix && iccidMatches(iccid, criteria.iccidPrefix))
        met.push(`i${criteria.iccidPrefix}`);
    }
  }
  return JSON.stringify([mcc, mnc, gid1, spn, Boolean(imsi), Boolean(iccid), met]);
}

const refuse = (code: RefusalCode, reason: string): Found => ({ matches: [], refused: { code, reason } });

const SIGN_NAME: Record<SimSign, string> = { iccid: "ICCID", imsi: "IMSI", gid1: "GID1", spn: "SPN" };

const shown = ({ sign, value }: Evidence): string =>
  sign === "imsi" || sign === "iccid" ? `${SIGN_NAME[sign]} ${value}...` : `${SIGN_NAME[sign]} "${value}"`;

/** Who has given access points of their own hears what those lack to be for such a SIM. */
const OWN_ARE_FOR_OTHERS =
  "; the operator's own access points there are not said to be for such a SIM (spn, gid1, imsiPrefix, or wholeNetwork)";

function refusalFor(
  subscriber: Subscriber,
  { hostName }: NetworkProfile,
  place: string,
  hasOwn: boolean,
): Found {
  const ownWords = hasOwn ? OWN_ARE_FOR_OTHERS : "";
  if (subscriber.kind === "virtual") {
    const names = subscriber.names.join(" or ");
    return refuse(
      "mvno_without_access_point",
      `${shown(subscriber.by)} is of ${names}, a virtual operator on ${hostName} (${place}); ` +
        `no access point of ${names} is known, and ${hostName}'s is not given in its place${ownWords}`,
    );
  }
  if (subscriber.kind === "unknown") {
    return refuse(
      "subscriber_group_unknown",
      `${shown(subscriber.by)} is not ${hostName}'s own (${place}) and no set of access points is known for it; ` +
        `${hostName}'s is not given in its place${ownWords}`,
    );
  }
  return refuse("no_access_point", `no access point is known for ${hostName} (${place})${ownWords}`);
}

const ALL_SIGNS: readonly UncheckedSign[] = ["spn", "gid1", "gid2", "imsi", "iccid"];

/** Says what was not looked at before a SIM was taken for the network's own. A sign that was read and is empty was read. */
function uncheckedIn(
  query: SettingsQuery,
  subscriber: Subscriber,
  { hostName, rules, hostCarrierIds }: NetworkProfile,
): Pick<Found, "unchecked"> {
  const { spn, gid1, imsi, iccid } = query;
  if (subscriber.kind !== "host" || spn !== undefined || gid1 !== undefined) return {};
  const numbers = [imsi === undefined ? "" : "the IMSI", iccid === undefined ? "" : "the ICCID"].filter(
    Boolean,
  );
  const given = numbers.length === 0 ? "the network" : numbers.join(" and ");
  const others = rules.filter(({ carrierId }) => !hostCarrierIds.has(carrierId));
  const ranges = others.filter(({ imsiPrefixes }) => imsiPrefixes.length > 0).length;
  const known =
    imsi === undefined ? "" : `; the IMSI is in none of the ${ranges} ranges known of others there`;
  return {
    unchecked: {
      code: "virtual_operator_not_checked",
      reason:
        `only ${given} was given, neither SPN nor GID1 or GID2: no such sign of a virtual operator ` +
        `on ${hostName} could be checked${known}`,
      signs: ALL_SIGNS.filter((sign) => sign === "gid2" || query[sign] === undefined),
    },
  };
}

/** A row let in, by what. */
type Admitted = {
  readonly point: AccessPoint;
  readonly by: MatchKind;
  readonly value: string;
  readonly exact: number;
};

/** The operator's own: those that name this SIM first, then those for the whole network where that is meant. */
function chooseOwn(
  query: SettingsQuery,
  own: readonly AccessPoint[],
  subscriber: Subscriber,
  profile: NetworkProfile,
): Match[] {
  const admitted: Admitted[] = [];
  for (const point of own) {
    if (!isForModel(point.criteria, query)) continue;
    const ofModel = point.criteria.models ? MODEL_EXACT : 0;
    const specific = bySign(query, point);
    if (specific === "refuted") continue;
    if (specific) {
      const exact = specific.exact + ofModel;
      admitted.push({ ...specific, exact, by: "own", value: `${specific.by} ${specific.value}` });
    } else if (!isForGroup(point) && (point.criteria.wholeNetwork || subscriber.kind === "host")) {
      admitted.push({ point, by: "own", value: place(query), exact: ofModel });
    }
  }
  return toMatches(admitted, own, profile);
}

/** A row for the model stands before any for all models, however exactly that names the SIM. */
const MODEL_EXACT = 1_000;

/** For all models, or for just the one that the handset is of; a handset that nobody named is of none. */
function isForModel({ models }: AccessPoint["criteria"], { make, model }: SettingsQuery): boolean {
  if (!models) return true;
  return Boolean(make && model) && models.some((pattern) => isModelListed(pattern, make ?? "", model ?? ""));
}

function chooseShipped(
  query: SettingsQuery,
  rows: readonly AccessPoint[],
  subscriber: Subscriber,
  profile: NetworkProfile,
): Match[] {
  const admitted: Admitted[] = [];
  for (const point of rows) {
    const specific = bySign(query, point);
    if (specific === "refuted") continue;
    if (specific) {
      if (mayStand(specific, subscriber, profile)) admitted.push(specific);
    } else if (subscriber.kind === "virtual" && isNamedFor(point, subscriber, profile)) {
      // The carrier list told the SIM by as much of it as a row's own criterion would.
      const { sign, value, exact } = subscriber.by;
      admitted.push({ point, by: sign, value, exact });
    } else if (subscriber.kind === "unknown" && subscriber.by.sign === "spn") {
      const { value } = subscriber.by;
      if (rowSpeaksOf(point, [value], profile)) admitted.push({ point, by: "spn", value, exact: 0 });
    }
  }
  // A row that names this SIM proves that its group is known, and may be the host's own group.
  const hosts = admitted.some(({ point }) => ownerOf(point, profile) === "host" && isForGroup(point));
  if (subscriber.kind === "host" || (subscriber.kind === "unknown" && hosts)) {
    admitted.push(...hostRows(query, rows, profile));
  }
  return toMatches(admitted, rows, profile);
}

const place = ({ mcc, mnc }: SettingsQuery): string => `${mcc}/${mnc}`;

/** The network's own: rows for all, and rows for a group of its own (`TELUS`, GID1 5455) unless the SIM refutes. */
function hostRows(query: SettingsQuery, rows: readonly AccessPoint[], profile: NetworkProfile): Admitted[] {
  const forHost = rows.filter(
    (point) =>
      !isForGroup(point) || (bySign(query, point) === undefined && ownerOf(point, profile) === "host"),
  );
  return forHost.map((point) => ({ point, by: "plmn", value: place(query), exact: 0 }));
}

/** The strongest sign by which a row is for this SIM; undefined if it has none or the SIM keeps silent. */
function bySign(query: SettingsQuery, point: AccessPoint): Admitted | "refuted" | undefined {
  const { gid1, spn, imsiPrefix, iccidPrefix } = point.criteria;
  const tests = [
    ["iccid", iccidPrefix, query.iccid, iccidMatches, iccidPrefix?.length],
    ["imsi", imsiPrefix, query.imsi, imsiMatches, imsiPrefix && fixedDigits(imsiPrefix)],
    ["gid1", gid1, query.gid1, gid1Matches, gid1?.length],
    ["spn", spn, query.spn, spnMatches, spn?.length],
  ] as const;
  let strongest: Admitted | undefined;
  let silent = false;
  for (const [by, wanted, value, meets, exact] of tests) {
    if (wanted === undefined) continue;
    if (value === undefined || value === "") silent = true;
    else if (!meets(value, wanted)) return "refuted";
    else strongest ??= { point, by, value: wanted, exact: Number(exact ?? 0) };
  }
  return silent ? undefined : strongest;
}

/** A row let in by a weaker sign than the one that named the subscriber must still be that subscriber's. */
function mayStand({ point, by }: Admitted, subscriber: Subscriber, profile: NetworkProfile): boolean {
  if (subscriber.kind !== "virtual") return true;
  const signs: readonly MatchKind[] = SIM_SIGNS;
  const strength = (sign: MatchKind) => signs.indexOf(sign);
  if (strength(by) <= strength(subscriber.by.sign)) return true;
  return isTheirs(point, subscriber) || rowSpeaksOf(point, subscriber.names, profile);
}

const isTheirs = ({ criteria }: AccessPoint, subscriber: Subscriber): boolean =>
  subscriber.kind === "virtual" &&
  criteria.carrierId !== undefined &&
  subscriber.carrierIds.includes(criteria.carrierId);

/** A row that no sign refutes and that is the virtual operator's by carrier or by name, and not the host's. */
function isNamedFor(point: AccessPoint, subscriber: Subscriber, profile: NetworkProfile): boolean {
  if (subscriber.kind !== "virtual") return false;
  if (isTheirs(point, subscriber)) return true;
  if (point.criteria.carrierId !== undefined) return false;
  return (
    rowSpeaksOf(point, subscriber.names, profile) && !speaksOfHost(point.provider ?? point.name, profile)
  );
}

const TIER: Record<MatchKind, number> = { own: 0, iccid: 1, imsi: 1, gid1: 2, spn: 3, plmn: 4 };

/** One match per use, by tier, exactness, use, and then likelihood; the same values appear once. */
function toMatches(
  admitted: readonly Admitted[],
  witnesses: readonly AccessPoint[],
  profile: NetworkProfile,
): Match[] {
  const lines: {
    readonly tier: number;
    readonly exact: number;
    readonly use: number;
    readonly score: number;
    readonly match: Match;
  }[] = [];
  const byPoint = new Map(admitted.map((one) => [one.point, one]));
  for (const [use, name] of USES.entries()) {
    const serving = admitted.filter(({ point }) => serves(point, name)).map(({ point }) => point);
    for (const ranked of rankFor(name, serving, witnesses, profile)) {
      const one = byPoint.get(ranked.point);
      if (!one) continue;
      lines.push({
        tier: TIER[one.by],
        exact: one.exact,
        use,
        score: ranked.score,
        match: toMatch(name, ranked, one),
      });
    }
  }
  lines.sort(
    (a, b) =>
      Number(a.match.doubtful !== undefined) - Number(b.match.doubtful !== undefined) ||
      a.tier - b.tier ||
      b.exact - a.exact ||
      a.use - b.use ||
      b.score - a.score,
  );
  return withoutRepeats(lines.map(({ match }) => match));
}

/** An MMS needs its message centre, whatever the row's type says. */
const serves = (point: AccessPoint, use: Use): boolean =>
  point.uses.includes(use) && (use !== "mms" || point.mmsc !== null) && (point.apn !== "" || use === "ia");

function toMatch(use: Use, { point, owner }: Ranked, { by, value }: Admitted): Match {
  const { id, apn, name, provider, protocol, authType, user, password, mmsc, mmsProxy, mmsPort } = point;
  const { proxy, port, homepage, confirmed, source, doubtful } = point;
  const mms = use === "mms" ? { mmsc, mmsProxy, mmsPort } : { mmsc: null, mmsProxy: null, mmsPort: null };
  return {
    use,
    apn,
    name,
    provider,
    owner,
    protocol,
    authType,
    user,
    password,
    ...mms,
    proxy,
    port,
    homepage,
    confirmed,
    source,
    agreeing: [],
    match: by,
    matchValue: value,
    accessPointId: id,
    ...optionalMember("doubtful", doubtful),
  };
}

/** Rows that would send the same settings are one; its sources stand together. */
function withoutRepeats(matches: readonly Match[]): Match[] {
  const kept = new Map<string, Match>();
  const sources = new Map<string, Set<string>>();
  for (const match of matches) {
    const { use, apn, user, mmsc, mmsProxy, mmsPort, proxy, port } = match;
    const key = JSON.stringify([use, apn.toLowerCase(), user, mmsc, mmsProxy, mmsPort, proxy, port]);
    const named = `${use} ${apn.toLowerCase()}`;
    sources.set(named, (sources.get(named) ?? new Set()).add(match.source.name));
    if (!kept.has(key)) kept.set(key, match);
  }
  return [...kept.values()].map((match) => {
    const all = sources.get(`${match.use} ${match.apn.toLowerCase()}`) ?? new Set();
    return { ...match, agreeing: [...all].filter((name) => name !== match.source.name) };
  });
}

function groupBy<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    }
  }
  return groups;
}
