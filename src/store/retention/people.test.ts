/** People on PostgreSQL: erased on their word and when they are gone, held by what is owed, given what is known of them. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { messageShop } from "../../../test/fixture/message-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import { KEEP_ALL } from "../../kernel/operator/retention.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { createErasure } from "./people.ts";
import { createRetention } from "./retention.ts";
import { sweepStep } from "./sweep.ts";

const { shop, ordered, claim, taken, receipts, story, partsOf } = await messageShop();
const { database } = shop;
const sealer = createSealer(Buffer.alloc(32, 7)); // the shop's
const clock = (): Date => new Date();
const erasure = createErasure({ database, sealer, newId: uuidv7, clock });
const DAY_MS = 86_400_000;
const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS);

type Order = Awaited<ReturnType<typeof ordered>>;
const personOf = async ({ operatorId, imsi }: Order): Promise<string> => {
  const index = sealer.blindIndex("imsi", operatorId, imsi);
  const found = await database.one<{ id: string }>(
    "select id from subscriber where operator_id = $1 and imsi_index = $2",
    [operatorId, index],
  );
  assert.ok(found, "the SIM is known");
  return found.id;
};

/** An order that came to its end: its centre refuses it for good. */
async function endedOrder(name: string, operatorId?: string): Promise<Order> {
  const order = await ordered(name, operatorId);
  const message = (await claim(order.operatorId)).find(({ orderId }) => orderId === order.orderId);
  assert.ok(message);
  await taken(message, 1);
  await shop.conductor.bookSubmissions(
    [],
    [{ messageId: message.messageId, reason: "no such number", retryAt: null, errorCode: "ESME_RINVDSTADR" }],
  );
  assert.equal((await story(order)).state, "failed");
  return order;
}

/** As an order sets up a device that is managed: what both sides share, and what was to be set. */
async function managed({ operatorId, orderId }: Order): Promise<void> {
  const [account, task] = [uuidv7(), uuidv7()];
  const token = Buffer.from(account);
  await database.run(
    `insert into management_account (id, operator_id, device_id, token_hash, sealed, version, failures, updated_at)
     select $1, operator_id, device_id, $2, $2, 1, 0, now() from provisioning_order where id = $3`,
    [account, token, orderId],
  );
  await database.run(
    `insert into management_task (id, operator_id, account_id, order_id, item_id, settings_sealed, expires_at, ended_at, created_at)
     values ($1, $2, $3, $4, $1, $5, now(), now(), now())`,
    [task, operatorId, account, orderId, token],
  );
}

/** What is known and doubted of a handset and its SIM. */
const OF_HANDSETS = ["device_statement", "device_radio", "imei_doubt", "shared_device", "sighting_conflict"];
async function doubted({ orderId }: Order): Promise<void> {
  const from = "from provisioning_order where id = $1";
  for (const text of [
    `insert into device_statement select device_id, operator_id, 'user_agent', 'a browser', 1, now(), now() ${from}`,
    `insert into device_radio select device_id, operator_id, 'eutran', now() ${from}`,
    `insert into shared_device select device_id, operator_id, now() ${from}`,
    `insert into imei_doubt (id, operator_id, device_id, kind, reason, detail, found_at, confirmed_at)
     select id, operator_id, device_id, 'clone', 'two bear it', '{}', now(), now() ${from}`,
    `insert into sighting_conflict (id, operator_id, subscriber_id, device_id, source, other_device_id, other_source, rule,
                                    found_at, last_at, times)
     select id, operator_id, subscriber_id, device_id, 'radius', device_id, 's13', 'at_once', now(), now(), 1 ${from}`,
  ])
    await database.run(text, [orderId]);
}

