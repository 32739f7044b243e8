/**
 * What the doors read: lists and stories. Every call names its operator; a row of another operator does not exist.
 * Lists page by key: `cursor` is the id of the last row seen; ids are UUIDv7, so they sort by time.
 */

import type { KeySource, NetworkKind } from "../operator/operator-terms.ts";
import type { Level } from "../operator/policy.ts";
import type { ApplicationView } from "../support/applications.ts";
import type { ItemKind, ItemState, OrderCause, OrderState, Verdict } from "./order.ts";
import type { OrderFilter, OrderSort } from "./order-list.ts";

/** A page, newest first unless `order` says otherwise. `limit` is 1 to 1,000. */
export type PageQuery = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly order?: "asc" | "desc" | undefined;
};
/** `nextCursor` is the `cursor` of the next page, null on the last. */
export type Page<Row> = { readonly rows: readonly Row[]; readonly nextCursor: string | null };

/** One line of a list of orders. Times are RFC 3339. */
export type OrderRow = {
  readonly id: string;
  readonly state: OrderState;
  readonly reason: string;
  readonly nextAction: string;
  readonly dueAt: string | null;
  readonly deadlineAt: string | null;
  readonly cause: OrderCause;
  readonly networkKind: NetworkKind;
  readonly market: string | null;
  /** MCC and MNC of the network that served the device when the order was opened. */
  readonly servingPlmn: string | null;
  readonly make: string | null;
  readonly model: string | null;
  readonly verdict: Verdict | null;
  /** Sends of that of its items which was sent most often. */
  readonly attempts: number;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
};

/** A page of orders; `cursor` is what the page before said, whatever it looks like. */
export type OrderPage = PageQuery & {
  /** `created` unless given. */
  readonly sort?: OrderSort | undefined;
  /** Whether to say how many there are on all pages: by the database's statistics, which costs nothing, or counted. */
  readonly total?: OrderTotal["kind"] | undefined;
};
export type OrderTotal = { readonly kind: "estimate" | "exact"; readonly count: number };
/** `total` where it was asked for. */
type OrderList = Page<OrderRow> & { readonly total?: OrderTotal };

/** What of the catalog an item is, and how far its parts are; nothing that is the subscriber's own. */
export type ItemSubjectView = {
  readonly catalogId: string;
  readonly version: number;
  readonly action: "add" | "remove";
  readonly package: string | null;
  /** In English. */
  readonly name: string;
  readonly channel: "narrowband" | "wideband" | null;
  readonly retransmissions: number;
  /** Names of fields that a service misses. */
  readonly missing: readonly string[];
  readonly elements: Readonly<Record<string, string>>;
  readonly billing: string;
};

/** One item of an order and what it waits for. */
export type ItemView = {
  readonly id: string;
  readonly kind: ItemKind;
  /** Of a feature or service. */
  readonly subject: ItemSubjectView | null;
  readonly state: ItemState;
  readonly cause: string | null;
  readonly reason: string;
  readonly nextAction: string;
  readonly deadlineAt: string | null;
  readonly attempt: number;
  readonly messageId: string | null;
  readonly keyId: string | null;
  /** Access points that it sets, and those of them on which traffic was seen. */
  readonly apns: readonly string[];
  readonly apnsSeen: readonly string[];
  readonly updatedAt: string;
};

/** Something that happened to an order, and the evidence for it. */
export type EventView = {
  readonly id: string;
  readonly itemId: string | null;
  readonly kind: string;
  readonly state: string | null;
  readonly reason: string;
  readonly evidence: string | null;
  readonly detail: unknown;
  readonly at: string;
};

