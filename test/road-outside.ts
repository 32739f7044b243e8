/**
 * Everything of the device's road but the provisioning server, which runs as a process of its own: message centre, sandboxes,
 * certificates, and an operator in a database. The server is led to them by files and environment alone, as in production.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownIssuer } from "../src/app/own-issuer.ts";
import { ROAD_WORLD, type RoadWorld, type RoadWorldOptions, startRoadWorld } from "../src/app/road-world.ts";
import { putStarterCatalog } from "../src/app/starter-catalog.ts";
import { WORLD } from "../src/app/world.ts";
import type { IncomingSms } from "../src/sim/handset/fleet.ts";
import type { Phone, PhoneEvent } from "../src/sim/phone/phone.ts";
import { type AcceptedMessage, createSmscSimulator } from "../src/sim/smsc/smsc.ts";
import { createCatalogStore } from "../src/store/catalog-store.ts";
import type { Database } from "../src/store/database.ts";
import { createRegistry } from "../src/store/registry.ts";
import { createSealer } from "../src/store/seal.ts";
import { uuidv7 } from "../src/store/uuid.ts";
import { freshDatabaseConfig } from "./database.ts";
import { freePort } from "./fault/turnup-process.ts";
import { furnish, type RoadParty, type RoadStoryOptions, speaker } from "./story/road-house.ts";
import { whenDone } from "./when-done.ts";

const SEAL_KEY = Buffer.alloc(32, 7);
const SMSC_PASSWORD = "12345678";
const ISSUER = "own.turnup";

export type RoadOutside = Omit<RoadParty, "server"> & {
  readonly folder: string;
  readonly road: RoadWorld;
  readonly accepted: readonly AcceptedMessage[];
  readonly events: readonly PhoneEvent[];
  readonly faults: readonly string[];
  /** Of `turnup serve`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly url: string;
  readonly landUrl: string;
  /** Whose content phones install. SPKI in base64. */
  readonly issuer: { readonly name: string; readonly spki: string };
  /** A phone of the test's own gets its SMS from the message centre, and sends by it. */
  adopt(phone: Pick<Phone, "msisdn" | "onMessage">): void;
  submitMo(sms: IncomingSms): Promise<void>;
  /** Called for each thing that happens out there and can be the last that a server hears of. */
  onMoment: (moment: string) => void;
};

