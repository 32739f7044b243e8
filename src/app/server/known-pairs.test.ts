/** What servers on one database know of pairs, and tell each other: over the real channel, with the triggers of migration 0032. */
import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { onTestFinished, test } from "vitest";
import { orderShop, pair, START } from "../../../test/fixture/order-shop.ts";
import type { SightingInput } from "../../kernel/detection/sighting.ts";
import type { Database } from "../../store/database/database.ts";
import { openChangeChannel } from "../../store/node/change-channel.ts";
import { createPairMemory } from "../../store/sightings/pair-memory.ts";
import { createPairTable, keyAt } from "../../store/sightings/pair-table.ts";
import { ClosingStack } from "./closing-stack.ts";
import { keepPairs } from "./known-pairs.ts";

const shop = await orderShop();
const LIMIT_MS = 20_000;

/** A server's intake with what it knows; `database` is what that asks. */
async function server(database: Database = shop.database) {
  const closing = new ClosingStack();
  onTestFinished(() => closing.close());
  const changes = closing.use(await openChangeChannel(shop.connection));
  const memory = createPairMemory(createPairTable(100_000, START), changes.isHeard);
  const intake = shop.intakeOf(memory);
  const measures = new Registry();
  const kept = {
    database,
    connection: shop.connection,
    sealer: shop.sealer,
    memory,
    changes,
    clock: () => new Date(START),
  };
  keepPairs(closing, kept, intake, {
    measures,
    onFault: (name, error) => assert.fail(`${name}: ${error}`),
  });
  const value = async (name: string): Promise<number> =>
    (await measures.getSingleMetric(name)?.get())?.values[0]?.value ?? Number.NaN;
  return {
    memory,
    close: () => closing.close(),
    value,
    async see(operatorId: string, one: SightingInput): Promise<string> {
      const [result] = await intake.accept(operatorId, [{ plmn: "00101", ...one }], "api", "unneeded");
      return result?.outcome ?? "";
    },
  };
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `not within ${LIMIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const at = (ms: number): string => new Date(START + ms).toISOString();

/** In which handset the database has the SIM. */
const handsetOf = async (operatorId: string): Promise<string | undefined> =>
  (
    await shop.database.one<{ imei: Buffer }>(
      `select d.imei_index as imei from pairing p join device d on d.id = p.device_id
        where p.operator_id = $1 and p.is_current`,
      [operatorId],
    )
  )?.imei.toString("hex");

test("a server that starts knows what is on disk: numbers, names and networks of each operator's pairs", async () => {
  const [one, other] = [await shop.operator(), await shop.operator()];
  const pairs = Array.from({ length: 50 }, (_, at) => ({
    ...pair(`filled ${at}`),
    spn: at % 2 ? "Meridian" : "Ø",
  }));
  for (const each of pairs) await shop.see(one, { ...each, seenAt: at(0) });
  const [first] = pairs;
  assert.ok(first);
  await shop.see(other, { imsi: first.imsi, imei: pair("filled: other").imei, seenAt: at(0) });

  const { see, memory, value } = await server();
  await until(() => memory.size >= 51, "the fill");
  assert.equal(await value("turnup_known_pairs"), memory.size);
  await shop.database.run("alter table subscriber rename to subscriber_away");
  try {
    for (const each of pairs) assert.equal(await see(one, { ...each, seenAt: at(1) }), "unchanged");
    assert.equal(await see(other, { imsi: first.imsi, imei: pair("filled: other").imei }), "unchanged");
    // What is new is asked for, and nobody answers now.
    for (const news of [
      { ...first, msisdn: pair("filled 1").msisdn },
      { ...first, spn: "Other" },
      { ...first, plmn: "00102" },
      { imsi: first.imsi, imei: pair("filled 1").imei },
    ])
      await assert.rejects(see(one, { ...news, seenAt: at(1) }), /subscriber/, JSON.stringify(news));
    await assert.rejects(see(other, first), /subscriber/, "another operator's pair");
  } finally {
    await shop.database.run("alter table subscriber_away rename to subscriber");
  }
});

test("a SIM that moves to and fro between the doors of two servers is where it was seen last, within two seconds", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei } = pair("to and fro");
  const { imei: otherImei } = pair("to and fro: other");
  const indexes = [imei, otherImei].map((each) =>
    shop.sealer.blindIndex("imei", operatorId, each.slice(0, 14)).toString("hex"),
  );
  const [one, two] = [await server(), await server()];
  for (const each of [one, two, one, two]) await each.see(operatorId, { imsi, imei, seenAt: at(0) });
  let ms = 0;
  for (let round = 0; round < 40; round++) {
    // The second is told before it can have heard of the first; each round begins with both knowing the pair. A thousandth of a
    // second apart, at another part of the table's steps each time.
    ms += 107;
    const moved = one.see(operatorId, { imsi, imei: otherImei, seenAt: at(ms) });
    if (round % 2 === 0) await moved;
    await two.see(operatorId, { imsi, imei, seenAt: at(ms + 1) });
    await moved;
    await until(async () => (await handsetOf(operatorId)) === indexes[0], `round ${round}`);
    for (const each of [one, two, one, two]) await each.see(operatorId, { imsi, imei, seenAt: at(ms + 60) });
  }
  assert.ok(
    (await two.value("turnup_pairs_told_again_total")) > 0,
    "no round met the moment that this is about",
  );
});

test("a move that another server saw is no news of the handset before: nothing is told again, and nothing is late", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei } = pair("one door");
  const { imei: otherImei } = pair("one door: other");
  const [one, two] = [await server(), await server()];
  const index = shop.sealer.blindIndex("imsi", operatorId, imsi);
  for (const each of [one, two, one, two]) await each.see(operatorId, { imsi, imei, seenAt: at(0) });
  await one.see(operatorId, { imsi, imei: otherImei, seenAt: at(1_000) });
  await until(() => two.memory.hear(keyAt(index)) === undefined, "the second server has heard of it");
  await two.close();
  assert.equal(await two.value("turnup_pairs_told_again_total"), 0);
  assert.equal(await shop.count("sighting", "operator_id = $1 and outcome = 'late'", [operatorId]), 0);
});

test("what was answered just before word could not be heard any more is looked at again when it can", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei } = pair("cut off");
  const { imei: otherImei } = pair("cut off: other");
  const { see, memory, value } = await server();
  for (let times = 0; times < 2; times++) await see(operatorId, { imsi, imei, seenAt: at(times) });
  // Its word of this is lost.
  await shop.database.run("alter table pairing disable trigger pairing_changed");
  try {
    await shop.see(operatorId, { imsi, imei: otherImei, seenAt: at(10) });
  } finally {
    await shop.database.run("alter table pairing enable trigger pairing_changed");
  }
  assert.equal(await see(operatorId, { imsi, imei, seenAt: at(20) }), "unchanged");
  await shop.database.run(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'turnup changes' and datname = current_database()",
  );
  const index = shop.sealer.blindIndex("imei", operatorId, imei.slice(0, 14)).toString("hex");
  await until(async () => (await handsetOf(operatorId)) === index, "the SIM is back");
  assert.ok((await value("turnup_pairs_told_again_total")) > 0);
  assert.ok(memory.size > 0);
});

test("what SQL changes by hand is told too: a number, a place, a pairing that ends", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei, msisdn } = pair("by sql");
  const { see, memory } = await server();
  let ms = 0;
  const seeAgain = (): Promise<string> => see(operatorId, { imsi, imei, msisdn, seenAt: at(ms++) });
  const index = shop.sealer.blindIndex("imsi", operatorId, imsi);
  const isKnown = (): boolean =>
    memory.isUnchanged(
      {
        imsiIndex: index,
        imeiIndex: shop.sealer.blindIndex("imei", operatorId, imei.slice(0, 14)),
        msisdnIndex: null,
        servingPlmn: "00101",
        gid1: null,
        spn: null,
        iccid: null,
      },
      START,
    );
  for (const statement of [
    "update subscriber set msisdn_index = '\\x00' where operator_id = $1",
    "update pairing set serving_plmn = '00199' where operator_id = $1",
    "update pairing set is_current = false where operator_id = $1",
  ]) {
    await until(async () => {
      await seeAgain();
      return isKnown();
    }, "it is known");
    await shop.database.run(statement, [operatorId]);
    await until(() => !isKnown(), statement);
  }
});

test("when it was seen last is on disk when the server ends", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei } = pair("at the end");
  const { see, close } = await server();
  for (const seconds of [0, 0, 30]) await see(operatorId, { imsi, imei, seenAt: at(seconds * 1_000) });
  await close();
  const row = await shop.database.one<{ at: Date }>(
    "select last_seen_at as at from pairing where operator_id = $1",
    [operatorId],
  );
  assert.equal(row?.at.getTime(), START + 30_000);
});
