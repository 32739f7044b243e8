/** Whose messages a claim leases, and what it reads for that. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { LEASE_MS, messageShop } from "../../../test/fixture/message-shop.ts";
import type { WaitingPlace } from "../../kernel/order/order-store.ts";
import { claimMessages } from "./message-rows.ts";

const { shop } = await messageShop();
const DUE = 3_000;

test("a claim past an operator reads nothing of all that it has due, and takes what others have, the oldest first", async () => {
  const [passed, north, south] = [await shop.operator(), await shop.operator(), await shop.operator()];
  const send = async (operatorId: string, key: string): Promise<string> => {
    const [sent] = await shop.texts.send(operatorId, [
      { to: "4915112345678", text: "Hello", idempotencyKey: key },
    ]);
    assert.ok(sent);
    shop.time.now += 1_000;
    return sent.id;
  };
  const first = await send(passed, "first");
  await shop.database.run(
    `insert into message (id, operator_id, sealed, octets, kind, idempotency_key, reference, part_count, state, reason,
                          due_at, expires_at, created_at, updated_at)
     select gen_random_uuid(), operator_id, sealed, octets, kind, 'copy ' || n, 1, 1, state, reason, due_at, expires_at,
            created_at, updated_at
       from message, generate_series(1, ${DUE}) n where id = $1`,
    [first],
  );
  const oldest = [await send(south, "1"), await send(north, "2"), await send(south, "3")];
  await send(north, "4");
  await shop.database.run("analyze message");
  const now = new Date(shop.time.now);
  const { claimed, read } = await shop.database.transaction(async (tx) => {
    const claim = { now, limit: 3, leaseMs: LEASE_MS, except: [passed], node: null };
    const rows = await claimMessages(tx, claim);
    const [counts] = await tx.rows<{ read: number }>(
      `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_xact_user_tables where relname = 'message'`,
    );
    return { claimed: rows.map(({ messageId }) => messageId), read: counts?.read };
  });
  assert.deepEqual(claimed, oldest);
  assert.ok(read !== undefined && read > 0 && read < 100, `${read} rows read`);
  const rest = await shop.store.claimMessages({ now, limit: 10, leaseMs: LEASE_MS, except: [passed] });
  assert.equal(rest.length, 1, "what the first left is not locked for longer than it");
  const all = await shop.store.claimMessages({ now, limit: DUE * 2, leaseMs: LEASE_MS });
  assert.equal(all.length, DUE + 1);
});

test("a claim takes of each operator no more than it has room for, and of the others no less for that", async () => {
  const [slow, fast, other] = [await shop.operator(), await shop.operator(), await shop.operator()];
  for (const operatorId of [slow, fast, other])
    await shop.texts.send(
      operatorId,
      ["a", "b", "c", "d"].map((idempotencyKey) => ({ to: "4915112345678", text: "Hello", idempotencyKey })),
    );
  const claimed = await shop.store.claimMessages({
    ...{ now: new Date(shop.time.now), limit: 100, leaseMs: LEASE_MS },
    most: new Map([
      [slow, 1],
      [fast, 50],
    ]),
    mostOfOthers: 2,
  });
  const countOf = (operatorId: string) => claimed.filter((one) => one.operatorId === operatorId).length;
  assert.deepEqual([slow, fast, other].map(countOf), [1, 4, 2]);
});

test("messages that nobody claims are told why they wait, some at a time, each once; what is not due yet is not", async () => {
  const [unserved, served] = [await shop.operator(), await shop.operator()];
  const send = (operatorId: string, key: string) =>
    shop.texts.send(operatorId, [{ to: "4915112345678", text: "Hello", idempotencyKey: key }]);
  for (const key of ["1", "2", "3"]) await send(unserved, key);
  await send(served, "1");
  await send(unserved, "later");
  await shop.database.run(
    "update message set due_at = due_at + interval '1 hour' where operator_id = $1 and idempotency_key = 'text:later'",
    [unserved],
  );
  const reasons = async (operatorId: string) =>
    (
      await shop.database.rows<{ reason: string }>(
        "select reason from message where operator_id = $1 order by due_at, id",
        [operatorId],
      )
    ).map(({ reason }) => reason);
  const before = (await reasons(served))[0] ?? "";
  const tell = (after: WaitingPlace | null) =>
    shop.store.tellWaiting({
      ...{ operatorId: unserved, reason: "nobody takes it", now: new Date(shop.time.now), limit: 2, after },
    });
  const first = await tell(null);
  assert.deepEqual(await reasons(unserved), ["nobody takes it", "nobody takes it", before, before]);
  const second = await tell(first);
  assert.deepEqual(await reasons(unserved), [...Array(3).fill("nobody takes it"), before]);
  assert.equal(await tell(second), null);
  assert.deepEqual(await reasons(served), [before]);
});
