/**
 * The manufacturer's decisions: who may ask, for which handset a key is made, what is owed and what came. State is
 * the sum of its events; a door journals the events before it answers, and a restart replays them.
 *
 *   requestId -> key   once and for all: a repeat gets the same octets
 *   handset   -> key   one current key: asking anew, under another request id, makes a new one that replaces it
 */
import { createHmac, type KeyObject } from "node:crypto";
import { money, portionOf } from "../term/money.ts";
import { hexOf } from "../wire/hex.ts";
import { bindingOf, type KeyAccessPoint, signDeviceKey } from "../wire/message/device-key.ts";
import { verifyArrivalProof } from "../wire/message/device-report.ts";
import type {
  DownloadNotice,
  IssuedKey,
  KeyAnswer,
  KeyRefusalCode,
  KeyRequest,
  NoticeAnswer,
  Remittance,
} from "../wire/message/maker-api.ts";
import {
  type Account,
  apply,
  type Books,
  emptyBooks,
  type Issued,
  issuedKeyOf,
  ledgerOf,
  type MakerEvent,
  type Page,
  pageOf,
  paymentStateOf,
  requestOf,
} from "./books.ts";

/** More than a large maker's depreciated handsets of a year at one reference server; above it requests wait. */
const MAX_KEYS = 5_000_000;
/** Before the moment of issue, for handsets whose clock is slow. */
const CLOCK_SLACK_MS = 24 * 3_600_000;
const KEY_ID_OCTETS = 16;
const CONFIRM_SECRET_OCTETS = 16;

/** An operator with a contract. Its certificate bears `urn:turnup:client:<id>`. */
export type MakerClient = {
  readonly id: string;
  /** What the operator is paid for each key that reached its handset, in minor units, and our part of it. */
  readonly feeMinor: number;
  /** 10,000 is all of the fee. */
  readonly portionBasisPoints: number;
  readonly currency: string;
};

/** What a client owes for one key: by the same function as the operator's books. */
const portionMinorOf = ({ feeMinor, portionBasisPoints, currency }: MakerClient): number =>
  Number(portionOf(money(feeMinor, currency), portionBasisPoints).portion.amountMinor); // no more than the fee, which is safe
type KeyOffer = {
  readonly accessPoints: readonly KeyAccessPoint[];
  readonly hosts: readonly string[];
};
export type MakerPolicy = {
  readonly issuer: string;
  readonly signingKey: KeyObject;
  /** Names handsets in memory and in the journal without their IMEIs. */
  readonly indexSecret: Uint8Array;
  readonly clients: readonly MakerClient[];
  /** The makes it answers for; without a list, all that `modelOf` knows. */
  readonly makes?: readonly string[];
  modelOf(tac: string): { readonly make: string; readonly model: string } | undefined;
  /** The access points on a network, if there is an agreement. */
  offerOf(network: KeyRequest["network"]): KeyOffer | undefined;
  isBlocked?(imei: string): boolean;
  /** Whether a request that names only a model gets a key bound to that model. */
  readonly allowModelOnly?: boolean;
  readonly deleteAfterUse: boolean;
  readonly validityMs: number;
};

/** What the doors ask of storage: resolved only when these events, and all given before, survive a power cut. */
export interface MakerJournal {
  append(events: readonly MakerEvent[]): Promise<void>;
}

export type Decision<Answer> = { readonly answer: Answer; readonly events: readonly MakerEvent[] };
export type KeyServer = ReturnType<typeof createKeyServer>;

/** What the decisions are made with. */
type Maker = {
  readonly policy: MakerPolicy;
  readonly clients: ReadonlyMap<string, MakerClient>;
  readonly books: Books;
  freshOctets(octets: number): Uint8Array;
};

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
  const answer = requests.map((request) => issueOne(maker, client, request, now, events));
  return { answer, events };
}

function issueOne(
  maker: Maker,
  client: MakerClient,
  request: KeyRequest,
  now: Date,
  events: MakerEvent[],
): KeyAnswer {
  const { requestId } = request;
  const handset = request.uniqueId ? handsetOf(maker, request.uniqueId.imei) : null;
  const known = maker.books.keyOfRequest.get(requestOf({ clientId: client.id, requestId }));
  if (known !== undefined) {
    const { issued } = maker.books.accounts.get(known)!;
    if (issued.handset !== handset)
      return refused(requestId, "malformed", "this request id was used for another handset");
    return { requestId, key: octetsOf(issued.key) };
  }
  const refusal = refusalOf(maker, request);
  if (refusal) return refused(requestId, ...refusal);
  const event = makeKey(maker, client, request, handset, now);
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
  const ours = maker.policy.modelOf(uniqueId?.imei.slice(0, 8) ?? model!.tac);
  if (!ours) return ["unknown_model", "no handset was made under this type allocation code"];
  if (maker.policy.makes && !maker.policy.makes.includes(ours.make))
    return ["not_our_make", "another manufacturer made this handset"];
  if (uniqueId && maker.policy.isBlocked?.(uniqueId.imei))
    return ["blocked_device", "this handset is on the manufacturer's block list"];
  if (!maker.policy.offerOf(network)) return ["no_agreement", "no access point is agreed with this network"];
  if (maker.books.accounts.size >= MAX_KEYS)
    return ["try_later", "the key server holds as many keys as it can"];
  return undefined;
}

function makeKey(
  maker: Maker,
  client: MakerClient,
  request: KeyRequest,
  handset: string | null,
  now: Date,
): Issued {
  const keyId = maker.freshOctets(KEY_ID_OCTETS);
  const confirmSecret = maker.freshOctets(CONFIRM_SECRET_OCTETS);
  const boundTo = request.uniqueId ? "handset" : "model";
  const notAfter = new Date(now.getTime() + maker.policy.validityMs);
  const { accessPoints, hosts } = maker.policy.offerOf(request.network)!;
  const key = signDeviceKey(
    {
      keyId,
      issuer: maker.policy.issuer,
      boundTo,
      binding: bindingOf(confirmSecret, keyId, request.uniqueId?.imei ?? request.model!.tac, boundTo),
      confirmSecret,
      notBefore: new Date(now.getTime() - CLOCK_SLACK_MS),
      notAfter,
      script: {
        openSession: true,
        insertAccessPoints: true,
        closeSession: true,
        deleteAfterUse: maker.policy.deleteAfterUse,
      },
      hosts,
      accessPoints,
    },
    maker.policy.signingKey,
  );
  return {
    kind: "issued",
    keyId: hexOf(keyId),
    clientId: client.id,
    requestId: request.requestId,
    handset,
    key: Buffer.from(key).toString("base64"),
    confirmSecret: hexOf(confirmSecret),
    notAfterMs: notAfter.getTime(),
    portionMinor: portionMinorOf(client),
    currency: client.currency,
    atMs: now.getTime(),
  };
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
