/**
 * How long an operator keeps what grows with every phone, and from which moment on it is put away: whole calendar months by
 * UTC, so that a month goes at once and for everybody at the same time. What went is still counted, by month.
 */

/** Sightings that changed something; the histories of orders; who changed what; SMS that were sent, with their text or settings. */
export const GROWN_KINDS = ["sightings", "events", "audit", "messages"] as const;
export type GrownKind = (typeof GROWN_KINDS)[number];
/** And people whose SIM no network sees any more (kernel/account/erasure.ts). */
export const RETAINED_KINDS = [...GROWN_KINDS, "people"] as const;
export type RetainedKind = (typeof RETAINED_KINDS)[number];

/** Whole months that are kept behind the present one; null: for ever. */
export type RetentionPolicy = Readonly<Record<RetainedKind, number | null>>;

/** Nothing goes unless somebody says so: an upgrade deletes nothing. */
export const KEEP_ALL: RetentionPolicy = {
  sightings: null,
  events: null,
  audit: null,
  messages: null,
  people: null,
};

/**
 * What other work still needs: where a SIM was seen last; what proved a fee while it may be disputed (120 days at most);
 * and so the messages that a fee is for; who changed what, for a year, so that nobody covers a trace by a policy.
 */
export const LEAST_MONTHS: Readonly<Record<RetainedKind, number>> = {
  sightings: 1,
  events: 6,
  audit: 12,
  messages: 6,
  people: 6,
};
export const MOST_MONTHS = 240;

/**
 * A message that has ended is put away so long after it expired: a centre tells late what became of an SMS that it tried until
 * then (TS 23.040 clause 9.2.3.12), and an order that went wrong is mostly taken up again within that time.
 */
export const MESSAGE_REST_DAYS = 30;
/** A key that somebody repeats within this sends nothing twice, whatever became of its message. */
export const MESSAGE_KEY_MONTHS = 13;

/** The first moment of a month by UTC, `months` after that of `at`; before it where negative. */
export const monthOf = (at: Date, months = 0): Date =>
  new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1));

/** What is older goes; null: nothing does. */
export const keptFrom = (months: number | null, now: Date): Date | null =>
  months === null ? null : monthOf(now, -months);

/** Of one month and one kind, how many entries there are: rows, or the events that rows hold. */
type MonthCount = { readonly month: string; readonly entries: number };

export type RetentionView = {
  readonly kind: RetainedKind;
  /** As the policy in force says. */
  readonly months: number | null;
  /** As was asked for this look, or else the policy's. */
  readonly askedMonths: number | null;
  /** What is older goes, or would; null: nothing. */
  readonly keptFrom: string | null;
  /** What goes, or would, by month ("2026-05"), oldest first. */
  readonly over: readonly MonthCount[];
  /** When the last putting away of this kind came to its end; null: none has. */
  readonly sweptAt: string | null;
};

export type MonthlyStatistic = {
  readonly month: string;
  /** Sightings: outcome, source, serving network. Events: kind, state. Audit: action. Messages: kind, state. People: home network. */
  readonly what: readonly string[];
  readonly count: number;
};

export interface Retention {
  /** What the policy puts away, or what `wanted` would: nothing is changed. */
  look(operatorId: string, wanted: Partial<RetentionPolicy>): Promise<readonly RetentionView[]>;
  /** What was put away, counted; `from` and `to` are months ("2026-05"), both included. */
  statistics(
    operatorId: string,
    asked: {
      readonly kind: RetainedKind;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
    },
  ): Promise<readonly MonthlyStatistic[]>;
}
