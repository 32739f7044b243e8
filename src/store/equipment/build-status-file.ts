/**
 * Builds the sorted file of equipment statuses out of rows in any order, by an external merge sort: rows are gathered in memory, sorted
 * and laid down as runs beside the file, and the runs are merged into blocks. The file is put in place whole by a rename, so whoever
 * reads it has the one before or this one. A build that was cut off leaves its folder behind; the next one begins anew over it.
 *
 * Of two rows about one handset the stricter counts; a handset that stands alone before a range, a narrower range before a wider.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { readEquipmentLine } from "../../kernel/equipment/status-line.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf } from "../../term/narrow.ts";
import {
  encodeStatusHeader,
  FILE_STATUSES,
  type FileStatus,
  HEADER_CHECKED_OCTETS,
  HEADER_OCTETS,
  INDEX_ENTRY_OCTETS,
  putHeaderCrc,
  StatusBlockWriter,
} from "../../wire/equipment/status-file.ts";
import { flatten, type Range } from "./flat-ranges.ts";

/** Rows that are sorted at once: 32 MB. */
const RUN_ROWS = 4_000_000;
const RANGES_MAX = 100_000;
/** Of a run, read at once while runs are merged. */
const RUN_READ_ROWS = 16_384;
const WRITE_OCTETS = 1_048_576;
/** The program hears of an interruption now and then. */
const TURN_SEGMENTS = 200_000;
const FAULTS_TOLD_MAX = 20;
const LINE_OCTETS_MAX = 4_096;
/** A handset and its status in one: exact in a double, sorted by both. */
const STATUSES = 4; // one more than there are

export type BuildAsked = {
  readonly from: string;
  readonly to: string;
  /** Of rows that name none. */
  readonly status: FileStatus;
  readonly madeAtMs: number;
  readonly signal: AbortSignal;
  /** Octets of the file that is read, or handsets that are written. */
  readonly onProgress: (step: "read" | "merged", done: number, total: number | null) => void;
  readonly runRows?: number;
};
type Built = {
  readonly handsets: number;
  readonly ranges: number;
  readonly segments: number;
  readonly octets: number;
  /** SHA-256 of its blocks, hexadecimal. */
  readonly version: string;
};