/** Tables that still hold one of these octets, in whatever column. */
async function holders(wanted: readonly Buffer[]): Promise<string[]> {
  const columns = await database.rows<{ table: string; column: string }>(
    `select c.table_name as table, c.column_name as column from information_schema.columns c
      where c.table_schema = 'public' and c.data_type = 'bytea'`,
  );
  const found: string[] = [];
  for (const { table, column } of columns)
    if (await database.one(`select from "${table}" where "${column}" = any($1::bytea[]) limit 1`, [wanted]))
      found.push(`${table}.${column}`);
  return found;
}
const indexesOf = ({ operatorId, imsi, msisdn, imei }: Order): Buffer[] => [
  sealer.blindIndex("imsi", operatorId, imsi),
  sealer.blindIndex("msisdn", operatorId, msisdn),
  sealer.blindIndex("imei", operatorId, imei.slice(0, 14)),
];

test("who is erased is found by no number any more, in no table; their order still tells its make, model and end", async () => {
  const order = await endedOrder("erased");
  const text = { to: order.msisdn, text: "hello Ada", idempotencyKey: "to the erased" };
  await shop.texts.send(order.operatorId, [text]);
  await managed(order);
  await doubted(order);
  const [message] = await claim(order.operatorId);
  assert.ok(message);
  await taken(message, ...partsOf(message));
  await receipts(message, "delivered", ...partsOf(message));
  const before = await story(order);
  const id = await personOf(order);
  const look = await erasure.look(order.operatorId, id);
  assert.deepEqual([look.holds, look.erasedAt], [[], null]);
  assert.ok((await holders(indexesOf(order))).length > 0, "a look changes nothing");
  const gone = await erasure.erase(order.operatorId, id, "ada");
  assert.deepEqual(gone.erases, look.erases, "what was told beforehand");
  assert.deepEqual([gone.erases.messages, gone.erases.pairings, gone.erases.devices], [2, 1, 1]);
  assert.deepEqual(await holders(indexesOf(order)), []);
  for (const table of ["management_task", "management_account", ...OF_HANDSETS])
    assert.deepEqual(
      await database.rows(`select from ${table} where operator_id = $1`, [order.operatorId]),
      [],
    );
  const after = await story(order);
  assert.deepEqual([after.imsiMasked, after.imeiMasked, after.msisdnMasked], ["erased", "erased", null]);
  assert.deepEqual(
    [after.state, after.make, after.model, after.events],
    [before.state, before.make, before.model, before.events],
  );
  assert.deepEqual(after.messages, []);
  const counted = await database.rows<{ what: string[] }>(
    "select what from monthly_statistic where operator_id = $1 and kind = 'messages' order by what",
    [order.operatorId],
  );
  assert.deepEqual(
    counted.map(({ what }) => what.join(" ")),
    ["settings failed", "text delivered"],
  );
  const audit = "select actor, subject from audit where operator_id = $1 and action = 'subscriber.erase'";
  assert.deepEqual(await database.rows(audit, [order.operatorId]), [{ actor: "ada", subject: id }]);
  await assert.rejects(erasure.look(order.operatorId, id), { code: "subscriber_not_found" });
  await assert.rejects(shop.desk.resend(order.operatorId, order.orderId, "care"), { code: "order_closed" });
  assert.deepEqual(
    await shop.texts
      .send(order.operatorId, [{ ...text, to: "+4915199999999" }])
      .then(([one]) => one?.created),
    true,
  );
});

test("of an erased person's managed handset neither its account stays, which names its IMEI, nor what was to be set on it", async () => {
  const order = await endedOrder("managed");
  const { operatorId, orderId } = order;
  const accountId = uuidv7();
  await database.run(
    `insert into management_account (id, operator_id, device_id, token_hash, sealed, version, failures, updated_at)
     select $1, operator_id, device_id, $3, $4, 1, 0, now() from provisioning_order where id = $2`,
    [accountId, orderId, Buffer.alloc(32, 5), Buffer.from("sealed")],
  );
  await database.run(
    `insert into management_task (id, operator_id, account_id, order_id, item_id, settings_sealed, expires_at, created_at)
     values ($1, $2, $3, $4, $1, $5, now(), now())`,
    [uuidv7(), operatorId, accountId, orderId, Buffer.from("sealed")],
  );
  await erasure.erase(operatorId, await personOf(order), "ada");
  for (const table of ["management_account", "management_task"])
    assert.equal(await shop.count(table, "operator_id = $1", [operatorId]), 0, table);
});

