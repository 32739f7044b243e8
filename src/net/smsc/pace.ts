/**
 * How fast submits leave: a token bucket under the operator's limit, and under it a limit that follows the centre.
 * ESME_RTHROTTLED and ESME_RMSGQFUL halve it and stop sending for a moment; every quiet second raises it by a
 * twentieth of the rate that was too much (additive increase, multiplicative decrease).
 */

const MIN_RATE_PER_SECOND = 1;
/** What may leave at once after a pause: the tokens of this long. */
const BURST_S = 0.05;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
const RAISE_EVERY_MS = 1_000;
const RAISE_PART = 0.05;

export class Pace {
  readonly #ceiling: number;
  #limit: number;
  #tokens: number;
  #refilledAt: number;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;
  #loweredAt = Number.NEGATIVE_INFINITY;
  #raisedAt: number;
  #step = 0;
  #countedSince: number;
  #counted = 0;

  /** `ratePerSecond` Infinity: no limit but the centre's. */
  constructor(ratePerSecond: number, now: number) {
    this.#ceiling = ratePerSecond;
    this.#limit = ratePerSecond;
    this.#tokens = this.#capacity();
    this.#refilledAt = now;
    this.#raisedAt = now;
    this.#countedSince = now;
  }

  get ratePerSecond(): number {
    return this.#limit;
  }

  /** May one message leave now? If so it is counted. */
  take(now: number): boolean {
    if (now < this.#pausedUntil) return false;
    if (this.#limit !== Number.POSITIVE_INFINITY) {
      this.#refill(now);
      if (this.#tokens < 1) return false;
      this.#tokens -= 1;
    }
    this.#counted += 1;
    return true;
  }

  /** How long until take() may say yes. */
  waitMs(now: number): number {
    const paused = this.#pausedUntil - now;
    if (paused > 0) return paused;
    return Math.max(0, ((1 - this.#tokens) / this.#limit) * 1000);
  }

  /** The centre said "too fast" to a message sent at `sentAt`. Only one sent since the last cut says something new. */
  congested(now: number, sentAt: number): void {
    if (sentAt <= this.#loweredAt) return;
    const elapsedS = Math.max(now - this.#countedSince, 1) / 1000;
    const seen = Math.max(this.#counted / elapsedS, MIN_RATE_PER_SECOND);
    const tooMuch = Math.min(this.#limit, seen);
    this.#limit = Math.max(MIN_RATE_PER_SECOND, tooMuch / 2);
    this.#step = Math.max(1, tooMuch * RAISE_PART);
    this.#tokens = Math.min(this.#tokens, 1);
    this.#refilledAt = now;
    this.#loweredAt = now;
    this.#raisedAt = now;
    this.#pausedUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
  }

  /** A message sent at `sentAt` was taken: the next cut pauses for the shortest time again. */
  accepted(sentAt: number): void {
    if (sentAt > this.#loweredAt) this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Called now and then: raises the limit when its time has come, starts a new count of what leaves. */
  tick(now: number): void {
    if (now - this.#countedSince >= RAISE_EVERY_MS) {
      this.#countedSince = now;
      this.#counted = 0;
    }
    if (this.#limit >= this.#ceiling || now - this.#raisedAt < RAISE_EVERY_MS) return;
    this.#refill(now);
    this.#raisedAt = now;
    this.#limit = Math.min(this.#ceiling, this.#limit + this.#step);
  }

  #refill(now: number): void {
    const earned = ((now - this.#refilledAt) / 1000) * this.#limit;
    this.#tokens = Math.min(this.#capacity(), this.#tokens + earned);
    this.#refilledAt = now;
  }

  #capacity(): number {
    return Math.max(1, this.#limit * BURST_S);
  }
}
