/**
 * A request as the conductor's draft, beside its order: who asks, what was agreed to, what is known so far. It is read
 * with its order, under its lock, changed in memory, and written with it. What is somebody's own (user data, keys,
 * registration data, access data) is unsealed here and nowhere else: it never enters an event, a reason or a call's body.
 */

import type { AccountBooks } from "../account/account-books.ts";
import type { CardReference, UserData } from "../account/user-data.ts";
import type {
  Assurance,
  FeatureContent,
  Localized,
  NeededField,
  NetworkElement,
  Price,
} from "../catalog/catalog-item.ts";
import type { Findings, Rejection, Verdict, VerificationDue } from "../registration/judge-verification.ts";
import type { OrderState } from "./order.ts";

/**
 * How far an element of the network is with one item. `wanted`: not asked yet; `withheld`: it never will be; `undo`: it is to
 * be taken back as soon as it has answered; `not_undone`: a person has to see to it; `left`: it did not let go of the version
 * before, and a person has to see to that.
 */
export type ElementState =
  | "wanted"
  | "withheld"
  | "asked"
  | "done"
  | "failed"
  | "left"
  | "undo"
  | "undoing"
  | "undone"
  | "not_undone";

/**
 * How the billing centre hears of an item. `telling`, `committing`, `aborting`: word is on its way; `told`, `committed`,
 * `aborted`: the centre took it; `not_taken`: it did not, and a person has to see to it; `unchanged`: nothing that is billed is
 * another.
 */
export type ItemBilling = {
  /**
   * `tell`: it is told afterwards. `change`: the account is registered already, so the change is prepared first and takes
   * effect with the item, or not at all.
   */
  readonly mode: "tell" | "change";
  readonly state:
    | "none"
    | "preparing"
    | "prepared"
    | "telling"
    | "told"
    | "committing"
    | "committed"
    | "aborting"
    | "aborted"
    | "not_taken"
    | "unchanged";
  /** Id of the call that prepared it. */
  readonly preparedBy: string | null;
};

/** A question that a reply by text answers: `YES 4821`. */
type Question = { readonly code: string };

/** Kept in order_item.subject. */
export type ItemRequest = {
  readonly catalogId: string;
  readonly version: number;
  readonly action: "add" | "remove";
  /**
   * What of the item is there already, in an older version (R122): it stays until the new one is there, and for good where the
   * new one comes to nothing. Left out where nothing is replaced.
   */
  readonly replaces?: {
    readonly version: number;
    readonly elements: readonly NetworkElement[];
    /** Of these, what the new version has no use for: they are told so last. */
    readonly drops?: readonly NetworkElement[];
    /** Its parameters, for elements that have to be told them again; `{name}` stands for what was given for it. */
    readonly values: Readonly<Record<string, string>>;
    /** Names of what it asked for. */
    readonly fields?: readonly string[];
    /** Software of it on the device that the new version has no use for. */
    readonly module?: string | null;
    /** The device's own software that it had woken, and that the new version has no use for. */
    readonly activation?: string | null;
    /** It set access points, which nothing that is sent takes off a device, and the new version sets none. */
    readonly leavesAccessPoints?: boolean;
    /** The version is the same: what was given for it is another. */
    readonly isGivenAnew?: boolean;
  };
  /** Id of a package that holds it no more in the version that is asked for: it goes once all else of that is there. */
  readonly leaves?: string;
  /** Id of the package that it came with. */
  readonly package: string | null;
  /** Origin of the provisioning server that does and bills it; undefined or null where that is this one. */
  readonly server?: string | null;
  readonly name: Localized;
  readonly content: FeatureContent;
  /** Of a feature: what it asks for; what was given stands with the request, sealed. Left out where it asks for nothing. */
  readonly fields?: readonly NeededField[];
  readonly service: { readonly uri: string; readonly fields: readonly NeededField[] } | null;
  /** The module that a service needs on the device is an item of its own: the id of the service's item. */
  readonly moduleOf: string | null;
  readonly price: Price;
  readonly terms: string | null;
  readonly elements: Readonly<Partial<Record<NetworkElement, ElementState>>>;
  readonly billing: ItemBilling;
  /** How its content goes now; null before it went. */
  readonly channel: "narrowband" | "wideband" | null;
  readonly retransmissions: number;
  readonly question: Question | null;
  /** What the service server asked for, by name. */
  readonly missing: readonly { readonly name: string; readonly problem: "missing" | "corrupt" }[];
  /** How often it was registered for; each round is a call of its own. */
  readonly round: number;
};

