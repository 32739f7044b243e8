/** What is told of an order is the same whether each event of a step has a row or the step has one (migration 0031). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { idOf, messageShop, SMSC } from "../../../test/fixture/message-shop.ts";
import { relationTerms } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { reportReferenceOf, signDeviceReport } from "../../wire/message/device-report.ts";
import { historyOf } from "./event-rows.ts";

const { shop, claim, ordered, partsOf, story } = await messageShop();

/** As the release before has it: a row an event. */
async function oneRowAnEvent(orderId: string): Promise<void> {
  await shop.database.transaction(async (tx) => {
    await tx.run(`create temporary table whole on commit drop as ${historyOf(`e.order_id = '${orderId}'`)}`);
    await tx.run("delete from order_event where order_id = $1", [orderId]);
    await tx.run(`insert into order_event (order_id, operator_id, id, item_id, kind, state, reason, evidence, detail, at)
                  select * from whole`);
  });
}

test("the record of an order, its applications and the list of restored handsets are told alike from both forms of its history", async () => {
  const operatorId = await shop.operator();
  const { imei, imsi } = pair("history");
  shop.world.verdict = "ended";
  const relation = relationTerms({ keySource: "own", feeLevel: "works" });
  await shop.registry.relations.put(operatorId, relation, () => true, "test");
  const order = await ordered("history", operatorId);
  shop.world.verdict = "supported";
  const symptom = { imei, application: "mms", server: "mms.maker.example", apn: null, cause: "no_route" };
  const failed = { ...symptom, source: "gateway", seenAt: new Date(shop.time.now) } as const;
  await shop.conductor.symptomsSeen(operatorId, [failed]);

  const messages = await claim(operatorId);
  const parts = messages.flatMap((message) =>
    partsOf(message).map((sequence) => ({
      messageId: message.messageId,
      sequence,
      smsc: SMSC,
      smscMessageId: idOf(message, sequence),
    })),
  );
  await shop.conductor.bookSubmissions(parts, []);
  shop.time.now += 1_000;
  await shop.conductor.bookReceipts(
    parts.map(({ smscMessageId }) => ({ smsc: SMSC, smscMessageId, state: "delivered", errorCode: null })),
  );
  const { items } = await story(order);
  const keyId = items.find(({ kind }) => kind === "key")?.keyId ?? "";
  const key = (await shop.store.keysById(operatorId, [keyId])).get(keyId);
  assert.ok(key);
  const { confirmSecret, keyId: name } = decodeDeviceKey(key.bytes);
  const report = { reference: reportReferenceOf(name), cause: "none", at: new Date(shop.time.now) } as const;
  shop.time.now += 1_000;
  const works = [signDeviceReport({ ...report, level: "works" }, confirmSecret)];
  await shop.conductor.bookReports(works);
  const [apn = ""] = items.find(({ kind }) => kind === "settings")?.apns ?? [];
  const mms = { application: "mms", server: "mms.maker.example" };
  shop.time.now += 1_000;
  await shop.conductor.confirm(operatorId, [{ kind: "traffic", imsi, apn, source: "gateway", ...mms }]);

  const rows = (): Promise<number> => shop.count("order_event", "order_id = $1", [order.orderId]);
  const told = async () => ({
    record: await story(order),
    applications: await shop.store.applicationEvents([order.orderId]),
    restored: await shop.reader.restored(operatorId, {}),
  });
  const [folded, now] = [await rows(), await told()];
  assert.ok(now.record.events.length >= 12 && folded < now.record.events.length, `${folded} rows`);
  assert.equal(now.record.applications[0]?.after.outcome, "works");
  await oneRowAnEvent(order.orderId);
  assert.equal(await rows(), now.record.events.length);
  assert.deepEqual(await told(), now);
});
