/** What a server knows by heart of pairs of SIM and handset, and when it has to ask the database again. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderShop, pair, START } from "../../../test/fixture/order-shop.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import type { Database } from "../database/database.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createOrderDesk } from "../orders/order-desk.ts";
import { createIntake } from "./intake.ts";
import { createLastSeenWriter } from "./last-seen.ts";
import { createPairMemory } from "./pair-memory.ts";
import { createPairTable, keyAt } from "./pair-table.ts";

const shop = await orderShop();

/** A server whose questions are counted; `line` says whether it hears of changes. */
async function server(line: { isHeard: boolean } = { isHeard: true }) {
  const operatorId = await shop.operator();
  let lookUps = 0;
  const database: Database = {
    ...shop.database,
    rows(statement, values) {
      if (typeof statement !== "string" && statement.name === "look_up_pairs") lookUps++;
      return shop.database.rows(statement, values);
    },
  };
  const memory = createPairMemory(createPairTable(1_000, START), () => line.isHeard);
  const deps = {
    database,
    sealer: shop.sealer,
    newId: uuidv7,
    clock: () => new Date(shop.time.now),
    termsIn: shop.store.termsIn,
    homePlmnOf: () => undefined,
    countryOf: () => null,
    onOrders: () => undefined,
    memory,
  };
  const intake = createIntake(deps);
  return {
    operatorId,
    intake,
    line,
    memory,
    desk: createOrderDesk({ ...deps, conductor: shop.conductor }),
    /** What became of the sightings, and whether the database was asked. */
    async see(...sightings: readonly Partial<SightingInput>[]) {
      const before = lookUps;
      const rows = sightings.map((one) => ({ plmn: "00101", ...one }));
      const results = await intake.accept(operatorId, rows, "api", "unneeded");
      return [...results.map(({ outcome }) => outcome), lookUps > before ? "asked" : "known"];
    },
  };
}

const at = (seconds: number): string => new Date(START + seconds * 1_000).toISOString();

test("a pair that was looked up is known without asking, whatever part of it is told again", async () => {
  const { see } = await server();
  const { imsi, imei, msisdn } = pair("known");
  assert.deepEqual(await see({ imsi, imei, msisdn }), ["first_registration", "asked"]);
  assert.deepEqual(await see({ imsi, imei, msisdn }), ["unchanged", "asked"]);
  assert.deepEqual(await see({ imsi, imei, msisdn }, { imsi, imei }), ["unchanged", "unchanged", "known"]);
});

test("what is refused or new is never answered from memory: handset, number, name, network, time, source", async () => {
  const { see } = await server();
  const { imsi, imei, msisdn } = pair("refused");
  const news: readonly [Partial<SightingInput>, string][] = [
    [{ imsi, plmn: "00101" }, "refused"],
    [{ imsi, imei: "", plmn: "00101" }, "refused"],
    [{ imsi, imei, plmn: "nowhere" }, "refused"],
    [{ imsi, imei, seenAt: "yesterday" }, "refused"],
    [{ imsi, imei, source: "hearsay" }, "refused"],
    [{ imsi, imei, spn: "Meridian" }, "unchanged"],
    [{ imsi, imei, msisdn: `${msisdn.slice(0, -1)}x` }, "unchanged"], // left out, and noted each time
    [{ imsi, imei: pair("refused: another").imei, seenAt: at(1) }, "sim_moved"],
  ];
  await see({ imsi, imei, msisdn });
  for (const [told, outcome] of news) {
    await see({ imsi, imei, msisdn });
    assert.deepEqual(await see({ imsi, imei, msisdn }), ["unchanged", "known"]);
    assert.equal((await see(told))[0], outcome, JSON.stringify(told));
  }
});

test("nothing is known while word of changes might not come, nor by what was known before it came again", async () => {
  const { see, line, memory } = await server();
  const one = pair("not heard");
  await see(one);
  await see(one);
  line.isHeard = false;
  assert.deepEqual(await see(one), ["unchanged", "asked"]);
  memory.doubtAll(START); // as the channel says when it is heard again
  line.isHeard = true;
  assert.deepEqual(await see(one), ["unchanged", "asked"]);
  assert.deepEqual(await see(one), ["unchanged", "known"]);
});

