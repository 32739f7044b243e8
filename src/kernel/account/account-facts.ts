/** What the books know of who asks: the ground that verification and the search for fraud stand on. */
import type { Mandate, UserData } from "./user-data.ts";

/** A stay of a SIM in a device. */
export type Appearance = {
  readonly subscriberId: string;
  readonly deviceId: string;
  /** The network where it was last seen (`MCC-MNC`); null where nobody told. */
  readonly place: string | null;
  readonly since: Date;
  readonly lastSeenAt: Date;
};

/** A verified user; the billing centre knows them by `id`. */
export type UserAccount = {
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly user: UserData;
  readonly language: string;
  readonly card: AccountCard | null;
  readonly state: "verified" | "registered" | "closed";
  readonly billingReference: string | null;
};
type AccountCard = {
  readonly token: string;
  /** First 6 and last 4. */
  readonly digits: string;
  readonly index: Uint8Array;
  /** Of a bank account. */
  readonly mandate: Mandate | null;
};

export type AccountFacts = {
  /** Something was provisioned to this device for this subscriber before. */
  readonly isKnownDevice: boolean;
  readonly account: UserAccount | null;
  /** What the operator has on file of this SIM, or else of its number: imported, not told by whoever asks. */
  readonly record: { readonly user: UserData; readonly isOfAnotherSim: boolean } | null;
  /** Comparisons with a record that fell short of a full match, of this subscriber or this device; the larger of the two. */
  readonly recordTries: number;
  /** Where the SIM is by the latest sighting. `never`: it was seen in no device. */
  readonly pairing: "current" | "another_device" | "never";
  /** SIMs that this device was seen with lately, and devices that this SIM was seen in; the latest first. */
  readonly ofDevice: readonly Appearance[];
  readonly ofSubscriber: readonly Appearance[];
  /** Accounts of other subscribers: with this card, with this identity document, of SIMs that were in this device. */
  readonly cardAccounts: number;
  readonly documentAccounts: number;
  readonly deviceAccounts: number;
  /** Different cards tried for this subscriber, or on this device, lately; the larger of the two. */
  readonly cardsTried: number;
  /** Requests within the window asked for, this one not among them. */
  readonly requestsOfDevice: number;
  readonly requestsOfSubscriber: number;
};

export type FactsQuery = {
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly deviceId: string;
  readonly cardIndex: Uint8Array | null;
  /** As given; looked for by its blind index. */
  readonly idDocument: string | null;
  /** Appearances since; and requests since. */
  readonly seenSince: Date;
  readonly requestsSince: Date;
  /** Cards tried since. */
  readonly cardsSince: Date;
  /** Comparisons with a record since. */
  readonly recordTriesSince: Date;
};

export interface AccountFactsSource {
  factsOf(query: FactsQuery): Promise<AccountFacts>;
}

export interface Accounts {
  find(operatorId: string, subscriberId: string): Promise<UserAccount | undefined>;
  /**
   * Makes the account of a subscriber, or brings it to what is known now: fields that are not given keep what they were.
   * An account that billing knows stays registered.
   */
  put(account: NewUserAccount, now: Date): Promise<UserAccount>;
}

export type NewUserAccount = {
  /** Of a new account; one that is there keeps its own. */
  readonly id: string;
  readonly operatorId: string;
  readonly subscriberId: string;
  readonly user: UserData;
  readonly language: string;
  readonly card: AccountCard | null;
};
