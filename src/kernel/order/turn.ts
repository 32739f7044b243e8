/**
 * An order's turn in a transaction: the order under its lock, whom it is about, the operator's word, and the scribe who takes
 * the minutes. It is what every step of an order works with; who needs to know nobody takes a `Booking`.
 */

import type { OperatorTerms } from "../operator/operator-terms.ts";
import { change } from "./change.ts";
import type { ConductorDeps } from "./deps.ts";
import type { ItemDraft, OrderDraft, Subscriber } from "./order-draft.ts";
import type { ItemRequest, RequestDraft } from "./request-draft.ts";
import type { Scribe } from "./scribe.ts";

/**
 * What the flow of an order says of its items when one of them, or all of it, is to end; `ending.ts` asks. An order is asked
 * of its own flow alone.
 */
export interface Ending {
  /** What was to be reached is. */
  isDone(item: ItemDraft, terms: OperatorTerms): boolean;
  /** When the order is cancelled it stays as far as it came, and is not taken back. */
  isKept(item: ItemDraft, terms: OperatorTerms): boolean;
  /** In the reason of an order that ended short of it. */
  nameOf(item: ItemDraft): string;
  /** What it failed of that waited in vain. */
  causeOfSilence(item: ItemDraft): string;
  /** Beyond what it reached. */
  missingOf(item: ItemDraft, terms: OperatorTerms): string;
  /** That all items of the order are done, as its reason. */
  doneWords(items: readonly ItemDraft[], terms: OperatorTerms): string;
  /** Why an item is cancelled, where its order is for this reason. */
  cancelledWords(item: ItemDraft, order: OrderDraft, reason: string): string;
}

export type Turn<Order extends OrderDraft = OrderDraft> = {
  readonly deps: ConductorDeps;
  readonly scribe: Scribe;
  readonly order: Order;
  readonly subject: Subscriber;
  readonly terms: OperatorTerms;
  readonly ending: Ending;
  /** Numbers of the subscriber's open questions, where a step may ask another. */
  readonly openCodes?: readonly string[];
};

/** Enough to book a fact on an order: receipts, proof and ends unseal nobody. */
export type Booking = Pick<Turn, "scribe" | "order" | "terms" | "ending">;

/** An order that somebody asked for. */
export type RequestedOrder = OrderDraft & { readonly request: RequestDraft };
export type RequestTurn = Turn<RequestedOrder>;

/** An item of a request: what was asked for is always there. */
export type RequestItem = ItemDraft & { subject: ItemRequest };

export const isOfRequest = (order: OrderDraft): order is RequestedOrder => order.request !== null;

export const itemsOf = ({ order }: Pick<RequestTurn, "order">): RequestItem[] =>
  order.items.filter((item): item is RequestItem => item.subject !== null);

export const itemOf = ({ order }: Pick<RequestTurn, "order">, itemId: string | null) =>
  itemsOf({ order }).find(({ id }) => id === itemId);

/** Changes what is known of an item. */
export function updateItem(
  { scribe, order }: Pick<RequestTurn, "scribe" | "order">,
  item: RequestItem,
  news: Partial<ItemRequest>,
): void {
  change(item, { subject: { ...item.subject, ...news } });
  scribe.touch(order);
}

export function touchRequest({ scribe, order }: Pick<RequestTurn, "scribe" | "order">): void {
  order.request.changed = true;
  scribe.touch(order);
}
