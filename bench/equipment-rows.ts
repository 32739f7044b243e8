/** Made-up handsets of a register: each number names one, spread over many models as a country's are. */
const MODELS = 60_000;
const SERIALS = 1_000_000;
/** The first TAC; the others follow with gaps. */
const FIRST_TAC = 35_000_000;
/** A serial number is never next to the one before: a register holds the handsets that were sold in one country. */
const STEP = 37;

/** 14 digits as a number; handsets of a model stand together. */
export function handsetAt(number: number): number {
  const serial = Math.floor(number / MODELS);
  return (FIRST_TAC + (number % MODELS) * 11) * SERIALS + ((serial * STEP) % SERIALS);
}

/** Any number as one of those that there are. */
export const numberOf = (any: number, handsets: number): number => Math.abs(Math.floor(any)) % handsets;
