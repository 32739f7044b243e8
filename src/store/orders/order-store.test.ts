/** What the order engine asks of storage, on PostgreSQL: two servers at once, access points, requests by hand. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { LEASE_MS, messageShop } from "../../../test/fixture/message-shop.ts";
import { CHOICE, relationTerms } from "../../../test/fixture/order-engine.ts";
import { pair } from "../../../test/fixture/order-shop.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { bulkInsert } from "../database/bulk.ts";
import { uuidv7 } from "../database/uuid.ts";

const { shop, ordered, claim, story } = await messageShop();

test("three conductors on one database take every order once", async () => {
  const operatorId = await shop.operator();
  await shop.see(operatorId, ...Array.from({ length: 300 }, (_, n) => pair(`three conductors ${n}`)));
  const conductors = [shop.conductor, shop.conductorOf(), shop.conductorOf()];
  const took = await Promise.all(
    conductors.map(async (conductor) => {
      let sum = 0;
      for (let round = 0; round < 40; round++) sum += await conductor.advance(20);
      return sum;
    }),
  );
  assert.equal(
    took.reduce((sum, one) => sum + one, 0),
    300,
  );
  assert.equal(await shop.count("order_item", "operator_id = $1", [operatorId]), 300);
  const claims = await Promise.all(
    Array.from({ length: 4 }, () =>
      shop.store.claimMessages({ now: new Date(shop.time.now), limit: 100, leaseMs: LEASE_MS }),
    ),
  );
  const ids = claims.flat().map(({ messageId }) => messageId);
  assert.equal(new Set(ids).size, 300);
  assert.equal(ids.length, 300);
});

test("a waiting order is due as soon as its operator adds an access point, and another operator's is not", async () => {
  shop.world.choice = { kind: "refused", code: "no_access_point", reason: "no access point is known" };
  const [mine, theirs] = [await ordered("woken"), await ordered("not woken")];
  for (let looks = 0; looks < 3; looks++) {
    shop.time.now += 2 * 60_000;
    await shop.conductor.advance(1_000);
  }
  const point = { id: uuidv7(), apn: "internet", password: null } as AccessPoint;
  await shop.registry.accessPoints.add(mine.operatorId, point, "test");
  shop.world.choice = CHOICE;
  shop.time.now += 3_000;
  await shop.conductor.advance(1_000);
  assert.equal((await story(mine)).state, "provisioning");
  assert.equal((await story(theirs)).state, "waiting");
  await shop.registry.policies.put(theirs.operatorId, 0, DEFAULT_POLICY, "test");
  shop.time.now += 3_000;
  await shop.conductor.advance(1_000);
  assert.equal((await story(theirs)).state, "provisioning");
});

test("the password of a relation's access point is read as it was written, and stands sealed", async () => {
  const operatorId = await shop.operator();
  const accessPoints = [
    { apn: "acme.maker", use: "maker", authType: "pap", user: "u", password: "Geheim!7" },
  ] as const;
  await shop.registry.relations.put(operatorId, relationTerms({ accessPoints }), () => true, "test");
  assert.deepEqual((await shop.registry.relations.find(operatorId, "ACME"))?.accessPoints, accessPoints);
  const terms = await shop.store.termsOf(operatorId);
  assert.deepEqual(terms.relations.get("acme")?.accessPoints, accessPoints);
  const rows = await shop.database.rows<{ row: string }>("select r::text as row from relation r");
  assert.ok(!JSON.stringify(rows).includes("Geheim"));
});

test("a request by hand opens one order per idempotency key, and a cancelled one sends nothing", async () => {
  const operatorId = await shop.operator();
  const request = { ...pair("by hand"), idempotencyKey: "once" };
  const opened = await Promise.all([
    shop.desk.open(operatorId, request),
    shop.desk.open(operatorId, request),
  ]);
  assert.equal(new Set(opened.map(({ orderId }) => orderId)).size, 1);
  assert.equal(opened.filter(({ created }) => created).length, 1);
  await shop.conductor.advance(1_000);
  await shop.desk.cancel(operatorId, opened[0]!.orderId, "care");
  assert.deepEqual(await claim(operatorId), []);
  await assert.rejects(shop.desk.resend(operatorId, opened[0]!.orderId, "care"), { code: "order_closed" });
});

test("many rows go in one statement with every kind of value as it was", async () => {
  await shop.database.run(
    "create table kinds (id uuid, words text[], body jsonb, octets bytea, at timestamptz, n bigint)",
  );
  type Kinds = { id: string; words: string[]; body: unknown; octets: Buffer; at: Date; n: bigint };
  const rows: (Kinds | { [Key in keyof Kinds]: Kinds[Key] | null })[] = [
    {
      id: uuidv7(),
      words: ['a "quote"', "a,comma", "{brace}", "back\\slash", ""],
      body: { a: ["ü", 1, null] },
      octets: Buffer.from([0, 255, 92]),
      at: new Date(0),
      n: 9_007_199_254_740_993n,
    },
    { id: uuidv7(), words: [], body: "text", octets: Buffer.alloc(0), at: null, n: null },
  ];
  const insert = bulkInsert<(typeof rows)[number]>("kinds", [
    { name: "id", type: "uuid", value: ({ id }) => id },
    { name: "words", type: "text[]", value: ({ words }) => words },
    { name: "body", type: "jsonb", value: ({ body }) => body },
    { name: "octets", type: "bytea", value: ({ octets }) => octets },
    { name: "at", type: "timestamptz", value: ({ at }) => at },
    { name: "n", type: "bigint", value: ({ n }) => (n === null ? null : String(n)) },
  ]);
  assert.equal(await insert(shop.database, rows), 2);
  assert.equal(await insert(shop.database, []), 0);
  assert.deepEqual(await shop.database.rows("select * from kinds order by id"), rows);
});
