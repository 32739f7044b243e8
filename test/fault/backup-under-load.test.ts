/**
 * A backup that is taken while phones are turned up is of one moment: restored, its books balance, every order has its
 * handset, its history and the items that its state speaks of, and nothing of what came behind that moment is in it.
 */
import assert from "node:assert/strict";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { restoreBackup, writeBackup } from "../../src/store/database/backup.ts";
import type { Db } from "../../src/store/database/database.ts";
import { historyOf } from "../../src/store/orders/event-rows.ts";
import { freshDatabaseConfig, waitersFor } from "../fixture/database.ts";
import { type StoryOperator, storyFixture, until } from "../fixture/story.ts";
import { whenDone } from "../fixture/when-done.ts";

const MODELS = ["Xperia Z3", "G2", "Galaxy S25"] as const;
const fixture = await storyFixture();
const { database } = fixture;
const folder = mkdtempSync(join(tmpdir(), "turnup-backup-"));
whenDone(() => rmSync(folder, { recursive: true, force: true }));

const phonesOf = (count: number) =>
  Array.from({ length: count }, (_, at) => fixture.phone(MODELS[at % MODELS.length] ?? MODELS[0]));
type Phones = ReturnType<typeof phonesOf>;
const attach = (phones: Phones) => Promise.all(phones.map((phone) => phone.attach()));
const settled = (operator: StoryOperator, phones: Phones) =>
  Promise.all(phones.map((phone) => operator.settled(phone)));

/** What must hold of any moment between two transactions; each query names what breaks it. */
const HOLDS: Readonly<Record<string, string>> = {
  "an order without its history, or a history without its order": `
    select o.id, h.order_id from provisioning_order o full join (select distinct order_id from order_event) h on h.order_id = o.id
     where o.id is null or h.order_id is null`,
  "an order that is on its way or done, without items": `
    select o.id, o.state from provisioning_order o where o.state in ('provisioning', 'completed', 'partly_completed')
       and not exists (select from order_item i where i.order_id = o.id)`,
  "an order's state that its history does not tell, or the other way round": `
    select o.id, o.state from provisioning_order o
     where (o.state = 'completed') <> exists (select from (${historyOf("e.order_id = o.id")}) h where h.kind = 'order_completed')`,
  "an order of a handset that was never seen": `
    select o.id from provisioning_order o where not exists (select from sighting s where s.device_id = o.device_id)`,
  "an item whose message is not there, or a message without its octets": `
    select i.id from order_item i left join message m on m.id = i.message_id left join payload p on p.id = m.payload_id
     where i.message_id is not null and p.id is null`,
  "a message that is delivered without its parts": `
    select m.id from message m where m.state = 'delivered'
       and m.part_count <> (select count(*) from message_part p where p.message_id = m.id and p.state = 'delivered')`,
  "a charge whose postings are not those of its state": `
    select c.id, c.state from charge c
     where (select count(*) from posting p where p.charge_id = c.id and p.reference ~ ':(fee|portion)$')
             <> (c.fee_minor > 0)::int + (c.portion_minor > 0)::int
        or (select count(*) from posting p where p.charge_id = c.id and p.reference ~ ':paid$')
             <> (c.fee_minor > 0 and c.state in ('paid', 'settled'))::int`,
  "books that do not balance": `
    select currency from (select currency, amount_minor as amount from posting union all select currency, -amount_minor from posting) e
     group by 1 having sum(amount) <> 0`,
};

async function holds(db: Db): Promise<void> {
  for (const [what, query] of Object.entries(HOLDS))
    assert.deepEqual(await db.rows(`${query} limit 5`), [], what);
}

test("a backup taken under load restores to one moment: books balance, no order lacks its items or its history", async () => {
  const operator = await fixture.operator();
  const before = phonesOf(6);
  const during = phonesOf(6);
  const behind = phonesOf(6);
  await attach(before);
  await settled(operator, before);
  await attach(during); // under way as the backup's moment comes
  const file = join(folder, "under-load.gz");
  const backup = await database.transaction(async (held) => {
    // Half of the tables are read, and the others wait, until more phones than before were turned up beside it.
    await held.run("lock table record_try in access exclusive mode");
    const taken = writeBackup(
      fixture.server.store.connection,
      createWriteStream(file),
      new Date(),
      () => undefined,
    );
    await until(
      () => held.rows(waitersFor("record_try")),
      (rows) => rows.length > 0,
      "the backup has read half of the tables",
    );
    await attach(behind);
    await settled(operator, [...during, ...behind]);
    return { taken };
  });
  await backup.taken;

  const { database: empty, config } = await freshDatabaseConfig({ migrated: false });
  await restoreBackup({ database: empty, connection: config.connection }, file, { onRows: () => undefined });
  await holds(empty);
  await holds(database);
  const [restored, live] = await Promise.all(
    [empty, database].map((db) => db.one<{ n: number }>("select count(*)::int as n from provisioning_order")),
  );
  assert.equal(live?.n, 18);
  assert.ok(
    restored && restored.n >= 6 && restored.n <= 12,
    `of the moment before the last six came: ${restored?.n}`,
  );
  const done = await empty.one<{ n: number }>(
    "select count(*)::int as n from provisioning_order where state = 'completed'",
  );
  assert.ok(done && done.n >= 6, "what was done at that moment is done");
});