test("word of a SIM makes it be asked for again, and tells what was known of it until then", async () => {
  const { see, memory, operatorId } = await server();
  const [one, other] = [pair("heard of"), pair("heard of: other")];
  for (const each of [one, other, one, other]) await see({ ...each, seenAt: at(3) });
  const index = shop.sealer.blindIndex("imsi", operatorId, one.imsi);
  const before = memory.hear(keyAt(index));
  assert.ok(before);
  assert.deepEqual(
    [memory.operatorOf(before), memory.networkOf(before), before.seenMs],
    [operatorId, "00101", START + 3_000],
  );
  assert.equal(memory.hear(keyAt(index)), undefined, "nothing is known of it now");
  assert.deepEqual(await see(other), ["unchanged", "known"]);
  assert.deepEqual(await see(one), ["unchanged", "asked"]);
});

test("two sources that state different fields, and write them in different ways, say nothing new of one pair", async () => {
  const { see } = await server();
  const { imsi, imei, msisdn } = pair("two sources");
  const radius = { imsi, imeisv: `${imei.slice(0, 14)}01`, msisdn };
  const register = { imsi, imei: imei.slice(0, 14), plmn: "001-01" };
  for (const each of [radius, register]) await see(each);
  await see(radius);
  for (const each of [radius, register, radius, register])
    assert.deepEqual(await see(each), ["unchanged", "known"]);
});

test("whoever asks for ids is answered with them", async () => {
  const { see, intake, operatorId } = await server();
  const one = { ...pair("ids"), plmn: "00101" };
  const [first] = await intake.accept(operatorId, [one], "api");
  await see(one);
  await see(one);
  for (let times = 0; times < 2; times++) {
    const [again] = await intake.accept(operatorId, [one], "api");
    assert.ok(first && "orderId" in first && again?.outcome === "unchanged");
    assert.deepEqual([again.subscriberId, again.deviceId], [first.subscriberId, first.deviceId]);
  }
});

test("a SIM that moved away and back is a move each time, at once or later", async () => {
  const { see } = await server();
  const { imsi, imei } = pair("to and fro");
  const { imei: other } = pair("to and fro: other");
  await see({ imsi, imei, seenAt: at(0) });
  await see({ imsi, imei, seenAt: at(1) });
  assert.deepEqual(await see({ imsi, imei, seenAt: at(30) }), ["unchanged", "known"]);
  assert.deepEqual(await see({ imsi, imei: other, seenAt: at(20) }), ["late", "asked"]);
  const both = await see({ imsi, imei: other, seenAt: at(40) }, { imsi, imei, seenAt: at(50) });
  assert.deepEqual(both, ["sim_moved", "sim_moved", "asked"]);
  assert.deepEqual(await see({ imsi, imei: other, seenAt: at(60) }), ["sim_moved", "asked"]);
});

test("when a SIM was seen last reaches the disk: what is a minute newer in its turn, all of it at the end", async () => {
  const { see, operatorId, memory } = await server();
  const writer = createLastSeenWriter(shop.database, memory);
  const turn = async (): Promise<void> => {
    for (let steps = 0; steps < 64; steps++) await writer.step();
  };
  const { imsi, imei } = pair("last seen");
  const lastSeen = async (): Promise<number> =>
    (await shop.database.one<{ at: Date }>("select last_seen_at as at from pairing where operator_id = $1", [
      operatorId,
    ]))!.at.getTime() - START;
  await see({ imsi, imei, seenAt: at(-100) });
  await see({ imsi, imei, seenAt: at(-100) });
  assert.deepEqual(await see({ imsi, imei, seenAt: at(-40) }), ["unchanged", "known"]);
  await turn();
  assert.equal(await lastSeen(), -100_000);
  assert.deepEqual(await see({ imsi, imei, seenAt: at(-39) }), ["unchanged", "known"]);
  const end = performance.now() + 10_000;
  while ((await lastSeen()) !== -39_000) {
    assert.ok(
      performance.now() < end,
      "it is not written, though the writer's turn came and its rest is over",
    );
    await writer.step();
  }
  assert.deepEqual(await see({ imsi, imei, seenAt: at(0) }), ["unchanged", "known"]);
  await writer.writeAll();
  assert.equal(await lastSeen(), 0);
});