/** One message and its parts; `octets` is the length of its payload. Times are RFC 3339. */
export type MessageView = {
  readonly id: string;
  readonly orderId: string | null;
  readonly kind: string;
  readonly protocol: string;
  readonly sec: string | null;
  readonly state: string;
  readonly reason: string;
  readonly octets: number;
  readonly partCount: number;
  /** What carries it, by which channel, by which rule; null where nobody said so. */
  readonly bearer: string | null;
  readonly channel: string | null;
  readonly channelRule: string | null;
  /** Octets of one part, its header included; null: 140. */
  readonly partOctets: number | null;
  readonly attempts: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly expiresAt: string;
  readonly parts: readonly {
    readonly sequence: number;
    readonly smsc: string;
    readonly smscMessageId: string;
    readonly state: string;
    readonly errorCode: string | null;
    /** The centre's own word for its state, where it is not SMPP's. */
    readonly reportedState: string | null;
    readonly acceptedAt: string;
    readonly doneAt: string | null;
  }[];
};

/** The whole story of one order. `payload` holds the octets of a message; the door decides who may see them. */
export type OrderStory = OrderRow & {
  /** Stable: what it waits for, or failed of before anything was sent; docs/operations.md lists every one. */
  readonly reasonCode: string | null;
  readonly verdictReasons: unknown;
  /** The version of the policy that judged it; null: without a verdict, or judged by a release that did not say. */
  readonly policyVersion: number | null;
  readonly imeiMasked: string;
  readonly imsiMasked: string;
  readonly msisdnMasked: string | null;
  readonly items: readonly ItemView[];
  readonly events: readonly EventView[];
  /** Of each application of the handset that was seen: before the order provided it, and after. */
  readonly applications: readonly ApplicationView[];
  readonly messages: readonly (MessageView & { readonly payload: Uint8Array; readonly reference: number })[];
  readonly calls: readonly {
    readonly kind: string;
    readonly state: string;
    readonly reason: string;
    readonly attempts: number;
    readonly dueAt: string | null;
    readonly updatedAt: string;
  }[];
  readonly charges: readonly ChargeRow[];
};

