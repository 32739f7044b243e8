/** The service provider's journal: `sealed-journal.ts` with its events (what was registered is kept at both ends). */
import type { ServiceJournal } from "../../service/registration-kernel.ts";
import type { ServiceEvent } from "../../service/registrations.ts";
import { openSealedJournal } from "./sealed-journal.ts";

type OpenServiceJournal = ServiceJournal & { close(): Promise<void> };

/**
 * Opens or begins the journal in `folder` and hands every event in it to `replay`, in order.
 * @throws TurnupError `journal_damaged`, `journal_in_use`
 */
export const openServiceJournal = (options: {
  readonly folder: string;
  readonly sealKey: Uint8Array;
  replay(event: ServiceEvent): void;
}): Promise<OpenServiceJournal> => openSealedJournal<ServiceEvent>({ ...options, party: "service" });
