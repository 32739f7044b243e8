/**
 * Delivery receipts: deliver_sm whose state stands in optional parameters (SMPP v3.4 §5.3.2.12, §5.3.2.35), in the
 * text of Appendix B, or in both.
 *
 *   id:… sub:… dlvrd:… submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000 text:…
 *
 * Centres differ: dates with seconds or a four-digit year, keys in any case, fields missing, and the id in decimal in
 * one place and in hexadecimal in another.
 */
import { octetAt } from "../octet-at.ts";
import { bufferOf, latin1At, unfit } from "./octets.ts";
import { type Tlv, tlvValue } from "./tlv.ts";
import { hasHeader, octetsOf } from "./user-data.ts";

/** message_state of §5.2.28 by number, with the seven letters of the text form. */
const STATES = [
  { state: "enroute", id: 1, stat: "ENROUTE" },
  { state: "delivered", id: 2, stat: "DELIVRD" },
  { state: "expired", id: 3, stat: "EXPIRED" },
  { state: "deleted", id: 4, stat: "DELETED" },
  { state: "undeliverable", id: 5, stat: "UNDELIV" },
  { state: "accepted", id: 6, stat: "ACCEPTD" },
  { state: "unknown", id: 7, stat: "UNKNOWN" },
  { state: "rejected", id: 8, stat: "REJECTD" },
] as const;

/** What became of a message, by the names of §5.2.28 in small letters. */
export type MessageState = (typeof STATES)[number]["state"];

/**
 * How a centre writes a message id: as it is, as a number of which hex and decimal forms are to meet, or as a number of
 * which nobody knows the base, with leading zeros here and without them there.
 */
export type MessageIdForm = "verbatim" | "decimal" | "hex" | "unpadded";

/** How one centre writes its receipts; without it, as Appendix B does. */
export type ReceiptForms = {
  /** Default `verbatim`. */
  readonly inText?: MessageIdForm;
  /** Of an id in receipted_message_id that the text does not say alike; else it is read as the text's. Default `verbatim`. */
  readonly inTlv?: MessageIdForm;
  /** The dates bear no zone: how far the centre's clock is from UTC. Default 0. */
  readonly utcOffsetMinutes?: number;
  /** Take receipt text from a message that is not marked as one; anyone can write such a text. Default false. */
  readonly unmarked?: boolean;
};

/** A receipt, once its forms are read; dates are undefined where it has none that can be read. */
export type Receipt = {
  readonly messageId: string;
  readonly state: MessageState;
  /** As written in the text (`err:`), else the code of network_error_code in decimal. */
  readonly errorCode: string | undefined;
  readonly submitDate: Date | undefined;
  readonly doneDate: Date | undefined;
};

/** What a receipt is read from: the part of deliver_sm or data_sm that matters. */
export type ReceiptPdu = {
  readonly esm_class: number;
  readonly data_coding: number;
  readonly short_message: Uint8Array;
  readonly tlvs: readonly Tlv[];
};

const MESSAGE_TYPE = 0x3c;
const RECEIPT = 0x04;
const INTERMEDIATE = 0x20;
const UCS2 = 0x08;
/** A receipt's text is 100 to 200 characters; what stands later is the start of the message it reports on. */
const MAX_TEXT_OCTETS = 1024;

/** Is no later state possible? */
export function isFinal(state: MessageState): boolean {
  return state !== "enroute" && state !== "accepted";
}

/** The number of a state, for message_state. */
export function stateId(state: MessageState): number {
  return STATES.find((row) => row.state === state)?.id ?? 7;
}

/**
 * One spelling for ids that the same centre writes in two: a number is brought to decimal without leading zeros.
 * An id that is no number of its form stays as it is.
 */
export function messageIdKey(id: string, form: MessageIdForm): string {
  if (form === "decimal" && /^\d+$/.test(id)) return BigInt(id).toString();
  if (form === "hex" && /^[0-9a-fA-F]+$/.test(id)) return BigInt(`0x${id}`).toString();
  if (form === "unpadded" && /^[0-9a-fA-F]+$/.test(id)) return id.toUpperCase().replace(/^0+(?=.)/, "");
  return id;
}

/** The receipt that a message bears, or undefined when it is none (or names no message or no state). */
export function parseReceipt(pdu: ReceiptPdu, forms: ReceiptForms = {}): Receipt | undefined {
  const type = pdu.esm_class & MESSAGE_TYPE;
  const tlvId = tlvValue(pdu.tlvs, "receipted_message_id");
  const marked = type === RECEIPT || type === INTERMEDIATE || tlvId !== undefined;
  if (!marked && !forms.unmarked) return undefined;

  const text = parseReceiptText(textOf(pdu));
  const tlvState = tlvValue(pdu.tlvs, "message_state");
  const isOther = tlvId !== undefined && text.id !== undefined && tlvId !== text.id;
  const id = tlvId || text.id;
  const messageId = id && messageIdKey(id, (isOther ? forms.inTlv : forms.inText) ?? "verbatim");
  const state = STATES.find((row) => row.id === tlvState)?.state ?? text.state;
  if (!messageId || !state) return undefined;
  const offset = forms.utcOffsetMinutes ?? 0;
  return {
    messageId,
    state,
    errorCode: text.err ?? networkError(pdu.tlvs),
    submitDate: parseDate(text.submitDate, offset),
    doneDate: parseDate(text.doneDate, offset),
  };
}

