/**
 * What a bank's word means for a transfer. Only an entry on the account, or the bank's word that it settled, books a payment;
 * what comes back is booked back; whatever does not fit is kept for a person and books nothing.
 *
 *   exported ── accepted ── booked ── returned
 *       │           │    └─ partly_booked ── booked        partly_returned: part of it came back
 *       └───────────┴─ rejected, cancelled: the portions wait for the next file
 */

export const TRANSFER_STATES = [
  "exported",
  "accepted",
  "partly_booked",
  "booked",
  "rejected",
  "returned",
  "partly_returned",
  "cancelled",
] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

type Transfer = {
  readonly state: TransferState;
  readonly amountMinor: bigint;
  readonly bookedMinor: bigint;
  readonly currency: string;
  /** By the bank's word alone, or by an entry on the account; null where nothing is booked. */
  readonly bookedBy: "status" | "movement" | null;
  /** None of its portions went into another file since it came to nothing. */
  readonly isUnclaimed: boolean;
};

type BankMovementFact = {
  readonly kind: "movement";
  /** Null where the bank gave none that fits the currency. */
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly direction: "debit" | "credit";
  readonly isReversal: boolean;
  readonly isBooked: boolean;
  readonly returnReason: string | null;
};
type BankStatusFact = {
  readonly kind: "status";
  readonly status: string;
  readonly reason: string | null;
};
export type BankFact = BankMovementFact | BankStatusFact;

/** `repeated` is the store's: it knows what was said before. */
export const BANK_OUTCOMES = [
  "booked",
  "partly_booked",
  "returned",
  "accepted",
  "rejected",
  "confirmed",
  "noted",
  "early",
  "repeated",
  "unknown",
  "mismatch",
  "conflict",
] as const;
export type BankOutcome = (typeof BANK_OUTCOMES)[number];
/** What a person has to look at. */
export const UNSETTLED_OUTCOMES: readonly BankOutcome[] = ["early", "unknown", "mismatch", "conflict"];

export type Verdict = {
  readonly outcome: BankOutcome;
  readonly reason: string;
  /** Where the transfer stands from now on; left out where nothing changes. */
  readonly state?: TransferState;
  /** Paid by this word. */
  readonly paidMinor?: bigint;
  /** Came back by this word. */
  readonly givenBackMinor?: bigint;
  readonly bookedBy?: "status" | "movement";
};

const FINAL: readonly TransferState[] = ["booked", "rejected", "returned", "cancelled"];
export const isFinalTransfer = (state: TransferState): boolean => FINAL.includes(state);
/** The bank has not spoken: it may still be taken back. */
const isOpenTransfer = (state: TransferState): boolean => state === "exported" || state === "accepted";

/** ISO 20022 external codes of a payment's status. */
const SETTLED = ["ACSC", "ACCC"];
const ACCEPTED = ["ACCP", "ACTC", "ACSP", "ACWC", "ACFC", "ACWP", "PATC"];
const REFUSED = ["RJCT", "CANC"];

export function weighBankFact(transfer: Transfer | undefined, fact: BankFact): Verdict {
  if (!transfer) return { outcome: "unknown", reason: "No transfer of ours has this reference." };
  if (fact.kind === "status") return weighStatus(transfer, fact);
  if (!fact.isBooked) return { outcome: "noted", reason: "The entry is announced and not booked yet." };
  const { amountMinor, currency } = fact;
  if (amountMinor === null || amountMinor <= 0n || currency !== transfer.currency)
    return { outcome: "mismatch", reason: `The entry's sum is none of a transfer in ${transfer.currency}.` };
  if (fact.direction === "credit") return weighReturn(transfer, amountMinor, fact);
  // A debit that reverses a credit: what had come back was taken again.
  if (fact.isReversal)
    return { outcome: "conflict", reason: "What had come back was taken from the account again." };
  return weighDebit(transfer, amountMinor);
}

function weighDebit(transfer: Transfer, amountMinor: bigint): Verdict {
  const { state, bookedBy, isUnclaimed } = transfer;
  if (state === "booked" && bookedBy === "status" && amountMinor === transfer.amountMinor)
    return {
      outcome: "confirmed",
      reason: "The account shows what the bank had said.",
      bookedBy: "movement",
    };
  if (["booked", "returned", "partly_returned"].includes(state) || !isUnclaimed)
    return { outcome: "conflict", reason: `Money left the account for a transfer that is ${state}.` };
  const rest = transfer.amountMinor - transfer.bookedMinor;
  if (amountMinor > rest)
    return { outcome: "conflict", reason: "More left the account than this transfer still pays." };
  const isWhole = amountMinor === rest;
  return {
    outcome: isWhole ? "booked" : "partly_booked",
    reason: isWhole ? "The bank paid it." : "The bank paid a part of it.",
    state: isWhole ? "booked" : "partly_booked",
    paidMinor: amountMinor,
    bookedBy: "movement",
  };
}

function weighReturn(transfer: Transfer, amountMinor: bigint, { returnReason }: BankMovementFact): Verdict {
  const why = returnReason === null ? "" : ` (${returnReason.slice(0, 35)})`;
  if (transfer.bookedMinor === 0n && isOpenTransfer(transfer.state))
    return { outcome: "early", reason: "It came back before it was seen to leave the account." };
  if (amountMinor > transfer.bookedMinor)
    return { outcome: "conflict", reason: "More came back than was booked as paid." };
  const isWhole = amountMinor === transfer.bookedMinor;
  return {
    outcome: "returned",
    reason: isWhole ? `The payment came back${why}.` : `A part of the payment came back${why}.`,
    state: isWhole ? "returned" : "partly_returned",
    givenBackMinor: amountMinor,
  };
}

function weighStatus(transfer: Transfer, { status, reason }: BankStatusFact): Verdict {
  const { state } = transfer;
  const why = reason === null ? "" : ` (${reason.slice(0, 35)})`;
  if (REFUSED.includes(status)) {
    if (isOpenTransfer(state))
      return { outcome: "rejected", reason: `The bank refused it: ${status}${why}.`, state: "rejected" };
    if (state === "rejected" || state === "cancelled")
      return { outcome: "noted", reason: `The bank refused it, as was known: ${status}${why}.` };
    return { outcome: "conflict", reason: `The bank refused a transfer that is ${state}: ${status}${why}.` };
  }
  if (SETTLED.includes(status)) {
    if (state === "booked") return { outcome: "noted", reason: "The bank settled it, as was known." };
    if (!isOpenTransfer(state))
      return { outcome: "conflict", reason: `The bank settled a transfer that is ${state}.` };
    return {
      outcome: "booked",
      reason: `The bank says that it settled it: ${status}.`,
      state: "booked",
      paidMinor: transfer.amountMinor - transfer.bookedMinor,
      bookedBy: "status",
    };
  }
  if (ACCEPTED.includes(status) && state === "exported")
    return { outcome: "accepted", reason: `The bank took it: ${status}.`, state: "accepted" };
  return { outcome: "noted", reason: `The bank says ${status.slice(0, 4)}${why}.` };
}
