/** The pool: values both ways, transactions, time limits, and a database that is away. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { cutLine } from "../../../test/fixture/cut-line.ts";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { type Db, openDatabase } from "./database.ts";

const { database, config } = await freshDatabaseConfig({ migrated: false });
await database.run(
  "create table account (id int primary key, balance_minor bigint not null, opened_on date)",
);
await database.run("insert into account values (1, 9007199254740993, '2024-02-29'), (2, 0, null)");

const BALANCE = { name: "balance", text: "select balance_minor from account where id = $1" };
const ADD = { name: "add", text: "update account set balance_minor = balance_minor + $2 where id = $1" };
const balanceOf = async (id: number, db: Db = database) =>
  (await db.one<{ balance_minor: bigint }>(BALANCE, [id]))?.balance_minor;

test("a server whose first answer comes too late is asked again when a program starts, and one that never answers is given up", async () => {
  const line = await cutLine(config.connection);
  try {
    line.silence();
    const opening = openDatabase({ ...config, connection: line.connection });
    setTimeout(() => line.mend(), 5_500).unref(); // behind the first time-out
    const opened = await opening;
    assert.equal(await balanceOf(1, opened), 9007199254740993n);
    await opened.close();
    line.silence();
    await assert.rejects(openDatabase({ ...config, connection: line.connection }), {
      code: "database_unavailable",
    });
  } finally {
    await line.close();
  }
});

test("money beyond the exact range of a float comes back to the unit, and a day as it was written", async () => {
  assert.equal(await balanceOf(1), 9007199254740993n);
  assert.deepEqual(await database.one("select opened_on from account where id = 1"), {
    opened_on: "2024-02-29",
  });
  const { sum } = (await database.one<{ sum: bigint }>("select $1::bigint + 1 as sum", [2n ** 62n])) ?? {};
  assert.equal(sum, 2n ** 62n + 1n);
});

test("octets go through arrays of parameters unchanged", async () => {
  const values = [Buffer.of(0, 255, 92), Buffer.from("'\",{}")];
  const rows = await database.rows<{ v: Buffer }>(
    "select v from unnest($1::bytea[]) with ordinality as u(v, n) order by n",
    [values],
  );
  assert.deepEqual(
    rows.map(({ v }) => v),
    values,
  );
});

test("run tells how many rows it touched, and one gives undefined where there is none", async () => {
  assert.equal(await database.run("update account set opened_on = null where id in (2, 3)"), 1);
  assert.equal(await balanceOf(99), undefined);
});

test("a transaction that throws leaves nothing, and its connection serves the next", async () => {
  const before = await balanceOf(2);
  const failing = database.transaction(async (tx) => {
    await tx.run(ADD, [2, 5n]);
    throw new Error("changed my mind");
  });
  await assert.rejects(failing, /changed my mind/);
  assert.equal(await balanceOf(2), before);
});

test("a transaction that swallowed the error of a statement does not pass for done", async () => {
  const swallowing = database.transaction(async (tx) => {
    await tx.run("select 1 / 0").catch(() => undefined);
  });
  await assert.rejects(swallowing, /rolled back/);
});

test("a statement that nobody waits for fails its transaction with its own error, and leaves nothing", async () => {
  const before = await balanceOf(2);
  const failing = database.transaction(async (tx) => {
    tx.send(ADD, [2, 5n]);
    tx.send("insert into account values (1, 1, null)");
    tx.send(ADD, [2, 5n]);
  });
  await assert.rejects(failing, { code: "23505" });
  assert.equal(await balanceOf(2), before);
});

test("what was sent without waiting is done when the transaction is, in the order of sending", async () => {
  const before = (await balanceOf(2)) ?? 0n;
  const seen = await database.transaction(async (tx) => {
    tx.send(ADD, [2, 5n]);
    const inside = await balanceOf(2, tx);
    tx.send(ADD, [2, 1n]);
    return inside;
  });
  assert.deepEqual([seen, await balanceOf(2)], [before + 5n, before + 6n]);
});

test("a plan that is kept reads by index, also where it was made for an empty table", async () => {
  await database.run("create table grows (id int primary key, note text)");
  const FIND = { name: "find_grown", text: "select note from grows where id = $1" };
  assert.equal(await database.one(FIND, [1]), undefined);
  const settings = { name: "plan_settings", text: "select current_setting('enable_seqscan') as seqscan" };
  assert.deepEqual(await database.one(settings), { seqscan: "off" });
  assert.deepEqual(await database.one(settings.text), { seqscan: "on" });
});

test("more transactions than connections may each ask something beside themselves", async () => {
  const narrow = await openDatabase({ ...config, poolMax: 4 });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () =>
      narrow.transaction(
        async (tx) => {
          await tx.run(BALANCE, [1]);
          return narrow.one<{ beside: number }>("select 1 as beside");
        },
        { keepsPlans: true },
      ),
    ),
  );
  await narrow.close();
  assert.deepEqual(new Set(answers.map((answer) => answer?.beside)), new Set([1]));
});

test("a statement that comes after its transaction is refused", async () => {
  let kept: Db | undefined;
  await database.transaction(async (tx) => {
    kept = tx;
  });
  await assert.rejects(async () => kept?.run("select 1"), /after its transaction/);
});

/** Two transactions that lock R1 and R2 crosswise; exactly one is the victim. */
function crosswise(safeToRepeat: boolean): Promise<PromiseSettledResult<void>[]> {
  const waiting: (() => void)[] = [];
  const bothAreHere = async (): Promise<void> => {
    if (waiting.length === 2) return; // a repeat comes alone
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) for (const go of waiting) go();
    });
  };
  const add = (first: number, second: number) =>
    database.transaction(
      async (tx) => {
        await tx.run(ADD, [first, 1n]);
        await bothAreHere();
        await tx.run(ADD, [second, 1n]);
      },
      { safeToRepeat },
    );
  return Promise.allSettled([add(1, 2), add(2, 1)]);
}