test("a time whose write fails is written the next time", async () => {
  const { see, operatorId, memory } = await server();
  const { imsi, imei } = pair("write fails");
  for (const seconds of [-200, -200, -10]) await see({ imsi, imei, seenAt: at(seconds) });
  const away: Database = { ...shop.database, run: () => Promise.reject(new Error("the database is away")) };
  await assert.rejects(createLastSeenWriter(away, memory).writeAll(), /is away/);
  await createLastSeenWriter(shop.database, memory).writeAll();
  const row = await shop.database.one<{ at: Date }>(
    "select last_seen_at as at from pairing where operator_id = $1",
    [operatorId],
  );
  assert.equal(row?.at.getTime(), START - 10_000);
});

test("a time is not written for a handset that the SIM has left", async () => {
  const { see, operatorId, memory } = await server();
  const { imsi, imei } = pair("left before");
  await see({ imsi, imei, seenAt: at(-200) });
  await see({ imsi, imei, seenAt: at(-200) });
  await see({ imsi, imei, seenAt: at(-10) });
  // Another server saw it elsewhere, and its word is on the way.
  await shop.database.run("update pairing set is_current = false where operator_id = $1", [operatorId]);
  await createLastSeenWriter(shop.database, memory).writeAll();
  const row = await shop.database.one<{ at: Date }>(
    "select last_seen_at as at from pairing where operator_id = $1",
    [operatorId],
  );
  assert.equal(row?.at.getTime(), START - 200_000);
});

test("a number that somebody enters by hand is set right again by the next sighting", async () => {
  const { see, desk, operatorId } = await server();
  const { imsi, imei, msisdn } = pair("by hand");
  await see({ imsi, imei, msisdn });
  await see({ imsi, imei, msisdn });
  const entered = { imsi, imei, msisdn: pair("by hand: other").msisdn, idempotencyKey: "one" };
  await desk.open(operatorId, entered);
  assert.deepEqual(await see({ imsi, imei, msisdn }), ["unchanged", "asked"]);
  const index = shop.sealer.blindIndex("msisdn", operatorId, msisdn);
  assert.equal(
    await shop.count("subscriber", "operator_id = $1 and msisdn_index = $2", [operatorId, index]),
    1,
  );
});

test("an answer that was asked for before a change, or before word of one, and came after it, is not remembered", () => {
  const [imsiIndex, imeiIndex] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
  const stated = { imsiIndex, imeiIndex, msisdnIndex: null, servingPlmn: "00101", gid1: null, spn: null };
  const found = { ...stated, operatorId: "operator", hasIccid: false, lastSeenMs: START };
  type Step = "ask" | "change" | "hear" | "doubt" | "know" | "end";
  const orders: readonly (readonly Step[])[] = [
    ["ask", "change", "end", "know"],
    ["change", "ask", "end", "know"],
    ["change", "ask", "know", "end"],
    ["ask", "hear", "know"],
    ["ask", "doubt", "know"],
  ];
  for (const steps of orders) {
    const memory = createPairMemory(createPairTable(10, START), () => true);
    const said = { ...stated, iccid: null };
    let asking = memory.ask();
    let endChange = (): void => undefined;
    for (const step of steps) {
      if (step === "ask") asking = memory.ask();
      else if (step === "change") endChange = memory.change([imsiIndex]);
      else if (step === "hear") memory.hear(keyAt(imsiIndex));
      else if (step === "doubt") memory.doubtAll(START);
      else if (step === "know") asking.know(found);
      else endChange();
    }
    assert.equal(memory.isUnchanged(said, START), false, steps.join(", "));
    memory.ask().know(found);
    assert.equal(memory.isUnchanged(said, START), true);
  }
});
