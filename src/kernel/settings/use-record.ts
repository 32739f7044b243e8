/**
 * What was seen of an access point in use: by how many SIMs of a network and a group of its SIMs, since when, and how often it
 * failed. The figures name nobody. They stand beside suggestions and decide nothing by themselves: a person confirms.
 */

/** Of one operator's SIMs; `plmn` is their home network, MCC and MNC run together. Numbers of SIMs are estimates from 10 on. */
export type UseRecord = {
  readonly plmn: string;
  /** As sightings said it; empty where none did. */
  readonly spn: string;
  readonly gid1: string;
  /** In lower case. */
  readonly apn: string;
  readonly subscribers: number;
  readonly sessions: number;
  readonly firstSeenAt: string | null;
  readonly lastSeenAt: string | null;
  readonly failedSubscribers: number;
  readonly failures: number;
  readonly lastFailedAt: string | null;
  /** Why it failed last, as the network or the order said it. */
  readonly lastFailure: string | null;
};

/** One SIM may use what somebody typed in; so many do not. */
const SUBSCRIBERS_FOR_PLACE = 3;

/** It failed for several SIMs, and for more than it worked for: one bad phone or a bad day takes no place. */
export const isFailing = ({ failedSubscribers, subscribers }: UseRecord): boolean =>
  failedSubscribers >= SUBSCRIBERS_FOR_PLACE && failedSubscribers > subscribers;

/** Seen in use by enough SIMs to stand above what volunteers collected. */
export const isProven = (record: UseRecord): boolean =>
  record.subscribers >= SUBSCRIBERS_FOR_PLACE && !isFailing(record);

/** A clause: what was seen of it; undefined where nothing was. */
export function useWords(record: UseRecord | undefined): string | undefined {
  if (!record) return undefined;
  const { subscribers, firstSeenAt, lastSeenAt, failedSubscribers, lastFailure, lastFailedAt } = record;
  const worked =
    subscribers === 0
      ? "no SIM was seen to use it"
      : `${sims(subscribers)} used it, since ${dayOf(firstSeenAt)}, last ${dayOf(lastSeenAt)}`;
  if (failedSubscribers === 0) return worked;
  return `${worked}; it failed for ${sims(failedSubscribers)}, last ${dayOf(lastFailedAt)} (${lastFailure ?? "no reason"})`;
}

const sims = (count: number): string => (count === 1 ? "1 SIM" : `${count} SIMs`);
const dayOf = (time: string | null): string => time?.slice(0, 10) ?? "an unknown day";

/** One record of all groups that are asked about together: SIMs are of one group each. */
export function together(records: readonly UseRecord[]): ReadonlyMap<string, UseRecord> {
  const byApn = new Map<string, UseRecord>();
  for (const one of records) {
    const known = byApn.get(one.apn);
    byApn.set(one.apn, known ? sumOf(known, one) : one);
  }
  return byApn;
}

function sumOf(one: UseRecord, other: UseRecord): UseRecord {
  const lastFailed = (other.lastFailedAt ?? "") > (one.lastFailedAt ?? "") ? other : one;
  return {
    ...one,
    subscribers: one.subscribers + other.subscribers,
    sessions: one.sessions + other.sessions,
    firstSeenAt: earlier(one.firstSeenAt, other.firstSeenAt),
    lastSeenAt: later(one.lastSeenAt, other.lastSeenAt),
    failedSubscribers: one.failedSubscribers + other.failedSubscribers,
    failures: one.failures + other.failures,
    lastFailedAt: lastFailed.lastFailedAt,
    lastFailure: lastFailed.lastFailure,
  };
}

const earlier = (one: string | null, other: string | null): string | null =>
  one === null || (other !== null && other < one) ? other : one;
const later = (one: string | null, other: string | null): string | null =>
  one === null || (other !== null && other > one) ? other : one;
