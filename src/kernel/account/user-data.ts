/** Who a user says to be, and the card that pays: what a request brings and an account keeps (US 6,647,260, columns 3 and 5). */

/** Fields of a user, as CAMARA KYC Match and SCIM name them; all optional, the operator's policy says which it needs. */
export const USER_FIELDS = [
  "givenName",
  "familyName",
  "birthdate",
  "streetName",
  "streetNumber",
  "postalCode",
  "locality",
  "country",
  "idDocument",
  "email",
  "fax",
] as const;
export type UserField = (typeof USER_FIELDS)[number];
export type UserData = Readonly<Partial<Record<UserField, string>>>;

/** By what a direct debit may be collected: its reference, and the day (YYYY-MM-DD) on which it was given. */
export type Mandate = { readonly reference: string; readonly signedOn: string };

/** A card or account as the payment provider knows it. The number itself exists only between a door and the payment provider. */
export type CardReference = {
  readonly token: string;
  readonly first6: string;
  readonly last4: string;
  readonly brand: string;
  /** HMAC-SHA-256 of operator and number under a secret: the same card is seen again without being known. */
  readonly index: Uint8Array;
  /** Of a bank account. */
  readonly mandate?: Mandate | null;
};
