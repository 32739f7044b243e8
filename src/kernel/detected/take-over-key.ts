/**
 * A key that was given before and comes again. A manufacturer may repeat a handset's current key to a new request: then
 * a younger order for the same handset takes it over, as long as it was not used and nothing was charged for it. A key of
 * another handset, and one that is spent, is refused: each key is one handset's, once.
 */

import { change } from "../order/change.ts";
import type { TakenKey } from "../order/device-key.ts";
import { endIfDone, isClosed } from "../order/ending.ts";
import { rankOf } from "../order/order.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import type { Booking } from "../order/turn.ts";

const UNUSED: readonly TakenKey["state"][] = ["issued", "downloaded", "revoked"];

export const mayTakeOver = (order: OrderDraft, key: TakenKey): boolean =>
  key.deviceId === order.deviceId && key.orderId < order.id && UNUSED.includes(key.state) && !key.isCharged;

/** The older order gives the key up: proof of it counts for the younger one from now on, and so does its fee. */
export function giveUpKey(turn: Booking, keyId: string): void {
  const { scribe, order: older } = turn;
  const item = older.items.find((one) => one.keyId === keyId);
  if (!item) return;
  const reason = "a younger order for this handset took its key over";
  change(item, { keyId: null, keyState: null });
  scribe.touch(older);
  if (isClosed(item)) return scribe.note(older, { kind: "key_taken_over", itemId: item.id, reason });
  if (rankOf(item.state) > 0) {
    change(item, { deadlineAt: null, nextAction: NO_ACTION, reason });
    scribe.note(older, { kind: "key_taken_over", itemId: item.id, state: item.state, reason });
  } else {
    const isAlone = older.items.every(
      ({ id, message }) => id === item.id || message?.id !== item.message?.id,
    );
    if (item.message && isAlone) scribe.changes.cancelledMessages.push(item.message.id);
    scribe.moveItem(older, item, {
      state: "cancelled",
      event: "key_taken_over",
      reason,
      nextAction: NO_ACTION,
      deadlineAt: null,
    });
  }
  endIfDone(turn);
}
