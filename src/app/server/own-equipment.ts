/**
 * What operators said of handsets by the API, as this server answers cores by it: read at the start, and again within moments of word
 * that it changed. While no word is heard, it is looked for twice a second; while the database is away, what was known stays.
 */
import type { Changes } from "../../kernel/account/changes.ts";
import type { Database } from "../../store/database/database.ts";
import { createListReader, equipmentStamps, type OwnEquipment } from "../../store/equipment/known-lists.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";

const LOOK_MS = 500;

type OwnDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly changes: Changes;
  readonly onFault: (name: string, error: unknown) => void;
};
/** Undefined: this operator said nothing. */
export type OwnEquipmentOf = (operatorId: string) => OwnEquipment | undefined;

export async function openOwnEquipment(
  closing: ClosingStack,
  { database, sealer, changes, onFault }: OwnDeps,
): Promise<OwnEquipmentOf> {
  const read = createListReader({ database, sealer });
  const known = new Map<string, OwnEquipment>();
  const stamps = new Map<string, string>();
  let isChanged = true;
  const look = async (): Promise<void> => {
    isChanged = false;
    try {
      for (const [operatorId, stamp] of await equipmentStamps(database)) {
        if (stamps.get(operatorId) === stamp) continue;
        known.set(operatorId, await read(operatorId));
        stamps.set(operatorId, stamp);
      }
    } catch (error) {
      isChanged = true; // it is looked for again, whether or not word comes
      throw error;
    }
  };
  await look();
  const loop = startLoop({
    name: "equipment-lists",
    pauseMs: LOOK_MS,
    async pass() {
      if (isChanged || !changes.isHeard()) await look();
      return isChanged;
    },
    onFailure: onFault,
  });
  const unsubscribe = changes.onChange((news) => {
    if (news !== "everything" && news.kind !== "equipment") return;
    isChanged = true;
    loop.wake();
  });
  closing.defer(async () => {
    unsubscribe();
    await loop.stop();
  });
  return (operatorId) => known.get(operatorId);
}
