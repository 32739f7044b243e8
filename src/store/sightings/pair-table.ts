/**
 * A table of known pairs of SIM and handset in typed arrays: 32 octets a place, 38 to 47 a pair, so that ten millions fit
 * where objects would hold a million. A pair is found by the blind index of its IMSI, which its operator is bound into.
 *
 *   index of the IMSI | segment: 10 bits | ... | its first 64 bits are the key; place = the lower 32, folded into the segment
 *   segment           | places side by side, probed one after another; it alone grows, by a quarter, so that no growth halts the program
 *
 * Handset and number stand in it by 32 bits of their blind indexes: one of 4,000 million moves would be taken for no move.
 * Operator, network and names of the SIM are places in a list of those that occur.
 */

const SEGMENTS = 1_024;
const SEGMENT_SHIFT = 22;
const FIRST_PLACES = 16;
const GROWTH = 1.25;
const FULL = 0.85;
/** Stands for no number; a number whose bits happen to be this has the next ones. */
export const NO_NUMBER = 0;

/** State of a place. From FIRST_EPOCH on it is the epoch in which what stands there was true. */
const EMPTY = 0;
const OUTDATED = 1;
const FIRST_EPOCH = 2;
const LAST_EPOCH = 255;

/** What is known of one SIM. */
export type PairFacts = {
  readonly imei: number;
  readonly number: number;
  /** Places in lists: of operators, networks and names. */
  readonly operator: number;
  readonly network: number;
  readonly names: number;
};

type Segment = {
  count: number;
  readonly places: number;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly imei: Uint32Array;
  readonly number: Uint32Array;
  readonly operator: Uint16Array;
  readonly network: Uint16Array;
  readonly names: Uint16Array;
  /** Times in steps of TIME_STEP_MS since the table's zero. */
  readonly written: Uint32Array;
  readonly seen: Uint32Array;
  /** Milliseconds of `seen` beyond its step. */
  readonly rest: Uint8Array;
  readonly state: Uint8Array;
};

/** 32 bits of these are four years: what was seen longer before the table was made than one year is as if never seen. */
const TIME_STEP_MS = 1_000 / 32;
const YEAR_MS = 365 * 86_400_000;
const TIME_MAX = 2 ** 32 - 1;

const stepsOf = ({ zeroMs }: Table, ms: number): number =>
  Math.min(TIME_MAX, Math.max(0, Math.floor((ms - zeroMs) / TIME_STEP_MS)));
/** The first millisecond of a step. */
const msOf = ({ zeroMs }: Table, steps: number): number =>
  steps === 0 ? 0 : Math.ceil(zeroMs + steps * TIME_STEP_MS);
const seenMsAt = (table: Table, { seen, rest }: Segment, at: number): number =>
  msOf(table, at32(seen, at)) + at32(rest, at);

/** The first 64 bits of a blind index. */
export type PairKey = { readonly high: number; readonly low: number };

export const keyAt = (index: Uint8Array, at = 0): PairKey => ({
  high: wordAt(index, at),
  low: wordAt(index, at + 4),
});

