/** The proxy's journal of its devices' accounts: `sealed-journal.ts` with its events. */
import type { ProxyEvent } from "../../proxy/account.ts";
import type { ProxyJournal } from "../../proxy/edge.ts";
import { openSealedJournal } from "./sealed-journal.ts";

type OpenProxyJournal = ProxyJournal & { close(): Promise<void> };

/**
 * Opens or begins the journal in `folder` and hands every event in it to `replay`, in order.
 * @throws TurnupError `journal_damaged`, `journal_in_use`
 */
export const openProxyJournal = (options: {
  readonly folder: string;
  readonly sealKey: Uint8Array;
  replay(event: ProxyEvent): void;
}): Promise<OpenProxyJournal> => openSealedJournal<ProxyEvent>({ ...options, party: "proxy" });
