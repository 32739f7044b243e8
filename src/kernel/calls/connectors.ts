/**
 * What a request asks of other companies' machines. Each is called by the outbound calls from a durable call, so every port
 * must take the same id again without doing it twice; a time-out or an answer that cannot be read is `failed`: it is
 * asked again until the call's deadline, and then counts as a no, never as a yes.
 */
import type { BilledAccount, BilledProvisioning } from "../../wire/message/billing-api.ts";
import type { Assurance, NetworkElement } from "../catalog/catalog-item.ts";
import type { ItemState, OrderState } from "../order/order.ts";
import type { ProvisioningEvent } from "../order/outbound-call.ts";
import type { CardReference, UserData } from "../order/request.ts";
import type { CollectionPurpose } from "../settlement/collection.ts";
import type { ReturnsAsked } from "../settlement/collection-return.ts";

/** A no of the other side, for good; `cause` is a stable word, `reason` is for staff. */
export type Refused = { readonly kind: "refused"; readonly cause: string; readonly reason: string };

/** No answer that could be read: asked again until the call's deadline. `cause` is a stable word. */
export type Failed = { readonly kind: "failed"; readonly cause: string; readonly reason: string };

/** A credit bureau or a register of identities (R38). CAMARA KYC Match is one adapter. */
export interface IdentityBureau {
  /** Whether the number's holder is who the user says to be. */
  verify(request: {
    readonly id: string;
    readonly msisdn: string;
    readonly user: UserData;
  }): Promise<IdentityAnswer>;
}

/** A mismatch is an answer; what could not be asked is `failed`. */
export type IdentityAnswer =
  | {
      readonly kind: "answered";
      readonly outcome: "match" | "mismatch";
      /** 0 to 100, the lowest of its fields; null where the bureau gives none. */
      readonly score: number | null;
      readonly mismatched: readonly string[];
    }
  | Failed;

/** Takes card numbers at once and gives a token; holds sums against a token (R38). */
export interface PaymentProvider {
  /** Called at the door, before anything is written; the number and the code are nowhere else. */
  tokenise(card: {
    readonly pan: string;
    /** MMYY */
    readonly expiry: string;
    readonly cvv: string | null;
    readonly idempotencyKey: string;
  }): Promise<{ readonly kind: "token"; readonly card: Omit<CardReference, "index"> } | Refused | Failed>;
  /**
   * An account, with the mandate by which a direct debit may be collected from it. Left out where it takes cards alone, and
   * undefined from when it said so.
   */
  readonly tokeniseAccount?:
    | ((account: {
        readonly iban: string;
        readonly holder?: string;
        readonly mandate: { readonly reference: string; readonly signedOn: string };
        readonly idempotencyKey: string;
      }) => Promise<
        { readonly kind: "token"; readonly token: string } | { readonly kind: "not_taken" } | Refused | Failed
      >)
    | undefined;
  /** A sum of 0 checks the card alone. */
  authorise(request: {
    readonly id: string;
    readonly token: string;
    readonly amountMinor: number;
    readonly currency: string;
  }): Promise<{ readonly kind: "approved"; readonly reference: string } | Refused | Failed>;
  /** Takes a sum, from a card or an account alike; the same id is taken once. */
  collect(request: {
    readonly id: string;
    readonly token: string;
    /** Of a bank account: by what it may be collected from. */
    readonly mandate: string | null;
    readonly amountMinor: number;
    readonly currency: string;
    readonly purpose: CollectionPurpose;
    /** What it is to be called on the bank's statements on both sides. */
    readonly endToEndId: string;
  }): Promise<{ readonly kind: "taken"; readonly reference: string } | Refused | Failed>;
  /** What came back since where the last answer ended, oldest first; undefined where it has no such list. */
  readonly returns?: ((asked: { readonly after: string | null }) => Promise<ReturnsAsked>) | undefined;
}

/** One service server, by its URI: SCIM 2.0 over mutual TLS (R43, R58 to R61). */
export interface ServiceServerPort {
  /** Registers a user, or completes a registration that asked for more; access data comes in one answer alone. */
  register(registration: ServiceRegistration): Promise<ServiceAnswer>;
  /** Ends a registration; one that is gone already, or that never was, is `done`. Without its own id it is found by ours. */
  remove(registration: {
    readonly id: string;
    readonly remoteId: string | null;
  }): Promise<{ readonly kind: "done" } | Refused | Failed>;
  /** Tells of the device of a registered user; a provider that has no place for it refuses. */
  tell(
    news: ProvisioningNews & { readonly registrationId: string; readonly remoteId: string | null },
  ): Promise<Told>;
}

/** Who is registered at a service, and what the service asked for. */
export type ServiceRegistration = {
  /** The same at every repeat, and SCIM's externalId. */
  readonly id: string;
  /** Of a registration that asked for more: what to complete. */
  readonly remoteId: string | null;
  /** The user is registered: what is given now stands in the place of what was, and what gives access stays. */
  readonly isChange?: boolean;
  readonly msisdn: string;
  readonly user: UserData;
  readonly fields: Readonly<Record<string, string>>;
  readonly language: string;
};

