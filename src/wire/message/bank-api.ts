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

/** Entries in one POST, and results in its answer. */
export const MAX_PAYMENT_BATCH = 500;

const id = text({
  max: 64,
  pattern: /^[A-Za-z0-9._:-]+$/,
  wanted: "1 to 64 of A-Z a-z 0-9 . _ : - are wanted",
});
const money = {
  amountMinor: integer({ min: 1, max: 1_000_000_000_000 }),
  currency: text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" }),
};

/**
 * One fee request. Its money is whole minor units with an ISO 4217 code.
 * @throws ShapeError: the place and what is wanted there
 */
export const readCharge = object({
  chargeId: id,
  ...money,
  reason: text({ max: 200 }),
  reference: text({ max: 140 }),
});
/** What the operator owes Turnup for one key that proved itself; `chargeId` is the idempotency key. */
export type FeeRequest = ReturnType<typeof readCharge>;
/**
 * The body of `POST /v1/charges`.
 * @throws ShapeError
 */
export const readCharges = object({ charges: list(readCharge, { min: 1, max: MAX_PAYMENT_BATCH }) });

/**
 * One portion to pay on Turnup's order.
 * @throws ShapeError
 */
export const readPayout = object({
  payoutId: id,
  payee: text({ max: 80 }),
  ...money,
  reference: text({ max: 140 }),
});
/** A manufacturer's portion of one fee; `payoutId` is the idempotency key. */
export type PayoutRequest = ReturnType<typeof readPayout>;
/**
 * The body of `POST /v1/payouts`.
 * @throws ShapeError
 */
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
/** How one entry stands; the entries of a batch succeed or fail one by one. */
export type PaymentResult = ReturnType<typeof readPaymentResult>;
/**
 * The answer to either POST, by entry.
 * @throws ShapeError
 */
export const readPaymentResults = object({
  results: list(readPaymentResult, { min: 1, max: MAX_PAYMENT_BATCH }),
});
