/**
 * After the damage: what the world can swear to (who was switched on, what the centre took, what handsets did, what
 * the bank moved, which keys the maker issued) is laid beside what the database says. Every difference is a failure.
 */

import assert from "node:assert/strict";
import type { World } from "../../src/app/demo/world.ts";
import type { FleetEvent } from "../../src/sim/handset/fleet-state.ts";
import type { SmscSimulator } from "../../src/sim/smsc/smsc.ts";

import type { Db } from "../../src/store/database/database.ts";
import { historyOf } from "../../src/store/orders/event-rows.ts";

type AcceptedMessage = SmscSimulator["log"][number];

export type Witnesses = {
  readonly world: World;
  readonly accepted: readonly AcceptedMessage[];
  readonly events: readonly FleetEvent[];
};

export async function reconcile(db: Db, witnesses: Witnesses): Promise<void> {
  const phones = witnesses.world.parties.fleet.phones().length;
  await orders(db, phones);
  await messages(db, witnesses);
  await keys(db, witnesses);
  await money(db, witnesses);
  handsets(witnesses);
}

/** `[]` says more on failure than a count: it shows the rows that are wrong. */
async function none(db: Db, what: string, query: string): Promise<void> {
  assert.deepEqual(await db.rows(`${query} limit 5`), [], what);
}

async function count(db: Db, query: string): Promise<number> {
  return (await db.one<{ count: number }>(`select count(*)::int as count from ${query}`))!.count;
}

async function orders(db: Db, phones: number): Promise<void> {
  assert.equal(await count(db, "subscriber"), phones, "every phone that was switched on is known");
  assert.equal(await count(db, "device"), phones);
  assert.equal(await count(db, "sighting"), phones, "each was written once");
  assert.equal(await count(db, "provisioning_order"), phones);
  await none(
    db,
    "one order for each SIM",
    "select subscriber_id, count(*)::int from provisioning_order group by 1 having count(*) <> 1",
  );
  await none(
    db,
    "every order is completed",
    "select id, state, reason, next_action from provisioning_order where state <> 'completed'",
  );
  await none(
    db,
    "every item reached its level",
    "select id, kind, state, reason from order_item where state <> 'works'",
  );
  await none(
    db,
    "at most one item of a kind",
    "select order_id, kind from order_item group by 1, 2 having count(*) <> 1",
  );
  await none(
    db,
    "no level was booked twice, no payment told twice",
    `select order_id, item_id, kind, count(*)::int from (${historyOf("true")}) history
      where kind in ('order_received', 'judged', 'order_provisioning', 'sending', 'delivered', 'opened', 'works', 'key_received',
                     'fee_requested', 'fee_paid', 'portion_paid', 'order_completed')
      group by 1, 2, 3 having count(*) <> 1`,
  );
  await none(db, "no call is left", "select kind, state, reason from outbound_call where state <> 'done'");
}

async function messages(db: Db, { accepted }: Witnesses): Promise<void> {
  await none(
    db,
    "every message was delivered",
    "select id, kind, state, reason from message where state <> 'delivered'",
  );
  await none(
    db,
    "each item was sent in one message, at its first attempt",
    `select i.id, count(m.id)::int from order_item i left join message m on m.idempotency_key = i.id || ':1'
      where i.attempt <> 1 or m.id is distinct from i.message_id group by 1`,
  );
  await none(
    db,
    "no message that no item asked for: Nokia's settings alone take two, one for browsing and one for MMS",
    `select m.order_id, count(*)::int as messages, count(i.*)::int as items, min(p.protocol) as protocol
       from message m join payload p on p.id = m.payload_id left join order_item i on i.message_id = m.id
      group by 1 having count(*) <> count(i.*) + (min(p.protocol) = 'nokiaota')::int`,
  );
  await none(
    db,
    "every part has its receipt",
    `select m.id, m.part_count, count(p.*)::int from message m left join message_part p on p.message_id = m.id and p.state = 'delivered'
      group by 1, 2 having count(p.*) <> m.part_count`,
  );
  // A part may have gone out twice when nobody knew whether it had arrived, but then octet for octet the same.
  const parts = await db.one<{ sum: number }>("select sum(part_count)::int as sum from message");
  const distinct = new Set(
    accepted.map(({ to, userData, dataCoding, esmClass }) =>
      [to, esmClass, dataCoding, Buffer.from(userData).toString("hex")].join(" "),
    ),
  );
  assert.equal(
    distinct.size,
    parts?.sum,
    "the centre took each part, and nothing else under any other reference",
  );
}

