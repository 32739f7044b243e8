/**
 * Tells proxies how accounts stand: a durable call a proxy, made again for as long as the proxy is one of ours, whatever it
 * missed. A proxy says with each answer which version of the list it has; what is later goes there. One that has a later version
 * than the list itself (its books are younger than our restored ones), or says that it began anew, is told all.
 */
import type { AccountChanges } from "../../wire/message/account-api.ts";
import type { DueProxy, ProxyBook, ProxyOutcome } from "./proxy-accounts.ts";

/** A proxy's door for its operator. */
export interface ProxyDoor {
  /** Answers the version that the proxy has afterwards. */
  change(
    changes: AccountChanges,
  ): Promise<
    | { readonly kind: "told"; readonly version: number }
    | { readonly kind: "failed"; readonly cause: string; readonly reason: string }
  >;
}

/** A proxy that knows all is asked this often whether it still does: its books may be of before. */
const LOOK_AGAIN_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Calls of one turn, so that a lease outlasts it; the rest follows in the next. */
const CALLS_MAX = 8;

type Telling = {
  readonly book: ProxyBook;
  readonly operatorId: string;
  /** Undefined: none is named for this proxy. */
  doorOf(proxy: string): ProxyDoor | undefined;
  now(): Date;
};

export async function tellProxy(telling: Telling, due: DueProxy): Promise<void> {
  const { book, operatorId, doorOf, now } = telling;
  const door = doorOf(due.proxy);
  const told = door
    ? await goOn(telling, door, due)
    : { version: null, tries: due.tries, outcome: "no door of it is named", waitMs: LOOK_AGAIN_MS };
  const { waitMs, ...outcome } = told;
  const nextTryAt = new Date(now().getTime() + waitMs);
  await book.book(operatorId, due.proxy, { ...outcome, nextTryAt });
}

type Told = Omit<ProxyOutcome, "nextTryAt"> & { readonly waitMs: number };

async function goOn({ book, operatorId }: Telling, door: ProxyDoor, due: DueProxy): Promise<Told> {
  let known = due.version;
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const { version, ...way } = await book.changesAfter(operatorId, known);
    const answer = await door.change(way);
    if (answer.kind === "failed") return failedAfter(due, known, `${answer.cause}: ${answer.reason}`);
    const isThere = answer.version === version && way.upto === version;
    if (isThere) return { version, tries: 0, outcome: "told", waitMs: LOOK_AGAIN_MS };
    known = answer.version > version ? 0 : answer.version;
  }
  return { version: known, tries: 0, outcome: "being told", waitMs: 0 };
}

function failedAfter(due: DueProxy, known: number, outcome: string): Told {
  const tries = due.tries + 1;
  const waitMs = Math.min(RETRY_MAX_MS, FIRST_RETRY_MS * 2 ** Math.min(due.tries, 10));
  return { version: known === due.version ? null : known, tries, outcome, waitMs };
}
