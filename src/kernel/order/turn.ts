/** What every step of a request works with: its order, who asks, the operator's word, and the scribe of the transaction. */
import type { ConductorDeps } from "./deps.ts";
import type { OperatorTerms } from "./operator-terms.ts";
import type { ItemDraft, OrderDraft, Subscriber } from "./order-draft.ts";
import type { ItemRequest, RequestDraft } from "./request-draft.ts";
import type { Scribe } from "./scribe.ts";

export type RequestTurn = {
  readonly deps: ConductorDeps;
  readonly scribe: Scribe;
  readonly order: OrderDraft & { readonly request: RequestDraft };
  readonly subject: Subscriber;
  readonly terms: OperatorTerms;
  /** Numbers of the subscriber's open questions, where a step may ask another. */
  readonly openCodes?: readonly string[];
};

/** An item of a request: what was asked for is always there. */
export type RequestItem = ItemDraft & { subject: ItemRequest };

export const isOfRequest = (order: OrderDraft): order is RequestTurn["order"] => order.request !== null;

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
  item.subject = { ...item.subject, ...news };
  item.changed = true;
  scribe.touch(order);
}

export function touchRequest({ scribe, order }: Pick<RequestTurn, "scribe" | "order">): void {
  order.request.changed = true;
  scribe.touch(order);
}
