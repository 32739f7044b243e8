/**
 * Turnup's side of the talk with an operator's payment system. Every outcome is a value; `failed` and `pending` say
 * nothing about whether money moved, so the same id is asked again until it is paid or refused.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { assured } from "../../term/narrow.ts";
import {
  type FeeRequest,
  MAX_PAYMENT_BATCH,
  type PaymentRefusal,
  type PaymentResult,
  type PayoutRequest,
  readCharge,
  readPaymentResults,
  readPayout,
} from "../../wire/message/bank-api.ts";
import { type Read, ShapeError, shapeFaultOf } from "../../wire/message/shape.ts";
import { causeOfStatus, type NoAnswer, type WholeAnswer, wholeAnswer } from "../exchange/whole-answer.ts";

const MAX_ANSWER_OCTETS = 1_048_576;
const MAX_SOCKETS = 8;
/** Addresses to which a bearer secret may go without TLS: this machine's own. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

type BankClientOptions = {
  readonly url: string;
  readonly secret: string;
  /** PEM of the only authority trusted; the system's own list unless given. */
  readonly authority?: string;
  readonly timeoutMs: number;
};
type BankFailure = {
  readonly kind: "failed";
  readonly cause: "timeout" | "unreachable" | "unauthorised" | "busy" | "bad_answer" | "bad_request";
  readonly detail: string;
};
export type PaymentOutcome = { readonly id: string } & (
  | { readonly kind: "paid"; readonly bookingId: string }
  | { readonly kind: "pending" }
  | { readonly kind: "refused"; readonly code: PaymentRefusal; readonly reason: string }
  | BankFailure
);
export type BankClient = ReturnType<typeof createBankClient>;

/** The connections to one payment system. */
type Bank = {
  readonly options: BankClientOptions;
  readonly base: URL;
  readonly secure: boolean;
  readonly agent: HttpAgent | HttpsAgent;
};

export function createBankClient(options: BankClientOptions) {
  const base = new URL(options.url);
  const secure = base.protocol === "https:";
  if (!secure && !(base.protocol === "http:" && LOOPBACK.has(base.hostname)))
    throw new RangeError("a payment system elsewhere is reached over https only");
  const agent = secure
    ? new HttpsAgent({
        keepAlive: true,
        maxSockets: MAX_SOCKETS,
        ...(options.authority === undefined ? {} : { ca: options.authority }),
      })
    : new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const bank: Bank = { options, base, secure, agent };

  return {
    /** One outcome a fee request, in their order; at most 500. */
    requestFees: (fees: readonly FeeRequest[]): Promise<PaymentOutcome[]> => askAll(bank, FEES, fees),
    payPortions: (payouts: readonly PayoutRequest[]): Promise<PaymentOutcome[]> =>
      askAll(bank, PAYOUTS, payouts),
    close: (): void => agent.destroy(),
  };
}

/** What is asked of the bank: where, in which shape, under which id. */
type Asked<Entry> = {
  readonly path: string;
  readonly read: Read<Entry>;
  readonly idOf: (entry: Entry) => string;
  readonly bodyOf: (sound: readonly Entry[]) => object;
};
const FEES: Asked<FeeRequest> = {
  path: "/v1/charges",
  read: readCharge,
  idOf: ({ chargeId }) => chargeId,
  bodyOf: (charges) => ({ charges }),
};
const PAYOUTS: Asked<PayoutRequest> = {
  path: "/v1/payouts",
  read: readPayout,
  idOf: ({ payoutId }) => payoutId,
  bodyOf: (payouts) => ({ payouts }),
};

/** Entries that the bank could not read are refused here, so that one does not spoil the batch for the others. */
async function askAll<Entry>(
  bank: Bank,
  { path, read, idOf, bodyOf }: Asked<Entry>,
  entries: readonly Entry[],
): Promise<PaymentOutcome[]> {
  if (entries.length < 1 || entries.length > MAX_PAYMENT_BATCH)
    throw new RangeError(`1 to ${MAX_PAYMENT_BATCH} entries a call`);
  const faults = entries.map((entry) => shapeFaultOf(entry, read));
  const sound = entries.filter((_, at) => faults[at] === undefined);
  const answered = sound.length > 0 ? await ask(bank, path, bodyOf(sound), sound.map(idOf)) : [];
  const results = answered.values();
  return entries.map((entry, at): PaymentOutcome => {
    const reason = faults[at];
    return reason === undefined
      ? assured(results.next().value, "each entry that was sent has an answer")
      : { id: idOf(entry), kind: "refused", code: "malformed", reason };
  });
}

async function ask(
  bank: Bank,
  path: string,
  body: object,
  ids: readonly string[],
): Promise<PaymentOutcome[]> {
  const answered = await wholeAnswer(
    bank.secure ? httpsRequest : httpRequest,
    {
      method: "POST",
      host: bank.base.hostname.replace(/^\[|\]$/g, ""),
      port: bank.base.port || (bank.secure ? 443 : 80),
      path: bank.base.pathname.replace(/\/$/, "") + path,
      headers: { authorization: `Bearer ${bank.options.secret}` },
      agent: bank.agent,
    },
    { type: "application/json", text: JSON.stringify(body) },
    { timeoutMs: bank.options.timeoutMs, answerOctets: MAX_ANSWER_OCTETS },
  );
  const results = answered.kind === "none" ? failureOf(answered) : resultsOf(answered);
  if ("kind" in results) return ids.map((id) => ({ ...results, id }));
  return ids.map((id) => outcomeOf(id, results.get(id)));
}

function resultsOf({ status, text }: WholeAnswer): ReadonlyMap<string, PaymentResult> | BankFailure {
  if (status !== 200) return failed(causeOfStatus(status), `HTTP ${status}`);
  try {
    const { results } = readPaymentResults(JSON.parse(text), "");
    return new Map(results.map((result) => [result.id, result]));
  } catch (error) {
    if (error instanceof ShapeError) return failed("bad_answer", error.message);
    if (error instanceof SyntaxError) return failed("bad_answer", "the answer is no JSON");
    throw error;
  }
}

function outcomeOf(id: string, result: PaymentResult | undefined): PaymentOutcome {
  if (!result) return { ...failed("bad_answer", "this entry was not answered"), id };
  if (result.state === "pending") return { id, kind: "pending" };
  if (result.state === "refused")
    return {
      id,
      kind: "refused",
      code: result.refusal ?? "malformed",
      reason: result.reason ?? "no reason given",
    };
  if (result.bookingId === undefined)
    return { ...failed("bad_answer", "paid without a number of the booking"), id };
  return { id, kind: "paid", bookingId: result.bookingId };
}

function failureOf(none: NoAnswer): BankFailure {
  if (none.why === "error") return failed("unreachable", none.error.code ?? none.error.message);
  const causes = { timeout: "timeout", too_long: "bad_answer", cut_short: "unreachable" } as const;
  return failed(causes[none.why], none.reason);
}

const failed = (cause: BankFailure["cause"], detail: string): BankFailure => ({
  kind: "failed",
  cause,
  detail,
});
