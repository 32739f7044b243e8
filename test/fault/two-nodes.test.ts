/**
 * Two servers on one database, whose clocks are forty minutes apart, with receipts that come to either while the submission
 * is being booked at the other; one of them is killed again and again inside a commit. Nothing is stranded: what the world
 * swears to is in the books, without waiting for any lease or for a minute to pass.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { test } from "vitest";
import type { Database } from "../../src/store/database/database.ts";
import { freshDatabaseConfig } from "../fixture/database.ts";
import { freePort } from "../fixture/free-port.ts";
import { SEED } from "../fixture/seed.ts";
import { introduce, type Outside, outside } from "./fleet-outside.ts";
import { patience } from "./patience.ts";
import { reconcile } from "./reconcile.ts";
import { restOf, whatWaits } from "./rest.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

const PHONES = 120;
/** So slow that there is work at every kill. */
const PER_SECOND = 3;
const KILLS = 3;
const SHIFT_MS = 20 * 60_000;
const COMMIT_LIMIT_MS = 20_000;
const TEST_LIMIT_MS = 900_000;
/** Far less than a lease, or than the minute that a receipt waited once. */
const REST_STILL_MS = 30_000;
const READY = /Turnup serves at/;

/** Each booking of parts takes so long to commit, in which its receipts come. */
const SLOW_COMMIT = `
  create function slow_commit() returns trigger language plpgsql as $$
  begin
    if current_setting('test.slept', true) is distinct from 'yes' then
      perform set_config('test.slept', 'yes', true), pg_sleep(0.25);
    end if;
    return null;
  end $$;
  create constraint trigger slow_commit after insert on message_part deferrable initially deferred
    for each row execute function slow_commit()`;
const COMMITTING = `
  select from pg_stat_activity where application_name = $1 and lower(query) = 'commit' and wait_event = 'PgSleep'`;

const SHIFT = pathToFileURL(join(import.meta.dirname, "shift-clock.mjs")).href;

/** A server of a name of its own in the database's list of sessions, with a clock that is off. */
async function startNode(fixture: Outside, url: string, name: string, shiftMs: number, port: number) {
  const folder = join(fixture.folder, name);
  mkdirSync(folder, { recursive: true });
  return startTurnup(
    ["serve"],
    {
      ...fixture.env,
      DATABASE_URL: `${url}&application_name=${name}`,
      TURNUP_DATA_FOLDER: folder,
      TURNUP_HTTP_PORT: String(port),
      NODE_OPTIONS: `--import ${SHIFT}`,
      SHIFT_CLOCK_MS: String(shiftMs),
    },
    READY,
  );
}

async function untilCommitting(database: Database, name: string): Promise<boolean> {
  const until = performance.now() + COMMIT_LIMIT_MS;
  while (performance.now() < until) {
    if (await database.one(COMMITTING, [name])) return true;
    await sleep(5);
  }
  return false;
}

async function allDone(database: Database): Promise<void> {
  const waiting = patience(REST_STILL_MS);
  const look = () =>
    database.one<{ done: number; waiting: number; kept: number }>(
      `select (select count(*)::int from provisioning_order where state = 'completed') as done,
              (select count(*)::int from message where state in ('queued', 'submitting', 'submitted'))
            + (select count(*)::int from outbound_call where due_at is not null) as waiting,
              (select count(*)::int from unmatched_receipt where look_at is not null) as kept`,
    );
  for (;;) {
    const row = await look();
    if (row?.done === PHONES && row.waiting === 0) return;
    waiting.see(JSON.stringify(row));
    if (waiting.isOver())
      assert.fail(`it did not come to rest: ${JSON.stringify(row)}: ${await whatWaits(database)}`);
    await sleep(50);
  }
}

test(
  `two servers, clocks apart, one killed ${KILLS} times inside a commit: no message waits for a minute or a lease (seed ${SEED})`,
  async () => {
    const { database, url } = await freshDatabaseConfig();
    const fixture = await outside(PHONES, SEED);
    await introduce(database, fixture);
    await database.run(SLOW_COMMIT);
    // Phones are told of to the server that is killed: what it hears of it works on, and is killed in the middle of.
    const port = Number(new URL(fixture.url).port);
    const steady = await startNode(fixture, url, "steady", -SHIFT_MS, await freePort());
    const start = (): Promise<TurnupProcess> => startNode(fixture, url, "killed", SHIFT_MS, port);
    let other = await start();
    let kills = 0;
    let most = 0;
    let watching = true;
    const ended: (number | null)[] = [];
    const watch = (async () => {
      while (watching) {
        const row = await database.one<{ kept: number }>(
          "select count(*)::int as kept from unmatched_receipt",
        );
        most = Math.max(most, row?.kept ?? 0);
        await sleep(50);
      }
    })();
    try {
      const attaching = fixture.world.attach(PER_SECOND);
      while (kills < KILLS && (await untilCommitting(database, "killed"))) {
        await other.kill();
        kills++;
        other = await start();
      }
      await attaching;
      await allDone(database);
      watching = false;
      await watch;
      process.stdout.write(
        `seed ${SEED}: killed ${kills} times inside a commit; ${most} receipts at once before their parts; ${await restOf(database)}\n`,
      );
      await reconcile(database, fixture);
      assert.ok(kills > 0, "it was killed inside a commit");
      assert.ok(most > 0, "receipts came before their parts");
    } finally {
      watching = false;
      ended.push(await other.stop(), await steady.stop());
    }
    assert.deepEqual(ended, [0, 0]);
  },
  TEST_LIMIT_MS,
);
