/** One transaction of the conductor: what it reads and locks through, and the scribe that collects what it writes. */

import type { OrderDraft } from "./order-draft.ts";
import type { OrderTransaction } from "./order-store.ts";
import type { Scribe } from "./scribe.ts";

export type Step = { readonly tx: OrderTransaction; readonly scribe: Scribe };

export async function lockById(
  tx: OrderTransaction,
  orderIds: readonly string[],
): Promise<Map<string, OrderDraft>> {
  const unique = [...new Set(orderIds)];
  if (unique.length === 0) return new Map();
  return new Map((await tx.lockOrders(unique)).map((order) => [order.id, order]));
}
