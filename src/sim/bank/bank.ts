/**
 * An operator's payment system as Turnup meets it: pays fees and portions once for each id, keeps a ledger that a test
 * can reconcile, and misbehaves on request: answers late, refuses, or books and loses the answer.
 */
import {
  type FeeRequest,
  type PaymentRefusal,
  type PaymentResult,
  type PayoutRequest,
  readCharges,
  readPayouts,
} from "../../wire/message/bank-api.ts";
import { startWeb, type WebAnswer, type WebRequest } from "../web/web.ts";

/** Oldest entries are never dropped: above this the system refuses, as a test that books more is wrong. */
const MAX_ENTRIES = 5_000_000;
const DEFAULT_LATE_MS = 1_000;

type BankEntry = {
  readonly bookingId: string;
  readonly kind: "charge" | "payout";
  readonly id: string;
  readonly payee: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reference: string;
};
export type BankFaults = {
  /** For the whole request: `lose_answer` books and hangs up, `late` waits before it answers, `down` answers 503. */
  request?(number: number): "lose_answer" | "lose_request" | "late" | "down" | undefined;
  /** For one entry: refused, or not yet decided at its n-th asking. */
  entry?(id: string, asking: number): PaymentRefusal | "pending" | undefined;
  readonly lateMs?: number;
};
/** One instruction to move money, a fee or a portion. */
type Instruction = Omit<BankEntry, "bookingId">;

/** What the payment system knows: what was booked, and what it said to each id. */
type Bank = {
  readonly faults: BankFaults;
  readonly ledger: BankEntry[];
  readonly byId: Map<string, { readonly content: string; readonly result: PaymentResult }>;
  readonly askings: Map<string, number>;
};
export type BankSimulator = Awaited<ReturnType<typeof startBank>>;

export async function startBank(options: {
  readonly port?: number;
  readonly host?: string;
  readonly secret: string;
  readonly faults?: BankFaults;
}) {
  const { faults = {}, ...door } = options;
  const bank: Bank = { faults, ledger: [], byId: new Map(), askings: new Map() };
  const web = await startWeb({
    ...door,
    lateMs: faults.lateMs ?? DEFAULT_LATE_MS,
    fault: (number) => faults.request?.(number),
    answer: (request) => answer(bank, request),
  });
  return {
    url: web.url,
    close: web.close,
    /** What was booked, in order. */
    ledger: (): readonly BankEntry[] => bank.ledger,
    /** Booked minor units by kind, payee and currency. */
    totals: (): ReadonlyMap<string, number> => totalsOf(bank),
  };
}

function answer(bank: Bank, { method, path, text }: WebRequest): WebAnswer {
  const instructions = method === "POST" ? instructionsOf(path, text) : undefined;
  if (!instructions) return { status: 404, body: { code: "route_unknown" } };
  return { status: 200, body: { results: instructions.map((one) => settle(bank, one)) } };
}

function instructionsOf(path: string, body: string): Instruction[] | undefined {
  if (path === "/v1/charges") return readCharges(JSON.parse(body), "").charges.map(chargeOf);
  if (path === "/v1/payouts") return readPayouts(JSON.parse(body), "").payouts.map(payoutOf);
  return undefined;
}

function settle({ faults, ledger, byId, askings }: Bank, instruction: Instruction): PaymentResult {
  const { id, kind } = instruction;
  const place = `${kind} ${id}`;
  const content = JSON.stringify(instruction);
  const known = byId.get(place);
  if (known && known.content !== content)
    return { id, state: "refused", refusal: "id_reused", reason: "this id was used for another payment" };
  if (known) return known.result;
  const asking = (askings.get(place) ?? 0) + 1;
  askings.set(place, asking);
  const fault = faults.entry?.(id, asking);
  if (fault === "pending") return { id, state: "pending" };
  const full = ledger.length >= MAX_ENTRIES ? "limit_exceeded" : undefined;
  const refusal = fault ?? full;
  const bookingId = `B${ledger.length + 1}`;
  const result: PaymentResult = refusal
    ? { id, state: "refused", refusal, reason: `refused by the payment system: ${refusal}` }
    : { id, state: "paid", bookingId };
  if (!refusal) ledger.push({ bookingId, ...instruction });
  byId.set(place, { content, result });
  askings.delete(place);
  return result;
}

function totalsOf({ ledger }: Bank): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const { kind, payee, currency, amountMinor } of ledger) {
    const account = `${kind} ${payee} ${currency}`;
    totals.set(account, (totals.get(account) ?? 0) + amountMinor);
  }
  return totals;
}

const chargeOf = ({ chargeId, amountMinor, currency, reference }: FeeRequest): Instruction => ({
  kind: "charge",
  id: chargeId,
  payee: "turnup",
  amountMinor,
  currency,
  reference,
});

const payoutOf = ({ payoutId, payee, amountMinor, currency, reference }: PayoutRequest): Instruction => ({
  kind: "payout",
  id: payoutId,
  payee,
  amountMinor,
  currency,
  reference,
});
