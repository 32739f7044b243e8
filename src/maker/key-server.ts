/**
 * The manufacturer's decisions: who may ask, for which handset a key is made, what is owed and what came. State is
 * the sum of its events; a door journals the events before it answers, and a restart replays them.
 *
 *   requestId -> key   once and for all: a repeat gets the same octets
 *   handset   -> key   one current key: asking anew, under another request id, makes a new one that replaces it
 *   keyId     -> account   nothing -> due at download -> paid | differs
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
  PaymentState,
  Remittance,
} from "../wire/message/maker-api.ts";

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
export type KeyOffer = {
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

export type MakerEvent =
  | {
      readonly kind: "issued";
      readonly keyId: string;
      readonly clientId: string;
      readonly requestId: string;
      readonly handset: string | null;
      readonly key: string;
      readonly confirmSecret: string;
      readonly notAfterMs: number;
      readonly portionMinor: number;
      readonly currency: string;
      readonly atMs: number;
    }
  | { readonly kind: "downloaded"; readonly keyId: string; readonly atMs: number }
  | {
      readonly kind: "paid";
      readonly keyId: string;
      readonly clientId: string;
      readonly paymentId: string;
      readonly amountMinor: number;
      readonly currency: string;
    };
type Issued = Extract<MakerEvent, { kind: "issued" }>;

/** What the doors ask of storage: resolved only when these events, and all given before, survive a power cut. */
export interface MakerJournal {
  append(events: readonly MakerEvent[]): Promise<void>;
}

/** One key's account. `receivedMinor` sums payments in the contract's currency; others make it differ. */
type Account = {
  readonly issued: Issued;
  readonly place: number;
  downloadedAtMs: number | undefined;
  replacedBy: string | undefined;
  receivedMinor: number;
  wrongCurrency: boolean;
};
type Ledger = { readonly accounts: Account[]; dueMinor: number; receivedMinor: number; differences: number };

export type Decision<Answer> = { readonly answer: Answer; readonly events: readonly MakerEvent[] };
export type Page<Entry> = { readonly entries: Entry[]; readonly next: string | undefined };
export type KeyServer = ReturnType<typeof createKeyServer>;

