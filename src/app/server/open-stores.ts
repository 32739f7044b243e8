/** What a server keeps on its database, and what it knows by heart: opened first, since all else asks it. */
import { join } from "node:path";
import { seenFromHome } from "../../kernel/catalog/catalog-store.ts";
import type { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { shippedAccessPointIndex, shippedNetworkData } from "../../store/dataset/access-point-data.ts";
import { createEventFeed } from "../../store/events/event-feed.ts";
import { openChangeChannel } from "../../store/node/change-channel.ts";
import { createDatabaseClock } from "../../store/node/database-clock.ts";
import { joinNodes } from "../../store/node/node-presence.ts";
import { createAccessPointUse } from "../../store/operator/access-point-use.ts";
import { createCatalogStore } from "../../store/operator/catalog-store.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { createDeviceStatements } from "../../store/sightings/device-statements.ts";
import { createPairMemory } from "../../store/sightings/pair-memory.ts";
import { createPairTable } from "../../store/sightings/pair-table.ts";
import { dataFolderOf } from "../config/config.ts";
import type { Addresses } from "./addresses.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { createKnowledge } from "./knowledge.ts";
import { createOwnDevices } from "./own-devices.ts";
import { ownIssuer } from "./own-issuer.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Store } from "./store.ts";

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** @throws TurnupError `seal_broken`, `file_unreadable`, and what a database that is away says */
export async function openStores(
  closing: ClosingStack,
  { database, sealer, connection }: Store,
  catalog: DeviceCatalog,
  addresses: Addresses,
  options: ServerOptions,
) {
  // All servers on one database go by its clock: nothing is due later, and no lease lapses, because one's own is wrong.
  const databaseClock = createDatabaseClock();
  const clock = databaseClock.now;
  const newId = (): string => uuidv7(clock().getTime());
  const changes = closing.use(await openChangeChannel(connection, options.onFault, databaseClock.set));
  const ownDevices = createOwnDevices(catalog.data, database, shippedNetworkData);
  await ownDevices.refresh();
  const [accessPoints, { networks }] = [shippedAccessPointIndex(), shippedNetworkData()];
  const accessPointUse = createAccessPointUse({ database, sealer, clock });
  const useRecordsOf = accessPointUse.recordsOf;
  const knowledge = createKnowledge({ catalog, ownDevices, accessPoints, networks, sealer, useRecordsOf });
  const presence = closing.use(await joinNodes(connection));
  const kept = { database, sealer, changes, newId, clock };
  const registry = createRegistry(kept);
  const { homePlmnOf, countryOf } = knowledge;
  const orders = createOrderStore(database, sealer, registry.ownWords, {
    nodeNumber: presence.number,
    homePlmnOf,
    changes,
    clock,
  });
  const events = createEventFeed(database);
  closing.defer(async () => events.close());
  const clockToleranceMs = options.config.clock.toleranceSeconds * 1_000;
  return {
    ...kept,
    nowMs: (): number => clock().getTime(),
    clockToleranceMs,
    registry,
    knowledge,
    homePlmnOf,
    countryOf,
    ownDevices,
    accessPointUse,
    deviceStatements: createDeviceStatements({ database, sealer }),
    presence,
    events,
    orders,
    termsOf: orders.termsOf,
    termsIn: orders.termsIn,
    items: seenFromHome(createCatalogStore(kept), (origin) => addresses.isOwn(origin)),
    connection,
    memory: createPairMemory(
      createPairTable(options.config.sightings.knownPairs, clock().getTime()),
      changes.isHeard,
    ),
    issuer: await issuerOf({ database, sealer }, options),
  };
}

async function issuerOf(kept: Pick<Store, "database" | "sealer">, { config, log }: ServerOptions) {
  const file = join(dataFolderOf(config), "own-issuer.pem");
  const issuer = await ownIssuer({ ...kept, file }, config.issuer.name);
  if (issuer.isOtherFile) log(`the database has another issuer's key than ${file}: its key counts`);
  return issuer;
}
