/**
 * One transaction of the conductor: what it reads and locks through, the scribe that collects what it writes, and the turns of
 * its orders. Whom an order is about is read once, for as many orders as are asked for together.
 */
import { firstOf, getFrom } from "../../term/collections.ts";
import type { OperatorTerms } from "../operator/operator-terms.ts";
import { policyIn } from "../operator/policy.ts";
import type { ConductorDeps } from "./deps.ts";
import type { OrderDraft, Subscriber } from "./order-draft.ts";
import type { OrderTransaction } from "./order-store.ts";
import type { Scribe } from "./scribe.ts";
import type { Booking, Ending, Turn } from "./turn.ts";

export type Step = {
  readonly tx: OrderTransaction;
  readonly scribe: Scribe;
  /** In the order of the orders, which are locked. */
  turnsOf<Order extends OrderDraft>(orders: readonly Order[]): Promise<Turn<Order>[]>;
  turnOf<Order extends OrderDraft>(order: Order): Promise<Turn<Order>>;
  /** Unseals nobody. */
  bookingOf(order: OrderDraft): Promise<Booking>;
  /** Came along with its order: it need not be read. */
  know(orderId: string, subject: Subscriber): void;
};
/** Does the work as one transaction and one change set; whoever calls says of which operator. */
export type InStep = <T>(work: (step: Step) => Promise<T>) => Promise<T>;

/** @param endingOf what the flow of an order says of its ends */
export function createStep(
  deps: ConductorDeps,
  tx: OrderTransaction,
  scribe: Scribe,
  endingOf: (order: OrderDraft) => Ending,
): Step {
  const subjects = new Map<string, Subscriber>();

  async function turnsOf<Order extends OrderDraft>(orders: readonly Order[]): Promise<Turn<Order>[]> {
    const unread = new Set(orders.flatMap(({ id }) => (subjects.has(id) ? [] : [id])));
    if (unread.size > 0)
      for (const [id, subject] of await tx.subjectsOf([...unread])) subjects.set(id, subject);
    const turns: Turn<Order>[] = [];
    for (const order of orders) {
      const terms = termsIn(await tx.termsOf(order.operatorId), order);
      turns.push({
        deps,
        scribe,
        order,
        subject: getFrom(subjects, order.id),
        terms,
        ending: endingOf(order),
      });
    }
    return turns;
  }

  return {
    tx,
    scribe,
    turnsOf,
    turnOf: async <Order extends OrderDraft>(order: Order) => firstOf(await turnsOf([order])),
    bookingOf: async (order) => ({
      scribe,
      order,
      terms: termsIn(await tx.termsOf(order.operatorId), order),
      ending: endingOf(order),
    }),
    know: (orderId, subject) => void subjects.set(orderId, subject),
  };
}

/** An order of a listed market goes by that market's rules. */
function termsIn(terms: OperatorTerms, { market }: OrderDraft): OperatorTerms {
  const policy = policyIn(terms.policy, market);
  return policy === terms.policy ? terms : { ...terms, policy };
}

export async function lockById(
  tx: OrderTransaction,
  orderIds: readonly string[],
): Promise<Map<string, OrderDraft>> {
  const unique = [...new Set(orderIds)];
  if (unique.length === 0) return new Map();
  return new Map((await tx.lockOrders(unique)).map((order) => [order.id, order]));
}
