/**
 * Which of several unconfirmed access points of one network is the right one for a subscriber who is only a
 * subscriber: private, on contract, with a phone. Public sets list them side by side, alphabetically, with
 * rows for laptops, prepaid cards, closed brands and hosted operators between. Every weight is a plain rule
 * with its reason; the figures were set on networks whose settings their operators publish, and the hit rate
 * they give is held by test/vector/settings-truths.test.ts.
 */
import type { AccessPoint, Use } from "./access-point.ts";
import { bearsNameOf, comparable } from "./names.ts";
import { type NetworkProfile, speaksOfHost } from "./subscriber.ts";

/** Whose a row is, as its name and carrier say. */
export type RowOwner = "host" | "nobody" | "other";

export type Ranked = { readonly point: AccessPoint; readonly owner: RowOwner; readonly score: number };

const WEIGHT = {
  hostNamed: 30,
  otherNamed: -30,
  hostCarrierId: 15,
  otherCarrierId: -25,
  /** By the first of the host's preferred APNs; each further one counts less by `preferredStep`. */
  preferredByHost: 45,
  preferredStep: 10,
  preferredByOther: -30,
  /** Two sets kept by different people name the same APN for the same use, neither as somebody else's. */
  agreed: 25,
  /** They do, but one as somebody else's, or for another use. */
  halfAgreed: 8,
  /** A row for a group of the host's own SIMs (by SPN, GID1 or IMSI) names it. */
  ownGroup: 12,
  /** A row for such a group itself, where the SIM does not say that it is of the group. */
  otherGroup: -5,
  /** The set is made for phones; the other is made for modems. */
  phoneSet: 8,
  /** The APN itself carries the host's name. */
  apnOfHost: 6,
  /** The commonest name there is for the open road. */
  plainInternet: 4,
  /** Each further row of one set with the same APN; at most three count. */
  repeated: 4,
  hidden: -25,
  wifiOnly: -60,
  dualStack: 3,
  initialAttach: 6,
  severalUses: 2,
  noType: -15,
  postpaid: 6,
  prepaid: -12,
  wapProxy: -10,
  neverInternet: -45,
  /** Another set had the APN for this network and took it out. */
  withdrawn: -12,
  /** The row's set is the one that changed this network last. */
  changedLast: 6,
} as const;

const REPEATS_COUNTED = 3;

const PREPAID = /\b(?:prepaid|prepay|prepago|pre|payg|payandgo|pay ?as|gophone|topup|pp)\b|prepa/i;

/** Words in a row's name or APN, what they say about it, and how much that counts for a phone's internet. */
const INTERNET_WORDS: readonly (readonly [RegExp, number])[] = [
  [/\b(?:internet|inet)\b/i, 5],
  [/\b(?:contract|postpaid|postpay|post|abo|monthly)\b/i, 5],
  [/\bhandsets?\b|\bsmartphone\b|\biphone\b|\bphone\b/i, 4],
  [PREPAID, -26],
  [/\bwap\b/i, -8],
  [/modem|tether|usb|dongle|stick|\bpc\b|laptop|notebook|tablet|ipad|data ?card|\bkey\b|dun\b/i, -16],
  [/broadband|hotspot|router|compartid|\bhome\b|\bmbb\b|bandalarga|\bfixed\b|websession|web session/i, -10],
  [/business|corporat|entrepris|empres|\bvpn\b|\bm2m\b|\biot\b|static|public ip|\bprivate\b|\bpro\b/i, -16],
  [/blackberry|\bbb\b|\bbis\b/i, -35],
  [
    /\bold\b|legacy|\b2g\b|per (?:mb|min|hour)|pay-?by|by time|\bday\b|\bhour|session|event|roam|visitor/i,
    -9,
  ],
  [/activat|\btest\b|\badmin\b|\bfota\b|entitlement/i, -30],
];

/** APNs that never are a phone's road to the internet. */
const NEVER_INTERNET =
  /^(?:ims|sos|emergency|hos|xcap|ut|nxtgen-?sos|.*\bmms\b.*|mms.*|.*\.mms|vzwadmin|vzwims)$/i;

const MMS_WORDS: readonly (readonly [RegExp, number])[] = [
  [/\bmms\b/i, 3],
  [PREPAID, -26],
  [/business|corporat|entrepris|empres|modem|tablet|\bold\b|legacy/i, -12],
];

/**
 * Orders rows for one use, the most likely first; equals keep the order they came in. `witnesses` are all rows
 * of the network: what they say of an APN counts for the rows that are in question.
 */
export function rankFor(
  use: Use,
  points: readonly AccessPoint[],
  witnesses: readonly AccessPoint[],
  profile: NetworkProfile,
): Ranked[] {
  const votes = votesByApn(use, witnesses, profile);
  return points
    .map((point) => {
      const owner = ownerOf(point, profile);
      const score = scoreOf(use, { point, owner }, votes.get(point.apn.toLowerCase()), profile);
      return { point, owner, score };
    })
    .sort((a, b) => b.score - a.score);
}

/** What the sets say of one APN. */
type Votes = {
  /** Sets that name it, for whatever use; how many of their rows are not somebody else's. */
  readonly rowsBySource: Map<string, number>;
  /** Sets that name it for this use and not as somebody else's. */
  readonly sourcesForHost: Set<string>;
  forOwnGroup: boolean;
};

