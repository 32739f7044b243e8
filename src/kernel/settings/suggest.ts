/**
 * What an operator may confirm for its SIMs: of each use the access points that are known for them, best first, with sources,
 * doubts and what was seen of them in use. Of an operator that does not run the network, the network's own rows stand apart, as
 * its host's: with a host's access point its SIMs connect nowhere, or on the wrong bill, unless the host said that it serves them.
 *
 *   | place  | what                                                           |
 *   | first  | seen in use by the operator's own SIMs (`use-record.ts`)       |
 *   | then   | what the open sets say, as `rank.ts` orders it                 |
 *   | last   | doubtful rows, and what failed again and again                 |
 */
import { type SettingsQuery, USES, type Use } from "./access-point.ts";
import { accessPointSeen } from "./access-point-seen.ts";
import type { AccessPointIndex, Found, Match, Refusal } from "./find-settings.ts";
import { isFailing, isProven, together, type UseRecord } from "./use-record.ts";

/** Whose SIMs are asked about, as far as the operator says by what they are told apart. */
export type SimGroup = Pick<SettingsQuery, "mcc" | "mnc" | "spn" | "gid1"> & {
  readonly imsiPrefix?: string;
};

export type Suggestion = Match & {
  /** Of its APN among the operator's own SIMs; left out where nothing was seen. */
  readonly record?: UseRecord;
};

export type NetworkSuggestions = {
  readonly group: SimGroup;
  /** As a person says it. */
  readonly network: string;
  /** What it was called before. */
  readonly formerly: readonly string[];
  /** By use, then best first. */
  readonly suggestions: readonly Suggestion[];
  /** The host's own: not for these SIMs unless the host says so. Empty of an operator that runs the network. */
  readonly hosts: readonly Suggestion[];
  /** Why nothing is known for just these SIMs. */
  readonly refused?: Refusal;
  /** Virtual operators that are known on the network, with what tells their SIMs. */
  readonly virtualOperators: ReturnType<AccessPointIndex["aboutNetwork"]>["virtualOperators"];
};

type Suggesting = {
  readonly index: AccessPointIndex;
  readonly records: readonly UseRecord[];
  readonly operatorName: string;
  /** Whether it runs the network of its SIMs itself. */
  readonly isHost: boolean;
};

/** Digits that no prefix in the sets needs: an IMSI in a group, for the one question which rows are for it. */
const FILL = "0000000000";
const IMSI_DIGITS = 15;

export function suggestFor(group: SimGroup, given: Suggesting): NetworkSuggestions {
  const { index, isHost, operatorName } = given;
  const { mcc, mnc } = group;
  const about = index.aboutNetwork(mcc, mnc);
  const isOwnNetwork = isHost || about.isNamed(operatorName);
  const query = queryOf(group, isOwnNetwork ? undefined : operatorName);
  const records = recordsOf(group, query, given, isOwnNetwork);
  const found = index.findSettings(query);
  const hostsOwn = isOwnNetwork ? [] : index.findSettings({ mcc, mnc }).matches.map(ofHost);
  const isHosts = (match: Match) => !isOwnNetwork && (match.match === "plmn" || match.owner === "host");
  const known = found.matches.filter((match) => !isHosts(match));
  const listed = [...known, ...hostsOwn];
  const seen = [...records.values()]
    .filter((record) => isProven(record) && !listed.some(({ apn }) => apn.toLowerCase() === record.apn))
    .map((record) => accessPointSeen(record, query));
  const rank = (matches: readonly Match[]) => ranked(matches, records);
  return {
    group,
    network: about.name,
    formerly: about.formerly,
    suggestions: rank([...seen, ...known]),
    hosts: rank(hostsOwn),
    ...(found.refused ? { refused: found.refused } : {}),
    virtualOperators: about.virtualOperators,
  };
}

const ofHost = (match: Match): Match => ({ ...match, match: "plmn" });

/** A virtual operator that says nothing of its SIMs is looked for by its name. */
function queryOf({ imsiPrefix, ...group }: SimGroup, name: string | undefined): SettingsQuery {
  const says = group.spn ?? group.gid1 ?? imsiPrefix;
  const imsi = imsiPrefix?.replace(/x/gi, "0").concat(FILL).slice(0, IMSI_DIGITS);
  return {
    ...group,
    ...(imsi ? { imsi } : {}),
    ...(says === undefined && name !== undefined ? { spn: name } : {}),
  };
}

/** Of the SIMs that are asked about: a virtual operator's own are all that it has. */
function recordsOf(
  { mcc, mnc, spn, gid1 }: SimGroup,
  query: SettingsQuery,
  { index, records }: Suggesting,
  isOwnNetwork: boolean,
): ReadonlyMap<string, UseRecord> {
  const kind = index.kindOf(query);
  const isAsked = (one: UseRecord): boolean => {
    if (one.plmn !== mcc + mnc) return false;
    if (spn !== undefined || gid1 !== undefined)
      return (
        (spn === undefined || one.spn.toLowerCase() === spn.toLowerCase()) &&
        (gid1 === undefined || one.gid1.toLowerCase().startsWith(gid1.toLowerCase()))
      );
    return !isOwnNetwork || index.kindOf({ mcc, mnc, ...signsOf(one) }) === kind;
  };
  return together(records.filter(isAsked));
}

const signsOf = ({ spn, gid1 }: UseRecord) => ({
  ...(spn === "" ? {} : { spn }),
  ...(gid1 === "" ? {} : { gid1 }),
});

/** What was proven before what is known, and that before what is doubtful or fails; else as they come. */
function ranked(matches: readonly Match[], records: ReadonlyMap<string, UseRecord>): readonly Suggestion[] {
  const uses = new Map<Use, number>(USES.map((use, at) => [use, at]));
  const all = matches.map((match, at) => {
    const record = records.get(match.apn.toLowerCase());
    return { at, use: uses.get(match.use) ?? USES.length, place: placeOf(match, record), match, record };
  });
  all.sort((one, other) => one.use - other.use || one.place - other.place || one.at - other.at);
  return all.map(({ match, record }) => (record ? { ...match, record } : match));
}

function placeOf({ doubtful, match }: Match, record: UseRecord | undefined): number {
  if (match === "own") return 0; // the operator's word, whatever became of it: it is told, not overruled
  if (doubtful !== undefined) return 3;
  if (record && isFailing(record)) return 4;
  return record && isProven(record) ? 1 : 2;
}

/** What is sent without a person's word goes by what was seen too: an access point that fails again and again is none. */
export function withUse(found: Found, records: readonly UseRecord[], query: SettingsQuery): Found {
  const own = records.filter(({ plmn }) => plmn === query.mcc + query.mnc);
  if (own.length === 0 || found.matches.length === 0) return found;
  const byApn = together(own);
  const matches = found.matches.map((match) => {
    const record = byApn.get(match.apn.toLowerCase());
    const fails = record && match.match !== "own" && isFailing(record);
    return fails && match.doubtful === undefined ? { ...match, doubtful: failingWords(record) } : match;
  });
  return { ...found, matches };
}

export const failingWords = ({ failedSubscribers, subscribers, lastFailure }: UseRecord): string =>
  `it failed for ${failedSubscribers} SIMs and worked for ${subscribers}${lastFailure === null ? "" : `, last: ${lastFailure}`}`;
