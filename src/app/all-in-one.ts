/**
 * Everything on one machine: the server on its embedded data base, and the simulated world in a process beside it. What
 * `turnup start` shows, and what stories and benches drive.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { DestinationStream } from "pino";
import { DeviceCatalog } from "../kernel/devices/catalog.ts";
import type { ChangeSet } from "../kernel/order/change-set.ts";
import { readShippedDatasets } from "../store/dataset/devices.ts";
import { Secret } from "../term/secret.ts";
import { type Config, dataFolderOf } from "./config.ts";
import { type Demo, setUpDemo } from "./demo.ts";
import { fleetModels } from "./fleet-models.ts";
import { type Server, startServer } from "./server.ts";
import type { WorldOptions } from "./world.ts";
import { startWorldProcess, type WorldNews, type WorldProcess } from "./world-process.ts";

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
  const { config, log } = options;
  const folder = dataFolderOf(config);
  const bankSecret = randomBytes(16).toString("hex");
  const smscPassword = randomBytes(4).toString("hex"); // SMPP holds 8 characters
  const data = readShippedDatasets();
  const catalog = new DeviceCatalog(data);
  const models = fleetModels(
    catalog,
    data.tac.flatMap(({ rows }) => rows.map(({ tac }) => tac)),
  );
  log(`starting the simulated world: ${options.phones} phones of ${models.length} real models`);
  const world = await startWorldProcess(
    {
      folder: join(folder, "world"),
      phones: options.phones,
      seed: options.seed,
      models,
      keyServerMakes: KEY_SERVER_MAKES,
      smscPassword,
      bankSecret,
      ...(options.faults ? { faults: options.faults } : {}),
      ...(options.radio ? { radio: options.radio } : {}),
    },
    options.onNews ?? (() => undefined),
    (message) => options.onFault?.("world", message),
  );
  try {
    const server = await startServer({
      config: {
        ...config,
        smsc: {
          ...config.smsc,
          host: "127.0.0.1",
          port: world.addresses.smscPort,
          password: new Secret(smscPassword),
        },
        bank: { ...config.bank, url: world.addresses.bankUrl, secret: new Secret(bankSecret) },
      },
      log,
      makerCredentials: world.addresses.maker,
      ...(options.logStream ? { logStream: options.logStream } : {}),
      ...(options.onChanges ? { onChanges: options.onChanges } : {}),
      ...(options.onFault ? { onFault: options.onFault } : {}),
    });
    const demo = await setUpDemo(server, world.addresses, KEY_SERVER_MAKES);
    world.connect({
      url: server.url,
      probeToken: demo.probeToken,
      makerToken: demo.makerToken,
      trusted: [{ name: server.issuer.name, spki: server.issuer.spki }],
    });
    return {
      server,
      world,
      demo,
      async close() {
        await world.close();
        await server.close();
      },
    };
  } catch (error) {
    await world.close();
    throw error;
  }
}