type ReceiptText = {
  readonly id: string | undefined;
  readonly state: MessageState | undefined;
  readonly err: string | undefined;
  readonly submitDate: string | undefined;
  readonly doneDate: string | undefined;
};

/** Reads what stands before `text:`: the rest is the subscriber's message, which may look like anything. */
function parseReceiptText(whole: string): ReceiptText {
  const cut = whole.search(/\btext:/i);
  const text = cut < 0 ? whole : whole.slice(0, cut);
  const stat = /\bstat:\s?(\w{1,12})/i.exec(text)?.[1]?.toUpperCase();
  return {
    id: /\bid:\s?([^\s:]{1,64})/i.exec(text)?.[1],
    state: STATES.find((row) => row.stat === stat || row.state.toUpperCase() === stat)?.state,
    err: /\berr:\s?(\w{1,8})/i.exec(text)?.[1],
    submitDate: /\bsubmit ?date:\s?(\d{10,14})/i.exec(text)?.[1],
    doneDate: /\bdone ?date:\s?(\d{10,14})/i.exec(text)?.[1],
  };
}

/** A header that is cut short heads a text all the same: the text begins behind what it announces. */
function textOf(pdu: ReceiptPdu): string {
  const { data_coding } = pdu;
  const whole = octetsOf(pdu);
  const skip = hasHeader(pdu) ? (whole[0] ?? 0) + 1 : 0;
  const octets = bufferOf(whole.subarray(skip, skip + MAX_TEXT_OCTETS));
  if (data_coding !== UCS2) return latin1At(octets, 0, octets.length);
  return Buffer.from(octets.subarray(0, octets.length & ~1))
    .swap16()
    .toString("utf16le");
}

/** network_error_code: a network type and a 2-octet code (§5.3.2.31). */
function networkError(tlvs: readonly Tlv[]): string | undefined {
  const value = tlvValue(tlvs, "network_error_code");
  return value && String((octetAt(value, 1) << 8) | octetAt(value, 2));
}

/** YYMMDDhhmm, YYMMDDhhmmss or YYYYMMDDhhmmss; a date that does not exist is left out, not invented. */
function parseDate(digits: string | undefined, utcOffsetMinutes: number): Date | undefined {
  if (!digits || ![10, 12, 14].includes(digits.length)) return undefined;
  const full = digits.length === 14 ? digits : `20${digits}`.padEnd(14, "0");
  const at = (from: number, to: number) => Number(full.slice(from, to));
  const date = new Date(Date.UTC(at(0, 4), at(4, 6) - 1, at(6, 8), at(8, 10), at(10, 12), at(12, 14)));
  const real = date.getUTCMonth() + 1 === at(4, 6) && date.getUTCDate() === at(6, 8) && at(8, 10) < 24;
  return real ? new Date(date.getTime() - utcOffsetMinutes * 60_000) : undefined;
}

/**
 * The text and the optional parameters of a receipt, as a centre writes them; dates in UTC, to the minute.
 * @throws TurnupError `smpp_field_invalid`: an id that is empty or holds a blank
 */
export function formatReceipt(receipt: {
  readonly messageId: string;
  /** The id as the text shows it, for centres that write it otherwise there. Default messageId. */
  readonly messageIdInText?: string;
  readonly state: MessageState;
  readonly errorCode?: string;
  readonly submitDate: Date;
  readonly doneDate: Date;
}): { readonly short_message: Uint8Array; readonly tlvs: readonly Tlv[] } {
  const { messageId, messageIdInText = messageId, state, errorCode = "000", submitDate, doneDate } = receipt;
  if (/\s/.test(messageIdInText) || messageIdInText === "")
    throw unfit("message_id", "no blank can stand in it");
  const delivered = state === "delivered" ? "001" : "000";
  const stat = STATES.find((row) => row.state === state)?.stat;
  const dates = `submit date:${formatDate(submitDate)} done date:${formatDate(doneDate)}`;
  const text = `id:${messageIdInText} sub:001 dlvrd:${delivered} ${dates} stat:${stat} err:${errorCode} text:`;
  return {
    short_message: new Uint8Array(Buffer.from(text, "latin1")),
    tlvs: [
      { name: "receipted_message_id", value: messageId },
      { name: "message_state", value: stateId(state) },
    ],
  };
}

const formatDate = (date: Date): string => date.toISOString().replace(/[-T:]/g, "").slice(2, 12);
