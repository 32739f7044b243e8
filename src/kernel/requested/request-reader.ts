/**
 * What staff and other servers read about requests: who entered which, what was agreed to, how verification went, and where
 * a subscriber stands. No user data, no access data, no card beyond its first six and last four digits is in it, and
 * numbers of people are masked (US 6,647,260, R23, R66, R70 and R72). A row of another operator does not exist.
 */
import type { UserAccount } from "../account/account-facts.ts";
import type { Assurance } from "../catalog/catalog-item.ts";
import type { Channel, OrderState } from "../order/order.ts";
import type { Page, PageQuery } from "../order/order-reader.ts";
import type { RecordFinding } from "../registration/own-record.ts";

/** One line of a list. */
export type RequestRow = {
  /** Of its order. */
  readonly id: string;
  /** 8 characters that a person can read out. */
  readonly reference: string;
  readonly channel: Channel;
  readonly action: "add" | "remove";
  readonly selection: readonly string[];
  /** Who entered it: `device`, `portal`, `ivr`, `sms`, the label of a token. */
  readonly actor: string;
  readonly assurance: Assurance;
  readonly language: string;
  readonly state: OrderState;
  readonly reason: string;
  readonly nextAction: string;
  readonly deadlineAt: string | null;
  readonly subscriberId: string;
  /** Country of a listed market, where the network is that served the device; and that network. */
  readonly market: string | null;
  readonly servingPlmn: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
};

/** Members that are absent let everything through. Numbers are digits. */
export type RequestFilter = {
  readonly state?: OrderState | undefined;
  /** Only those that wait for a person of the operator to look at who asks. */
  readonly isForReview?: boolean | undefined;
  readonly channel?: Channel | undefined;
  /** Of a listed market, ISO 3166. */
  readonly market?: string | undefined;
  readonly actor?: string | undefined;
  readonly subscriberId?: string | undefined;
  readonly imsi?: string | undefined;
  readonly msisdn?: string | undefined;
  readonly imei?: string | undefined;
};

/** One agreement that was asked for, and how it was answered. Times are RFC 3339. */
export type ConsentView = {
  readonly termsId: string;
  readonly version: number;
  readonly language: string;
  /** Channels that took the text: sms, mail, fax, or the screen on which it was shown and answered at once. */
  readonly sentBy: readonly string[];
  /** Channels that gave it up, with the reason. */
  readonly notSentBy: readonly { readonly channel: string; readonly reason: string }[];
  readonly askedAt: string;
  readonly answer: "accept" | "decline" | null;
  /** sms, screen, device, telephone, representative. */
  readonly answeredBy: string | null;
  readonly answeredAt: string | null;
};

/** How verification went, in codes: never what was looked at. */
export type VerificationView = {
  readonly verdict: "approved" | "rejected" | "pending";
  readonly extent: "short" | "full";
  readonly identity: "bureau" | "own_data" | "review" | "none";
  readonly card: boolean;
  readonly reasons: readonly string[];
  /** How what was given compares with the operator's own record; null where nothing was compared. */
  readonly record: RecordView | null;
};

/** By fields and scores, never by a value. */
export type RecordView = Pick<RecordFinding, "match" | "score" | "consequence" | "isOfAnotherSim" | "fields">;

/** What of one request is staff's to know, beside its status. */
export type RequestDetail = RequestRow & {
  readonly imsiMasked: string;
  readonly msisdnMasked: string | null;
  readonly imeiMasked: string;
  readonly make: string | null;
  readonly model: string | null;
  /** `411111******1111`, `AT******3201`. */
  readonly card: string | null;
  /** Of a bank account: by what it may be collected from, masked. */
  readonly mandate: string | null;
  readonly consents: readonly ConsentView[];
  readonly verification: VerificationView | null;
};

/** The first is open; the others are final. */
export const OFFER_STATES = ["sent", "taken", "declined", "expired"] as const;

type OfferState = (typeof OFFER_STATES)[number];
/** One item offered to one subscriber. */
export type OfferView = {
  readonly id: string;
  readonly subscriberId: string;
  readonly msisdnMasked: string | null;
  readonly itemId: string;
  /** One that nobody answered in time reads `expired`, whatever its row says still. */
  readonly state: OfferState;
  readonly madeBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly answeredAt: string | null;
  /** The order that it became. */
  readonly orderId: string | null;
};

/** Members that are absent let everything through. */
export type OfferFilter = {
  readonly state?: OfferState | undefined;
  readonly itemId?: string | undefined;
};

/** One of these leads to a subscriber; with several, the first that is given here in this order counts. */
export type SubscriberNumber = { readonly imsi?: string; readonly msisdn?: string };

/** A handset that the subscriber's SIM was seen in. */
export type CareDevice = {
  readonly deviceId: string;
  readonly imeiMasked: string;
  readonly tac: string;
  /** By its latest order. */
  readonly make: string | null;
  readonly model: string | null;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly isCurrent: boolean;
  /** Who saw the SIM come into it last; null: nobody did, or it is no longer kept. */
  readonly cameBy: string | null;
  /** Why it may not be what its IMEI says; open ones alone. */
  readonly doubts: readonly CareDoubt[];
};
type CareDoubt = {
  readonly id: string;
  readonly kind: "false_model" | "clone" | "special";
  readonly reason: string;
  readonly foundAt: string;
};

/** An order of the other road: settings and keys that the network opened. */
export type CareOrder = Pick<
  RequestRow,
  "id" | "state" | "reason" | "nextAction" | "deadlineAt" | "createdAt"
> & {
  readonly cause: string;
};

/** Where a subscriber stands, from nothing at all on: a SIM that the network has seen is enough (R23). */
export type Standing = {
  readonly subscriberId: string;
  readonly imsiMasked: string;
  readonly msisdnMasked: string | null;
  readonly homePlmn: string;
  /** Of the user behind the SIM: that they are verified, and whether billing knows them. */
  readonly account: {
    readonly state: UserAccount["state"];
    readonly language: string;
    /** What later sums are collected from, masked; null where nothing was left. */
    readonly card: string | null;
    readonly mandate: string | null;
  } | null;
  readonly devices: readonly CareDevice[];
  readonly orders: readonly CareOrder[];
  readonly offers: readonly OfferView[];
  /** The screen that they saw last, as far as there was one. */
  readonly lastScreen: { readonly screen: string; readonly channel: string; readonly at: string } | null;
};

/**
 * What staff, partners and E-CARE read.
 * @throws TurnupError by every call, as `OrderStore`
 */
export interface RequestReader {
  /** By the time at which they came. */
  list(operatorId: string, filter: RequestFilter, page: PageQuery): Promise<Page<RequestRow>>;
  /** By order id or reference; of one actor's requests alone where one is named. */
  detail(
    operatorId: string,
    idOrReference: string,
    of?: { readonly channel: Channel; readonly actor: string },
  ): Promise<RequestDetail | undefined>;
  /** By the time at which they were made. */
  offers(operatorId: string, filter: OfferFilter, page: PageQuery): Promise<Page<OfferView>>;
  /** Of a number that moved to another SIM, the SIM that was seen last. Nobody is made by looking. */
  subscriberOf(operatorId: string, number: SubscriberNumber): Promise<string | undefined>;
  /** Undefined where this operator has no such subscriber. */
  standing(operatorId: string, subscriberId: string): Promise<Standing | undefined>;
  /** Notes which screen a subscriber sees now; the latest stays. */
  noteScreen(seen: {
    readonly operatorId: string;
    readonly subscriberId: string;
    readonly screen: string;
    readonly channel: "screen" | "telephone";
    readonly at: Date;
  }): Promise<void>;
}
