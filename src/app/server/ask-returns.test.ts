/** The payment provider is asked what came back: nothing is passed over, each return is its own operator's, and no sum is booked twice. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { writeOrderStory } from "../../../test/fixture/order-story.ts";
import { collectionNameOf, type ReturnsAsked } from "../../kernel/settlement/collection-return.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { createSealer } from "../../store/seal/seal.ts";
import { createCollectionReturns } from "../../store/settlement/collection-returns.ts";
import { createCollections } from "../../store/settlement/collections.ts";
import { returnsAsking } from "../../store/settlement/returns-asking.ts";
import { askReturns } from "./ask-returns.ts";

const database = await freshDatabase();
const sealer = createSealer(Buffer.alloc(32, 9));
const time = { now: Date.parse("2026-06-01T12:00:00Z") };
const clock = (): Date => new Date(time.now);
const shared = { database, sealer, newId: uuidv7, clock };
const returns = createCollectionReturns(shared);
const collections = createCollections(shared);
const POLL_MS = 60_000;

async function operatorWithSum(slug: string): Promise<{ readonly operatorId: string; readonly sum: string }> {
  const operatorId = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    operatorId,
    slug,
  ]);
  const { orderId } = await writeOrderStory({ database, sealer }, operatorId);
  const sum = uuidv7();
  await database.run(
    `insert into collection (id, operator_id, subscriber_id, order_id, order_item_id, catalog_id, purpose, period, amount_minor,
            currency, state, attempt, reason, next_action, reference, created_at, updated_at)
     select $1, $2, o.subscriber_id, o.id, o.id, 'ring', 'renewal', 0, 299, 'EUR', 'taken', 1, 'because', 'none', $4, now(), now()
       from provisioning_order o where o.id = $3`,
    [sum, operatorId, orderId, `ch_${slug}`],
  );
  return { operatorId, sum };
}

/** The provider has these, and tells them in pages of one. */
function provider(told: readonly { readonly key: string; readonly named: readonly string[] }[]) {
  const asked: (string | null)[] = [];
  const port = async ({ after }: { readonly after: string | null }): Promise<ReturnsAsked> => {
    asked.push(after);
    const at = Number(after ?? 0);
    const page = told.slice(at, at + 1).map((one) => ({
      ...{ ...one, kind: "return", amountMinor: 299n, currency: "EUR", code: "AC04", returnedOn: null },
      kind: "return" as const,
    }));
    return { kind: "returns", returns: page, cursor: String(at + page.length), isMore: at + 1 < told.length };
  };
  return { asked, port };
}

test("all that came back is asked for on from where the last answer ended, each booked for the operator whose sum it is, once", async () => {
  const [north, south] = [await operatorWithSum("north"), await operatorWithSum("south")];
  const { asked, port } = provider([
    { key: "R1", named: [collectionNameOf(south.sum)] },
    { key: "R2", named: ["ch_north"] },
    { key: "R3", named: ["ch_nobody"] },
  ]);
  const deps = { returns, asking: returnsAsking(database), portOf: () => port, clock, pollMs: POLL_MS };
  const broken = { ...returns, book: () => Promise.reject(new Error("the database is gone")) };
  await assert.rejects(askReturns({ ...deps, returns: broken }));
  assert.equal(await askReturns(deps), false, "another server does not ask meanwhile");
  time.now += 120_000;
  for (let more = true; more; ) more = await askReturns(deps);
  assert.deepEqual(asked, [null, null, "1", "2"], "what was not booked is asked for again");
  assert.equal(await askReturns(deps), false);
  time.now += POLL_MS;
  await askReturns(deps);
  assert.equal(asked.at(-1), "3");
  for (const { operatorId, sum } of [north, south]) {
    const { rows } = await collections.list(operatorId, {}, { limit: 9 });
    assert.deepEqual(
      rows.map(({ id, state, returnedMinor }) => [id, state, returnedMinor]),
      [[sum, "returned", 299n]],
    );
  }
  const kept = async (operatorId: string) =>
    (await returns.list(operatorId, {}, { limit: 9, order: "asc" })).rows.map(({ outcome }) => outcome);
  assert.deepEqual(
    [await kept(north.operatorId), await kept(south.operatorId)],
    [["booked", "unknown"], ["booked"]],
  );
});

test("a provider that has no such list, or does not answer, is asked again in its time, and what it fails with is kept", async () => {
  time.now += POLL_MS;
  const before = await database.rows("select cursor from collection_return_asking");
  const failing = async (): Promise<ReturnsAsked> => ({
    kind: "failed",
    cause: "timeout",
    reason: "nothing came",
  });
  const deps = { returns, asking: returnsAsking(database), clock, pollMs: POLL_MS };
  assert.equal(await askReturns({ ...deps, portOf: () => failing }), false);
  const [row] = await database.rows<{ failure: string }>("select failure from collection_return_asking");
  assert.equal(row?.failure, "timeout");
  time.now += POLL_MS;
  assert.equal(await askReturns({ ...deps, portOf: () => undefined }), false);
  assert.deepEqual(await database.rows("select cursor from collection_return_asking"), before);
});

test("a return goes by our own name of its sum, though another operator's person wrote the same reference at one of theirs", async () => {
  const [first, second] = [await operatorWithSum("east"), await operatorWithSum("west")];
  await database.run("update collection set reference = 'ch_west' where id = $1", [first.sum]);
  const named = [collectionNameOf(second.sum), "ch_west"];
  const asking = returnsAsking(database);
  assert.equal(await asking.ownerOf(named), second.operatorId);
  assert.equal(await asking.ownerOf(["ch_west"]), undefined, "by the reference alone nobody knows");
});
