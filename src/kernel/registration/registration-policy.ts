/** What an operator decides about whom it lets in: a part of its policy for requests. */
import { type CardTryLimits, DEFAULT_CARD_TRY_LIMITS } from "../account/card-tries.ts";
import type { UserField } from "../account/user-data.ts";
import { DEFAULT_OWN_RECORD_POLICY, type OwnRecordPolicy } from "./own-record.ts";

export type RegistrationPolicy = {
  /** Who is verified: everybody; whoever was not provisioned on this device before (R37); only whom an item asks it of. */
  readonly verify: "always" | "new_devices" | "items";
  /** By whom: an identity bureau, or what the server knows itself (R38). An item that asks for verification asks the bureau. */
  readonly verifyBy: "bureau" | "own_data";
  /**
   * Who looks where the server's own data is to decide and it knows nothing of the person: the bureau, and a person of the
   * operator where none is configured or no name was given; a person of the operator; nobody, and they are refused with the
   * reason; nobody, and having the SIM is enough. Only the last lets somebody in of whom nothing is known.
   */
  readonly unknownUser: "bureau" | "review" | "reject" | "accept";
  /** What the operator's own record of a SIM decides, where there is one and `verifyBy` does not leave it to the bureau. */
  readonly ownRecords: OwnRecordPolicy;
  /** How long a person of the operator has to look at who asks; nothing by then is a no. */
  readonly reviewDeadlineHours: number;
  /** Least score of the bureau, 0 to 100, where it gives one. */
  readonly identityThreshold: number;
  /** A card is checked whenever a user is verified, not only where an item asks for it (R8). */
  readonly cardRequired: boolean;
  /** Fields of the user that must be there when they are verified. */
  readonly userFields: readonly UserField[];
  /** Least age of a user, in whole years, where the birthdate is given; null: any. */
  readonly minimumAgeYears: number | null;
  /** Refuse devices whose TAC no data names. New models come before their data, so that this asks for fresh lists. */
  readonly knownModelsOnly: boolean;
  /**
   * Where sightings must have the SIM: in this device; in no other one (a network that reports late has it nowhere yet);
   * wherever it is.
   */
  readonly devicePairing: "current" | "not_elsewhere" | "any";
  readonly fraud: FraudLimits;
  /** When a pause comes between two cards (R38). */
  readonly cardTries: CardTryLimits;
};

/** From when on a pattern stops a request (R39). */
export type FraudLimits = {
  /** One device identity with two SIMs in two places, or one SIM in two devices in two places, within so many minutes. */
  readonly twoPlacesMinutes: number;
  /** What a place is: the network that served, or its country. */
  readonly place: "network" | "country";
  /** Other SIMs that a device may have been seen with in a day. */
  readonly simsOfDeviceMax: number;
  /** Different cards that may be tried for one subscriber, or on one device, within the window of `cardTries`. */
  readonly cardsTriedMax: number;
  /** Accounts of others that may stand on one card, on one identity document, on SIMs of one device. */
  readonly cardAccountsMax: number;
  readonly documentAccountsMax: number;
  readonly deviceAccountsMax: number;
  /** Requests of one device, or of one subscriber, within the hours given. */
  readonly requestsMax: number;
  readonly requestWindowHours: number;
};

export const DEFAULT_FRAUD_LIMITS: FraudLimits = {
  twoPlacesMinutes: 10,
  place: "network",
  simsOfDeviceMax: 5,
  cardsTriedMax: 5,
  cardAccountsMax: 3,
  documentAccountsMax: 3,
  deviceAccountsMax: 5,
  requestsMax: 20,
  requestWindowHours: 24,
};

export const DEFAULT_REGISTRATION_POLICY: RegistrationPolicy = {
  verify: "new_devices",
  verifyBy: "own_data",
  unknownUser: "bureau",
  ownRecords: DEFAULT_OWN_RECORD_POLICY,
  reviewDeadlineHours: 72,
  identityThreshold: 80,
  cardRequired: false,
  userFields: [],
  minimumAgeYears: null,
  knownModelsOnly: false,
  devicePairing: "not_elsewhere",
  fraud: DEFAULT_FRAUD_LIMITS,
  cardTries: DEFAULT_CARD_TRY_LIMITS,
};
