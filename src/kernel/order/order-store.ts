/**
 * What the conductor asks of storage: orders as drafts that it may change, and one `write` that puts a whole change set
 * on disk. Everything inside `transaction` happens or nothing does; nothing is sent inside it.
 */

import type { OperatorTerms } from "../operator/operator-terms.ts";
import type { ChargeDraft } from "../settlement/charge.ts";
import type { Told } from "../support/applications.ts";
import type { SymptomInput } from "../support/symptoms.ts";
import type { ChangeSet } from "./change-set.ts";
import type { IssuedKey, StockAnswer, StockQuestion, TakenKey } from "./device-key.ts";
import type {
  Companion,
  EndedMessage,
  OutgoingMessage,
  Receipt,
  SubmittedPart,
  UnsentMessage,
} from "./message.ts";
import type { DueOrder, OrderDraft, Subscriber } from "./order-draft.ts";
import type { CallKind, OpenCall, OutboundCall, UnreadableCall } from "./outbound-call.ts";
import type { AccountDraft } from "./request-draft.ts";
import type { RequestStore, RequestTransaction } from "./request-store.ts";
import type { ServingChange } from "./serving-change.ts";

/** What decides and what is written within one transaction, all or nothing. */
export interface OrderTransaction extends RequestTransaction {
  /**
   * What decides within this transaction. Who changes it is answered when this has been written, so that nothing is written
   * after that answer which was decided by what was before.
   * @throws TurnupError `operator_not_found`
   */
  termsOf(operatorId: string): Promise<OperatorTerms>;
  /** Orders whose due time has come, locked; others' locked rows are passed over. */
  claimDue(claim: { readonly now: Date; readonly limit: number }): Promise<DueOrder[]>;
  /** Locks in ascending order of id, so that two transactions never wait on each other. */
  lockOrders(orderIds: readonly string[]): Promise<OrderDraft[]>;
  /** Numbers of whom orders are for, unsealed, by order id. */
  subjectsOf(orderIds: readonly string[]): Promise<ReadonlyMap<string, Subscriber>>;
  /** Books receipts for parts; answers the messages that ended by it. Unknown ids are kept for a later booking. */
  bookReceipts(receipts: readonly Receipt[], now: Date): Promise<EndedMessage[]>;
  /** Books what the SMSC took or refused; answers the messages that ended by it. */
  bookSubmissions(
    taken: readonly SubmittedPart[],
    unsent: readonly UnsentMessage[],
    now: Date,
  ): Promise<EndedMessage[]>;
  /** Messages that expired before this time without a last word. */
  expireMessages(expiredBefore: Date, limit: number, now: Date): Promise<EndedMessage[]>;
  /**
   * Receipts that were kept while the booking of their part was under way: looks for their parts. Answers how many were
   * looked for, and the messages that ended by them.
   */
  rematchReceipts(
    limit: number,
    now: Date,
  ): Promise<{ readonly looked: number; readonly ended: readonly EndedMessage[] }>;
  /** Receipts that nothing was ever found for; answers how many were forgotten. */
  dropReceipts(receivedBefore: Date): Promise<number>;
  /** The oldest of what changed outside orders, off its list. */
  takeServingChanges(limit: number): Promise<readonly ServingChange[]>;
  /** Symptoms that nobody saw since. */
  dropSymptoms(seenBefore: Date): Promise<number>;
  /** What orders' histories say of applications and of proof, by order id, oldest first. */
  applicationEvents(orderIds: readonly string[]): Promise<ReadonlyMap<string, readonly Told[]>>;
  /** Those of these orders of which a settings message, of several, was never delivered. */
  undeliveredSettings(orderIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** The latest message of each companion of an order. */
  companionsOf(orderId: string): Promise<Companion[]>;
  /** Payloads of an order that hold access points which nobody confirmed. */
  unconfirmedPayloads(orderId: string): Promise<ReadonlySet<string>>;
  /** Holds these ids till the end: two servers that book one key at once do so one after the other, and the second sees the first's. */
  lockKeyIds(keyIds: readonly string[]): Promise<void>;
  /** Those of these ids that a key bears already, whoever's it is. */
  takenKeys(keyIds: readonly string[]): Promise<readonly TakenKey[]>;
  /** Calls of an order that are due or being made, locked: none is begun or booked meanwhile. */
  openCallsOf(orderId: string): Promise<readonly OpenCall[]>;
  /** Locks charges and reads them as they stand. */
  lockCharges(chargeIds: readonly string[]): Promise<ChargeDraft[]>;
  /** Marks the first download of the profile behind a link; answers whether this is it. */
  claimDownload(linkId: string, now: Date): Promise<boolean>;
  /** Marks the end of what was to be set in a session; answers whether it had not ended. */
  claimManaged(taskId: string, now: Date): Promise<boolean>;
  /** Writes the whole change set, within this transaction. */
  write(changes: ChangeSet, now: Date): Promise<void>;
}

/** What a claim took, of that attempt. */
export type Leased = { readonly id: string; readonly attempts: number };

/** Work that a server has taken and must end or give back. */
export type LeaseBook = {
  /** Messages and calls that are leased to this server. */
  leasedHere(now: Date): Promise<readonly Leased[]>;
  /** Makes due again, soon and then later and later, what is still leased of that attempt; answers how much. */
  giveBack(leased: readonly Leased[], now: Date): Promise<number>;
};

/**
 * Orders, their messages and calls.
 * @throws TurnupError by every call: `database_unavailable`, `database_timeout`, `database_full`; `seal_broken` where a
 *   row was sealed under another key
 */
/** A message in the order in which they are due. */
export type WaitingPlace = { readonly dueAt: Date; readonly id: string };

export interface OrderStore {
  /** What requests of the device's road ask outside a transaction. */
  readonly requests: RequestStore;
  /** For calls to the billing centre: the accounts of whom orders are for. */
  accountsOf(orderIds: readonly string[]): Promise<ReadonlyMap<string, AccountDraft>>;
  /** Runs the work in one transaction; it rejects, and nothing is written, where the work does. */
  transaction<T>(work: (tx: OrderTransaction) => Promise<T>): Promise<T>;
  /**
   * For an answer, or for what is sent now: at most a second old.
   * @throws TurnupError `operator_not_found`
   */
  termsOf(operatorId: string): Promise<OperatorTerms>;
  /** Leases messages for sending; a lease that lapses can be claimed again. */
  claimMessages(claim: {
    readonly now: Date;
    readonly limit: number;
    readonly leaseMs: number;
    /** Operators whose messages stay where they are. */
    readonly except?: readonly string[];
    /** At most so many of each of these, by operator. */
    readonly most?: ReadonlyMap<string, number>;
    /** And of each that is not among them. */
    readonly mostOfOthers?: number;
  }): Promise<OutgoingMessage[]>;
  /**
   * Says at messages of an operator whose time has come, and that nobody claims, why they wait: the first `limit` of them behind
   * `after`. Answers where it stopped; null where there are no more.
   */
  tellWaiting(waiting: {
    readonly operatorId: string;
    readonly reason: string;
    readonly now: Date;
    readonly limit: number;
    readonly after: WaitingPlace | null;
  }): Promise<WaitingPlace | null>;
  /** Leases calls of one kind; a lease that lapses can be claimed again. */
  claimCalls(claim: {
    readonly kind: CallKind;
    readonly now: Date;
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<(OutboundCall | UnreadableCall)[]>;
  /** Makes due again what servers that are gone had leased; answers how much. To be called about once a second. */
  reclaimLeases(now: Date): Promise<number>;
  /** What this server has leased itself. */
  readonly ownLeases: LeaseBook;
  /** Numbers of whom orders are for, unsealed, by order id; without a lock. */
  subjectsOf(orderIds: readonly string[]): Promise<ReadonlyMap<string, Subscriber>>;
  /** Makes of orders, for calls that go to a manufacturer. */
  makesOf(
    orderIds: readonly string[],
  ): Promise<ReadonlyMap<string, { make: string; model: string; tac: string }>>;
  /**
   * Items that traffic on an access point proves: of the newest order of that subscriber, those that name the APN and of
   * which something was handed to the message centre. What never left us works by nobody's doing of ours.
   */
  itemsByTraffic(
    operatorId: string,
    traffic: readonly { readonly imsi: string; readonly apn: string }[],
  ): Promise<readonly (readonly { readonly orderId: string; readonly itemId: string }[])[]>;
  /**
   * Keeps what applications were seen to fail at, by device, which need not be known yet. Answers for each whether it is
   * new, and the handset's newest order where that is left behind, or may be being judged now without what is new.
   */
  noteSymptoms(
    operatorId: string,
    seen: readonly SymptomInput[],
  ): Promise<readonly { readonly isNew: boolean; readonly orderId: string | null }[]>;
  /** What orders' histories say of applications and of proof, by order id, oldest first. */
  applicationEvents(orderIds: readonly string[]): Promise<ReadonlyMap<string, readonly Told[]>>;
  /** Keys that orders of this operator were issued, by id; unknown ids are left out. */
  keysById(operatorId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, IssuedKey>>;
  /**
   * Takes one key of the operator's stock for each handset, bound to it from now on and given to no other: what expires first
   * is used first. Asked again for the same item, or for the same handset before its key was sent, it gives the same one.
   */
  takeFromStock(asked: readonly StockQuestion[]): Promise<readonly StockAnswer[]>;
  /** Keys whose id begins with one of these references of 8 octets, of whichever operator: several may. */
  keysByReference(references: readonly Uint8Array[]): Promise<readonly IssuedKey[]>;
}