async function keys(db: Db, { world }: Witnesses): Promise<void> {
  await none(
    db,
    "one key for each device",
    "select device_id from device_key group by 1 having count(*) <> 1",
  );
  await none(
    db,
    "each key item has its key and each key its item",
    "select i.id, k.id from (select * from order_item where kind = 'key') i full join device_key k on k.id = i.key_id where i.id is null or k.id is null",
  );
  const issued = await db.rows<{ id: string }>("select id from device_key where source = 'maker'");
  assert.equal(world.parties.maker.keyServer.size(), issued.length, "the maker issued none that was lost");
  await none(
    db,
    "a key that was used and deleted itself says so",
    "select id, state from device_key where state <> 'deleted'",
  );
}

async function money(db: Db, { world }: Witnesses): Promise<void> {
  await none(
    db,
    "one charge for each key, settled",
    `select i.id, c.state from (select * from order_item where kind = 'key') i full join charge c on c.item_id = i.id
      where i.id is null or c.id is null or c.state <> 'settled'`,
  );
  const wanted = await db.rows<{ reference: string; amount: bigint }>(
    `select id || ':' || step as reference, amount from charge,
            lateral (values ('fee', fee_minor), ('paid', fee_minor), ('portion', portion_minor), ('payout', portion_minor)) as v(step, amount)
      where amount > 0 order by 1`,
  );
  const booked = await db.rows<{ reference: string; amount: bigint }>(
    "select reference, amount_minor as amount from posting order by 1",
  );
  assert.deepEqual(booked, wanted, "each charge has exactly its postings");

  const charges = await db.rows<{ id: string; fee: bigint; portion: bigint }>(
    "select id, fee_minor as fee, portion_minor as portion from charge",
  );
  const moved = world.parties.bank
    .ledger()
    .map(({ kind, id, amountMinor }) => `${kind} ${id} ${amountMinor}`)
    .sort();
  const owed = charges.flatMap(({ id, fee, portion }) => [
    `charge ${id} ${fee}`,
    ...(portion > 0n ? [`payout ${id} ${portion}`] : []),
  ]);
  assert.deepEqual(moved, owed.sort(), "the bank moved what the books say, once");
  await none(
    db,
    "the books balance",
    `select currency from (select currency, amount_minor as amount from posting union all select currency, -amount_minor from posting) e
      group by 1 having sum(amount) <> 0`,
  );
  const cash = await db.one<{ sum: bigint }>(
    `select sum(case when debit = 'cash:bank' then amount_minor when credit = 'cash:bank' then -amount_minor else 0 end)::bigint as sum from posting`,
  );
  const atBank = world.parties.bank
    .ledger()
    .reduce((sum, { kind, amountMinor }) => sum + (kind === "charge" ? amountMinor : -amountMinor), 0);
  assert.equal(cash?.sum, BigInt(atBank), "our cash is what the bank says");
}

/** Whatever came twice was let in once. */
function handsets({ world, events }: Witnesses): void {
  const applied = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== "applied") continue;
    const what = event.what === "key" ? `key ${event.keyId}` : `settings ${JSON.stringify(event.entries)}`;
    const place = `${event.phone.spec.imei} ${what}`;
    applied.set(place, (applied.get(place) ?? 0) + 1);
  }
  assert.deepEqual(
    [...applied].filter(([, times]) => times !== 1),
    [],
    "a handset applied something twice",
  );
  const wrong = world.parties.fleet.phones().filter(({ refused }) => refused.length > 0);
  assert.deepEqual(wrong, [], "no handset refused anything");
}
