/** What one transaction writes: rows to add and rows to change, collected while deciding, written at once. */
import type { BilledAccount } from "../../wire/message/billing-api.ts";
import type { NewUserAccount } from "../account/account-facts.ts";
import type { KeySource } from "../operator/operator-terms.ts";
import type { ChargeDraft } from "../settlement/charge.ts";
import type { CollectionStanding, CollectionState } from "../settlement/collection.ts";
import type { KeyState } from "./device-key.ts";
import type { EventKind } from "./event-kind.ts";
import type { MessageAir, MessageKind, PayloadProtocol } from "./message.ts";
import type { OrderDraft } from "./order-draft.ts";
import type { CallContent } from "./outbound-call.ts";
import type { NewAudit, NewTextReply } from "./reply-store.ts";
import type { NewOffer, NewProvisionedItem } from "./request-draft.ts";

export type NewEvent = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string | null;
  readonly kind: EventKind;
  readonly state: string | null;
  readonly reason: string;
  readonly evidence: string | null;
  readonly detail: unknown;
  readonly at: Date;
};

export type NewPayload = {
  readonly id: string;
  readonly operatorId: string;
  readonly kind: MessageKind;
  readonly protocol: PayloadProtocol;
  readonly sec: "netwpin" | "userpin" | "usernetwpin" | "userpinmac" | null;
  readonly bytes: Uint8Array;
  /** It holds access points that nobody confirmed. */
  readonly unconfirmed?: boolean;
  /** Absent where nobody said what carries it: it is cut as on GSM. */
  readonly air?: MessageAir;
};

export type NewMessage = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string | null;
  readonly subscriberId: string | null;
  /** Only for a message outside an order. */
  readonly destination: string | null;
  readonly payloadId: string;
  readonly kind: MessageKind;
  readonly idempotencyKey: string;
  readonly reference: number;
  readonly partCount: number;
  readonly dueAt: Date;
  readonly expiresAt: Date;
  /** Nobody asked for it: an offer, a campaign. STOP and quiet hours hold. */
  readonly isUnasked?: boolean;
};

export type NewKey = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly deviceId: string;
  readonly source: KeySource;
  readonly issuer: string;
  readonly reference: Uint8Array;
  readonly bytes: Uint8Array;
  readonly notAfter: Date;
};

/** A key that another order had: it is issued anew under this one. */
export type KeyTransfer = Pick<NewKey, "id" | "orderId" | "issuer" | "bytes" | "notAfter">;

export type KeyChange = {
  readonly id: string;
  readonly state: Exclude<KeyState, "issued">;
};

export type NewCall = CallContent & {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  /** Null for a call about the whole order: a verification, a mail. */
  readonly itemId: string | null;
  readonly idempotencyKey: string;
  readonly dueAt: Date;
  readonly deadlineAt: Date;
};

export type CallChange = {
  readonly id: string;
  readonly state: "due" | "done" | "refused" | "given_up";
  readonly reason: string;
  /** Null ends it. */
  readonly dueAt: Date | null;
  /** What it says from now on, in place of what it said; what it carries stays. */
  readonly content?: Pick<CallContent, "kind" | "body">;
};

export type NewCharge = Omit<ChargeDraft, "state"> & {
  readonly level: "delivered" | "opened" | "works";
  readonly reason: string;
};

export type ChargeChange = {
  readonly id: string;
  readonly state: ChargeDraft["state"];
  readonly reason: string;
  readonly bankReference?: string;
  readonly payoutReference?: string;
};

export type NewPosting = {
  readonly id: string;
  readonly operatorId: string;
  readonly reference: string;
  readonly chargeId: string;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
  readonly currency: string;
};

/** Of a sum that is collected from a subscriber. */
export type NewCollectionPosting = Omit<NewPosting, "chargeId"> & { readonly collectionId: string };

/** A sum that is collected from a subscriber. */
export type NewCollection = CollectionStanding & {
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly orderItemId: string;
  readonly deadlineAt: Date | null;
  readonly meansMasked: string | null;
  readonly cardToken: string | null;
};

export type CollectionChange = {
  readonly id: string;
  /** The attempt that this is said of: a later one is changed by no earlier answer. */
  readonly attempt: number;
  readonly nextAttempt?: number;
  readonly from: "asked" | "waiting";
  readonly state: CollectionState;
  readonly reason: string;
  readonly nextAction: string;
  readonly dueAt?: Date;
  readonly deadlineAt?: Date;
  readonly meansMasked?: string;
  readonly cardToken?: string;
  readonly reference?: string | null;
};

export type NewLink = {
  readonly id: string;
  readonly operatorId: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly tokenHash: Uint8Array;
  readonly settings: unknown;
  readonly expiresAt: Date;
};

