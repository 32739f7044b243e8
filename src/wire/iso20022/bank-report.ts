/**
 * What a bank says of payments: camt.054 (bookings as they happen), camt.053 (the day's statement) and pain.002 (what became of
 * a payment file), versions 001.02 and later. Only what a payment is recognised by and what was done with it is taken.
 * Source: ISO 20022, the message definitions of bank-to-customer cash management and payments initiation.
 */
import { isCalendarDay } from "../../term/calendar.ts";
import { DecodeError } from "../decode-error.ts";
import type { XmlElement } from "../xml/tree.ts";
import { all, at, readBankDocument, textAt } from "./document.ts";

/** One movement on the account; an entry of several transactions is as many of these. */
export type BankMovement = {
  readonly kind: "movement";
  /** What the payer called it in its file; null where the bank tells none. */
  readonly endToEndId: string | null;
  /** A decimal text as it stands there; null where the bank gives one sum for several transactions. */
  readonly amount: string | null;
  readonly currency: string | null;
  readonly direction: "debit" | "credit";
  /** It takes back an earlier entry. */
  readonly isReversal: boolean;
  /** False: expected, or for information only. */
  readonly isBooked: boolean;
  readonly bookedOn: string | null;
  /** The bank's own number of the entry. */
  readonly bankReference: string | null;
  /** Why it came back, by the external code list: `AC04`. */
  readonly returnReason: string | null;
  /** Other numbers of the transaction: the scheme's, the instruction's, the mandate's. */
  readonly otherNames: readonly string[];
  /** It is of a direct debit that the account's holder issued: what leaves the account by one came back. */
  readonly isIssuedDebit: boolean;
  /** What was collected, where the bank says so beside what it books: the rest is its fee for the return. */
  readonly collectedAmount: string | null;
};

/** What a bank did with a file, a part of it, or one payment. */
export type BankStatus = {
  readonly kind: "status";
  readonly endToEndId: string | null;
  readonly paymentInfoId: string | null;
  readonly messageId: string | null;
  /** `ACCP`, `ACSC`, `RJCT`, `PDNG` and so on. */
  readonly status: string;
  readonly reason: string | null;
};

export type BankReport = {
  readonly source: "camt.054" | "camt.053" | "pain.002";
  readonly messageId: string;
  readonly facts: readonly (BankMovement | BankStatus)[];
};

/** @throws DecodeError not well-formed, hostile, too large, or none of the three messages */
export function readBankReport(bytes: Uint8Array): BankReport {
  const { message, root } = readBankDocument(bytes);
  switch (message) {
    case "camt.054":
      return { source: message, ...movementsOf(at(root, "BkToCstmrDbtCdtNtfctn"), "Ntfctn") };
    case "camt.053":
      return { source: message, ...movementsOf(at(root, "BkToCstmrStmt"), "Stmt") };
    case "pain.002":
      return { source: message, ...statusesOf(at(root, "CstmrPmtStsRpt")) };
    default:
      throw new DecodeError(`a ${message}, where camt.053, camt.054 or pain.002 is read`, root.at ?? 0);
  }
}

type Said = Pick<BankReport, "messageId" | "facts">;

function movementsOf(body: XmlElement | undefined, part: string): Said {
  const entries = all(body, part).flatMap((one) => all(one, "Ntry"));
  return { messageId: messageIdOf(body), facts: entries.flatMap(movementsOfEntry) };
}

function messageIdOf(body: XmlElement | undefined): string {
  const id = textAt(body, "GrpHdr", "MsgId");
  if (id === null) throw new DecodeError("a message without its MsgId", body?.at ?? 0);
  return id;
}

function movementsOfEntry(entry: XmlElement): BankMovement[] {
  const transactions = all(entry, "NtryDtls").flatMap((details) => all(details, "TxDtls"));
  if (transactions.length === 0) return [movementOf(entry, undefined, true)];
  return transactions.map((one) => movementOf(entry, one, transactions.length === 1));
}

