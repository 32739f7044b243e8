/**
 * The provisioning server: opens its stores, then what it asks of machines outside, then its work, then its doors, and closes
 * them in the reverse order. It keeps nothing that another server on the same database would miss.
 */

import type { DestinationStream } from "pino";
import type { HttpDeps } from "../../http/ports.ts";
import type { Connectors } from "../../kernel/conductor/request-calls.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { loadShippedDatasets } from "../../store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import type { Registry } from "../../store/operator/registry.ts";
import type { TurnupError } from "../../term/error.ts";
import type { Config } from "../config/config.ts";
import { Addresses } from "./addresses.ts";
import { type ClosingStack, opening } from "./closing-stack.ts";
import type { ConnectorConfig } from "./connectors.ts";
import type { DeviceDoors, LandPlace } from "./device-doors.ts";
import type { Engine } from "./engine.ts";
import type { Knowledge } from "./knowledge.ts";
import type { MachineNews } from "./machine-watch.ts";
import type { MakerCredentials } from "./maker-ports.ts";
import { openDoors } from "./open-doors.ts";
import { openMachines } from "./open-machines.ts";
import { openStores } from "./open-stores.ts";
import type { OwnIssuer } from "./own-issuer.ts";
import { startWork } from "./start-work.ts";
import { openStore, type Store } from "./store.ts";

export type ServerOptions = {
  readonly config: Config;
  /** For a person: what the start is doing. */
  readonly log: (message: string) => void;
  /** Log lines as JSON; none without it. */
  readonly logStream?: DestinationStream;
  /** Certificates for key servers, where they do not come from the configuration's files. */
  readonly makerCredentials?: MakerCredentials;
  /** Starts what is outside, beside the database; the configuration's own message centre and bank otherwise. */
  readonly outside?: (catalog: DeviceCatalog) => Promise<Outside>;
  /** Rows of the shipped data that are being loaded: the first start only. */
  readonly onProgress?: (done: number, total: number, name: string) => void;
  readonly onChanges?: (changes: ChangeSet) => void;
  readonly onFault?: (name: string, error: unknown) => void;
  /** A machine of others refuses our credentials, or takes them again. */
  readonly onMachine?: (news: MachineNews) => void;
  /** The embedded database died and does not come back: the server is of no use any more. */
  readonly onLost?: (error: TurnupError) => void;
  /** Machines that requests of the device's road ask; those of the configuration otherwise. */
  readonly connectors?: Partial<Connectors>;
  /** The door for proxies, where it does not come from the configuration's files. */
  readonly land?: LandPlace;
};

export type { MakerCredentials };

export type Server = {
  readonly url: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly knowledge: Knowledge;
  readonly engine: Engine;
  readonly issuer: OwnIssuer;
  readonly deps: HttpDeps;
  readonly orders: OrderStore;
  readonly road: DeviceDoors;
  close(): Promise<void>;
};

/** What of the outside is known only once it runs: a message centre, key servers, a bank. */
export type Outside = {
  readonly smsc: Pick<Config["smsc"], "host" | "port" | "password">;
  readonly bank: Pick<Config["bank"], "url" | "secret">;
  readonly makerCredentials: MakerCredentials;
  /** Other companies' machines of the device's road. */
  readonly connectors?: ConnectorConfig;
  readonly land?: LandPlace;
};

export const startServer = (options: ServerOptions): Promise<Server> =>
  opening(async (closing) => {
    // While the database starts, what is known is read: the two take about as long. Not before it has begun to start:
    // reading holds up everything else.
    let store!: Promise<Store>;
    await new Promise<void>((begun) => {
      const { config, log, onLost } = options;
      store = openStore({ config, log, onLost, onWaiting: begun }).then((opened) => closing.use(opened));
      store.catch(() => undefined).finally(begun); // it is awaited below, whatever happens first
    });
    const catalog = new DeviceCatalog(readShippedDatasets());
    const outside = options.outside?.(catalog);
    outside?.catch(() => undefined);
    const { database } = await store;
    await loadShippedDatasets(database, () => uuidv7(), options.onProgress);
    return openAll(closing, await store, catalog, {
      ...options,
      ...withOutside(options.config, await outside),
    });
  });

async function openAll(
  closing: ClosingStack,
  store: Store,
  catalog: DeviceCatalog,
  options: ServerOptions,
): Promise<Server> {
  const addresses = new Addresses(options.config);
  const stores = await openStores(closing, store, catalog, addresses, options);
  const machines = await openMachines(closing, stores.nowMs, options);
  const opened = { stores, machines, addresses };
  const work = startWork(closing, opened, options);
  const { url, deps, devices } = await openDoors(closing, { ...opened, ...work }, options);
  const { registry, knowledge, issuer, orders } = stores;
  return {
    url,
    store,
    registry,
    knowledge,
    engine: work.engine,
    issuer,
    deps,
    orders,
    road: devices,
    close: () => closing.close(),
  };
}

function withOutside(
  config: Config,
  outside: Outside | undefined,
): Pick<ServerOptions, "config" | "makerCredentials" | "land"> {
  if (!outside) return { config };
  const { smsc, bank, makerCredentials, connectors, land } = outside;
  return {
    config: {
      ...config,
      ...connectors,
      smsc: { ...config.smsc, ...smsc },
      bank: { ...config.bank, ...bank },
    },
    makerCredentials,
    ...(land && { land }),
  };
}
