/** What requests ask of storage inside a transaction, beside orders. */

import type { AccountBooks } from "../account/account-books.ts";
import type { AccountFacts, FactsQuery } from "../account/account-facts.ts";
import type { CatalogKind } from "../catalog/catalog-item.ts";
import type { ItemBody } from "../catalog/item-body.ts";
import type { DueRenewal, DueRetry } from "../settlement/collection.ts";
import type { OrderDraft } from "./order-draft.ts";
import type { ReplyStore, ReplyTransaction } from "./reply-store.ts";
import type { NewRequest } from "./request.ts";
import type { RegistrationDraft, RequestDraft } from "./request-draft.ts";

/** SIM and handset of whoever asks, by our ids. */
export type Asker = {
  readonly subscriberId: string;
  readonly deviceId: string;
  /** MCC and MNC of the SIM's own network, and of the one that served it last; null where nobody saw it. */
  readonly homePlmn: string;
  readonly servingPlmn: string | null;
};

/** Something that is provisioned, on the device that it was provisioned on. */
export type Holding = {
  readonly itemId: string;
  readonly version: number;
  readonly deviceId: string;
  /** What was given for it, by name. */
  readonly given: Readonly<Record<string, string>>;
};

/** An order and its request as they are first written; items, consents and events follow as changes of the draft. */
export type NewRequestOrder = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly cause: NewRequest["channel"];
  readonly idempotencyKey: string;
  readonly networkKind: string;
  readonly market: string | null;
  readonly servingPlmn: string | null;
  readonly reason: string;
  readonly deadlineAt: Date;
  readonly request: RequestDraft;
};

/** A question that waits for a reply by text. */
export type OpenQuestion =
  | { readonly kind: "terms"; readonly code: string; readonly orderId: string; readonly askedAt: Date }
  | {
      readonly kind: "choice";
      readonly code: string;
      readonly orderId: string;
      readonly itemId: string;
      readonly askedAt: Date;
    }
  | { readonly kind: "offer"; readonly code: string; readonly offerId: string; readonly askedAt: Date };

/** Something that is provisioned, as a screen shows it. */
export type ProvisionedRow = {
  readonly itemId: string;
  readonly deviceId: string;
  readonly version: number;
  readonly since: Date;
  readonly kind: CatalogKind | null;
  /** Of the catalog, with its names. */
  readonly body: ItemBody | null;
};

/** An offer as it is written; one whose time is over may still say `sent`. */
export type OfferRow = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly itemId: string;
  readonly state: "sent" | "taken" | "declined" | "expired";
  readonly expiresAt: Date;
  /** By item and name: what a text gave of what the offer lacks; it waits for a yes. */
  readonly given: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** What a request reads and writes within one transaction. */
