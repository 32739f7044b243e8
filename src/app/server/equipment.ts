/** What this server knows of handsets' statuses, for the doors of an equipment register and for who asks by the API: files, and lists by the API. */
import type { Config } from "../config/config.ts";
import { readEquipmentPlace } from "../config/equipment-config.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { type EquipmentBook, openEquipmentBook, readEquipmentLists } from "./equipment-lists.ts";
import { openOwnEquipment } from "./own-equipment.ts";
import type { ServerOptions } from "./server-options.ts";
import { type DisconnectSession, openSimLockBook, type SimLockBook } from "./sim-lock-book.ts";
import type { Opened, Work } from "./start-work.ts";

export type Equipment = {
  readonly book: EquipmentBook;
  readonly locks: SimLockBook;
  /** Reads the files anew; answers what puts them into force. @throws TurnupError: nothing is changed */
  prepare(next: Config): Promise<() => void>;
};

/** @throws TurnupError `config_invalid`, `file_unreadable` */
export async function openEquipment(
  closing: ClosingStack,
  { stores, measures, simLocks }: Pick<Opened & Work, "stores" | "measures" | "simLocks">,
  operatorIdOf: (slug: string | undefined) => Promise<string | undefined>,
  { config, onFault = () => undefined }: ServerOptions,
  disconnect?: DisconnectSession,
): Promise<Equipment> {
  const ownOf = await openOwnEquipment(closing, { ...stores, onFault });
  const deps = { operatorIdOf, ownOf, onFault, monotonicMs: () => performance.now() };
  const book = await openEquipmentBook(deps, await readEquipmentLists(await readEquipmentPlace(config)));
  const locks = await openSimLockBook(closing, {
    ...{ ...stores, ...deps, disconnect, store: simLocks, registry: measures },
  });
  return {
    book,
    locks,
    async prepare(next) {
      const lists = await readEquipmentLists(await readEquipmentPlace(next));
      return () => book.change(lists);
    },
  };
}
