/** What is known of devices, for commands that work beside a running server or without one: read once, for one command. */
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { OperatorTerms } from "../../kernel/operator/operator-terms.ts";
import { shippedAccessPointIndex, shippedNetworkData } from "../../store/dataset/access-point-data.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { createKnowledge, type Knowledge } from "./knowledge.ts";
import type { OperatorStore } from "./operator-store.ts";
import { createOwnDevices } from "./own-devices.ts";

export async function knowledgeBeside({ store }: Pick<OperatorStore, "store">): Promise<Knowledge> {
  const catalog = new DeviceCatalog(readShippedDatasets());
  const ownDevices = createOwnDevices(catalog.data, store.database, shippedNetworkData);
  await ownDevices.refresh();
  return createKnowledge({
    catalog,
    ownDevices,
    accessPoints: shippedAccessPointIndex(),
    networks: shippedNetworkData().networks,
    sealer: store.sealer,
  });
}

/** What the operator said and agreed, as it is now. */
export async function termsBeside({ store, operator, newId, clock }: OperatorStore): Promise<OperatorTerms> {
  const { database, sealer } = store;
  const { ownWords } = createRegistry({ database, sealer, newId, clock });
  return await createOrderStore(database, sealer, ownWords).termsOf(operator.id);
}
