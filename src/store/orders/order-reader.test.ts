/** Orders as the doors read them: every filter and order on an index. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import type { OrderFilter, OrderSort } from "../../kernel/order/order-list.ts";
import type { Query } from "../database/conditions.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { createPairings } from "../sightings/pairings.ts";
import type { Place } from "./list-cursor.ts";
import { orderListQueries } from "./order-list.ts";
import { chargesQuery, createOrderReader, messagesQuery, postingsQuery } from "./order-reader.ts";

const ORDERS = 20_000;
const MINE = uuidv7();
const THEIRS = uuidv7();
const IMSI = "262019876543210";
const MSISDN = "491701234567";
const IMEI = "356938035643809";

const sealer = createSealer(Buffer.alloc(32, 7));
const database = await freshDatabase();
const reader = createOrderReader(database, sealer);
const page = { limit: 100 };

/** 20,000 orders of mine, one a minute, of 500 SIMs in 500 handsets, and 2,000 of another operator. */
async function fill(operatorId: string, slug: string, count: number): Promise<void> {
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    operatorId,
    slug,
  ]);
  const people = Array.from({ length: 500 }, (_, at) => ({
    id: uuidv7(),
    imsi: at === 0 ? IMSI : `26201${String(at).padStart(10, "0")}`,
    msisdn: at === 0 ? MSISDN : `4917${String(at).padStart(8, "0")}`,
    imei: at === 0 ? IMEI : `35693803${String(at).padStart(6, "0")}0`,
  }));
  for (const { id, imsi, msisdn, imei } of people) {
    await database.run(
      `with s as (insert into subscriber (id, operator_id, imsi_index, imsi_sealed, msisdn_index, msisdn_sealed, home_plmn)
                  values ($1, $2, $3, $4, $5, $6, '26201'))
       insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $7, $8, '35693803')`,
      [
        id,
        operatorId,
        sealer.blindIndex("imsi", operatorId, imsi),
        sealer.seal("imsi", imsi),
        sealer.blindIndex("msisdn", operatorId, msisdn),
        sealer.seal("msisdn", msisdn),
        sealer.blindIndex("imei", operatorId, imei.slice(0, 14)),
        sealer.seal("imei", imei),
      ],
    );
  }
  await database.run(
    `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action,
            due_at, deadline_at, make, model, verdict, created_at, updated_at)
     select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000' || substr(md5($1::uuid::text || n), 1, 16))::uuid,
            $1::uuid, ($2::uuid[])[n % 500 + 1], ($2::uuid[])[n % 500 + 1],
            (array['first_registration', 'sim_moved'])[n % 2 + 1], 'mno',
            case when n % 1000 = 0 then 'waiting' when n % 3 = 0 then 'failed' else 'completed' end, 'a reason', 'none',
            at, at, case when n % 5000 = 0 then 'Rare' else 'Make' || n % 40 end, 'Model' || n % 200,
            (array['ended', 'supported', 'unknown'])[n % 3 + 1], at, at
       from (select n, timestamptz '2026-01-01T00:00:00Z' + n * interval '1 minute' as at
               from generate_series(0, $3::int - 1) n) rows`,
    [operatorId, people.map(({ id }) => id), count],
  );
}
await fill(MINE, "mine", ORDERS);
await fill(THEIRS, "theirs", 2_000);
const [, storyOrder] = (await reader.listOrders(MINE, { imsi: IMSI }, page)).rows;
const storyId = storyOrder?.id as string;
await writeStory();
await database.run("analyze");

