/**
 * The provisioning server: opens its stores, then what it asks of machines outside, then its work, then its doors, and closes
 * them in the reverse order. It keeps nothing that another server on the same database would miss.
 */

import type { HttpDeps } from "../../http/ports.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { loadShippedDatasets } from "../../store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import type { Registry } from "../../store/operator/registry.ts";
import type { PairMemory } from "../../store/sightings/pair-memory.ts";
import type { Config } from "../config/config.ts";
import { Addresses } from "./addresses.ts";
import { checkOperators } from "./check-config.ts";
import { type ClosingStack, opening } from "./closing-stack.ts";
import type { DeviceDoors, LandPlace } from "./device-doors.ts";
import type { Engine } from "./engine.ts";
import type { Knowledge } from "./knowledge.ts";
import { openDoors } from "./open-doors.ts";
import { openMachines } from "./open-machines.ts";
import { openStores } from "./open-stores.ts";
import type { OwnIssuer } from "./own-issuer.ts";
import type { ProbePorts } from "./probe-doors.ts";
import type { ProxyTeller } from "./proxy-teller.ts";
import { type ServerOptions, withOutside } from "./server-options.ts";
import { smscsOptions } from "./smsc-options.ts";
import { startWork } from "./start-work.ts";
import { openStore, type Store } from "./store.ts";

export type Server = ProbePorts & {
  readonly url: string;
  /** Of the API's own door for partners and voice platforms, where there is one. */
  readonly partnerUrl: string | undefined;
  readonly store: Store;
  readonly registry: Registry;
  readonly knowledge: Knowledge;
  readonly engine: Engine;
  readonly issuer: OwnIssuer;
  readonly deps: HttpDeps;
  readonly orders: OrderStore;
  /** What it knows by heart. */
  readonly knownPairs: Pick<PairMemory, "size" | "octets">;
  readonly road: DeviceDoors;
  /** Where the door of a proxy in this process is, once it is open: accounts come and go there by this server's word. */
  readonly nameProxyDoor: ProxyTeller["nameDoor"];
  /**
   * Reads the files of a configuration anew and puts into force what may change while it runs: connectors, key servers'
   * credentials, the door for proxies, gateways, the log's level. `land`: that door, where files do not say it.
   * @throws TurnupError: then all stays as it was
   */
  change(config: Config, land?: LandPlace): Promise<void>;
  close(): Promise<void>;
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
  await checkOperators(store.database, options.config);
  const stores = await openStores(closing, store, catalog, addresses, options);
  const machines = await openMachines(closing, stores.nowMs, options);
  const opened = { stores, machines, addresses };
  const work = startWork(closing, opened, options);
  const { deps, devices, prepare, ...doors } = await openDoors(closing, { ...opened, ...work }, options);
  const { registry, knowledge, issuer, orders } = stores;
  return {
    ...doors,
    store,
    registry,
    knowledge,
    engine: work.engine,
    issuer,
    deps,
    orders,
    knownPairs: stores.memory,
    road: devices,
    async change(config, land) {
      // The doors first: what they find wrong leaves nothing open behind.
      const [changeDoors, changeMachines] = [await prepare(config, land), await machines.prepare(config)];
      const changeCentres = work.engine.centres.prepare(smscsOptions(config));
      changeDoors();
      changeMachines();
      changeCentres();
    },
    close: () => closing.close(),
  };
}
