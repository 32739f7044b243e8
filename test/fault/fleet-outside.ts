/**
 * What stands around servers that are killed: a fleet of phones, message centre, key server and bank in this process, and
 * the operator in a database. Servers are led to them by files and environment alone.
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KEY_SERVER_MAKES } from "../../src/app/demo/all-in-one.ts";
import { setUpDemo } from "../../src/app/demo/demo-operator.ts";
import { fleetModels } from "../../src/app/demo/fleet-models.ts";
import { startWorld, type World } from "../../src/app/demo/world.ts";
import { ownIssuer } from "../../src/app/server/own-issuer.ts";
import { DeviceCatalog } from "../../src/kernel/devices/catalog.ts";
import type { FleetEvent } from "../../src/sim/handset/fleet-state.ts";
import type { SmscSimulator } from "../../src/sim/smsc/smsc.ts";

import type { Database } from "../../src/store/database/database.ts";
import { uuidv7 } from "../../src/store/database/uuid.ts";
import { readShippedDatasets } from "../../src/store/dataset/devices.ts";
import { createRegistry } from "../../src/store/operator/registry.ts";
import { createSealer } from "../../src/store/seal/seal.ts";
import { TurnupError } from "../../src/term/error.ts";
import { freePort } from "../fixture/free-port.ts";
import { whenDone } from "../fixture/when-done.ts";
import { worldEnvironment } from "./turnup-process.ts";

type AcceptedMessage = SmscSimulator["log"][number];

const ISSUER = "own.turnup";
const SEAL_KEY = Buffer.alloc(32, 7);

/** Things that happen out there and can be the last thing that a server hears of; how many of each at most before a kill. */
export const MOMENTS = { sighting: 120, "message taken": 120, handset: 120, "bank asked": 3 } as const;
export type Moment = keyof typeof MOMENTS;

export type Outside = {
  readonly folder: string;
  readonly world: World;
  readonly accepted: AcceptedMessage[];
  readonly events: FleetEvent[];
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  onMoment: (moment: Moment) => void;
};

export async function outside(phones: number, seed: number): Promise<Outside> {
  const folder = mkdtempSync(join(tmpdir(), "turnup-kill-"));
  const secrets = { smscPassword: "12345678", bankSecret: "bank-secret" };
  const accepted: AcceptedMessage[] = [];
  const events: FleetEvent[] = [];
  const fixture: { onMoment: Outside["onMoment"] } = { onMoment: () => undefined };
  const world = await startWorld(
    {
      ...secrets,
      folder: join(folder, "world"),
      phones,
      seed,
      models: fleetModels(new DeviceCatalog(readShippedDatasets())),
      keyServerMakes: KEY_SERVER_MAKES,
      onAccepted(message) {
        accepted.push(message);
        fixture.onMoment("message taken");
      },
      bankFaults: {
        request() {
          fixture.onMoment("bank asked");
          return undefined;
        },
      },
    },
    (event) => {
      events.push({ ...event, phone: { ...event.phone } });
      fixture.onMoment(event.kind === "attached" ? "sighting" : "handset");
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
  return Object.assign(fixture, { folder, world, accepted, events, env, url: `http://127.0.0.1:${port}` });
}

/** Makes the operator, and tells the world where it speaks. */
export async function introduce(database: Database, { folder, world, url }: Outside): Promise<void> {
  const sealer = createSealer(SEAL_KEY);
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock: () => new Date() });
  const demo = await setUpDemo({ registry, store: { database } }, world.addresses, KEY_SERVER_MAKES);
  const { spki } = await ownIssuer({ database, sealer, file: join(folder, "data/own-issuer.pem") }, ISSUER);
  world.connect({ ...demo, url, trusted: [{ name: ISSUER, spki }] });
}

/** Undefined while the database is away. */
export async function one<T>(database: Database, statement: string): Promise<T | undefined> {
  try {
    return await database.one<T>(statement);
  } catch (error) {
    if (error instanceof TurnupError && error.code === "database_unavailable") return undefined;
    throw error;
  }
}
