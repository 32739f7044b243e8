/**
 * How far another machine's clock may differ from this server's (`clock.tolerance_seconds`): one meaning for whatever comes
 * with a time of its own.
 *
 * - A sighting, or a confirmation, may be dated this far ahead; a later one is refused, since it would shut out every true
 *   one after it.
 * - A confirmation may be dated this much before the order that it proves: it is of after the order was sent, by a clock
 *   that is behind.
 */
import { TurnupError } from "../../term/error.ts";

export const DEFAULT_CLOCK_TOLERANCE_MS = 10 * 60_000;

/**
 * Of what is dated before a SIM came into another handset, more than this may be the former handset's doing, however far
 * clocks may differ: nobody moves a SIM faster.
 */
export const FORMER_HANDSET_MS = 60_000;

/** @throws TurnupError `seen_in_future` */
export function refuseFuture(seenMs: number, nowMs: number, toleranceMs: number): void {
  if (seenMs <= nowMs + toleranceMs) return;
  throw new TurnupError(
    "seen_in_future",
    `seenAt is more than ${inWords(toleranceMs)} ahead of this server's clock.`,
    {
      nextStep: "Set the probe's clock, or allow for it with clock.tolerance_seconds.",
    },
  );
}

const inWords = (ms: number): string =>
  ms % 60_000 === 0 && ms > 0 ? `${ms / 60_000} minutes` : `${Math.round(ms / 1_000)} seconds`;
