/**
 * What Turnup tells an operator's billing centre, as JSON over HTTP(S) with a bearer secret.
 *
 *   POST /v1/notices
 *
 *   account           a user's account is opened; the first message of an account
 *   account_change    who its holder is, or what they have, is told anew; the whole of it, with the time that it is true of
 *   feature, service  something was provisioned or taken away
 *   provisioning      something was provisioned, changed or removed on the device, which nothing is booked for
 *   collection_returned  a sum that this server collected came back: `onceMinor` of it is owed again; who told that one may forget it
 *   prepare           a change is reserved; it takes effect by `commit` and is dropped by `abort`, which name it
 *
 * `id` is the idempotency key: a repeat gets the first answer again, a repeat with other content is refused as `id_reused`.
 */
import { integer, list, object, oneOf, optional, type Read, text } from "./shape.ts";

/** What a notice of an account or of one item tells; the table above says when each is sent. */
export const BILLING_NOTICES = [
  "account",
  "account_change",
  "feature",
  "service",
  "prepare",
  "commit",
  "abort",
  "collection_returned",
] as const;
const BILLING_KINDS = [...BILLING_NOTICES, "provisioning"] as const;

const id = text({
  max: 64,
  pattern: /^[A-Za-z0-9._:-]+$/,
  wanted: "1 to 64 of A-Z a-z 0-9 . _ : - are wanted",
});
const orNull =
  <Value>(read: Read<Value>): Read<Value | null> =>
  (value, path) =>
    value === null ? null : read(value, path);
const amount = integer({ min: 0, max: 1_000_000_000_000 });

/**
 * What a notice may tell of an account. Names are TM Forum's where it has one for a single value: TMF666 (account), TMF639
 * (SIM and handset are resources with these characteristics), TMF620 (offerings), TMF632 and TMF673 (person, address),
 * TMF670 (a card by its token). Which of them go out is the operator's policy.
 */
export const BILLED_FIELDS = [
  "externalId",
  "msisdn",
  "imsi",
  "imei",
  "make",
  "model",
  "productOffering",
  "givenName",
  "familyName",
  "streetName",
  "streetNr",
  "postcode",
  "city",
  "country",
  "paymentToken",
] as const;
export type BilledField = (typeof BILLED_FIELDS)[number];

/** Of a make and a model, in characters: lists of devices have longer ones. */
export const MAKE_CHARACTERS_MAX = 80;
/** Longest name of a model, in characters; a longer one is refused. */
export const MODEL_CHARACTERS_MAX = 120;

const PLAIN = "a text without control characters is wanted";
const plain = (max: number) => optional(text({ max, pattern: /^\P{Cc}*$/u, wanted: PLAIN }));
const digits = optional(text({ min: 5, max: 16, pattern: /^\d+$/, wanted: "5 to 16 digits are wanted" }));
const itemId = text({ max: 63, pattern: /^[a-z0-9][a-z0-9-]*$/ });
const readAccount = object({
  /** Whoever gets two of one account holds by the younger. */
  lastModified: text({
    max: 40,
    pattern: /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/,
    wanted: "a time of RFC 3339 in UTC is wanted",
  }),
  externalId: plain(40),
  msisdn: digits,
  imsi: digits,
  imei: digits,
  make: plain(MAKE_CHARACTERS_MAX),
  model: plain(MODEL_CHARACTERS_MAX),
  /** What the holder has; `bundle`: the package that it came with. */
  productOffering: optional(list(object({ id: itemId, bundle: orNull(itemId) }), { max: 1_000 })),
  givenName: plain(100),
  familyName: plain(100),
  streetName: plain(100),
  streetNr: plain(100),
  postcode: plain(100),
  city: plain(100),
  country: plain(100),
  paymentToken: plain(200),
});
/** Whom the billing centre bills, whole at every telling: number, device, holdings (US 6,647,260, claim 7). */
export type BilledAccount = ReturnType<typeof readAccount>;

const readProvisioning = object({
  event: oneOf(["provisioned", "changed", "removed"]),
  /** Catalog ids; `settings` and `key` of what the network had done; `handset`, `number`, `account` of what changed by itself. */
  items: list(itemId, { max: 200 }),
  make: orNull(text({ max: MAKE_CHARACTERS_MAX })),
  model: orNull(text({ max: MODEL_CHARACTERS_MAX })),
});
/** What came about on the account's device. */
export type BilledProvisioning = ReturnType<typeof readProvisioning>;

/**
 * The body of `POST /v1/notices`. Sums are whole minor units; `onceMinor` once, `monthlyMinor` each month.
 * @throws ShapeError: the place and what is wanted there
 */
export const readBillingNotice = object({
  id,
  kind: oneOf(BILLING_KINDS),
  accountId: id,
  catalogId: orNull(text({ max: 63, pattern: /^[a-z0-9][a-z0-9-]*$/ })),
  action: oneOf(["add", "remove"]),
  onceMinor: amount,
  monthlyMinor: amount,
  currency: orNull(text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" })),
  prepared: orNull(id),
  /** Of `account` and `account_change`. */
  account: orNull(readAccount),
  /** Of `provisioning`. */
  provisioning: optional(readProvisioning),
});
/** One thing told to the billing centre; `id` is its idempotency key. */
export type BillingNotice = ReturnType<typeof readBillingNotice>;

/** Words of a refusal; `malformed` and `id_reused` are faults of the sender. */
const BILLING_REFUSALS = [
  "id_reused",
  "unknown_account",
  "unknown_preparation",
  "already_aborted",
  "already_committed",
  "account_blocked",
  "malformed",
] as const;
export type BillingRefusal = (typeof BILLING_REFUSALS)[number];

/**
 * The answer to a notice; `pending` is asked again under the same id.
 * @throws ShapeError
 */
export const readBillingAnswer = object({
  state: oneOf(["done", "refused", "pending"]),
  /** The billing centre's own number of the booking. */
  reference: optional(id),
  refusal: optional(oneOf(BILLING_REFUSALS)),
});
