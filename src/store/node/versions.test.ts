/** What was answered is in force: two servers on one database, races made on purpose, and a channel that is cut. */
import assert from "node:assert/strict";
import { onTestFinished, test } from "vitest";
import { cutLine } from "../../../test/fixture/cut-line.ts";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import type { News } from "../../kernel/account/changes.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import type { OrderTransaction } from "../../kernel/order/order-store.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createCatalogStore } from "../operator/catalog-store.ts";
import { createRegistry } from "../operator/registry.ts";
import { createOrderStore } from "../orders/order-store.ts";
import { createSealer } from "../seal/seal.ts";
import { type ChangeChannel, openChangeChannel } from "./change-channel.ts";

const { database, config } = await freshDatabaseConfig();
const LIMIT_MS = 10_000;

/** One server: what it remembers, and its door for changes. */
async function node(given?: ChangeChannel) {
  const changes = given ?? (await channel());
  const shared = { database, changes, newId: uuidv7, clock: () => new Date() };
  const sealer = createSealer(Buffer.alloc(32, 7));
  const registry = createRegistry({ ...shared, sealer });
  let reads = 0;
  const words = {
    ...registry.ownWords,
    overridesOf: (operatorId: string) => {
      reads++;
      return registry.ownWords.overridesOf(operatorId);
    },
  };
  const orders = createOrderStore(database, sealer, words, { changes });
  return { changes, registry, orders, catalog: createCatalogStore(shared), reads: () => reads };
}

async function channel(connection = config.connection): Promise<ChangeChannel> {
  const opened = await openChangeChannel(connection);
  onTestFinished(opened.close);
  return opened;
}

async function operator(): Promise<string> {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    id,
    `o-${id}`,
  ]);
  return id;
}
const forbid = ({ registry }: Awaited<ReturnType<typeof node>>, operatorId: string) =>
  registry.overrides.put(
    operatorId,
    { scope: "tac", key: "35693803", body: { verdict: "supported" }, why: "its maker says so" },
    "root",
  );
