/** A message to a handset on its way: what carries it, what the message centre took, how it ended. Its octets stand in its payload. */
import type { SmsLimits } from "../operator/sms-limits.ts";

export type MessageKind =
  | "settings"
  | "key"
  | "package"
  | "link"
  | "pin_notice"
  | "text"
  | "notice"
  | "bootstrap"
  | "wake";

export type PayloadProtocol =
  | "omacp"
  | "nokiaota"
  | "device_key"
  | "multipart"
  | "text"
  | "notice"
  | "si"
  | "sl"
  | "omadm";

/** What carries a message, by which channel and rule it goes there, and how it is cut (R30, R31). */
export type MessageAir = {
  readonly bearer: string;
  readonly channel: "narrowband" | "wideband";
  readonly rule: string;
  readonly partOctets: number;
};

/** The message that carries an item now. */
export type CarrierMessage = {
  readonly id: string;
  readonly payloadId: string;
  readonly kind: MessageKind;
  readonly partCount: number;
  readonly reference: number;
  /** It was on its way to a number that its subscriber has no more: no receipt proves that they have it. */
  readonly isLost?: boolean;
};

/** A message that goes along with those of the items and proves nothing: a PIN notice, settings for a second use. */
export type Companion = CarrierMessage & { readonly attempt: number };

export type Receipt = {
  readonly smsc: string;
  readonly smscMessageId: string;
  /** Names of the same message where the centre writes it one way here and another there: the first known one counts. */
  readonly otherIds?: readonly string[];
  readonly state: "delivered" | "failed" | "expired";
  readonly errorCode: string | null;
  /** The centre's own word, where it is not the specification's. */
  readonly reportedState?: string | null;
  /** Its centre sends one receipt for all parts of a message. */
  readonly speaksForMessage?: boolean;
};

/**
 * What counts of several receipts for one id, in the order of their arrival: `delivered` is never undone, and undoes every
 * other last word; of the others the last one counts.
 */
export function lastWords<R extends Pick<Receipt, "smsc" | "smscMessageId" | "state">>(
  receipts: readonly R[],
): R[] {
  const words = new Map<string, R>();
  for (const receipt of receipts) {
    const name = JSON.stringify([receipt.smsc, receipt.smscMessageId]);
    if (words.get(name)?.state !== "delivered") words.set(name, receipt);
  }
  return [...words.values()];
}

export type EndedMessage = Companion & {
  readonly messageId: string;
  readonly orderId: string | null;
  readonly outcome: "delivered" | "failed" | "expired";
  readonly errorCode: string | null;
  /** It goes along with another; see `Companion`. */
  readonly isCompanion: boolean;
};

/** What the SMSC said to one part. */
export type SubmittedPart = {
  readonly messageId: string;
  readonly sequence: number;
  readonly smsc: string;
  readonly smscMessageId: string;
  /** What it cost by the operator's prices, in millionths of its currency; none where no price is known. */
  readonly costMicros?: number;
};

/** A message that could not be handed over whole: when it is tried again, or that it has failed for good. */
export type UnsentMessage = {
  readonly messageId: string;
  readonly reason: string;
  readonly retryAt: Date | null;
  readonly errorCode: string;
  /** It left and nobody answered: the centre that has it perhaps, and until when no other one takes it. */
  readonly perhapsWith?: { readonly smsc: string; readonly until: Date };
};

/** A message leased for sending, with what is needed to build its parts again octet for octet. */
export type OutgoingMessage = {
  readonly messageId: string;
  readonly operatorId: string;
  /** Its short name, by which message centres are configured. */
  readonly operatorSlug: string;
  /** Null for a message outside an order. */
  readonly orderId: string | null;
  readonly kind: MessageKind;
  readonly protocol: string;
  readonly sender: string;
  /** Null where they cannot be told: no number, or a seal that does not open. It is given up, and stops no other. */
  readonly content: { readonly to: string; readonly payload: Uint8Array } | null;
  /** It holds access points that nobody confirmed, and its operator does not send such now: it is given up. */
  readonly isWithheld?: boolean;
  readonly reference: number;
  readonly partCount: number;
  /** Octets of one part, its header included; null or absent: 140. */
  readonly partOctets?: number | null;
  /** Parts that an earlier attempt got accepted. */
  readonly acceptedParts: readonly number[];
  /** By which centre; null where there are none. */
  readonly acceptedBy: string | null;
  /** The centre that has it perhaps, from an earlier attempt that nobody answered: no other one takes it yet. */
  readonly perhapsWith?: string | null;
  readonly attempts: number;
  readonly expiresAt: Date;
  /** Of its operator's policy. */
  readonly smsLimits?: SmsLimits;
  /** Of what nobody asked for: whether its number said STOP meanwhile, and `MCC/MNC` of whose SIM it is, where known. */
  readonly unasked?: { readonly isStopped: boolean; readonly homePlmn: string | null } | null;
};
