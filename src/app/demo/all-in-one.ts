/**
 * Everything on one machine: the server on its embedded database, and the simulated world in a process beside it. What
 * `turnup start` shows, and what stories and benches drive.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { DestinationStream } from "pino";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import { assured } from "../../term/narrow.ts";
import { Secret } from "../../term/secret.ts";
import { ensureLegCertificates } from "../certificates/leg-certificates.ts";
import { type Config, dataFolderOf, readConfig } from "../config/config.ts";
import type { RadiusPlace } from "../config/radius-config.ts";
import { type Server, startServer } from "../server/server.ts";
import type { Outside, ServerOptions } from "../server/server-options.ts";
import { type Demo, setUpDemo } from "./demo-operator.ts";
import { ROAD_WORLD } from "./device-world.ts";
import { fleetModels } from "./fleet-models.ts";
import type { WorldOptions } from "./world-options.ts";
import { forkWorld, type WorldNews, type WorldProcess } from "./world-process.ts";

/** Makes whose keys the simulated manufacturer's server issues; the other old phones get keys of the own store. */
export const KEY_SERVER_MAKES = ["Samsung", "Huawei", "Sony"] as const;

type AllInOneOptions = {
  readonly config: Config;
  readonly phones: number;
  /** Phones that ask by themselves, through the proxy. */
  readonly newPhones: number;
  readonly seed: number;
  readonly log: (message: string) => void;
  readonly logStream?: DestinationStream;
  readonly onChanges?: (changes: ChangeSet) => void;
  readonly onNews?: (news: readonly WorldNews[]) => void;
  readonly onProgress?: (done: number, total: number, name: string) => void;
  readonly onFault?: (name: string, error: unknown) => void;
  readonly onLost?: NonNullable<ServerOptions["onLost"]>;
  /** The packet gateway tells of sessions by RADIUS accounting; by the API unless given. */
  readonly isByRadius?: boolean;
  readonly faults?: WorldOptions["faults"];
  readonly radio?: WorldOptions["radio"];
};

export type AllInOne = {
  readonly server: Server;
  readonly world: WorldProcess;
  readonly demo: Demo;
  close(): Promise<void>;
};

export async function startAllInOne(options: AllInOneOptions): Promise<AllInOne> {
  const { config, log, phones, newPhones, seed } = options;
  const folder = join(dataFolderOf(config), "world");
  const bankSecret = randomBytes(16).toString("hex");
  const radiusSecret = randomBytes(20).toString("hex");
  const smscPassword = randomBytes(4).toString("hex"); // SMPP holds 8 characters
  const fork = forkWorld({
    onNews: options.onNews ?? (() => undefined),
    onTrouble: (message) => options.onFault?.("world", message),
  });
  let world: WorldProcess | undefined;
  try {
    const server = await startServer({
      ...options,
      ...(options.isByRadius && { radius: coreGateway(radiusSecret) }),
      async outside(catalog) {
        const models = fleetModels(catalog);
        log(
          `starting the simulated world: ${phones} phones of ${Math.min(phones, models.length)} real models`,
        );
        world = await fork.start({
          folder,
          phones,
          newPhones,
          seed,
          models,
          keyServerMakes: KEY_SERVER_MAKES,
          smscPassword,
          bankSecret,
          ...(options.faults ? { faults: options.faults } : {}),
          ...(options.radio ? { radio: options.radio } : {}),
        });
        const { smscPort, bankUrl, maker, road } = world.addresses;
        return {
          smsc: { host: "127.0.0.1", port: smscPort, password: new Secret(smscPassword) },
          bank: { url: bankUrl, secret: new Secret(bankSecret) },
          makerCredentials: maker,
          ...(road && (await roadOutside(folder, road.environment))),
        };
      },
    });
    const there = assured(world, "the server's addresses were asked of it");
    const demo = await setUpDemo(server, there.addresses, KEY_SERVER_MAKES, {
      catalog: server.deps.catalog,
      folder,
    });
    await there.connect({
      url: server.url,
      probeToken: demo.probeToken,
      makerToken: demo.makerToken,
      trusted: [{ name: server.issuer.name, spki: server.issuer.spki }],
      ...(server.radiusPort !== undefined &&
        options.isByRadius && {
          radius: { host: "127.0.0.1", port: server.radiusPort, secret: radiusSecret },
        }),
      ...(server.road.land && { land: { id: ROAD_WORLD.landId, url: server.road.land.url } }),
    });
    return {
      server,
      world: there,
      demo,
      async close() {
        await fork.close();
        await server.close();
      },
    };
  } catch (error) {
    await fork.close();
    throw error;
  }
}

/** The packet gateway of the simulated core network, as the server knows it. */
const coreGateway = (secret: string): RadiusPlace => ({
  ...{ host: "127.0.0.1", port: 0, tls: undefined },
  clients: [
    {
      ...{ certificate: undefined, disconnect: undefined },
      ...{ name: "core", addresses: ["127.0.0.1"], operator: undefined },
      secret: new TextEncoder().encode(secret),
    },
  ],
});

/** The server's ends of the device's road: where other companies' machines are, and its door for the proxy. */
async function roadOutside(
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<Pick<Outside, "connectors" | "land">> {
  const { identity, payment, service, element, billing, mail } = readConfig({
    env: environment,
    folder,
  }).config;
  const { land, landProxy } = await ensureLegCertificates({
    folder: join(folder, "road"),
    proxyId: ROAD_WORLD.proxyId,
    now: new Date(),
  });
  return {
    connectors: { identity, payment, service, element, billing, mail },
    land: { id: ROAD_WORLD.landId, host: "127.0.0.1", port: 0, certificates: land, proxies: [landProxy] },
  };
}
