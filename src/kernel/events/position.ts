/**
 * A place in the feed of events, as its readers keep it: opaque text, good for as long as the feed keeps what stands there.
 *
 *   epoch . number of the transaction . row . event of the row     in base64url
 *
 * All events of transactions below a number that nobody works under any more are there for good: what is read once from such a
 * place on is all that there will ever be before the next place (docs/adr/0019-event-feed.md).
 */
import { TurnupError } from "../../term/error.ts";

export type Place = {
  /** 64-bit number of a transaction. */
  readonly tx: bigint;
  /** UUID of the row. */
  readonly row: string;
  /** Of the row's events, the last that was read; -1: none. */
  readonly event: number;
};

const EPOCH_DIGITS = 8;
const PLACE = /^([0-9a-f]{8})\.(\d{1,20})\.([0-9a-f]{32})\.(-1|\d{1,6})$/;
const FIRST_ROW = "00000000-0000-0000-0000-000000000000";

/** Before everything that a transaction of this number or a later one wrote. */
export const placeBefore = (tx: bigint): Place => ({ tx, row: FIRST_ROW, event: -1 });

export const epochOf = (id: string): string => id.slice(0, EPOCH_DIGITS);

export function writePosition(epoch: string, { tx, row, event }: Place): string {
  return Buffer.from(`${epoch}.${tx}.${row.replaceAll("-", "")}.${event}`).toString("base64url");
}

/**
 * Undefined: of another epoch, so it says nothing of this one.
 * @throws TurnupError `cursor_malformed`: none of our making
 */
export function readPosition(epoch: string, text: string): Place | undefined {
  const [, of, tx, row, event] = PLACE.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (of === undefined || tx === undefined || row === undefined)
    throw new TurnupError("cursor_malformed", "This is no position of the feed of events.", {
      nextStep: "Give the `position` of the last event that you have, or none for the first.",
    });
  return of === epoch ? { tx: BigInt(tx), row: dashed(row), event: Number(event) } : undefined;
}

const dashed = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");

/** Where a row stands against another: by transaction, then by its id, which is by time. */
export function comparePlaces(one: Pick<Place, "tx" | "row">, other: Pick<Place, "tx" | "row">): number {
  if (one.tx !== other.tx) return one.tx < other.tx ? -1 : 1;
  return one.row < other.row ? -1 : one.row > other.row ? 1 : 0;
}
