/**
 * Delivery receipts: deliver_sm or data_sm whose state stands in optional parameters (SMPP v3.4 §5.3.2.12, §5.3.2.35), in
 * the text of Appendix B (`receipt-text.ts`), or in both.
 *
 * Centres differ: what marks a receipt, where its text stands and in which coding, words for states, and the id in decimal
 * in one place and in hexadecimal in another. A marked receipt that names its message is read, whatever else it lacks.
 */
import { octetAt } from "../octet-at.ts";
import { unfit } from "./octets.ts";
import { parseDate, type ReceiptText, readingsOf } from "./receipt-text.ts";
import { type Tlv, tlvValue } from "./tlv.ts";

/**
 * message_state of §5.2.28 by number, with the seven letters of the text form and the other words that centres write for
 * it, in capitals and without what is no letter. SCHEDULED (0) and SKIPPED (9) are of SMPP v5 §4.7.15.
 */
const STATES = [
  {
    state: "enroute",
    id: 1,
    stat: "ENROUTE",
    words:
      "ENROUT SCHEDULED BUFFERED BUFFERD BUFFRED QUEUED PENDING SENT SUBMITTED SUBMITD RETRY RETRYING TRANSIT INTRANSIT INPROGRESS PROCESSING WAITING DEFERRED TEMPORARYFAILURE TEMPORARYERROR TEMPFAIL NOTYETDELIVERED",
  },
  {
    state: "delivered",
    id: 2,
    stat: "DELIVRD",
    words: "DELIVERED DELIVERD DELIVRED DELIVED DLVRD DELVRD SUCCESS OK READ SEEN DISPLAYED",
  },
  { state: "expired", id: 3, stat: "EXPIRED", words: "EXPIRD EXPRD EXPIRE TIMEOUT TIMEDOUT" },
  { state: "deleted", id: 4, stat: "DELETED", words: "DELETD DELETE CANCELLED CANCELED" },
  {
    state: "undeliverable",
    id: 5,
    stat: "UNDELIV",
    words:
      "UNDELIVERABLE UNDELIVERED UNDELIVERD UNDELIVRD UNDELIVD UNDELIVE UNDELVRD UNDLVRD NOTDELIVERED NOTDELIV FAILED FAIL FAILURE DELIVERYFAILED DELIVERYFAILURE SKIPPED ABSENT ERROR",
  },
  {
    state: "accepted",
    id: 6,
    stat: "ACCEPTD",
    // Delivered, but to no handset yet.
    words:
      "ACCEPTED ACCEPT ACKED ACK DELIVEREDTOOPERATOR DELIVEREDTONETWORK DELIVEREDTOSMSC DELIVEREDTOGATEWAY DELIVEREDTOCARRIER",
  },
  { state: "unknown", id: 7, stat: "UNKNOWN", words: "UNKNWN UNKNOW" },
  {
    state: "rejected",
    id: 8,
    stat: "REJECTD",
    words: "REJECTED REJECT REJCTD BLOCKED BLACKLISTED BARRED DENIED",
  },
] as const;

/** What became of a message, by the names of §5.2.28 in small letters. */
export type MessageState = (typeof STATES)[number]["state"];

/**
 * How a centre writes a message id: as it is, as a number of which hex and decimal forms are to meet, or as a number or
 * UUID of which nobody knows the base and the case, with leading zeros here and without them there.
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
  /** The id with all that stands before the next field, where that is more than a word. */
  readonly messageIdWhole?: string;
  /** `unknown` too where the centre's word is in no table, or is missing. Of an intermediate notification `enroute`. */
  readonly state: MessageState;
  /** The centre's own word for it (`stat:`), as it was written, where it is not the one of Appendix B. */
  readonly word?: string;
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

/** Bits 5 to 2 of esm_class (§5.2.12). 0x08, an acknowledgement, is used by some centres for receipts. */
const RECEIPT = 0x04;
const ACKNOWLEDGEMENT = 0x08;
const INTERMEDIATE = 0x20;

/** Is no later state possible? */
export function isFinal(state: MessageState): boolean {
  return state !== "enroute" && state !== "accepted";
}

/** The number of a state, for message_state. */
export function stateId(state: MessageState): number {
  return STATES.find((row) => row.state === state)?.id ?? 7;
}

function stateById(id: number | undefined): MessageState | undefined {
  if (id === 0) return "enroute";
  if (id === 9) return "undeliverable";
  return STATES.find((row) => row.id === id)?.state;
}

const STATE_OF_WORD: ReadonlyMap<string, MessageState> = new Map(
  STATES.flatMap(({ state, stat, words }) =>
    [stat, ...words.split(" ")].map((word) => [word, state] as const),
  ),
);

/**
 * Of several words the whole counts, as `NOT DELIVERED` does; else one of them that says how it failed, else the first that is known.
 * What is in no table is a last word all the same: it stays evidence, and a later `delivered` undoes it.
 */
