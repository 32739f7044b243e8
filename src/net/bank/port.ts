/** An operator's payment system as the kernel asks for it, over the client. */
import type { CallAnswer } from "../../kernel/calls/answer.ts";
import type { BankPort, Payment } from "../../kernel/conductor/make-calls.ts";
import type { BankClient, PaymentOutcome } from "./client.ts";

const FEE_REASON = "a device key that proved itself";

export const bankPortOf = (client: BankClient): BankPort => ({
  requestFees: async (fees) =>
    (
      await client.requestFees(
        fees.map((fee) => ({ chargeId: fee.id, reason: FEE_REASON, ...amountOf(fee) })),
      )
    ).map(answerOf),
  payPortions: async (payments) =>
    (
      await client.payPortions(
        payments.map((payment) => ({ payoutId: payment.id, payee: payment.payee, ...amountOf(payment) })),
      )
    ).map(answerOf),
});

const amountOf = ({ amountMinor, currency, reference }: Payment) => ({
  amountMinor: Number(amountMinor), // a fee: far below 2^53
  currency,
  reference,
});

function answerOf(outcome: PaymentOutcome): CallAnswer {
  switch (outcome.kind) {
    case "paid":
      return { kind: "done", reference: outcome.bookingId };
    case "refused":
      return { kind: "refused", cause: outcome.code, reason: outcome.reason };
    case "pending":
      return { kind: "failed", cause: "pending", reason: "the payment system has not decided yet" };
    case "failed":
      return { kind: "failed", cause: outcome.cause, reason: outcome.detail };
  }
}
