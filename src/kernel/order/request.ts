/**
 * A request on the device's road: what comes in, whoever brings it (the device through the proxy, a representative, a
 * telephone menu, another server, the answer to an offer), and what the doors may ask and do about it afterwards.
 *
 *   received -> verifying -> rejected | awaiting_consent -> declined | expired | provisioning -> completed | partly_completed | failed
 *   feature  pending -> sending -> delivered -> opened -> works, failed by the device -> awaiting_choice -> sending | failed
 *   service  pending -> registering -> needs_information -> registering -> registered -> access_data_sent | failed
 */
import type { CardReference, UserData, UserField } from "../account/user-data.ts";
import type { Assurance, CatalogItem, CatalogKind, Lack } from "../catalog/catalog-item.ts";
import type { Offered } from "../catalog/offered.ts";
import type { Channel, ItemState, OrderState } from "./order.ts";
import type { TextPart, TextTarget } from "./reply-store.ts";

export type { CardReference, UserData, UserField } from "../account/user-data.ts";

export type NewRequest = {
  readonly channel: Channel;
  readonly action: "add" | "remove";
  /** Catalog ids, as chosen. */
  readonly selection: readonly string[];
  /** Whose: at least one of these leads to a subscriber; through the proxy all are known. */
  readonly who: {
    readonly imsi?: string;
    readonly imei?: string;
    readonly msisdn?: string;
    /** Known by an earlier step of ours: the reply to an offer, a portal link. */
    readonly subscriberId?: string;
  };
  readonly user: UserData;
  /** The operator's own number of the account behind the SIM; what is known already stays where none is given. */
  readonly accountNumber?: string;
  /** Fields that a service asks for, by item id and name. */
  readonly fields: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly card: CardReference | null;
  readonly assurance: Assurance;
  /** Who entered it: `device`, the label of a token, `ivr`. */
  readonly actor: string;
  /** BCP 47. */
  readonly language: string;
  /** Profile of the air side, where the proxy told it. */
  readonly bearer: string | null;
  /** The device runs our client module, and secures notices with this key of 32 octets. */
  readonly noticeKey: Uint8Array | null;
  /** Terms that were answered on the same screen already (a representative reads them out), by terms id. */
  readonly agreed: readonly {
    readonly termsId: string;
    readonly version: number;
    readonly channel: string;
  }[];
  /** Order of an offer that this answers. */
  readonly offerId: string | null;
  readonly idempotencyKey: string;
};

/** What a screen shows of a request; nothing of the operator's or a service's own data (R72). */
export type RequestStatus = {
  readonly orderId: string;
  /** 8 characters that a person can read out. */
  readonly reference: string;
  readonly channel: Channel;
  readonly state: OrderState;
  /** For the subscriber, in the request's language. */
  readonly reason: string;
  readonly nextAction: string;
  readonly deadlineAt: string | null;
  /** While who asks is verified: who has the next word. Null in any other state. */
  readonly waitsFor: "person" | "machines" | "subscriber" | null;
  readonly items: readonly {
    readonly id: string;
    readonly catalogId: string;
    readonly kind: Exclude<CatalogKind, "package">;
    /** Id of the package that it came with. */
    readonly package: string | null;
    /** Origin of the server that provisions and bills it; null where that is this one. */
    readonly server: string | null;
    readonly name: string;
    readonly state: ItemState;
    readonly reason: string;
    /** Of a service that needs information: just these are asked for (R61). */
    readonly missing: readonly { readonly name: string; readonly label: string; readonly kind: string }[];
    readonly hasContent: boolean;
  }[];
  /** Fields of the user that are asked for again; empty but while it waits for them. */
  readonly askAgain: readonly UserField[];
  /** Terms that wait for an answer. */
  readonly terms: readonly {
    readonly consentId: string;
    readonly termsId: string;
    readonly version: number;
    readonly text: string;
  }[];
  readonly createdAt: string;
};

/** Whose requests may be seen and answered: one subscriber's, or, for staff, the whole operator's. */
export type RequestScope = { readonly operatorId: string; readonly subscriberId: string | null };

/** What carries an answer to a device: its bearer, and the most octets that one answer may have there; null: no limit. */
export type AnswerAir = { readonly bearer: string | null; readonly octetsMax: number | null };

/** The signed content of one item, for the device to fetch. */
type ItemContent = { readonly contentType: string; readonly bytes: Uint8Array };

/** What a device says of an item; `installed` is its own word (R55). */
export type DeviceOutcome =
  | ({ readonly kind: "installed" } & DeviceModules)
  | ({ readonly kind: "failed"; readonly cause: string } & DeviceModules);

/** Software that the device has now, `Name version` each, as it says itself; left out where it does not say. */
type DeviceModules = { readonly modules?: readonly string[] };

