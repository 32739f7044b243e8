/** What sources told, and what two of them contradict each other about, on PostgreSQL. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderShop, pair } from "../../../test/fixture/order-shop.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSightingConflicts } from "./sighting-conflicts.ts";
import { createSourceCounts } from "./source-counts.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const shop = await orderShop();
const clock = () => new Date(shop.time.now);
const deps = { database: shop.database, sealer: shop.sealer, newId: () => uuidv7(), clock };
type Told = Parameters<ReturnType<typeof createSourceCounts>["count"]>[0];
const told = (operatorId: string, more: Partial<Told> = {}): Told => ({
  ...{ operatorId, source: "radius", receivedMs: clock().getTime(), seenMs: null, special: null },
  ...{ isChanged: false, isRefused: false },
  ...more,
});

test("what two servers count of a source is one row, with rate, lag and refusals of the last hour; another operator sees none of it", async () => {
  const [north, south] = [await shop.operator(), await shop.operator()];
  const servers = [createSourceCounts(deps), createSourceCounts(deps)];
  const now = clock().getTime();
  for (const counts of servers) {
    for (const lagMs of [1_000, 3_000]) counts.count(told(north, { seenMs: now - lagMs }));
    counts.count(told(north, { isRefused: true, special: "zeros" }));
    counts.count(told(north, { isChanged: true }));
    await counts.flush();
  }
  const [source, ...others] = await (servers[0]?.sources(north) ?? []);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [source?.source, source?.state, source?.perMinute, source?.lastHour, source?.silenceProves],
    [
      ...["radius", "healthy", 8 / 5],
      { received: 8, changed: 2, refused: 2, lagMs: 2_000, lagMsMax: 3_000 },
      true,
    ],
  );
  assert.equal(source?.lastSeenAt, new Date(now - 1_000).toISOString());
  const special = await servers[1]?.special(north);
  assert.deepEqual(
    special?.map((one) => [one.class, one.source, one.times]),
    [["zeros", "radius", 2]],
  );
  assert.deepEqual(await servers[0]?.sources(south), []);
  assert.deepEqual(await servers[0]?.special(south), []);
});

test("a source that told every minute is silent after ten, and still is when its minutes are days old", async () => {
  const operatorId = await shop.operator();
  const counts = createSourceCounts(deps);
  const end = clock().getTime();
  for (let minute = 0; minute < 30; minute++)
    counts.count(told(operatorId, { receivedMs: end - minute * MINUTE_MS }));
  await counts.flush();
  const stateOf = async () => (await counts.sources(operatorId))[0]?.state;
  assert.equal(await stateOf(), "healthy");
  const before = shop.time.now;
  try {
    shop.time.now = end + 11 * MINUTE_MS;
    assert.equal(await stateOf(), "silent");
    shop.time.now = end + 3 * DAY_MS;
    await counts.sweep();
    assert.equal(await stateOf(), "silent");
    assert.ok((await counts.states()).some(({ state }) => state === "silent"));
  } finally {
    shop.time.now = before;
  }
});

test("two sources that disagree are one row a SIM and pair of handsets, told in its order once a day", async () => {
  const operatorId = await shop.operator();
  const conflicts = createSightingConflicts(deps);
  const [one, other] = [pair("disputed"), pair("elsewhere")];
  const see = (handset: object, minutes: number) =>
    shop.see(operatorId, {
      ...{ ...one, ...handset, plmn: "26201" },
      seenAt: new Date(shop.time.now - minutes * MINUTE_MS).toISOString(),
    });
  await see({}, 10);
  const [moved] = await see({ imei: other.imei }, 5);
  assert.ok(moved && "orderId" in moved);
  const sight = (imei: string | undefined, source: "radius" | "s13") => ({
    ...{ handset: (imei ?? "").slice(0, 14), source, seenMs: shop.time.now },
  });
  const found = {
    ...{ operatorId, imsi: one.imsi ?? "", rule: "at_once" as const },
    ...{ one: sight(one.imei, "radius"), other: sight(other.imei, "s13") },
  };
  assert.deepEqual([await conflicts.book([found]), await conflicts.book([found])], [1, 0]);
  const [row, ...rows] = (await conflicts.list(operatorId, { limit: 10 })).rows;
  assert.deepEqual([rows.length, row?.source, row?.otherSource, row?.times], [0, "radius", "s13", 2]);
  assert.ok(!JSON.stringify(row).includes(one.imsi ?? "-"), "numbers are masked");
  assert.deepEqual(await conflicts.ofSubscriber(operatorId, moved.subscriberId), [row]);
  const events = (await shop.reader.findOrder(operatorId, moved.orderId))?.events ?? [];
  assert.equal(events.filter(({ kind }) => kind === "sighting_conflict").length, 1);
  assert.equal(await conflicts.book([{ ...found, imsi: "262010000000000" }]), 0, "nobody's SIM");
  const stranger = await shop.operator();
  assert.equal(await conflicts.book([{ ...found, operatorId: stranger }]), 0);
  assert.deepEqual((await conflicts.list(stranger, { limit: 10 })).rows, []);
});
