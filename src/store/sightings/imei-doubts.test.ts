/** What handsets say, where they are seen, and the doubts that come of it, on PostgreSQL. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderShop, pair, START } from "../../../test/fixture/order-shop.ts";
import { cloneIn } from "../../kernel/detection/clone.ts";
import { doubtOfClone, doubtOfModel } from "../../kernel/detection/doubts.ts";
import { falseModelIn } from "../../kernel/detection/false-model.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createRequestReader } from "../requests/request-reader.ts";
import { createDeviceStatements } from "./device-statements.ts";
import { createImeiDoubts } from "./imei-doubts.ts";
import { createSharedDevices } from "./shared-devices.ts";

const HOUR_MS = 3_600_000;
const shop = await orderShop();
const clock = () => new Date(shop.time.now);
const deps = { database: shop.database, sealer: shop.sealer, newId: () => uuidv7(), clock };
const statements = createDeviceStatements(deps);
const doubts = createImeiDoubts(deps);
const PLACES: Readonly<Record<string, string>> = { "262": "DE", "639": "KE" };
/** What operators say of networks themselves. */
const wordsOf = new Map<string, Readonly<Record<string, string>>>();
const shared = createSharedDevices({
  ...deps,
  countryOfNetwork: (plmn, operatorId) => wordsOf.get(operatorId)?.[plmn] ?? PLACES[plmn.slice(0, 3)] ?? null,
});
const NOKIA = {
  ...{ make: "Nokia", model: "6300", modelCodes: [], networks: ["2G GSM"] },
  release: { from: "2007-01-01", to: "2007-12-31" },
};

/** A SIM in a handset, seen now on a network. */
async function seen(operatorId: string, one: object, plmn = "26201") {
  const [result] = await shop.see(operatorId, { ...one, plmn, seenAt: clock().toISOString() });
  assert.ok(result && "orderId" in result, JSON.stringify(result));
  return result;
}
const eventsOf = async (operatorId: string, orderId: string) =>
  ((await shop.reader.findOrder(operatorId, orderId))?.events ?? [])
    .filter(({ kind }) => kind.startsWith("imei_doubt"))
    .map(({ kind, reason }) => `${kind}: ${reason}`);

test("of each source the last word of a handset is kept, of each radio one row, and of a handset that nobody saw nothing", async () => {
  const operatorId = await shop.operator();
  const one = pair("says what it is");
  const { deviceId } = await seen(operatorId, one);
  const device = { imei: one.imei ?? "" };
  const at = clock();
  statements.note({ operatorId, device, at, source: "apple_product", value: "iPhone14,2" });
  statements.note({ operatorId, device, at, radio: "eutran" });
  statements.note({ operatorId, device, at, radio: "nr" });
  statements.note({ operatorId, device: { imei: "35999901123457" }, at, radio: "nr" });
  const [words, ...others] = await statements.flush();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [words?.deviceId, words?.radios, words?.said],
    [deviceId, ["eutran", "nr"], [{ source: "apple_product", value: "iPhone14,2", times: 1 }]],
  );
  statements.note({ operatorId, device, at, radio: "nr" });
  assert.deepEqual(await statements.flush(), [], "what was written is not written again");
  const tac = device.imei.slice(0, 8);
  assert.deepEqual((await statements.ofTacs(operatorId, [tac])).get(tac)?.radios, ["eutran", "nr"]);
  assert.equal(
    (await statements.ofTacs(await shop.operator(), [tac])).size,
    0,
    "another operator's is none here",
  );
});

test("what the phone behind an order's link says is its handset's word", async () => {
  const operatorId = await shop.operator();
  const { orderId, deviceId } = await seen(operatorId, pair("opens its link"));
  statements.note({
    ...{ operatorId, device: { orderId }, at: clock() },
    ...{ source: "user_agent", value: "Nokia6300/2.0 \0Profile/MIDP-2.0" },
  });
  const [words] = await statements.flush();
  assert.equal(words?.deviceId, deviceId);
  assert.equal(words?.said[0]?.value, "Nokia6300/2.0 Profile/MIDP-2.0");
});

test("a false IMEI stands on whoever holds it and in the history of their newest order, once; a person's word ends it for good", async () => {
  const operatorId = await shop.operator();
  const { orderId, deviceId, subscriberId } = await seen(operatorId, pair("false"));
  const found = falseModelIn(NOKIA, [{ source: "apple_product", value: "iPhone14,2", times: 1 }], []);
  assert.ok(found);
  const look = { operatorId, deviceId, kind: "false_model", found: doubtOfModel(found) } as const;
  assert.deepEqual([await doubts.book([look]), await doubts.book([look])], [1, 0]);
  const told = "Its number is of Nokia 6300, and its own identifier says Apple iPhone14,2.";
  assert.deepEqual(await eventsOf(operatorId, orderId), [`imei_doubted: ${told}`]);
  const reader = createRequestReader(shop.database, shop.sealer, clock);
  const [device] = (await reader.standing(operatorId, subscriberId))?.devices ?? [];
  assert.deepEqual(
    device?.doubts.map(({ kind, foundAt }) => [kind, foundAt]),
    [["false_model", clock().toISOString()]],
  );

  const [doubt] = await doubts.ofDevices(operatorId, [deviceId]);
  assert.ok(doubt);
  const stranger = await shop.operator();
  await assert.rejects(doubts.end(stranger, doubt.id, { actor: "ada", reason: "mine" }), {
    code: "imei_doubt_not_found",
  });
  assert.deepEqual((await doubts.list(stranger, {}, { limit: 10 })).rows, []);
  assert.deepEqual(await doubts.ofDevices(stranger, [deviceId]), []);
  await doubts.end(operatorId, doubt.id, { actor: "ada", reason: "Seen in the shop." });
  assert.deepEqual((await eventsOf(operatorId, orderId)).at(-1), "imei_doubt_ended: Seen in the shop.");
  assert.equal(await doubts.book([look]), 0, "the same finding does not bring it back");
  assert.deepEqual(await doubts.ofDevices(operatorId, [deviceId]), []);
  const { rows } = await doubts.list(operatorId, { open: false }, { limit: 10 });
  assert.deepEqual(
    rows.map(({ endedBy, endReason }) => [endedBy, endReason]),
    [["ada", "Seen in the shop."]],
  );
});