export interface RequestTransaction extends ReplyTransaction {
  /**
   * Who asks: SIM and device by their numbers, made where both are told; by one of them, or by a phone number, whoever is
   * seen with it now. Locks the subscriber, so that two requests of one never see the same past.
   */
  askerOf(
    operatorId: string,
    who: NewRequest["who"],
    newId: () => string,
    /** The network itself names SIM and number: a number that another SIM had is taken from it. Anybody else's word takes none. */
    byNetwork?: { readonly now: Date } | undefined,
  ): Promise<Asker | undefined>;
  /** The request that this idempotency key made before. */
  requestByKey(
    operatorId: string,
    idempotencyKey: string,
  ): Promise<{ readonly orderId: string; readonly reference: string } | undefined>;
  /** What the subscriber has, on whichever device. */
  holdingsOf(operatorId: string, subscriberId: string): Promise<readonly Holding[]>;
  /** The first 8 digits of the device's IMEI. */
  tacOf(operatorId: string, deviceId: string): Promise<string>;
  /** Those of these subscribers who have something of the catalog: others serve their devices too. */
  servedOf(subscriberIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** What open requests of this device bring, or take away, already: catalog ids, and the reference of the request. */
  underwayOf(
    operatorId: string,
    asker: Asker,
    action: NewRequest["action"],
  ): Promise<ReadonlyMap<string, string>>;
  /** Catalog ids of what other servers provisioned for them by requests from here, and have not removed since. */
  doneElsewhere(operatorId: string, subscriberId: string): Promise<readonly string[]>;
  /** What verification and the search for fraud look at. */
  factsOf(query: FactsQuery): Promise<AccountFacts>;
  /** How often the subscriber had this order sent again themselves since. */
  selfCareResendsOf(orderId: string, since: Date): Promise<number>;
  /** What the operator has on file of this subscriber, and how often something else was given since. */
  recordFactsOf(
    asker: Pick<Asker, "subscriberId" | "deviceId"> & { readonly operatorId: string },
    since: Date,
  ): Promise<Pick<AccountFacts, "record" | "recordTries">>;
  /** What stands at service servers for this subscriber, on whichever device, by which older request ever. */
  registrationsOf(operatorId: string, subscriberId: string): Promise<readonly RegistrationDraft[]>;
  /** The key that this device gave last: its client secures notices with it. */
  noticeKeyOf(operatorId: string, asker: Asker): Promise<Uint8Array | null>;
  /** What the billing centre is to hear, and heard last, of whoever asks. */
  accountBooksOf(subscriberId: string): Promise<AccountBooks>;
  /** Keeps the operator's own number of the subscriber's account, sealed. */
  putAccountNumber(operatorId: string, subscriberId: string, number: string): Promise<void>;
  /** Orders of which something is due to be collected, not locked: a month of what is had, or a sum that was refused for now. */
  dueCollections(now: Date, limit: number): Promise<readonly string[]>;
  /** What of these orders is due, locked; their orders are locked before. */
  takeDueCollections(
    orderIds: readonly string[],
    now: Date,
  ): Promise<{ readonly renewals: readonly DueRenewal[]; readonly retries: readonly DueRetry[] }>;
  /** Writes the order and its request; the rest follows as changes of the draft. */
  openRequest(order: NewRequestOrder, now: Date): Promise<void>;
  /** Of the subscriber's account or latest request. */
  languageOf(operatorId: string, subscriberId: string): Promise<string | undefined>;
  /** An offer, locked, so that it is taken or declined once. */
  lockOffer(operatorId: string, offerId: string): Promise<OfferRow | undefined>;
  /** Until it is answered; in the place of what was given before. */
  keepOfferFields(operatorId: string, offerId: string, given: OfferRow["given"]): Promise<void>;
  /** What was given by text for offers whose time is over, and to which nobody said yes. */
  dropOfferFields(now: Date): Promise<void>;
  /** Whether a message with this key was queued before. */
  isQueued(operatorId: string, idempotencyKey: string): Promise<boolean>;
}

/**
 * What requests ask of storage outside a transaction.
 * @throws TurnupError as `OrderStore`
 */
export interface RequestStore extends ReplyStore {
  /** Open questions of whoever has this phone number, over all operators, the newest first. */
  questionsOf(
    msisdn: string,
    now: Date,
  ): Promise<
    readonly (OpenQuestion & {
      readonly operatorId: string;
      readonly subscriberId: string;
      readonly language: string;
    })[]
  >;
  /** Requests whose notices are secured by a key with this reference. */
  requestsByKey(keyReference: Uint8Array): Promise<
    readonly {
      readonly operatorId: string;
      readonly subscriberId: string;
      readonly orderId: string;
      readonly reference: string;
      readonly noticeKey: Uint8Array;
    }[]
  >;
  /** An order's id, by id or reference, if it is in scope. */
  orderIdOf(
    scope: { readonly operatorId: string; readonly subscriberId: string | null },
    idOrReference: string,
  ): Promise<string | undefined>;
  /** As they stand, without a lock: for screens. */
  readOrders(orderIds: readonly string[]): Promise<readonly OrderDraft[]>;
  /** The newest first; at most 20. */
  ordersOf(operatorId: string, subscriberId: string): Promise<readonly OrderDraft[]>;
  /** What the network opened for them, the newest first; at most 5. */
  networkOrdersOf(operatorId: string, subscriberId: string): Promise<readonly OrderDraft[]>;
  /** What the subscriber has, on whichever device, with names as the catalog had them in that version. */
  provisionedOf(operatorId: string, subscriberId: string): Promise<readonly ProvisionedRow[]>;
  /** By the SHA-256 of the token in its link. */
  offerByToken(tokenHash: Uint8Array): Promise<OfferRow | undefined>;
}
