/**
 * What becomes of orders whose SIM lost its number to another: what was asked and sent by that number counts no more, since it
 * may be somebody else who reads and answers it. A request ends; an order that the network opened waits for the SIM's number
 * and sends again then.
 */

import { isOfLostLink, resendItems } from "../delivery/resend.ts";
import type { Carrier } from "../delivery/send.ts";
import { isFinal } from "../order/ending.ts";
import type { Companion } from "../order/message.ts";
import type { ItemDraft, OrderDraft, Subscriber } from "../order/order-draft.ts";
import { sendPageAnew } from "./open-order.ts";

export const NUMBER_LOST =
  "the number of its SIM is another SIM's now, so nothing that was sent there is waited for; ask for it anew";

/** It was opened before its SIM lost the number that it was asked or answered by. */
export const hasLostNumber = (
  order: Pick<OrderDraft, "createdAt">,
  { numberLostAt }: Pick<Subscriber, "numberLostAt">,
): boolean => numberLostAt != null && numberLostAt >= order.createdAt;

const isLost = ({ state, message }: ItemDraft): boolean => state === "sending" && message?.isLost === true;

/** Of an order that the network opened: waits for a number, and sends again what a former number was to get. */
export function followNumber(carrier: Omit<Carrier, "judgement">, companions: readonly Companion[]): void {
  const { scribe, order, subject, terms } = carrier;
  const lost = order.items.filter(isLost);
  if (isFinal(order) || lost.length === 0) return;
  if (subject.msisdn !== null) {
    const again = lost.filter((item) => !isOfLostLink(item));
    resendItems(scribe, order, terms, again, companions, "the SIM has a number again: it is sent there");
    for (const item of lost) if (isOfLostLink(item)) sendPageAnew(carrier, item);
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