test("a doubt whose ground is gone ends by itself, and comes back with the ground", async () => {
  const operatorId = await shop.operator();
  const { deviceId } = await seen(operatorId, pair("false for a while"));
  const found = {
    kind: "false_model",
    reason: "its number is of another",
    detail: { rule: "other_make" },
  } as const;
  const look = { operatorId, deviceId, kind: "false_model" } as const;
  assert.equal(await doubts.book([{ ...look, found: null }]), 0);
  assert.equal(await doubts.book([{ ...look, found }]), 1);
  await doubts.book([{ ...look, found: null }]);
  assert.deepEqual(await doubts.ofDevices(operatorId, [deviceId]), []);
  assert.equal(await doubts.book([{ ...look, found }]), 1);
});

test("one IMEI with two SIMs in two countries within an hour is found as a clone; one that a family hands on is not", async () => {
  const operatorId = await shop.operator();
  const [german, kenyan] = [pair("cloned, in Germany"), pair("cloned, in Kenya")];
  const [mother, son] = [pair("handed on by its mother"), pair("handed on to her son")];
  const { deviceId } = await seen(operatorId, german);
  await seen(operatorId, mother);
  shop.time.now += HOUR_MS;
  await seen(operatorId, { imsi: kenyan.imsi, imei: german.imei }, "63902");
  await seen(operatorId, { imsi: son.imsi, imei: mother.imei });
  shop.time.now += HOUR_MS;
  while (await shared.gather(operatorId));
  const taken = await shared.take(100, START);
  const own = taken.filter((one) => one.operatorId === operatorId);
  assert.equal(own.length, 2, "both had two SIMs");
  const clones = own.flatMap(({ deviceId: of, imei, seen: places }) => {
    const clone = cloneIn(imei, places);
    return clone ? [{ of, countries: doubtOfClone(clone).detail.countries }] : [];
  });
  assert.deepEqual(clones, [{ of: deviceId, countries: "DE KE" }]);
  assert.deepEqual(await shared.take(100, START), [], "looked at, they are due again later");
});

test("what the applet on a card reports bears no place, and makes no clone", async () => {
  const operatorId = await shop.operator();
  const [visitor, local] = [pair("reports from abroad"), pair("is there")];
  await shop.intake.accept(
    operatorId,
    [{ ...visitor, plmn: "26201", seenAt: clock().toISOString() }],
    "applet",
  );
  await seen(operatorId, { imsi: local.imsi, imei: visitor.imei }, "63902");
  shop.time.now += HOUR_MS;
  while (await shared.gather(operatorId));
  const [device] = (await shared.take(100, START)).filter((one) => one.operatorId === operatorId);
  assert.ok(device);
  assert.equal(cloneIn(device.imei, device.seen), null);
});

test("where a SIM is seen goes by what its own operator says of the network", async () => {
  const [told, other] = [await shop.operator(), await shop.operator()];
  wordsOf.set(told, { "63902": "DE" });
  const countriesOf = new Map<string, readonly (string | null)[]>();
  for (const operatorId of [told, other]) {
    const [one, two] = [pair(`first SIM of ${operatorId}`), pair(`second SIM of ${operatorId}`)];
    await seen(operatorId, one);
    await seen(operatorId, { imsi: two.imsi, imei: one.imei }, "63902");
  }
  shop.time.now += HOUR_MS;
  for (const operatorId of [told, other]) while (await shared.gather(operatorId));
  for (const { operatorId, seen: places } of await shared.take(100, START))
    countriesOf.set(operatorId, [...new Set(places.map(({ country }) => country))].sort());
  assert.deepEqual([countriesOf.get(told), countriesOf.get(other)], [["DE"], ["DE", "KE"]]);
});

test("a clone that a person has looked at is the same one, whichever of its countries is seen first", () => {
  const at = (subscriberId: string, country: string, seenMs: number) => ({ subscriberId, country, seenMs });
  const detailOf = (first: string, then: string) => {
    const clone = cloneIn("35158611810200", [at("one", first, START), at("other", then, START + HOUR_MS)]);
    assert.ok(clone);
    return doubtOfClone(clone).detail.countries;
  };
  assert.equal(detailOf("KE", "DE"), detailOf("DE", "KE"));
});
