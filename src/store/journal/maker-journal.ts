/** The manufacturer's journal: `sealed-journal.ts` with its events. */
import type { MakerEvent } from "../../maker/books.ts";
import type { MakerJournal } from "../../maker/key-server.ts";
import { openSealedJournal } from "./sealed-journal.ts";

type OpenMakerJournal = MakerJournal & { close(): Promise<void> };

/**
 * Opens or begins the journal in `folder` and hands every event in it to `replay`, in order.
 * @throws TurnupError `journal_damaged`, `journal_in_use`
 */
export const openMakerJournal = (options: {
  readonly folder: string;
  readonly sealKey: Uint8Array;
  replay(event: MakerEvent): void;
}): Promise<OpenMakerJournal> => openSealedJournal<MakerEvent>({ ...options, party: "maker" });
