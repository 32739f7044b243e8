/**
 * Goes to other companies' machines with what is due: asks a manufacturer for keys, tells it of downloads and payments,
 * asks the operator's payment system for fees and pays portions. A call that was made and not booked is made again with
 * the same id, which changes nothing there.
 */
import { getFrom, groupBy } from "../../term/collections.ts";
import type { DownloadNotice, KeyRequest, Remittance } from "../../wire/message/maker-api.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { type Relation, relationOf } from "../operator/operator-terms.ts";
import type { StockQuestion } from "../order/device-key.ts";
import type { Subscriber } from "../order/order-draft.ts";
import type { OrderStore } from "../order/order-store.ts";
import { type CallKind, isRequestCall, isServerNotice, type OutboundCall } from "../order/outbound-call.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import type { InHand } from "./in-hand.ts";
import { askOthers, type Connectors, NO_CONNECTORS } from "./request-calls.ts";

/** Longer than a client waits for an answer. */
const LEASE_MS = 60_000;

/** One manufacturer's key server. */
export interface MakerPort {
  requestKeys(requests: readonly KeyRequest[]): Promise<CallAnswer[]>;
  /** One answer for the whole batch: it was taken, or it was not. */
  reportDownloads(downloads: readonly DownloadNotice[]): Promise<CallAnswer>;
  reportPayments(payments: readonly Remittance[]): Promise<CallAnswer>;
}

export type Payment = {
  readonly id: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly payee: string;
  readonly reference: string;
};

/** The operator's payment system. */
export interface BankPort {
  requestFees(fees: readonly Payment[]): Promise<CallAnswer[]>;
  payPortions(payments: readonly Payment[]): Promise<CallAnswer[]>;
}

export type CallMaker = {
  /** Makes the due calls of one kind; answers how many it took. */
  pass(kind: CallKind, limit: number): Promise<number>;
};

type Deps = {
  readonly store: OrderStore;
  /** Whom makers let bind their keys: our issuer's public key, 32 octets; without it keys are asked for by handset alone. */
  readonly binder?: Uint8Array;
  readonly books: Bookkeeper;
  readonly inHand: InHand;
  readonly clock: () => Date;
  /** The client for a key server's URL; undefined where none is configured. */
  readonly makerAt: (url: string) => MakerPort | undefined;
  readonly bankOf: (operatorId: string) => BankPort | undefined;
  /** Machines that requests of the device's road ask; none where left out. */
  readonly connectors?: Connectors;
};

export function createCallMaker(deps: Deps): CallMaker {
  return {
    async pass(kind, limit) {
      const claim = deps.store.claimCalls({ kind, now: deps.clock(), limit, leaseMs: LEASE_MS });
      const claimed = await deps.inHand.take(claim, ({ id }) => id);
      if (claimed.length === 0) return 0;
      const asked = make(
        deps,
        claimed.filter((call): call is OutboundCall => call.body !== null),
      );
      const book = async (call: (typeof claimed)[number]): Promise<void> =>
        deps.books.answer({ call, answer: (await asked).get(call.id) ?? UNANSWERED });
      await Promise.all(claimed.map((call) => deps.inHand.until(call.id, book(call))));
      return claimed.length;
    },
  };
}

/** All are of one kind, as they were claimed. */
async function make(deps: Deps, calls: readonly OutboundCall[]): Promise<ReadonlyMap<string, CallAnswer>> {
  const asked = calls.filter((call) => isRequestCall(call) || isServerNotice(call));
  if (asked.length > 0)
    return askOthers({ store: deps.store, connectors: deps.connectors ?? NO_CONNECTORS }, asked);
  const payments = calls.filter(isPayment);
  return payments.length > 0 ? pay(deps, payments) : visitMakers(deps, calls.filter(isMakerCall));
}

type PaymentCall = OutboundCall<"fee_request" | "portion_payment">;
const isPayment = (call: OutboundCall): call is PaymentCall =>
  call.kind === "fee_request" || call.kind === "portion_payment";

type MakerCall = OutboundCall<"key_request" | "download_notice" | "remittance_notice">;
const isMakerCall = (call: OutboundCall): call is MakerCall =>
  call.kind === "key_request" || call.kind === "download_notice" || call.kind === "remittance_notice";

const UNANSWERED: CallAnswer = { kind: "failed", cause: "bad_answer", reason: "this call was not answered" };
const unset = (what: string): CallAnswer => ({
  kind: "failed",
  cause: "not_configured",
  reason: `no ${what} is configured`,
});

type Answers = Map<string, CallAnswer>;

/** Groups go side by side: one party that is slow, or whose client breaks, holds up nobody else's calls. */
async function inGroups<Call extends OutboundCall>(
  groups: ReadonlyMap<string, readonly Call[]>,
  ask: (of: string, calls: readonly Call[]) => Promise<readonly CallAnswer[]>,
): Promise<Answers> {
  const answers: Answers = new Map();
  await Promise.all(
    [...groups].map(async ([of, calls]) => {
      const outcomes = await ask(of, calls).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        return calls.map((): CallAnswer => ({ kind: "failed", cause: "call_failed", reason }));
      });
      for (const [at, call] of calls.entries()) answers.set(call.id, outcomes[at] ?? UNANSWERED);
    }),
  );
  return answers;
}

