/**
 * What a centre delivers, to whom it is for (SMPP v3.4 §4.6). In this order: a delivery receipt, a report of the applet to its
 * short code, 8-bit data of the key client or the client module, a subscriber's text. A delivery is acknowledged when
 * whoever takes it has it on disk: the centre repeats what nobody answered.
 */
import type { Receipt } from "../../kernel/order/message.ts";
import type { TextPart } from "../../kernel/order/reply-store.ts";
import { TurnupError } from "../../term/error.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import type { MessageState } from "../../wire/smpp/receipt.ts";
import { applicationOctets, subscriberText } from "./phone-data.ts";
import { type ReceiptIds, readReceipt } from "./receipt-ids.ts";

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

/** What a delivery was. `other`: none of ours. */
export type Delivered<AppletOutcome> =
  | { readonly kind: "receipt"; readonly state: MessageState }
  | { readonly kind: "applet"; readonly outcome: AppletOutcome }
  | { readonly kind: "report" | "other" };

export async function takeDelivery<AppletOutcome>(
  pdu: DeliverSm,
  { smsc, receiptIds }: { readonly smsc: string; readonly receiptIds: ReceiptIds },
  to: Receivers<AppletOutcome>,
): Promise<Delivered<AppletOutcome>> {
  const receipt = readReceipt(pdu, receiptIds);
  if (receipt) {
    const state = BOOKED_STATE[receipt.state];
    if (state) {
      await to.receipt({
        smsc,
        smscMessageId: receipt.messageId.replaceAll("\0", ""),
        otherIds: receipt.otherIds,
        state,
        errorCode: receipt.errorCode?.replace(/\p{Cc}/gu, "") ?? null,
      });
    }
    return { kind: "receipt", state: receipt.state };
  }
  if (to.applet?.isFor(pdu)) return { kind: "applet", outcome: await to.applet.take(pdu) };
  const octets = applicationOctets(pdu);
  const isOurs = octets ? (await to.report(octets)) || (await to.reply(octets)) : await isTextOfOurs(pdu, to);
  return { kind: isOurs ? "report" : "other" };
}

/** A subscriber's reply to a question of ours. One that comes too late is taken all the same: it changes nothing. */
async function isTextOfOurs(pdu: DeliverSm, to: Pick<Receivers<never>, "text">): Promise<boolean> {
  const came = subscriberText(pdu);
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
