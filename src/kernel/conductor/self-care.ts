/**
 * What subscribers do about their orders without a person (US 6,647,260, column 5; R124): the same sending again and the same
 * ending that staff have, of their own orders alone, so often a day, and with a line in the history that says who it was.
 */
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { closed } from "../delivery/resend.ts";
import { isFinal } from "../order/ending.ts";
import type { OrderStore } from "../order/order-store.ts";
import type { OwnScope, SelfCare } from "../order/self-care.ts";
import type { InStep, Step } from "../order/step.ts";
import type { Turn } from "../order/turn.ts";
import { flowOf } from "./flow.ts";

const ACTOR = "the subscriber";
const DAY_HOURS = 24;

export function createSelfCare(store: Pick<OrderStore, "requests">, inStep: InStep): SelfCare {
  return {
    async networkOrdersOf({ operatorId, subscriberId }) {
      const orders = await store.requests.networkOrdersOf(operatorId, subscriberId);
      return orders.map(({ id: orderId, state, items }) => ({
        orderId,
        state,
        items: items.map(({ kind, state: at }) => ({ kind, state: at })),
      }));
    },
    resend: (scope, orderId, channel) =>
      inStep(async (step) => {
        const turn = await ownTurn(step, scope, orderId);
        await refuseTooOften(step, turn);
        turn.scribe.note(turn.order, {
          kind: "self_care_resend",
          reason: "its subscriber had it sent again, without a person",
          evidence: channel,
        });
        await flowOf(turn.order).resend(turn, step.tx, ACTOR);
      }),
    giveUp: (scope, orderId, channel) =>
      inStep(async (step) => {
        const turn = await ownTurn(step, scope, orderId);
        if (isFinal(turn.order)) throw closed(turn.order);
        turn.scribe.note(turn.order, {
          kind: "self_care_give_up",
          reason: "its subscriber gave it up, without a person",
          evidence: channel,
        });
        await flowOf(turn.order).cancel(turn, step.tx, `given up by ${ACTOR}`);
      }),
  };
}

/** @throws TurnupError `order_not_found`: there is none, or it is another subscriber's */
async function ownTurn({ tx, turnOf }: Step, scope: OwnScope, orderId: string): Promise<Turn> {
  const [order] = await tx.lockOrders([orderId]);
  if (order?.operatorId !== scope.operatorId || order.subscriberId !== scope.subscriberId)
    throw new TurnupError("order_not_found", "There is no such order of this subscriber.", {
      nextStep: "Look at the help screen again.",
    });
  return turnOf(order);
}

/** Under the lock of the order, so that two at once are counted both. */
async function refuseTooOften({ tx, scribe }: Step, { order, terms }: Turn): Promise<void> {
  const most = terms.policy.request.selfCareResendsMax;
  const before = await tx.selfCareResendsOf(order.id, hoursAfter(scribe.now, -DAY_HOURS));
  if (before < most) return;
  throw new TurnupError("care_limit_reached", `The order was sent again ${before} times within a day.`, {
    nextStep: "Let a person of the operator look at it.",
  });
}
