/**
 * What traffic on an access point proves of an item that sets it. An item works when each access point that it set was
 * seen (internet, MMS, WAP); until then its reason and next action name those that were not. Where the policy counts one
 * as enough, the words say which were not seen all the same.
 *
 *   | seen so far                        | the item                                      |
 *   | each access point that it set      | works                                         |
 *   | some, and the policy asks for each | opened: what the handset uses, it has taken   |
 *   | some, and the policy asks for one  | works; those not seen are named               |
 *
 * An access point that settings and key both set may have been seen for the other's sake. It speaks for the key only once
 * the handset said itself that it ran the key, so that no fee hangs on what ordinary settings did; and by itself alone it
 * does not say that settings arrived which were not delivered.
 */

import type { OperatorTerms } from "../operator/operator-terms.ts";
import { listed, notSeenOf } from "../order/access-points.ts";
import { change } from "../order/change.ts";
import { rankOf } from "../order/order.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Booking } from "../order/turn.ts";
import { type Proof, reach } from "./progress.ts";

type SeenTraffic = {
  readonly apn: string;
  /** Who saw it. */
  readonly evidence: string;
  readonly detail: unknown;
};

/** Books it; answers false where it says nothing new of the item. */
export function trafficSeen(turn: Booking, item: ItemDraft, seen: SeenTraffic): boolean {
  const { scribe, order, terms } = turn;
  const apn = seen.apn.toLowerCase();
  const isKey = item.kind === "key";
  if (item.state === "cancelled" || item.apnsSeen.includes(apn)) return false;
  const isShared = order.items.some((other) => (other.kind === "key") !== isKey && other.apns.includes(apn));
  if (isKey && (item.state === "works" || (isShared && rankOf(item.state) < rankOf("opened")))) return false;
  change(item, { apnsSeen: [...item.apnsSeen, apn] });
  scribe.touch(order);
  const isOpen = isShared && rankOf(item.state) === 0; // whether it is for this item's sake
  const proof = proofOf(item, terms, seen, isOpen);
  if (proof.level && reach(turn, item, { ...proof, level: proof.level })) return true;
  noteSeen(turn, item, proof);
  return true;
}

type Finding = Omit<Proof, "level"> & { readonly level: "opened" | "works" | null };

function proofOf(
  item: ItemDraft,
  { policy }: OperatorTerms,
  { evidence, detail }: SeenTraffic,
  isOpen: boolean,
): Finding {
  const missing = notSeenOf(item);
  const seen = `traffic was seen on ${listed(item.apnsSeen)}`;
  if (missing.length === 0) return { level: "works", evidence, detail, reason: seen };
  const others = missing.join(", ");
  if (policy.worksBy === "one_access_point" && !isOpen)
    return {
      level: "works",
      evidence,
      detail,
      reason: `${seen}; not seen: ${others}; the policy counts one as enough`,
    };
  return {
    level: isOpen ? null : "opened",
    evidence,
    detail,
    reason: `${seen}; not seen yet: ${others}`,
    nextAction: `wait for traffic on ${listed(missing)}`,
  };
}

/** It stands at that level already: what is new is which access points were seen. */
function noteSeen(
  { scribe, order }: Booking,
  item: ItemDraft,
  { level, reason, nextAction, evidence, detail }: Finding,
): void {
  if (level !== null && rankOf(item.state) <= rankOf(level)) {
    item.reason = reason;
    if (item.deadlineAt !== null && nextAction !== undefined) item.nextAction = nextAction;
  }
  scribe.note(order, {
    kind: "access_point_seen",
    itemId: item.id,
    state: item.state,
    reason,
    evidence,
    detail,
  });
}
