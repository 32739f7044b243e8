/**
 * Who may knock: the roles a token can have. A role says what its bearer is, a route says which roles it serves;
 * nothing is inherited, so that reading one route's line tells who may use it.
 *
 *   admin           the operator's own administrator: tokens, policy, audit, secrets in clear
 *   engineer        runs the network's settings: access points, relations, overrides, resends
 *   care            answers a subscriber: looks up phones and orders, opens, resends and cancels
 *   probe           a machine in the network: reports sightings and traffic, reads nothing back
 *   maker           a manufacturer's server: reports the devices that reached it, reads its own statement
 *   representative  enters a request for the customer who stands before it or calls, and sees the catalog
 *   partner         another company's server: enters requests for its own customers
 *   voice           the voice gateway: asks for the pages of the telephone menu
 */
export const ROLES = [
  "admin",
  "engineer",
  "care",
  "probe",
  "maker",
  "representative",
  "partner",
  "voice",
] as const;
export type Role = (typeof ROLES)[number];

/** Who a request is made by, once its token is known. */
export type Caller = {
  readonly tokenId: string;
  readonly operatorId: string;
  readonly role: Role;
  /** The token's label: what the audit names as the actor. */
  readonly label: string;
  /** Of a manufacturer: whose statement it reads; left out where its token names none. */
  readonly make?: string;
  /** Whose token it is; left out where nobody said. */
  readonly person?: string;
  /** Who made the token by a token of their own, and who made that one. */
  readonly vouchedBy?: readonly string[];
};
