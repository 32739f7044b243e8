/**
 * What this server remembers of SIMs that it saw lately: when each was seen last, and, while no other server works on
 * the database, what is known of it, so that most sightings are answered without asking PostgreSQL.
 *
 *   asked ── known, and nobody was changing it meanwhile ── remembered ── another server joins │ a sighting says something
 *   new │ a write begins that can change it │ KNOWN_FOR_MS are over │ `last_seen_at` falls behind ── asked again
 *
 * Identifiers stand in it in clear, as in the requests that brought them; it is bounded, and on no disk.
 */
import { readSeenAt } from "../../kernel/detection/read-sighting.ts";
import {
  SIGHTING_SOURCES,
  type SightingInput,
  type SightingResult,
} from "../../kernel/detection/sighting.ts";
import { dropOldest } from "../../term/collections.ts";
import { isOneOf } from "../../term/narrow.ts";

/**
 * `last_seen_at` of an unchanged pair is written when it is older than this: a finer grain would cost a write a sighting.
 * What was seen since is remembered by the server that saw it, so that a late sighting is known as late; another server
 * may take one for a move that is late by less than this, and so may this one after a crash.
 */
export const LAST_SEEN_GRAIN_MS = 60_000;
/** A pair is looked up again after this, should the database have been changed by none of ours. */
const KNOWN_FOR_MS = 60_000;
/** About 500 octets each. */
const MAX_REMEMBERED_SIMS = 100_000;

/** The fields that must be as they were for a sighting to say nothing new; the rest is time and source. */
const FIELDS = ["imei", "imeisv", "msisdn", "iccid", "gid1", "spn", "plmn", "appletHome"] as const;
type Told = Pick<SightingInput, (typeof FIELDS)[number]>;

type KnownPair = {
  readonly subscriberId: string;
  readonly deviceId: string;
  /** As it is on disk. */
  readonly lastSeenMs: number;
};

type Known = {
  readonly told: Told;
  readonly answer: SightingResult;
  readonly lastSeenMs: number;
  readonly untilMs: number;
  /** The time alone in which it was asked for. */
  readonly alone: number;
};
type Seen = { readonly deviceId: string; ms: number; known: Known | undefined };

/** From when pairs are asked for until the answer was remembered. */
export type Asking = {
  know(sim: string, told: SightingInput, pair: KnownPair, nowMs: number): void;
  end(): void;
};

export type PairMemory = {
  /** What became of a sighting that says nothing new; undefined where the database has to be asked. */
  answerOf(sim: string, input: SightingInput, nowMs: number): SightingResult | undefined;
  /** When the SIM was last seen in this handset, where that may be newer than what is on disk; else 0. */
  seenMs(sim: string, deviceId: string): number;
  see(sim: string, deviceId: string, ms: number): void;
  ask(): Asking;
  /** What is known of these SIMs is forgotten, and not learned again before the function that it returns was called. */
  change(sims: ReadonlySet<string>): () => void;
};

/** An operator's SIM. */
export const simOf = (operatorId: string, imsi: string): string => `${operatorId} ${imsi}`;

type Memory = {
  readonly aloneSince: () => number | null;
  readonly clockToleranceMs: number | undefined;
  readonly sims: Map<string, Seen>;
  /** How many writes are under way that change a SIM. */
  readonly changing: Map<string, number>;
  /** What was changing at any moment of each question that is under way. */
  readonly asked: Set<Set<string>>;
};

/** `aloneSince` numbers the times without another server on the database, and is null while there is one. */
export function createPairMemory(
  aloneSince: () => number | null,
  clockToleranceMs?: number | undefined,
): PairMemory {
  const memory: Memory = {
    aloneSince,
    clockToleranceMs,
    sims: new Map(),
    changing: new Map(),
    asked: new Set(),
  };

  return {
    answerOf: (sim, input, nowMs) => answerOf(memory, sim, input, nowMs),
    seenMs(sim, deviceId) {
      const seen = memory.sims.get(sim);
      return seen?.deviceId === deviceId ? seen.ms : 0;
    },
    see: (sim, deviceId, ms) => void see(memory, sim, deviceId, ms),
    ask: () => ask(memory),
    change: (sims) => change(memory, sims),
  };
}

