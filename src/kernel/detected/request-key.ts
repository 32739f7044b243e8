/** Asks for a key, its manufacturer or the stock of its keys: one durable call, made until it is answered or the deadline has passed. */

import { hoursAfter } from "../../term/moment.ts";
import type { Relation } from "../operator/operator-terms.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Booking } from "../order/turn.ts";
import { feeTermsOf, noteFeeLevel } from "../proof/fee.ts";

export function requestKey(
  turn: Booking,
  item: ItemDraft,
  relation: Relation,
  /** Whether the model is said to run keys; of an item that asks anew, what its first asking went by. */
  isKeyKnown = item.feeTerms?.feeLevel === "delivered",
): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  const id = scribe.newId();
  const isStock = relation.keySource === "stock";
  const whose = relation.make === "*" ? "every other make" : relation.make;
  item.feeTerms = feeTermsOf(relation, isKeyKnown);
  noteFeeLevel(turn, item, relation);
  scribe.changes.calls.push({
    id,
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "key_request",
    // The maker goes by the item; a second round of asking is a call of its own here.
    idempotencyKey: item.isNew ? item.id : `${item.id}:${id}`,
    body: { itemId: item.id, from: isStock ? "stock" : "maker" },
    dueAt: scribe.now,
    deadlineAt,
  });
  scribe.moveItem(order, item, {
    state: "waiting_for_key",
    cause: "key_requested",
    reason: isStock
      ? `the key is taken from the stock of keys of ${whose}`
      : `the key is asked for at ${relation.make === "*" ? "the manufacturer" : relation.make}`,
    nextAction: isStock ? "bind a key of the stock to this handset" : "ask the manufacturer's key server",
    deadlineAt,
  });
}
