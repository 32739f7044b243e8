/** The lock of a SIM and its device: what follows from what networks show, and from what somebody asks. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type LockWish, lockSeen, lockWished, type SimLock } from "./sim-lock.ts";

const METER = "35693803564380";
const PHONE = "35209900111111";
const onNoList = () => false;
const wish = (action: LockWish["action"], more: Partial<LockWish> = {}): LockWish => ({
  ...{ action, scope: undefined, expected: undefined, graceSeconds: undefined, ...more },
});
function wished(before: SimLock | undefined, asked: LockWish): SimLock {
  const done = lockWished(before, asked);
  if ("fault" in done) assert.fail(done.fault);
  return done.lock;
}
const seen = (lock: SimLock, imei14: string, nowMs = 0, isOnList: (list: string) => boolean = onNoList) =>
  lockSeen(lock, imei14, isOnList, nowMs);

test("an armed lock takes the first device that is seen, and holds the SIM to it", () => {
  const armed = wished(undefined, wish("arm"));
  const first = seen(armed, METER);
  assert.deepEqual(
    [first.lock.state, first.lock.expected, first.isRefused, first.events],
    ["locked", METER, false, ["locked"]],
  );
  const same = seen(first.lock, METER);
  assert.equal(same.lock, first.lock, "nothing is written for a device that is its own");
  const foreign = seen(first.lock, PHONE);
  assert.deepEqual(
    [foreign.lock.state, foreign.lock.expected, foreign.lock.received, foreign.isRefused, foreign.events],
    ["deferred", METER, PHONE, true, ["triggered", "refused"]],
  );
  const again = seen(foreign.lock, PHONE, 60_000);
  assert.deepEqual([again.lock, again.isRefused, again.events], [foreign.lock, true, []], "told once");
  const back = seen(foreign.lock, METER);
  assert.deepEqual([back.lock.state, back.lock.received, back.events], ["locked", null, ["returned"]]);
});

test("a foreign device is let be for the grace time, and a second one gets no time of its own", () => {
  const locked = wished(undefined, wish("lock", { expected: METER, graceSeconds: 60 }));
  const first = seen(locked, PHONE, 1_000);
  assert.deepEqual([first.isRefused, first.events], [false, ["triggered"]]);
  assert.equal(seen(first.lock, PHONE, 60_999).isRefused, false);
  const late = seen(first.lock, PHONE, 61_000);
  assert.deepEqual([late.isRefused, late.events, late.lock.isRefusing], [true, ["refused"], true]);
  const other = seen(first.lock, "35888800000001", 61_000);
  assert.deepEqual([other.isRefused, other.events], [true, ["triggered", "refused"]]);
});

test("a lock to a model takes each of that model, one to a list each that stands in it", () => {
  const tac = seen(wished(undefined, wish("arm", { scope: "tac" })), METER).lock;
  assert.equal(tac.expected, "35693803");
  assert.equal(seen(tac, "35693803999999").isRefused, false);
  assert.equal(seen(tac, PHONE).isRefused, true);
  const listed = wished(undefined, wish("lock", { scope: "list", expected: "meters" }));
  assert.equal(seen(listed, METER, 0, (list) => list === "meters").isRefused, false);
  assert.equal(seen(listed, METER).isRefused, true);
});

test("a SIM in a foreign device is unlocked by keeping its lock or by moving it; zeros are no device", () => {
  const locked = wished(undefined, wish("lock", { expected: METER }));
  const deferred = seen(locked, PHONE).lock;
  const kept = wished(deferred, wish("keep"));
  assert.deepEqual([kept.state, kept.expected, kept.received], ["locked", METER, null]);
  const moved = wished(deferred, wish("move"));
  assert.deepEqual([moved.state, moved.expected], ["locked", PHONE]);
  assert.equal(seen(moved, METER).isRefused, true, "its former device is the foreign one now");
  const off = wished(deferred, wish("unlock"));
  assert.deepEqual([off.state, seen(off, PHONE).isRefused], ["neutral", false]);
  assert.equal(seen(locked, "00000000000000").isRefused, false);
  for (const [before, asked, fault] of [
    [locked, wish("keep"), /no foreign device/],
    [undefined, wish("move"), /it is neutral/],
    [undefined, wish("lock"), /is missing/],
    [undefined, wish("lock", { expected: "3569380356438" }), /14 to 16 digits/],
    [undefined, wish("lock", { scope: "tac", expected: METER }), /TAC of 8/],
    [undefined, wish("arm", { scope: "list" }), /not armed/],
  ] as const) {
    const done = lockWished(before, asked);
    assert.match("fault" in done ? done.fault : "done", fault);
  }
});
