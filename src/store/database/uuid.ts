/**
 * Identifiers of rows: UUIDv7, which sort by the time they were made, so that an index grows at its end and a list
 * pages by them.
 *
 *   | unix time in ms: 48 bits | version 7: 4 | counter: 12 | variant 10: 2 | counter: 20 | random: 42 |
 *
 * The counter (RFC 9562 §6.2 method 1, "fixed bit-length dedicated counter") starts at a random value below half
 * its range each millisecond and grows by one, so that identifiers of one process sort as they were made.
 */
import { randomFillSync } from "node:crypto";

const COUNTER_BITS = 32;
const COUNTER_START_BELOW = 2 ** (COUNTER_BITS - 1);
const COUNTER_END = 2 ** COUNTER_BITS;
/** Random octets asked for at once: a call costs more than the octets do. */
const POOL_OCTETS = 8_192;
const RANDOM_OCTETS = 6;
const START_OCTETS = 4;

const pool = Buffer.allocUnsafe(POOL_OCTETS);
let poolAt = POOL_OCTETS;
let lastMs = 0;
let counter = 0;

/** `nowMs` is given by tests; a clock that steps back is waited out on the last time seen. */
export function uuidv7(nowMs: number = Date.now()): string {
  if (poolAt + RANDOM_OCTETS + START_OCTETS > POOL_OCTETS) {
    randomFillSync(pool);
    poolAt = 0;
  }
  counter++;
  if (nowMs > lastMs || counter === COUNTER_END) {
    lastMs = Math.max(nowMs, lastMs + 1);
    counter = pool.readUInt32BE(poolAt) % COUNTER_START_BELOW;
    poolAt += START_OCTETS;
  }
  const random = pool.readUIntBE(poolAt, RANDOM_OCTETS);
  poolAt += RANDOM_OCTETS;
  return textOf(lastMs, counter, random);
}

/** Not above any identifier that was made at that time or later, and above all that were made before. */
export function uuidFloor(at: Date): string {
  const time = hex(Math.max(0, at.getTime()), 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

function textOf(ms: number, count: number, random: number): string {
  const time = hex(ms, 12);
  const versioned = hex(0x7000 | (count >>> 20), 4);
  const varied = hex(0x8000 | ((count >>> 6) & 0x3fff), 4);
  // The counter's last 6 bits, then 42 of the 48 random ones: 12 digits.
  const tail = hex((count & 0x3f) * 4 + Math.floor(random / 2 ** 46), 2) + hex(random % 2 ** 40, 10);
  return `${time.slice(0, 8)}-${time.slice(8)}-${versioned}-${varied}-${tail}`;
}

/** Before each id that is made at this moment or later, after each that was made before it. */
export const firstIdAt = (time: Date): string => {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
};