function stateOfWord(word: string): MessageState {
  if (/^\d{1,3}$/.test(word)) return stateById(Number(word)) ?? "unknown";
  const words = word.toUpperCase().match(/[A-Z]+/g) ?? [];
  const whole = STATE_OF_WORD.get(words.join(""));
  if (whole) return whole;
  if (words.some((one) => NEGATIONS.has(one))) return "unknown";
  const states = words.map((one) => STATE_OF_WORD.get(one));
  const failure = states.find((state) => state && isFinal(state) && state !== "delivered");
  return failure ?? states.find((state) => state !== undefined) ?? "unknown";
}
/** Words that turn what stands beside them: not, not yet, or not all of it. */
const NEGATIONS: ReadonlySet<string> = new Set(
  "NOT NO NON NEVER CANNOT CAN COULD COULDN UNABLE BE BEING WILL PARTIALLY PARTLY".split(" "),
);

/**
 * One spelling for ids that the same centre writes in two: a number is brought to decimal without leading zeros.
 * An id that is no number of its form stays as it is.
 */
export function messageIdKey(id: string, form: MessageIdForm): string {
  if (form === "decimal" && /^\d+$/.test(id)) return BigInt(id).toString();
  if (form === "hex" && /^[0-9a-fA-F]+$/.test(id)) return BigInt(`0x${id}`).toString();
  if (form === "unpadded" && /^(?:0x)?[0-9a-f-]+$/i.test(id))
    return id
      .toUpperCase()
      .replace(/^0X/, "")
      .replace(/^0+(?=.)/, "");
  return id;
}

/** Whether the centre says that this is a receipt, readable or not: by esm_class, or by parameters that no phone can set. */
export function isMarkedReceipt({ esm_class, tlvs }: Pick<ReceiptPdu, "esm_class" | "tlvs">): boolean {
  const isNamed = Boolean(tlvValue(tlvs, "receipted_message_id"));
  return (
    isNamed || (esm_class & (RECEIPT | INTERMEDIATE)) !== 0 || tlvValue(tlvs, "message_state") !== undefined
  );
}

/** The receipt that a message bears, or undefined when it is none, or is marked as one and names no message. */
export function parseReceipt(pdu: ReceiptPdu, forms: ReceiptForms = {}): Receipt | undefined {
  const isMarked = isMarkedReceipt(pdu);
  const mayBe = isMarked || forms.unmarked || (pdu.esm_class & ACKNOWLEDGEMENT) !== 0;
  if (!mayBe) return undefined;

  const text = bestReading(pdu);
  const tlvId = tlvValue(pdu.tlvs, "receipted_message_id")?.trim();
  const isOther = tlvId !== undefined && text.id !== undefined && tlvId !== text.id;
  const id = tlvId || text.id;
  const messageId = id && messageIdKey(id, (isOther ? forms.inTlv : forms.inText) ?? "verbatim");
  if (!messageId || (!isMarked && text.stat === undefined)) return undefined;
  const offset = forms.utcOffsetMinutes ?? 0;
  return {
    messageId,
    ...(!tlvId && text.idWhole !== undefined && { messageIdWhole: text.idWhole }),
    state: stateOf(pdu, text.stat),
    errorCode: text.err ?? networkError(pdu.tlvs),
    submitDate: parseDate(text.submitDate, offset),
    doneDate: parseDate(text.doneDate, offset),
    ...(text.stat !== undefined && !STATES.some(({ stat }) => stat === text.stat) && { word: text.stat }),
  };
}

/** The reading that has both id and state, else the first with an id: what a centre says of its coding is not always so. */
function bestReading(pdu: ReceiptPdu): ReceiptText {
  let found: ReceiptText | undefined;
  for (const reading of readingsOf(pdu)) {
    if (reading.id !== undefined && reading.stat !== undefined) return reading;
    if (reading.id !== undefined || reading.stat !== undefined) found ??= reading;
  }
  return found ?? {};
}

/** An intermediate notification ends nothing, whatever its words are; of two states the final one is news. */
function stateOf({ esm_class, tlvs }: ReceiptPdu, word: string | undefined): MessageState {
  if ((esm_class & INTERMEDIATE) !== 0) return "enroute";
  const told = stateById(tlvValue(tlvs, "message_state"));
  const written = word === undefined ? undefined : stateOfWord(word);
  const isNews = written !== undefined && written !== "unknown" && isFinal(written);
  if (told === undefined || (!isFinal(told) && isNews)) return written ?? "unknown";
  return told;
}

/** network_error_code: a network type and a 2-octet code (§5.3.2.31). */
function networkError(tlvs: readonly Tlv[]): string | undefined {
  const value = tlvValue(tlvs, "network_error_code");
  return value && String((octetAt(value, 1) << 8) | octetAt(value, 2));
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
