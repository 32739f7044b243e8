/** The door to one request: found in its scope, locked, and its turn taken in one transaction. */
import { TurnupError } from "../../term/error.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { RequestScope } from "../order/request.ts";
import type { RequestStore } from "../order/request-store.ts";
import type { InStep, Step } from "../order/step.ts";
import { isOfRequest, type RequestTurn } from "../order/turn.ts";

/** What everything at the desk works with. */
export type Desk = {
  readonly deps: ConductorDeps;
  readonly requests: RequestStore;
  readonly inStep: InStep;
};

/** @throws TurnupError `order_not_found`: none of this scope */
export async function onRequest<T>(
  { requests, inStep }: Desk,
  scope: RequestScope,
  orderId: string,
  work: (turn: RequestTurn, step: Step) => T | Promise<T>,
): Promise<T> {
  const id = await requests.orderIdOf(scope, orderId);
  if (!id) throw notFound();
  return inStep(async (step) => {
    const [order] = await step.tx.lockOrders([id]);
    if (!order || !isOfRequest(order)) throw notFound();
    const openCodes = await step.tx.openCodesOf(order.operatorId, order.subscriberId, step.scribe.now);
    return work({ ...(await step.turnOf(order)), openCodes }, step);
  });
}

const notFound = (): TurnupError =>
  new TurnupError("order_not_found", "There is no such request.", {
    nextStep: "Take the reference from the notice or the status screen.",
  });
