/** The table of known pairs against a map of objects, and what a pair costs in it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { createPairTable, keyAt, PAIR_SEGMENTS, type PairFacts, type PairKey } from "./pair-table.ts";

const NOW = Date.UTC(2026, 4, 4);
const WORD = 2 ** 32;
/** What is on disk is known to a 32nd of a second; when it was seen, to the millisecond. */
const STEP_MS = 1_000 / 32;
const stepOf = (ms: number): number => Math.floor((ms - (NOW - 365 * 86_400_000)) / STEP_MS);
const facts = (imei: number): PairFacts => ({ imei, number: 7, operator: 1, network: 2, names: 3 });

/** Keys that meet in few places: of two segments, with few lower halves. */
const key = fc.record({
  high: fc.constantFrom(0, 1, WORD - 1, 5 * 2 ** 22),
  low: fc.constantFrom(0, 1, 2, WORD - 1, WORD - 2),
});
const step = fc.oneof(
  fc.record({ kind: fc.constant("know" as const), key, imei: fc.nat(2), ms: fc.nat(50_000) }),
  fc.record({ kind: fc.constant("see" as const), key, ms: fc.nat(50_000) }),
  fc.record({ kind: fc.constant("doubt" as const), key }),
  fc.record({ kind: fc.constant("doubtAll" as const) }),
  fc.record({ kind: fc.constant("write" as const), grace: fc.constantFrom(0, 5_000) }),
);

type Known = { imei: number; writtenMs: number; seenMs: number; isKnown: boolean };
const nameOf = ({ high, low }: PairKey): string => `${high} ${low}`;

test("it knows what a map of objects knows, whatever comes in whatever order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.nat(12), (steps, max) => {
      const table = createPairTable(max, NOW);
      const model = new Map<string, Known>();
      for (const one of steps) {
        if (one.kind === "know") {
          const ms = NOW + one.ms;
          const before = model.get(nameOf(one.key));
          const isTaken = before !== undefined || model.size < max;
          assert.equal(table.know(one.key, facts(one.imei), ms), isTaken);
          const seenMs = before?.imei === one.imei ? Math.max(before.seenMs, ms) : ms;
          if (isTaken) model.set(nameOf(one.key), { imei: one.imei, writtenMs: ms, seenMs, isKnown: true });
        } else if (one.kind === "see") {
          const known = model.get(nameOf(one.key));
          table.see(one.key, NOW + one.ms);
          if (known) known.seenMs = Math.max(known.seenMs, NOW + one.ms);
        } else if (one.kind === "doubt") {
          const known = model.get(nameOf(one.key));
          assert.equal(table.doubt(one.key)?.seenMs, known?.isKnown ? known.seenMs : undefined);
          if (known) known.isKnown = false;
        } else if (one.kind === "doubtAll") {
          table.doubtAll();
          for (const known of model.values()) known.isKnown = false;
        } else {
          const found = Array.from({ length: PAIR_SEGMENTS }, (_, at) =>
            table.unwritten(at, one.grace),
          ).flat();
          const late = [...model].filter(
            ([, { seenMs, writtenMs }]) => stepOf(seenMs) - stepOf(writtenMs) > one.grace / STEP_MS,
          );
          assert.deepEqual(
            found.map((pair) => [nameOf(pair), pair.imei, pair.seenMs]).sort(),
            late.map(([name, { imei, seenMs }]) => [name, imei, seenMs]).sort(),
          );
          // Every second write fails, and is asked for again.
          if (one.grace === 0) continue;
          for (const pair of found) table.wrote(pair);
          for (const [, known] of late) known.writtenMs = known.seenMs;
        }
      }
      for (const [name, { imei, seenMs, isKnown }] of model) {
        const [high = 0, low = 0] = name.split(" ").map(Number);
        assert.deepEqual(table.known({ high, low }), isKnown ? facts(imei) : undefined);
        assert.equal(table.seenMs({ high, low }, imei), seenMs);
        assert.equal(table.seenMs({ high, low }, imei + 1), 0, "of another handset");
      }
      assert.equal(table.size, model.size);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test("what was doubted stays so through all epochs", () => {
  const table = createPairTable(10, NOW);
  const [one, other] = [keyAt(Buffer.alloc(8, 1)), keyAt(Buffer.alloc(8, 2))];
  table.know(one, facts(1), NOW);
  for (let times = 0; times < 600; times++) {
    table.doubtAll();
    table.know(other, facts(2), NOW);
    assert.equal(table.known(one), undefined, `after ${times}`);
    assert.deepEqual(table.known(other), facts(2));
  }
});

test("a pair costs 48 octets at most, however many there are", () => {
  const table = createPairTable(200_000, NOW);
  let state = SEED >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  for (let pairs = 1; pairs <= 200_000; pairs++) {
    // The lower bits of such numbers repeat soon, so each half is mixed of two.
    const half = (): number => (random() ^ (random() >>> 16)) >>> 0;
    assert.ok(table.know({ high: half(), low: half() }, facts(pairs), NOW));
    if (pairs >= 100_000 && pairs % 10_000 === 0) assert.ok(table.octets() / table.size <= 48, `of ${pairs}`);
  }
});

test("what was seen years ago, or in years, is neither lost nor of today", () => {
  const table = createPairTable(10, NOW);
  const one = keyAt(Buffer.alloc(8, 1));
  table.know(one, facts(1), 0);
  assert.equal(table.seenMs(one, 1), 0);
  table.see(one, NOW);
  assert.equal(table.seenMs(one, 1), NOW);
});