test("a SIM that is seen again after its person was erased is a new one, with an order of its own", async () => {
  const order = await endedOrder("again");
  const id = await personOf(order);
  await erasure.erase(order.operatorId, id, "ada");
  const { operatorId, orderId: _, ...pair } = order;
  const [seen] = await shop.see(operatorId, pair);
  assert.ok(seen && "orderId" in seen);
  assert.notEqual(await personOf(order), id);
});

test("a handset that another SIM was in too keeps its IMEI, and the same number at another operator is another person", async () => {
  const order = await endedOrder("shared");
  const { operatorId, orderId: _, ...pair } = order;
  const other = {
    ...pair,
    imsi: pair.imsi.slice(0, -1) + ((Number(pair.imsi.at(-1)) + 1) % 10),
    msisdn: undefined,
  };
  await shop.see(operatorId, other);
  await database.run(
    "update provisioning_order set state = 'cancelled', due_at = null, deadline_at = null where operator_id = $1 and state <> 'failed'",
    [operatorId],
  );
  const elsewhere = await shop.operator();
  await shop.see(elsewhere, pair);
  const id = await personOf(order);
  await assert.rejects(erasure.erase(elsewhere, id, "ada"), { code: "subscriber_not_found" });
  const gone = await erasure.erase(operatorId, id, "ada");
  assert.equal(gone.erases.devices, 0);
  const imei = sealer.blindIndex("imei", operatorId, pair.imei.slice(0, 14));
  assert.deepEqual(await holders([imei]), ["device.imei_index"]);
  assert.ok(await personOf({ ...order, operatorId: elsewhere }));
  await assert.rejects(personOf(order));
});

test("money that is due, and what is under way, hold a person: the refusal says what, and nothing is changed", async () => {
  const order = await ordered("held");
  const id = await personOf(order);
  const holds = async () => (await erasure.look(order.operatorId, id)).holds;
  assert.deepEqual(await holds(), ["order_under_way", "message_under_way"]);
  const [message] = await claim(order.operatorId);
  const unsent = {
    messageId: message?.messageId ?? "",
    reason: "no",
    retryAt: null,
    errorCode: "ESME_RINVDSTADR",
  };
  await shop.conductor.bookSubmissions([], [unsent]);
  assert.deepEqual(await holds(), []);
  const [item] = (await story(order)).items;
  const [charge, posting, dispute, collection] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  await database.run(
    `insert into charge (id, operator_id, order_id, item_id, make, key_source, fee_minor, portion_minor, currency, level, state, reason,
       created_at, updated_at)
     values ($1, $2, $3, $4, 'Acme', 'maker', 100, 0, 'EUR', 'works', 'requested', 'r', now(), now())`,
    [charge, order.operatorId, order.orderId, item?.id],
  );
  assert.deepEqual(await holds(), ["charge_due"]);
  await database.run("update charge set state = 'settled' where id = $1", [charge]);
  await database.run(
    `insert into posting (id, operator_id, reference, charge_id, debit, credit, amount_minor, currency, booked_at)
     values ($1, $2, 'fee:1', $3, 'a', 'b', 100, 'EUR', now())`,
    [posting, order.operatorId, charge],
  );
  await database.run(
    `insert into dispute (id, operator_id, posting_id, charge_id, make, raised_by, raised_as, reason, state, owner, deadline_at, created_at)
     values ($1, $2, $3, $4, 'Acme', 'maker', 'maker', 'r', 'open', 'ada', now(), now())`,
    [dispute, order.operatorId, posting, charge],
  );
  assert.deepEqual(await holds(), ["dispute_open"]);
  await database.run(
    "update dispute set state = 'kept', deadline_at = null, decided_at = now() where id = $1",
    [dispute],
  );
  await database.run(
    `insert into collection (id, operator_id, subscriber_id, order_id, order_item_id, catalog_id, purpose, period, amount_minor, currency,
       state, attempt, reason, next_action, created_at, updated_at)
     values ($1, $2, $3, $4, $5, 'mms', 'order', 0, 100, 'EUR', 'taken', 1, 'r', 'n', now(), now())`,
    [collection, order.operatorId, id, order.orderId, item?.id],
  );
  assert.deepEqual(await holds(), ["collection_open"], "it may be given back");
  const before = await holders(indexesOf(order));
  await assert.rejects(erasure.erase(order.operatorId, id, "ada"), {
    code: "subscriber_held",
    nextStep: "A sum is being collected, or may still be given back: wait for its end.",
  });
  assert.deepEqual(await holders(indexesOf(order)), before);
  await database.run("update collection set updated_at = now() - interval '57 days' where id = $1", [
    collection,
  ]);
  assert.deepEqual((await erasure.erase(order.operatorId, id, "ada")).holds, []);
  const books = "select count(*)::int as n from posting where operator_id = $1";
  assert.deepEqual(await database.one(books, [order.operatorId]), { n: 1 });
});