/** Items, events, message, call, charge and posting of one order, and as many others' as make a scan dear. */
async function writeStory(): Promise<void> {
  const [itemId, messageId, payloadId, chargeId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const now = new Date("2026-02-01T00:00:00Z");
  await database.run(
    "insert into payload (id, operator_id, kind, protocol, sec, octets, sealed, created_at) values ($1, $2, 'settings', 'omacp', 'netwpin', 3, $3, $4)",
    [payloadId, MINE, sealer.seal("payload", Uint8Array.of(1, 6, 4)), now],
  );
  await database.run(
    `insert into message (id, operator_id, order_id, payload_id, kind, idempotency_key, reference, part_count, state, reason,
            expires_at, created_at, updated_at) values ($1, $2, $3, $4, 'settings', 'k', 7, 2, 'failed', 'a part failed', $5, $5, $5)`,
    [messageId, MINE, storyId, payloadId, now],
  );
  for (const sequence of [2, 1]) {
    await database.run(
      "insert into message_part (message_id, sequence, smsc, smsc_message_id, state, accepted_at) values ($1, $2, 'sim', $3, 'accepted', $4)",
      [messageId, sequence, `m${sequence}`, now],
    );
  }
  await database.run(
    `insert into order_item (id, operator_id, order_id, kind, state, reason, next_action, message_id, apns, updated_at)
     values ($1, $2, $3, 'settings', 'sending', 'on its way', 'wait', $4, '{internet}', $5)`,
    [itemId, MINE, storyId, messageId, now],
  );
  for (const kind of ["order_received", "message_queued"]) {
    await database.run(
      "insert into order_event (id, operator_id, order_id, kind, reason, detail, at) values ($1, $2, $3, $4, 'because', '{\"a\": 1}', $5)",
      [uuidv7(), MINE, storyId, kind, now],
    );
  }
  await database.run(
    `insert into outbound_call (id, operator_id, order_id, kind, idempotency_key, body, state, reason, deadline_at, created_at, updated_at)
     values ($1, $2, $3, 'fee_request', 'k', '{}', 'done', 'paid', $4, $4, $4)`,
    [uuidv7(), MINE, storyId, now],
  );
  await database.run(
    `insert into charge (id, operator_id, order_id, item_id, make, key_source, fee_minor, portion_minor, currency, level, state, reason, created_at, updated_at)
     values ($1, $2, $3, $4, 'Make1', 'maker', 9007199254740993, 100, 'EUR', 'works', 'settled', 'paid', $5, $5)`,
    [chargeId, MINE, storyId, itemId, now],
  );
  await database.run(
    `insert into posting (id, operator_id, reference, charge_id, debit, credit, amount_minor, currency, booked_at)
     select gen_random_uuid(), $1, 'r' || n, $2, 'account' || n % 3, 'account' || n % 3 + 1, n + 1, 'EUR', $3
       from generate_series(0, 9999) n`,
    [MINE, chargeId, now],
  );
  await database.run(
    `insert into charge (id, operator_id, order_id, item_id, make, key_source, fee_minor, portion_minor, currency, level, state, reason, created_at, updated_at)
     select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), 'Make' || n % 40, 'own', 1, 0, 'EUR', 'works',
            case when n % 500 = 0 then 'refused' else 'settled' end, 'r', $2, $2 from generate_series(0, 9999) n`,
    [MINE, now],
  );
  await database.run(
    `insert into message (id, operator_id, order_id, payload_id, kind, idempotency_key, reference, part_count, state, reason,
            expires_at, created_at, updated_at)
     select gen_random_uuid(), $1, gen_random_uuid(), $2, 'settings', 'k' || n, 1, 1,
            case when n % 500 = 0 then 'expired' else 'delivered' end, 'r', $3, $3, $3 from generate_series(0, 9999) n`,
    [MINE, payloadId, now],
  );
}

type Plan = {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly Plan[];
};
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

async function scansOf({ text, values }: Query): Promise<string[]> {
  const row = await database.one<{ "QUERY PLAN": { Plan: Plan }[] }>(`explain (format json) ${text}`, values);
  const nodes = nodesOf(row?.["QUERY PLAN"][0]?.Plan as Plan);
  return nodes
    .filter((node) => node["Node Type"] === "Seq Scan")
    .map((node) => String(node["Relation Name"]));
}

const someone = storyOrder?.subscriberId as string;
const PLACES: Partial<Record<OrderSort, Place>> = {
  created: { key: [], id: storyId },
  make: { key: ["Make1", "Model1"], id: storyId },
  updated: { key: [Date.parse("2026-01-03T00:00:00Z") / 1_000], id: storyId },
  deadline: { key: [Date.parse("2026-01-03T00:00:00Z") / 1_000], id: storyId },
  attempts: { key: [2], id: storyId },
};
const orderFilters: {
  name: string;
  filter: OrderFilter;
  parties?: { subscriberIds?: string[]; deviceId?: string };
  sort?: OrderSort;
}[] = [
  { name: "all", filter: {} },
  { name: "a common state", filter: { state: "completed" } },
  { name: "a rare state", filter: { state: "waiting" } },
  { name: "a state that none has", filter: { state: "cancelled" } },
  { name: "a cause", filter: { cause: "sim_moved" } },
  { name: "a verdict", filter: { verdict: "unknown" } },
  { name: "a common make", filter: { make: "Make1" } },
  { name: "a rare make and a model", filter: { make: "Rare", model: "Model0" } },
  { name: "a subscriber", filter: { subscriberId: someone } },
  { name: "a device", filter: { deviceId: someone } },
  { name: "an IMSI", filter: {}, parties: { subscriberIds: [someone] } },
  { name: "an IMEI", filter: {}, parties: { deviceId: someone } },
  { name: "an IMSI and a state", filter: { state: "failed" }, parties: { subscriberIds: [someone] } },
  { name: "a model", filter: { model: "Model0" } },
  { name: "a make", filter: {}, sort: "make" },
  { name: "their last change", filter: {}, sort: "updated" },
  { name: "their last change and a state", filter: { state: "failed" }, sort: "updated" },
  { name: "their deadline", filter: {}, sort: "deadline" },
  { name: "their attempts", filter: {}, sort: "attempts" },
  { name: "a day", filter: { createdFrom: "2026-01-03T00:00:00Z", createdTo: "2026-01-04T00:00:00Z" } },
];
for (const { name, filter, parties = {}, sort = "created" } of orderFilters) {
  for (const order of ["asc", "desc"] as const) {
    test(`orders by ${name}, ${order}, run on an index, from the first page and from a later one`, async () => {
      for (const after of [undefined, PLACES[sort]]) {
        for (const query of orderListQueries({ operatorId: MINE, filter, parties }, sort, {
          limit: 101,
          order,
          after,
        }))
          assert.deepEqual(await scansOf(query), [], query.text);
      }
    });
  }
}

test("the look at a plan does see a scan where there is one", async () => {
  const text = "select * from provisioning_order where operator_id = $1 and reason = 'x'";
  assert.deepEqual(await scansOf({ text, values: [MINE] }), ["provisioning_order"]);
});

// The join with payload is by key; with one payload in the table PostgreSQL rightly reads it whole.
const otherQueries: [string, Query][] = [
  ["messages", messagesQuery(MINE, {}, page)],
  ["delivered messages", messagesQuery(MINE, { state: "delivered" }, page)],
  ["expired messages", messagesQuery(MINE, { state: "expired" }, page)],
  ["messages of an order", messagesQuery(MINE, { orderId: storyId }, page)],
  ["charges", chargesQuery(MINE, {}, page)],
  ["refused charges", chargesQuery(MINE, { state: "refused" }, page)],
  ["charges of a make", chargesQuery(MINE, { make: "Make7" }, page)],
  ["postings", postingsQuery(MINE, {}, page)],
  ["postings of an account", postingsQuery(MINE, { account: "account1" }, page)],
  ["postings of a charge", postingsQuery(MINE, { chargeId: someone }, page)],
];
for (const [name, query] of otherQueries) {
  test(`${name} run on an index`, async () => {
    const scans = (await scansOf(query)).filter((table) => table !== "payload");
    assert.deepEqual(scans, [], query.text);
  });
}

test("paging by key shows every order once, in order, both ways", async () => {
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { rows, nextCursor } = await reader.listOrders(
        MINE,
        { state: "waiting" },
        { limit: 7, order, cursor },
      );
      seen.push(...rows.map(({ id }) => id));
      cursor = nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.equal(seen.length, ORDERS / 1_000);
    const sorted = [...new Set(seen)].sort();
    assert.deepEqual(seen, order === "asc" ? sorted : sorted.reverse());
  }
});

