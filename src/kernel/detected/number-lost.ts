/**
 * An order whose SIM lost its number to another: what was sent by that number counts no more, since it may be somebody else
 * who reads it. It waits for the SIM's next number and sends again then.
 */

import { isOfLostLink, resendItems } from "../delivery/resend.ts";
import { isFinal } from "../order/ending.ts";
import type { Companion } from "../order/message.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Turn } from "../order/turn.ts";
import { sendPageAnew } from "./open-order.ts";

const isLost = ({ state, message }: ItemDraft): boolean => state === "sending" && message?.isLost === true;

/** Waits for a number, and sends again what a former number was to get. */
export function followNumber(turn: Turn, companions: readonly Companion[]): void {
  const { scribe, order, subject } = turn;
  const lost = order.items.filter(isLost);
  if (isFinal(order) || lost.length === 0) return;
  if (subject.msisdn !== null) {
    const again = lost.filter((item) => !isOfLostLink(item));
    resendItems(turn, again, companions, "the SIM has a number again: it is sent there");
    for (const item of lost) if (isOfLostLink(item)) sendPageAnew(turn, item);
    return;
  }
  for (const item of lost) {
    if (item.cause === "number_lost") continue;
    scribe.moveItem(order, item, {
      state: item.state,
      cause: "number_lost",
      reason: "the number of its SIM is another SIM's now; nothing is sent there any more",
      nextAction: "send a sighting with this SIM's MSISDN: it is sent again then",
      deadlineAt: item.deadlineAt,
      event: "number_lost",
    });
  }
}