test("who asks for their own data gets numbers and texts in clear, and it stands in the audit", async () => {
  const order = await endedOrder("export");
  const text = { to: order.msisdn, text: "hello Ada", idempotencyKey: "to the exported" };
  await shop.texts.send(order.operatorId, [text]);
  const id = await personOf(order);
  const { tables } = await erasure.exportOf(order.operatorId, id, "ada");
  const [subscriber, handset] = [tables.subscriber?.[0], tables.handsets?.[0]];
  assert.deepEqual([subscriber?.imsi, subscriber?.msisdn], [order.imsi, order.msisdn]);
  assert.equal(String(handset?.imei).slice(0, 14), order.imei.slice(0, 14));
  assert.deepEqual(
    tables.messages?.map(({ kind, number, text: words }) => [kind, number, words]),
    [
      ["text", order.msisdn, "hello Ada"],
      ["settings", null, null],
    ],
  );
  assert.equal(tables.orders?.length, 1);
  const audit =
    "select actor from audit where operator_id = $1 and action = 'subscriber.export' and subject = $2";
  assert.deepEqual(await database.rows(audit, [order.operatorId, id]), [{ actor: "ada" }]);
});

test("people whom no network sees any more go when their operator's time for them is over; a look tells how many beforehand", async () => {
  const operatorId = await shop.operator();
  const gone = await endedOrder("gone", operatorId);
  const seen = await endedOrder("seen lately", operatorId);
  const held = await ordered("gone and held", operatorId);
  const now = daysFromNow(400);
  await database.run("update pairing set last_seen_at = $2 where subscriber_id = $1", [
    await personOf(seen),
    daysFromNow(390),
  ]);
  const policy = { ...DEFAULT_POLICY, retention: { ...KEEP_ALL, people: 6 } };
  await database.run(
    "insert into operator_policy (operator_id, version, body, made_by) values ($1, 100, $2, 'ada')",
    [operatorId, JSON.stringify(policy)],
  );
  const deps = { database, sealer, newId: uuidv7, clock: () => now };
  const retention = createRetention({ ...deps, policyOf: async () => policy });
  const over = (await retention.look(operatorId, {})).find(({ kind }) => kind === "people")?.over;
  assert.deepEqual(
    over?.map(({ entries }) => entries),
    [1],
  );
  for (let steps = 0; await sweepStep(deps, "people"); steps++)
    assert.ok(steps < 100, "a sweep comes to its end");
  await assert.rejects(personOf(gone));
  assert.ok((await personOf(held)) && (await personOf(seen)));
  const statistics = await retention.statistics(operatorId, { kind: "people" });
  assert.deepEqual(
    statistics.map(({ count }) => count),
    [1],
  );
  const applied = `select (detail ->> 'entries')::int as entries from audit
                    where operator_id = $1 and action = 'retention.applied' and subject = 'people'`;
  assert.deepEqual(await database.rows(applied, [operatorId]), [{ entries: 1 }]);
});
