/**
 * The flow of an order that the network opened, or a person for a handset (US 11,109,201): what is done when its time has come,
 * when a machine outside has answered, and when a person takes a hand in it. `conductor/flow.ts` says what each part is for.
 */
import type { CallAnswer } from "../calls/answer.ts";
import type { TakenKey } from "../order/device-key.ts";
import { cancelOrder, deadlinePassed } from "../order/ending.ts";
import type { Companion } from "../order/message.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import type { OrderTransaction } from "../order/order-store.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { Booking, Turn } from "../order/turn.ts";
import type { ChargeDraft } from "../settlement/charge.ts";
import type { SeenSymptom } from "../support/symptoms.ts";
import { detectedEnding } from "./ending.ts";
import { keyAnswered } from "./key-answers.ts";
import { moneyAnswered, noticeAnswered } from "./money-answers.ts";
import { followNumber } from "./number-lost.ts";
import { giveUpKeys, type Missing, openOrder, sendWithoutKey, wait } from "./open-order.ts";
import { resendByHand } from "./resend-by-hand.ts";
import { isKeyWithheldFrom } from "./withheld-key.ts";

type Due = { readonly symptoms: readonly SeenSymptom[]; readonly companions: readonly Companion[] };

/** What answers of one batch share: keys that were given before and who holds them, and charges as they stand by now. */
type AnsweredBatch = {
  readonly taken: Map<string, TakenKey>;
  readonly orders: ReadonlyMap<string, OrderDraft>;
  readonly charges: Map<string, ChargeDraft>;
};

export const detectedFlow = {
  ending: detectedEnding,

  due(turn: Turn, { symptoms, companions }: Due): void {
    if (turn.order.state !== "provisioning") return openOrder(turn, symptoms);
    giveUpKeys(turn);
    followNumber(turn, companions);
    sendWithoutKey(turn);
    deadlinePassed(turn);
  },

  /** It waits for a number, and sends again then: `followNumber`, when it is due. */
  async numberLost(): Promise<boolean> {
    return false;
  },

  waitsFor(turn: Booking, missing: Missing): boolean {
    if (turn.order.state === "provisioning") return false;
    wait(turn, missing);
    return true;
  },

  answered(turn: Turn, call: OutboundCall, answer: CallAnswer, batch: AnsweredBatch): void {
    switch (call.kind) {
      case "key_request":
        return keyAnswered({ ...turn, taken: batch.taken, orders: batch.orders }, call, answer);
      case "fee_request":
      case "portion_payment": {
        const charge = batch.charges.get(call.body.chargeId);
        if (charge) batch.charges.set(charge.id, moneyAnswered(turn, { charge, call }, answer));
        return;
      }
      case "download_notice":
      case "remittance_notice":
        return noticeAnswered(turn, call, answer);
      default: // calls of requests are made for no such order
    }
  },

  noticeEnded(): void {
    // it sends none
  },

  async resend(turn: Turn, tx: OrderTransaction, actor: string): Promise<void> {
    const { id } = turn.order;
    const companions = await tx.companionsOf(id);
    const unconfirmed = await tx.unconfirmedPayloads(id);
    resendByHand(turn, actor, companions, { unconfirmed, key: isKeyWithheldFrom(turn) });
  },

  async cancel(turn: Turn, tx: OrderTransaction, reason: string): Promise<void> {
    cancelOrder(turn, reason, await tx.companionsOf(turn.order.id));
  },

  settle(): void {
    // what follows is done by what it follows from
  },
};