/** What a device is to have set in a session, and the account by which it opens one, in the place of its former one. */
type NewManagement = {
  readonly id: string;
  readonly accountId: string;
  readonly operatorId: string;
  readonly deviceId: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly tokenHash: Uint8Array;
  readonly standing: unknown;
  readonly settings: unknown;
  readonly expiresAt: Date;
};

/** Requests for a session that wait: they go out now, or are wanted no more. */
type WakeChange = { readonly orderId: string; readonly isWanted: boolean };

/** The page behind a link is to be open as long as the message that names it may come. */
type LinkExtension = { readonly orderId: string; readonly itemId: string; readonly expiresAt: Date };

type WorkingApplication = {
  readonly deviceId: string;
  readonly application: string;
  /** Its other servers may fail it still. Null where who saw it named none: then it is over with all of them. */
  readonly server: string | null;
};

export type ChangeSet = {
  /** Orders with `changed`, and their items with `changed` or `isNew`. */
  readonly orders: OrderDraft[];
  readonly events: NewEvent[];
  readonly payloads: NewPayload[];
  readonly messages: NewMessage[];
  /** Messages that must not be sent any more. */
  readonly cancelledMessages: string[];
  /** Orders that ended before others were asked or told for them: such calls that were never tried are not made. */
  readonly withdrawnCalls: string[];
  readonly keys: NewKey[];
  readonly keyTransfers: KeyTransfer[];
  readonly keyChanges: KeyChange[];
  /** Applications that were seen to work, or to reach their server: what they failed at before is over, and no other's is. */
  readonly workingApplications: WorkingApplication[];
  readonly calls: NewCall[];
  readonly callChanges: CallChange[];
  readonly charges: NewCharge[];
  readonly chargeChanges: ChargeChange[];
  readonly postings: NewPosting[];
  readonly collections: NewCollection[];
  readonly collectionChanges: CollectionChange[];
  readonly collectionPostings: NewCollectionPosting[];
  /** What is had by the month: when it is collected next, and how many months were. */
  readonly renewals: { readonly id: string; readonly renewsAt: Date | null; readonly renewals: number }[];
  readonly links: NewLink[];
  readonly linkExtensions: LinkExtension[];
  readonly management: NewManagement[];
  /** What a device is to have set once more, as long as the message with its account may come. */
  readonly managementAgain: LinkExtension[];
  readonly wakeChanges: WakeChange[];
  readonly accounts: NewUserAccount[];
  /** Accounts that the billing centre knows from now on. */
  readonly registeredAccounts: {
    readonly operatorId: string;
    readonly subscriberId: string;
    /** Null keeps what is there. */
    readonly billingReference: string | null;
    /** What it took of who they are; null: what it took before. */
    readonly told: BilledAccount | null;
  }[];
  /** Cards that their banks refused after the payment provider took their numbers: each counts as a refused try. */
  readonly refusedCards: { readonly operatorId: string; readonly card: Uint8Array }[];
  /** Comparisons with the operator's record of a SIM that fell short of a full match. */
  readonly recordTries: {
    readonly id: string;
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly deviceId: string;
    readonly orderId: string;
  }[];
  readonly provisioned: NewProvisionedItem[];
  /** Items that a subscriber has no more. */
  readonly provisionedEnds: {
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly catalogId: string;
    readonly orderId: string;
  }[];
  readonly offers: NewOffer[];
  readonly offerChanges: {
    readonly id: string;
    readonly state: "taken" | "declined" | "expired";
    readonly orderId: string | null;
  }[];
  /** Texts of subscribers, as evidence. */
  readonly textReplies: NewTextReply[];
  readonly audits: NewAudit[];
  /** Payloads whose octets are kept no longer, since whom they were for has them or cannot get them; they are sent no more. */
  readonly wipedPayloads: { readonly orderId: string; readonly payloadId: string }[];
};

export const emptyChangeSet = (): ChangeSet => ({
  orders: [],
  events: [],
  payloads: [],
  messages: [],
  cancelledMessages: [],
  withdrawnCalls: [],
  keys: [],
  keyTransfers: [],
  keyChanges: [],
  workingApplications: [],
  calls: [],
  callChanges: [],
  charges: [],
  chargeChanges: [],
  postings: [],
  collections: [],
  collectionChanges: [],
  collectionPostings: [],
  renewals: [],
  links: [],
  linkExtensions: [],
  management: [],
  managementAgain: [],
  wakeChanges: [],
  accounts: [],
  registeredAccounts: [],
  refusedCards: [],
  recordTries: [],
  provisioned: [],
  provisionedEnds: [],
  offers: [],
  offerChanges: [],
  textReplies: [],
  audits: [],
  wipedPayloads: [],
});

export const isEmpty = (changes: ChangeSet): boolean =>
  Object.values(changes).every((rows) => rows.length === 0);
