/**
 * E-CARE without a person (US 6,647,260, column 5 and claim 1:112; R23, R124): where a subscriber stands with what the network
 * opened for them, and what they may do about any order of theirs themselves. What is done stands in the order's history with
 * the channel that it came by.
 */
import type { ItemKind, ItemState, OrderState } from "./order.ts";

/** Whose orders: one subscriber's alone, never a whole operator's. */
export type OwnScope = { readonly operatorId: string; readonly subscriberId: string };

/** An order that the network opened (settings, keys), as its subscriber is told of it. */
export type NetworkOrder = {
  readonly orderId: string;
  readonly state: OrderState;
  readonly items: readonly { readonly kind: ItemKind; readonly state: ItemState }[];
};

export interface SelfCare {
  /** The newest first, at most 5. */
  networkOrdersOf(scope: OwnScope): Promise<readonly NetworkOrder[]>;
  /**
   * Sends again what has not reached its level, at once.
   * @param channel `device`, `screen`, `telephone`
   * @throws TurnupError order_not_found, order_closed, nothing_to_resend, settings_unconfirmed, care_limit_reached
   */
  resend(scope: OwnScope, orderId: string, channel: string): Promise<void>;
  /** Ends an order that is not wanted any more. @throws TurnupError order_not_found, order_closed */
  giveUp(scope: OwnScope, orderId: string, channel: string): Promise<void>;
}
