/**
 * What operators imported about devices, in memory: a catalog for each operator that has imports, over the shipped
 * rows, which all share. An operator's rows are in its own catalog and in no other, so that no tenant is ever answered
 * with another's list. About 5 MB and 60 ms an operator, and some hundred octets a TAC of its own; an operator without imports costs nothing.
 */
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { DeviceDatasets } from "../../kernel/devices/rows.ts";
import { SupportKnowledge } from "../../kernel/support/support-knowledge.ts";
import type { Database } from "../../store/database/database.ts";
import { ownDatasetHeads, readOwnDatasets } from "../../store/dataset/dataset-store.ts";
import { withOwnDatasets } from "../../store/dataset/own-devices.ts";

export type DeviceKnowledge = { readonly catalog: DeviceCatalog; readonly support: SupportKnowledge };

export type OwnDevices = {
  /** Undefined: the operator has imported nothing, and the shipped catalog speaks. */
  of(operatorId: string): DeviceKnowledge | undefined;
  /** Takes up what was imported before the call; one small query when nothing was. */
  refresh(): Promise<void>;
};

export function createOwnDevices(shipped: DeviceDatasets, database: Database): OwnDevices {
  const known = new Map<string, { readonly imports: string; readonly devices: DeviceKnowledge }>();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function read(): Promise<void> {
    const imports = new Map<string, string>();
    for (const { id, operatorId } of await ownDatasetHeads(database)) {
      imports.set(operatorId, `${imports.get(operatorId) ?? ""} ${id}`);
    }
    for (const operatorId of known.keys()) if (!imports.has(operatorId)) known.delete(operatorId);
    for (const [operatorId, ids] of imports) {
      if (known.get(operatorId)?.imports === ids) continue;
      // An import between the two queries is in these rows already; the next round reads them once more.
      const data = withOwnDatasets(shipped, await readOwnDatasets(database, operatorId));
      const devices = { catalog: new DeviceCatalog(data), support: new SupportKnowledge(data) };
      known.set(operatorId, { imports: ids, devices });
    }
  }

  return {
    of: (operatorId) => known.get(operatorId)?.devices,
    refresh() {
      if (!running) {
        running = read().finally(() => {
          running = undefined;
        });
        return running;
      }
      // The one that runs may have looked before: another follows it.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return this.refresh();
        });
      return next;
    },
  };
}
