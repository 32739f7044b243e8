/** Time and chance as the session sees them; a test gives its own. */

export interface Clock {
  /** Milliseconds that only go forward; not a time of day. */
  now(): number;
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (run, delayMs) => setTimeout(run, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout), // made by the line above
};
