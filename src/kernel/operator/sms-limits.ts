/** How much of an operator's short messages may leave, wait and be spent, so that one operator of a server costs the others nothing. */

/** What a part costs, by the number that it goes to. */
export type SmsPrices = {
  /** ISO 4217. */
  readonly currency: string;
  /** Millionths of the currency's unit for a part, by how the number begins (the longest that fits), else of `default`. */
  readonly perPart: Readonly<Record<string, number>>;
};
export const DEFAULT_PRICE = "default";

/** Null: no limit. */
export type SmsLimits = {
  /** Short messages (parts) a second that leave one server. */
  readonly perSecond: number | null;
  /** Messages that may wait at once; one more text is refused. */
  readonly waiting: number | null;
  /** Short messages (parts) a day, by UTC, that centres take: each of them costs. */
  readonly perDay: number | null;
  /** What the parts that centres take may cost a day, by UTC, in millionths of the unit of the prices' currency. */
  readonly costMicrosPerDay: number | null;
  /** Null: what a part costs is not known, and not counted. */
  readonly prices: SmsPrices | null;
};
export const NO_SMS_LIMITS: SmsLimits = {
  perSecond: null,
  waiting: null,
  perDay: null,
  costMicrosPerDay: null,
  prices: null,
};

/** @param to E.164 digits, with or without `+` */
export function partCostMicros(prices: SmsPrices | null, to: string): number {
  if (!prices) return 0;
  const number = to.replace(/^\+/, "");
  for (let length = number.length; length > 0; length--) {
    const price = prices.perPart[number.slice(0, length)];
    if (price !== undefined) return price;
  }
  return prices.perPart[DEFAULT_PRICE] ?? 0;
}

/** `12.5 EUR` of 12,500,000 and EUR. */
export const costText = (micros: number, { currency }: Pick<SmsPrices, "currency">): string =>
  `${micros / 1_000_000} ${currency}`;

/** What an operator's messages come to. */
export type SmsSpend = {
  /** What it answers goes on counting what is admitted and handed over: many may ask at once, and each decides as it reads. */
  now(operatorId: string): Promise<{
    /** Parts that centres took today, as far as that is on disk. */
    readonly spent: number;
    /** What they cost. */
    readonly spentMicros: number;
    /** Parts that this server handed over in the last seconds: perhaps not among them yet. */
    readonly lately: number;
    readonly latelyMicros: number;
    readonly waiting: number;
    readonly waitingParts: number;
  }>;
  /** Texts are accepted, and wait from now on. */
  admitted(operatorId: string, messages: number, parts: number): void;
  handedOver(operatorId: string, parts: number, costMicros: number): void;
};

const DAY_MS = 86_400_000;
/** Where it is not certain yet that the day is spent. */
const UNSURE_MS = 15_000;

/** When a message of so many parts, or of such a cost, may go, if not now. */
export function heldUntil(
  perDay: number,
  { spent, lately }: { readonly spent: number; readonly lately: number },
  more: number,
  now: Date,
): Date | undefined {
  if (spent + lately + more <= perDay) return undefined;
  const nowMs = now.getTime();
  return spent + more <= perDay
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
