/** What this server knows of handsets' statuses, for the doors of an equipment register and for who asks by the API: files, and lists by the API. */
import type { Config } from "../config/config.ts";
import { readEquipmentPlace } from "../config/equipment-config.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { type EquipmentBook, openEquipmentBook, readEquipmentLists } from "./equipment-lists.ts";
import { openOwnEquipment } from "./own-equipment.ts";
import type { ServerOptions } from "./server-options.ts";
import { type DisconnectSession, openSimLockBook, type SimLockBook } from "./sim-lock-book.ts";
import type { Opened, Work } from "./start-work.ts";
import { checkStatusFiles, openStatusFiles, type StatusFiles } from "./status-files.ts";

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
  const place = await readEquipmentPlace(config);
  let files = openStatusFiles(place.statusFiles, onFault);
  closing.defer(() => files.close());
  const book = await openEquipmentBook(deps, await readEquipmentLists(place), files.byOperator);
  const locks = await openSimLockBook(closing, {
    ...{ ...stores, ...deps, disconnect, store: simLocks, registry: measures },
    answersBlack: book.answersBlack,
  });
  return {
    book,
    locks,
    async prepare(next) {
      const nextPlace = await readEquipmentPlace(next);
      const lists = await readEquipmentLists(nextPlace);
      checkStatusFiles(nextPlace.statusFiles);
      return () => {
        const before = files;
        files = openStatusFiles(nextPlace.statusFiles, onFault);
        book.change(lists, files.byOperator);
        closeSoon(before);
      };
    },
  };
}

/** The book lets go of them when it has looked whose the new ones are: a look-up until then finds them open. */
const LET_GO_MS = 10_000;
function closeSoon(files: StatusFiles): void {
  setTimeout(() => void files.close(), LET_GO_MS).unref();
}
