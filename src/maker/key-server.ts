/**
 * The manufacturer's decisions: who may ask, for which handset a key is made, what is owed and what came. State is
 * the sum of its events; a door journals the events before it answers, and a restart replays them.
 *
 *   requestId -> key   once and for all: a repeat gets the same octets
 *   handset   -> key   one current key: asking anew, under another request id, makes a new one that replaces it
 */
import { createHmac } from "node:crypto";
import { getFrom } from "../term/collections.ts";
import { assured } from "../term/narrow.ts";
import { verifyArrivalProof } from "../wire/message/device-report.ts";
import type {
  BatchRequest,
  DownloadNotice,
  IssuedKey,
  KeyAnswer,
  KeyBatch,
  KeyRefusalCode,
  KeyRequest,
  NoticeAnswer,
  Remittance,
} from "../wire/message/maker-api.ts";
import {
  type Account,
  apply,
  emptyBooks,
  issuedKeyOf,
  ledgerOf,
  type MakerEvent,
  type Page,
  pageOf,
  paymentStateOf,
  requestOf,
} from "./books.ts";
import { makeKey } from "./make-key.ts";
import type { Maker, MakerClient, MakerPolicy } from "./policy.ts";

/** More than a large maker's depreciated handsets of a year at one reference server; above it requests wait. */
const MAX_KEYS = 5_000_000;
/** What the doors ask of storage: resolved only when these events, and all given before, survive a power cut. */
export interface MakerJournal {
  append(events: readonly MakerEvent[]): Promise<void>;
}

export type Decision<Answer> = { readonly answer: Answer; readonly events: readonly MakerEvent[] };

export type KeyServer = ReturnType<typeof createKeyServer>;

/**
 * The decisions over books of their own.
 * @param freshOctets so many octets that nobody can guess
 */
export function createKeyServer(policy: MakerPolicy, freshOctets: (octets: number) => Uint8Array) {
  const clients = new Map(policy.clients.map((client) => [client.id, client]));
  const maker: Maker = { policy, clients, books: emptyBooks(), freshOctets };
  return {
    apply: (event: MakerEvent): void => apply(maker.books, event),
    clientOf: (names: readonly string[]) => clientOf(maker, names),
    issueBatch: (client: MakerClient, request: BatchRequest, now: Date) =>
      issueBatch(maker, client, request, now),
    issue: (client: MakerClient, requests: readonly KeyRequest[], now: Date) =>
      issue(maker, client, requests, now),
    noteDownloads: (client: MakerClient, notices: readonly DownloadNotice[]) =>
      noteDownloads(maker, client, notices),
    notePayments: (client: MakerClient, remittances: readonly Remittance[]) =>
      notePayments(maker, client, remittances),
    issuedKeys: (client: MakerClient, after: string | undefined, limit: number) =>
      issuedKeys(maker, client, after, limit),
    paymentStates: (client: MakerClient, after: string | undefined, limit: number) =>
      paymentStates(maker, client, after, limit),
    verifyArrival: (keyId: string, proof: Uint8Array) => verifyArrival(maker, keyId, proof),
    /** How many keys were ever issued. */
    size: () => maker.books.accounts.size,
  };
}

