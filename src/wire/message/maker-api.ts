/**
 * What Turnup and a manufacturer say to each other, as JSON over mutual TLS.
 *
 *   Turnup -> maker   POST /v1/keys        a batch of requests, each answered by itself: a key or a refusal
 *   Turnup -> maker   POST /v1/batches     keys made beforehand, for handsets that are not known yet
 *   Turnup -> maker   POST /v1/downloads   which keys reached their handsets
 *   Turnup -> maker   POST /v1/payments    remittance advice: portions that the operator paid
 *   Turnup -> maker   GET  /v1/keys        the keys issued to this client, oldest first, paged by `after`
 *   Turnup -> maker   GET  /v1/payments    each key with what is due, what came, and whether they differ
 *   maker -> Turnup   POST /v1/key-batches keys made beforehand, as its answer to POST /v1/batches has them
 *   maker -> Turnup   POST /v1/arrivals    which keys' handsets reached the manufacturer's server, with their proofs
 *
 * A repeated `requestId`, `keyId`, `paymentId` or `arrivalId` says the same thing again and changes nothing.
 * Dates travel as RFC 3339 text, octets as base64, key ids as hex, money as whole minor units.
 */
import { BINDER_OCTETS, KEY_ID_OCTETS, MAX_DEVICE_KEY_OCTETS } from "./device-key-form.ts";
import {
  boolean,
  hexText,
  instant,
  integer,
  list,
  object,
  octets,
  oneOf,
  optional,
  type Read,
  ShapeError,
  text,
} from "./shape.ts";

/** Entries in one POST. */
export const MAX_BATCH = 500;
/** Keys in one batch made beforehand: less than three mebibytes of text. */
export const MAX_BATCH_KEYS = 2_000;
/** Models that a batch is for, each `make/model` of so many characters. */
export const MAX_BATCH_MODELS = 100;
export const MAX_MODEL_PATTERN_CHARACTERS = 200;
/** Largest text of a batch, in octets. */
export const MAX_BATCH_OCTETS = 4 * 1_048_576;
/** Entries on one page of an answer. */
const MAX_PAGE = 1_000;

/** Longest name of a make, in characters. */
export const MAX_MAKE_CHARACTERS = 80;
/** Longest name of a model, in characters. */
export const MAX_MODEL_CHARACTERS = 120;

/** A request of 500 entries stays far below this. */
export const MAX_BODY_OCTETS = 1_048_576;

const id = text({
  max: 64,
  pattern: /^[A-Za-z0-9._:-]+$/,
  wanted: "1 to 64 of A-Z a-z 0-9 . _ : - are wanted",
});
const keyId = hexText(KEY_ID_OCTETS);
const currency = text({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, wanted: "an ISO 4217 code is wanted" });
const amountMinor = integer({ min: 0, max: 1_000_000_000_000 });
const digits = (min: number, max: number): Read<string> =>
  text({ min, max, pattern: /^\d+$/, wanted: `${min} to ${max} digits are wanted` });

const KEY_REFUSALS = [
  "unique_id_required",
  "not_our_make",
  "unknown_model",
  "blocked_device",
  "no_agreement",
  "malformed",
  "try_later",
] as const;

/** Why a maker gives no key. `try_later` is the only one that time may change. */
export type KeyRefusalCode = (typeof KEY_REFUSALS)[number];

const readModel = object({
  make: text({ max: MAX_MAKE_CHARACTERS }),
  model: text({ max: MAX_MODEL_CHARACTERS }),
  tac: digits(8, 8),
});
const readUniqueId = object({ imei: digits(14, 16) });
const readNetwork = object({ mcc: digits(3, 3), mnc: digits(2, 3) });
const readKeyRequestItem = object({
  requestId: id,
  model: optional(readModel),
  uniqueId: optional(readUniqueId),
  /** The network whose SIM the handset holds, so that the maker picks an access point which that network serves. */
  network: optional(readNetwork),
  /** Who binds a key that is asked for by its model alone: an Ed25519 public key of 32 octets. */
  binder: optional(hexText(BINDER_OCTETS)),
  /** False: the key is wanted to stay on the handset. */
  deleteAfterUse: optional(boolean),
});

