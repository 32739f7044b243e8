/**
 * kill -9 at any moment loses no accepted sighting and doubles no message and no posting: the world goes on in this
 * process while the server, in another, is killed at seeded points of the work and started again; then both are laid
 * side by side. Once more with the data base itself killed.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "vitest";
import { KEY_SERVER_MAKES } from "../../src/app/all-in-one.ts";
import { setUpDemo } from "../../src/app/demo.ts";
import { fleetModels } from "../../src/app/fleet-models.ts";
import { ownIssuer } from "../../src/app/own-issuer.ts";
import { startWorld, type World } from "../../src/app/world.ts";
import { DeviceCatalog } from "../../src/kernel/devices/catalog.ts";
import type { FleetEvent } from "../../src/sim/handset/fleet.ts";
import type { AcceptedMessage } from "../../src/sim/smsc/smsc.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { readShippedDatasets } from "../../src/store/dataset/devices.ts";
import { runningPostgres } from "../../src/store/embedded/supervisor.ts";
import { createRegistry } from "../../src/store/registry.ts";
import { createSealer } from "../../src/store/seal.ts";
import { uuidv7 } from "../../src/store/uuid.ts";
import { TurnupError } from "../../src/term/error.ts";
import { freshDatabaseConfig } from "../database.ts";
import { whenDone } from "../when-done.ts";
import { chanceOf, startKilling } from "./killing.ts";
import { reconcile } from "./reconcile.ts";
import { freePort, startTurnup, worldEnvironment } from "./turnup-process.ts";

const SEED = Number(process.env.TURNUP_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));
const PHONES = 500;
/** So slow that there is work at every kill. */
const PER_SECOND = 45;
const KILLS = 5;
const DONE_LIMIT_MS = 60_000;
/** Longer than any lease: what nobody may touch for that long is then due again. */
const LEASE_MS = 121_000;
const STILL_MS = 12_000;
const ISSUER = "own.turnup";
const SEAL_KEY = Buffer.alloc(32, 7);
const READY = /Turnup serves at/;

/** Things that happen out there and can be the last thing that a server hears of; how many of each at most before a kill. */
const MOMENTS = { sighting: 120, "message taken": 120, handset: 120, "bank asked": 3 } as const;
type Moment = keyof typeof MOMENTS;

type Outside = {
  readonly folder: string;
  readonly world: World;
  readonly accepted: AcceptedMessage[];
  readonly events: FleetEvent[];
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  onMoment: (moment: Moment) => void;
};

async function outside(phones: number): Promise<Outside> {
  const folder = mkdtempSync(join(tmpdir(), "turnup-kill-"));
  const secrets = { smscPassword: "12345678", bankSecret: "bank-secret" };
  const accepted: AcceptedMessage[] = [];
  const events: FleetEvent[] = [];
  const house: { onMoment: Outside["onMoment"] } = { onMoment: () => undefined };
  const world = await startWorld(
    {
      ...secrets,
      folder: join(folder, "world"),
      phones,
      seed: SEED,
      models: fleetModels(new DeviceCatalog(readShippedDatasets())),
      keyServerMakes: KEY_SERVER_MAKES,
      onAccepted(message) {
        accepted.push(message);
        house.onMoment("message taken");
      },
      bankFaults: {
        request() {
          house.onMoment("bank asked");
          return undefined;
        },
      },
    },
    (event) => {
      events.push({ ...event, phone: { ...event.phone } });
      house.onMoment(event.kind === "attached" ? "sighting" : "handset");
    },
    () => undefined,
  );
  whenDone(async () => {
    await world.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const port = await freePort();
  const env = {
    ...worldEnvironment(folder, world.addresses, secrets),
    TURNUP_HTTP_PORT: String(port),
    TURNUP_SEAL_KEY: SEAL_KEY.toString("hex"),
    TURNUP_LOG_LEVEL: "warn",
  };
  mkdirSync(join(folder, "data"));
  return Object.assign(house, { folder, world, accepted, events, env, url: `http://127.0.0.1:${port}` });
}

/** Makes the operator, and tells the world where it speaks. */
async function introduce(database: Database, { folder, world, url }: Outside): Promise<void> {
  const sealer = createSealer(SEAL_KEY);
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock: () => new Date() });
  const demo = await setUpDemo({ registry, store: { database } }, world.addresses, KEY_SERVER_MAKES);
  const { spki } = await ownIssuer({ database, sealer, file: join(folder, "data/own-issuer.pem") }, ISSUER);
  world.connect({ ...demo, url, trusted: [{ name: ISSUER, spki }] });
}

