/**
 * Goes to other companies' machines with what is due: asks a manufacturer for keys, tells it of downloads and payments,
 * asks the operator's payment system for fees and pays portions. A call that was made and not booked is made again with
 * the same id, which changes nothing there.
 */
import type { DownloadNotice, KeyRequest, Remittance } from "../../wire/message/maker-api.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { relationOf } from "../order/operator-terms.ts";
import type { Subscriber } from "../order/order-draft.ts";
import type { OrderStore } from "../order/order-store.ts";
import type { CallKind, OutboundCall } from "../order/outbound-call.ts";
import type { Bookkeeper } from "./bookkeeper.ts";
import type { InHand } from "./in-hand.ts";
import { askOthers, type Connectors, isRequestCall, NO_CONNECTORS } from "./request-calls.ts";

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
      const calls = await deps.inHand.take(claim, ({ id }) => id);
      if (calls.length === 0) return 0;
      const asked = ask(deps, kind, calls);
      const book = async (call: OutboundCall): Promise<void> =>
        deps.books.answer({ call, answer: (await asked).get(call.id) ?? UNANSWERED });
      await Promise.all(calls.map((call) => deps.inHand.until(call.id, book(call))));
      return calls.length;
    },
  };
}

function ask(
  deps: Deps,
  kind: CallKind,
  calls: readonly OutboundCall[],
): Promise<ReadonlyMap<string, CallAnswer>> {
  if (isRequestCall(kind))
    return askOthers({ store: deps.store, connectors: deps.connectors ?? NO_CONNECTORS }, kind, calls);
  return kind === "fee_request" || kind === "portion_payment"
    ? pay(deps, kind, calls)
    : visitMakers(deps, kind, calls);
}

const UNANSWERED: CallAnswer = { kind: "failed", cause: "bad_answer", reason: "this call was not answered" };
const unset = (what: string): CallAnswer => ({
  kind: "failed",
  cause: "not_configured",
  reason: `no ${what} is configured`,
});

type Answers = Map<string, CallAnswer>;

/** Groups go side by side: one party that is slow, or whose client breaks, holds up nobody else's calls. */
async function inGroups(
  groups: ReadonlyMap<string, readonly OutboundCall[]>,
  ask: (of: string, calls: readonly OutboundCall[]) => Promise<readonly CallAnswer[]>,
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

function pay(deps: Deps, kind: CallKind, calls: readonly OutboundCall[]): Promise<Answers> {
  return inGroups(
    groupBy(calls, ({ operatorId }) => operatorId),
    async (operatorId, group) => {
      const bank = deps.bankOf(operatorId);
      if (!bank) return group.map(() => unset("payment system"));
      const payments = group.map(({ body, orderId }) => ({
        id: body.chargeId!,
        amountMinor: BigInt(body.amountMinor!),
        currency: body.currency!,
        payee: body.make ?? "",
        reference: orderId,
      }));
      return kind === "fee_request" ? bank.requestFees(payments) : bank.payPortions(payments);
    },
  );
}

async function visitMakers(deps: Deps, kind: CallKind, calls: readonly OutboundCall[]): Promise<Answers> {
  const made = await deps.store.makesOf(calls.map(({ orderId }) => orderId));
  const urls = new Map<OutboundCall, string>();
  for (const call of calls) {
    const terms = await deps.store.termsOf(call.operatorId);
    urls.set(call, relationOf(terms, made.get(call.orderId)?.make ?? null)?.keyServer ?? "");
  }
  return inGroups(
    groupBy(calls, (call) => urls.get(call)!),
    async (url, group) => {
      const maker = url === "" ? undefined : deps.makerAt(url);
      return maker ? visit(deps, maker, kind, group, made) : group.map(() => unset("key server"));
    },
  );
}

/** The network whose SIM it is: by it a maker knows which agreement holds, and which access point that network serves. */
const networkOf = ({ homePlmn }: Subscriber): NonNullable<KeyRequest["network"]> => ({
  mcc: homePlmn.slice(0, 3),
  mnc: homePlmn.slice(3),
});

async function visit(
  deps: Deps,
  maker: MakerPort,
  kind: CallKind,
  calls: readonly OutboundCall[],
  made: ReadonlyMap<string, { make: string; model: string; tac: string }>,
): Promise<CallAnswer[]> {
  if (kind === "download_notice") {
    const answer = await maker.reportDownloads(
      calls.map(({ body }) => ({ keyId: hexOf(body.keyId!), at: new Date(body.at!) })),
    );
    return calls.map(() => answer);
  }
  if (kind === "remittance_notice") {
    const answer = await maker.reportPayments(
      calls.map(({ body }) => ({
        paymentId: body.paymentId!,
        keyId: hexOf(body.keyId!),
        amountMinor: Number(body.amountMinor),
        currency: body.currency!,
        at: new Date(body.at!),
      })),
    );
    return calls.map(() => answer);
  }
  const subjects = await deps.store.subjectsOf(calls.map(({ orderId }) => orderId));
  return maker.requestKeys(
    calls.map(({ itemId, orderId }) => ({
      requestId: itemId!,
      model: made.get(orderId)!,
      uniqueId: { imei: subjects.get(orderId)!.imei },
      network: networkOf(subjects.get(orderId)!),
    })),
  );
}

/** Key ids are UUIDs in rows and 32 hex digits in the maker's API. */
const hexOf = (uuid: string): string => uuid.replaceAll("-", "");

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
