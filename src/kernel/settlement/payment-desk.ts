/**
 * What doors and commands ask about paying manufacturers: files made, transfers followed, banks' words booked, lines disputed,
 * statements read. Every call names its operator; a row of another operator does not exist.
 */
import type { Acting } from "../account/person.ts";
import type { BankFact, BankOutcome, TransferState } from "./bank-fact.ts";
import type { BookedReturn } from "./collection-return.ts";
import type { DisputeSide, DisputeState, LineKind } from "./dispute.ts";
import type { LeftOut, ReleaseState } from "./payment-batch.ts";

/** Lists page by id, newest first unless told otherwise. */
type PageQuery = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly order?: "asc" | "desc" | undefined;
};
/** One page; `nextCursor` is the `cursor` of the next, null on the last. */
type PageRows<Row> = { readonly rows: readonly Row[]; readonly nextCursor: string | null };

/** What would be paid if a file were made now. */
export type PayableView = {
  readonly make: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly lines: number;
  /** Null: it would be paid. */
  readonly why: LeftOut["why"] | null;
};

export type TransferView = {
  readonly id: string;
  readonly batchId: string;
  readonly make: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly bookedMinor: bigint;
  readonly endToEndId: string;
  /** What the manufacturer finds it by. */
  readonly reference: string;
  readonly creditorMasked: string;
  /** When the manufacturer's account was last changed, where no second person approved a payment to it since. */
  readonly accountChangedAt: string | null;
  readonly state: TransferState;
  readonly reason: string;
  readonly nextAction: string;
  readonly owner: string;
  readonly deadlineAt: string | null;
  readonly isOverdue: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** The remittance advice of a transfer, line by line. */
export type AdviceLine = {
  readonly chargeId: string;
  readonly itemId: string;
  /** The key's id in hex, as the manufacturer's own list has it. */
  readonly keyReference: string | null;
  readonly amountMinor: bigint;
  readonly bookedMinor: bigint;
};

export type BatchView = {
  readonly id: string;
  readonly executionDate: string;
  readonly transferCount: number;
  readonly payerMasked: string;
  readonly sha256: string;
  readonly octets: number;
  readonly madeBy: string;
  /** Whose token that was; null where nobody said. */
  readonly madeByPerson: string | null;
  readonly madeAt: string;
  readonly release: ReleaseState;
  /** Until when a second person has to approve it; null where none is needed. */
  readonly releaseUntil: string | null;
  /** Who approved or refused it, when, and why. */
  readonly releasedBy: string | null;
  readonly releasedByPerson: string | null;
  readonly releasedAt: string | null;
  readonly releaseReason: string | null;
};
export type BatchStory = BatchView & {
  readonly transfers: readonly TransferView[];
  /** When it was made; empty for a file of before. */
  readonly leftOut: readonly LeftOut[];
};

/** A fact of a bank's file, with what it is recognised by. */
export type TransferFact = BankFact & {
  readonly endToEndId: string | null;
  readonly paymentInfoId?: string | null;
  readonly messageId?: string | null;
  readonly bankReference?: string | null;
  readonly otherNames?: readonly string[];
  readonly isIssuedDebit?: boolean;
  /** What was collected, without the bank's fee for its return. */
  readonly collectedMinor?: bigint | null;
  readonly bookedOn?: string | null;
};
export type BankFile = {
  readonly source: string;
  readonly messageId: string;
  readonly sha256: Uint8Array;
  readonly facts: readonly TransferFact[];
};
export type BankEntryView = {
  readonly id: string;
  readonly source: string;
  readonly endToEndId: string | null;
  readonly transferId: string | null;
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly direction: string | null;
  readonly bookedOn: string | null;
  readonly outcome: BankOutcome;
  readonly reason: string;
  readonly importedBy: string;
  readonly importedAt: string;
};
/** `returns`: sums of subscribers that came back. `foreign`: movements that are nothing of ours; they are not kept. */
export type Imported = {
  readonly entries: readonly BankEntryView[];
  readonly returns: readonly BookedReturn[];
  readonly foreign: number;
};

/** Payment files and what became of them. */
export interface PaymentDesk {
  payables(operatorId: string): Promise<readonly PayableView[]>;
  /**
   * Makes a payment file of all that waits; the same `id` again gives the same file.
   * @throws TurnupError `payer_missing`, `nothing_payable`; `person_unknown` where the policy wants a second person
   */
  make(
    operatorId: string,
    asked: {
      readonly id: string;
      readonly executionDate?: string | undefined;
      readonly makes?: readonly string[] | undefined;
      readonly currency?: string | undefined;
    },
    actor: Acting,
  ): Promise<BatchStory>;
  list(operatorId: string, page: PageQuery): Promise<PageRows<BatchView>>;
  find(operatorId: string, batchId: string): Promise<BatchStory | undefined>;
  /** Octet for octet what was made. @throws TurnupError `payment_file_unreleased` */
  file(operatorId: string, batchId: string, actor: string): Promise<Uint8Array | undefined>;
  /**
   * A second person approves a file, or anybody refuses it.
   * @throws TurnupError `payment_batch_not_found`, `payment_file_decided`, `second_person_needed`, `person_unknown`
   */
  release(
    operatorId: string,
    batchId: string,
    decision: { readonly outcome: "approved" | "refused"; readonly reason: string },
    actor: Acting,
  ): Promise<BatchStory>;
  /** Gives up files that nobody approved in time; answers how many were looked at. */
  lapse(now: Date, limit: number): Promise<number>;
  /** Those that wait for a bank's word; the longest overdue first. */
  waiting(operatorId: string, limit: number): Promise<readonly TransferView[]>;
  /** Undefined where there is no such transfer. */
  advice(operatorId: string, transferId: string): Promise<readonly AdviceLine[] | undefined>;
  /**
   * Takes back a transfer whose file never reached the bank: its portions wait for the next one.
   * @throws TurnupError `payment_transfer_not_found`, `payment_transfer_closed`
   */
  cancel(operatorId: string, transferId: string, reason: string, actor: string): Promise<TransferView>;
  /** Books what a bank says; the same file again changes nothing. */
  book(operatorId: string, file: BankFile, actor: string): Promise<Imported>;
  /** What a bank said; `unsettled` leaves what a person has to look at. */
  entries(
    operatorId: string,
    filter: { readonly unsettled?: boolean | undefined; readonly transferId?: string | undefined },
    page: PageQuery,
  ): Promise<PageRows<BankEntryView>>;
}

export type DisputeView = {
  readonly id: string;
  readonly postingId: string;
  readonly chargeId: string;
  readonly make: string;
  readonly raisedBy: DisputeSide;
  readonly raisedAs: string;
  readonly reason: string;
  readonly state: DisputeState;
  readonly owner: string;
  readonly nextAction: string;
  readonly deadlineAt: string | null;
  readonly decidedBy: string | null;
  readonly decision: string | null;
  readonly decidedAt: string | null;
  readonly createdAt: string;
};

/** Lines that a side says are wrong. */
export interface Disputes {
  /**
   * `make` given: only a line of that manufacturer's account exists.
   * @throws TurnupError `posting_not_found`, `dispute_not_possible`, `dispute_limit`
   */
  open(
    operatorId: string,
    asked: {
      readonly id: string;
      readonly postingId: string;
      readonly side: DisputeSide;
      readonly make?: string | undefined;
      readonly reason: string;
    },
    actor: string,
  ): Promise<DisputeView>;
  list(
    operatorId: string,
    filter: { readonly make?: string | undefined; readonly state?: DisputeState | undefined },
    page: PageQuery,
  ): Promise<PageRows<DisputeView>>;
  /** @throws TurnupError `dispute_not_found`, `dispute_closed` */
  decide(
    operatorId: string,
    disputeId: string,
    decision: { readonly outcome: "kept" | "reversed"; readonly reason: string },
    actor: string,
  ): Promise<DisputeView>;
  /** Keeps the lines whose time for a decision is over; answers how many. */
  lapse(now: Date, limit: number): Promise<number>;
}

/** One line of an account: above zero what is owed to its holder, below what was paid or taken back. */
export type StatementLine = {
  readonly id: string;
  readonly bookedAt: string;
  readonly kind: LineKind;
  readonly reference: string;
  /** Of a key's fee. */
  readonly chargeId: string | null;
  /** Of a sum that is collected from a subscriber. */
  readonly collectionId: string | null;
  readonly orderId: string;
  readonly itemId: string;
  /** The key's id in hex, as the manufacturer's own list has it. */
  readonly keyReference: string | null;
  /** Of a payment: the transfer on the bank's statement. */
  readonly endToEndId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly dispute: { readonly id: string; readonly state: DisputeState } | null;
};
export type StatementBalance = {
  readonly currency: string;
  readonly openingMinor: bigint;
  readonly closingMinor: bigint;
  readonly lines: number;
};
export type Statement = {
  readonly account: string;
  readonly from: string | null;
  readonly to: string | null;
  /** One a currency: opening and all lines of the span sum to closing. */
  readonly balances: readonly StatementBalance[];
} & PageRows<StatementLine>;

/** A manufacturer's account, the operator's own of its fees, or that of all its subscribers: above zero is what they owe it. */
type StatementOf = { readonly make: string } | "fees" | "subscribers";

export interface Statements {
  of(
    operatorId: string,
    whose: StatementOf,
    span: {
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      readonly currency?: string | undefined;
    },
    page: PageQuery,
  ): Promise<Statement>;
}
