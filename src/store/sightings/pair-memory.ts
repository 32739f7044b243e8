/**
 * What this server knows of SIMs without asking PostgreSQL: in which handset each is, and when it was seen there last. Most
 * sightings are answered from it.
 *
 *   asked, or filled at the start ── nobody was changing it meanwhile ── known ── a write of ours begins that can change it │
 *   word of a change by another server (migration 0032) │ a sighting says something new ── asked again
 *
 * It counts while this server hears the others: word of a change is here milliseconds behind its commit, and where none might
 * come for 0.8 s nothing is answered from memory. What was missed meanwhile may have been anything, so all is asked again.
 * A SIM that was answered from memory just before the word came is looked at again (`resight.ts`).
 *
 * In front of it stand the readings of texts that came lately, so that the same texts need no parsing and no hash. They are
 * true for ever and forgotten by age alone. Identifiers stand in them in clear, as in the requests that brought them.
 */
import { SIGHTING_SOURCES, type SightingInput } from "../../kernel/detection/sighting.ts";
import { type Recent, recent } from "../../term/collections.ts";
import { isOneOf } from "../../term/narrow.ts";
import { keyAt, type LastSeen, NO_NUMBER, type PairKey, type PairTable, wordAt } from "./pair-table.ts";

/** Readings kept, and as many again that are older: about 500 octets each. */
const MAX_READINGS = 50_000;
const LATELY = 131_071;
/** Lists of operators, networks and names: what comes later than this is asked for each time. */
const MAX_WORDS = 65_535;

/** The fields that must be as they were for a sighting to say the same again; the rest is time and source. */
const FIELDS = ["imei", "imeisv", "msisdn", "iccid", "gid1", "spn", "plmn", "appletHome"] as const;
type Told = Pick<SightingInput, (typeof FIELDS)[number]>;

/** What a sighting states of its SIM; null where it states nothing. */
type Stated = {
  readonly imsiIndex: Uint8Array;
  readonly imeiIndex: Uint8Array;
  readonly msisdnIndex: Uint8Array | null;
  readonly servingPlmn: string;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly iccid: string | null;
};
/** What the database has of a SIM and the handset where it is. */
type OnDisk = {
  readonly operatorId: string;
  readonly imsiIndex: Uint8Array;
  readonly imeiIndex: Uint8Array;
  readonly msisdnIndex: Uint8Array | null;
  readonly servingPlmn: string | null;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly hasIccid: boolean;
  readonly lastSeenMs: number;
};
type Ids = { readonly subscriberId: string; readonly deviceId: string };

/** A sighting's texts, read. */
type Reading = {
  readonly told: Told;
  readonly stated: Fingerprint;
  /** Whose they are, where that was asked for once: a pair keeps its ids. */
  readonly ids: Ids | undefined;
};
/** What a sighting states, as the table has it. */
type Fingerprint = Pick<Stated, "gid1" | "spn" | "servingPlmn"> & {
  readonly key: PairKey;
  readonly imei: number;
  readonly number: number | null;
  readonly hasIccid: boolean;
};

/** From when pairs are asked for until the answer was remembered. */
export type Asking = {
  /** The SIM was changing, or word of a change came, since the question: what the database answered may be of before. */
  isDoubtful(imsiIndex: Uint8Array): boolean;
  know(pair: OnDisk): void;
  end(): void;
};

export type PairMemory = {
  readonly size: number;
  /** What the pairs take of memory. */
  octets(): number;
  /** A sighting as it came, read before; undefined: read it. */
  readingOf(sim: string, input: SightingInput): Reading | undefined;
  /** Keeps what a sighting's texts mean, with the ids where the database was asked for them. */
  keep(sim: string, input: SightingInput, stated: Stated, ids?: Ids): void;
  /** The same for one that comes often: its second time within the last hundred thousand others. */
  keepOften(sim: string, input: SightingInput, stated: Stated): void;
  see(imsiIndex: Uint8Array, imeiIndex: Uint8Array, ms: number): void;
  /** It says nothing new, and is noted as seen; false: ask the database. */
  isUnchanged(stated: Stated, seenMs: number): boolean;
  /** The same of what was read before. */
  isStillUnchanged(reading: Reading, seenMs: number): boolean;
  /** When the SIM was last seen in this handset, where that may be newer than what is on disk; else 0. */
  seenMs(imsiIndex: Uint8Array, imeiIndex: Uint8Array): number;
  ask(): Asking;
  /** What is known of these SIMs counts no more, and is not learned again before the function that it returns was called. */
  change(imsiIndexes: readonly Uint8Array[]): () => void;
  /** Word that a SIM may be otherwise. Answers what was known of it until now. */
  hear(key: PairKey): LastSeen | undefined;
  /** All may be otherwise. Answers what was known of those that were seen at `sinceMs` or later. */
  doubtAll(sinceMs: number): LastSeen[];
  /** Of one part of the table (0 to PAIR_SEGMENTS - 1), what was seen longer than `graceMs` after what is on disk. */
  unwritten: PairTable["unwritten"];
  wrote: PairTable["wrote"];
  /** The words behind the numbers of a last seen. */
  operatorOf(seen: LastSeen): string;
  networkOf(seen: LastSeen): string;
};

