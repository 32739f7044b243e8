/** `turnup collection`: what is collected from subscribers, and what a person books of a sum that was never answered. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { cliFixture, jsonLines } from "../../../test/fixture/cli.ts";
import { writeOrderStory } from "../../../test/fixture/order-story.ts";
import { uuidv7 } from "../../store/database/uuid.ts";

const fixture = await cliFixture([
  {
    name: "collection list",
    summary: "",
    load: async () => (await import("./collection.ts")).collectionListCommand,
  },
  {
    name: "collection book",
    summary: "",
    load: async () => (await import("./collection.ts")).collectionBookCommand,
  },
]);
const operatorId = await fixture.operator("north");
const run = (...argv: string[]) => fixture.run(["collection", ...argv]);

test("sums are listed, those that a person has to see to alone where asked, and booked once with their reason", async () => {
  assert.match((await run("list")).stderr, /no sum is, or was, to be collected/);
  const { orderId } = await writeOrderStory(fixture, operatorId);
  const [unknown] = [uuidv7(), uuidv7()];
  for (const [id, state, period] of [
    [unknown, "unknown", 0],
    [uuidv7(), "taken", 1],
  ] as const)
    await fixture.database.run(
      `insert into collection (id, operator_id, subscriber_id, order_id, order_item_id, catalog_id, purpose, period, amount_minor,
              currency, state, attempt, reason, next_action, means_masked, created_at, updated_at)
       select $1, $2, o.subscriber_id, o.id, $5, 'ring', 'renewal', $4, 299, 'EUR', $3, 1, 'because', 'see to it', 'AT******3201', now(), now()
         from provisioning_order o where o.id = $6`,
      [id, operatorId, state, period, orderId, orderId],
    );
  assert.match((await run("list")).stdout, /ring +1 +€2\.99 +€0\.00 +AT\*{6}3201 +taken/);
  const seen = jsonLines((await run("list", "--to-see-to", "--json")).stdout);
  assert.deepEqual(
    seen.map(({ id, amountMinor }) => [id, amountMinor]),
    [[unknown, 299]],
  );
  assert.equal((await run("book", "x", "taken", "--reason", "said so")).exitCode, 2);
  assert.equal((await run("book", unknown, "perhaps", "--reason", "said so")).exitCode, 2);
  const booked = await run("book", unknown, "taken", "--reason", "said so", "--reference", "ch_7");
  assert.match(booked.stdout, /is taken: it was taken, as cli booked: said so/);
  assert.match((await run("book", unknown, "taken", "--reason", "again")).stderr, /^collection_closed:/);
  assert.match((await run("book", uuidv7(), "taken", "--reason", "none")).stderr, /^collection_not_found:/);
  const [event] = await fixture.database.rows<{ kind: string; evidence: string }>(
    "select kind, evidence from order_event where order_id = $1 and kind = 'collection_booked'",
    [orderId],
  );
  assert.equal(event?.evidence, "cli");
});
