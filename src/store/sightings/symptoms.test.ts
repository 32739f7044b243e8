/** What applications were seen to fail at, and by whose evidence it is over, on PostgreSQL (R106, R129). */
import assert from "node:assert/strict";
import { test, vi } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { HOUR_MS, relationTerms } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { reportReferenceOf, signDeviceReport } from "../../wire/message/device-report.ts";

const { shop, claim, ordered, partsOf, story, taken } = await messageShop();

test("an attempt that failed before the handset was known stands in its record, a later one in its history, till that application is seen to reach its server", async () => {
  const mine = await shop.operator();
  const theirs = await shop.operator();
  const one = pair("symptoms");
  const seen = (application: string, minutes: number, more: object = {}) => ({
    imei: one.imei!,
    application,
    server: "mms.maker.example",
    apn: "old.example",
    cause: "no_route",
    source: "gateway",
    seenAt: new Date(shop.time.now + minutes * 60_000),
    ...more,
  });
  const told = async (...some: ReturnType<typeof seen>[]) =>
    (await shop.conductor.symptomsSeen(mine, some)).map(({ outcome }) => outcome);
  assert.deepEqual(await told(seen("mms", -2), seen("mms", -1)), ["noted", "repeated"]);
  assert.deepEqual(await told(seen("mms", -3, { cause: "host_silent" })), ["repeated"]);
  await shop.conductor.symptomsSeen(theirs, [seen("video_call", -1)]);
  await assert.rejects(told(seen("app_store", -1), seen("mms", 11)), { code: "seen_in_future" });

  shop.world.verdict = "ended";
  const relation = relationTerms({ keySource: "own", feeLevel: "works" });
  await shop.registry.relations.put(mine, relation, () => true, "test");
  const order = await ordered("symptoms", mine);
  shop.world.verdict = "supported";
  const judged = (await story(order)).events.find(({ kind }) => kind === "judged")?.detail as {
    symptoms: { cannotReach: { application: string; cause: string; seenAt: string }[] };
  };
  assert.deepEqual(
    judged.symptoms.cannotReach.map(({ application, cause, seenAt }) => [application, cause, seenAt]),
    [["mms", "no_route", new Date(shop.time.now - 60_000).toISOString()]],
    "the latest moment and what was seen then, and nothing of another operator's",
  );

  assert.deepEqual(await told(seen("mms", 1), seen("video_call", 1)), ["repeated", "noted"]);
  const later = (await story(order)).events.filter(({ kind }) => kind === "symptom_seen");
  assert.deepEqual(
    later.map(({ reason, evidence }) => [reason, evidence]),
    [["video_call could not reach mms.maker.example: no_route", "gateway"]],
  );
  assert.ok(!JSON.stringify(later).includes(one.imei!), "no number of the handset stands in it");
  assert.equal(await shop.count("symptom", "operator_id = $1", [mine]), 2);

  shop.time.now += 5 * 60_000;
  const keyId = (await story(order)).items.find(({ kind }) => kind === "key")!.keyId!;
  const key = decodeDeviceKey((await shop.store.keysById(mine, [keyId])).get(keyId)!.bytes);
  const report = {
    reference: reportReferenceOf(key.keyId),
    cause: "none",
    at: new Date(shop.time.now),
  } as const;
  await shop.conductor.bookReports([signDeviceReport({ ...report, level: "opened" }, key.confirmSecret)]);
  assert.equal(
    await shop.count("symptom", "operator_id = $1", [mine]),
    2,
    "it ran the key, and reached nobody yet",
  );
  await shop.conductor.bookReports([signDeviceReport({ ...report, level: "works" }, key.confirmSecret)]);
  assert.equal(
    await shop.count("symptom", "operator_id = $1", [mine]),
    2,
    "of no application, that is no word",
  );
  const left = async () => {
    const rows = await shop.database.rows<{ name: string }>(
      "select application || '@' || server as name from symptom where operator_id = $1 order by 1",
      [mine],
    );
    return rows.map(({ name }) => name);
  };
  const both = ["mms@mms.maker.example", "video_call@mms.maker.example"];
  const [apn = ""] = (await story(order)).items.find(({ kind }) => kind === "settings")!.apns;
  const works = async (more: object) => {
    const traffic = { kind: "traffic", imsi: one.imsi!, apn, source: "gateway", ...more } as const;
    return (await shop.conductor.confirm(mine, [traffic]))[0]?.outcome;
  };
  for (const message of await claim(mine)) await taken(message, ...partsOf(message));
  assert.equal(await works({}), "booked");
  assert.deepEqual(await left(), both, "plain data ends no other application's symptom");
  assert.deepEqual(await told(seen("video_call", 2), seen("video_call", 3)), ["noted", "repeated"]);
  assert.equal(await works({ application: "mms", server: "mmsc.own.example" }), "booked");
  assert.deepEqual(await left(), both, "with another server it may work");
  assert.equal(await works({ application: "mms", server: "mms.maker.example" }), "booked");
  assert.deepEqual(await left(), ["video_call@mms.maker.example"], "nobody saw a call work");
  const applications = (await shop.reader.findOrder(mine, order.orderId))?.applications;
  assert.deepEqual(
    applications?.map(({ application, before, after }) => [application, before.outcome, after.outcome]),
    [
      ["mms", "failed", "works"],
      ["video_call", "failed", "failed"],
    ],
  );
  assert.equal(await shop.count("symptom", "operator_id = $1", [theirs]), 1);
  shop.time.now += 91 * 24 * HOUR_MS;
  await shop.conductor.forget();
  assert.equal(await shop.count("symptom", "operator_id = $1", [theirs]), 0, "and nobody keeps it for ever");
});

test("an attempt that is told while its handset's order is being opened stands in the record once, whoever was first", async () => {
  const mine = await shop.operator();
  const one = pair("symptom race");
  const seen = (application: string) => ({
    imei: one.imei,
    application,
    server: "mms.maker.example",
    apn: null,
    cause: "no_route",
    source: "gateway",
    seenAt: new Date(shop.time.now),
  });
  const [sighted] = await shop.see(mine, one);
  assert.ok(sighted && "orderId" in sighted);
  const { orderId } = sighted;
  let telling: Promise<unknown> = Promise.resolve();
  // As an opening does that read what was kept before the attempt was.
  await shop.database.transaction(async (tx) => {
    await tx.run("select from provisioning_order where id = $1 for update", [orderId]);
    telling = shop.conductor.symptomsSeen(mine, [seen("mms")]);
    const isKept = async () => assert.equal(await shop.count("symptom", "operator_id = $1", [mine]), 1);
    await vi.waitFor(isKept, { timeout: 30_000 });
    await tx.run("update provisioning_order set verdict = 'ended' where id = $1", [orderId]);
  });
  assert.deepEqual(await telling, [{ outcome: "noted" }]);
  const said = async () =>
    (await story({ operatorId: mine, orderId })).applications.map(({ application, before }) => [
      application,
      before.outcome,
    ]);
  assert.deepEqual(await said(), [["mms", "failed"]]);
  assert.deepEqual(await shop.conductor.symptomsSeen(mine, [seen("mms")]), [{ outcome: "repeated" }]);
  assert.equal(await shop.count("order_event", "order_id = $1 and kind = 'symptom_seen'", [orderId]), 1);
});
