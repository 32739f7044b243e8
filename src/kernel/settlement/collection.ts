/**
 * Sums that are collected from subscribers by the token which they left at sign-up, card or account alike (US 6,647,260, columns 3
 * and 5; R8): what is due with an order, and each further month of what is had by the month.
 *
 *   asked -> taken | refused | unknown
 *   asked -> waiting -> asked      refused for now: asked again, as another call
 *   taken -> partly_returned | returned -> taken      it came back (`collection-return.ts`); a person books what is paid otherwise
 *
 * Only the payment provider's own word makes one `taken`. `unknown` is one that it never answered: a person asks it, and books what
 * it says; by itself such a sum is never asked for again.
 */

export const COLLECTION_STATES = [
  "asked",
  "waiting",
  "taken",
  "refused",
  "unknown",
  "partly_returned",
  "returned",
] as const;
export type CollectionState = (typeof COLLECTION_STATES)[number];
export const COLLECTION_PURPOSES = ["order", "renewal"] as const;
export type CollectionPurpose = (typeof COLLECTION_PURPOSES)[number];

/** Refusals that another day may end: all others hold for good, and asking again only costs. */
const FOR_NOW: readonly string[] = [
  "insufficient_funds",
  "limit_exceeded",
  "issuer_unavailable",
  "try_again_later",
];

/** A month of what is had that is due to be collected. */
export type DueRenewal = {
  /** Of the row that says what is had. */
  readonly provisionedId: string;
  readonly orderId: string;
  readonly orderItemId: string;
  readonly since: Date;
  /** Months collected, or tried, before. */
  readonly renewals: number;
};

/** A sum that was refused for now, and is to be asked for again. */
export type DueRetry = {
  readonly id: string;
  readonly orderId: string;
  readonly orderItemId: string;
  readonly purpose: CollectionPurpose;
  readonly period: number;
  readonly attempt: number;
  readonly amountMinor: bigint;
  readonly currency: string;
};

/** When a refused sum is asked for again; null: not by itself. */
export function askedAgainAt(
  { retries, retryAfterHours }: { readonly retries: number; readonly retryAfterHours: number },
  refused: { readonly cause: string; readonly attempt: number },
  now: Date,
): Date | null {
  if (!FOR_NOW.includes(refused.cause) || refused.attempt > retries) return null;
  return new Date(now.getTime() + retryAfterHours * HOUR_MS);
}
const HOUR_MS = 3_600_000;

/** What a person is to do about a sum that ended without being taken. */
export const NEXT_ACTIONS = {
  refused: "see to it with the subscriber; nothing is asked for again by itself",
  returned:
    "see to it with the subscriber, and book it once it is paid: `turnup collection book`; nothing is asked for again by itself",
  unknown: "ask the payment provider whether it was taken, and book that: `turnup collection book`",
} as const;

/** A sum that is collected, and how it stands. */
export type CollectionStanding = {
  readonly id: string;
  readonly orderId: string;
  /** Of the catalog. */
  readonly catalogId: string;
  readonly purpose: CollectionPurpose;
  /** 0: what is due with the order; n: the n-th month after it. */
  readonly period: number;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly state: CollectionState;
  readonly attempt: number;
  readonly reason: string;
  readonly nextAction: string;
};

export type CollectionView = CollectionStanding & {
  readonly itemId: string;
  /** When a waiting one is asked for again. */
  readonly dueAt: string | null;
  readonly deadlineAt: string | null;
  /** What paid, or was to: `411111******1111`, `AT******3201`. */
  readonly meansMasked: string | null;
  /** The payment provider's own number of it. */
  readonly reference: string | null;
  /** What came back of it, why (AM04, AC04, MD06) and when it was told; 0 and null of most. */
  readonly returnedMinor: bigint;
  readonly returnCode: string | null;
  readonly returnedAt: string | null;
  /** What the subscriber owes of it now. */
  readonly owedMinor: bigint;
  readonly createdAt: string;
  readonly updatedAt: string;
};

/**
 * What is owed of a sum: of one that nobody knows about, all of it until somebody does; of one that came back in parts, what of them
 * was not paid otherwise since (`settledMinor`).
 */
export function owedOf({
  state,
  amountMinor,
  returnedMinor,
  settledMinor,
}: Pick<CollectionView, "state" | "amountMinor" | "returnedMinor"> & {
  readonly settledMinor: bigint;
}): bigint {
  if (state === "taken") return 0n;
  return state === "returned" || state === "partly_returned" ? returnedMinor - settledMinor : amountMinor;
}

/** What subscribers owe together, in one currency and state. */
export type OwedSum = {
  readonly currency: string;
  readonly state: CollectionState;
  readonly owedMinor: bigint;
  readonly sums: number;
};

/** Sums that are collected from subscribers; every call names its operator. */
export interface Collections {
  /** Newest first; `toSeeTo`: those of which a person has to see to. */
  list(
    operatorId: string,
    filter: {
      readonly state?: CollectionState | undefined;
      readonly orderId?: string | undefined;
      readonly toSeeTo?: boolean | undefined;
    },
    page: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly order?: "asc" | "desc" | undefined;
    },
  ): Promise<{ readonly rows: readonly CollectionView[]; readonly nextCursor: string | null }>;
  /** What is owed of all that was not taken, or came back. */
  owed(operatorId: string): Promise<readonly OwedSum[]>;
  /**
   * A person says what the payment provider told them of a sum that it never answered, or that one which was refused or came back
   * was paid otherwise.
   * @throws TurnupError `collection_not_found`, `collection_closed`
   */
  book(
    operatorId: string,
    id: string,
    said: {
      readonly outcome: "taken" | "not_taken";
      readonly reference?: string | undefined;
      readonly reason: string;
    },
    actor: string,
  ): Promise<CollectionView>;
}