test("a deadlock's victim runs again when the work says that it may", async () => {
  const before = (await balanceOf(2)) ?? 0n;
  const outcomes = await crosswise(true);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "fulfilled"],
  );
  assert.equal(await balanceOf(2), before + 2n);
});

test("a deadlock's victim fails when the work did not say that it may run again", async () => {
  const outcomes = await crosswise(false);
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
});

test("a statement beyond its time is cut, and the connection serves on", async () => {
  const slow = database.transaction((tx) => tx.run("select pg_sleep(30)"), { statementTimeoutMs: 50 });
  await assert.rejects(slow, { code: "database_timeout" });
  assert.equal(await database.run("select 1"), 1);
});

test("a time limit of one transaction is not that of the next on its connection", async () => {
  const single = await openDatabase({ ...config, poolMax: 1, statementTimeoutMs: 20_000 });
  await single.transaction((tx) => tx.run("select 1"), { statementTimeoutMs: 50 });
  const after = await single.one("select current_setting('statement_timeout') as limit");
  await single.close();
  assert.deepEqual(after, { limit: "20s" });
});

test("an error that quotes a row loses the quotation before anybody can log it", async () => {
  const doubled = database.run("insert into account values (1, 1, null)");
  await assert.rejects(doubled, (error: { code: string; constraint: string; detail?: string }) => {
    assert.equal(error.code, "23505");
    assert.equal(error.constraint, "account_pkey");
    assert.equal(error.detail, undefined);
    return true;
  });
});

test("sessions that the server ends are replaced, and the program lives", async () => {
  const other = await openDatabase({ ...config, applicationName: "to be cut" });
  const cut = await database.run(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to be cut'",
  );
  assert.ok(cut > 0);
  const answers: unknown[] = [];
  for (let i = 0; i < 3; i++) answers.push(await other.run("select 1").catch((error) => error.code));
  await other.close();
  assert.equal(answers.at(-1), 1);
  for (const answer of answers) assert.ok(answer === 1 || answer === "database_unavailable", String(answer));
});

test("a session cut inside a transaction is told as an unreachable database", async () => {
  const cut = database.transaction(async (tx) => {
    const me = await tx.one<{ pid: number }>("select pg_backend_pid() as pid");
    await database.run("select pg_terminate_backend($1)", [me?.pid]);
    await tx.run("select 1");
  });
  await assert.rejects(cut, { code: "database_unavailable" });
});

test("a server that is not there is named as such, with the next step", async () => {
  const folder = mkdtempSync(join(tmpdir(), "turnup-none-"));
  const nowhere = openDatabase({ connection: { host: folder, port: 5432, user: "x", database: "x" } });
  await assert.rejects(nowhere, (error: { code: string; nextStep: string }) => {
    assert.equal(error.code, "database_unavailable");
    assert.match(error.nextStep, /DATABASE_URL/);
    return true;
  });
  rmSync(folder, { recursive: true });
});
