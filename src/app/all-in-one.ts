/**
 * Everything on one machine: the server on its embedded data base, and the simulated world in a process beside it. What
 * `turnup start` shows, and what stories and benches drive.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { DestinationStream } from "pino";
import type { ChangeSet } from "../kernel/order/change-set.ts";
import { Secret } from "../term/secret.ts";
import { type Config, dataFolderOf } from "./config.ts";
import { type Demo, setUpDemo } from "./demo.ts";
import { fleetModels } from "./fleet-models.ts";
import { type Server, startServer } from "./server.ts";
import type { WorldOptions } from "./world.ts";
import { forkWorld, type WorldNews, type WorldProcess } from "./world-process.ts";

/** Makes whose keys the simulated manufacturer's server issues; the other old phones get keys of the own store. */
export const KEY_SERVER_MAKES = ["Samsung", "Huawei", "Sony"] as const;

export type AllInOneOptions = {
  readonly config: Config;
  readonly phones: number;
  readonly seed: number;
  readonly log: (message: string) => void;
  readonly logStream?: DestinationStream;
  readonly onChanges?: (changes: ChangeSet) => void;
  readonly onNews?: (news: readonly WorldNews[]) => void;
  readonly onProgress?: (done: number, total: number, name: string) => void;
  readonly onFault?: (name: string, error: unknown) => void;
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
  const { config, log, phones, seed } = options;
  const bankSecret = randomBytes(16).toString("hex");
  const smscPassword = randomBytes(4).toString("hex"); // SMPP holds 8 characters
  const fork = forkWorld({
    onNews: options.onNews ?? (() => undefined),
    onTrouble: (message) => options.onFault?.("world", message),
  });
  let world: WorldProcess | undefined;
  try {
    const server = await startServer({
      ...options,
      async outside(catalog) {
        const models = fleetModels(catalog);
        log(
          `starting the simulated world: ${phones} phones of ${Math.min(phones, models.length)} real models`,
        );
        world = await fork.start({
          folder: join(dataFolderOf(config), "world"),
          phones,
          seed,
          models,
          keyServerMakes: KEY_SERVER_MAKES,
          smscPassword,
          bankSecret,
          ...(options.faults ? { faults: options.faults } : {}),
          ...(options.radio ? { radio: options.radio } : {}),
        });
        const { smscPort, bankUrl, maker } = world.addresses;
        return {
          smsc: { host: "127.0.0.1", port: smscPort, password: new Secret(smscPassword) },
          bank: { url: bankUrl, secret: new Secret(bankSecret) },
          makerCredentials: maker,
        };
      },
    });
    const demo = await setUpDemo(server, world!.addresses, KEY_SERVER_MAKES);
    world!.connect({
      url: server.url,
      probeToken: demo.probeToken,
      makerToken: demo.makerToken,
      trusted: [{ name: server.issuer.name, spki: server.issuer.spki }],
    });
    return {
      server,
      world: world!,
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
