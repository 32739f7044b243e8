/** The send manager and the receive manager (US 6,647,260 Fig. 5): what is lost goes once more, what is doubled is dropped. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../test/fixture/seed.ts";
import {
  acknowledge,
  enqueue,
  lost,
  NOTHING_RECEIVED,
  nextDueAt,
  overdue,
  receive,
  resumed,
  takeDue,
} from "./messaging.ts";

const RECEIVE_WINDOW = 64;

const MAX_OUTGOING = 32;

const RESEND_PAUSE_MS = 3_000;

const ACKNOWLEDGEMENT_WAIT_MS = 60_000;

const queued = () => enqueue([], "a", "hello", 0)!;

test("a message goes out once and is gone when it is acknowledged; a second acknowledgement finds nothing", () => {
  const { queue, due } = takeDue(queued(), 0);
  assert.deepEqual(
    due.map(({ id, attempt }) => [id, attempt]),
    [["a", 1]],
  );
  assert.deepEqual(takeDue(queue, 1).due, []);
  const done = acknowledge(queue, "a");
  assert.deepEqual(done, { queue: [], message: "hello" });
  assert.equal(acknowledge(done.queue, "a").message, undefined);
});

test("a message that was lost goes once more after a pause, under its id, and is then given up", () => {
  const first = lost(takeDue(queued(), 0).queue, "a", 100);
  assert.equal(first.outcome, "resent");
  assert.deepEqual(takeDue(first.queue, 100 + RESEND_PAUSE_MS - 1).due, []);
  const again = takeDue(first.queue, 100 + RESEND_PAUSE_MS);
  assert.deepEqual(
    again.due.map(({ id, attempt }) => [id, attempt]),
    [["a", 2]],
  );
  assert.deepEqual(lost(again.queue, "a", 9_000), { queue: [], outcome: "given_up", message: "hello" });
});

test("a loss that is told twice counts once", () => {
  const first = lost(takeDue(queued(), 0).queue, "a", 0);
  assert.deepEqual(lost(first.queue, "a", 1), { queue: first.queue, outcome: undefined, message: undefined });
  assert.equal(lost([], "a", 1).outcome, undefined);
});

test("an acknowledgement that does not come in time is a loss, and the clock knows when to look", () => {
  const { queue } = takeDue(queued(), 0);
  assert.equal(nextDueAt(queue), ACKNOWLEDGEMENT_WAIT_MS);
  assert.deepEqual(overdue(queue, ACKNOWLEDGEMENT_WAIT_MS - 1), []);
  assert.deepEqual(overdue(queue, ACKNOWLEDGEMENT_WAIT_MS), ["a"]);
  assert.equal(nextDueAt([]), undefined);
});

test("a full queue takes nothing more, and an id stands in it once", () => {
  let queue = queued();
  assert.equal(enqueue(queue, "a", "again", 0), undefined);
  for (let number = 1; number < MAX_OUTGOING; number++) queue = enqueue(queue, `b${number}`, "x", 0)!;
  assert.equal(enqueue(queue, "one more", "x", 0), undefined);
});

test("after a power cut what was on its way goes again under its id", () => {
  const { due } = takeDue(resumed(takeDue(queued(), 0).queue, 500), 500);
  assert.deepEqual(
    due.map(({ id }) => id),
    ["a"],
  );
});

test("whatever the radio doubles and reorders, each message is new once at most, and in order always", () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 400 });
  fc.assert(
    fc.property(numbers, (order) => {
      let manager = NOTHING_RECEIVED;
      const taken: number[] = [];
      for (const number of order) {
        const got = receive(manager, `m${number}`, number * 1_000);
        manager = got.manager;
        if (got.outcome === "new") taken.push(number);
      }
      assert.equal(new Set(taken).size, taken.length);
      assert.ok(manager.seen.length <= RECEIVE_WINDOW);
    }),
    { seed: SEED },
  );
  let manager = NOTHING_RECEIVED;
  for (let number = 0; number < 500; number++) {
    const got = receive(manager, `m${number}`, number);
    assert.equal(got.outcome, "new");
    manager = got.manager;
  }
  assert.equal(receive(manager, "m0", 0).outcome, "too_old");
});