/** An item of a request, by their ids. */
export type ItemReference = { readonly orderId: string; readonly itemId: string };

export interface RequestDesk {
  /**
   * Opens one order a request, once per idempotency key.
   * @throws TurnupError identity_unknown, catalog_item_unknown, assurance_too_low, selection_empty
   */
  submit(
    operatorId: string,
    request: NewRequest,
  ): Promise<{ readonly orderId: string; readonly reference: string; readonly created: boolean }>;
  /**
   * What a model is known to be without, of what an item of the catalog needs: what is asked for or offered there goes by it, and
   * so does every list of what is to be had.
   * @param tac null: nobody knows the device
   */
  lackOf(operatorId: string, tac: string | null, item: Pick<CatalogItem, "requires">): Lack | undefined;
  /** By order id or reference. */
  find(scope: RequestScope, idOrReference: string): Promise<RequestStatus | undefined>;
  /** The newest first; at most 20. */
  ofSubscriber(scope: RequestScope): Promise<readonly RequestStatus[]>;
  /**
   * A person of the operator looked at who asks, and approves or refuses them.
   * @throws TurnupError order_not_found, nothing_to_answer
   */
  review(
    operatorId: string,
    orderId: string,
    answer: { readonly outcome: "approved" | "refused"; readonly actor: string },
  ): Promise<void>;
  /** What was told of whoever waits for a person to look at them, by order id or reference; undefined where none does. */
  underReview(
    operatorId: string,
    idOrReference: string,
  ): Promise<{ readonly orderId: string; readonly user: UserData } | undefined>;
  /** What the subscriber has now. */
  provisioned(scope: RequestScope): Promise<
    readonly {
      readonly itemId: string;
      readonly name: string;
      readonly kind: string;
      readonly since: string;
      /** Of the catalog, as it was provisioned. */
      readonly version: number;
      /** The version on offer would replace it. */
      readonly isOutdated: boolean;
      /** Where it was provisioned. */
      readonly deviceId: string;
    }[]
  >;
  /** @throws TurnupError order_not_found, nothing_to_answer */
  answerTerms(
    scope: RequestScope,
    orderId: string,
    answer: "accept" | "decline",
    channel: string,
  ): Promise<void>;
  /** Just the fields that were asked for. @throws TurnupError order_not_found, nothing_to_answer, field_unknown */
  supplyFields(
    scope: RequestScope,
    orderId: string,
    itemId: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<void>;
  /**
   * Just the fields of the user that were asked for again; they are compared anew.
   * @throws TurnupError order_not_found, nothing_to_answer, field_unknown, details_malformed
   */
  giveDetails(scope: RequestScope, orderId: string, user: UserData, channel: string): Promise<void>;
  /** The user's choice after a failed installation. @throws TurnupError order_not_found, nothing_to_answer */
  chooseRetransmission(
    scope: RequestScope,
    item: ItemReference,
    choice: "retransmit" | "give_up",
    channel: string,
  ): Promise<void>;
  /**
   * Marks it fetched. Undefined where the item has nothing to fetch now.
   * @throws TurnupError order_not_found, content_unavailable, bearer_too_narrow: more than the device's bearer carries
   */
  content(scope: RequestScope, item: ItemReference, air?: AnswerAir): Promise<ItemContent | undefined>;
  /** False where it said so before. */
  deviceReports(
    scope: RequestScope,
    item: ItemReference,
    outcome: DeviceOutcome,
    channel: string,
  ): Promise<boolean>;
  /**
   * A text that a subscriber sent (`YES 4821`, `STOP`), and where they sent it to; false where it answers nothing of ours.
   * @param part of a longer text, which is no plain answer
   */
  textCame(from: string, text: string, to?: TextTarget, part?: TextPart): Promise<boolean>;
  /** A binary reply of the client module; false where it is none of ours. */
  replyCame(bytes: Uint8Array): Promise<boolean>;
  /** A notice to ask a subscriber what an offer names, to each that may be offered it; the answers stand in the order of `to`. */
  sendOffers(
    operatorId: string,
    offer: {
      readonly itemId: string;
      readonly to: readonly { readonly imsi?: string; readonly msisdn?: string }[];
      readonly actor: string;
      /** Own words for this offer; {operator}, {item}, {code} and {link} are filled in. */
      readonly text?: string | undefined;
      readonly idempotencyKey: string;
    },
  ): Promise<readonly Offered[]>;
  /** What stands behind the link of an offer; undefined where it was answered, or its time is over. */
  findOffer(token: string): Promise<
    | {
        readonly offerId: string;
        readonly operatorId: string;
        readonly subscriberId: string;
        readonly itemId: string;
        readonly expiresAt: string;
      }
    | undefined
  >;
}
