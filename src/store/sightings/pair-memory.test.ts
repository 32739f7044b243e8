/** What a server that is alone remembers of pairs of SIM and handset, and when it has to ask the database again. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderShop, pair, START } from "../../../test/fixture/order-shop.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import type { Database } from "../database/database.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createOrderDesk } from "../orders/order-desk.ts";
import { createIntake } from "./intake.ts";
import { createPairMemory, simOf } from "./pair-memory.ts";

const shop = await orderShop();

/** A server whose questions are counted; `alone` is what it knows of other servers. */
async function server(alone: { since: number | null } = { since: 1 }) {
  const operatorId = await shop.operator();
  let lookUps = 0;
  const database: Database = {
    ...shop.database,
    rows(statement, values) {
      if (typeof statement !== "string" && statement.name === "look_up_pairs") lookUps++;
      return shop.database.rows(statement, values);
    },
  };
  const memory = createPairMemory(() => alone.since);
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
    alone,
    desk: createOrderDesk({ ...deps, conductor: shop.conductor }),
    /** What became of the sightings, and whether the database was asked. */
    async see(...sightings: readonly Partial<SightingInput>[]) {
      const before = lookUps;
      const rows = sightings.map((one) => ({ plmn: "00101", ...one }));
      const results = await intake.accept(operatorId, rows, "api");
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
    [{ imsi, imei, msisdn: `${msisdn.slice(0, -1)}x` }, "refused"],
    [{ imsi, imei: pair("refused: another").imei, seenAt: at(1) }, "sim_moved"],
  ];
  await see({ imsi, imei, msisdn });
  for (const [told, outcome] of news) {
    await see({ imsi, imei, msisdn });
    assert.deepEqual(await see({ imsi, imei, msisdn }), ["unchanged", "known"]);
    assert.equal((await see(told))[0], outcome, JSON.stringify(told));
  }
});

test("nothing is known while another server works on the database, nor by what was known before it came", async () => {
  const { see, alone } = await server();
  const one = pair("not alone");
  await see(one);
  await see(one);
  alone.since = null;
  assert.deepEqual(await see(one), ["unchanged", "asked"]);
  assert.deepEqual(await see(one), ["unchanged", "asked"]);
  alone.since = 2;
  assert.deepEqual(await see(one), ["unchanged", "asked"]);
  assert.deepEqual(await see(one), ["unchanged", "known"]);
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

test("when a SIM was seen last reaches the disk a minute late at most", async () => {
  const { see, operatorId } = await server();
  const { imsi, imei } = pair("last seen");
  const lastSeen = async (): Promise<number> =>
    (await shop.database.one<{ at: Date }>("select last_seen_at as at from pairing where operator_id = $1", [
      operatorId,
    ]))!.at.getTime() - START;
  await see({ imsi, imei, seenAt: at(-100) });
  await see({ imsi, imei, seenAt: at(-100) });
  assert.deepEqual(await see({ imsi, imei, seenAt: at(-40) }), ["unchanged", "known"]);
  assert.equal(await lastSeen(), -100_000);
  assert.deepEqual(await see({ imsi, imei, seenAt: at(-39) }), ["unchanged", "asked"]);
  assert.equal(await lastSeen(), -39_000);
  assert.deepEqual(await see({ imsi, imei, seenAt: at(0) }), ["unchanged", "known"]);
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

test("an answer that was asked for before a change, and came after it, is not remembered", () => {
  const sim = simOf("operator", "001010000000001");
  const told = { imsi: "001010000000001", imei: "35332811000001", plmn: "00101" };
  const found = { subscriberId: "subscriber", deviceId: "device", lastSeenMs: START };
  const orders: readonly (readonly ("ask" | "change" | "know" | "end")[])[] = [
    ["ask", "change", "end", "know"],
    ["change", "ask", "end", "know"],
    ["change", "ask", "know", "end"],
  ];
  for (const steps of orders) {
    const memory = createPairMemory(() => 1);
    let asking = memory.ask();
    let endChange = (): void => undefined;
    for (const step of steps) {
      if (step === "ask") asking = memory.ask();
      else if (step === "change") endChange = memory.change(new Set([sim]));
      else if (step === "know") asking.know(sim, told, found, START);
      else endChange();
    }
    assert.equal(memory.answerOf(sim, told, START), undefined, steps.join(", "));
    memory.ask().know(sim, told, found, START);
    assert.equal(memory.answerOf(sim, told, START)?.outcome, "unchanged");
  }
});
