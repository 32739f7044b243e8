/**
 * Which of several unconfirmed access points of one network is the right one for a subscriber who is only a
 * subscriber: private, on contract, with a phone. Public sets list them side by side, alphabetically, with
 * rows for laptops, prepaid cards, closed brands and hosted operators between. Every weight is a plain rule
 * with its reason; the figures were set on networks whose settings their operators publish, and the hit rate
 * they give is held by test/vector/settings-truths.test.ts.
 */
import type { AccessPoint, Use } from "./access-point.ts";
import { comparable, speaksOf } from "./names.ts";
import { isHostName, type NetworkProfile } from "./subscriber.ts";

/** Whose a row is, as its name and carrier say. */
export type RowOwner = "host" | "nobody" | "other";

export type Ranked = { readonly point: AccessPoint; readonly owner: RowOwner; readonly score: number };

const WEIGHT = {
  hostNamed: 30,
  otherNamed: -30,
  hostCarrierId: 15,
  otherCarrierId: -25,
  preferredByHost: 25,
  preferredByOther: -30,
  /** Two sets kept by different people name the same APN. */
  agreed: 25,
  /** Each further row of one set with the same APN; at most three count. */
  repeated: 4,
  hidden: -25,
  wifiOnly: -60,
  firstOfProvider: 3,
  dualStack: 3,
  initialAttach: 6,
  severalUses: 2,
  noType: -15,
  postpaid: 6,
  prepaid: -12,
  wapProxy: -10,
} as const;

/** Words in a row's name or APN, what they say about it, and how much that counts for a phone's internet. */
const INTERNET_WORDS: readonly (readonly [RegExp, number])[] = [
  [/\b(?:internet|inet)\b/i, 5],
  [/\b(?:contract|postpaid|postpay|post|abo|monthly)\b/i, 5],
  [/\bhandsets?\b|\bsmartphone\b|\biphone\b|\bphone\b/i, 4],
  [/\b(?:prepaid|prepay|prepago|pre|payg|payandgo|pay ?as|gophone|topup|pp)\b|prepa/i, -14],
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
const NEVER_INTERNET_WEIGHT = -45;

const MMS_WORDS: readonly (readonly [RegExp, number])[] = [
  [/\bmms\b/i, 3],
  [/\b(?:prepaid|prepay|prepago|pre|payg|payandgo|gophone|pp)\b|prepa/i, -14],
  [/business|corporat|entrepris|empres|modem|tablet|\bold\b|legacy/i, -12],
];

/** Orders the rows of one network for one use, the most likely first; equals keep the order they came in. */
export function rankFor(use: Use, points: readonly AccessPoint[], profile: NetworkProfile): Ranked[] {
  const votes = votesByApn(points);
  return points
    .map((point) => {
      const owner = ownerOf(point, profile);
      return { point, owner, score: scoreOf(use, point, owner, votes, profile) };
    })
    .sort((a, b) => b.score - a.score);
}

type Votes = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** APN -> source -> rows. */
function votesByApn(points: readonly AccessPoint[]): Votes {
  const votes = new Map<string, Map<string, number>>();
  for (const point of points) {
    const key = point.apn.toLowerCase();
    const bySource = votes.get(key) ?? new Map<string, number>();
    bySource.set(point.source.name, (bySource.get(point.source.name) ?? 0) + 1);
    votes.set(key, bySource);
  }
  return votes;
}

export function ownerOf(point: AccessPoint, profile: NetworkProfile): RowOwner {
  const { carrierId } = point.criteria;
  if (carrierId !== undefined && profile.hostCarrierIds.has(carrierId)) return "host";
  const said = point.provider ?? point.name;
  if (isHostName(said, profile)) return "host";
  const compared = comparable(said, profile.network);
  return compared.distinctive.length === 0 && point.provider === null ? "nobody" : "other";
}

function scoreOf(
  use: Use,
  point: AccessPoint,
  owner: RowOwner,
  votes: Votes,
  profile: NetworkProfile,
): number {
  let score = owner === "host" ? WEIGHT.hostNamed : owner === "other" ? WEIGHT.otherNamed : 0;
  const { carrierId } = point.criteria;
  if (carrierId !== undefined) {
    score += profile.hostCarrierIds.has(carrierId) ? WEIGHT.hostCarrierId : WEIGHT.otherCarrierId;
  }
  score += preferenceFor(point, profile);
  const bySource = votes.get(point.apn.toLowerCase());
  if (bySource && bySource.size > 1) score += WEIGHT.agreed;
  score += WEIGHT.repeated * Math.min(3, (bySource?.get(point.source.name) ?? 1) - 1);
  if (!point.shown) score += WEIGHT.hidden;
  if (point.wifiOnly) score += WEIGHT.wifiOnly;
  if (point.protocol === "ipv4v6" || point.protocol === "ipv6") score += WEIGHT.dualStack;
  if (point.plan === "postpaid") score += WEIGHT.postpaid;
  if (point.plan === "prepaid") score += WEIGHT.prepaid;
  const text = `${point.name} ${point.apn}`;
  for (const [pattern, weight] of use === "mms" ? MMS_WORDS : INTERNET_WORDS) {
    if (pattern.test(text)) score += weight;
  }
  return use === "internet" ? score + internetShape(point) : score;
}

function internetShape(point: AccessPoint): number {
  let score = 0;
  if (NEVER_INTERNET.test(point.apn)) score += NEVER_INTERNET_WEIGHT;
  if (point.proxy !== null) score += WEIGHT.wapProxy;
  if (point.uses.includes("ia")) score += WEIGHT.initialAttach;
  if (point.uses.includes("mms")) score += WEIGHT.severalUses;
  return score;
}

/** The carrier list names the APNs by which some carriers' subscribers are known: a strong word for or against. */
function preferenceFor(point: AccessPoint, profile: NetworkProfile): number {
  const apn = point.apn.toLowerCase();
  const preferring = profile.rules.filter((rule) =>
    rule.preferredApns.some((one) => one.toLowerCase() === apn),
  );
  if (preferring.length === 0) return 0;
  return preferring.some((rule) => profile.hostCarrierIds.has(rule.carrierId))
    ? WEIGHT.preferredByHost
    : WEIGHT.preferredByOther;
}

/** Do a row's names say it is one of these carriers'? */
export function rowSpeaksOf(point: AccessPoint, names: readonly string[], profile: NetworkProfile): boolean {
  const said = [point.provider, point.name].flatMap((one) => (one ? [comparable(one, profile.network)] : []));
  return names.some((name) => {
    const company = comparable(name, profile.network);
    return said.some((one) => speaksOf(one, company));
  });
}
