/** What operators are and what they choose: marks of virtual, secondary and tertiary ones, listed markets, keys without a deal. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DEFAULT_POLICY } from "../../src/kernel/operator/policy.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { createIntake } from "../../src/store/sightings/intake.ts";
import { testEngine } from "../fixture/order-engine.ts";
import { orderShop, pair } from "../fixture/order-shop.ts";

const shop = await orderShop();
const intake = createIntake({
  database: shop.database,
  sealer: shop.sealer,
  newId: () => uuidv7(),
  clock: () => new Date(shop.time.now),
  termsIn: shop.store.termsIn,
  homePlmnOf: () => undefined,
  countryOf: (mcc) => (mcc === "338" ? "JM" : null),
  onOrders: () => undefined,
});

test("an order bears the mark of its operator: virtual, secondary or tertiary", async () => {
  for (const kind of ["mno", "mvno", "secondary", "tertiary"]) {
    const operatorId = await shop.operator();
    await shop.database.run("update operator set kind = $2 where id = $1", [operatorId, kind]);
    await intake.accept(operatorId, [{ ...pair(`mark ${kind}`), plmn: "001-01" }], "api");
    const { rows } = await shop.reader.listOrders(operatorId, {}, { limit: 10 });
    assert.deepEqual(
      rows.map(({ networkKind, market }) => [networkKind, market]),
      [[kind, null]],
    );
  }
});

test("an order for a SIM of a listed market bears the market; one of another country does not", async () => {
  const operatorId = await shop.operator();
  const put = await shop.registry.policies.put(operatorId, 0, { ...DEFAULT_POLICY, markets: ["JM"] }, "test");
  assert.ok(put);
  const { imsi: _, ...jamaican } = pair("market jm");
  const { imsi: __, ...elsewhere } = pair("market other");
  await intake.accept(
    operatorId,
    [
      { ...jamaican, imsi: "338050123456789", plmn: "338-05" },
      { ...elsewhere, imsi: "001010123456789", plmn: "001-01" },
    ],
    "api",
  );
  const { rows } = await shop.reader.listOrders(operatorId, {}, { limit: 10, order: "asc" });
  assert.deepEqual(
    rows.map(({ market }) => market),
    ["JM", null],
  );
});

test("a device that its maker still supports gets a key without a deal only where the operator switched that on", async () => {
  for (const [keyWithoutDeal, deal, keys] of [
    [false, false, 0],
    [true, false, 1],
    [true, true, 0],
  ] as const) {
    const engine = testEngine({
      policy: { keyWithoutDeal },
      relation: { deal, keySource: "own" },
      judgement: { verdict: "supported" },
    });
    const orderId = engine.open();
    await engine.conductor.advance(10);
    const items = engine.books.orders.get(orderId)?.items ?? [];
    const which = `switched ${keyWithoutDeal}, deal ${deal}`;
    assert.equal(items.filter(({ kind }) => kind === "key").length, keys, which);
    assert.equal(items.filter(({ kind }) => kind === "settings").length, 1, which);
  }
});
