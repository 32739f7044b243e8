/**
 * What the conductor asks of storage: orders as drafts that it may change, and one `write` that puts a whole change set
 * on disk. Everything inside `transaction` happens or nothing does; nothing is sent inside it.
 */
import type { KeyAccessPoint } from "../../wire/message/device-key.ts";
import type { AccessPoint } from "../settings/access-point.ts";
import type { ChargeDraft, FeeTerms } from "../settlement/charge.ts";
import type { SupportOverride } from "../support/decide-support.ts";
import type { ChangeSet, MessageKind } from "./change-set.ts";
import type { ItemKind, ItemState, Level, NetworkKind, OrderCause, OrderState, Verdict } from "./order.ts";
import type { OrderPolicy } from "./policy.ts";
import type { AccountDraft, ItemSubject, RequestDraft } from "./request/request-draft.ts";
import type { RequestStore, RequestTransaction } from "./request/request-store.ts";
import type { SeenSymptom, SymptomInput } from "./symptoms.ts";

/** What the operator agreed with one manufacturer; `make` is `*` for all that have no row of their own. */
export type Relation = {
  readonly make: string;
  readonly deal: boolean;
  readonly keySource: "own" | "maker" | "none";
  readonly keyServer: string | null;
  readonly accessPoints: readonly KeyAccessPoint[];
  readonly appHosts: readonly string[];
  /** Issuer name -> its Ed25519 public key, SPKI in base64. */
  readonly keyIssuers: Readonly<Record<string, string>>;
  readonly feeMinor: bigint;
  readonly currency: string;
  readonly feeLevel: Level;
  readonly portionBasisPoints: number;
};

/** An operator as the conductor sees it: its policy and its relations, by lower-case make. */
export type Terms = {
  readonly operatorId: string;
  readonly operatorName: string;
  readonly kind: NetworkKind;
  /** Networks whose SIMs it issues, `MCC/MNC`. */
  readonly homePlmns: readonly string[];
  readonly policy: OrderPolicy;
  readonly relations: ReadonlyMap<string, Relation>;
  /** Its own access points, which come before every shipped one. */
  readonly accessPoints: readonly AccessPoint[];
  /** Its word about devices, above all data: by `imei:<hex of the blind index>`, `tac:<TAC>`, `model:<make/model>`. */
  readonly overrides: ReadonlyMap<string, SupportOverride>;
};

export const relationOf = (terms: Terms, make: string | null): Relation | undefined =>
  (make ? terms.relations.get(make.toLowerCase()) : undefined) ?? terms.relations.get("*");

/** Who and what an order is about, unsealed: lives in memory only, never in a row, a log or an error. */
export type Subject = {
  readonly imsi: string;
  readonly imei: string;
  readonly msisdn: string | null;
  readonly iccid: string | null;
  readonly gid1: string | null;
  readonly spn: string | null;
  readonly homePlmn: string;
  /** When its number became another SIM's, or it got another: what the former number proved before counts no more. */
  readonly numberLostAt?: Date | null;
  /** The number that it had when the order came, where it lost that since: what was done by it is taken back by it. */
  readonly formerMsisdn?: string;
};

/** The message that carries an item now. */
export type CarrierMessage = {
  readonly id: string;
  readonly payloadId: string;
  readonly kind: MessageKind;
  readonly partCount: number;
  readonly reference: number;
  /** It was on its way to a number that its subscriber has no more: no receipt proves that he has it. */
  readonly isLost?: boolean;
};

/** A message that goes along with those of the items and proves nothing: a PIN notice, settings for a second use. */
export type Companion = CarrierMessage & { readonly attempt: number };

export const KEY_STATES = ["issued", "downloaded", "used", "deleted", "revoked"] as const;
export type KeyState = (typeof KEY_STATES)[number];

