/**
 * What Turnup tells an operator's billing centre, as JSON over HTTP(S) with a bearer secret.
 *
 *   POST /v1/notices
 *
 *   account           a user's account is opened; the first message of an account
 *   feature, service  something was provisioned or taken away
 *   prepare           a change is reserved; it takes effect by `commit` and is dropped by `abort`, which name it
 *
 * `id` is the idempotency key: a repeat gets the first answer again, a repeat with other content is refused as `id_reused`.
 */
import { integer, object, oneOf, optional, type Read, text } from "./shape.ts";

export const BILLING_KINDS = ["account", "feature", "service", "prepare", "commit", "abort"] as const;

const id = text({
  max: 64,
  pattern: /^[A-Za-z0-9._:-]+$/,
  wanted: "1 to 64 of A-Z a-z 0-9 . _ : - are wanted",
});
const orNull =
  <Value>(read: Read<Value>): Read<Value | null> =>
  (value, path) =>
    value === null ? null : read(value, path);
const amount = integer({ min: 0, max: 1_000_000_000_000 });

export const readBillingNotice = object({
  id,
  kind: oneOf(BILLING_KINDS),
  accountId: id,
  catalogId: orNull(text({ max: 63, pattern: /^[a-z0-9][a-z0-9-]*$/ })),
  action: oneOf(["add", "remove"]),
  onceMinor: amount,
  monthlyMinor: amount,
  currency: orNull(text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" })),
  prepared: orNull(id),
});
export type BillingNotice = ReturnType<typeof readBillingNotice>;

export const BILLING_REFUSALS = [
  "id_reused",
  "unknown_account",
  "unknown_preparation",
  "already_aborted",
  "already_committed",
  "account_blocked",
  "malformed",
] as const;
export type BillingRefusal = (typeof BILLING_REFUSALS)[number];

export const readBillingAnswer = object({
  state: oneOf(["done", "refused", "pending"]),
  /** The billing centre's own number of the booking. */
  reference: optional(id),
  refusal: optional(oneOf(BILLING_REFUSALS)),
});
