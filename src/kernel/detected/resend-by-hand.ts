/** A person has an order sent again: what has not reached its level goes out anew, and a key that was not given is asked for again. */
import { TurnupError } from "../../term/error.ts";
import { earlierOf, hoursAfter } from "../../term/moment.ts";
import { closed, isOfLostLink, resendItems } from "../delivery/resend.ts";
import { relationOf } from "../operator/operator-terms.ts";
import { maySendUnconfirmed, WITHHELD_REASON } from "../operator/unconfirmed.ts";
import { isFinal } from "../order/ending.ts";
import type { Companion } from "../order/message.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Booking } from "../order/turn.ts";
import { requestKey } from "./key-item.ts";
import { KEY_WITHHELD_REASON } from "./withheld-key.ts";

/**
 * Sends again what has not reached its level, and asks again for a key that was not given; an order that had ended for
 * want of it is open again.
 * @throws TurnupError `order_closed`, `nothing_to_resend`, `settings_unconfirmed`
 */
export function resendByHand(
  turn: Booking,
  actor: string,
  companions: readonly Companion[],
  /** Payloads that hold access points which nobody confirmed, and whether the handset is to get no key any more. */
  { unconfirmed, key: isKeyWithheld }: { readonly unconfirmed: ReadonlySet<string>; readonly key: boolean },
): void {
  const { order, terms, ending } = turn;
  if (order.state === "cancelled" || order.state === "completed") throw closed(order);
  const withKey = new Set(
    order.items.flatMap(({ kind, message }) => (kind === "key" && message ? message.id : [])),
  );
  const isWithheld = ({ kind, message }: ItemDraft): boolean =>
    isKeyWithheld && (kind === "key" || (message !== null && withKey.has(message.id)));
  const short = order.items.filter(
    (item) => item.state !== "cancelled" && !ending.isDone(item, terms) && !isWithheld(item),
  );
  const composed = short.filter((item) => item.message !== null && !isOfLostLink(item));
  const sendable = maySendUnconfirmed(terms)
    ? composed
    : composed.filter(({ message }) => message !== null && !unconfirmed.has(message.payloadId));
  const relation = relationOf(terms, order.make);
  const unkeyed =
    relation?.keySource === "maker" || relation?.keySource === "stock"
      ? short.filter((item) => item.kind === "key" && item.message === null && item.state === "failed")
      : [];
  if (sendable.length + unkeyed.length === 0 && composed.length > 0) throw withheld();
  if (sendable.length + unkeyed.length === 0 && isKeyWithheld) throw keyWithheld();
  if (sendable.length + unkeyed.length === 0 && short.some(isOfLostLink)) {
    throw new TurnupError("nothing_to_resend", "Its link went to a number that is another SIM's now.", {
      nextStep:
        "Send a sighting with this SIM's MSISDN: an open order sends a new link then; where it has ended, open a new one.",
    });
  }
  if (sendable.length + unkeyed.length === 0) {
    throw new TurnupError(
      "nothing_to_resend",
      `The order is ${order.state} and no message of it can be sent again.`,
      { nextStep: "Look at its items: what waits for a key or a number is not yet composed." },
    );
  }
  if (isFinal(order)) reopen(turn, actor);
  resendItems(turn, sendable, companions, `${actor} asked to resend it`);
  if (relation) for (const item of unkeyed) requestKey(turn, item, relation);
}

const withheld = (): TurnupError =>
  new TurnupError("settings_unconfirmed", `The settings are not sent again: ${WITHHELD_REASON}.`, {
    nextStep: "Add an access point of the operator's own, then open a new order for this SIM and handset.",
  });

const keyWithheld = (): TurnupError =>
  new TurnupError("nothing_to_resend", `The key is not sent again: ${KEY_WITHHELD_REASON}.`, {
    nextStep:
      "Take that word back (an override, the policy, the relation), or open a new order for its settings.",
  });

function reopen({ scribe, order, terms: { policy } }: Booking, actor: string): void {
  const deadlineAt = hoursAfter(scribe.now, policy.waitDeadlineHours);
  scribe.moveOrder(order, {
    state: "provisioning",
    reason: `opened again: ${actor} asked to resend`,
    nextAction: "wait for receipts and proof",
    dueAt: earlierOf(deadlineAt, hoursAfter(scribe.now, policy.proofDeadlineHours)),
    deadlineAt,
    event: "reopened",
  });
}
