/** How often a key may do something: a count in a fixed window, for a bounded number of keys. */
export class Allowance {
  readonly #perWindow: number;
  readonly #windowMs: number;
  readonly #keysMax: number;
  #windows = new Map<string, { startMs: number; count: number }>();

  constructor(rule: { readonly perWindow: number; readonly windowMs: number; readonly keysMax: number }) {
    this.#perWindow = rule.perWindow;
    this.#windowMs = rule.windowMs;
    this.#keysMax = rule.keysMax;
  }

  /** Counts one; 0 where that was allowed, else the seconds until the window ends. */
  take(key: string, nowMs: number): number {
    const window = this.#windows.get(key);
    if (!window || nowMs - window.startMs >= this.#windowMs) {
      this.#forgetOldest(nowMs);
      this.#windows.delete(key); // to stand last again: the map is kept in order of start
      this.#windows.set(key, { startMs: nowMs, count: 1 });
      return this.#perWindow >= 1 ? 0 : this.#secondsLeft(nowMs, nowMs);
    }
    window.count++;
    return window.count <= this.#perWindow ? 0 : this.#secondsLeft(window.startMs, nowMs);
  }

  /** What was counted came to something good: it counts no more. */
  giveBack(key: string, nowMs: number): void {
    const window = this.#windows.get(key);
    if (window && window.count > 0 && nowMs - window.startMs < this.#windowMs) window.count--;
  }

  /** As `take` would answer, without counting. */
  secondsUntilAllowed(key: string, nowMs: number): number {
    const window = this.#windows.get(key);
    if (!window || nowMs - window.startMs >= this.#windowMs || window.count < this.#perWindow) return 0;
    return this.#secondsLeft(window.startMs, nowMs);
  }

  #secondsLeft(startMs: number, nowMs: number): number {
    return Math.max(1, Math.ceil((startMs + this.#windowMs - nowMs) / 1000));
  }

  /** Drops windows that ended, and the oldest one where the map is full. */
  #forgetOldest(nowMs: number): void {
    for (const [key, window] of this.#windows) {
      if (nowMs - window.startMs < this.#windowMs && this.#windows.size < this.#keysMax) return;
      this.#windows.delete(key);
    }
  }
}
