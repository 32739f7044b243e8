/** The channel between servers on one database: who hears what, and who knows that they might not. */
import assert from "node:assert/strict";
import { onTestFinished, test } from "vitest";
import { cutLine } from "../../../test/fixture/cut-line.ts";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import type { News } from "../../kernel/account/changes.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createRegistry } from "../operator/registry.ts";
import { createSealer } from "../seal/seal.ts";
import { openChangeChannel, tellAll } from "./change-channel.ts";

const { database, config } = await freshDatabaseConfig();
const registry = createRegistry({
  database,
  sealer: createSealer(Buffer.alloc(32, 7)),
  newId: uuidv7,
  clock: () => new Date(),
});
const LIMIT_MS = 10_000;

async function operator(): Promise<string> {
  const id = uuidv7();
  await database.run("insert into operator (id, slug, name, kind) values ($1, $2, $2, 'mno')", [
    id,
    `o-${id}`,
  ]);
  return id;
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `not within ${LIMIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function channel(connection = config.connection) {
  const opened = await openChangeChannel(connection);
  onTestFinished(opened.close);
  const news: News[] = [];
  opened.onChange((one) => news.push(one));
  const told = (kind: string, operatorId: string) =>
    news.some((one) => one !== "everything" && one.kind === kind && one.operatorId === operatorId);
  return { ...opened, news, told };
}

test("each kind of an operator's words is told with its version to every server when it is committed, and not before", async () => {
  const [one, other] = [await channel(), await channel()];
  const mine = await operator();
  for (const each of [one, other]) await until(() => each.told("operator", mine), "the operator");
  await registry.overrides.put(
    mine,
    { scope: "tac", key: "35693803", body: { verdict: "ended" }, why: "" },
    "x",
  );
  await registry.overrides.put(
    mine,
    { scope: "tac", key: "35693804", body: { verdict: "ended" }, why: "" },
    "x",
  );
  await database.transaction(async (tx) => {
    await tx.run("update operator set name = 'first' where id = $1", [mine]);
    await tx.run("update operator set name = 'second' where id = $1", [mine]);
  });
  await assert.rejects(
    database.transaction(async (tx) => {
      await tx.run("delete from device_override where operator_id = $1", [mine]);
      throw new Error("not to be");
    }),
  );
  await database.transaction(async (tx) =>
    tellAll(tx, { kind: "last", operatorId: mine, version: 0, detail: "a" }),
  );
  for (const each of [one, other]) {
    await until(() => each.told("last", mine), "the last word");
    const said = each.news.flatMap((news) =>
      news !== "everything" && news.operatorId === mine
        ? [`${news.kind} ${news.version} ${news.detail ?? ""}`]
        : [],
    );
    assert.deepEqual(said, ["operator 1 ", "overrides 1 ", "overrides 2 ", "operator 2 ", "last 0 a"]);
  }
});

test("the use of a token is no change of it; its end is", async () => {
  const { told, news } = await channel();
  const mine = await operator();
  const id = uuidv7();
  const token = { id, hash: Buffer.from(id), role: "care", label: "t", expiresAt: null } as const;
  await registry.tokens.create(mine, token, "x");
  await registry.tokens.touch([id], new Date());
  await until(() => told("operator", mine), "the operator");
  assert.equal(
    news.some((one) => one !== "everything" && one.kind === "tokens"),
    false,
  );
  await registry.tokens.revoke(mine, id, "x");
  await until(() => told("tokens", mine), "the revocation");
});

test("a word is bounded, and one that cannot be read may mean anything", async () => {
  const { news } = await channel();
  await assert.rejects(
    database.transaction(async (tx) =>
      tellAll(tx, { kind: "long", operatorId: "", version: 0, detail: "x".repeat(8_000) }),
    ),
    /at most 7900 octets/,
  );
  const before = news.filter((one) => one === "everything").length;
  await database.run("select pg_notify('turnup_changed', 'not one of ours')");
  await until(() => news.filter((one) => one === "everything").length > before, "everything");
});

test("a session that ends is opened again, and then everything may have changed", async () => {
  const { news, told, isHeard } = await channel();
  const before = news.length;
  await database.run(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'turnup changes'",
  );
  await until(() => !isHeard(), "it knows that it hears nothing");
  await until(() => isHeard() && news.length > before, "it hears again");
  assert.equal(news[before], "everything");
  const mine = await operator();
  await until(() => told("operator", mine), "the operator");
});

test("a line that says nothing any more is known for one, and given up for another", async () => {
  const line = await cutLine(config.connection);
  onTestFinished(line.close);
  const { news, told, isHeard } = await channel(line.connection);
  assert.ok(isHeard());
  line.silence();
  await until(() => !isHeard(), "it knows that it hears nothing");
  const [mine, before] = [await operator(), news.length];
  line.mend();
  await until(() => isHeard() && news.length > before, "it hears again");
  assert.equal(news[before], "everything", "what was said meanwhile may have been anything");
  const next = await operator();
  await until(() => told("operator", next), "what is said since");
  assert.equal(told("operator", mine), false);
});
