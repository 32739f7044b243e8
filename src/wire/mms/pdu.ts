/** What the seven PDUs of an MMS exchange hold. Source: OMA-TS-MMS_ENC-V1_3, clause 6. */
import type { Parameters } from "../wsp/content-type.ts";
import type { MultipartEntry, NewMultipartEntry } from "../wsp/multipart.ts";

/** A transaction that the client begins (send), or the centre (notification). */
export type MmsType =
  | "m-send-req"
  | "m-send-conf"
  | "m-notification-ind"
  | "m-notifyresp-ind"
  | "m-retrieve-conf"
  | "m-acknowledge-ind"
  | "m-delivery-ind";

/** When a message ends: an instant, or seconds after it was sent. */
export type MmsExpiry =
  | { readonly kind: "absolute"; readonly at: Date }
  | { readonly kind: "relative"; readonly seconds: number };

/** All fields that are read, by name. Dates are whole seconds; addresses as they stand ("+4915.../TYPE=PLMN"). */
export type MmsFields = {
  readonly transactionId?: string;
  /** "1.2": one digit each. */
  readonly version?: string;
  readonly date?: Date;
  /** Null: the centre fills it in (Insert-address-token). */
  readonly from?: string | null;
  readonly to?: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly subject?: string;
  /** "personal", "advertisement", "informational", "auto", or a token of its own. */
  readonly messageClass?: string;
  readonly messageId?: string;
  /** Octets of the whole message. */
  readonly messageSize?: number;
  readonly expiry?: MmsExpiry;
  readonly priority?: string;
  readonly deliveryReport?: string;
  readonly readReport?: string;
  readonly reportAllowed?: string;
  readonly senderVisibility?: string;
  readonly contentLocation?: string;
  readonly responseStatus?: string;
  readonly responseText?: string;
  readonly retrieveStatus?: string;
  readonly retrieveText?: string;
  readonly status?: string;
};

/** Which fields each PDU must have (clause 6, the tables of header fields). */
export const MANDATORY = {
  "m-send-req": ["transactionId", "version", "from"],
  "m-send-conf": ["transactionId", "version", "responseStatus"],
  "m-notification-ind": [
    "transactionId",
    "version",
    "messageClass",
    "messageSize",
    "expiry",
    "contentLocation",
  ],
  "m-notifyresp-ind": ["transactionId", "version", "status"],
  "m-retrieve-conf": ["version", "date"],
  "m-acknowledge-ind": ["transactionId", "version"],
  "m-delivery-ind": ["version", "messageId", "to", "date", "status"],
} as const satisfies Readonly<Record<MmsType, readonly (keyof MmsFields)[]>>;

/** The PDUs with a body: their Content-Type ends the headers. */
export const WITH_BODY = ["m-send-req", "m-retrieve-conf"] as const satisfies readonly MmsType[];
type WithBody = (typeof WITH_BODY)[number];

/** A body as it was read: taken apart where it is a multipart of a known type, else one entry less. */
export type MmsBody = {
  readonly contentType: string;
  readonly params: Parameters;
  /** A view into the bytes that were decoded. */
  readonly body: Uint8Array;
  /** Null where the body is no multipart that is taken apart. */
  readonly parts: readonly MultipartEntry[] | null;
};
/** A body to write. */
export type NewMmsBody = {
  readonly contentType: string;
  readonly params?: Parameters;
  readonly parts: readonly NewMultipartEntry[];
};

type Named<T extends MmsType> = { readonly type: T } & MmsFields &
  Required<Pick<MmsFields, (typeof MANDATORY)[T][number]>>;

/** A PDU as it was read. */
export type MmsPdu = {
  [T in MmsType]: Named<T> & (T extends WithBody ? { readonly content: MmsBody } : object);
}[MmsType];
/** A PDU to write. */
export type NewMmsPdu = {
  [T in MmsType]: Named<T> & (T extends WithBody ? { readonly content: NewMmsBody } : object);
}[MmsType];
/** One kind of PDU, as it was read. */
export type MmsPduOf<T extends MmsType> = Extract<MmsPdu, { type: T }>;
