/**
 * When a pair was seen last reaches the disk in turns: the table of known pairs is gone through once a minute, and what was
 * seen longer ago than the grain after what is on disk is written, each pair once however often it was seen. Under a flood
 * it falls behind rather than hold up the sightings: after each write it pauses for three times as long as that took.
 */
import type { Database } from "../database/database.ts";
import type { PairMemory } from "./pair-memory.ts";
import { type LastSeen, PAIR_SEGMENTS } from "./pair-table.ts";

/**
 * `last_seen_at` of an unchanged pair is written when it is older than this: a finer grain would cost a write a sighting.
 * What was seen since is remembered by the server that saw it, so that a late sighting is known as late; another server
 * may take one for a move that is late by less than this and a turn, and so may this one after a crash.
 */
export const LAST_SEEN_GRAIN_MS = 60_000;
/** Parts of the table that one step goes through, and how long it waits before the next: a turn takes a minute. */
const SEGMENTS_A_STEP = 16;
export const STEP_PAUSE_MS = (60_000 / PAIR_SEGMENTS) * SEGMENTS_A_STEP;
const MAX_ROWS = 2_000;
/** A server that ends writes for so long; what is left is what a crash would lose. */
const LAST_WRITES_MS = 10_000;
/** Of the time, a quarter at most is spent at the database. */
const PAUSE_FOR_WORK = 3;

/** By the first 64 bits of the SIM's index and the first 32 of the handset's: the pair where it is, if it still is there. */
const TOUCH_BY_INDEX = {
  name: "touch_pairings_by_index", // subscriber_operator_id_imsi_index_key, pairing_current, device_pkey; whoever holds one writes it itself
  text: `update pairing p set last_seen_at = v.seen_at
           from (select x.id, q.seen_at
                   from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::timestamptz[])
                          as q(operator_id, first_index, last_index, imei_begin, seen_at)
                  cross join lateral (select id from subscriber
                                       where operator_id = q.operator_id and imsi_index between q.first_index and q.last_index
                                       order by imsi_index limit 1) s
                  cross join lateral (select id, device_id from pairing where subscriber_id = s.id and is_current limit 1) c
                   join device d on d.id = c.device_id and substr(d.imei_index, 1, 4) = q.imei_begin
                   join pairing x on x.id = c.id and x.is_current
                  where x.last_seen_at < q.seen_at
                  order by x.id for update of x skip locked) v
          where p.id = v.id`,
};

const INDEX_OCTETS = 16;
const KEY_OCTETS = 8;

/** The first and the last index that begins with these 64 bits. */
export function indexesOf({ high, low }: Pick<LastSeen, "high" | "low">): readonly [Buffer, Buffer] {
  const ends = [Buffer.alloc(INDEX_OCTETS, 0x00), Buffer.alloc(INDEX_OCTETS, 0xff)] as const;
  for (const end of ends) {
    end.writeUInt32BE(high, 0);
    end.writeUInt32BE(low, KEY_OCTETS / 2);
  }
  return ends;
}

export function beginOf({ imei }: Pick<LastSeen, "imei">): Buffer {
  const begin = Buffer.alloc(4);
  begin.writeUInt32BE(imei, 0);
  return begin;
}

type LastSeenWriter = {
  /** The next parts of the table, unless it rests; to be called every STEP_PAUSE_MS. */
  step(): Promise<void>;
  /** All that is not on disk, however young: before the server ends, and within ten seconds. */
  writeAll(): Promise<void>;
};

export function createLastSeenWriter(database: Database, memory: PairMemory): LastSeenWriter {
  let next = 0;
  let restUntilMs = 0;
  return {
    async step() {
      const beganMs = performance.now();
      if (beganMs < restUntilMs) return;
      const from = next;
      next = (next + SEGMENTS_A_STEP) % PAIR_SEGMENTS;
      const parts = { from, count: SEGMENTS_A_STEP, graceMs: LAST_SEEN_GRAIN_MS };
      await writeParts(database, memory, parts);
      const endedMs = performance.now();
      restUntilMs = endedMs + (endedMs - beganMs) * PAUSE_FOR_WORK;
    },
    writeAll: () =>
      writeParts(
        database,
        memory,
        { from: 0, count: PAIR_SEGMENTS, graceMs: 0 },
        performance.now() + LAST_WRITES_MS,
      ),
  };
}

type Parts = { readonly from: number; readonly count: number; readonly graceMs: number };

async function writeParts(
  database: Database,
  memory: PairMemory,
  { from, count, graceMs }: Parts,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  let rows: LastSeen[] = [];
  for (let at = from; at < from + count; at++) {
    rows = rows.concat(memory.unwritten(at, graceMs));
    const isLast = at === from + count - 1;
    while (rows.length >= MAX_ROWS || (isLast && rows.length > 0)) {
      if (performance.now() > untilMs) return;
      await touch(database, memory, rows.slice(0, MAX_ROWS));
      rows = rows.slice(MAX_ROWS);
    }
  }
}

async function touch(database: Database, memory: PairMemory, rows: readonly LastSeen[]): Promise<void> {
  const ends = rows.map(indexesOf);
  await database.run(TOUCH_BY_INDEX, [
    rows.map((row) => memory.operatorOf(row)),
    ends.map(([first]) => first),
    ends.map(([, last]) => last),
    rows.map(beginOf),
    rows.map(({ seenMs }) => new Date(seenMs)),
  ]);
  for (const row of rows) memory.wrote(row);
}
