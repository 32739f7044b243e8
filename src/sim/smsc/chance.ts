/** Chance that a seed repeats: Mulberry32, enough for faults and delays. */

export interface Chance {
  /** 0 up to 1. */
  next(): number;
  /** True in the given part of cases, 0 to 1; a part of 0 asks nothing of the generator. */
  happens(part: number | undefined): boolean;
}

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, happens: (part) => part !== undefined && part > 0 && next() < part };
}
