/** What the books have of an account beside the request. */
import type { BilledAccount } from "../../wire/message/billing-api.ts";

export type BilledOffering = { readonly id: string; readonly bundle: string | null };

/** What the books have of an account beside the request. */
export type AccountBooks = {
  /** The operator's own number of the account. */
  readonly externalId: string | null;
  /** Of the card that the account pays by. */
  readonly paymentToken: string | null;
  /** Of the same, as it is shown, and the mandate of a bank account. */
  readonly paymentMasked: string | null;
  readonly mandateReference: string | null;
  /** A sum that was taken from it came back for good: nothing may be collected from it any more. */
  readonly isPaymentEnded: boolean;
  /** A sum that came back is not paid yet. */
  readonly owesReturned: boolean;
  readonly holds: readonly BilledOffering[];
  /** What the billing centre took last. */
  readonly told: BilledAccount | null;
};