/** @throws TurnupError `file_unreadable`, `dataset_malformed` with the lines that are none, `precondition_failed`: another build is at it */
export async function buildStatusFile(asked: BuildAsked): Promise<Built> {
  const folder = `${asked.to}.building`;
  claim(folder);
  try {
    const { runs, ranges } = await sortedRuns(asked, folder);
    const built = await merged(asked, folder, runs, flatten(ranges));
    return { ...built, ranges: ranges.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One build at a time; what a dead one left is taken away. */
function claim(folder: string): void {
  const owner = join(folder, "pid");
  try {
    mkdirSync(folder);
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST")
      throw new TurnupError("file_unreadable", `${folder} cannot be made.`, { cause });
    if (isAlive(owner))
      throw new TurnupError("precondition_failed", `Another build of this file is under way (${folder}).`, {
        nextStep: "Wait for its end.",
      });
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  writeFileSync(owner, String(process.pid));
}

function isAlive(owner: string): boolean {
  try {
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}

type Row =
  | { readonly from: number; readonly to: number; readonly status: number }
  | { readonly fault: string };

async function sortedRuns(asked: BuildAsked, folder: string) {
  const { from, signal, onProgress, runRows = RUN_ROWS } = asked;
  const rows = new Float64Array(runRows);
  const runs: string[] = [];
  const ranges: Range[] = [];
  const faults: string[] = [];
  let count = 0;
  const layDown = (): void => {
    const sorted = rows.subarray(0, count).sort();
    const path = join(folder, `run-${runs.length}`);
    writeFileSync(path, new Uint8Array(sorted.buffer, 0, count * 8));
    runs.push(path);
    count = 0;
  };
  const fallback = FILE_STATUSES.indexOf(asked.status);
  const total = sizeOf(from);
  const put = (handset: number, status: number): void => {
    rows[count++] = handset * STATUSES + status;
    if (count === runRows) layDown();
  };
  await eachLine(from, signal, (octets, at, end, { number, done }) => {
    if (number % 200_000 === 0) onProgress("read", done, total);
    const handset = plainHandset(octets, at, end);
    if (handset >= 0) {
      put(handset, fallback);
      return true;
    }
    const row = rowOf(octets.subarray(at, end), fallback);
    if (!row) return true;
    if ("fault" in row) faults.push(`line ${number}: ${row.fault}`);
    else if (row.from === row.to) put(row.from, row.status);
    else if (ranges.length >= RANGES_MAX)
      throw refused(from, `it has more than ${RANGES_MAX} ranges and models`);
    else ranges.push(row);
    return faults.length < FAULTS_TOLD_MAX;
  });
  if (faults.length > 0) throw refused(from, faults.join("; "));
  layDown();
  return { runs, ranges };
}

const refused = (path: string, fact: string): TurnupError =>
  new TurnupError("dataset_malformed", `${path}: ${fact}.`, {
    nextStep: "Mend these lines; see Equipment lists in docs/operations.md for their form.",
  });

const sizeOf = (path: string): number | null => {
  try {
    return statSync(path).size;
  } catch {
    return null;
  }
};

/** Where a line stands: its number from 1, and how many octets of the file were read before its piece. */
type Place = { readonly number: number; readonly done: number };
/** The line is `octets` from `at` to before `end`; false: no further one is wanted. */
type TakeLine = (octets: Buffer, at: number, end: number, place: Place) => boolean;

/** @throws TurnupError `file_unreadable`, and what `take` throws */
async function eachLine(path: string, signal: AbortSignal, take: TakeLine): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  let done = 0;
  const takeIn = (text: Buffer, start: number, end: number): boolean => {
    const last = text[end - 1] === RETURN && end > start ? end - 1 : end;
    return take(text, start, last, { number: ++number, done });
  };
  for await (const chunk of piecesOf(path, signal)) {
    const text: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (let end = text.indexOf(LINE_FEED, at); end >= 0; end = text.indexOf(LINE_FEED, at)) {
      if (!takeIn(text, at, end)) return;
      at = end + 1;
    }
    rest = Buffer.from(text.subarray(at, at + LINE_OCTETS_MAX));
    done += chunk.length;
  }
  if (rest.length > 0) takeIn(rest, 0, rest.length);
}

async function* piecesOf(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: WRITE_OCTETS, signal });
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${path} cannot be read.`, { cause });
  }
}

const [LINE_FEED, RETURN, COMMA] = [10, 13, 44];
const [SHORTEST, LONGEST] = [14, 15];

/** Nearly all lines are fifteen digits: those are read without a look at anything else. -1: it is another line. */
function plainHandset(octets: Buffer, at: number, end: number): number {
  if (end - at !== SHORTEST && end - at !== LONGEST) return -1;
  let handset = 0;
  for (let place = at; place < end; place++) {
    const digit = (octets[place] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    if (place < at + SHORTEST) handset = handset * 10 + digit;
  }
  return handset;
}

/** -1: none. */
const statusNamed = (word: string): number => FILE_STATUSES.map(String).indexOf(word);

function rowOf(line: Buffer, fallback: number): Row | undefined {
  const comma = line.indexOf(COMMA);
  const word =
    comma < 0
      ? ""
      : line
          .subarray(comma + 1)
          .toString("utf8")
          .trim()
          .toLowerCase();
  const device = (comma < 0 ? line : line.subarray(0, comma)).toString("utf8");
  if (/^(?:device|imei)$/i.test(device.trim())) return undefined;
  const read = readEquipmentLine(device);
  if (!read) return undefined;
  if ("fault" in read) return read;
  const status = word === "" ? fallback : statusNamed(word);
  if (status < 0) return { fault: `a status is ${FILE_STATUSES.join(", ")}` };
  const { from, to, softwareVersion } = read.entry;
  if (softwareVersion !== undefined)
    return { fault: "a sorted file holds handsets with any software version: put this into a list" };
  return { from, to, status };
}

/** A run's rows, a piece of the file at a time. */
class RunReader {
  readonly #fd: number;
  readonly #rows = new Float64Array(RUN_READ_ROWS);
  #at = 0;
  #count = 0;
  #offset = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  /** Infinity at its end. */
  next(): number {
    if (this.#at === this.#count) {
      const read = readSync(this.#fd, this.#rows, 0, this.#rows.byteLength, this.#offset);
      this.#offset += read;
      this.#count = read / 8;
      this.#at = 0;
      if (this.#count === 0) return Number.POSITIVE_INFINITY;
    }
    return this.#rows[this.#at++] ?? Number.POSITIVE_INFINITY;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The rows of all runs in order: of each run its next row, the smallest of them first. */
function* mergedRows(runs: readonly RunReader[]): Generator<number> {
  const heads = Float64Array.from(runs, (run) => run.next());
  // A heap of places in `heads`: tens of runs, a few steps a row.
  const heap = Array.from(heads, (_, at) => at).sort((a, b) => (heads[a] ?? 0) - (heads[b] ?? 0));
  const keyAt = (place: number): number => heads[heap[place] ?? -1] ?? Number.POSITIVE_INFINITY;
  for (;;) {
    const top = heap[0];
    const row = top === undefined ? Number.POSITIVE_INFINITY : (heads[top] ?? Number.POSITIVE_INFINITY);
    if (top === undefined || row === Number.POSITIVE_INFINITY) return;
    yield row;
    heads[top] = runs[top]?.next() ?? Number.POSITIVE_INFINITY;
    for (let place = 0; ; ) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2])
        if (child < heap.length && keyAt(child) < keyAt(least)) least = child;
      if (least === place) break;
      const held = heap[place] ?? 0;
      heap[place] = heap[least] ?? 0;
      heap[least] = held;
      place = least;
    }
  }
}

/** Blocks to disk, their index in memory. */
class FileWriter {
  readonly #fd: number;
  readonly #block = new StatusBlockWriter();
  readonly #digest = createHash("sha256");
  readonly #firsts: number[] = [];
  readonly #crcs: number[] = [];
  #waiting: Uint8Array[] = [];
  #offset = HEADER_OCTETS;
  /** The segment that may still grow. */
  #from = -1;
  #to = -2;
  #status = -1;
  segments = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "w");
  }

  put(from: number, to: number, status: number): void {
    if (from === this.#to + 1 && status === this.#status) {
      this.#to = to;
      return;
    }
    this.#end();
    this.#from = from;
    this.#to = to;
    this.#status = status;
  }

  #end(): void {
    if (this.#from < 0) return;
    this.segments += 1;
    if (this.#block.put(this.#from, this.#to, this.#status)) return;
    this.#takeBlock();
    this.#block.put(this.#from, this.#to, this.#status);
  }

  #takeBlock(): void {
    const { first, octets } = this.#block.take();
    this.#digest.update(octets);
    this.#firsts.push(first);
    this.#crcs.push(crc32(octets));
    this.#waiting.push(octets);
    if (this.#waiting.length * octets.length >= WRITE_OCTETS) this.#write();
  }

  #write(): void {
    const octets = Buffer.concat(this.#waiting);
    this.#waiting = [];
    writeSync(this.#fd, octets, 0, octets.length, this.#offset);
    this.#offset += octets.length;
  }

  /** Writes index and header, and waits until all of it is on disk. */
  close(handsets: number, madeAtMs: number): Omit<Built, "ranges"> {
    this.#end();
    if (!this.#block.isEmpty) this.#takeBlock();
    this.#write();
    const blocks = this.#firsts.length;
    const index = new DataView(new ArrayBuffer(blocks * INDEX_ENTRY_OCTETS));
    for (const [at, first] of this.#firsts.entries()) {
      index.setFloat64(at * INDEX_ENTRY_OCTETS, first);
      index.setUint32(at * INDEX_ENTRY_OCTETS + 8, this.#crcs[at] ?? 0);
    }
    const indexOctets = new Uint8Array(index.buffer);
    writeSync(this.#fd, indexOctets, 0, indexOctets.length, this.#offset);
    const digest = this.#digest.digest();
    const counts = { segments: this.segments, handsets, blocks, madeAtMs };
    const of = { indexOffset: this.#offset, digest, indexCrc: crc32(indexOctets) };
    const header = encodeStatusHeader({ ...counts, ...of });
    putHeaderCrc(header, crc32(header.subarray(0, HEADER_CHECKED_OCTETS)));
    writeSync(this.#fd, header, 0, header.length, 0);
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    const octets = this.#offset + indexOctets.length;
    return { handsets, segments: this.segments, octets, version: digest.toString("hex") };
  }

  abandon(): void {
    closeSync(this.#fd);
  }
}

async function merged(
  { to, madeAtMs, signal, onProgress }: BuildAsked,
  folder: string,
  runs: readonly string[],
  ranges: readonly Range[],
): Promise<Omit<Built, "ranges">> {
  const readers = runs.map((path) => new RunReader(path));
  const path = join(folder, "file");
  const writer = new FileWriter(path);
  const counted = { handsets: 0 };
  let built: Omit<Built, "ranges"> | undefined;
  try {
    let untilTurn = TURN_SEGMENTS;
    for (const { from, to: end, status } of overlaid(singlesOf(mergedRows(readers), counted), ranges)) {
      writer.put(from, end, status);
      if (--untilTurn > 0) continue;
      untilTurn = TURN_SEGMENTS;
      onProgress("merged", counted.handsets, null);
      await turn();
      signal.throwIfAborted();
    }
    built = writer.close(counted.handsets, madeAtMs);
  } finally {
    if (!built) writer.abandon();
    for (const reader of readers) reader.close();
  }
  renameSync(path, to);
  syncFolder(dirname(to));
  return built;
}

/** The rename itself is on disk when the folder is. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Each handset once, by its strictest row: those of one handset stand behind one another, the strictest first. */
function* singlesOf(rows: Iterable<number>, counted: { handsets: number }): Generator<Range> {
  let last = -1;
  for (const row of rows) {
    const handset = Math.floor(row / STATUSES);
    if (handset === last) continue;
    last = handset;
    counted.handsets += 1;
    yield { from: handset, to: handset, status: row % STATUSES };
  }
}

/** Handsets by themselves before ranges, both in order and each without overlap. */
function* overlaid(singles: Iterable<Range>, ranges: readonly Range[]): Generator<Range> {
  let at = 0;
  let open: Range | undefined = ranges[0];
  for (const single of singles) {
    while (open && open.to < single.from) {
      yield open;
      open = ranges[++at];
    }
    if (open && open.from <= single.from) {
      if (open.from < single.from) yield { ...open, to: single.from - 1 };
      open = single.to < open.to ? { ...open, from: single.to + 1 } : ranges[++at];
    }
    yield single;
  }
  for (; open; open = ranges[++at]) yield open;
}
