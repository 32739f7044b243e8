/**
 * What other companies' machines answered to durable calls: what an answer needs is read and locked here, in one go for a
 * batch; what it means is its flow's to say.
 */
import type { AnsweredCall } from "../calls/answer.ts";
import { keyIdsOf } from "../detected/key-answers.ts";
import type { UnreadableCall } from "../order/outbound-call.ts";
import { lockById, type Step } from "../order/step.ts";
import type { Turn } from "../order/turn.ts";
import { type AnsweredBatch, flowOf } from "./flow.ts";

export async function answersCame(step: Step, answers: readonly AnsweredCall[]): Promise<void> {
  const { tx } = step;
  const keyIds = answers.flatMap(({ answer }) => keyIdsOf(answer));
  const holders = (await tx.takenKeys(keyIds)).map(({ orderId }) => orderId);
  const orders = await lockById(tx, [...answers.map(({ call }) => call.orderId), ...holders]);
  const answered = answers.flatMap(({ call }) => orders.get(call.orderId) ?? []);
  const turns = new Map((await step.turnsOf(answered)).map((turn) => [turn.order.id, turn]));
  // Looked up again under the locks of their orders: what they are now is what they stay.
  const known = holders.length > 0 ? await tx.takenKeys(keyIds) : [];
  const chargeIds = answers.flatMap(({ call }) => chargeIdOf(call) ?? []);
  const charges = chargeIds.length > 0 ? await tx.lockCharges(chargeIds) : [];
  const batch: AnsweredBatch = {
    orders,
    taken: new Map(known.map((key) => [key.id, key])),
    charges: new Map(charges.map((charge) => [charge.id, charge])),
  };
  for (const { call, answer } of answers) {
    const turn = turns.get(call.orderId);
    if (!turn) continue;
    if (isUnreadable(call)) giveUpUnreadable(turn, call);
    else flowOf(turn.order).answered(turn, call, answer, batch);
  }
}

type Answered = AnsweredCall["call"];

const isUnreadable = (call: Answered): call is UnreadableCall => call.body === null;

const chargeIdOf = (call: Answered): string | undefined =>
  !isUnreadable(call) && (call.kind === "fee_request" || call.kind === "portion_payment")
    ? call.body.chargeId
    : undefined;

/** Nobody knows any more what was to be asked; what waits for it ends at its own deadline. */
function giveUpUnreadable({ scribe, order }: Turn, { id, kind, itemId }: UnreadableCall): void {
  const reason = `a call of kind ${kind} cannot be read: a person has to see to it`;
  scribe.changes.callChanges.push({ id, state: "given_up", reason, dueAt: null });
  scribe.note(order, { kind: "call_unreadable", itemId, reason });
}
