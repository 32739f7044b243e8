/**
 * Turnup's side of the talk with an operator's payment system. Every outcome is a value; `failed` and `pending` say
 * nothing about whether money moved, so the same id is asked again until it is paid or refused.
 */
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
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

const MAX_ANSWER_OCTETS = 1_048_576;
const MAX_SOCKETS = 8;
/** Addresses to which a bearer secret may go without TLS: this machine's own. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export type BankClientOptions = {
  readonly url: string;
  readonly secret: string;
  /** PEM of the only authority trusted; the system's own list unless given. */
  readonly authority?: string;
  readonly timeoutMs: number;
};
export type BankFailure = {
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

  /** Entries that the bank could not read are refused here, so that one does not spoil the batch for the others. */
  async function askAll<Entry>(
    path: string,
    entries: readonly Entry[],
    read: Read<Entry>,
    idOf: (entry: Entry) => string,
    bodyOf: (sound: readonly Entry[]) => object,
  ): Promise<PaymentOutcome[]> {
    if (entries.length < 1 || entries.length > MAX_PAYMENT_BATCH)
      throw new RangeError(`1 to ${MAX_PAYMENT_BATCH} entries a call`);
    const faults = entries.map((entry) => shapeFaultOf(entry, read));
    const sound = entries.filter((_, at) => faults[at] === undefined);
    const answered = sound.length > 0 ? await ask(path, bodyOf(sound), sound.map(idOf)) : [];
    const results = answered.values();
    return entries.map((entry, at): PaymentOutcome => {
      const reason = faults[at];
      return reason === undefined
        ? results.next().value!
        : { id: idOf(entry), kind: "refused", code: "malformed", reason };
    });
  }

  async function ask(path: string, body: object, ids: readonly string[]): Promise<PaymentOutcome[]> {
    const answered = await exchange(
      secure ? httpsRequest : httpRequest,
      {
        method: "POST",
        host: base.hostname.replace(/^\[|\]$/g, ""),
        port: base.port || (secure ? 443 : 80),
        path: base.pathname.replace(/\/$/, "") + path,
        headers: { authorization: `Bearer ${options.secret}`, "content-type": "application/json" },
        agent,
      },
      JSON.stringify(body),
      options.timeoutMs,
    );
    const results = answered.kind === "failed" ? answered : resultsOf(answered);
    if ("kind" in results) return ids.map((id) => ({ ...results, id }));
    return ids.map((id) => outcomeOf(id, results.get(id)));
  }

  return {
    /** One outcome a fee request, in their order; at most 500. */
    requestFees: (fees: readonly FeeRequest[]): Promise<PaymentOutcome[]> =>
      askAll(
        "/v1/charges",
        fees,
        readCharge,
        ({ chargeId }) => chargeId,
        (charges) => ({ charges }),
      ),
    payPortions: (payouts: readonly PayoutRequest[]): Promise<PaymentOutcome[]> =>
      askAll(
        "/v1/payouts",
        payouts,
        readPayout,
        ({ payoutId }) => payoutId,
        (sound) => ({ payouts: sound }),
      ),
    close: (): void => agent.destroy(),
  };
}

type Exchanged = { readonly kind: "exchanged"; readonly status: number; readonly text: string };

function resultsOf({ status, text }: Exchanged): ReadonlyMap<string, PaymentResult> | BankFailure {
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

function causeOfStatus(status: number): BankFailure["cause"] {
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 429 || status >= 500) return "busy";
  return status >= 400 ? "bad_request" : "bad_answer";
}

/** One request and its whole answer, within the time and the size. */
function exchange(
  request: typeof httpRequest,
  options: RequestOptions,
  body: string,
  timeoutMs: number,
): Promise<Exchanged | BankFailure> {
  return new Promise((resolve) => {
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      let octets = 0;
      incoming.on("data", (chunk: Buffer) => {
        octets += chunk.length;
        chunks.push(chunk);
        if (octets > MAX_ANSWER_OCTETS) end(failed("bad_answer", "the answer is longer than 1 MiB"));
      });
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        end({ kind: "exchanged", status: incoming.statusCode ?? 0, text });
      });
      incoming.on("error", (error: NodeJS.ErrnoException) =>
        end(failed("unreachable", error.code ?? error.message)),
      );
    });
    const timer = setTimeout(() => end(failed("timeout", `no answer within ${timeoutMs} ms`)), timeoutMs);
    let ended = false;
    function end(outcome: Exchanged | BankFailure): void {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      if (outcome.kind === "failed") outgoing.destroy();
      resolve(outcome);
    }
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      end(failed("unreachable", error.code ?? error.message)),
    );
    outgoing.setHeader("content-length", Buffer.byteLength(body));
    outgoing.end(body);
  });
}

const failed = (cause: BankFailure["cause"], detail: string): BankFailure => ({
  kind: "failed",
  cause,
  detail,
});
