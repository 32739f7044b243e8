/**
 * Cards that are tried, and how long one waits before the next (card testing: a list of stolen numbers is run past a payment
 * provider to see which are good). A try counts for all that it comes from: session, phone number, device, the card itself, the
 * address, and the token of whoever enters cards for others. The first few are free; then each pause is twice the last.
 * Addresses and tokens are shared by many honest people, so only refused cards count for them.
 */
export const CARD_TRY_KINDS = ["session", "number", "device", "card", "address", "token"] as const;
export type CardTryKind = (typeof CARD_TRY_KINDS)[number];

/** Part of an operator's policy. */
export type CardTryLimits = {
  /** Tries without a pause, within the window, by what they count for. */
  readonly free: Readonly<Record<CardTryKind, number>>;
  readonly windowHours: number;
  /** The first pause; each try more doubles it, up to the longest. */
  readonly pauseSeconds: number;
  readonly longestPauseSeconds: number;
};
export const DEFAULT_CARD_TRY_LIMITS: CardTryLimits = {
  free: { session: 3, number: 3, device: 3, card: 3, address: 20, token: 20 },
  windowHours: 24,
  pauseSeconds: 60,
  longestPauseSeconds: 86_400,
};

/** Where a try comes from. */
export type TriedBy = { readonly kind: Exclude<CardTryKind, "card">; readonly key: string };

/** What was tried within the window. */
export type Tried = {
  readonly kind: CardTryKind;
  readonly tries: number;
  readonly refused: number;
  readonly lastAt: Date;
};
export type Pause = { readonly of: CardTryKind; readonly until: Date; readonly tries: number };

export type CardTry = {
  readonly operatorId: string;
  readonly by: readonly TriedBy[];
  /** Blind index of the card; the number is nowhere. */
  readonly card: Uint8Array;
  /** The same card under the same key is no further try, unless it was refused. */
  readonly idempotencyKey: string;
  readonly now: Date;
};

/** On storage that all nodes share. */
export interface CardTries {
  /** Counts a try before the payment provider hears of it, unless a pause holds: two at once never both take the last free one. */
  begin(
    one: CardTry,
  ): Promise<
    { readonly kind: "go"; readonly tryId: string } | { readonly kind: "pause"; readonly pause: Pause }
  >;
  /** `void`: the payment provider did not answer, which is nobody's try. */
  end(operatorId: string, tryId: string, outcome: "accepted" | "refused" | "void"): Promise<void>;
}

const REFUSED_ALONE: readonly CardTryKind[] = ["address", "token"];

/** How many of them count against the limit of their kind. */
const countedOf = ({ kind, tries, refused }: Tried): number =>
  REFUSED_ALONE.includes(kind) ? refused : tries;

/** The pause that ends last of those that hold now; null where the next card may be tried. */
export function pauseAfter(tried: readonly Tried[], limits: CardTryLimits, now: Date): Pause | null {
  const pauses = tried.flatMap((one): Pause[] => {
    const over = countedOf(one) - limits.free[one.kind];
    if (over < 0) return [];
    // 2 to the 30th seconds are longer than any pause: an exponent beyond it says nothing more.
    const seconds = Math.min(limits.pauseSeconds * 2 ** Math.min(over, 30), limits.longestPauseSeconds);
    const until = new Date(one.lastAt.getTime() + seconds * 1_000);
    return until > now ? [{ of: one.kind, until, tries: countedOf(one) }] : [];
  });
  return pauses.reduce<Pause | null>(
    (last, pause) => (last === null || pause.until > last.until ? pause : last),
    null,
  );
}
