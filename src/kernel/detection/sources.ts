/**
 * What each source of sightings tells, and so what its silence proves. A core asks an equipment register when a handset comes and then
 * keeps the answer for hours or days; an applet speaks when its handset changes. Of a handset that such a source does not name nothing
 * follows: it may be where it was. A gateway tells each session as it begins, goes on and ends: a handset that it names no more has none.
 */
import type { SightingSource } from "./sighting.ts";

const SOURCE_TELLS = {
  /** Sessions, from their beginning to their end. */
  radius: "presence",
  /** A question at times, whose answer the asker keeps. */
  s13: "questions",
  gsup: "questions",
  eir: "questions",
  /** Changes alone. */
  applet: "changes",
  /** What somebody chose to report: nobody here knows what was left out. */
  api: "reports",
  csv: "reports",
  simulator: "reports",
} as const satisfies Readonly<Record<SightingSource, string>>;
type SourceTells = (typeof SOURCE_TELLS)[SightingSource];
export const SOURCES_TELL = ["presence", "questions", "changes", "reports"] as const;

export const whatTells = (source: SightingSource): SourceTells => SOURCE_TELLS[source];

/** Whether a handset that the source names no more is there no more. */
export const provesAbsence = (source: SightingSource): boolean => SOURCE_TELLS[source] === "presence";

/** Those that tell what they see as they see it; the others may rightly bring yesterday's. */
export const isLive = (source: SightingSource): boolean => SOURCE_TELLS[source] !== "reports";