function pay(deps: Deps, calls: readonly PaymentCall[]): Promise<Answers> {
  return inGroups(
    groupBy(calls, ({ operatorId }) => operatorId),
    async (operatorId, group) => {
      const bank = deps.bankOf(operatorId);
      if (!bank) return group.map(() => unset("payment system"));
      const payments = group.map(
        (call): Payment => ({
          id: call.body.chargeId,
          amountMinor: call.body.amountMinor,
          currency: call.body.currency,
          payee: call.kind === "portion_payment" ? call.body.make : "",
          reference: call.orderId,
        }),
      );
      return group[0]?.kind === "fee_request" ? bank.requestFees(payments) : bank.payPortions(payments);
    },
  );
}

async function visitMakers(deps: Deps, calls: readonly MakerCall[]): Promise<Answers> {
  const made = await deps.store.makesOf(calls.map(({ orderId }) => orderId));
  const relations = new Map<MakerCall, Relation | undefined>();
  for (const call of calls) {
    const terms = await deps.store.termsOf(call.operatorId);
    relations.set(call, relationOf(terms, made.get(call.orderId)?.make ?? null));
  }
  const isFromStock = (call: MakerCall): boolean => call.kind === "key_request" && call.body.from === "stock";
  return inGroups(
    groupBy(calls, (call) => (isFromStock(call) ? STOCK : (relations.get(call)?.keyServer ?? ""))),
    async (url, group) => {
      if (url === STOCK) return deps.store.takeFromStock(group.map((call) => inStock(call, relations, made)));
      const maker = url === "" ? undefined : deps.makerAt(url);
      if (!maker) return group.map(() => unset("key server"));
      return visit({ store: deps.store, maker, made, relations, binder: deps.binder }, group);
    },
  );
}

/** No URL: keys that were stored beforehand. */
const STOCK = "stock";

/** A relation of every other make has its stock under `*`. */
const inStock = (
  call: MakerCall,
  relations: ReadonlyMap<MakerCall, Relation | undefined>,
  made: Visit["made"],
): StockQuestion => ({
  operatorId: call.operatorId,
  orderId: call.orderId,
  itemId: call.itemId ?? call.id,
  make: relations.get(call)?.make ?? "*",
  handset: made.get(call.orderId) ?? null,
});

/** The network whose SIM it is: by it a maker knows which agreement holds, and which access point that network serves. */
const networkOf = ({ homePlmn }: Subscriber): NonNullable<KeyRequest["network"]> => ({
  mcc: homePlmn.slice(0, 3),
  mnc: homePlmn.slice(3),
});

type Visit = {
  readonly store: OrderStore;
  readonly maker: MakerPort;
  /** Of each order. */
  readonly made: ReadonlyMap<string, { make: string; model: string; tac: string }>;
  readonly relations: ReadonlyMap<MakerCall, Relation | undefined>;
  readonly binder: Uint8Array | undefined;
};

/** A kind of its own each: what one batch does not hold is not said. */
async function visit(visited: Visit, calls: readonly MakerCall[]): Promise<CallAnswer[]> {
  const { store, maker } = visited;
  const downloads = calls.flatMap((call) => (call.kind === "download_notice" ? [call.body] : []));
  if (downloads.length > 0) {
    const answer = await maker.reportDownloads(
      downloads.map(({ keyId, at }) => ({ keyId: hexOf(keyId), at })),
    );
    return calls.map(() => answer);
  }
  const payments = calls.flatMap((call) => (call.kind === "remittance_notice" ? [call.body] : []));
  if (payments.length > 0) {
    const answer = await maker.reportPayments(
      payments.map(({ keyId, amountMinor, ...payment }) => ({
        ...payment,
        keyId: hexOf(keyId),
        amountMinor: Number(amountMinor),
      })),
    );
    return calls.map(() => answer);
  }
  const subjects = await store.subjectsOf(calls.map(({ orderId }) => orderId));
  return maker.requestKeys(calls.map((call) => keyRequestOf(visited, call, getFrom(subjects, call.orderId))));
}

/**
 * By what the relation says (claims 3 and 16). Asked for by its model alone, a key is still one handset's: the maker leaves it
 * to us to bind it. What a maker of the release before does not know is said only where it matters.
 */
function keyRequestOf({ made, relations, binder }: Visit, call: MakerCall, subject: Subscriber): KeyRequest {
  const { keyRequestBy = "model_and_imei", deleteAfterUse = true } = relations.get(call) ?? {};
  const isByModel = keyRequestBy === "model";
  const model = keyRequestBy === "imei" ? undefined : made.get(call.orderId);
  return {
    requestId: call.itemId ?? call.id,
    ...(model && { model }),
    ...(!isByModel && { uniqueId: { imei: subject.imei } }),
    network: networkOf(subject),
    ...(isByModel && binder && { binder: Buffer.from(binder).toString("hex") }),
    ...(!deleteAfterUse && { deleteAfterUse }),
  };
}

/** Key ids are UUIDs in rows and 32 hex digits in the maker's API. */
const hexOf = (uuid: string): string => uuid.replaceAll("-", "");
