/**
 * The time of day as the database has it, so that all servers on one database agree on when something is due, has lapsed or
 * was written, whatever their own clocks say, and a clock that somebody sets changes nothing here. Between two beats
 * (`change-channel.ts`) it goes on by the monotonic clock; while the database is away, too.
 *
 * It is never as exact as the way to the database is long; what differs by less than that is no step.
 */
import type { Beat } from "./change-channel.ts";

/** A difference below this is the way's, or the scheduler's. */
const STEP_MS = 100;

type DatabaseClock = {
  now(): Date;
  /** Takes up what a beat said. */
  set(beat: Beat): void;
};

/** `monotonicMs`: as the beats were measured. Before the first beat it is the time that `startMs` says. */
export function createDatabaseClock(
  monotonicMs: () => number = () => performance.now(),
  startMs: number = Date.now(),
): DatabaseClock {
  let offsetMs = startMs - monotonicMs();
  let isSet = false;
  return {
    now: () => new Date(offsetMs + monotonicMs()),
    set({ databaseMs, sentMs, answeredMs }) {
      const found = databaseMs - (sentMs + answeredMs) / 2;
      const errorMs = (answeredMs - sentMs) / 2;
      if (isSet && Math.abs(found - offsetMs) <= Math.max(STEP_MS, errorMs)) return;
      offsetMs = found;
      isSet = true;
    },
  };
}
