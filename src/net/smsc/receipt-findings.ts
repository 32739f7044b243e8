/**
 * What the receipts of a trial say of how a centre writes them, in the words of the settings by which a server reads them
 * (`smsc.receipt_ids`, `smsc.receipts_marked`, `smsc.receipts_per`). Each is tried by the reading that a server does.
 */
import { isFinal, messageIdKey, type ReceiptPdu } from "../../wire/smpp/receipt.ts";
import type { ReceiptHabits } from "./deliver.ts";
import {
  type NamedReceipt,
  RECEIPT_IDS,
  type ReceiptIds,
  readReceipt,
  responseFormOf,
} from "./receipt-ids.ts";

/** A part that the centre took, with the id as its response wrote it. */
export type SentPart = { readonly id: string; readonly isOfLong: boolean };
export type TrialReceipt = { readonly of: SentPart; readonly pdu: ReceiptPdu };
export type ReceiptSettings = Required<Pick<ReceiptHabits, "receiptIds" | "receiptsMarked" | "receiptsPer">>;

/** What fits all receipts of the trial; undefined where it showed nothing. */
export type ReceiptFindings = {
  readonly receiptIds: readonly ReceiptIds[];
  readonly receiptsMarked: boolean | undefined;
  readonly receiptsPer: ReceiptSettings["receiptsPer"] | undefined;
};

/** Under which values of `smsc.receipt_ids` a server would find this message by this receipt. */
function fittingIds(id: string, pdu: ReceiptPdu): readonly ReceiptIds[] {
  return RECEIPT_IDS.filter((ids) => {
    const receipt = readReceipt(pdu, ids, true);
    const booked = messageIdKey(id, responseFormOf(ids));
    return receipt !== undefined && [receipt.messageId, ...receipt.otherIds].includes(booked);
  });
}

/** A receipt as it stands there, marked or not, its id as the centre wrote it. */
export const receiptAsWritten = (pdu: ReceiptPdu): NamedReceipt | undefined =>
  readReceipt(pdu, "as-is", true);

/**
 * The part that a receipt is of. An id in another base than the response's may be that of somebody else's message: there the
 * receipt must be of the number that was sent to, or of none.
 */
export function ownerOf(
  pdu: ReceiptPdu & { readonly source_addr: string; readonly destination_addr: string },
  parts: readonly SentPart[],
  to: string,
): SentPart | undefined {
  const alike = parts.find(({ id }) => id !== "" && fittingIds(id, pdu).includes("as-is"));
  if (alike) return alike;
  if (pdu.source_addr !== "" && !namesNumber(pdu, to)) return undefined;
  return parts.find(({ id }) => id !== "" && fittingIds(id, pdu).length > 0);
}

/** Centres write a number in national form, or with signs before it; some leave the two addresses as they were sent. */
const NUMBER_TAIL = 7;
export function namesNumber(
  { source_addr, destination_addr }: { readonly source_addr: string; readonly destination_addr: string },
  number: string,
): boolean {
  const tail = number.slice(-NUMBER_TAIL);
  return source_addr.endsWith(tail) || destination_addr.endsWith(tail);
}

/** @param parts all that the centre took; what it gave no receipt for within the wait counts as what it gives none for */
export function receiptFindings(
  parts: readonly SentPart[],
  receipts: readonly TrialReceipt[],
): ReceiptFindings {
  if (receipts.length === 0) return { receiptIds: [], receiptsMarked: undefined, receiptsPer: undefined };
  return {
    receiptIds: RECEIPT_IDS.filter((ids) =>
      receipts.every(({ of, pdu }) => fittingIds(of.id, pdu).includes(ids)),
    ),
    receiptsMarked: receipts.every(({ pdu }) => readReceipt(pdu, "as-is") !== undefined),
    receiptsPer: receiptsPerOf(parts, receipts),
  };
}

function receiptsPerOf(
  parts: readonly SentPart[],
  receipts: readonly TrialReceipt[],
): ReceiptFindings["receiptsPer"] {
  const long = parts.filter(({ isOfLong }) => isOfLong);
  const told = new Set(receipts.filter(isFinalReceipt).flatMap(({ of }) => (of.isOfLong ? [of] : [])));
  if (long.length < 2 || told.size === 0) return undefined;
  return told.size === long.length ? "part" : "message";
}

export const isFinalReceipt = ({ pdu }: Pick<TrialReceipt, "pdu">): boolean => {
  const receipt = receiptAsWritten(pdu);
  return receipt !== undefined && isFinal(receipt.state);
};

/**
 * The settings that would read what came, where they are others than those configured. What is configured stays where it fits,
 * but for `either`, which is to be replaced by the form that is known (a setting that tries all may meet another's message).
 */
export function proposedSettings(
  { receiptIds, receiptsMarked, receiptsPer }: ReceiptFindings,
  configured: ReceiptSettings,
): Partial<ReceiptSettings> {
  const [first] = receiptIds;
  const idsStay = configured.receiptIds !== "either" && receiptIds.includes(configured.receiptIds);
  return {
    ...(first && !idsStay && first !== configured.receiptIds && { receiptIds: first }),
    ...(receiptsMarked !== undefined && receiptsMarked !== configured.receiptsMarked && { receiptsMarked }),
    ...(receiptsPer && receiptsPer !== configured.receiptsPer && { receiptsPer }),
  };
}
