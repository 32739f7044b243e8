/** What a SIM would get now for each use, by which rule, and why each other access point was passed over. */
import { isModelListed } from "../devices/names.ts";
import { type AccessPoint, addressFaultOf, type SettingsQuery, type Use } from "./access-point.ts";
import { gid1Matches, iccidMatches, imsiMatches, spnMatches } from "./criteria.ts";
import type { Found, Match } from "./find-settings.ts";
import { type ChosenSettings, isAnothers, SENDABLE_USES } from "./settings-for.ts";

type PassedOver = {
  readonly accessPointId: string;
  readonly apn: string;
  readonly source: string;
  /** A clause. */
  readonly reason: string;
};

export type TriedUse = {
  readonly use: Use;
  readonly chosen: Match | null;
  /** By what it was let in, or why nothing is sent. */
  readonly rule: string;
  readonly nextAction: string | null;
  readonly passedOver: readonly PassedOver[];
};

/** Most others told of each use: a network has up to forty. */
const PASSED_OVER_MAX = 25;

export function triedUses(
  query: SettingsQuery,
  found: Found,
  chosen: ChosenSettings,
  own: readonly AccessPoint[],
): TriedUse[] {
  return SENDABLE_USES.map((use) => {
    const first = chosen.chosen[use] ?? null;
    const held = chosen.withheld[use];
    const others = found.matches.filter((match) => match.use === use && match !== first);
    const passedOver = [
      ...ownPassedOver(use, query, found, own),
      ...others.map((match) => told(match, whyNot(match, first, found, held?.reason))),
    ];
    return {
      use,
      chosen: first,
      rule: first ? ruleOf(first) : (held?.reason ?? "nothing is known"),
      nextAction: held?.nextAction ?? null,
      passedOver: passedOver.slice(0, PASSED_OVER_MAX),
    };
  });
}

function ruleOf({ match, matchValue, source }: Match): string {
  if (match === "own") return `the operator's own, for ${matchValue}`;
  const by = match === "plmn" ? `for the network ${matchValue}` : `by ${match.toUpperCase()} ${matchValue}`;
  return `suggested by ${source.name}, ${by}`;
}

const told = (match: Match, reason: string): PassedOver => ({
  accessPointId: match.accessPointId,
  apn: match.apn,
  source: match.source.name,
  reason,
});

function whyNot(match: Match, first: Match | null, found: Found, held: string | undefined): string {
  const fault = addressFaultOf(match);
  if (fault) return `${fault.field} ${fault.wanted}`;
  if (match.doubtful !== undefined) return match.doubtful;
  if (isAnothers(match, found)) return "it bears another brand's name, and the network has rows in its own";
  if (!first) return held ?? "nobody confirmed it";
  if (first.match === "own" && match.match !== "own")
    return "the operator's own goes before every suggestion";
  if (first.match === "own")
    return `${first.apn} names the SIM or its model as exactly or more so, and is older`;
  return `${first.apn} is likelier`;
}

/** The operator's own that were not even looked at for this SIM: what in their criteria it does not meet. */
function ownPassedOver(
  use: Use,
  query: SettingsQuery,
  { matches }: Found,
  own: readonly AccessPoint[],
): PassedOver[] {
  const known = new Set(matches.map(({ accessPointId }) => accessPointId));
  return own
    .filter(({ id, uses }) => uses.includes(use) && !known.has(id))
    .map((point) => ({
      accessPointId: point.id,
      apn: point.apn,
      source: point.source.name,
      reason: unmet(point, query),
    }));
}

function unmet({ criteria, uses, mmsc }: AccessPoint, query: SettingsQuery): string {
  const { mcc, mnc, gid1, spn, imsiPrefix, iccidPrefix, models } = criteria;
  if (mcc !== query.mcc || mnc !== query.mnc) return `it is for SIMs of ${mcc}/${mnc}`;
  const signs = [
    ["ICCID", iccidPrefix, query.iccid, iccidMatches],
    ["IMSI", imsiPrefix, query.imsi, imsiMatches],
    ["GID1", gid1, query.gid1, gid1Matches],
    ["SPN", spn, query.spn, spnMatches],
  ] as const;
  for (const [name, wanted, value, meets] of signs) {
    if (wanted === undefined) continue;
    if (value === undefined || value === "") return `it is for ${name} ${wanted}, and the SIM's is not known`;
    if (!meets(value, wanted)) return `it is for ${name} ${wanted}`;
  }
  const { make, model } = query;
  if (models && !models.some((pattern) => isModelListed(pattern, make ?? "", model ?? "")))
    return `it is for the models ${models.join(", ")}`;
  if (uses.includes("mms") && mmsc === null) return "it has no message centre for MMS";
  return "the SIM shows signs of a virtual operator, and it is not said to be for such (spn, gid1, imsiPrefix, wholeNetwork)";
}
