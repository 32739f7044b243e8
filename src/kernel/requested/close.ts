/** A request of which nothing comes: nothing is done, and nobody's data is kept for it. */
import { change } from "../order/change.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { type RequestTurn, touchRequest } from "../order/turn.ts";

/** Nothing is done, and nobody's data is kept for it. */
export function nothingCameOfIt(turn: RequestTurn, reason: string): void {
  const { scribe, order } = turn;
  for (const item of order.items) {
    if (item.state === "failed" || item.state === "cancelled") continue;
    scribe.moveItem(order, item, { state: "cancelled", reason, nextAction: NO_ACTION, deadlineAt: null });
  }
  change(order.request, { user: {}, fields: {}, nextNoticeAt: null });
  scribe.changes.withdrawnCalls.push(order.id);
  touchRequest(turn);
}