test("a list ends with no cursor exactly where its rows end", async () => {
  const exact = await reader.listOrders(MINE, { state: "waiting" }, { limit: 20 });
  assert.deepEqual([exact.rows.length, exact.nextCursor], [20, null]);
  const short = await reader.listOrders(MINE, { state: "waiting" }, { limit: 19 });
  assert.equal(short.nextCursor, short.rows.at(-1)?.id);
});

test("numbers find their orders by blind index, and both must agree where two are given", async () => {
  const count = async (filter: OrderFilter) =>
    (await reader.listOrders(MINE, filter, { limit: 1_000 })).rows.length;
  for (const filter of [
    { imsi: IMSI },
    { msisdn: MSISDN },
    { imei: IMEI },
    { imsi: IMSI, imei: IMEI, msisdn: MSISDN },
  ]) {
    assert.equal(await count(filter), ORDERS / 500);
  }
  assert.equal(await count({ imsi: "262010000000001", imei: IMEI }), 0);
  assert.equal(await count({ imsi: "262010000000001", msisdn: MSISDN }), 0);
  assert.equal(await count({ imsi: "262019999999999" }), 0);
  assert.equal(await count({ imei: "356938035643817" }), 0);
});

test("a span of time is exact at both ends", async () => {
  const filter = { createdFrom: "2026-01-03T00:00:00Z", createdTo: "2026-01-03T02:00:00+01:00" };
  const { rows } = await reader.listOrders(MINE, filter, { limit: 1_000, order: "asc" });
  assert.equal(rows.length, 60);
  assert.equal(rows[0]?.createdAt, "2026-01-03T00:00:00.000Z");
  assert.equal(rows.at(-1)?.createdAt, "2026-01-03T00:59:00.000Z");
  assert.equal((await reader.listOrders(MINE, { createdTo: "1960-01-01T00:00:00Z" }, page)).rows.length, 0);
});

