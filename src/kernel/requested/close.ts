/** A request of which nothing comes: nothing is done, and nobody's data is kept for it. */
import { NO_ACTION } from "../order/scribe.ts";
import { type RequestTurn, touchRequest } from "../order/turn.ts";

/** Nothing is done, and nobody's data is kept for it. */
export function nothingCameOfIt(context: RequestTurn, reason: string): void {
  const { scribe, order } = context;
  for (const item of order.items) {
    if (item.state === "failed" || item.state === "cancelled") continue;
    scribe.moveItem(order, item, { state: "cancelled", reason, nextAction: NO_ACTION, deadlineAt: null });
  }
  Object.assign(order.request, { user: {}, fields: {}, nextNoticeAt: null });
  scribe.changes.withdrawnCalls.push(order.id);
  touchRequest(context);
}
