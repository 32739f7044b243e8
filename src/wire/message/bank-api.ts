/**
 * What Turnup and an operator's payment system say to each other, as JSON over HTTP(S) with a bearer secret.
 *
 *   POST /v1/charges   fee requests: the operator pays Turnup for keys that proved themselves
 *   POST /v1/payouts   portions: the payment system pays a manufacturer on Turnup's order
 *
 * Each entry carries its own idempotency key (`chargeId`, `payoutId`) and is answered by itself. A repeat gets the first
 * answer again; a repeat with other content is refused as `id_reused`. `pending` is answered by asking again later.
 * Money is whole minor units; `reference` is what stands on the statement.
 */
import { integer, list, object, oneOf, optional, text } from "./shape.ts";

export const MAX_PAYMENT_BATCH = 500;
export const MAX_PAYMENT_BODY_OCTETS = 1_048_576;

const id = text({
  max: 64,
  pattern: /^[A-Za-z0-9._:-]+$/,
  wanted: "1 to 64 of A-Z a-z 0-9 . _ : - are wanted",
});
const money = {
  amountMinor: integer({ min: 1, max: 1_000_000_000_000 }),
  currency: text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" }),
};

export const readCharge = object({
  chargeId: id,
  ...money,
  reason: text({ max: 200 }),
  reference: text({ max: 140 }),
});
export type FeeRequest = ReturnType<typeof readCharge>;
export const readCharges = object({ charges: list(readCharge, { min: 1, max: MAX_PAYMENT_BATCH }) });

export const readPayout = object({
  payoutId: id,
  payee: text({ max: 80 }),
  ...money,
  reference: text({ max: 140 }),
});
export type PayoutRequest = ReturnType<typeof readPayout>;
export const readPayouts = object({ payouts: list(readPayout, { min: 1, max: MAX_PAYMENT_BATCH }) });

const PAYMENT_REFUSALS = [
  "id_reused",
  "unknown_reference",
  "limit_exceeded",
  "account_closed",
  "malformed",
] as const;
export type PaymentRefusal = (typeof PAYMENT_REFUSALS)[number];

const readPaymentResult = object({
  id,
  state: oneOf(["paid", "pending", "refused"]),
  /** The payment system's own number of the booking, once paid. */
  bookingId: optional(id),
  refusal: optional(oneOf(PAYMENT_REFUSALS)),
  reason: optional(text({ max: 500 })),
});
export type PaymentResult = ReturnType<typeof readPaymentResult>;
export const readPaymentResults = object({
  results: list(readPaymentResult, { min: 1, max: MAX_PAYMENT_BATCH }),
});