export type ItemDraft = {
  readonly id: string;
  readonly kind: ItemKind;
  state: ItemState;
  cause: string | null;
  reason: string;
  nextAction: string;
  deadlineAt: Date | null;
  attempt: number;
  message: CarrierMessage | null;
  keyId: string | null;
  readonly keySource: "own" | "maker" | null;
  /** How far its key came, whatever became of the item since; null without a key. */
  keyState: KeyState | null;
  /** What its key costs; null without a key. */
  feeTerms: FeeTerms | null;
  /** Access points that it sets, in lower case, each once. */
  apns: readonly string[];
  /** Those of them on which traffic was seen since it was handed over. */
  apnsSeen: readonly string[];
  /** Of a feature or service: what was asked for and what is known of it so far. */
  subject: ItemSubject | null;
  isNew: boolean;
  changed: boolean;
};

export type OrderDraft = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly cause: OrderCause;
  readonly createdAt: Date;
  state: OrderState;
  reason: string;
  nextAction: string;
  dueAt: Date | null;
  deadlineAt: Date | null;
  attempts: number;
  make: string | null;
  model: string | null;
  verdict: Verdict | null;
  verdictReasons: unknown;
  items: ItemDraft[];
  /** What a request has beside its order; null for an order that the network opened. */
  request: RequestDraft | null;
  changed: boolean;
};

/** An order whose next action is due, with all that the action needs. */
export type DueOrder = {
  readonly order: OrderDraft;
  readonly subject: Subject;
  /** The SIM was seen in another handset since, or anew in this one: a younger order does its work. */
  readonly isSuperseded: boolean;
  /** What the network saw its applications fail at, newest first. */
  readonly symptoms: readonly SeenSymptom[];
};

export type Receipt = {
  readonly smsc: string;
  readonly smscMessageId: string;
  /** Names of the same message where the centre writes it one way here and another there: the first known one counts. */
  readonly otherIds?: readonly string[];
  readonly state: "delivered" | "failed" | "expired";
  readonly errorCode: string | null;
};

export type EndedMessage = Companion & {
  readonly messageId: string;
  readonly orderId: string | null;
  readonly outcome: "delivered" | "failed" | "expired";
  readonly errorCode: string | null;
  /** It goes along with another; see `Companion`. */
  readonly isCompanion: boolean;
};

/** What the SMSC said to one part. */
export type SubmittedPart = {
  readonly messageId: string;
  readonly sequence: number;
  readonly smsc: string;
  readonly smscMessageId: string;
};
/** A message that could not be handed over whole: when it is tried again, or that it has failed for good. */
export type UnsentMessage = {
  readonly messageId: string;
  readonly reason: string;
  readonly retryAt: Date | null;
  readonly errorCode: string;
};

/** A message leased for sending, with what is needed to build its parts again octet for octet. */
export type OutgoingMessage = {
  readonly messageId: string;
  readonly operatorId: string;
  readonly kind: MessageKind;
  readonly protocol: string;
  readonly sender: string;
  /** Null where they cannot be told: no number, or a seal that does not open. It is given up, and stops no other. */
  readonly content: { readonly to: string; readonly payload: Uint8Array } | null;
  /** It holds access points that nobody confirmed, and its operator does not send such now: it is given up. */
  readonly isWithheld?: boolean;
  readonly reference: number;
  readonly partCount: number;
  /** Parts that an earlier attempt got accepted. */
  readonly acceptedParts: readonly number[];
  readonly attempts: number;
  readonly expiresAt: Date;
  /** Of what nobody asked for: whether its number said STOP meanwhile, and `MCC/MNC` of whose SIM it is, where known. */
  readonly unasked?: { readonly isStopped: boolean; readonly homePlmn: string | null } | null;
};

export const CALL_KINDS = [
  "key_request",
  "download_notice",
  "fee_request",
  "portion_payment",
  "remittance_notice",
  "identity_check",
  "card_check",
  "service_registration",
  "element_task",
  "billing_notice",
  "mail_notice",
  "forward_request",
] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** Something another company's machine is asked or told, leased to one caller. */
export type OutboundCall = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string | null;
  readonly kind: CallKind;
  readonly body: Readonly<Record<string, string>>;
  /** What the call's `secret` was; undefined where it has none, or its seal does not open. */
  readonly secret?: unknown;
  readonly attempts: number;
  readonly deadlineAt: Date;
  readonly createdAt: Date;
};

