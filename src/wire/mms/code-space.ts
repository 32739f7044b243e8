/**
 * Numbers and names of MMS header fields, messages and enumerated values.
 * Source: OMA-TS-MMS_ENC-V1_3, clause 7.3 (assigned numbers) and clause 7.2 (field values).
 */

/** Media type of every MMS PDU, on HTTP and in a push. */
export const MMS_CONTENT_TYPE = "application/vnd.wap.mms-message";

/** X-Mms-Message-Type (clause 7.2): what a PDU is, by its number. */
export const MESSAGE_TYPES = numbered(0x80, [
  "m-send-req",
  "m-send-conf",
  "m-notification-ind",
  "m-notifyresp-ind",
  "m-retrieve-conf",
  "m-acknowledge-ind",
  "m-delivery-ind",
]);

const YES_NO = numbered(0x80, ["yes", "no"]);
const CLASSES = numbered(0x80, ["personal", "advertisement", "informational", "auto"]);
const PRIORITIES = numbered(0x80, ["low", "normal", "high"]);
const VISIBILITIES = numbered(0x80, ["hide", "show"]);
const STATUSES = numbered(0x80, [
  "expired",
  "retrieved",
  "rejected",
  "deferred",
  "unrecognised",
  "indeterminate",
  "forwarded",
  "unreachable",
]);
const RESPONSE_STATUSES: ReadonlyMap<number, string> = new Map([
  ...numbered(0x80, [
    "ok",
    "error-unspecified",
    "error-service-denied",
    "error-message-format-corrupt",
    "error-sending-address-unresolved",
    "error-message-not-found",
    "error-network-problem",
    "error-content-not-accepted",
    "error-unsupported-message",
  ]),
  ...numbered(0xc0, [
    "error-transient-failure",
    "error-transient-sending-address-unresolved",
    "error-transient-message-not-found",
    "error-transient-network-problem",
    "error-transient-partial-success",
  ]),
  ...numbered(0xe0, [
    "error-permanent-failure",
    "error-permanent-service-denied",
    "error-permanent-message-format-corrupt",
    "error-permanent-sending-address-unresolved",
    "error-permanent-message-not-found",
    "error-permanent-content-not-accepted",
  ]),
]);
const RETRIEVE_STATUSES: ReadonlyMap<number, string> = new Map([
  ...numbered(0x80, ["ok"]),
  ...numbered(0xc0, [
    "error-transient-failure",
    "error-transient-message-not-found",
    "error-transient-network-problem",
  ]),
  ...numbered(0xe0, [
    "error-permanent-failure",
    "error-permanent-service-denied",
    "error-permanent-message-not-found",
    "error-permanent-content-unsupported",
  ]),
]);

/** How a field's value stands in octets; `words` are the values of an enumeration by their octet. */
export type FieldForm =
  | { readonly form: "text" | "encoded" | "addresses" | "from" | "date" | "expiry" | "size" | "version" }
  | { readonly form: "word" | "word-or-text"; readonly words: ReadonlyMap<number, string> };
/** A header field: its name here, which `MmsFields` types, and its form. */
export type Field = FieldForm & { readonly name: string };

/** What stands behind all headers, and begins the body (clause 7.2: Content-Type is the last field). */
export const CONTENT_TYPE_FIELD = 0x04;
/** First of all fields. */
export const MESSAGE_TYPE_FIELD = 0x0c;

/** The fields that are read; others are skipped by the length that their first octet tells. */
export const FIELDS: ReadonlyMap<number, Field> = new Map<number, Field>([
  [0x01, { name: "bcc", form: "addresses" }],
  [0x02, { name: "cc", form: "addresses" }],
  [0x03, { name: "contentLocation", form: "text" }],
  [0x05, { name: "date", form: "date" }],
  [0x06, { name: "deliveryReport", form: "word", words: YES_NO }],
  [0x08, { name: "expiry", form: "expiry" }],
  [0x09, { name: "from", form: "from" }],
  [0x0a, { name: "messageClass", form: "word-or-text", words: CLASSES }],
  [0x0b, { name: "messageId", form: "text" }],
  [0x0d, { name: "version", form: "version" }],
  [0x0e, { name: "messageSize", form: "size" }],
  [0x0f, { name: "priority", form: "word", words: PRIORITIES }],
  [0x10, { name: "readReport", form: "word", words: YES_NO }],
  [0x11, { name: "reportAllowed", form: "word", words: YES_NO }],
  [0x12, { name: "responseStatus", form: "word", words: RESPONSE_STATUSES }],
  [0x13, { name: "responseText", form: "encoded" }],
  [0x14, { name: "senderVisibility", form: "word", words: VISIBILITIES }],
  [0x15, { name: "status", form: "word", words: STATUSES }],
  [0x16, { name: "subject", form: "encoded" }],
  [0x17, { name: "to", form: "addresses" }],
  [0x18, { name: "transactionId", form: "text" }],
  [0x19, { name: "retrieveStatus", form: "word", words: RETRIEVE_STATUSES }],
  [0x1a, { name: "retrieveText", form: "encoded" }],
]);

/** The octet of each value of an enumeration. */
export const codeOf = (words: ReadonlyMap<number, string>, word: string): number | undefined =>
  [...words].find(([, known]) => known === word)?.[0];

function numbered<const Word extends string>(
  first: number,
  words: readonly Word[],
): ReadonlyMap<number, Word> {
  return new Map(words.map((word, at) => [first + at, word]));
}
