/** When items of an order that the network opened are done, and what is said of those that are not. */
import { isPartlyDone, rankOf } from "../order/order.ts";
import type { Ending } from "../order/turn.ts";

/** Done at the level that the operator's policy names. */
export const detectedEnding: Ending = {
  isDone: ({ state }, { policy }) => rankOf(state) >= rankOf(policy.doneAt),
  isKept: ({ state }) => isPartlyDone(state),
  nameOf: ({ kind }) => kind,
  causeOfSilence: ({ state }) => (state === "sending" ? "not_delivered" : "no_key"),
  missingOf: (_, { policy }) => `proof of "${policy.doneAt}"`,
  doneWords: (items, { policy }) => `all ${items.length} items reached "${policy.doneAt}"`,
  cancelledWords: (_item, _order, reason) => reason,
};
