/**
 * Patterns of cloned identities and of subscription fraud (US 6,647,260, column 1; R39), each with what was seen and
 * the limit that it went over. What is found stops the request; what is told names no person and no number.
 */
import type { AccountFacts, Appearance } from "../account/account-facts.ts";
import type { FraudLimits } from "./registration-policy.ts";

const FRAUD_PATTERNS = [
  "cloned_device",
  "cloned_sim",
  "many_sims_in_device",
  "card_testing",
  "card_on_many_accounts",
  "document_on_many_accounts",
  "many_accounts_from_device",
  "many_requests",
] as const;
export type FraudPattern = (typeof FRAUD_PATTERNS)[number];

export type FraudFinding = {
  readonly pattern: FraudPattern;
  /** What was counted or measured, against its limit. */
  readonly saw: number;
  readonly limit: number;
  /** Places and the like, for whoever looks into it. */
  readonly detail: Readonly<Record<string, string | number>>;
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** How far back appearances must be known for these limits, in milliseconds. */
export const seenWindowMs = ({ twoPlacesMinutes }: FraudLimits): number =>
  Math.max(DAY_MS, twoPlacesMinutes * MINUTE_MS);

export function findFraud(facts: AccountFacts, limits: FraudLimits, now: Date): readonly FraudFinding[] {
  const found: FraudFinding[] = [];
  const over = (
    pattern: FraudPattern,
    saw: number,
    limit: number,
    detail: FraudFinding["detail"] = {},
  ): void => {
    if (saw > limit) found.push({ pattern, saw, limit, detail });
  };

  const clone = inTwoPlaces(facts.ofDevice, "subscriberId", limits);
  if (clone) found.push({ pattern: "cloned_device", ...clone });
  const sim = inTwoPlaces(facts.ofSubscriber, "deviceId", limits);
  if (sim) found.push({ pattern: "cloned_sim", ...sim });

  const dayAgo = now.getTime() - DAY_MS;
  const sims = new Set(
    facts.ofDevice
      .filter(({ lastSeenAt }) => lastSeenAt.getTime() >= dayAgo)
      .map(({ subscriberId }) => subscriberId),
  );
  over("many_sims_in_device", Math.max(0, sims.size - 1), limits.simsOfDeviceMax, {
    hours: DAY_MS / 3_600_000,
  });
  over("card_testing", facts.cardsTried, limits.cardsTriedMax);
  over("card_on_many_accounts", facts.cardAccounts, limits.cardAccountsMax);
  over("document_on_many_accounts", facts.documentAccounts, limits.documentAccountsMax);
  over("many_accounts_from_device", facts.deviceAccounts, limits.deviceAccountsMax);
  const requests = Math.max(facts.requestsOfDevice, facts.requestsOfSubscriber);
  over("many_requests", requests, limits.requestsMax, { hours: limits.requestWindowHours });
  return found;
}

/**
 * The same identity with two counterparts in two places, closer in time than anybody moves. Where one of the places is
 * not known, nothing is said: a SIM that changes its handset is daily life.
 */
function inTwoPlaces(
  appearances: readonly Appearance[],
  counterpart: "subscriberId" | "deviceId",
  limits: FraudLimits,
): Omit<FraudFinding, "pattern"> | undefined {
  const placeOf = ({ place }: Appearance): string | null =>
    place !== null && limits.place === "country" ? place.slice(0, MCC_DIGITS) : place;
  for (const [n, one] of appearances.entries()) {
    for (const other of appearances.slice(n + 1)) {
      const [here, there] = [placeOf(one), placeOf(other)];
      if (one[counterpart] === other[counterpart] || here === null || there === null || here === there)
        continue;
      const minutes = gapMs(one, other) / MINUTE_MS;
      if (minutes > limits.twoPlacesMinutes) continue;
      return {
        saw: Math.floor(minutes),
        limit: limits.twoPlacesMinutes,
        detail: { place: here, otherPlace: there },
      };
    }
  }
  return undefined;
}

const MCC_DIGITS = 3;

/** Between the end of the earlier stay and the beginning of the later; 0 where they overlap. */
function gapMs(one: Appearance, other: Appearance): number {
  const [first, second] = one.since <= other.since ? [one, other] : [other, one];
  return Math.max(0, second.since.getTime() - first.lastSeenAt.getTime());
}