const forbidsIn = async (tx: OrderTransaction, operatorId: string): Promise<boolean> =>
  (await tx.termsOf(operatorId)).overrides.has("tac:35693803");

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `not within ${LIMIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A promise and what settles it. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("a change is in force where it was made when it is answered, and elsewhere for whatever is decided from then on", async () => {
  const [here, there] = [await node(), await node()];
  const mine = await operator();
  for (const each of [here, there]) {
    assert.equal((await each.orders.termsOf(mine)).overrides.size, 0);
    // Word of the operator itself may come meanwhile.
    await until(async () => {
      const before = each.reads();
      await each.orders.termsOf(mine);
      return each.reads() === before;
    }, "what is known is not read again");
  }
  await forbid(here, mine);
  assert.equal((await here.orders.termsOf(mine)).overrides.size, 1, "at once, without a word from outside");
  assert.equal(
    await there.orders.transaction((tx) => forbidsIn(tx, mine)),
    true,
    "decisions know it at once",
  );
  await until(async () => (await there.orders.termsOf(mine)).overrides.size === 1, "and answers soon");
});

test("every kind of an operator's words decides as soon as it is answered", async () => {
  const [here, there] = [await node(), await node()];
  const mine = await operator();
  const decided = () => there.orders.transaction((tx) => tx.termsOf(mine));
  await decided();
  await here.registry.policies.put(mine, 0, { ...DEFAULT_POLICY, sender: "4711" }, "root");
  assert.equal((await decided()).policy.sender, "4711");
  const row = await here.registry.overrides.put(
    mine,
    { scope: "model", key: "acme/one", body: { verdict: "ended" }, why: "" },
    "root",
  );
  assert.equal((await decided()).overrides.size, 1);
  await here.registry.overrides.remove(mine, row.id, "root");
  assert.equal((await decided()).overrides.size, 0);
  await database.run("update operator set home_plmns = '{262-01}' where id = $1", [mine]);
  assert.deepEqual((await decided()).homePlmns, ["262/01"], "also by a hand that knows of no channel");
});

test("who changes what decides is answered when every decision that was under way has been written", async () => {
  const [here, there] = [await node(), await node()];
  const [mine, other] = [await operator(), await operator()];
  const [asked, go] = [gate(), gate()];
  const deciding = there.orders.transaction(async (tx) => {
    const forbids = await forbidsIn(tx, mine);
    asked.open();
    await go.opened;
    return forbids;
  });
  await asked.opened;
  let answered = false;
  const putting = forbid(here, mine).then(() => {
    answered = true;
  });
  await until(
    async () => (await here.orders.transaction((tx) => forbidsIn(tx, mine))) === true,
    "it is written, and whoever decides now knows it",
  );
  await forbid(here, other); // nobody decides for that operator: it waits for nobody
  assert.equal(answered, false, "a decision by the former words may still be written");
  go.open();
  assert.equal(await deciding, false, "it was decided by what was in force when it began");
  await putting;
  assert.equal(answered, true);
});

test("between many decisions and many changes on two servers, none is written after an answer that forbids it", async () => {
  const nodes = [await node(), await node()];
  const mine = await operator();
  await database.run("create table if not exists decision (allowed boolean, answered boolean)");
  let answered = false;
  const decide = async (at: number): Promise<void> => {
    await nodes[at % 2]!.orders.transaction(async (tx) => {
      const allowed = !(await forbidsIn(tx, mine));
      if (at % 3 === 0) await new Promise((resolve) => setTimeout(resolve, at % 7));
      if (allowed && answered) assert.fail("it was decided by what is no longer in force");
    });
  };
  for (let round = 0; round < 15; round++) {
    answered = false;
    const running = Array.from({ length: 12 }, (_, at) => decide(at));
    const row = await nodes[round % 2]!.registry.overrides.put(
      mine,
      { scope: "tac", key: "35693803", body: { verdict: "supported" }, why: "" },
      "root",
    );
    answered = true;
    await Promise.all([...running, ...Array.from({ length: 12 }, (_, at) => decide(at))]);
    answered = false;
    await nodes[(round + 1) % 2]!.registry.overrides.remove(mine, row.id, "root");
  }
});

test("a server whose channel is cut asks the database, and believes again when it hears again", async () => {
  const here = await node();
  const line = await cutLine(config.connection);
  onTestFinished(line.close);
  const there = await node(await channel(line.connection));
  const mine = await operator();
  assert.equal((await there.orders.termsOf(mine)).overrides.size, 0);
  for (const harm of [line.silence, line.cut]) {
    const before = (await there.orders.termsOf(mine)).overrides.size;
    harm();
    if (before === 0) await forbid(here, mine);
    else await here.registry.overrides.remove(mine, await firstOverride(mine), "root");
    const after = 1 - before;
    assert.equal(
      await there.orders.transaction(async (tx) => (await tx.termsOf(mine)).overrides.size),
      after,
    );
    await until(async () => (await there.orders.termsOf(mine)).overrides.size === after, "without a word");
    line.mend();
    await until(async () => there.changes.isHeard(), "it hears again");
    assert.equal((await there.orders.termsOf(mine)).overrides.size, after);
    await until(async () => {
      const reads = there.reads();
      await there.orders.termsOf(mine);
      return there.reads() === reads;
    }, "and remembers");
  }
});

test("what a server wrote itself is in force there at once, before any word of it comes back", async () => {
  const listeners: ((news: News) => void)[] = [];
  const changes: ChangeChannel = {
    isHeard: () => true, // and yet no word comes
    onChange: (listener) => {
      listeners.push(listener);
      return () => undefined;
    },
    tellHere(news) {
      for (const listener of listeners) listener(news);
    },
    close: async () => undefined,
  };
  const here = await node(changes);
  const mine = await operator();
  assert.equal((await here.orders.termsOf(mine)).overrides.size, 0);
  await here.orders.termsOf(mine);
  assert.equal(here.reads(), 1, "it remembers");
  await forbid(here, mine);
  assert.equal((await here.orders.termsOf(mine)).overrides.size, 1);
});

const firstOverride = async (operatorId: string): Promise<string> =>
  (await database.one<{ id: string }>("select id from device_override where operator_id = $1", [operatorId]))!
    .id;

test("catalog and terms of another server are those of now within a second, told or not", async () => {
  const here = await node();
  const line = await cutLine(config.connection);
  onTestFinished(line.close);
  const there = await node(await channel(line.connection));
  const mine = await operator();
  const always = () => true;
  const versionOf = async (): Promise<number> =>
    (await there.catalog.currentTerms(mine)).get("general")?.version ?? 0;
  assert.equal(await versionOf(), 0);
  await here.catalog.putTerms(mine, "general", { en: "One." }, { expected: always, actor: "root" });
  await until(async () => (await versionOf()) === 1, "told");
  line.silence();
  await here.catalog.putTerms(mine, "general", { en: "Two." }, { expected: always, actor: "root" });
  assert.equal(
    (await here.catalog.currentTerms(mine)).get("general")?.version,
    2,
    "at once where it was made",
  );
  await until(async () => (await versionOf()) === 2, "not told");
});
