/**
 * Whose a phone number is, as sightings tell it. A number is one SIM's at a time: seen with another SIM it is that one's from
 * then on, unless whoever had it was seen with it since. Times in ms since 1970.
 */

/** Whether a sighting tells which number its SIM has now: one older than the latest tells only which it once had. */
export const tellsNumber = (
  seenMs: number,
  sim: { readonly hasNumber: boolean; readonly lastSeenMs: number },
): boolean => !sim.hasNumber || seenMs >= sim.lastSeenMs;

/** Of two SIMs that were seen with one number, the one that was seen with it last has it; at the same moment, the second. */
export const outlasts = (seenMs: number, rivalMs: number | undefined): boolean =>
  rivalMs === undefined || seenMs >= rivalMs;

/** Whoever has a number by the books, when another SIM is seen with it. */
type HolderSeen = {
  /** When they were seen last themselves. */
  readonly lastSeenMs: number;
  /** Seen with another number in the same batch: this one is needed no more. */
  readonly hasAnother: boolean;
};

/** Seen since, they keep it. */
export const keepsNumber = ({ lastSeenMs, hasAnother }: HolderSeen, seenElsewhereMs: number): boolean =>
  !hasAnother && seenElsewhereMs < lastSeenMs;
