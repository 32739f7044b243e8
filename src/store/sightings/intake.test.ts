/** Sightings into rows and orders, on PostgreSQL. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CHOICE } from "../../../test/fixture/order-engine.ts";
import { orderShop, pair, START } from "../../../test/fixture/order-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";

const shop = await orderShop();
const at = (seconds: number): string => new Date(START + seconds * 1_000).toISOString();
const outcomes = (results: readonly { outcome: string }[]): string[] => results.map(({ outcome }) => outcome);
const ordersOf = (operatorId: string): Promise<number> =>
  shop.count("provisioning_order", "operator_id = $1", [operatorId]);

test("the first registration opens one order; the same pair again, in the batch or later, opens none", async () => {
  const operatorId = await shop.operator();
  const one = pair("first");
  const first = await shop.see(operatorId, { ...one, seenAt: at(0) }, { ...one, seenAt: at(0) });
  assert.deepEqual(outcomes(first), ["first_registration", "unchanged"]);
  assert.deepEqual(outcomes(await shop.see(operatorId, { ...one, seenAt: at(60) })), ["unchanged"]);
  assert.equal(await ordersOf(operatorId), 1);
});

test("one SIM seen at once by many servers opens one order", async () => {
  const operatorId = await shop.operator();
  const one = pair("at once");
  const servers = Array.from({ length: 6 }, () => shop.intakeOf());
  const results = await Promise.all(
    servers.map((intake) => intake.accept(operatorId, [{ ...one, plmn: "00101", seenAt: at(0) }], "api")),
  );
  assert.equal(outcomes(results.flat()).filter((outcome) => outcome === "first_registration").length, 1);
  assert.equal(await ordersOf(operatorId), 1);
});

test("the first sighting opens no second order where one was asked for, here or on another server; one that came to nothing is none", async () => {
  const operatorId = await shop.operator();
  const ask = (of: ReturnType<typeof pair>, idempotencyKey: string) =>
    shop.desk.open(operatorId, { ...of, msisdn: of.msisdn ?? null, idempotencyKey });
  const asked = pair("asked");
  const { orderId } = await ask(asked, "asked-1");
  const [seen] = await shop.see(operatorId, { ...asked, seenAt: at(0) });
  assert.deepEqual(
    [seen?.outcome, seen && "orderId" in seen && seen.orderId],
    ["first_registration", orderId],
  );
  assert.equal(await ordersOf(operatorId), 1);

  const other = pair("asked for another handset");
  await ask(other, "asked-2");
  const elsewhere = { imsi: other.imsi, imei: pair("and seen in this one").imei };
  await shop.see(operatorId, { ...elsewhere, seenAt: at(0) });
  assert.equal(await ordersOf(operatorId), 3, "what was asked for another handset is not this one's");

  const ended = pair("asked and cancelled");
  const { orderId: cancelled } = await ask(ended, "asked-3");
  await shop.desk.cancel(operatorId, cancelled, "care");
  const [again] = await shop.see(operatorId, { ...ended, seenAt: at(0) });
  assert.ok(again && "orderId" in again && again.orderId !== cancelled);

  const tenant = await shop.operator();
  const [theirs] = await shop.see(tenant, { ...asked, seenAt: at(0) });
  assert.ok(
    theirs && "orderId" in theirs && theirs.orderId !== orderId,
    "another operator's order is none here",
  );
});

test("many servers with the same SIMs in other orders do not wait on each other crosswise", async () => {
  const operatorId = await shop.operator();
  const sims = Array.from({ length: 60 }, (_, n) => ({ ...pair(`crosswise ${n}`), plmn: "00101" }));
  const rounds = await Promise.all(
    Array.from({ length: 4 }, (_, n) =>
      shop.intakeOf().accept(operatorId, n % 2 === 0 ? sims : [...sims].reverse(), "api"),
    ),
  );
  assert.equal(rounds.flat().filter(({ outcome }) => outcome === "first_registration").length, sims.length);
  assert.equal(await ordersOf(operatorId), sims.length);
});

test("a SIM that moves, comes late and returns within one batch is where it was seen last, with its history", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei: a } = pair("moves a");
  const { imei: b } = pair("moves b");
  const results = await shop.see(
    operatorId,
    { imsi, imei: b, seenAt: at(100) },
    { imsi, imei: a, seenAt: at(0) },
    { imsi, imei: a, seenAt: at(200) },
  );
  assert.deepEqual(outcomes(results), ["sim_moved", "first_registration", "sim_moved"]);
  assert.deepEqual(outcomes(await shop.see(operatorId, { imsi, imei: b, seenAt: at(150) })), ["late"]);
  const current = await shop.count("pairing", "operator_id = $1 and is_current", [operatorId]);
  assert.deepEqual([current, await shop.count("pairing", "operator_id = $1", [operatorId])], [1, 2]);
});

test("a sighting is late when the SIM was seen in its handset since, however short before and however unwritten", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei: a } = pair("late a");
  const { imei: b } = pair("late b");
  await shop.see(operatorId, { imsi, imei: a, seenAt: at(0) });
  await shop.see(operatorId, { imsi, imei: a, seenAt: at(30) });
  assert.deepEqual(outcomes(await shop.see(operatorId, { imsi, imei: b, seenAt: at(20) })), ["late"]);
  await shop.see(operatorId, { imsi, imei: a, seenAt: at(300) });
  const elsewhere = await shop
    .intakeOf()
    .accept(operatorId, [{ imsi, imei: b, plmn: "00101", seenAt: at(200) }], "api");
  assert.deepEqual(outcomes(elsewhere), ["late"], "another server knows it from the disk");
  assert.deepEqual(outcomes(await shop.see(operatorId, { imsi, imei: b, seenAt: at(301) })), ["sim_moved"]);
});

test("a SIM that returns to a handset opens an order, or none where the operator leaves returns alone", async () => {
  const operatorId = await shop.operator();
  const { imsi, imei: a } = pair("returns a");
  const { imei: b } = pair("returns b");
  await shop.see(operatorId, { imsi, imei: a, seenAt: at(0) }, { imsi, imei: b, seenAt: at(10) });
  assert.deepEqual(outcomes(await shop.see(operatorId, { imsi, imei: a, seenAt: at(20) })), ["sim_moved"]);
  const lenient = await shop.operator();
  await shop.registry.policies.put(lenient, 0, { ...DEFAULT_POLICY, returningPair: "skip" }, "test");
  await shop.see(lenient, { imsi, imei: a, seenAt: at(0) }, { imsi, imei: b, seenAt: at(10) });
  assert.deepEqual(outcomes(await shop.see(lenient, { imsi, imei: a, seenAt: at(20) })), ["unchanged"]);
  assert.deepEqual(outcomes(await shop.see(lenient, { imsi, imei: b, seenAt: at(15) })), ["late"]);
});

test("a bad row is refused with its reason while the rest of the batch goes on", async () => {
  const operatorId = await shop.operator();
  const good = pair("good");
  const results = await shop.see(
    operatorId,
    { ...pair("bad check digit"), imei: "356938035643808" },
    good,
    { ...good, imsi: "26x" },
    { ...good, seenAt: "yesterday" },
  );
  assert.deepEqual(outcomes(results), ["refused", "first_registration", "refused", "refused"]);
  const codes = results.flatMap((one) => (one.outcome === "refused" ? [one.code] : []));
  assert.deepEqual(codes, ["imei_check_digit", "imsi_malformed", "sighting_malformed"]);
  assert.ok(results.every((one) => one.outcome !== "refused" || one.reason !== ""));
});

test("an order that waits for a number goes on when a sighting brings it, though the pair is known", async () => {
  const operatorId = await shop.operator();
  const { msisdn, ...silent } = pair("number");
  const [seen] = await shop.see(operatorId, { ...silent, seenAt: at(0) });
  assert.ok(seen && "orderId" in seen);
  await shop.conductor.advance(100);
  assert.equal((await shop.reader.findOrder(operatorId, seen.orderId))?.state, "waiting");
  await shop.see(operatorId, { ...silent, msisdn, seenAt: at(10) });
  await shop.conductor.advance(100);
  assert.equal((await shop.reader.findOrder(operatorId, seen.orderId))?.state, "provisioning");
});

test("a known pair that brings a service provider's name or group id is not passed over", async () => {
  const operatorId = await shop.operator();
  const one = pair("names");
  shop.world.choice = { kind: "refused", code: "mvno_unknown", reason: "which MVNO it is, is not known" };
  const [seen] = await shop.see(operatorId, { ...one, seenAt: at(0) });
  assert.ok(seen && "orderId" in seen);
  await shop.conductor.advance(100);
  shop.world.choice = CHOICE;
  await shop.see(operatorId, { ...one, spn: "Lime", gid1: "0a1b", seenAt: at(10) });
  await shop.conductor.advance(100);
  assert.equal((await shop.reader.findOrder(operatorId, seen.orderId))?.state, "provisioning");
  const rows = await shop.database.rows("select gid1, spn from subscriber where operator_id = $1", [
    operatorId,
  ]);
  assert.deepEqual(rows, [{ gid1: "0A1B", spn: "Lime" }]);
});

test("what one batch tells of a SIM in several rows is all kept, the newest of each", async () => {
  const operatorId = await shop.operator();
  const { msisdn, ...one } = pair("several rows");
  await shop.see(
    operatorId,
    { ...one, msisdn, spn: "Old", seenAt: at(0) },
    { ...one, spn: "Lime", seenAt: at(5) },
    { ...one, gid1: "0A", seenAt: at(3) },
  );
  const row = await shop.database.one<{ msisdn_sealed: Buffer; spn: string; gid1: string }>(
    "select msisdn_sealed, spn, gid1 from subscriber where operator_id = $1",
    [operatorId],
  );
  assert.equal(shop.sealer.open("msisdn", row!.msisdn_sealed), msisdn);
  assert.deepEqual([row!.spn, row!.gid1], ["Lime", "0A"]);
});

test("a SIM that is seen for the first time is written once, with all that the batch tells of it", async () => {
  await shop.database.run(`
    create function no_second_version() returns trigger language plpgsql as $$
    begin raise exception 'a new subscriber is written twice'; end $$`);
  await shop.database.run(
    "create trigger no_second_version before update on subscriber for each row execute function no_second_version()",
  );
  const operatorId = await shop.operator();
  const [one, other] = [pair("written once"), pair("written once too")];
  const iccid = "8949020000000000006";
  try {
    const results = await shop.see(
      operatorId,
      { ...one, msisdn: pair("written once before").msisdn, gid1: "0A", seenAt: at(0) },
      { ...one, iccid, seenAt: at(2) },
      { ...one, spn: "Lime", seenAt: at(1) },
      { ...other, seenAt: at(0) },
    );
    assert.deepEqual(outcomes(results), [
      "first_registration",
      "unchanged",
      "unchanged",
      "first_registration",
    ]);
  } finally {
    await shop.database.run("drop trigger no_second_version on subscriber");
  }
  const rows = await shop.database.rows<{ msisdn: Buffer; iccid: Buffer | null; gid1: string; spn: string }>(
    "select msisdn_sealed as msisdn, iccid_sealed as iccid, gid1, spn from subscriber where operator_id = $1 order by gid1",
    [operatorId],
  );
  assert.deepEqual(
    rows.map(({ msisdn, iccid: card, ...names }) => [
      shop.sealer.open("msisdn", msisdn),
      card && shop.sealer.open("iccid", card),
      names,
    ]),
    [
      [one.msisdn, iccid, { gid1: "0A", spn: "Lime" }],
      [other.msisdn, null, { gid1: null, spn: null }],
    ],
  );
});

test("a number that two new SIMs of one batch are seen with is the later one's, and the other never had it", async () => {
  const operatorId = await shop.operator();
  for (const [firstAt, secondAt] of [
    [10, 20],
    [20, 10],
  ] as const) {
    const [first, second] = [pair(`both first ${firstAt}`), pair(`both second ${secondAt}`)];
    const { msisdn } = first;
    await shop.see(
      operatorId,
      { ...first, seenAt: at(firstAt) },
      { ...second, msisdn, seenAt: at(secondAt) },
    );
    const holders = await shop.database.rows<{ imsi: Buffer; msisdn: Buffer }>(
      "select imsi_sealed as imsi, msisdn_sealed as msisdn from subscriber where operator_id = $1 and msisdn_sealed is not null",
      [operatorId],
    );
    const holding = holders.filter((one) => shop.sealer.open("msisdn", one.msisdn) === msisdn);
    assert.deepEqual(
      holding.map(({ imsi }) => shop.sealer.open("imsi", imsi)),
      [firstAt > secondAt ? first.imsi : second.imsi],
    );
  }
  assert.equal(await shop.count("former_number", "operator_id = $1", [operatorId]), 0);
});

test("when a SIM moves on, its open order is left to the new one and its messages are not sent", async () => {
  const operatorId = await shop.operator();
  const { imei: b } = pair("moved on b");
  const one = pair("moved on a");
  const [first] = await shop.see(operatorId, { ...one, seenAt: at(0) });
  await shop.conductor.advance(100);
  const [second] = await shop.see(operatorId, { ...one, imei: b, seenAt: at(10) });
  await shop.conductor.advance(100);
  assert.ok(first && second && "orderId" in first && "orderId" in second);
  const former = await shop.reader.findOrder(operatorId, first.orderId);
  assert.deepEqual([former?.state, former?.messages.map(({ state }) => state)], ["cancelled", ["cancelled"]]);
  assert.equal((await shop.reader.findOrder(operatorId, second.orderId))?.state, "provisioning");
});

test("two operators see one SIM and one handset, and neither sees the other's", async () => {
  const [mine, theirs] = [await shop.operator(), await shop.operator()];
  const one = pair("two operators");
  assert.deepEqual(outcomes(await shop.see(mine, one)), ["first_registration"]);
  const [seen] = await shop.see(theirs, one);
  assert.ok(seen && "orderId" in seen);
  assert.equal(await shop.reader.findOrder(mine, seen.orderId), undefined);
  await assert.rejects(shop.conductor.cancel(mine, seen.orderId, "mallory"), { code: "order_not_found" });
  await assert.rejects(shop.conductor.resend(mine, seen.orderId, "mallory"), { code: "order_not_found" });
});

test("no identifier stands in clear in any row", async () => {
  const operatorId = await shop.operator();
  const one = { ...pair("in clear"), iccid: "8949020000000000006" };
  assert.deepEqual(outcomes(await shop.see(operatorId, one)), ["first_registration"]);
  await shop.conductor.advance(100);
  const tables = await shop.database.rows<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  for (const { name } of tables) {
    const rows = await shop.database.rows<{ row: string }>(`select t::text as row from ${name} t`);
    const text = rows.map(({ row }) => row).join("\n");
    for (const identifier of [one.imsi, one.imei, one.msisdn, one.iccid]) {
      assert.ok(!text.includes(identifier.slice(0, 14)), `${name} holds an identifier`);
      assert.ok(
        !text.includes(Buffer.from(identifier).toString("hex")),
        `${name} holds an identifier in hex`,
      );
    }
  }
});

test("a sighting's own source stands above its batch's; one that no probe has is refused alone", async () => {
  const operatorId = await shop.operator();
  const [own, shared, wrong] = ["own source", "shared source", "wrong source"].map(pair);
  const results = await shop.see(
    operatorId,
    { ...own, source: "applet" },
    { ...shared },
    { ...wrong, source: "x" },
  );
  assert.deepEqual(outcomes(results), ["first_registration", "first_registration", "refused"]);
  const kept = await shop.database.rows<{ source: string }>(
    "select source from sighting where operator_id = $1 order by source",
    [operatorId],
  );
  assert.deepEqual(
    kept.map(({ source }) => source),
    ["api", "applet"],
  );
});

test("R128: an order bears the market and the network where its SIM was seen, and a SIM that roams on is followed", async () => {
  const operatorId = await shop.operator();
  await shop.registry.policies.put(operatorId, 0, { ...DEFAULT_POLICY, markets: ["JM", "AT"] }, "test");
  const abroad = pair("market abroad");
  await shop.see(operatorId, { ...abroad, plmn: "338-05", seenAt: at(0) });
  const { rows } = await shop.reader.listOrders(operatorId, { market: "JM" }, { limit: 10 });
  assert.deepEqual(
    rows.map(({ market, servingPlmn }) => [market, servingPlmn]),
    [["JM", "33805"]],
  );
  assert.equal((await shop.reader.listOrders(operatorId, { market: "AT" }, { limit: 10 })).rows.length, 0);
  const moved = await shop.see(operatorId, { ...abroad, plmn: "232-01", seenAt: at(5) });
  assert.deepEqual(outcomes(moved), ["unchanged"]);
  // Older than what is known: it is where it was seen last.
  await shop.see(operatorId, { ...abroad, plmn: "338-05", seenAt: at(3) });
  const asked = await shop.desk.open(operatorId, { ...abroad, idempotencyKey: "again" });
  const { rows: austrian } = await shop.reader.listOrders(operatorId, { market: "AT" }, { limit: 10 });
  assert.deepEqual(
    austrian.map(({ id, servingPlmn }) => [id, servingPlmn]),
    [[asked.orderId, "23201"]],
  );
});
