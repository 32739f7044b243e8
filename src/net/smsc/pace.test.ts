/** How fast parts leave: the limit that was agreed, and what a throttling centre teaches. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { Fifo } from "./fifo.ts";
import { InFlight } from "./in-flight.ts";
import { Pace } from "./pace.ts";

/** How many leave when tried every millisecond. */
function sentIn(pace: Pace, fromMs: number, toMs: number): number {
  let sent = 0;
  for (let now = fromMs; now < toMs; now++) {
    pace.tick(now);
    while (sent < 100_000 && pace.take(now)) sent += 1;
  }
  return sent;
}

test("pace: a limit of 100/s lets 100 leave in a second, and a twentieth of that at once after a rest", () => {
  const pace = new Pace(100, 0);
  assert.equal(sentIn(pace, 0, 1_000), 104); // 5 saved up, 99.9 earned
  assert.equal(sentIn(pace, 60_000, 60_001), 5);
  assert.ok(pace.waitMs(60_001) > 0 && pace.waitMs(60_001) <= 10);
});

/** mulberry32, so that a run is what its seed says. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Centre = {
  /** Messages that it takes within one second of its clock. */
  readonly perSecond: number;
  /** Part of all messages that it refuses whatever the rate is. */
  readonly refusedAnyway: number;
  readonly answersAfterMs: number;
  readonly seed: number;
};

/** A minute of a centre by a clock of our own, with as many messages as it takes and a window of 100. */
function minuteAt({ perSecond, refusedAnyway, answersAfterMs, seed }: Centre) {
  const chance = chanceOf(seed);
  const pace = new Pace(Number.POSITIVE_INFINITY, 0);
  const inFlight: { readonly at: number; readonly sentAt: number; readonly isTaken: boolean }[] = [];
  const counted = { second: 0, taken: 0 };
  const seen = { taken: 0, refused: 0 };
  /** Of them, what was answered after the first ten seconds. */
  const later = { taken: 0, refused: 0 };
  for (let now = 0; now < 60_000; now++) {
    for (let first = inFlight[0]; first && first.at <= now; first = inFlight[0]) {
      inFlight.shift();
      for (const counts of now > 10_000 ? [seen, later] : [seen])
        counts[first.isTaken ? "taken" : "refused"] += 1;
      if (first.isTaken) pace.accepted(first.sentAt);
      else pace.congested(now, first.sentAt);
    }
    if (now % 250 === 0) pace.tick(now);
    const second = Math.floor(now / 1_000);
    if (second !== counted.second) Object.assign(counted, { second, taken: 0 });
    while (inFlight.length < 100 && pace.take(now)) {
      const isTaken = chance() >= refusedAnyway && counted.taken < perSecond;
      if (isTaken) counted.taken += 1;
      inFlight.push({ at: now + answersAfterMs, sentAt: now, isTaken });
    }
  }
  const refusedPart = seen.refused / (seen.taken + seen.refused);
  return { takenPerSecond: seen.taken / 60, refusedPart, later };
}

for (const answersAfterMs of [2, 20, 50, 100, 250]) {
  test(`pace: a centre of 100/s that refuses one in seven at random takes 75/s and more, answers after ${answersAfterMs} ms`, () => {
    const centre = { perSecond: 100, refusedAnyway: 1 / 7, answersAfterMs };
    const rates = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 22, 69].map(
      (seed) => minuteAt({ ...centre, seed }).takenPerSecond,
    );
    assert.ok(
      rates.every((rate) => rate >= 75),
      rates.map((rate) => rate.toFixed(1)).join(" "),
    );
  });

  test(`pace: a centre that takes 20/s and no more refuses less than 5%, answers after ${answersAfterMs} ms`, () => {
    const { takenPerSecond, refusedPart } = minuteAt({
      perSecond: 20,
      refusedAnyway: 0,
      answersAfterMs,
      seed: 1,
    });
    assert.ok(refusedPart < 0.05, `${(refusedPart * 100).toFixed(1)}% refused`);
    assert.ok(takenPerSecond >= 15, `${takenPerSecond.toFixed(1)}/s taken`);
  });
}

test("pace: falls that were none of the rate's doing are undone: a baseline that was too low by chance does not slow it down for good", () => {
  // Of these the first answers are so few refusals that one in seven looked like overload, again and again.
  for (const [seed, answersAfterMs] of [
    [117, 20],
    [117, 50],
    [115, 100],
  ] as const) {
    const { takenPerSecond } = minuteAt({ perSecond: 100, refusedAnyway: 1 / 7, answersAfterMs, seed });
    assert.ok(takenPerSecond >= 50, `seed ${seed}: ${takenPerSecond.toFixed(1)}/s`);
  }
});

for (const perSecond of [1, 2, 3])
  test(`pace: a centre that takes ${perSecond}/s and no more is found in its first seconds, and refuses little from then on`, () => {
    for (const answersAfterMs of [2, 20, 100]) {
      const { takenPerSecond, later } = minuteAt({ perSecond, refusedAnyway: 0, answersAfterMs, seed: 1 });
      const refused = `${(later.refused / (later.taken + later.refused)) * 100}% refused after 10 s`;
      assert.ok(later.refused <= 0.12 * (later.taken + later.refused), refused);
      assert.ok(takenPerSecond >= 0.8 * perSecond, `${takenPerSecond.toFixed(2)}/s taken`);
    }
  });

test("pace: a centre that refuses everything is asked once in a while, and never given up", () => {
  const pace = new Pace(Number.POSITIVE_INFINITY, 0);
  let asked = 0;
  for (let now = 0; now < 120_000; now += 10) {
    pace.tick(now);
    if (!pace.take(now)) continue;
    if (now >= 60_000) asked += 1;
    pace.congested(now, now);
  }
  assert.ok(asked >= 30 && asked <= 180, `asked ${asked} times in the second minute`);
});

test("in flight: after 0x7FFFFFFF comes 1", () => {
  const table = new InFlight<{ sequence: number; sentAt: number }>(4, 0x7ffffffe);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => table.nextSequence()),
    [0x7ffffffe, 0x7fffffff, 1, 2],
  );
});

test("in flight: a number never meets one that still waits", () => {
  const table = new InFlight<{ sequence: number; sentAt: number }>(4);
  const first = { sequence: table.nextSequence(), sentAt: 1 };
  table.add(first);
  assert.equal(first.sequence, 1);
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const item = { sequence: table.nextSequence(), sentAt: 2 };
    assert.notEqual(item.sequence & 15, 1, "the place of the one that waits");
    seen.add(item.sequence);
    table.add(item);
    assert.equal(table.take(item.sequence), item);
  }
  assert.equal(seen.size, 100);
  assert.equal(table.take(17), undefined); // another number of the same place
  assert.deepEqual(table.takeSentUntil(1), [first]);
  assert.equal(table.count, 0);
});

test("fifo: what goes in comes out in order, through growth and removal", () => {
  const fifo = new Fifo<number>();
  const out: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    fifo.push(i);
    if (i % 3 !== 0) out.push(fifo.shift() as number);
  }
  const removed = fifo.remove((item) => item % 2 === 0);
  assert.equal(fifo.length + removed.length + out.length, 10_000);
  for (let item = fifo.shift(); item !== undefined; item = fifo.shift()) out.push(item);
  assert.equal(fifo.length, 0);
  assert.deepEqual(
    out.filter((item) => item % 2 === 1),
    Array.from({ length: 5_000 }, (_, i) => 2 * i + 1),
  );
  assert.deepEqual(
    [...out, ...removed].sort((a, b) => a - b),
    Array.from({ length: 10_000 }, (_, i) => i),
  );
});
