/**
 * What a centre delivers, to whom it is for (SMPP v3.4 §4.6). In this order: a delivery receipt, a report of the applet to its
 * short code, 8-bit data of the key client or the client module, a subscriber's text. A delivery is acknowledged when
 * whoever takes it has it on disk: the centre repeats what nobody answered.
 */
import type { Receipt } from "../../kernel/order/message.ts";
import type { TextPart } from "../../kernel/order/reply-store.ts";
import { TurnupError } from "../../term/error.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { isMarkedReceipt, type MessageState } from "../../wire/smpp/receipt.ts";
import { octetsOf } from "../../wire/smpp/user-data.ts";
import type { DefaultAlphabet } from "../../wire/sms/default-alphabet.ts";
import { applicationOctets, subscriberText } from "./phone-data.ts";
import { type NamedReceipt, type ReceiptIds, readReceipt } from "./receipt-ids.ts";

/** Where a delivery may go. Each resolves when what came is on disk, and answers whether it was one of ours. */
export type Receivers<AppletOutcome> = {
  receipt(receipt: Receipt): Promise<void>;
  /** Takes what is sent to the applet's short code; null where none is set. */
  readonly applet: {
    isFor(pdu: Pick<DeliverSm, "destination_addr">): boolean;
    take(pdu: DeliverSm): Promise<AppletOutcome>;
  } | null;
  /** A report that a handset signed. */
  report(octets: Uint8Array): Promise<boolean>;
  /** A reply of the client module. */
  reply(octets: Uint8Array): Promise<boolean>;
  /** @param to the address of ours that it was sent to */
  text(from: string, text: string, to: string, part?: TextPart): Promise<boolean>;
};

/**
 * What a delivery was. `other`: none of ours. `unreadable_receipt`: marked as one, and names no message. What is shown of it,
 * and of a text that looks like a receipt and is not marked as one, holds no number of anybody.
 */
export type Delivered<AppletOutcome> =
  | { readonly kind: "receipt"; readonly state: MessageState }
  | { readonly kind: "unreadable_receipt"; readonly shown: string }
  | { readonly kind: "applet"; readonly outcome: AppletOutcome }
  | { readonly kind: "report" | "other"; readonly likeReceipt?: string };

/** How a centre tells what became of messages. */
export type ReceiptHabits = {
  readonly smsc: string;
  readonly receiptIds: ReceiptIds;
  /** False: nothing but its text says that a delivery is a receipt. Default true. */
  readonly receiptsMarked?: boolean;
  /** Whether each part has its receipt, or the message one for all. Default `part`. */
  readonly receiptsPer?: "part" | "message";
  /** Behind data_coding 0. Default `gsm7`. */
  readonly alphabet?: DefaultAlphabet;
};

export async function takeDelivery<AppletOutcome>(
  pdu: DeliverSm,
  habits: ReceiptHabits,
  to: Receivers<AppletOutcome>,
): Promise<Delivered<AppletOutcome>> {
  const { receiptIds, receiptsMarked = true } = habits;
  const receipt = readReceipt(pdu, receiptIds, !receiptsMarked);
  if (receipt) {
    const booked = receiptOf(receipt, habits);
    if (booked) await to.receipt(booked);
    return { kind: "receipt", state: receipt.state };
  }
  if (isMarkedReceipt(pdu)) return { kind: "unreadable_receipt", shown: shownOf(pdu) };
  if (to.applet?.isFor(pdu)) return { kind: "applet", outcome: await to.applet.take(pdu) };
  const octets = applicationOctets(pdu);
  const isOurs = octets
    ? (await to.report(octets)) || (await to.reply(octets))
    : await isTextOfOurs(pdu, habits, to);
  if (isOurs) return { kind: "report" };
  return {
    kind: "other",
    ...(!octets && readReceipt(pdu, receiptIds, true) && { likeReceipt: shownOf(pdu) }),
  };
}

/** Undefined where its state settles nothing. */
function receiptOf(
  receipt: NamedReceipt,
  { smsc, receiptsPer = "part" }: ReceiptHabits,
): Receipt | undefined {
  const state = BOOKED_STATE[receipt.state];
  if (!state) return undefined;
  return {
    smsc,
    smscMessageId: receipt.messageId,
    otherIds: receipt.otherIds,
    state,
    errorCode: receipt.errorCode ?? null,
    reportedState: receipt.word ?? null,
    speaksForMessage: receiptsPer === "message",
  };
}

const SHOWN_OCTETS_MAX = 160;

/** For the log: how it was marked and what it says before the reported message, numbers of more than three digits hidden. */
function shownOf({ esm_class, data_coding, short_message, tlvs }: DeliverSm): string {
  const octets = octetsOf({ short_message, tlvs }).subarray(0, SHOWN_OCTETS_MAX);
  const text = Buffer.from(octets)
    .toString("latin1")
    .replace(/\btext\s?:.*/is, "text:");
  const hidden = text.replace(/[^\x20-\x7e]/g, ".").replace(/\d{4,}/g, (digits) => "*".repeat(digits.length));
  const names = tlvs.map(({ name }) => name).join(" ");
  const marks = `esm_class 0x${esm_class.toString(16).padStart(2, "0")}, data_coding ${data_coding}`;
  return `${marks}${names && `, ${names}`}: ${JSON.stringify(hidden)}`;
}

/** A subscriber's reply to a question of ours. One that comes too late is taken all the same: it changes nothing. */
async function isTextOfOurs(
  pdu: DeliverSm,
  { alphabet }: ReceiptHabits,
  to: Pick<Receivers<never>, "text">,
): Promise<boolean> {
  const came = subscriberText(pdu, alphabet);
  if (came === undefined) return false;
  try {
    return await to.text(pdu.source_addr, came.text, pdu.destination_addr, came.part);
  } catch (error) {
    if (error instanceof TurnupError && !error.code.startsWith("database_")) return true;
    throw error;
  }
}

/** What a receipt's state settles (SMPP v3.4 §5.2.28); an intermediate state settles nothing. */
const BOOKED_STATE: Readonly<Record<MessageState, Receipt["state"] | null>> = {
  enroute: null,
  accepted: null,
  delivered: "delivered",
  expired: "expired",
  undeliverable: "failed",
  deleted: "failed",
  rejected: "failed",
  unknown: "failed",
};