/** An operator's SIM. */
export const simOf = (operatorId: string, imsi: string): string => `${operatorId} ${imsi}`;

type Names = { readonly gid1: string | null; readonly spn: string | null; readonly hasIccid: boolean };

type Memory = {
  readonly table: PairTable;
  readonly isHeard: () => boolean;
  readonly readings: Recent<string, Reading>;
  /** Keys of SIMs that came lately, each where its number falls. */
  readonly lately: Uint32Array;
  readonly operators: WordList<string>;
  readonly networks: WordList<string>;
  readonly names: WordList<Names>;
  /** How many writes are under way that change a SIM. */
  readonly changing: Map<string, number>;
  /** What was changing at any moment of each question that is under way. */
  readonly asked: Set<Set<string>>;
  /** How often all was doubted. */
  doubts: number;
};

/** `isHeard`: word of each change reaches this server in time. */
export function createPairMemory(table: PairTable, isHeard: () => boolean): PairMemory {
  const memory: Memory = {
    table,
    isHeard,
    readings: recent(MAX_READINGS),
    lately: new Uint32Array(LATELY),
    operators: wordList((word) => word),
    networks: wordList((word) => word),
    names: wordList(({ gid1, spn, hasIccid }) => `${gid1 ?? ""}\0${spn ?? ""}\0${hasIccid}`),
    changing: new Map(),
    asked: new Set(),
    doubts: 0,
  };
  return {
    get size() {
      return table.size;
    },
    octets: table.octets,
    readingOf: (sim, input) => readingOf(memory, sim, input),
    keep: (sim, input, stated, ids) => keep(memory, sim, input, { stated, ids }),
    keepOften(sim, input, stated) {
      if (comesOften(memory, keyAt(stated.imsiIndex))) keep(memory, sim, input, { stated, ids: undefined });
    },
    isUnchanged: (stated, seenMs) => isUnchanged(memory, fingerprintOf(stated), seenMs),
    isStillUnchanged: (reading, seenMs) => isUnchanged(memory, reading.stated, seenMs),
    see(imsiIndex, imeiIndex, ms) {
      const key = keyAt(imsiIndex);
      if (table.known(key)?.imei === wordAt(imeiIndex, 0)) table.see(key, ms);
    },
    seenMs: (imsiIndex, imeiIndex) => table.seenMs(keyAt(imsiIndex), wordAt(imeiIndex, 0)),
    ask: () => ask(memory),
    change: (imsiIndexes) => change(memory, imsiIndexes),
    hear(key) {
      for (const changed of memory.asked) changed.add(textOf(key));
      return table.doubt(key);
    },
    doubtAll(sinceMs) {
      const seen = table.seenSince(sinceMs);
      memory.doubts++;
      table.doubtAll();
      return seen;
    },
    unwritten: table.unwritten,
    wrote: table.wrote,
    operatorOf: ({ operator }) => memory.operators.wordAt(operator),
    networkOf: ({ network }) => memory.networks.wordAt(network),
  };
}

const textOf = ({ high, low }: PairKey): string => `${high} ${low}`;

function readingOf({ readings }: Memory, sim: string, input: SightingInput): Reading | undefined {
  const reading = readings.get(sim);
  return reading && saysTheSame(input, reading.told) ? reading : undefined;
}

function keep(
  { readings }: Memory,
  sim: string,
  input: SightingInput,
  { stated, ids }: { readonly stated: Stated; readonly ids: Ids | undefined },
): void {
  readings.set(sim, { told: copyOf(input), stated: fingerprintOf(stated), ids });
}

/** To keep each of a million SIMs that come in turn would cost more than to read them: none is there when it comes again. */
function comesOften({ lately }: Memory, { low }: PairKey): boolean {
  const at = low % lately.length;
  const isThere = lately[at] === low;
  lately[at] = low;
  return isThere;
}