function answerOf(
  { sims, aloneSince, clockToleranceMs }: Memory,
  sim: string,
  input: SightingInput,
  nowMs: number,
): SightingResult | undefined {
  const seen = sims.get(sim);
  const known = seen?.known;
  if (seen === undefined || known === undefined) return undefined;
  if (known.alone !== aloneSince() || nowMs > known.untilMs || !saysTheSame(input, known.told)) {
    seen.known = undefined;
    return undefined;
  }
  const ms = timeOf(input, nowMs, clockToleranceMs);
  if (ms === undefined || ms - known.lastSeenMs > LAST_SEEN_GRAIN_MS) return undefined;
  if (ms > seen.ms) seen.ms = ms;
  return known.answer;
}

function see({ sims }: Memory, sim: string, deviceId: string, ms: number): Seen {
  const before = sims.get(sim);
  if (before?.deviceId === deviceId) {
    if (ms > before.ms) before.ms = ms;
    return before;
  }
  sims.delete(sim);
  const seen: Seen = { deviceId, ms, known: undefined };
  sims.set(sim, seen);
  dropOldest(sims, MAX_REMEMBERED_SIMS);
  return seen;
}

function ask(memory: Memory): Asking {
  const alone = memory.aloneSince();
  const changed = new Set(memory.changing.keys());
  memory.asked.add(changed);
  return {
    know(sim, told, { subscriberId, deviceId, lastSeenMs }, nowMs) {
      if (alone === null || alone !== memory.aloneSince() || changed.has(sim)) return;
      const seen = see(memory, sim, deviceId, 0);
      const answer: SightingResult = { outcome: "unchanged", subscriberId, deviceId };
      seen.known = {
        told: copyOf(told),
        answer,
        lastSeenMs,
        untilMs: nowMs + KNOWN_FOR_MS,
        alone,
      };
    },
    end: () => void memory.asked.delete(changed),
  };
}

/** What is known of these SIMs is forgotten, and not learned again before what it returns was called. */
function change({ sims, changing, asked }: Memory, of: ReadonlySet<string>): () => void {
  for (const sim of of) {
    changing.set(sim, (changing.get(sim) ?? 0) + 1);
    const seen = sims.get(sim);
    if (seen) seen.known = undefined;
    for (const changed of asked) changed.add(sim);
  }
  return () => {
    for (const sim of of) {
      const left = (changing.get(sim) ?? 0) - 1;
      if (left > 0) changing.set(sim, left);
      else changing.delete(sim);
    }
  };
}

/** Each field that is given stands as it stood when the pair was asked for, and one of them names the handset. */
function saysTheSame(input: SightingInput, told: Told): boolean {
  return (
    (input.imei === told.imei || input.imei === undefined) &&
    (input.imeisv === told.imeisv || input.imeisv === undefined) &&
    (input.imei !== undefined || input.imeisv !== undefined) &&
    input.plmn === told.plmn &&
    (input.msisdn === told.msisdn || input.msisdn === undefined) &&
    (input.iccid === told.iccid || input.iccid === undefined) &&
    (input.gid1 === told.gid1 || input.gid1 === undefined) &&
    (input.spn === told.spn || input.spn === undefined) &&
    (input.appletHome === told.appletHome || input.appletHome === undefined) &&
    (input.source === undefined || isOneOf(SIGHTING_SOURCES, input.source))
  );
}

/** Undefined where the time is to be refused with its reason. */
function timeOf(
  input: SightingInput,
  nowMs: number,
  clockToleranceMs: number | undefined,
): number | undefined {
  if (input.seenAt === undefined) return nowMs;
  try {
    return readSeenAt(input.seenAt, nowMs, clockToleranceMs);
  } catch {
    return undefined;
  }
}

/** An empty field says nothing. A text cut out of a request's body would keep the whole body, so each is copied. */
function copyOf(input: SightingInput): Told {
  const told: { -readonly [field in keyof Told]: Told[field] } = {};
  for (const field of FIELDS) {
    const text = input[field];
    if (text) told[field] = Buffer.from(text).toString() as never; // a text of the same field
  }
  return told;
}