test("another operator's rows do not exist, by any list, number or id", async () => {
  const { rows } = await reader.listOrders(THEIRS, {}, { limit: 1 });
  const theirs = rows[0];
  assert.ok(theirs);
  assert.equal(await reader.findOrder(MINE, theirs.id), undefined);
  assert.equal(await reader.findOrder(THEIRS, storyId), undefined);
  assert.equal((await reader.listOrders(MINE, { subscriberId: theirs.subscriberId }, page)).rows.length, 0);
  assert.equal((await reader.listMessages(THEIRS, {}, page)).rows.length, 0);
  assert.equal((await reader.listMessages(THEIRS, { orderId: storyId }, page)).rows.length, 0);
  assert.equal((await reader.listCharges(THEIRS, {}, page)).rows.length, 0);
  assert.equal((await reader.listPostings(THEIRS, {}, page)).rows.length, 0);
  assert.deepEqual(await reader.balances(THEIRS), []);
});

test("the story of an order holds all that belongs to it, its numbers masked", async () => {
  const story = await reader.findOrder(MINE, storyId);
  assert.ok(story);
  assert.deepEqual(
    [story.imsiMasked, story.imeiMasked, story.msisdnMasked],
    ["262019*********", "35693803*******", "49********67"],
  );
  assert.deepEqual(
    story.events.map(({ kind }) => kind),
    ["order_received", "message_queued"],
  );
  assert.deepEqual(story.events[0]?.detail, { a: 1 });
  const [message] = story.messages;
  assert.deepEqual([...(message?.payload ?? [])], [1, 6, 4]);
  assert.deepEqual(
    message?.parts.map(({ smscMessageId }) => smscMessageId),
    ["m1", "m2"],
  );
  assert.deepEqual(
    story.items.map(({ apns, state }) => [apns, state]),
    [[["internet"], "sending"]],
  );
  assert.deepEqual(
    story.calls.map(({ kind }) => kind),
    ["fee_request"],
  );
  assert.equal(story.charges[0]?.feeMinor, 9_007_199_254_740_993n);
  assert.ok(
    !JSON.stringify(story, (_, value) => (typeof value === "bigint" ? String(value) : value)).includes(IMSI),
  );
  assert.equal(await reader.findOrder(MINE, uuidv7()), undefined);
});

test("orders are counted by state, states that none has included", async () => {
  const counts = await reader.countOrders(MINE);
  assert.equal(counts.waiting, ORDERS / 1_000);
  assert.equal(counts.cancelled, 0);
  assert.equal(
    Object.values(counts).reduce((sum, count) => sum + count, 0),
    ORDERS,
  );
});