const fingerprintOf = (stated: Stated): Fingerprint => ({
  key: keyAt(stated.imsiIndex),
  imei: wordAt(stated.imeiIndex, 0),
  number: stated.msisdnIndex && numberOf(stated.msisdnIndex),
  servingPlmn: stated.servingPlmn,
  gid1: stated.gid1,
  spn: stated.spn,
  hasIccid: stated.iccid !== null,
});

const numberOf = (index: Uint8Array | null): number =>
  index === null ? NO_NUMBER : Math.max(NO_NUMBER + 1, wordAt(index, 0));

/** What the sighting does not state is no change. A network of before is looked at with the others: it may be late. */
function isUnchanged(memory: Memory, stated: Fingerprint, seenMs: number): boolean {
  const facts = memory.isHeard() ? memory.table.known(stated.key) : undefined;
  if (facts === undefined || facts.imei !== stated.imei) return false;
  if (memory.networks.wordAt(facts.network) !== stated.servingPlmn) return false;
  if (stated.number !== null && stated.number !== facts.number) return false;
  const { gid1, spn, hasIccid } = memory.names.wordAt(facts.names);
  if (stated.gid1 !== null && stated.gid1 !== gid1) return false;
  if (stated.spn !== null && stated.spn !== spn) return false;
  if (stated.hasIccid && !hasIccid) return false;
  memory.table.see(stated.key, seenMs);
  return true;
}

function ask(memory: Memory): Asking {
  const { doubts } = memory;
  const changed = new Set(memory.changing.keys());
  memory.asked.add(changed);
  const isDoubtful = (key: PairKey): boolean =>
    doubts !== memory.doubts || (changed.size > 0 && changed.has(textOf(key)));
  return {
    isDoubtful: (imsiIndex) => isDoubtful(keyAt(imsiIndex)),
    know(pair) {
      const key = keyAt(pair.imsiIndex);
      if (isDoubtful(key)) return;
      const operator = memory.operators.placeOf(pair.operatorId);
      const network = memory.networks.placeOf(pair.servingPlmn ?? "");
      const { gid1, spn, hasIccid } = pair;
      const names = memory.names.placeOf({ gid1, spn, hasIccid });
      if (operator === undefined || network === undefined || names === undefined) return;
      const imei = wordAt(pair.imeiIndex, 0);
      const number = numberOf(pair.msisdnIndex);
      memory.table.know(key, { imei, number, operator, network, names }, pair.lastSeenMs);
    },
    end: () => void memory.asked.delete(changed),
  };
}

function change({ table, changing, asked }: Memory, imsiIndexes: readonly Uint8Array[]): () => void {
  const keys = imsiIndexes.map((index) => keyAt(index));
  for (const key of keys) {
    const text = textOf(key);
    changing.set(text, (changing.get(text) ?? 0) + 1);
    table.doubt(key);
    for (const changed of asked) changed.add(text);
  }
  return () => {
    for (const text of keys.map(textOf)) {
      const left = (changing.get(text) ?? 0) - 1;
      if (left > 0) changing.set(text, left);
      else changing.delete(text);
    }
  };
}

/** Each field stands as it stood when it was read, and its source is one that there is. */
const saysTheSame = (input: SightingInput, told: Told): boolean =>
  FIELDS.every((field) => input[field] === told[field]) &&
  (input.source === undefined || isOneOf(SIGHTING_SOURCES, input.source));

/** A text cut out of a request's body would keep the whole body, so each is copied. */
function copyOf(input: SightingInput): Told {
  const told: { -readonly [field in keyof Told]: Told[field] } = {};
  for (const field of FIELDS) {
    const text = input[field];
    if (typeof text === "string") told[field] = Buffer.from(text).toString() as never; // a text of the same field
  }
  return told;
}

/** Words by number, each once. */
type WordList<Word> = {
  /** Undefined where the list is full. */
  placeOf(word: Word): number | undefined;
  /** @throws RangeError: no such place was ever answered */
  wordAt(place: number): Word;
};

function wordList<Word>(textOfWord: (word: Word) => string): WordList<Word> {
  const places = new Map<string, number>();
  const words: Word[] = [];
  return {
    placeOf(word) {
      const text = textOfWord(word);
      const place = places.get(text);
      if (place !== undefined || words.length > MAX_WORDS) return place;
      places.set(text, words.length);
      return words.push(word) - 1;
    },
    wordAt(place) {
      const word = words[place];
      if (word === undefined) throw new RangeError(`no word ${place} of ${words.length}`);
      return word;
    },
  };
}