/** The fee for one key that proved itself, in whole minor units; `portionMinor` of it is the manufacturer's. */
export type ChargeRow = {
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly make: string;
  readonly keySource: KeySource;
  readonly feeMinor: bigint;
  readonly portionMinor: bigint;
  readonly currency: string;
  readonly level: Level;
  readonly state: string;
  readonly reason: string;
  readonly bankReference: string | null;
  readonly payoutReference: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** One booking. Sums are above zero; a correction is a further posting. */
export type PostingRow = {
  readonly id: string;
  readonly reference: string;
  /** Of a key's fee; else what it books is a sum that is collected from a subscriber. */
  readonly chargeId: string | null;
  readonly collectionId: string | null;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly bookedAt: string;
};

/** Debits minus credits of one account, in whole minor units; an account has one row a currency. */
export type Balance = { readonly account: string; readonly currency: string; readonly balanceMinor: bigint };

/**
 * Handsets that their makers had left behind and that were seen to work again, by each item of their order: each is a call
 * to customer care that did not come. What was delivered and never seen to work is none.
 */
export type RestoredRow = {
  readonly make: string | null;
  readonly model: string | null;
  /** The rule by which the handset counted as left behind. */
  readonly rule: string;
  readonly handsets: number;
  readonly withKey: number;
};

/**
 * Lists and stories of an operator's orders, messages and money.
 * @throws TurnupError by every call, as `OrderStore`
 */
export interface OrderReader {
  /**
   * By the page's `sort`, in the direction that `ORDER_LISTS` names where the page names none.
   * @throws TurnupError `list_not_offered`: that filter with that sort
   * @throws TurnupError `cursor_malformed`: a cursor of another list
   */
  listOrders(operatorId: string, filter: OrderFilter, page: OrderPage): Promise<OrderList>;
  /** Undefined where this operator has no order of that id. */
  findOrder(operatorId: string, orderId: string): Promise<OrderStory | undefined>;
  /** By state; every state is there, also with 0. */
  countOrders(operatorId: string): Promise<Readonly<Record<OrderState, number>>>;
  /** Of orders and plain texts, by the time at which they were queued. */
  listMessages(
    operatorId: string,
    filter: { readonly state?: string | undefined; readonly orderId?: string | undefined },
    page: PageQuery,
  ): Promise<Page<MessageView>>;
  /** By the time at which they were made. */
  listCharges(
    operatorId: string,
    filter: { readonly state?: string | undefined; readonly make?: string | undefined },
    page: PageQuery,
  ): Promise<Page<ChargeRow>>;
  /** An `account` is met on either side. */
  listPostings(
    operatorId: string,
    filter: {
      readonly account?: string | undefined;
      readonly chargeId?: string | undefined;
      readonly collectionId?: string | undefined;
    },
    page: PageQuery,
  ): Promise<Page<PostingRow>>;
  /** By make, model and rule, most handsets first; `from` and `to` bound when they were seen to work. */
  restored(
    operatorId: string,
    span: { readonly from?: string | undefined; readonly to?: string | undefined },
  ): Promise<readonly RestoredRow[]>;
  /** Debits minus credits of every account: each currency sums to zero. */
  balances(operatorId: string): Promise<readonly Balance[]>;
}

/** What a person or another server may do to an order. */
export interface OrderDesk {
  /** A request without a sighting: opens one order for the pair, once per idempotency key. */
  open(
    operatorId: string,
    request: {
      readonly imsi: string;
      readonly imei: string;
      readonly msisdn?: string | undefined;
      readonly idempotencyKey: string;
    },
  ): Promise<{ readonly orderId: string; readonly created: boolean }>;
  /** Sends what is not yet at its level once more. @throws TurnupError order_not_found, order_closed, nothing_to_resend */
  resend(operatorId: string, orderId: string, actor: string): Promise<void>;
  /** Ends the order; what is on its way is not called back. @throws TurnupError order_not_found, order_closed */
  cancel(operatorId: string, orderId: string, actor: string): Promise<void>;
}

/** Proof from outside: traffic seen on an access point, a device seen by its maker's server. */
export type ConfirmationInput =
  | {
      readonly kind: "traffic";
      readonly imsi: string;
      readonly apn: string;
      /** An application of the handset that did its work over it, and with which server. */
      readonly application?: string | undefined;
      readonly server?: string | undefined;
      readonly seenAt?: string | undefined;
      /** By our own clock: no later than this it was on its way already. */
      readonly beganBy?: string | undefined;
      readonly source: string;
    }
  | {
      readonly kind: "arrival";
      readonly keyId: string;
      /** `arrivalProofOf` by the handset; without it an arrival is hearsay. */
      readonly proof?: Uint8Array | undefined;
      /** Which of the handset's applications came, and over which access point. */
      readonly application?: string | undefined;
      readonly apn?: string | undefined;
      readonly seenAt?: string | undefined;
      readonly source: string;
    };
/** `booked` changed something; `repeated` said it again; `no_order`: nobody waits for it; `refused`: it proves nothing. */
export type ConfirmationResult = {
  readonly outcome: "booked" | "repeated" | "no_order" | "refused";
  readonly reason?: string;
};
/** The door for proof from outside. */
export interface Confirmations {
  /** Answers in the order given, when what was booked is on disk. */
  accept(operatorId: string, confirmations: readonly ConfirmationInput[]): Promise<ConfirmationResult[]>;
}

/** A plain SMS through the durable outbox. */
export interface TextDesk {
  /**
   * Resolves when the message is on disk. The same idempotency key again gives the same id and sends nothing.
   * @throws TurnupError `text_empty`, `text_too_long`, `msisdn_malformed`, `intake_full`: none of them was written
   */
  send(
    operatorId: string,
    messages: readonly { readonly to: string; readonly text: string; readonly idempotencyKey: string }[],
    /** `isUnasked`: a campaign, which STOP and quiet hours hold back. */
    how?: { readonly isUnasked?: boolean },
  ): Promise<readonly { readonly id: string; readonly created: boolean }[]>;
}
