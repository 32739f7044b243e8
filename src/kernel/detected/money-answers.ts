/**
 * What the operator's payment system answered, and whether a manufacturer took a notice. A fee that is paid is booked, and the
 * manufacturer's portion follows it; a clear no ends a call; no answer leaves it due again, later and later.
 */

import { hoursAfter } from "../../term/moment.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { nextTry } from "../calls/next-try.ts";
import { relationOf } from "../operator/operator-terms.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { Scribe } from "../order/scribe.ts";
import type { Booking } from "../order/turn.ts";
import { CALL_DEADLINE_HOURS } from "../proof/fee.ts";
import type { ChargeDraft } from "../settlement/charge.ts";
import { type Entry, feePaidEntries, payoutEntries } from "../settlement/postings.ts";

/** A charge, and the call that was made for it. */
type Payment = {
  readonly charge: ChargeDraft;
  readonly call: OutboundCall<"fee_request" | "portion_payment">;
};

/** Answers the charge as it stands afterwards: a second answer of the same batch finds it so. */
export function moneyAnswered(turn: Booking, { charge, call }: Payment, answer: CallAnswer): ChargeDraft {
  const { scribe, order } = turn;
  const { changes } = scribe;
  const isFee = call.kind === "fee_request";
  if (charge.state !== (isFee ? "requested" : "paid")) {
    changes.callChanges.push({ id: call.id, state: "done", reason: "it was answered before", dueAt: null });
    return charge;
  }
  if (answer.kind === "refused") {
    changes.callChanges.push({ id: call.id, state: "refused", reason: answer.reason, dueAt: null });
    const state = isFee ? "refused" : charge.state;
    const step = isFee ? "fee" : "portion";
    changes.chargeChanges.push({ id: charge.id, state, reason: `${step} refused: ${answer.reason}` });
    scribe.note(order, { kind: `${step}_refused`, itemId: call.itemId, reason: answer.reason });
    return { ...charge, state };
  }
  if (answer.kind !== "done") {
    const reason = answer.kind === "failed" ? answer.reason : "no answer to a payment";
    moneyWaits(turn, { charge, call }, reason);
    return charge;
  }
  changes.callChanges.push({ id: call.id, state: "done", reason: "paid", dueAt: null });
  const reference = answer.reference ?? call.id;
  if (!isFee) {
    portionPaid(turn, { charge, call }, reference);
    return { ...charge, state: "settled" };
  }
  feePaid(turn, { charge, call }, reference);
  return { ...charge, state: charge.portionMinor > 0n ? "paid" : "settled" };
}

/** The charge itself says what it waits for, and in the end that a person must see to it. */
function moneyWaits({ scribe, order }: Booking, { charge, call }: Payment, reason: string): void {
  const retry = nextTry(scribe, call);
  const what = call.kind === "fee_request" ? "the fee" : "the portion";
  scribe.changes.callChanges.push({ id: call.id, state: retry ? "due" : "given_up", reason, dueAt: retry });
  scribe.changes.chargeChanges.push({
    id: charge.id,
    state: charge.state,
    reason: retry
      ? `${what} is asked for again at ${retry.toISOString()}: ${reason}`
      : `${what} was given up, a person has to see to it: ${reason}`,
  });
  if (!retry) scribe.note(order, { kind: `${call.kind}_given_up`, itemId: call.itemId, reason });
}

function book(scribe: Scribe, charge: ChargeDraft, entries: readonly Entry[]): void {
  for (const entry of entries) {
    scribe.changes.postings.push({
      ...entry,
      id: scribe.newId(),
      operatorId: charge.operatorId,
      chargeId: charge.id,
      currency: charge.currency,
    });
  }
}

function feePaid({ scribe, order, terms }: Booking, { charge, call }: Payment, reference: string): void {
  book(scribe, charge, feePaidEntries(charge));
  const owes = charge.portionMinor > 0n;
  const isByFile = owes && relationOf(terms, charge.make)?.portionPaidBy === "payment_file";
  scribe.changes.chargeChanges.push({
    id: charge.id,
    state: owes ? "paid" : "settled",
    reason: feePaidWords(owes, isByFile),
    bankReference: reference,
  });
  scribe.note(order, {
    kind: "fee_paid",
    itemId: call.itemId,
    reason: "the operator paid the fee",
    detail: { reference },
  });
  if (!owes) return;
  if (isByFile) {
    const reason = `the portion waits for the next payment file to ${charge.make}`;
    scribe.note(order, { kind: "portion_due", itemId: call.itemId, reason });
    return;
  }
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: charge.operatorId,
    orderId: order.id,
    itemId: call.itemId,
    kind: "portion_payment",
    idempotencyKey: charge.id,
    body: {
      chargeId: charge.id,
      amountMinor: charge.portionMinor,
      currency: charge.currency,
      make: charge.make,
    },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

function feePaidWords(owes: boolean, isByFile: boolean): string {
  if (!owes) return "the fee is paid; nobody else has a portion";
  return isByFile
    ? "the fee is paid; the manufacturer's portion waits for the next payment file"
    : "the fee is paid; the manufacturer's portion is on its way";
}

function portionPaid({ scribe, order }: Booking, { charge, call }: Payment, reference: string): void {
  book(scribe, charge, payoutEntries(charge));
  scribe.changes.chargeChanges.push({
    id: charge.id,
    state: "settled",
    reason: "fee received, portion paid",
    payoutReference: reference,
  });
  scribe.note(order, {
    kind: "portion_paid",
    itemId: call.itemId,
    reason: `the portion went to ${charge.make}`,
    detail: { reference },
  });
  const keyId = order.items.find(({ id }) => id === call.itemId)?.keyId;
  if (!keyId) return;
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: charge.operatorId,
    orderId: order.id,
    itemId: call.itemId,
    kind: "remittance_notice",
    idempotencyKey: charge.id,
    body: {
      paymentId: reference,
      keyId,
      amountMinor: charge.portionMinor,
      currency: charge.currency,
      at: scribe.now,
    },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

/** Whether a manufacturer took the word of a download or of a payment. */
export function noticeAnswered(
  { scribe, order }: Booking,
  call: OutboundCall<"download_notice" | "remittance_notice">,
  answer: CallAnswer,
): void {
  if (answer.kind === "done") {
    scribe.changes.callChanges.push({ id: call.id, state: "done", reason: "told", dueAt: null });
    scribe.note(order, {
      kind: call.kind === "download_notice" ? "maker_told_of_download" : "maker_told_of_payment",
      itemId: call.itemId,
      reason: "the manufacturer's server took the notice",
    });
    return;
  }
  if (answer.kind === "refused") {
    scribe.changes.callChanges.push({ id: call.id, state: "refused", reason: answer.reason, dueAt: null });
    scribe.note(order, { kind: `${call.kind}_refused`, itemId: call.itemId, reason: answer.reason });
    return;
  }
  const retry = nextTry(scribe, call);
  const reason = answer.kind === "failed" ? answer.reason : "the answer is not one to a notice";
  scribe.changes.callChanges.push({ id: call.id, state: retry ? "due" : "given_up", reason, dueAt: retry });
  if (!retry) scribe.note(order, { kind: `${call.kind}_given_up`, itemId: call.itemId, reason });
}
