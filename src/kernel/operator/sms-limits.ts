/** How much of an operator's short messages may leave, wait and be spent, so that one operator of a server costs the others nothing. */

/** Null: no limit. */
export type SmsLimits = {
  /** Short messages (parts) a second that leave one server. */
  readonly perSecond: number | null;
  /** Messages that may wait at once; one more text is refused. */
  readonly waiting: number | null;
  /** Short messages (parts) a day, by UTC, that centres take: each of them costs. */
  readonly perDay: number | null;
};
export const NO_SMS_LIMITS: SmsLimits = { perSecond: null, waiting: null, perDay: null };

/** What an operator's messages come to. */
export type SmsSpend = {
  /** What it answers goes on counting what is admitted and handed over: many may ask at once, and each decides as it reads. */
  now(operatorId: string): Promise<{
    /** Parts that centres took today, as far as that is on disk. */
    readonly spent: number;
    /** Parts that this server handed over in the last seconds: perhaps not among them yet. */
    readonly lately: number;
    readonly waiting: number;
    readonly waitingParts: number;
  }>;
  /** Texts are accepted, and wait from now on. */
  admitted(operatorId: string, messages: number, parts: number): void;
  handedOver(operatorId: string, parts: number): void;
};

const DAY_MS = 86_400_000;
/** Where it is not certain yet that the day is spent. */
const UNSURE_MS = 15_000;

/** When a message of so many parts may go, if not now. */
export function heldUntil(
  perDay: number,
  { spent, lately }: { readonly spent: number; readonly lately: number },
  parts: number,
  now: Date,
): Date | undefined {
  if (spent + lately + parts <= perDay) return undefined;
  const nowMs = now.getTime();
  return spent + parts <= perDay
    ? new Date(nowMs + UNSURE_MS)
    : new Date((Math.floor(nowMs / DAY_MS) + 1) * DAY_MS);
}

/** Far below a lease with the time of a submit in it: nobody else takes up what waits so long in memory. */
export const PACED_MS_MAX = 30_000;

/** The slots in which an operator's parts leave, evenly. */
export class SmsPace {
  readonly #nextMs = new Map<string, number>();

  /** How long these wait for theirs; none is kept for what would wait longer than `PACED_MS_MAX`. */
  take(operatorId: string, perSecond: number, parts: number, nowMs: number): number {
    const atMs = Math.max(nowMs, this.#nextMs.get(operatorId) ?? 0);
    const waitMs = atMs - nowMs;
    if (waitMs <= PACED_MS_MAX) this.#nextMs.set(operatorId, atMs + (parts * 1_000) / perSecond);
    return waitMs;
  }
}