function votesByApn(
  use: Use,
  witnesses: readonly AccessPoint[],
  profile: NetworkProfile,
): ReadonlyMap<string, Votes> {
  const votes = new Map<string, Votes>();
  for (const point of witnesses) {
    const key = point.apn.toLowerCase();
    const vote = votes.get(key) ?? { rowsBySource: new Map(), sourcesForHost: new Set(), forOwnGroup: false };
    votes.set(key, vote);
    const owner = ownerOf(point, profile);
    const forUse = point.uses.includes(use);
    if (isForGroup(point)) {
      vote.forOwnGroup ||= forUse && owner === "host" && !PREPAID.test(point.name);
      continue;
    }
    const before = vote.rowsBySource.get(point.source.name) ?? 0;
    vote.rowsBySource.set(point.source.name, before + (owner === "other" ? 0 : 1));
    if (forUse && owner !== "other") vote.sourcesForHost.add(point.source.name);
  }
  return votes;
}

/** Made for some SIMs of the network only. */
export const isForGroup = ({ criteria: { gid1, spn, imsiPrefix, iccidPrefix } }: AccessPoint): boolean =>
  (gid1 ?? spn ?? imsiPrefix ?? iccidPrefix) !== undefined;

export function ownerOf(point: AccessPoint, profile: NetworkProfile): RowOwner {
  const { carrierId } = point.criteria;
  if (carrierId !== undefined && profile.hostCarrierIds.has(carrierId)) return "host";
  const said = point.provider ?? point.name;
  if (speaksOfHost(said, profile)) return "host";
  const compared = comparable(said, profile.network);
  return compared.distinctive.length === 0 && point.provider === null ? "nobody" : "other";
}

function scoreOf(
  use: Use,
  { point, owner }: { readonly point: AccessPoint; readonly owner: RowOwner },
  votes: Votes | undefined,
  profile: NetworkProfile,
): number {
  let score = ownerScore(point, owner, profile) + preferenceFor(point, profile);
  if (votes) {
    if (votes.sourcesForHost.size > 1) score += WEIGHT.agreed;
    else if (votes.rowsBySource.size > 1) score += WEIGHT.halfAgreed;
    const rows = votes.rowsBySource.get(point.source.name) ?? 1;
    score += WEIGHT.repeated * Math.max(0, Math.min(REPEATS_COUNTED, rows - 1));
    if (isForGroup(point)) score += WEIGHT.otherGroup;
    else if (votes.forOwnGroup) score += WEIGHT.ownGroup;
  }
  if (point.withdrawnBy !== undefined) score += WEIGHT.withdrawn;
  if (point.isChangedLast) score += WEIGHT.changedLast;
  if (!point.shown) score += WEIGHT.hidden;
  if (point.wifiOnly) score += WEIGHT.wifiOnly;
  if (point.protocol === "ipv4v6" || point.protocol === "ipv6") score += WEIGHT.dualStack;
  if (point.plan === "postpaid") score += WEIGHT.postpaid;
  if (point.plan === "prepaid") score += WEIGHT.prepaid;
  const text = `${point.name} ${point.apn}`;
  for (const [pattern, weight] of use === "mms" ? MMS_WORDS : INTERNET_WORDS) {
    if (pattern.test(text)) score += weight;
  }
  return use === "internet" ? score + internetShape(point, votes) : score;
}

function ownerScore(point: AccessPoint, owner: RowOwner, profile: NetworkProfile): number {
  let score = owner === "host" ? WEIGHT.hostNamed : owner === "other" ? WEIGHT.otherNamed : 0;
  if (speaksOfHost(point.apn, profile)) score += WEIGHT.apnOfHost;
  const { carrierId } = point.criteria;
  if (carrierId === undefined) return score;
  if (profile.hostCarrierIds.has(carrierId)) score += WEIGHT.hostCarrierId;
  else if (profile.rules.some((rule) => rule.carrierId === carrierId)) score += WEIGHT.otherCarrierId;
  return score;
}

function internetShape(point: AccessPoint, votes: Votes | undefined): number {
  let score = 0;
  // An APN called mms that serves the internet is a slip, but for a row for both uses or one the host's groups share.
  const both = (point.uses.includes("mms") && point.mmsc !== null) || votes?.forOwnGroup === true;
  if (NEVER_INTERNET.test(point.apn) && !both) score += WEIGHT.neverInternet;
  if (point.apn.toLowerCase() === "internet") score += WEIGHT.plainInternet;
  if (point.proxy !== null) score += WEIGHT.wapProxy;
  if (point.uses.includes("ia")) score += WEIGHT.initialAttach;
  if (point.uses.includes("mms")) score += WEIGHT.severalUses;
  if (point.provider === null) score += WEIGHT.phoneSet;
  return score;
}

/** The carrier list names the APNs by which some carriers' subscribers are known: a strong word for or against. */
function preferenceFor(point: AccessPoint, profile: NetworkProfile): number {
  const apn = point.apn.toLowerCase();
  let score = 0;
  for (const rule of profile.rules) {
    const at = rule.preferredApns.findIndex((one) => one.toLowerCase() === apn);
    if (at < 0) continue;
    if (!profile.hostCarrierIds.has(rule.carrierId)) score = Math.min(score, WEIGHT.preferredByOther);
    else return Math.max(0, WEIGHT.preferredByHost - at * WEIGHT.preferredStep);
  }
  return score;
}

/** Does a row say, beside the host's own words, that it is one of these carriers'? */
export function rowSpeaksOf(point: AccessPoint, names: readonly string[], profile: NetworkProfile): boolean {
  const said = comparable(point.provider ?? point.name, profile.network);
  const hostWords = profile.hostNames.flatMap((host) => host.distinctive);
  return names.some((name) => {
    const { words, distinctive } = comparable(name, profile.network);
    const own = distinctive.filter((word) => !hostWords.includes(word));
    // `Orange MVNOs` on Orange: what is left of the name is no name.
    if (distinctive.length > 0 && own.length === 0) return false;
    return bearsNameOf(said, { words, distinctive: own });
  });
}
