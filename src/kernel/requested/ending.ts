/** When items of an order that somebody asked for are done, and what is said of those that are not. */

import type { OperatorTerms } from "../operator/operator-terms.ts";
import { cancelOrder } from "../order/ending.ts";
import { isOfNetworkAlone, isReached, isRequestItemDone, levelOf } from "../order/item-done.ts";
import type { Companion } from "../order/message.ts";
import type { ItemState } from "../order/order.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { Ending, RequestItem, RequestTurn } from "../order/turn.ts";

/** What an item that waited in vain failed of. */
const CAUSE_OF_SILENCE: Partial<Record<ItemState, string>> = {
  sending: "not_delivered",
  awaiting_choice: "no_choice",
  registering: "no_answer",
  needs_information: "no_information",
  forwarded: "no_answer",
};

export const requestedEnding: Ending = {
  isDone: (item: RequestItem, { policy }: OperatorTerms) => isRequestItemDone(item, policy.doneAt),

  /** What is not done whole is not kept: it is taken back as far as it came. */
  isKept: (item: RequestItem, { policy }: OperatorTerms) => isRequestItemDone(item, policy.doneAt),

  nameOf: ({ subject }: RequestItem) => subject.catalogId,

  causeOfSilence: (item: RequestItem) =>
    isOfNetworkAlone(item)
      ? "no_answer"
      : (CAUSE_OF_SILENCE[item.state] ?? (item.subject.server ? "no_answer" : "no_key")),

  missingOf: (item: RequestItem, { policy }: OperatorTerms) =>
    isReached(item, policy.doneAt)
      ? "answer of the network's elements"
      : `proof of "${levelOf(item, policy.doneAt)}"`,

  doneWords: (items: readonly ItemDraft[]) => `all ${items.length} items are done`,

  /** Its own server was asked for it, and may have it, whether it has said so yet or not; it was not told to stop. */
  cancelledWords: ({ subject }: RequestItem, { state }: OrderDraft, reason: string) =>
    state === "provisioning" && subject.server
      ? `${reason}; what its own server has of it goes on there`
      : reason,
};

/** Ends a request by decision: nothing more is asked of anybody for it. */
export function cancelRequest(turn: RequestTurn, reason: string, companions: readonly Companion[]): void {
  turn.scribe.changes.withdrawnCalls.push(turn.order.id);
  cancelOrder(turn, reason, companions);
}