function movementOf(entry: XmlElement, transaction: XmlElement | undefined, isWhole: boolean): BankMovement {
  // Its own sum, in the place of version 02 too; the entry's sum is a transaction's only where it is the only one.
  const sum =
    at(transaction, "Amt") ??
    at(transaction, "AmtDtls", "TxAmt", "Amt") ??
    (isWhole ? at(entry, "Amt") : undefined);
  const direction = textAt(transaction, "CdtDbtInd") ?? textAt(entry, "CdtDbtInd");
  if (direction !== "CRDT" && direction !== "DBIT")
    throw new DecodeError("an entry without its direction", entry.at ?? 0);
  const status = textAt(entry, "Sts", "Cd") ?? textAt(entry, "Sts");
  const refs = at(transaction, "Refs");
  return {
    kind: "movement",
    endToEndId: given(textAt(refs, "EndToEndId")),
    amount: textAt(sum),
    currency: sum?.attributes.find(({ name }) => name === "Ccy")?.value ?? null,
    direction: direction === "CRDT" ? "credit" : "debit",
    isReversal: textAt(entry, "RvslInd") === "true",
    isBooked: status === "BOOK",
    bookedOn: dayOf(textAt(entry, "BookgDt", "Dt") ?? textAt(entry, "BookgDt", "DtTm")),
    bankReference: textAt(refs, "AcctSvcrRef") ?? textAt(entry, "AcctSvcrRef"),
    returnReason: textAt(transaction, "RtrInf", "Rsn", "Cd") ?? textAt(transaction, "RtrInf", "Rsn", "Prtry"),
    otherNames: OTHER_NAMES.flatMap((name) => given(textAt(refs, name)) ?? []),
    isIssuedDebit: isIssuedDebit(transaction) || isIssuedDebit(entry),
    collectedAmount: collectedOf(transaction, sum),
  };
}

const OTHER_NAMES = ["InstrId", "TxId", "ClrSysRef"];

/** ISO 20022 external code of a bank transaction's family: issued direct debits. */
const isIssuedDebit = (part: XmlElement | undefined): boolean =>
  textAt(part, "BkTxCd", "Domn", "Fmly", "Cd") === "IDDT";

/** As long as it is of the currency that is booked. */
function collectedOf(transaction: XmlElement | undefined, booked: XmlElement | undefined): string | null {
  const collected = at(transaction, "AmtDtls", "InstdAmt", "Amt");
  const currencyOf = (sum: XmlElement | undefined) =>
    sum?.attributes.find(({ name }) => name === "Ccy")?.value;
  return collected && currencyOf(collected) === currencyOf(booked) ? textAt(collected) : null;
}

function statusesOf(body: XmlElement | undefined): Said {
  const group = at(body, "OrgnlGrpInfAndSts");
  const messageId = textAt(group, "OrgnlMsgId");
  const facts: BankStatus[] = [];
  const tell = (where: XmlElement | undefined, element: string, names: Partial<BankStatus>): void => {
    const status = textAt(where, element);
    if (status === null) return;
    const reason = textAt(where, "StsRsnInf", "Rsn", "Cd") ?? textAt(where, "StsRsnInf", "Rsn", "Prtry");
    facts.push({
      kind: "status",
      endToEndId: null,
      paymentInfoId: null,
      messageId: null,
      ...names,
      status,
      reason,
    });
  };
  tell(group, "GrpSts", { messageId });
  for (const part of all(body, "OrgnlPmtInfAndSts")) {
    const paymentInfoId = textAt(part, "OrgnlPmtInfId");
    tell(part, "PmtInfSts", { paymentInfoId });
    for (const one of all(part, "TxInfAndSts"))
      tell(one, "TxSts", { endToEndId: given(textAt(one, "OrgnlEndToEndId")) });
  }
  return { messageId: messageIdOf(body), facts };
}

const given = (id: string | null): string | null => (id === "NOTPROVIDED" ? null : id);
/** One that the calendar lacks is none. */
function dayOf(text: string | null): string | null {
  const day = text?.slice(0, "YYYY-MM-DD".length) ?? "";
  return isCalendarDay(day) ? day : null;
}