test("handsets that were left behind and work again are counted by model and the rule that decided", async () => {
  const at = (day: number): Date => new Date(Date.UTC(2026, 2, day));
  const ended = [
    { rule: "age_cutoff", outcome: "unknown", decided: false },
    { rule: "maker_exit", outcome: "ended", decided: true },
  ];
  type Handset = {
    readonly operatorId?: string;
    readonly state?: string;
    readonly verdict?: string;
    readonly reasons?: readonly object[] | null;
    readonly items?: readonly (readonly [kind: string, state: string])[];
    readonly device?: string;
  };
  /** One order of a handset of this model, whose items were all seen at that moment. */
  async function handset(model: string, day: number, said: Handset = {}): Promise<void> {
    const { operatorId = MINE, state = "completed", verdict = "ended", reasons = ended } = said;
    const [orderId, device] = [uuidv7(), said.device ?? uuidv7()];
    const lacksDevice =
      "insert into device (id, operator_id, imei_index, imei_sealed, tac) values ($1, $2, $3, $3, '35201307') on conflict do nothing";
    await database.run(lacksDevice, [device, operatorId, Buffer.from(device)]);
    await database.run(
      `insert into provisioning_order (id, operator_id, subscriber_id, device_id, cause, network_kind, state, reason, next_action,
              make, model, verdict, verdict_reasons, created_at, updated_at, ended_at)
       values ($1, $2, $3, $4, 'sim_moved', 'mno', $5, 'r', 'none', 'Restored', $6, $7, $8, $9, $9, '2031-01-01')`,
      [orderId, operatorId, someone, device, state, model, verdict, JSON.stringify(reasons), at(day)],
    );
    for (const [kind, level] of said.items ?? [["settings", "works"]]) {
      const itemId = uuidv7();
      await database.run(
        "insert into order_item (id, operator_id, order_id, kind, state, reason, next_action, updated_at) values ($1, $2, $3, $4, $5, 'r', 'none', $6)",
        [itemId, operatorId, orderId, kind, level, at(day)],
      );
      await database.run(
        "insert into order_event (id, operator_id, order_id, item_id, kind, state, reason, at) values ($1, $2, $3, $4, $5, $5, 'r', $6)",
        [uuidv7(), operatorId, orderId, itemId, level, at(day)],
      );
    }
  }
  const restored = async (span: { from?: string; to?: string } = {}, of = MINE) =>
    (await reader.restored(of, span))
      .filter(({ make }) => make === "Restored")
      .map(({ model, rule, handsets, withKey }) => `${model} ${rule} ${handsets} ${withKey}`);

  const twice = uuidv7();
  await handset("Old", 3, {
    items: [
      ["settings", "works"],
      ["key", "works"],
    ],
  });
  await handset("Old", 4);
  await handset("Old", 5, { device: twice });
  await handset("Old", 6, { device: twice });
  const counted = ["Old maker_exit 3 1"];
  assert.deepEqual(await restored(), counted, "a handset counts once, however often it was provisioned");

  // None of these was restored, or none of them is ours.
  await handset("Delivered alone", 3, { items: [["settings", "delivered"]] });
  await handset("Key that was only opened", 3, {
    items: [
      ["settings", "works"],
      ["key", "opened"],
    ],
  });
  await handset("Key that failed", 3, {
    state: "partly_completed",
    items: [
      ["settings", "works"],
      ["key", "failed"],
    ],
  });
  await handset("Without items", 3, { items: [] });
  await handset("Still supported", 3, { verdict: "supported" });
  await handset("Not known", 3, { verdict: "unknown" });
  await handset("Cancelled", 3, { state: "cancelled" });
  await handset("Left behind by no rule", 3, { reasons: [{ ...ended[0]!, decided: true }] });
  await handset("Another operator's", 3, { operatorId: THEIRS });
  assert.deepEqual(await restored(), counted);
  assert.deepEqual(await restored({}, THEIRS), ["Another operator's maker_exit 1 0"]);

  // By when they were seen to work, not by when the order was touched last; the first moment is in, the last is not.
  assert.deepEqual(await restored({ from: at(4).toISOString(), to: at(6).toISOString() }), [
    "Old maker_exit 2 0",
  ]);
  assert.deepEqual(await restored({ from: at(7).toISOString() }), []);
  assert.deepEqual(await restored({ to: at(3).toISOString() }), []);
});

test("the balances of each currency sum to zero", async () => {
  const balances = await reader.balances(MINE);
  assert.ok(balances.length >= 4);
  assert.equal(
    balances.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0n),
    0n,
  );
  assert.ok(balances.some(({ balanceMinor }) => balanceMinor !== 0n));
});

test("a handset shows whose SIMs were in it, latest first, to its own operator alone", async () => {
  const pairings = createPairings(database, sealer);
  const seen = "2026-02-01T00:00:00Z";
  await database.run(
    `insert into pairing (id, operator_id, subscriber_id, device_id, first_seen_at, last_seen_at, since, is_current)
     values ($1, $2, $3, $3, $4, $4, $4, true)`,
    [uuidv7(), MINE, someone, seen],
  );
  const found = await pairings.ofDevice(MINE, IMEI, 10);
  assert.deepEqual(
    found?.pairings.map(({ imsiMasked, isCurrent }) => [imsiMasked, isCurrent]),
    [["262019*********", true]],
  );
  assert.deepEqual((await pairings.ofDevice(THEIRS, IMEI, 10))?.pairings, []);
  assert.equal(await pairings.ofDevice(MINE, "356938035643817", 10), undefined);
});
