/** What waits in the database, counted. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { relationTerms } from "../../../test/fixture/order-engine.ts";
import { orderShop, pair } from "../../../test/fixture/order-shop.ts";
import { CALL_KINDS } from "../../kernel/order/outbound-call.ts";
import { readBacklog } from "./backlog.ts";

const shop = await orderShop();
const read = () => readBacklog(shop.database, CALL_KINDS, new Date(shop.time.now));

test("what waits in the database is counted by what it waits for, over all operators", async () => {
  const none = await read();
  assert.deepEqual([none.outbox.count, none.dueOrders], [0, { count: 0, firstDueAt: null }]);
  const [one, other] = [await shop.operator(), await shop.operator()];
  shop.world.verdict = "ended";
  await shop.registry.relations.put(one, relationTerms(), () => true, "test");
  const { msisdn: _, ...numberless } = pair("backlog two");
  await shop.see(one, pair("backlog one"));
  await shop.see(other, numberless, pair("backlog three"));
  const seen = await read();
  assert.deepEqual([seen.openOrders.received, seen.dueOrders.count], [3, 3]);
  assert.deepEqual(seen.dueOrders.firstDueAt, new Date(shop.time.now));
  await shop.conductor.advance(10);
  const opened = await read();
  assert.deepEqual(opened.openOrders, {
    received: 0,
    verifying: 0,
    awaiting_consent: 0,
    waiting: 1,
    provisioning: 2,
  });
  assert.equal(opened.dueOrders.count, 0);
  assert.deepEqual([opened.calls.key_request?.count, opened.calls.fee_request?.count], [1, 0]);
  const [{ n: queued } = { n: -1 }] = await shop.database.rows<{ n: number }>(
    "select count(*)::int as n from message where state = 'queued'",
  );
  assert.ok(queued > 0);
  assert.equal(opened.outbox.count, queued);
  const now = new Date(shop.time.now);
  await shop.store.claimMessages({ now, limit: 1, leaseMs: 60_000 });
  const handing = await read();
  assert.equal(handing.inFlight, 1);
});
