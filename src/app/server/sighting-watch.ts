/**
 * Watches the one path of sightings, whichever door they come by: which source tells how much and how late, which radios handsets are
 * seen on, how often numbers come that name no handset, and where two sources see one SIM in two handsets. It changes nothing of what becomes of a
 * sighting, and adds a note where a radio cannot be read.
 */
import {
  CONFLICT_WINDOW_MS,
  conflictIn,
  type SimSeen,
  type SourceConflict,
} from "../../kernel/detection/conflict.ts";
import { radioTypeIn } from "../../kernel/detection/radio-type.ts";
import { handsetOf, readSeenAt, readSource } from "../../kernel/detection/read-sighting.ts";
import type {
  Intake,
  SightingInput,
  SightingResult,
  SightingSource,
} from "../../kernel/detection/sighting.ts";
import { type ImeiClass, imeiClassOf } from "../../kernel/detection/special-imei.ts";
import type { DeviceStatements } from "../../store/sightings/device-statements.ts";
import type { SourceCounts } from "../../store/sightings/source-counts.ts";
import type { SourceTally } from "./source-measures.ts";

/** SIMs of an operator that moved lately, and so are watched; the first is let go where more move. */
const SIMS_WATCHED_MAX = 20_000;
/** The last sights of one of them. */
const SIGHTS_MAX = 16;
/** Of so many rows of a source one has its time looked at, the first among them: reading times costs more than counting. */
const LAG_LOOKED_AT = 8;
const IMEI_DIGITS = 14;
const SPECIAL_CODES: readonly string[] = ["imei_filler", "imei_test"];

/** Two sources that see a SIM in two handsets. */
export type FoundConflict = SourceConflict & { readonly operatorId: string; readonly imsi: string };

type WatchDeps = {
  readonly clock: () => Date;
  readonly counts: Pick<SourceCounts, "count">;
  readonly noteRadio: DeviceStatements["note"];
  /** A SIM came into a handset. */
  readonly onCame?: (operatorId: string, deviceId: string) => void;
  /** Of a row whose time was looked at. */
  readonly onLag?: (source: SightingSource, lagMs: number) => void;
};
type Row = {
  readonly operatorId: string;
  readonly source: SightingSource;
  readonly input: SightingInput;
  readonly result: SightingResult;
  readonly nowMs: number;
};

type SightingWatch = {
  watched(intake: Intake): Intake;
  /** What was found since it was asked last. */
  conflicts(): readonly FoundConflict[];
  /** What came since the start. */
  tallies(): ReadonlyMap<SightingSource, SourceTally>;
  /** Numbers among it that name no handset, by class. */
  specials(): ReadonlyMap<string, number>;
};

/** By operator and IMSI; who was touched last is the last to be let go. */
type Moving = Map<string, Map<string, { sights: readonly SimSeen[]; touchedMs: number }>>;
type Tally = { readonly outcomes: Map<string, number>; lastMs: number; timed: number };

export function createSightingWatch(deps: WatchDeps): SightingWatch {
  const tallies = new Map<SightingSource, Tally>();
  const specials = new Map<string, number>();
  const moving: Moving = new Map();
  const readRadio = radioReader();
  const found = new Map<string, FoundConflict>();
  const watch = (row: Row): SightingResult => {
    const tally = tallies.get(row.source) ?? { outcomes: new Map<string, number>(), lastMs: 0, timed: 0 };
    tallies.set(row.source, tally);
    count(deps, row, { tally, specials });
    if (row.result.outcome === "refused") return row.result;
    if ("orderId" in row.result) deps.onCame?.(row.operatorId, row.result.deviceId);
    watchSim(moving, found, row);
    return notingRadio(deps, row, readRadio);
  };
  return {
    watched: ({ accept }) => ({
      async accept(operatorId, sightings, ofAll, ids) {
        const nowMs = deps.clock().getTime();
        const results = await accept(operatorId, sightings, ofAll, ids);
        return results.map((result, at) => {
          const input = sightings[at];
          if (input === undefined) return result;
          const source = result.outcome === "refused" ? ofAll : readSource(input, ofAll);
          return watch({ operatorId, source, input, result, nowMs });
        });
      },
    }),
    conflicts() {
      const all = [...found.values()];
      found.clear();
      letGo(moving, deps.clock().getTime() - CONFLICT_WINDOW_MS);
      return all;
    },
    tallies: () => tallies,
    specials: () => specials,
  };
}