/** Who the verified certificate's names say is asking. */
function clientOf(maker: Maker, names: readonly string[]): MakerClient | undefined {
  const found = names.flatMap((name) => {
    const [, id] = /^urn:turnup:client:(.+)$/.exec(name) ?? [];
    const client = id === undefined ? undefined : maker.clients.get(id);
    return client ? [client] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}

function issue(
  maker: Maker,
  client: MakerClient,
  requests: readonly KeyRequest[],
  now: Date,
): Decision<KeyAnswer[]> {
  const events: MakerEvent[] = [];
  const answer = requests.map((request) => issueOne(maker, client, request, { now, events }));
  return { answer, events };
}

/** Keys for handsets that nobody knows yet: whole, or none of it with the reason. A batch id again gives the same keys. */
function issueBatch(
  maker: Maker,
  client: MakerClient,
  { batchId, make, models, count, binder, network, deleteAfterUse }: BatchRequest,
  now: Date,
): Decision<KeyBatch | Refusal> {
  const requests = Array.from(
    { length: count },
    (_, at): BatchKey => ({
      requestId: `${batchId}:${at + 1}`,
      binder,
      ...(network && { network }),
      ...(deleteAfterUse !== undefined && { deleteAfterUse }),
    }),
  );
  const isKnown = ({ requestId }: BatchKey): boolean =>
    maker.books.keyOfRequest.has(requestOf({ clientId: client.id, requestId }));
  const fresh = requests.filter((request) => !isKnown(request));
  const refusal = makeRefusal(maker, make) ?? offerRefusal(maker, network, fresh.length);
  if (fresh.length > 0 && refusal) return { answer: { code: refusal[0], reason: refusal[1] }, events: [] };
  const events = fresh.map((request) => {
    const event = makeKey(maker, client, { ...request, handset: null }, now);
    apply(maker.books, event);
    return event;
  });
  const keys = requests.flatMap(({ requestId }) => {
    const keyId = maker.books.keyOfRequest.get(requestOf({ clientId: client.id, requestId }));
    const account = keyId === undefined ? undefined : maker.books.accounts.get(keyId);
    return account ? [octetsOf(account.issued.key)] : [];
  });
  return { answer: { batchId, make, ...(models && { models }), keys }, events };
}

type Refusal = { readonly code: KeyRefusalCode; readonly reason: string };
/** One key of a batch. */
type BatchKey = Pick<KeyRequest, "requestId" | "network" | "deleteAfterUse"> & { readonly binder: string };

function issueOne(
  maker: Maker,
  client: MakerClient,
  request: KeyRequest,
  { now, events }: { readonly now: Date; readonly events: MakerEvent[] },
): KeyAnswer {
  const { requestId } = request;
  const handset = request.uniqueId ? handsetOf(maker, request.uniqueId.imei) : null;
  const known = maker.books.keyOfRequest.get(requestOf({ clientId: client.id, requestId }));
  if (known !== undefined) {
    const { issued } = getFrom(maker.books.accounts, known);
    if (issued.handset !== handset)
      return refused(requestId, "malformed", "this request id was used for another handset");
    return { requestId, key: octetsOf(issued.key) };
  }
  const refusal = refusalOf(maker, request);
  if (refusal) return refused(requestId, ...refusal);
  const event = makeKey(maker, client, { ...request, handset }, now);
  events.push(event);
  apply(maker.books, event);
  return { requestId, key: octetsOf(event.key) };
}

function refusalOf(
  maker: Maker,
  { model, uniqueId, network }: KeyRequest,
): [KeyRefusalCode, string] | undefined {
  if (!uniqueId && !maker.policy.allowModelOnly)
    return ["unique_id_required", "a key is made for one handset: send its unique id"];
  if (uniqueId && model && !uniqueId.imei.startsWith(model.tac))
    return ["malformed", "the unique id is not of the model's type allocation code"];
  const ours = maker.policy.modelOf(
    uniqueId?.imei.slice(0, 8) ?? assured(model, "a request names a handset or a model").tac,
  );
  if (!ours) return ["unknown_model", "no handset was made under this type allocation code"];
  const foreign = makeRefusal(maker, ours.make);
  if (foreign) return foreign;
  if (uniqueId && maker.policy.isBlocked?.(uniqueId.imei))
    return ["blocked_device", "this handset is on the manufacturer's block list"];
  return offerRefusal(maker, network, 1);
}

const makeRefusal = ({ policy: { makes } }: Maker, make: string): [KeyRefusalCode, string] | undefined =>
  makes && !makes.includes(make) ? ["not_our_make", "another manufacturer made this handset"] : undefined;

function offerRefusal(
  { policy, books }: Maker,
  network: KeyRequest["network"],
  count: number,
): [KeyRefusalCode, string] | undefined {
  if (!policy.offerOf(network)) return ["no_agreement", "no access point is agreed with this network"];
  if (books.accounts.size + count > MAX_KEYS)
    return ["try_later", "the key server holds as many keys as it can"];
  return undefined;
}

/** A client may speak only of its own keys. */
function noteDownloads(
  maker: Maker,
  client: MakerClient,
  notices: readonly DownloadNotice[],
): Decision<NoticeAnswer> {
  return noteEach(maker, client, notices, (notice, account) =>
    account.downloadedAtMs === undefined
      ? { kind: "downloaded", keyId: notice.keyId, atMs: notice.at.getTime() }
      : undefined,
  );
}

function notePayments(
  maker: Maker,
  client: MakerClient,
  remittances: readonly Remittance[],
): Decision<NoticeAnswer> {
  return noteEach(maker, client, remittances, ({ keyId, paymentId, amountMinor, currency }) =>
    maker.books.payments.has(`${client.id}\n${paymentId}`)
      ? undefined
      : { kind: "paid", keyId, clientId: client.id, paymentId, amountMinor, currency },
  );
}

function noteEach<Notice extends { readonly keyId: string }>(
  maker: Maker,
  client: MakerClient,
  notices: readonly Notice[],
  eventOf: (notice: Notice, account: Account) => MakerEvent | undefined,
): Decision<NoticeAnswer> {
  const events: MakerEvent[] = [];
  const unknown: string[] = [];
  for (const notice of notices) {
    const account = maker.books.accounts.get(notice.keyId);
    if (account?.issued.clientId !== client.id) {
      unknown.push(notice.keyId);
      continue;
    }
    const event = eventOf(notice, account);
    if (!event) continue;
    events.push(event);
    apply(maker.books, event);
  }
  const accepted = events.length;
  return { answer: { accepted, repeated: notices.length - accepted - unknown.length, unknown }, events };
}

function issuedKeys(
  maker: Maker,
  client: MakerClient,
  after: string | undefined,
  limit: number,
): Page<IssuedKey> {
  const { entries, next } = pageOf(maker.books, client.id, after, limit);
  return { entries: entries.map(issuedKeyOf), next };
}

function paymentStates(maker: Maker, client: MakerClient, after: string | undefined, limit: number) {
  const { entries, next } = pageOf(maker.books, client.id, after, limit);
  const { dueMinor, receivedMinor, differences } = ledgerOf(maker.books, client.id);
  return {
    entries: entries.map(paymentStateOf),
    next,
    totals: { dueMinor, receivedMinor, differences, currency: client.currency },
  };
}

/** Whether a handset at the manufacturer's server holds the key that it names. */
function verifyArrival(maker: Maker, keyId: string, proof: Uint8Array): "good" | "unknown_key" | "bad_proof" {
  const account = maker.books.accounts.get(keyId);
  if (!account) return "unknown_key";
  const secret = Buffer.from(account.issued.confirmSecret, "hex");
  return verifyArrivalProof(proof, secret, Buffer.from(keyId, "hex")) ? "good" : "bad_proof";
}

const handsetOf = (maker: Maker, imei: string): string =>
  createHmac("sha256", maker.policy.indexSecret).update(imei.slice(0, 14)).digest("base64url").slice(0, 22);

const octetsOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

const refused = (requestId: string, code: KeyRefusalCode, reason: string): KeyAnswer => ({
  requestId,
  refused: { code, reason },
});
