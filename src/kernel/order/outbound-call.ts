/** What another company's machine is asked or told: durable, made until it is answered or its deadline passes. */

export const CALL_KINDS = [
  "key_request",
  "download_notice",
  "fee_request",
  "portion_payment",
  "remittance_notice",
  "identity_check",
  "card_check",
  "service_registration",
  "element_task",
  "billing_notice",
  "mail_notice",
  "forward_request",
] as const;

export type CallKind = (typeof CALL_KINDS)[number];
/** Something another company's machine is asked or told, leased to one caller. */
export type OutboundCall = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string | null;
  readonly kind: CallKind;
  readonly body: Readonly<Record<string, string>>;
  /** What the call's `secret` was; undefined where it has none, or its seal does not open. */
  readonly secret?: unknown;
  readonly attempts: number;
  readonly deadlineAt: Date;
  readonly createdAt: Date;
};

/** A call of an order that is still to be made, or being made. */
export type OpenCall = Pick<OutboundCall, "id" | "itemId" | "kind" | "body" | "attempts"> & {
  /** Until then one caller has it. */
  readonly leaseUntil: Date | null;
};
