/**
 * kill -9 at any moment loses no accepted sighting and doubles no message and no posting: the world goes on in this
 * process while the server, in another, is killed at seeded points of the work and started again; then both are laid
 * side by side. Once more with the database itself killed.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "vitest";
import { type Database, openDatabase } from "../../src/store/database/database.ts";
import { runningPostgres } from "../../src/store/embedded/supervisor.ts";
import { freshDatabaseConfig } from "../fixture/database.ts";
import { chanceOf, SEED } from "../fixture/seed.ts";
import { introduce, MOMENTS, one, outside } from "./fleet-outside.ts";
import { startKilling } from "./killing.ts";
import { patience } from "./patience.ts";
import { reconcile } from "./reconcile.ts";
import { restOf, whatWaits } from "./rest.ts";
import { startTurnup } from "./turnup-process.ts";

const PHONES = 500;
/** So slow that there is work at every kill. */
const PER_SECOND = 45;
const KILLS = 5;
/** Longer than any lease: what nobody may touch for that long is then due again. */
const LEASE_MS = 121_000;
const STILL_MS = 12_000;
const TEST_LIMIT_MS = 900_000;
const READY = /Turnup serves at/;

type Outside = Awaited<ReturnType<typeof outside>>;

/** Handsets that have a key and did not reach its host, each with what happened to it: numbers are of the simulated world. */
function handsetsOf({ world, events }: Outside): string {
  const { fleet, gateway } = world.parties;
  const phones = fleet.phones();
  const taking = new Set(phones.filter(({ keyOpened }) => keyOpened).map(({ spec }) => spec.model));
  const behind = phones.filter(({ now, spec }) => taking.has(spec.model) && now !== "alive");
  const lived = (imsi: string) =>
    events.filter(({ phone }) => phone.spec.imsi === imsi).map(({ kind, phone }) => `${kind} ${phone.now}`);
  return JSON.stringify({
    counts: [fleet.counts(), gateway.counts()],
    behind: behind.slice(0, 5).map((one) => ({ ...one, spec: one.spec.model, lived: lived(one.spec.imsi) })),
  });
}

/** Until all is done; where it stands still, leases lapse as they would in two minutes. */
async function allDone(database: Database, phones: number, fixture: Outside): Promise<void> {
  const waiting = patience();
  let lapsedAt = performance.now();
  for (;;) {
    const row = await one<{ done: number; waiting: number }>(
      database,
      `select (select count(*)::int from provisioning_order where state = 'completed') as done,
              (select count(*)::int from message where state in ('queued', 'submitting', 'submitted'))
            + (select count(*)::int from outbound_call where due_at is not null) as waiting`,
    );
    if (row?.done === phones && row.waiting === 0) return;
    waiting.see(JSON.stringify(row));
    if (waiting.isOver())
      assert.fail(
        `it did not come to its end: ${JSON.stringify(row)}: ${await whatWaits(database)}; ${handsetsOf(fixture)}`,
      );
    if (Math.min(waiting.stillMs(), performance.now() - lapsedAt) > STILL_MS) {
      for (const table of ["message", "outbound_call"])
        await database.run(
          `update ${table} set due_at = due_at - $1 * interval '1 ms' where lease_until is not null`,
          [LEASE_MS],
        );
      lapsedAt = performance.now();
    }
    await sleep(50);
  }
}

test(`a server killed ${KILLS} times while ${PHONES} phones are turned up loses nothing and doubles nothing (seed ${SEED})`, {
  timeout: TEST_LIMIT_MS,
}, async () => {
  const { database, url } = await freshDatabaseConfig();
  const fixture = await outside(PHONES, SEED);
  await introduce(database, fixture);
  const start = () => startTurnup(["serve"], { ...fixture.env, DATABASE_URL: url }, READY);
  const killing = await startKilling(fixture, { start, moments: MOMENTS, kills: KILLS, seed: SEED });
  await fixture.world.attach(PER_SECOND);
  await killing.finish();
  try {
    await allDone(database, PHONES, fixture);
    await reconcile(database, fixture);
    const again = await database.one<{ messages: number; calls: number }>(
      "select (select sum(part_count)::int from message) as messages, (select count(*)::int from outbound_call where attempts > 1) as calls",
    );
    process.stdout.write(
      `seed ${SEED}: killed at ${killing.killed.join(", ")}; parts sent again ${fixture.accepted.length - (again?.messages ?? 0)}, asked again ${again?.calls}; ${await restOf(database)}\n`,
    );
  } finally {
    assert.equal(await killing.server().stop(), 0);
  }
});

test(`a database killed while phones are turned up comes back with all that was answered (seed ${SEED})`, {
  timeout: TEST_LIMIT_MS,
}, async () => {
  const phones = 150;
  const fixture = await outside(phones, SEED);
  const server = await startTurnup(["serve"], fixture.env, READY);
  const database = await openDatabase({ connection: runningPostgres(join(fixture.folder, "data"))! });
  try {
    await introduce(database, fixture);
    const pidFile = join(fixture.folder, "data", "postgres", "data", "postmaster.pid");
    const postmaster = () => Number(readFileSync(pidFile, "utf8").split("\n")[0]);
    const before = postmaster();
    const after = 20 + Math.floor(chanceOf(SEED)() * 150);
    let left = after;
    fixture.onMoment = (moment) => {
      if (moment === "message taken" && --left === 0) process.kill(before, "SIGKILL");
    };
    await fixture.world.attach(PER_SECOND * 5);
    await allDone(database, phones, fixture);
    await reconcile(database, fixture);
    assert.notEqual(postmaster(), before, "it was another server in the end");
  } finally {
    await database.close();
    assert.equal(await server.stop(), 0);
  }
});
