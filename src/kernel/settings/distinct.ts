/**
 * How many different ones there were, without keeping which: a HyperLogLog sketch of 256 registers (Flajolet et al. 2007), with linear
 * counting while few registers are filled. Exact or off by one up to some 20, then off by 6 % (1.04 / √256). What goes in are keyed
 * hashes; a register keeps the longest run of zero bits that came there, so no hash can be had back.
 */
const REGISTERS = 256;
/** Largest run that a register keeps: of 32 bits of the hash. */
const RUN_MAX = 33;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
const FEW = 2.5 * REGISTERS;

export const emptySketch = (): Uint8Array => new Uint8Array(REGISTERS);

/** The sketch with one more; `hash` has at least 5 octets, all of them spread evenly. */
export function withOne(sketch: Uint8Array, hash: Uint8Array): Uint8Array {
  const [at = 0, ...rest] = hash;
  const [a = 0, b = 0, c = 0, d = 0] = rest;
  const run = Math.min(RUN_MAX, Math.clz32((a << 24) | (b << 16) | (c << 8) | d) + 1);
  const next = sketch.slice();
  next[at] = Math.max(next[at] ?? 0, run);
  return next;
}

/** Of both together; one of another length, as a damaged row has, counts for nothing. */
export function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (other.length !== REGISTERS) return one;
  return one.map((run, at) => Math.max(run, other[at] ?? 0));
}

export function countOf(sketch: Uint8Array): number {
  if (sketch.length !== REGISTERS) return 0;
  let sum = 0;
  let empty = 0;
  for (const run of sketch) {
    sum += 2 ** -run;
    if (run === 0) empty++;
  }
  const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
  const isFew = estimate <= FEW && empty > 0;
  return Math.round(isFew ? REGISTERS * Math.log(REGISTERS / empty) : estimate);
}
