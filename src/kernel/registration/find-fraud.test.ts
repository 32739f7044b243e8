/** Patterns of fraud: clones, and what is none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import type { AccountFacts, Appearance } from "../account/account-facts.ts";
import { findFraud, seenWindowMs } from "./find-fraud.ts";
import { DEFAULT_FRAUD_LIMITS } from "./registration-policy.ts";

const now = new Date("2026-03-01T12:00:00Z");
const at = (minutesAgo: number): Date => new Date(now.getTime() - minutesAgo * 60_000);
const NOTHING: AccountFacts = {
  isKnownDevice: false,
  account: null,
  pairing: "current",
  ofDevice: [],
  ofSubscriber: [],
  record: null,
  recordTries: 0,
  cardsTried: 0,
  cardAccounts: 0,
  documentAccounts: 0,
  deviceAccounts: 0,
  requestsOfDevice: 0,
  requestsOfSubscriber: 0,
};
const stay = (
  subscriberId: string,
  deviceId: string,
  place: string | null,
  [since, until]: readonly [number, number],
): Appearance => ({ subscriberId, deviceId, place, since: at(since), lastSeenAt: at(until) });
const patterns = (facts: Partial<AccountFacts>, limits = {}): string[] =>
  findFraud({ ...NOTHING, ...facts }, { ...DEFAULT_FRAUD_LIMITS, ...limits }, now).map(
    ({ pattern }) => pattern,
  );

test("one device identity with two SIMs in two places within minutes is a clone (260 column 1, R39)", () => {
  const ofDevice = [stay("b", "d", "262-02", [3, 1]), stay("a", "d", "310-260", [600, 8])];
  const [found] = findFraud({ ...NOTHING, ofDevice }, DEFAULT_FRAUD_LIMITS, now);
  assert.deepEqual(found, {
    pattern: "cloned_device",
    saw: 5,
    limit: 10,
    detail: { place: "262-02", otherPlace: "310-260" },
  });
});

test("the limit itself is still allowed, a minute more is another day's travel", () => {
  const seen = (gap: number): Appearance[] => [
    stay("b", "d", "262-02", [5, 1]),
    stay("a", "d", "310-260", [600, 5 + gap]),
  ];
  assert.deepEqual(patterns({ ofDevice: seen(10) }), ["cloned_device"]);
  assert.deepEqual(patterns({ ofDevice: seen(11) }), []);
  assert.deepEqual(patterns({ ofDevice: seen(11) }, { twoPlacesMinutes: 11 }), ["cloned_device"]);
});

test("stays that overlap in two places are a clone, in whatever order they are told", () => {
  const stays = [stay("a", "d", "262-01", [600, 1]), stay("b", "d", "208-01", [300, 2])];
  assert.deepEqual(patterns({ ofDevice: stays }), ["cloned_device"]);
  assert.deepEqual(patterns({ ofDevice: [...stays].reverse() }), ["cloned_device"]);
});

test("a SIM that is moved to another handset in one place is daily life, and so is one whose place nobody told", () => {
  assert.deepEqual(
    patterns({ ofDevice: [stay("a", "d", "262-01", [9, 3]), stay("b", "d", "262-01", [2, 1])] }),
    [],
  );
  assert.deepEqual(
    patterns({ ofDevice: [stay("a", "d", null, [9, 3]), stay("b", "d", "262-01", [2, 1])] }),
    [],
  );
  assert.deepEqual(
    patterns({ ofDevice: [stay("a", "d", "262-01", [9, 3]), stay("a", "d", "208-01", [2, 1])] }),
    [],
  );
});

test("where a place is a country, two networks of one country are one place", () => {
  const ofDevice = [stay("a", "d", "262-01", [9, 3]), stay("b", "d", "262-02", [2, 1])];
  assert.deepEqual(patterns({ ofDevice }), ["cloned_device"]);
  assert.deepEqual(patterns({ ofDevice }, { place: "country" }), []);
});

test("one SIM in two devices in two places within minutes is a cloned SIM", () => {
  const ofSubscriber = [stay("s", "d1", "262-01", [30, 2]), stay("s", "d2", "222-10", [1, 1])];
  assert.deepEqual(patterns({ ofSubscriber }), ["cloned_sim"]);
});

for (const [pattern, fact, limit] of [
  ["card_on_many_accounts", "cardAccounts", "cardAccountsMax"],
  ["document_on_many_accounts", "documentAccounts", "documentAccountsMax"],
  ["many_accounts_from_device", "deviceAccounts", "deviceAccountsMax"],
  ["many_requests", "requestsOfDevice", "requestsMax"],
  ["many_requests", "requestsOfSubscriber", "requestsMax"],
] as const) {
  test(`${fact} beyond ${limit} is ${pattern}; as many as it allows is none`, () => {
    assert.deepEqual(patterns({ [fact]: 2 }, { [limit]: 2 }), []);
    const [found] = findFraud({ ...NOTHING, [fact]: 3 }, { ...DEFAULT_FRAUD_LIMITS, [limit]: 2 }, now);
    assert.deepEqual([found?.pattern, found?.saw, found?.limit], [pattern, 3, 2]);
  });
}

test("other SIMs of a device are counted within a day, its own not among them", () => {
  const ofDevice = ["a", "b", "c"].map((who, n) => stay(who, "d", "262-01", [2_000, 60 + n]));
  assert.deepEqual(patterns({ ofDevice }, { simsOfDeviceMax: 2 }), []);
  assert.deepEqual(patterns({ ofDevice }, { simsOfDeviceMax: 1 }), ["many_sims_in_device"]);
  const yesterday = ofDevice.map((one) => ({ ...one, lastSeenAt: at(1_441) }));
  assert.deepEqual(patterns({ ofDevice: yesterday }, { simsOfDeviceMax: 0 }), []);
});

test("nothing known is nothing found, and the window is a day or the two places' own", () => {
  assert.deepEqual(patterns({}), []);
  assert.equal(seenWindowMs(DEFAULT_FRAUD_LIMITS), 86_400_000);
  assert.equal(seenWindowMs({ ...DEFAULT_FRAUD_LIMITS, twoPlacesMinutes: 3_000 }), 180_000_000);
});

test("what is found names no subscriber and no device", () => {
  const ofDevice = [
    stay("subscriber-1", "device-1", "262-01", [9, 3]),
    stay("subscriber-2", "device-1", "208-01", [2, 1]),
  ];
  const told = JSON.stringify(findFraud({ ...NOTHING, ofDevice }, DEFAULT_FRAUD_LIMITS, now));
  assert.doesNotMatch(told, /subscriber-|device-1/);
});

test("many different cards for one subscriber, or on one device, are card testing (R38, R39)", () => {
  assert.deepEqual(patterns({ cardsTried: 5 }), []);
  assert.deepEqual(patterns({ cardsTried: 6 }), ["card_testing"]);
  assert.deepEqual(patterns({ cardsTried: 2 }, { cardsTriedMax: 1 }), ["card_testing"]);
});