/** What became of a registration. */
export type ServiceAnswer =
  /** `accessData`: passwords and addresses for the device alone. */
  | {
      readonly kind: "registered";
      readonly remoteId: string;
      readonly accessData: Readonly<Record<string, string>>;
    }
  /** Just these fields are missing or corrupt (R61). */
  | {
      readonly kind: "needs_information";
      readonly remoteId: string | null;
      readonly fields: readonly { readonly name: string; readonly problem: "missing" | "corrupt" }[];
    }
  | Refused
  | Failed;

/** What came about on a device that the other side serves, by others than itself (R123). */
export type ProvisioningNews = {
  /** The same at every repeat. */
  readonly id: string;
  readonly event: ProvisioningEvent;
  /** Catalog ids; `settings` and `key` of what the network had done. */
  readonly items: readonly string[];
  /** The device's, where it is known. */
  readonly make: string | null;
  readonly model: string | null;
  readonly at: Date;
};
type Told = { readonly kind: "done"; readonly reference: string | null } | Refused | Failed;

/** An element of the network that serves the device (R48): TMF640 over HTTP is one adapter. */
export interface NetworkElementPort {
  /** Makes, or takes back, one item at one element; `reference` is the element's own number of it. */
  apply(task: {
    readonly id: string;
    readonly element: NetworkElement;
    readonly action: "add" | "remove";
    readonly catalogId: string;
    readonly msisdn: string;
    readonly imsi: string;
    readonly imei: string;
    readonly values: Readonly<Record<string, string>>;
  }): Promise<{ readonly kind: "done"; readonly reference: string | null } | Refused | Failed>;
  /** Tells of a device that it serves; nothing is done there by it. */
  tell(
    news: ProvisioningNews & {
      readonly element: NetworkElement;
      readonly msisdn: string;
      readonly imsi: string;
      readonly imei: string;
    },
  ): Promise<Told>;
}

/**
 * The billing centre (R63 and R64). `prepare` reserves a change of billing; it takes effect by `commit` and is
 * dropped by `abort`, so that a change is made here and there, or nowhere.
 */
export interface BillingCentre {
  /** Tells one thing, in whole minor units; `reference` is the centre's own number of the booking. */
  tell(notice: {
    readonly id: string;
    readonly kind:
      | "account"
      | "account_change"
      | "feature"
      | "service"
      | "prepare"
      | "commit"
      | "abort"
      /** A sum that this server collected came back: `onceMinor` of it is owed again. */
      | "collection_returned"
      /** Nothing is booked by it. */
      | "provisioning";
    /** Id of the user's account. */
    readonly accountId: string;
    readonly catalogId: string | null;
    readonly action: "add" | "remove";
    readonly onceMinor: number;
    readonly monthlyMinor: number;
    readonly currency: string | null;
    /** Of commit and abort: the id that was prepared. */
    readonly prepared: string | null;
    /** Of account and account_change: whom it bills, as far as the operator's policy lets it out. */
    readonly account: BilledAccount | null;
    /** Of provisioning. */
    readonly provisioning?: BilledProvisioning;
  }): Promise<{ readonly kind: "done"; readonly reference: string | null } | Refused | Failed>;
}

/** Terms and notices to an e-mail address or, by a mail-to-fax gateway, to a fax number (R52). */
export interface MailPort {
  /** Hands one text to the mail server. `done`: the server took it, which does not prove that anybody read it. */
  send(mail: {
    readonly id: string;
    readonly to:
      | { readonly kind: "mail"; readonly address: string }
      | { readonly kind: "fax"; readonly number: string };
    readonly subject: string;
    readonly text: string;
    readonly language: string;
  }): Promise<{ readonly kind: "done"; readonly reference: string | null } | Refused | Failed>;
}

/** Another provisioning server that takes requests of ours as its partner's (R6, R40 and R120). */
export interface PeerServer {
  /** Hands the request over, once an id, and says how it stands there: one whose `reference` is known is looked at alone. */
  forward(request: PeerRequest): Promise<PeerAnswer>;
}

/** A request as the other server gets it; numbers are digits. */
export type PeerRequest = {
  readonly id: string;
  readonly action: "add" | "remove";
  /** Ids of its catalog. */
  readonly selection: readonly string[];
  readonly subscriber: { readonly imsi: string; readonly imei: string; readonly msisdn: string | null };
  readonly user: UserData;
  readonly fields: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly language: string;
  readonly assurance: Assurance;
  /** Of the device's client module, so that its notices too are read by the device alone. */
  readonly noticeKey: Uint8Array | null;
  /** What that server calls it; null where it has not said yet that it has it. */
  readonly reference: string | null;
};

/** How it stands there. */
export type PeerAnswer =
  | {
      readonly kind: "forwarded";
      /** What that server calls it. */
      readonly reference: string;
      readonly state: OrderState;
      readonly reason: string;
      readonly items: readonly {
        readonly catalogId: string;
        /** Of the package that it came with there. */
        readonly package: string | null;
        readonly state: ItemState;
        readonly reason: string;
      }[];
    }
  | Refused
  | Failed;