/** A call of an order that is still to be made, or being made. */
export type OpenCall = Pick<OutboundCall, "id" | "itemId" | "kind" | "body" | "attempts"> & {
  /** Until then one caller has it. */
  readonly leaseUntil: Date | null;
};

export type IssuedKey = {
  readonly keyId: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string | null;
  readonly bytes: Uint8Array;
};

/** A key that was given before: to which handset, by which order, and whether anybody was charged for it. */
export type TakenKey = {
  readonly id: string;
  readonly deviceId: string;
  readonly orderId: string;
  readonly state: KeyState;
  readonly isCharged: boolean;
};

export interface OrderTransaction extends RequestTransaction {
  /**
   * What decides within this transaction. Who changes it is answered when this has been written, so that nothing is written
   * after that answer which was decided by what was before.
   */
  termsOf(operatorId: string): Promise<Terms>;
  /** Orders whose due time has come, locked; others' locked rows are passed over. */
  claimDue(claim: { readonly now: Date; readonly limit: number }): Promise<DueOrder[]>;
  /** Locks in ascending order of id, so that two transactions never wait on each other. */
  lockOrders(orderIds: readonly string[]): Promise<OrderDraft[]>;
  subjectsOf(orderIds: readonly string[]): Promise<ReadonlyMap<string, Subject>>;
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
  /** Symptoms that nobody saw since. */
  dropSymptoms(seenBefore: Date): Promise<number>;
  /** Those of these orders of which a settings message, of several, was never delivered. */
  undeliveredSettings(orderIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** The latest message of each companion of an order. */
  companionsOf(orderId: string): Promise<Companion[]>;
  /** Payloads of an order that hold access points which nobody confirmed. */
  unconfirmedPayloads(orderId: string): Promise<ReadonlySet<string>>;
  /** Those of these ids that a key bears already, whoever's it is. */
  takenKeys(keyIds: readonly string[]): Promise<readonly TakenKey[]>;
  /** Calls of an order that are due or being made, locked: none is begun or booked meanwhile. */
  openCallsOf(orderId: string): Promise<readonly OpenCall[]>;
  lockCharges(chargeIds: readonly string[]): Promise<ChargeDraft[]>;
  write(changes: ChangeSet, now: Date): Promise<void>;
}

export interface OrderStore {
  /** What requests of the device's road ask outside a transaction. */
  readonly requests: RequestStore;
  /** For calls to the billing centre: the accounts of whom orders are for. */
  accountsOf(orderIds: readonly string[]): Promise<ReadonlyMap<string, AccountDraft>>;
  transaction<T>(work: (tx: OrderTransaction) => Promise<T>): Promise<T>;
  /** For an answer, or for what is sent now: at most a second old. */
  termsOf(operatorId: string): Promise<Terms>;
  /** Leases messages for sending; a lease that lapses can be claimed again. */
  claimMessages(claim: {
    readonly now: Date;
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<OutgoingMessage[]>;
  claimCalls(claim: {
    readonly kind: CallKind;
    readonly now: Date;
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<OutboundCall[]>;
  /** Makes due again what servers that are gone had leased; answers how much. To be called about once a second. */
  reclaimLeases(now: Date): Promise<number>;
  subjectsOf(orderIds: readonly string[]): Promise<ReadonlyMap<string, Subject>>;
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
   * new, and the newest order of a handset left behind whose history it belongs to.
   */
  noteSymptoms(
    operatorId: string,
    seen: readonly SymptomInput[],
  ): Promise<readonly { readonly isNew: boolean; readonly orderId: string | null }[]>;
  keysById(operatorId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, IssuedKey>>;
  keysByReference(references: readonly Uint8Array[]): Promise<readonly IssuedKey[]>;
}