export async function roadOutside(
  options: Pick<RoadStoryOptions, "orders" | "policy" | "env"> & {
    readonly seed: number;
    readonly habits?: RoadWorldOptions["habits"];
    /** What stands for the service servers of the starter catalog, where they are the test's own. */
    readonly origins?: Readonly<Record<string, string>>;
    readonly providersFile?: string;
    readonly folder?: string;
  },
): Promise<RoadOutside> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "turnup-road-outside-"));
  const accepted: AcceptedMessage[] = [];
  const events: PhoneEvent[] = [];
  const faults: string[] = [];
  const moments = { onMoment: (_moment: string): void => undefined };
  const smsc = await createSmscSimulator({
    port: 0,
    systemId: WORLD.smscSystemId,
    password: SMSC_PASSWORD,
    seed: options.seed,
    onAccepted(message) {
      accepted.push(message);
      moments.onMoment("message taken");
    },
    async onMessage(message) {
      const phone = road.phoneOf(message.to) ?? adopted.get(message.to);
      return (await phone?.onMessage({ ...message, udh: message.udh ?? new Uint8Array(0) })) ?? "absent";
    },
  });
  const adopted = new Map<string, Pick<Phone, "onMessage">>();
  const submitMo = async (sms: IncomingSms): Promise<void> => {
    const taken = await smsc.sendMobileOriginated(sms);
    if (taken !== "taken") throw new Error("the message centre could not hand it over");
    moments.onMoment("message of a phone");
  };
  const road: RoadWorld = await startRoadWorld({
    folder,
    seed: options.seed,
    now: () => new Date(),
    ...(options.habits && { habits: options.habits }),
    submitMo,
    onEvent(event) {
      events.push(event);
      if (event.kind === "request" || event.kind === "installation") moments.onMoment(event.kind);
    },
    onFault: (error) => faults.push(String(error)),
  });
  whenDone(async () => {
    await road.close();
    await smsc.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const { database, url: databaseUrl } = await freshDatabaseConfig();
  const sealer = createSealer(SEAL_KEY);
  const clock = (): Date => new Date();
  const registry = createRegistry({ database, sealer, newId: uuidv7, clock });
  const { operator, tokens } = await furnish(database, registry, ROAD_WORLD.landId, options);
  await stockCatalog(database, operator.id, road, options.origins);
  mkdirSync(join(folder, "data"), { recursive: true });
  const { spki } = await ownIssuer(
    { database, sealer, file: join(folder, "data", "own-issuer.pem") },
    ISSUER,
  );
  const [port, landPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    ...road.sandboxes.environment,
    ...(options.providersFile && { TURNUP_SERVICE_PROVIDERS_FILE: options.providersFile }),
    DATABASE_URL: databaseUrl,
    TURNUP_DATA_FOLDER: join(folder, "data"),
    TURNUP_SEAL_KEY: SEAL_KEY.toString("hex"),
    TURNUP_HTTP_PORT: String(port),
    TURNUP_LOG_LEVEL: "warn",
    TURNUP_SMSC_PORT: String(smsc.port),
    TURNUP_SMSC_PASSWORD: SMSC_PASSWORD,
    ...landEnvironment(folder, landPort, road),
    ...options.env,
  };
  return Object.assign(moments, {
    folder,
    road,
    accepted,
    events,
    faults,
    environment,
    url,
    landUrl: `https://127.0.0.1:${landPort}`,
    issuer: { name: ISSUER, spki },
    adopt: (phone: Pick<Phone, "msisdn" | "onMessage">) => void adopted.set(phone.msisdn, phone),
    submitMo,
    operator,
    database,
    ...speaker(url, tokens),
  });
}

async function stockCatalog(
  database: Database,
  operatorId: string,
  { vendor, sandboxes }: RoadWorld,
  origins: Readonly<Record<string, string>> = {},
): Promise<void> {
  const catalog = createCatalogStore({ database, newId: uuidv7, clock: () => new Date() });
  for (const { sha256, octets } of vendor.files)
    await catalog.putContent(operatorId, sha256, octets, "story");
  const places = { modules: vendor.modules, origins: { ...sandboxes.origins, ...origins } };
  await putStarterCatalog(catalog, operatorId, places, "story");
}

/** Certificates and keys where the road's folder has them, and the list of proxies as an operator writes it. */
function landEnvironment(folder: string, port: number, { certificates }: RoadWorld): Record<string, string> {
  const { id, keys } = certificates.landProxy;
  const proxiesFile = join(folder, "proxies.json");
  const proxies = [
    {
      id,
      keys: keys.map(({ key, ...rest }) => ({
        ...rest,
        publicKey: key.export({ type: "spki", format: "der" }).toString("base64"),
      })),
    },
  ];
  writeFileSync(proxiesFile, JSON.stringify(proxies));
  const road = join(folder, "road");
  return {
    TURNUP_LAND_PORT: String(port),
    TURNUP_LAND_ID: ROAD_WORLD.landId,
    TURNUP_LAND_AUTHORITY_FILE: join(road, "proxy", "authority.crt"),
    TURNUP_LAND_CERTIFICATE_FILE: join(road, "server", "server.crt"),
    TURNUP_LAND_KEY_FILE: join(road, "server", "server.key"),
    TURNUP_LAND_SIGNING_KEY_FILE: join(road, "server", "signing.key"),
    TURNUP_LAND_PROXIES_FILE: proxiesFile,
  };
}