/** Until all is done; where it stands still, leases lapse as they would in two minutes. */
async function allDone(database: Database, phones: number): Promise<void> {
  const deadline = performance.now() + DONE_LIMIT_MS;
  let last = "";
  let changedAt = performance.now();
  while (performance.now() < deadline) {
    const row = await one<{ done: number; waiting: number }>(
      database,
      `select (select count(*)::int from provisioning_order where state = 'completed') as done,
              (select count(*)::int from message where state in ('queued', 'submitting', 'submitted'))
            + (select count(*)::int from outbound_call where due_at is not null) as waiting`,
    );
    if (row?.done === phones && row.waiting === 0) return;
    if (JSON.stringify(row) !== last) changedAt = performance.now();
    last = JSON.stringify(row);
    if (performance.now() - changedAt > STILL_MS) {
      for (const table of ["message", "outbound_call"])
        await database.run(
          `update ${table} set due_at = due_at - $1 * interval '1 ms' where lease_until is not null`,
          [LEASE_MS],
        );
      changedAt = performance.now();
    }
    await sleep(50);
  }
}

/** Undefined while the data base is away. */
async function one<T>(database: Database, statement: string): Promise<T | undefined> {
  try {
    return await database.one<T>(statement);
  } catch (error) {
    if (error instanceof TurnupError && error.code === "database_unavailable") return undefined;
    throw error;
  }
}

test(`a server killed ${KILLS} times while ${PHONES} phones are turned up loses nothing and doubles nothing (seed ${SEED})`, async () => {
  const { database, url } = await freshDatabaseConfig();
  const house = await outside(PHONES);
  await introduce(database, house);
  const start = () => startTurnup(["serve"], { ...house.env, DATABASE_URL: url }, READY);
  const killing = await startKilling(house, { start, moments: MOMENTS, kills: KILLS, seed: SEED });
  await house.world.attach(PER_SECOND);
  await killing.finish();
  try {
    await allDone(database, PHONES);
    await reconcile(database, house);
    const again = await database.one<{ messages: number; calls: number }>(
      "select (select count(*)::int from message where attempts > 1) as messages, (select count(*)::int from outbound_call where attempts > 1) as calls",
    );
    process.stdout.write(
      `seed ${SEED}: killed at ${killing.killed.join(", ")}; sent again ${again?.messages}, asked again ${again?.calls}\n`,
    );
  } finally {
    assert.equal(await killing.server().stop(), 0);
  }
});

test(`a data base killed while phones are turned up comes back with all that was answered (seed ${SEED})`, async () => {
  const phones = 150;
  const house = await outside(phones);
  const server = await startTurnup(["serve"], house.env, READY);
  const database = await openDatabase({ connection: runningPostgres(join(house.folder, "data"))! });
  try {
    await introduce(database, house);
    const pidFile = join(house.folder, "data", "postgres", "data", "postmaster.pid");
    const postmaster = () => Number(readFileSync(pidFile, "utf8").split("\n")[0]);
    const before = postmaster();
    const after = 20 + Math.floor(chanceOf(SEED)() * 150);
    let left = after;
    house.onMoment = (moment) => {
      if (moment === "message taken" && --left === 0) process.kill(before, "SIGKILL");
    };
    await house.world.attach(PER_SECOND * 5);
    await allDone(database, phones);
    await reconcile(database, house);
    assert.notEqual(postmaster(), before, "it was another server in the end");
  } finally {
    await database.close();
    assert.equal(await server.stop(), 0);
  }
});
