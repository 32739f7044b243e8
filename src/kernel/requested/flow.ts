/**
 * The flow of an order that somebody asked for (US 6,647,260): what is done when its time has come, when a machine outside has
 * answered, when a person takes a hand in it, and at the end of each transaction. `conductor/flow.ts` says what each part is for.
 */
import type { CallAnswer } from "../calls/answer.ts";
import { closed } from "../delivery/resend.ts";
import { featuresOf } from "../fulfilment/modules.ts";
import { settle } from "../fulfilment/settle.ts";
import { isRemovalUnderWay, refuseCancelOfRemoval, withhold } from "../fulfilment/withhold.ts";
import { isFinal } from "../order/ending.ts";
import type { EndedMessage } from "../order/message.ts";
import type { OrderTransaction } from "../order/order-store.ts";
import { isRequestCall, type OutboundCall } from "../order/outbound-call.ts";
import { itemsOf, type RequestTurn } from "../order/turn.ts";
import { requestIsDue } from "./due.ts";
import { cancelRequest, requestedEnding } from "./ending.ts";
import { noticeEnded } from "./messages.ts";
import { requestAnswered } from "./request-answers.ts";

const NUMBER_LOST =
  "the number of its SIM is another SIM's now, so nothing that was sent there is waited for; ask for it anew";

export const requestedFlow = {
  ending: requestedEnding,

  due: (turn: RequestTurn): void => requestIsDue(turn),

  /** It ends, unless a service server is ending something for it at this moment. */
  async numberLost(turn: RequestTurn, tx: OrderTransaction): Promise<boolean> {
    const { order } = turn;
    if (isFinal(order)) return false;
    const calls = await tx.openCallsOf(order.id);
    if (isRemovalUnderWay(turn, calls)) return false;
    cancelRequest(turn, NUMBER_LOST, await tx.companionsOf(order.id));
    withhold(turn, calls, NUMBER_LOST);
    return true;
  },

  /** Each of its states has a deadline of its own. */
  waitsFor: (): boolean => false,

  answered(turn: RequestTurn, call: OutboundCall, answer: CallAnswer): void {
    if (isRequestCall(call)) requestAnswered(turn, call, answer); // no other is made for it
  },

  noticeEnded: (turn: RequestTurn, ended: EndedMessage): void => noticeEnded(turn, ended),

  async resend(turn: RequestTurn, _tx: OrderTransaction, actor: string): Promise<void> {
    if (isFinal(turn.order)) throw closed(turn.order);
    featuresOf(turn).resend(turn, itemsOf(turn), actor);
  },

  async cancel(turn: RequestTurn, tx: OrderTransaction, reason: string): Promise<void> {
    const calls = await tx.openCallsOf(turn.order.id);
    refuseCancelOfRemoval(turn, calls);
    cancelRequest(turn, reason, await tx.companionsOf(turn.order.id));
    withhold(turn, calls, reason);
  },

  settle: (turn: RequestTurn): void => settle(turn),
};