function count(
  { counts, onLag }: WatchDeps,
  { operatorId, source, input, result, nowMs }: Row,
  { tally, specials }: { readonly tally: Tally; readonly specials: Map<string, number> },
): void {
  const isRefused = result.outcome === "refused";
  const hasTime = !isRefused && input.seenAt !== undefined && tally.timed++ % LAG_LOOKED_AT === 0;
  const seenMs = hasTime ? readSeenAt(input.seenAt, nowMs, Number.POSITIVE_INFINITY) : null;
  const special = isRefused && SPECIAL_CODES.includes(result.code) ? specialOf(input) : null;
  tally.outcomes.set(result.outcome, (tally.outcomes.get(result.outcome) ?? 0) + 1);
  tally.lastMs = nowMs;
  if (special !== null) specials.set(special, (specials.get(special) ?? 0) + 1);
  if (seenMs !== null) onLag?.(source, Math.max(0, nowMs - seenMs));
  const isChanged = "orderId" in result;
  counts.count({ operatorId, source, receivedMs: nowMs, isChanged, isRefused, seenMs, special });
}

/** By the digits as they came: such a number is no IMEI that could be read. */
function specialOf({ imei, imeisv }: SightingInput): ImeiClass {
  const digits = (imeisv || imei || "").replace(/\D/g, "");
  const found = imeiClassOf(digits.slice(0, IMEI_DIGITS));
  return found === "ordinary" ? "run" : found; // refused for what stands behind its first digits
}

/** Rows of SIMs that moved lately, unchanged ones among them: those say who agrees. */
function watchSim(
  moving: Moving,
  found: Map<string, FoundConflict>,
  { operatorId, source, input, result, nowMs }: Row,
): void {
  const isMove = result.outcome === "sim_moved" || result.outcome === "late";
  if (!isMove && moving.size === 0) return;
  const imsi = /\D/.test(input.imsi ?? "") ? (input.imsi ?? "").replace(/\D/g, "") : (input.imsi ?? "");
  const sims: NonNullable<ReturnType<Moving["get"]>> = moving.get(operatorId) ?? new Map();
  const before = sims.get(imsi);
  if (!before && !isMove) return;
  const seenMs = readSeenAt(input.seenAt, nowMs, Number.POSITIVE_INFINITY);
  const handset = handsetOf(input).slice(0, IMEI_DIGITS);
  const sights = [...(before?.sights ?? []), { handset, source, seenMs }]
    .filter((one) => seenMs - one.seenMs <= CONFLICT_WINDOW_MS)
    .slice(-SIGHTS_MAX);
  const conflict = conflictIn(sights);
  sims.delete(imsi); // it is the last to be let go now
  // What was found is not found again by the next sight.
  sims.set(imsi, { sights: conflict ? sights.slice(-1) : sights, touchedMs: nowMs });
  moving.set(operatorId, sims);
  const [oldest] = sims.keys();
  if (sims.size > SIMS_WATCHED_MAX && oldest !== undefined) sims.delete(oldest);
  if (conflict && found.size < SIMS_WATCHED_MAX)
    found.set(`${operatorId} ${imsi}`, { ...conflict, operatorId, imsi });
}

/** SIMs of which nothing came since. */
function letGo(moving: Moving, sinceMs: number): void {
  for (const [operatorId, sims] of moving) {
    for (const [imsi, { touchedMs }] of sims) {
      if (touchedMs >= sinceMs) break;
      sims.delete(imsi);
    }
    if (sims.size === 0) moving.delete(operatorId);
  }
}

/** Few texts come again and again. */
const RADIO_TEXTS_MAX = 100;
function radioReader(): typeof radioTypeIn {
  const known = new Map<string, ReturnType<typeof radioTypeIn>>();
  return (text) => {
    if (known.has(text)) return known.get(text);
    const radio = radioTypeIn(text);
    if (known.size < RADIO_TEXTS_MAX) known.set(text, radio);
    return radio;
  };
}

function notingRadio(
  { noteRadio }: WatchDeps,
  { operatorId, input, result, nowMs }: Row,
  read: typeof radioTypeIn,
): SightingResult {
  if (input.radio === undefined || input.radio === "" || result.outcome === "refused") return result;
  const radio = read(input.radio);
  if (radio === undefined)
    return {
      ...result,
      notes: [...(result.notes ?? []), "radio is left out: it is no radio type that is known"],
    };
  const imei = input.imeisv || input.imei;
  if (radio !== "other" && imei) noteRadio({ operatorId, device: { imei }, radio, at: new Date(nowMs) });
  return result;
}