/** At least one of model and unique id is there. */
export type KeyRequest = ReturnType<typeof readKeyRequestItem>;
/**
 * One request for a key.
 * @throws ShapeError: also where neither a model nor a unique id is there
 */
export const readKeyRequest: Read<KeyRequest> = (value, path) => {
  const request = readKeyRequestItem(value, path);
  if (!request.model && !request.uniqueId) throw new ShapeError(path, "a model or a unique id is wanted");
  return request;
};
/**
 * The body of `POST /v1/keys`.
 * @throws ShapeError: the place and what is wanted there
 */
export const readKeyRequests = object({ keys: list(readKeyRequest, { min: 1, max: MAX_BATCH }) });

const readRefused = object({ code: oneOf(KEY_REFUSALS), reason: text({ max: 500 }) });
const readKeyAnswerItem = object({
  requestId: id,
  key: optional(octets({ min: 1, max: MAX_DEVICE_KEY_OCTETS })),
  refused: optional(readRefused),
});

/** A key's octets (`decodeDeviceKey` reads them), or why there is none. */
export type KeyAnswer =
  | { readonly requestId: string; readonly key: Uint8Array }
  | {
      readonly requestId: string;
      readonly refused: { readonly code: KeyRefusalCode; readonly reason: string };
    };
const readKeyAnswer: Read<KeyAnswer> = (value, path) => {
  const { requestId, key, refused } = readKeyAnswerItem(value, path);
  if (key && !refused) return { requestId, key };
  if (refused && !key) return { requestId, refused };
  throw new ShapeError(path, "either a key or a refusal is wanted");
};
/**
 * The answer to `POST /v1/keys`; octets travel as base64.
 * @throws ShapeError
 */
export const readKeyAnswers = object({ keys: list(readKeyAnswer, { min: 1, max: MAX_BATCH }) });

/** The answer as JSON text, which `readKeyAnswers` reads back. */
export const writeKeyAnswers = (keys: readonly KeyAnswer[]): string =>
  JSON.stringify({
    keys: keys.map((answer) =>
      "key" in answer ? { ...answer, key: Buffer.from(answer.key).toString("base64") } : answer,
    ),
  });

/**
 * The body of `POST /v1/batches`: so many keys, for handsets that are not known yet, bound at their first use by the binder.
 * The same batch id gives the same keys again.
 * @throws ShapeError
 */
export const readBatchRequest = object({
  batchId: id,
  make: text({ max: MAX_MAKE_CHARACTERS }),
  /** For these of its models alone, as in the batch itself. */
  models: optional(list(text({ max: MAX_MODEL_PATTERN_CHARACTERS }), { min: 1, max: MAX_BATCH_MODELS })),
  count: integer({ min: 1, max: MAX_BATCH_KEYS }),
  binder: hexText(BINDER_OCTETS),
  network: optional(readNetwork),
  deleteAfterUse: optional(boolean),
});
/** A request for keys beforehand, as `readBatchRequest` reads it. */
export type BatchRequest = ReturnType<typeof readBatchRequest>;
/**
 * Keys that were made beforehand: the answer to `POST /v1/batches`, a file, and the body of `POST /v1/key-batches`.
 * Each is a device key that names its binder and no handset; octets travel as base64.
 * @throws ShapeError
 */
export const readKeyBatch = object({
  batchId: id,
  make: text({ max: MAX_MAKE_CHARACTERS }),
  /** For these models alone: `make/model`, `make/prefix*`; for all of the make's without it. */
  models: optional(list(text({ max: MAX_MODEL_PATTERN_CHARACTERS }), { min: 1, max: MAX_BATCH_MODELS })),
  keys: list(octets({ min: 1, max: MAX_DEVICE_KEY_OCTETS }), { min: 1, max: MAX_BATCH_KEYS }),
});
/** A maker's batch: its own name of it, the make, and the keys as it signed them. */
export type KeyBatch = ReturnType<typeof readKeyBatch>;
/** The batch as JSON text, which `readKeyBatch` reads back. */
export const writeKeyBatch = ({ keys, ...batch }: KeyBatch): string =>
  JSON.stringify({ ...batch, keys: keys.map((key) => Buffer.from(key).toString("base64")) });

