/**
 * How long a test waits for what is under way: as long as anything moves. A busy machine makes all slow, and is no fault of the
 * product; what stands still is.
 */

/** Longer than any wait of the product that a test does not shorten: its leases are 60 s. */
export const STILL_LIMIT_MS = 75_000;

export type Patience = {
  /** What is seen now; another than before is a move. */
  see(state: string): void;
  /** For how long nothing moved, in ms. */
  stillMs(): number;
  isOver(): boolean;
};

export function patience(limitMs = STILL_LIMIT_MS): Patience {
  let last = "";
  let movedAt = performance.now();
  const stillMs = (): number => performance.now() - movedAt;
  return {
    see(state) {
      if (state === last) return;
      last = state;
      movedAt = performance.now();
    },
    stillMs,
    isOver: () => stillMs() > limitMs,
  };
}