export const wordAt = (octets: Uint8Array, at: number): number =>
  ((octets[at] ?? 0) * 0x1000000 +
    (((octets[at + 1] ?? 0) << 16) | ((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0))) >>>
  0;

/** When a SIM was seen last, and where. */
export type LastSeen = PairKey &
  Pick<PairFacts, "operator" | "imei" | "network"> & { readonly seenMs: number };

export type PairTable = {
  readonly size: number;
  /** What is true of the SIM now, as far as is known; undefined: ask. */
  known(key: PairKey): PairFacts | undefined;
  /** When it was seen last in this handset, else 0, whether what is known of it still holds or not. */
  seenMs(key: PairKey, imei: number): number;
  /** Seen again in the handset that it is known in. */
  see(key: PairKey, seenMs: number): void;
  /** False: there is no room for another. `writtenMs` is the last time that is on disk. */
  know(key: PairKey, facts: PairFacts, writtenMs: number): boolean;
  /** It may be otherwise by now. Answers what was known until now, and when it was seen last. */
  doubt(key: PairKey): LastSeen | undefined;
  /** All may be otherwise by now. */
  doubtAll(): void;
  /** Of segment `at`, those that were seen longer after what is on disk than `graceMs`; until it is told that they were written. */
  unwritten(at: number, graceMs: number): LastSeen[];
  wrote(pair: LastSeen): void;
  /** Those that are known, and were seen at this moment or later. */
  seenSince(ms: number): LastSeen[];
  octets(): number;
};

export const PAIR_SEGMENTS = SEGMENTS;

type Table = {
  readonly segments: Segment[];
  readonly max: number;
  readonly zeroMs: number;
  epoch: number;
  size: number;
};

/** @param max pairs that it takes; `nowMs` is when it is made */
export function createPairTable(max: number, nowMs: number): PairTable {
  const table: Table = {
    segments: Array.from({ length: SEGMENTS }, () => newSegment(FIRST_PLACES)),
    max,
    zeroMs: Math.floor(nowMs) - YEAR_MS,
    epoch: FIRST_EPOCH,
    size: 0,
  };
  return {
    get size() {
      return table.size;
    },
    known: (key) => known(table, key),
    seenMs: (key, imei) => seenMs(table, key, imei),
    see: (key, ms) => see(table, key, ms),
    know: (key, facts, writtenMs) => know(table, key, facts, writtenMs),
    doubt: (key) => doubt(table, key),
    doubtAll: () => doubtAll(table),
    unwritten: (at, graceMs) => unwritten(table, at, graceMs),
    wrote: (pair) => wrote(table, pair),
    seenSince: (ms) => seenSince(table, ms),
    octets: () => table.segments.reduce((sum, { high }) => sum + high.buffer.byteLength, 0),
  };
}

const PLACE_OCTETS = 32;

/** Columns of four octets first, so that each begins where its kind may. */
function newSegment(places: number): Segment {
  const octets = new ArrayBuffer(places * PLACE_OCTETS);
  const words = (column: number) => new Uint32Array(octets, column * places * 4, places);
  const halves = (column: number) => new Uint16Array(octets, places * 24 + column * places * 2, places);
  return {
    count: 0,
    places,
    high: words(0),
    low: words(1),
    imei: words(2),
    number: words(3),
    written: words(4),
    seen: words(5),
    operator: halves(0),
    network: halves(1),
    names: halves(2),
    rest: new Uint8Array(octets, places * 30, places),
    state: new Uint8Array(octets, places * 31, places),
  };
}

function segmentAt({ segments }: Table, at: number): Segment {
  const segment = segments[at];
  if (!segment) throw new RangeError(`segment ${at} of ${SEGMENTS}`);
  return segment;
}

const segmentOf = (table: Table, { high }: PairKey): Segment => segmentAt(table, high >>> SEGMENT_SHIFT);

/** Where the key stands, or else the empty place where it would. */
function placeOf({ places, high, low, state }: Segment, key: PairKey): number {
  let at = Math.floor((key.low / 2 ** 32) * places);
  while (state[at] !== EMPTY && (low[at] !== key.low || high[at] !== key.high))
    at = at + 1 < places ? at + 1 : 0;
  return at;
}

/** A place of the arrays, which have all the same length. */
const at32 = (array: Uint32Array | Uint16Array | Uint8Array, at: number): number => array[at] ?? 0;

function known(table: Table, key: PairKey): PairFacts | undefined {
  const segment = segmentOf(table, key);
  const at = placeOf(segment, key);
  return segment.state[at] === table.epoch ? factsAt(segment, at) : undefined;
}

const factsAt = (segment: Segment, at: number): PairFacts => ({
  imei: at32(segment.imei, at),
  number: at32(segment.number, at),
  operator: at32(segment.operator, at),
  network: at32(segment.network, at),
  names: at32(segment.names, at),
});

function seenMs(table: Table, key: PairKey, imei: number): number {
  const segment = segmentOf(table, key);
  const at = placeOf(segment, key);
  return segment.state[at] !== EMPTY && segment.imei[at] === imei ? seenMsAt(table, segment, at) : 0;
}

function see(table: Table, key: PairKey, ms: number): void {
  const segment = segmentOf(table, key);
  const at = placeOf(segment, key);
  if (segment.state[at] !== EMPTY && ms > seenMsAt(table, segment, at)) writeSeen(table, segment, at, ms);
}

function writeSeen(table: Table, segment: Segment, at: number, ms: number): void {
  const steps = stepsOf(table, ms);
  segment.seen[at] = steps;
  segment.rest[at] = steps === 0 ? 0 : Math.min(TIME_STEP_MS, Math.max(0, ms - msOf(table, steps)));
}

/** On disk by now. */
function wrote(table: Table, { seenMs, ...pair }: LastSeen): void {
  const segment = segmentOf(table, pair);
  const at = placeOf(segment, pair);
  if (segment.state[at] === EMPTY || segment.imei[at] !== pair.imei) return;
  segment.written[at] = Math.max(at32(segment.written, at), stepsOf(table, seenMs));
}

function know(table: Table, key: PairKey, facts: PairFacts, writtenMs: number): boolean {
  const segment = segmentOf(table, key);
  const at = placeOf(segment, key);
  const written = stepsOf(table, writtenMs);
  const isNew = segment.state[at] === EMPTY;
  if (isNew && (table.size >= table.max || segment.count + 1 > segment.places * FULL)) {
    if (table.size >= table.max) return false;
    grow(table, key.high >>> SEGMENT_SHIFT);
    return know(table, key, facts, writtenMs);
  }
  const seenBefore = !isNew && segment.imei[at] === facts.imei ? seenMsAt(table, segment, at) : 0;
  segment.high[at] = key.high;
  segment.low[at] = key.low;
  segment.imei[at] = facts.imei;
  segment.number[at] = facts.number;
  segment.operator[at] = facts.operator;
  segment.network[at] = facts.network;
  segment.names[at] = facts.names;
  segment.written[at] = written;
  writeSeen(table, segment, at, Math.max(seenBefore, writtenMs));
  segment.state[at] = table.epoch;
  if (isNew) {
    segment.count++;
    table.size++;
  }
  return true;
}

function doubt(table: Table, key: PairKey): LastSeen | undefined {
  const segment = segmentOf(table, key);
  const at = placeOf(segment, key);
  if (segment.state[at] === EMPTY) return undefined;
  const wasKnown = segment.state[at] === table.epoch;
  segment.state[at] = OUTDATED;
  return wasKnown ? lastSeenAt(table, segment, at) : undefined;
}

const lastSeenAt = (table: Table, segment: Segment, at: number): LastSeen => ({
  high: at32(segment.high, at),
  low: at32(segment.low, at),
  operator: at32(segment.operator, at),
  imei: at32(segment.imei, at),
  network: at32(segment.network, at),
  seenMs: seenMsAt(table, segment, at),
});

/** Another epoch; when they are used up all places are gone through once. */
function doubtAll(table: Table): void {
  if (table.epoch < LAST_EPOCH) {
    table.epoch++;
    return;
  }
  for (const { state, places } of table.segments)
    for (let at = 0; at < places; at++) if (state[at] !== EMPTY) state[at] = OUTDATED;
  table.epoch = FIRST_EPOCH;
}

function unwritten(table: Table, segmentNumber: number, graceMs: number): LastSeen[] {
  const segment = segmentAt(table, segmentNumber);
  const { places, state, seen, written } = segment;
  const grace = graceMs / TIME_STEP_MS;
  const found: LastSeen[] = [];
  for (let at = 0; at < places; at++) {
    if (state[at] === EMPTY || at32(seen, at) - at32(written, at) <= grace) continue;
    found.push(lastSeenAt(table, segment, at));
  }
  return found;
}

function seenSince(table: Table, ms: number): LastSeen[] {
  const steps = stepsOf(table, ms);
  const found: LastSeen[] = [];
  for (const segment of table.segments)
    for (let at = 0; at < segment.places; at++)
      if (segment.state[at] === table.epoch && at32(segment.seen, at) >= steps)
        found.push(lastSeenAt(table, segment, at));
  return found;
}

function grow(table: Table, at: number): void {
  const before = segmentAt(table, at);
  const after = newSegment(Math.ceil(before.places * GROWTH) + 1);
  for (let from = 0; from < before.places; from++) {
    if (before.state[from] === EMPTY) continue;
    const to = placeOf(after, { high: at32(before.high, from), low: at32(before.low, from) });
    for (const column of COLUMNS) after[column][to] = at32(before[column], from);
  }
  after.count = before.count;
  table.segments[at] = after;
}

const COLUMNS = [
  "high",
  "low",
  "imei",
  "number",
  "operator",
  "network",
  "names",
  "written",
  "seen",
  "rest",
  "state",
] as const;
