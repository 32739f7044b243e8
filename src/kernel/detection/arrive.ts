/**
 * What the arrival of a SIM in a handset does (US 11,109,201 Fig. 1:110; R74 to R76): which stay begins, goes on or ends, what
 * is kept as history, whether an order is opened, and whose the number is. `detect` says what was seen; here it is said what follows
 * from it.
 *
 *   | seen                                   | stay                  | history             | order                            |
 *   | the SIM, for the first time            | begins                | the sighting        | opened, unless one was asked for |
 *   | the SIM in another handset than before | ends; another begins  | the sighting        | opened                           |
 *   | the same, in one that it was in before | ends; that one begins | the sighting        | opened, or none: `returningPair` |
 *   | the same pair again                    | goes on               | none                | none                             |
 *   | a sighting older than the latest one   | unchanged             | sighting, new pairs | none                             |
 */
import { detect, type Stay } from "./sighting.ts";

type SeenPair = {
  readonly deviceId: string;
  readonly seenMs: number;
  /** Whether the SIM was seen in this handset at any time before. */
  readonly isKnown: boolean;
};

export type Arrival =
  /** `isLatest`: nobody saw the pair at a later time yet. */
  | { readonly kind: "unchanged"; readonly isLatest: boolean }
  /** The SIM was once in that handset; nothing is done about it. */
  | { readonly kind: "late"; readonly isNewPair: boolean }
  | {
      readonly kind: "first_registration" | "sim_moved";
      /** It was in another handset until now: that stay ends, and its open orders are left to the new one. */
      readonly leaves: boolean;
      /** It was in this handset before. */
      readonly isReturn: boolean;
    };

export function arrive(current: Stay | undefined, seen: SeenPair): Arrival {
  const kind = detect(current, seen);
  switch (kind) {
    case "unchanged":
      return { kind, isLatest: seen.seenMs > (current?.lastSeenMs ?? 0) };
    case "late":
      return { kind, isNewPair: !seen.isKnown };
    default:
      return { kind, leaves: current !== undefined, isReturn: seen.isKnown };
  }
}

/** One order for one arrival, unless the operator leaves SIMs alone that return to a handset they were in before. */
export const opensOrder = (
  { isReturn }: { readonly isReturn: boolean },
  { returningPair }: { readonly returningPair: "open" | "skip" },
): boolean => !isReturn || returningPair === "open";

// Whose a phone number is, as sightings tell it. A number is one SIM's at a time: seen with another SIM it is that one's from
// then on, unless whoever had it was seen with it since. Times in ms since 1970.

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
