/**
 * Whether two sources see one SIM in two handsets at once: one of them is wrong, or two cards bear the number. A SIM that is tried in another
 * phone for a while is no conflict, since then both sources see it there.
 *
 *   at_once   two sources name two handsets within a minute: nobody moves a SIM faster
 *   between   a source that tells of every session names a handset before and after another source named another one, and never that one
 *
 * A source that asks at times and keeps the answer, or that speaks at changes, says nothing by what it does not name: it is a witness of
 * what it names alone (`sources.ts`).
 */
import { FORMER_HANDSET_MS } from "./clock-tolerance.ts";
import type { SightingSource } from "./sighting.ts";
import { provesAbsence } from "./sources.ts";

/** Where one source saw the SIM. */
export type SimSeen = {
  /** Any name of the handset, as long as it is one. */
  readonly handset: string;
  readonly source: SightingSource;
  readonly seenMs: number;
};

export const CONFLICT_RULES = ["at_once", "between"] as const;
export type SourceConflict = {
  readonly rule: (typeof CONFLICT_RULES)[number];
  readonly one: SimSeen;
  /** What another source says of the same time. */
  readonly other: SimSeen;
};

/** Sights further apart are not compared. */
export const CONFLICT_WINDOW_MS = 3_600_000;

/** The last one; null: all of it can be true. In whichever order they were told. */
export function conflictIn(told: readonly SimSeen[]): SourceConflict | null {
  const seen = [...told].sort((one, other) => one.seenMs - other.seenMs);
  let found: SourceConflict | null = null;
  for (const [at, one] of seen.entries())
    for (const other of seen.slice(at + 1)) {
      if (other.seenMs - one.seenMs > CONFLICT_WINDOW_MS) break;
      if (one.handset === other.handset || one.source === other.source) continue;
      if (other.seenMs - one.seenMs <= FORMER_HANDSET_MS) found = { rule: "at_once", one, other };
    }
  if (found) return found;
  const between = seen.flatMap((other) => {
    const one = contradicting(seen, other);
    return one ? [{ rule: "between", one, other } as const] : [];
  });
  return between.at(-1) ?? null;
}

/** What another source, which tells of every session, said before it, where it said the same behind it and never that handset. */
function contradicting(seen: readonly SimSeen[], { handset, source, seenMs }: SimSeen): SimSeen | undefined {
  const witnesses = seen.filter(
    (one) =>
      one.source !== source &&
      provesAbsence(one.source) &&
      Math.abs(one.seenMs - seenMs) <= CONFLICT_WINDOW_MS,
  );
  return witnesses.findLast((before) => {
    if (before.seenMs >= seenMs || before.handset === handset) return false;
    const same = witnesses.filter((one) => one.source === before.source);
    return same.every((one) => one.handset === before.handset) && same.some((one) => one.seenMs > seenMs);
  });
}