/** @param freshOctets so many octets that nobody can guess */
export function createKeyServer(policy: MakerPolicy, freshOctets: (octets: number) => Uint8Array) {
  const clients = new Map(policy.clients.map((client) => [client.id, client]));
  const accounts = new Map<string, Account>();
  const keyOfRequest = new Map<string, string>();
  const keyOfHandset = new Map<string, string>();
  const payments = new Set<string>();
  const ledgers = new Map<string, Ledger>();

  /** Takes an event into the state; the only place that changes it. */
  function apply(event: MakerEvent): void {
    if (event.kind === "issued") applyIssued(event);
    else change(event.keyId, (account) => applyToAccount(account, event));
  }

  function applyIssued(event: Issued): void {
    const ledger = ledgerOf(event.clientId);
    const replaced = event.handset === null ? undefined : keyOfHandset.get(event.handset);
    const before = replaced === undefined ? undefined : accounts.get(replaced);
    if (before) before.replacedBy = event.keyId;
    const account: Account = {
      issued: event,
      place: ledger.accounts.length,
      downloadedAtMs: undefined,
      replacedBy: undefined,
      receivedMinor: 0,
      wrongCurrency: false,
    };
    ledger.accounts.push(account);
    accounts.set(event.keyId, account);
    keyOfRequest.set(requestOf(event), event.keyId);
    if (event.handset !== null) keyOfHandset.set(event.handset, event.keyId);
  }

  function applyToAccount(
    account: Account,
    event: Extract<MakerEvent, { kind: "downloaded" | "paid" }>,
  ): void {
    if (event.kind === "downloaded") {
      account.downloadedAtMs = event.atMs;
      return;
    }
    payments.add(`${event.clientId}\n${event.paymentId}`);
    if (event.currency === account.issued.currency) account.receivedMinor += event.amountMinor;
    else account.wrongCurrency = true;
  }

  /** Keeps the client's totals true across one change of an account. */
  function change(keyId: string, act: (account: Account) => void): void {
    const account = accounts.get(keyId);
    if (!account) throw new RangeError("an event about a key that was never issued");
    const ledger = ledgerOf(account.issued.clientId);
    const count = (sign: 1 | -1): void => {
      const { state, dueMinor, receivedMinor } = paymentStateOf(account);
      ledger.dueMinor += sign * dueMinor;
      ledger.receivedMinor += sign * receivedMinor;
      if (state === "differs" || state === "paid_without_download") ledger.differences += sign;
    };
    count(-1);
    act(account);
    count(1);
  }

  function ledgerOf(clientId: string): Ledger {
    let ledger = ledgers.get(clientId);
    if (!ledger) {
      ledger = { accounts: [], dueMinor: 0, receivedMinor: 0, differences: 0 };
      ledgers.set(clientId, ledger);
    }
    return ledger;
  }

  /** Who the verified certificate's names say is asking. */
  function clientOf(names: readonly string[]): MakerClient | undefined {
    const found = names.flatMap((name) => {
      const [, id] = /^urn:turnup:client:(.+)$/.exec(name) ?? [];
      const client = id === undefined ? undefined : clients.get(id);
      return client ? [client] : [];
    });
    return found.length === 1 ? found[0] : undefined;
  }

  function issue(client: MakerClient, requests: readonly KeyRequest[], now: Date): Decision<KeyAnswer[]> {
    const events: MakerEvent[] = [];
    const answer = requests.map((request) => issueOne(client, request, now, events));
    return { answer, events };
  }

  function issueOne(client: MakerClient, request: KeyRequest, now: Date, events: MakerEvent[]): KeyAnswer {
    const { requestId } = request;
    const handset = request.uniqueId ? handsetOf(request.uniqueId.imei) : null;
    const known = keyOfRequest.get(requestOf({ clientId: client.id, requestId }));
    if (known !== undefined) {
      const { issued } = accounts.get(known)!;
      if (issued.handset !== handset)
        return refused(requestId, "malformed", "this request id was used for another handset");
      return { requestId, key: octetsOf(issued.key) };
    }
    const refusal = refusalOf(request);
    if (refusal) return refused(requestId, ...refusal);
    const event = makeKey(client, request, handset, now);
    events.push(event);
    apply(event);
    return { requestId, key: octetsOf(event.key) };
  }

  function refusalOf({ model, uniqueId, network }: KeyRequest): [KeyRefusalCode, string] | undefined {
    if (!uniqueId && !policy.allowModelOnly)
      return ["unique_id_required", "a key is made for one handset: send its unique id"];
    if (uniqueId && model && !uniqueId.imei.startsWith(model.tac))
      return ["malformed", "the unique id is not of the model's type allocation code"];
    const ours = policy.modelOf(uniqueId?.imei.slice(0, 8) ?? model!.tac);
    if (!ours) return ["unknown_model", "no handset was made under this type allocation code"];
    if (policy.makes && !policy.makes.includes(ours.make))
      return ["not_our_make", "another manufacturer made this handset"];
    if (uniqueId && policy.isBlocked?.(uniqueId.imei))
      return ["blocked_device", "this handset is on the manufacturer's block list"];
    if (!policy.offerOf(network)) return ["no_agreement", "no access point is agreed with this network"];
    if (accounts.size >= MAX_KEYS) return ["try_later", "the key server holds as many keys as it can"];
    return undefined;
  }

  function makeKey(client: MakerClient, request: KeyRequest, handset: string | null, now: Date): Issued {
    const keyId = freshOctets(KEY_ID_OCTETS);
    const confirmSecret = freshOctets(CONFIRM_SECRET_OCTETS);
    const boundTo = request.uniqueId ? "handset" : "model";
    const notAfter = new Date(now.getTime() + policy.validityMs);
    const { accessPoints, hosts } = policy.offerOf(request.network)!;
    const key = signDeviceKey(
      {
        keyId,
        issuer: policy.issuer,
        boundTo,
        binding: bindingOf(confirmSecret, keyId, request.uniqueId?.imei ?? request.model!.tac, boundTo),
        confirmSecret,
        notBefore: new Date(now.getTime() - CLOCK_SLACK_MS),
        notAfter,
        script: {
          openSession: true,
          insertAccessPoints: true,
          closeSession: true,
          deleteAfterUse: policy.deleteAfterUse,
        },
        hosts,
        accessPoints,
      },
      policy.signingKey,
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
  function noteDownloads(client: MakerClient, notices: readonly DownloadNotice[]): Decision<NoticeAnswer> {
    return noteEach(client, notices, (notice, account) =>
      account.downloadedAtMs === undefined
        ? { kind: "downloaded", keyId: notice.keyId, atMs: notice.at.getTime() }
        : undefined,
    );
  }

  function notePayments(client: MakerClient, remittances: readonly Remittance[]): Decision<NoticeAnswer> {
    return noteEach(client, remittances, ({ keyId, paymentId, amountMinor, currency }) =>
      payments.has(`${client.id}\n${paymentId}`)
        ? undefined
        : { kind: "paid", keyId, clientId: client.id, paymentId, amountMinor, currency },
    );
  }

  function noteEach<Notice extends { readonly keyId: string }>(
    client: MakerClient,
    notices: readonly Notice[],
    eventOf: (notice: Notice, account: Account) => MakerEvent | undefined,
  ): Decision<NoticeAnswer> {
    const events: MakerEvent[] = [];
    const unknown: string[] = [];
    for (const notice of notices) {
      const account = accounts.get(notice.keyId);
      if (account?.issued.clientId !== client.id) {
        unknown.push(notice.keyId);
        continue;
      }
      const event = eventOf(notice, account);
      if (!event) continue;
      events.push(event);
      apply(event);
    }
    const accepted = events.length;
    return { answer: { accepted, repeated: notices.length - accepted - unknown.length, unknown }, events };
  }

  /** This client's accounts after `after`, oldest first; an unknown `after` gives none. */
  function pageOf(client: MakerClient, after: string | undefined, limit: number): Page<Account> {
    const all = ledgerOf(client.id).accounts;
    const last = after === undefined ? undefined : accounts.get(after);
    if (after !== undefined && last?.issued.clientId !== client.id) return { entries: [], next: undefined };
    const start = last ? last.place + 1 : 0;
    const entries = all.slice(start, start + limit);
    return { entries, next: start + limit < all.length ? entries.at(-1)?.issued.keyId : undefined };
  }

  function issuedKeys(client: MakerClient, after: string | undefined, limit: number): Page<IssuedKey> {
    const { entries, next } = pageOf(client, after, limit);
    return { entries: entries.map(issuedKeyOf), next };
  }

  function paymentStates(client: MakerClient, after: string | undefined, limit: number) {
    const { entries, next } = pageOf(client, after, limit);
    const { dueMinor, receivedMinor, differences } = ledgerOf(client.id);
    return {
      entries: entries.map(paymentStateOf),
      next,
      totals: { dueMinor, receivedMinor, differences, currency: client.currency },
    };
  }

  /** Whether a handset at the manufacturer's server holds the key that it names. */
  function verifyArrival(keyId: string, proof: Uint8Array): "good" | "unknown_key" | "bad_proof" {
    const account = accounts.get(keyId);
    if (!account) return "unknown_key";
    const secret = Buffer.from(account.issued.confirmSecret, "hex");
    return verifyArrivalProof(proof, secret, Buffer.from(keyId, "hex")) ? "good" : "bad_proof";
  }

  const handsetOf = (imei: string): string =>
    createHmac("sha256", policy.indexSecret).update(imei.slice(0, 14)).digest("base64url").slice(0, 22);

  return {
    apply,
    clientOf,
    issue,
    noteDownloads,
    notePayments,
    issuedKeys,
    paymentStates,
    verifyArrival,
    /** How many keys were ever issued. */
    size: () => accounts.size,
  };
}

const requestOf = ({ clientId, requestId }: { clientId: string; requestId: string }): string =>
  `${clientId}\n${requestId}`;

const octetsOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

const refused = (requestId: string, code: KeyRefusalCode, reason: string): KeyAnswer => ({
  requestId,
  refused: { code, reason },
});

function issuedKeyOf({ issued, downloadedAtMs, replacedBy }: Account): IssuedKey {
  return {
    keyId: issued.keyId,
    requestId: issued.requestId,
    issuedAt: new Date(issued.atMs),
    ...(downloadedAtMs === undefined ? {} : { downloadedAt: new Date(downloadedAtMs) }),
    ...(replacedBy === undefined ? {} : { replacedBy }),
  };
}

/** Nothing is due before the download. */
function paymentStateOf(account: Account): PaymentState {
  const { issued, downloadedAtMs, receivedMinor } = account;
  return {
    keyId: issued.keyId,
    state: stateOf(account),
    dueMinor: dueOf(account),
    receivedMinor,
    currency: issued.currency,
    ...(downloadedAtMs === undefined ? {} : { downloadedAt: new Date(downloadedAtMs) }),
  };
}

function stateOf(account: Account): PaymentState["state"] {
  const nothingCame = account.receivedMinor === 0 && !account.wrongCurrency;
  if (account.downloadedAtMs === undefined) return nothingCame ? "not_due" : "paid_without_download";
  if (account.receivedMinor === dueOf(account) && !account.wrongCurrency) return "paid";
  return nothingCame ? "due" : "differs";
}

const dueOf = ({ issued, downloadedAtMs }: Account): number =>
  downloadedAtMs === undefined ? 0 : issued.portionMinor;
