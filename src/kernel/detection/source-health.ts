/**
 * How a source of sightings fares, by its own habit: whether it has been silent for longer than it ever is, whether most of what it tells is
 * refused, whether it tells late. A nightly file that is silent all day is healthy, a gateway that is silent for ten minutes is not.
 */

import type { SightingSource } from "./sighting.ts";
import { isLive } from "./sources.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** Silent for so many times as long as it usually is. */
const SILENCES = 10;
/** Shorter ones are nobody's affair, however busy the source is. */
const SILENCE_MIN_MINUTES = 5;
/** Minutes in which something came, from which a habit can be told. */
const HABIT_MIN_MINUTES = 10;
/** Fewer rows in an hour are no ground to say that most are refused. */
const JUDGED_ROWS_MIN = 10;
/** Of a source that tells as it sees: what it tells is later than this, on average of the last hour. */
const LATE_MS = 5 * MINUTE_MS;

export const SOURCE_STATES = ["healthy", "silent", "refused", "late"] as const;
type SourceState = (typeof SOURCE_STATES)[number];

export type SourceFigures = {
  readonly source: SightingSource;
  readonly firstReceivedMs: number;
  readonly lastReceivedMs: number;
  /** Of the 24 hours before it was last heard: minutes in which something came. */
  readonly activeMinutes: number;
  /** Of the last hour. */
  readonly received: number;
  readonly refused: number;
  /** Between what was seen and its arrival, on average; null: nothing came with a time. */
  readonly lagMs: number | null;
};

export type SourceHealth = {
  readonly state: SourceState;
  /** A clause. */
  readonly reason: string;
};

export function healthOf(figures: SourceFigures, nowMs: number): SourceHealth {
  const { source, received, refused, lagMs } = figures;
  const silence = silenceOf(figures, nowMs);
  if (silence !== null) return { state: "silent", reason: silence };
  if (received >= JUDGED_ROWS_MIN && refused * 2 > received)
    return { state: "refused", reason: `${refused} of ${received} sightings of the last hour were refused` };
  if (lagMs !== null && lagMs > LATE_MS && isLive(source))
    return {
      state: "late",
      reason: `what came in the last hour was ${Math.round(lagMs / MINUTE_MS)} minutes old on average`,
    };
  return { state: "healthy", reason: "it tells as it usually does" };
}

/** Null: as usual, or too little came yet to tell what is usual. */
function silenceOf(
  { firstReceivedMs, lastReceivedMs, activeMinutes }: SourceFigures,
  nowMs: number,
): string | null {
  if (activeMinutes < HABIT_MIN_MINUTES) return null;
  const spanMinutes = Math.min(DAY_MINUTES, Math.floor((lastReceivedMs - firstReceivedMs) / MINUTE_MS) + 1);
  const usualMinutes = Math.max(1, spanMinutes / activeMinutes);
  const silentMinutes = Math.floor((nowMs - lastReceivedMs) / MINUTE_MS);
  if (silentMinutes < SILENCE_MIN_MINUTES || silentMinutes < usualMinutes * SILENCES) return null;
  return `nothing came for ${silentMinutes} minutes, where something usually comes every ${Math.round(usualMinutes)}`;
}
