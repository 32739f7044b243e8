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

test("pace: congestion halves the rate once per round trip, pauses, and quiet seconds raise it again", () => {
  const pace = new Pace(1_000, 0);
  sentIn(pace, 0, 1_000);
  pace.congested(1_000, 990);
  assert.equal(pace.ratePerSecond, 500);
  pace.congested(1_001, 995); // sent before the cut: nothing new
  assert.equal(pace.ratePerSecond, 500);
  assert.equal(pace.take(1_049), false);
  assert.ok(pace.waitMs(1_020) === 30);
  assert.equal(pace.take(1_060), true);
  for (let now = 1_100; now <= 3_200; now += 100) pace.tick(now);
  assert.equal(pace.ratePerSecond, 600);
  for (let now = 3_300; now <= 60_000; now += 100) pace.tick(now);
  assert.equal(pace.ratePerSecond, 1_000);
});

test("pace: repeated congestion pauses longer and never stops for good", () => {
  const pace = new Pace(Number.POSITIVE_INFINITY, 0);
  assert.ok(pace.take(1));
  let now = 10;
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    pace.congested(now, now);
    pauses.push(Math.round(pace.waitMs(now)));
    now += 20_000;
  }
  assert.deepEqual(pauses, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  assert.equal(pace.ratePerSecond, 1);
  assert.equal(pace.take(now), true);
  pace.accepted(now);
  pace.congested(now + 1, now + 1);
  assert.equal(Math.round(pace.waitMs(now + 1)), 50);
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
