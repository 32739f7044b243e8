/**
 * How a centre's receipts name the messages that its responses named. Many answer submit_sm with a hexadecimal number and
 * write the same number in decimal into the receipt, or the other way about, with or without leading zeros; which of them
 * is a matter of the centre, so it is a setting. Numbers are booked in decimal without leading zeros.
 */
import {
  type MessageIdForm,
  messageIdKey,
  parseReceipt,
  type Receipt,
  type ReceiptPdu,
} from "../../wire/smpp/receipt.ts";

/** Response, then receipt. */
export const RECEIPT_IDS = ["as-is", "hex-to-decimal", "decimal-to-hex", "either"] as const;
export type ReceiptIds = (typeof RECEIPT_IDS)[number];

const FORMS: Readonly<
  Record<ReceiptIds, { readonly response: MessageIdForm; readonly text: MessageIdForm }>
> = {
  "as-is": { response: "verbatim", text: "verbatim" },
  "hex-to-decimal": { response: "hex", text: "decimal" },
  "decimal-to-hex": { response: "decimal", text: "hex" },
  either: { response: "unpadded", text: "unpadded" },
};

/** How ids of responses are kept. */
export const responseFormOf = (ids: ReceiptIds): MessageIdForm => FORMS[ids].response;

export type NamedReceipt = Receipt & {
  /** What the same id may stand as: its first word where it holds blanks, in another base where the centre's are not known; the first that is found counts. */
  readonly otherIds: readonly string[];
};

/** @param unmarked whether the centre sends receipts that nothing marks as such */
export function readReceipt(pdu: ReceiptPdu, ids: ReceiptIds, unmarked = false): NamedReceipt | undefined {
  const { response, text } = FORMS[ids];
  const receipt = parseReceipt(pdu, { inText: text, inTlv: response, unmarked });
  if (!receipt) return undefined;
  const { messageIdWhole: whole, messageId: word } = receipt;
  const inOther = ids === "either" ? inOtherBase(word) : [];
  // The first word alone may be the id of another message: what the receipt says as a whole goes before it.
  if (whole === undefined) return { ...receipt, otherIds: inOther };
  return { ...receipt, messageId: whole, otherIds: [word, ...inOther] };
}

/** `26` is 38 where the response was decimal and the receipt hexadecimal, and 1A where it is the other way about. */
function inOtherBase(id: string): string[] {
  const others = /^\d+$/.test(id)
    ? [BigInt(id).toString(16).toUpperCase(), messageIdKey(id, "hex")]
    : [messageIdKey(id, "hex")];
  return others.filter((other) => other !== id);
}