const readDownload = object({ keyId, at: instant });

/** A key reached its handset: its id in hex, and when. */
export type DownloadNotice = ReturnType<typeof readDownload>;
/**
 * The body of `POST /v1/downloads`.
 * @throws ShapeError
 */
export const readDownloads = object({ downloads: list(readDownload, { min: 1, max: MAX_BATCH }) });

const readRemittance = object({ paymentId: id, keyId, amountMinor, currency, at: instant });

/** The operator's word that it paid a portion; the maker matches it with what is due. */
export type Remittance = ReturnType<typeof readRemittance>;
/**
 * The body of `POST /v1/payments`.
 * @throws ShapeError
 */
export const readRemittances = object({ payments: list(readRemittance, { min: 1, max: MAX_BATCH }) });

/** How many notices were new, how many repeated a known one, and which name no key of this client. */
export const readNoticeAnswer = object({
  accepted: integer({ min: 0, max: MAX_BATCH }),
  repeated: integer({ min: 0, max: MAX_BATCH }),
  unknown: list(id, { max: MAX_BATCH }),
});

/** What became of a batch of notices, in numbers; `unknown` names the keys. */
export type NoticeAnswer = ReturnType<typeof readNoticeAnswer>;

/**
 * The query of both lists: from the start where `after` is absent.
 * @throws ShapeError
 */
export const readPageQuery = object({
  after: optional(keyId),
  limit: optional(integer({ min: 1, max: MAX_PAGE })),
});

const readIssuedKey = object({
  keyId,
  requestId: id,
  issuedAt: instant,
  downloadedAt: optional(instant),
  replacedBy: optional(keyId),
});

/** One key that the maker gave this client, and the later key that took its place. */
export type IssuedKey = ReturnType<typeof readIssuedKey>;
/** `next` is the `after` of the next page; none on the last. */
export const readIssuedKeys = object({ keys: list(readIssuedKey, { max: MAX_PAGE }), next: optional(keyId) });

const PAYMENT_STATES = ["not_due", "due", "paid", "differs", "paid_without_download"] as const;
const readPaymentState = object({
  keyId,
  state: oneOf(PAYMENT_STATES),
  dueMinor: amountMinor,
  receivedMinor: amountMinor,
  currency,
  downloadedAt: optional(instant),
});

/** One key's account at the maker: `differs` when what came is not what is due. */
export type PaymentState = ReturnType<typeof readPaymentState>;
/**
 * One page of `GET /v1/payments`; `next` is the `after` of the page behind it.
 * @throws ShapeError
 */
export const readPaymentStates = object({
  payments: list(readPaymentState, { max: MAX_PAGE }),
  /** Over all keys of this client, not only this page. */
  totals: object({
    dueMinor: amountMinor,
    receivedMinor: amountMinor,
    differences: integer({ min: 0, max: 1_000_000_000 }),
    currency,
  }),
  next: optional(keyId),
});

const readArrival = object({
  arrivalId: id,
  keyId,
  at: instant,
  apn: text({ max: 100 }),
  /** Which application came, such as `mms`. */
  application: optional(text({ max: 40 })),
  /** `arrivalProofOf` by the handset: whoever holds the key's confirm secret can check it. */
  proof: octets({ min: 16, max: 16 }),
});

/** A handset reached the maker's server over an access point of its key; `proof` shows that it held the key. */
export type Arrival = ReturnType<typeof readArrival>;
/**
 * The body of `POST /v1/arrivals`.
 * @throws ShapeError
 */
export const readArrivals = object({ arrivals: list(readArrival, { min: 1, max: MAX_BATCH }) });

/** The body as JSON text, which `readArrivals` reads back. */
export const writeArrivals = (arrivals: readonly Arrival[]): string =>
  JSON.stringify({
    arrivals: arrivals.map((arrival) => ({
      ...arrival,
      proof: Buffer.from(arrival.proof).toString("base64"),
    })),
  });
