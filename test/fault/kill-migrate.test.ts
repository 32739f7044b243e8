/** `turnup migrate` of a database of release 0.1.0 is killed in the middle of a large table's rows, and called again. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, vi } from "vitest";
import { migrate, migrationFiles } from "../../src/store/database/migrate.ts";
import { createSealer } from "../../src/store/seal/seal.ts";
import { freshDatabaseConfig } from "../fixture/database.ts";
import { SHARED_NUMBER_EVERY, writeManyOrders } from "../fixture/many-orders.ts";

const BIN = join(import.meta.dirname, "..", "..", "bin", "turnup.js");
const OPERATOR = "00000000-0000-7000-8000-0000000000aa";
const LAST_OF_0_1_0 = "0008";
/** More than two batches. */
const ORDERS = 25_000;
const LIMIT_MS = 300_000;
const KEY = Buffer.alloc(32, 5);
/** In the third batch of the messages, whose payload somebody holds. */
const HELD = `00000000-0000-7000-8000-${(22_001).toString(16).padStart(12, "0")}`;
const PASSED = `00000000-0000-7000-8000-${(101).toString(16).padStart(12, "0")}`;

test("a migration that is killed half way goes on from the batch where it was, and does nothing of it twice", async () => {
  const { database, url } = await freshDatabaseConfig({ migrated: false });
  const folder = mkdtempSync(join(tmpdir(), "turnup-kill-migrate-"));
  const begin = (): ChildProcess =>
    spawn(process.execPath, [BIN, "migrate", "--json"], {
      env: {
        PATH: process.env.PATH ?? "",
        DATABASE_URL: url,
        TURNUP_DATA_FOLDER: folder,
        TURNUP_SEAL_KEY: KEY.toString("hex"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  await migrate(
    database,
    migrationFiles().filter(({ name }) => name < LAST_OF_0_1_0),
  );
  await writeManyOrders(database, { operatorId: OPERATOR, orders: ORDERS });

  await database.run("update device set imei_sealed = $1", [
    createSealer(KEY).seal("imei", "356938035643809"),
  ]);

  const done = await killedInTheMiddle();
  assert.deepEqual(done, { name: "0012-confirmed-access-points", done: 20_000, total: ORDERS });

  await database.run("update payload set unconfirmed = false where id = $1", [PASSED]);
  const again = begin();
  const output: string[] = [];
  for (const stream of [again.stdout, again.stderr])
    stream?.on("data", (chunk) => output.push(String(chunk)));
  const [status] = await once(again, "close");
  assert.equal(status, 0, output.join(""));

  const marked = "select count(*)::int as rows from payload where unconfirmed";
  assert.deepEqual(
    await database.one(marked),
    { rows: ORDERS / 2 - 1 },
    "the batches of before are not done again",
  );
  const closed = "select count(*)::int as rows from link where expires_at > now()";
  assert.deepEqual(await database.one(closed), { rows: ORDERS / 2 + 1 });
  assert.deepEqual(
    await database.rows(
      "select slug, version, made_by from operator join operator_policy on operator_id = id",
    ),
    [{ slug: "many", version: 1, made_by: "migration 0012" }],
  );
  assert.deepEqual(await database.one("select count(*)::int as rows from former_number"), {
    rows: ORDERS / SHARED_NUMBER_EVERY,
  });
  assert.deepEqual(await database.rows("select from migration_progress"), []);
  assert.deepEqual((await migrate(database)).applied, []);
  rmSync(folder, { recursive: true, force: true });

  /** A trigger lets the batch that comes to the held payload wait for a lock of ours. */
  async function killedInTheMiddle(): Promise<unknown> {
    await database.run(`create function hold() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock_shared(4711); return new; end $$`);
    await database.run(
      `create trigger hold before update on payload for each row when (old.id = '${HELD}') execute function hold()`,
    );
    const held = await database.transaction(async (tx) => {
      await tx.run("select pg_advisory_xact_lock(4711)");
      const child = begin();
      const ended = once(child, "close");
      const waits = `select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted
         and database = (select oid from pg_database where datname = current_database())`;
      await vi.waitFor(async () => assert.equal((await tx.rows(waits)).length, 1), {
        timeout: LIMIT_MS,
        interval: 20,
      });
      child.kill("SIGKILL");
      await ended;
      return tx.one("select name, done::int as done, total::int as total from migration_progress");
    });
    await database.run("drop trigger hold on payload");
    await database.run("drop function hold");
    return held;
  }
});