export type ConsentDraft = {
  readonly id: string;
  readonly termsId: string;
  readonly termsVersion: number;
  readonly language: string;
  readonly text: string;
  readonly code: string;
  /** The SMS that holds its text; null where it was agreed to on the screen that showed it. */
  payloadId: string | null;
  /** Channels that took it: the message centre all parts of the SMS, the mail server a mail or fax, or the screen that showed it. */
  sentBy: readonly string[];
  askedAt: Date;
  answer: "accept" | "decline" | null;
  answeredBy: string | null;
  answeredAt: Date | null;
  isNew: boolean;
  changed: boolean;
};

export type RegistrationDraft = {
  readonly id: string;
  /** What the service server knows it by: its own id, or that of the registration that it took over there. */
  readonly registeredAs: string;
  readonly itemId: string;
  /** Of the item: what a removal finds it by. */
  readonly catalogId: string;
  readonly service: string;
  remoteId: string | null;
  /**
   * `withheld`: the service server never heard of it; `removing`: it was asked to end it, and has not said so; `not_removed`:
   * it did not, and a person has to see to it; `replaced`: a later one goes on with it at the same service server.
   */
  state:
    | "asked"
    | "needs_information"
    | "registered"
    | "removing"
    | "removed"
    | "not_removed"
    | "refused"
    | "withheld"
    | "replaced";
  missing: readonly string[];
  /** What was sent. */
  data: { readonly user: UserData; readonly fields: Readonly<Record<string, string>> };
  /** What came back; null once the device has it. */
  access: Readonly<Record<string, string>> | null;
  isNew: boolean;
  changed: boolean;
};

/** Kept in request.verification: what was looked at and what it said; no value of a user's field is in it. */
export type VerificationRecord = {
  readonly due: VerificationDue;
  readonly findings: Findings;
  readonly verdict: Verdict["outcome"];
  readonly reasons: readonly Rejection[];
};

/** A verified user; the billing centre knows them by `id`. */
export type AccountDraft = {
  readonly id: string;
  readonly state: "verified" | "registered" | "closed";
};

export type RequestDraft = {
  /** The state of the order when this transaction read it: what it says of an end that is new. */
  readonly stateBefore: OrderState;
  readonly reference: string;
  readonly action: "add" | "remove";
  readonly selection: readonly string[];
  readonly actor: string;
  readonly assurance: Assurance;
  readonly language: string;
  readonly bearer: string | null;
  readonly hasClient: boolean;
  readonly noticeKey: Uint8Array | null;
  readonly card: Omit<CardReference, "brand"> | null;
  /** Emptied when nothing came of the request. */
  user: UserData;
  /** What a service asks for, by catalog id and name. */
  fields: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What was given for the versions that are replaced, by catalog id and name: for elements that are told them again. */
  formerFields: Readonly<Record<string, Readonly<Record<string, string>>>>;
  verification: VerificationRecord | null;
  /** When the next periodic status goes out. */
  nextNoticeAt: Date | null;
  consents: ConsentDraft[];
  registrations: RegistrationDraft[];
  account: AccountDraft | null;
  /** What the books have of the subscriber's account for the billing centre. */
  books: AccountBooks;
  changed: boolean;
};

export type NewProvisionedItem = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly catalogId: string;
  readonly version: number;
  readonly orderId: string;
  /** When its next month is collected; null where this server collects none; as before, where what is had stays the same. */
  readonly renewsAt: Date | null | "as_before";
  /** By name: what was given for it. */
  readonly given: Readonly<Record<string, string>>;
};

export type NewOffer = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly itemId: string;
  readonly code: string;
  readonly tokenHash: Uint8Array;
  readonly actor: string;
  readonly expiresAt: Date;
};
