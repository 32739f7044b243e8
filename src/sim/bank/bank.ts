/**
 * An operator's payment system as Turnup meets it: pays fees and portions once for each id, keeps a ledger that a test
 * can reconcile, and misbehaves on request: answers late, refuses, or books and loses the answer.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type FeeRequest,
  MAX_PAYMENT_BODY_OCTETS,
  type PaymentRefusal,
  type PaymentResult,
  type PayoutRequest,
  readCharges,
  readPayouts,
} from "../../wire/message/bank-api.ts";
import { ShapeError } from "../../wire/message/shape.ts";

/** Oldest entries are never dropped: above this the system refuses, as a test that books more is wrong. */
const MAX_ENTRIES = 5_000_000;

export type BankEntry = {
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
export type BankSimulator = Awaited<ReturnType<typeof startBank>>;

/** One instruction to move money, a fee or a portion. */
type Instruction = Omit<BankEntry, "bookingId">;

export async function startBank(options: {
  readonly port?: number;
  readonly host?: string;
  readonly secret: string;
  readonly faults?: BankFaults;
}) {
  const { host = "127.0.0.1", faults = {} } = options;
  const ledger: BankEntry[] = [];
  const byId = new Map<string, { readonly content: string; readonly result: PaymentResult }>();
  const askings = new Map<string, number>();
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;

  function settle(instruction: Instruction): PaymentResult {
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

  const isKnown = (request: IncomingMessage): boolean => {
    const digest = (text: string) => createHash("sha256").update(text).digest();
    return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${options.secret}`));
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = faults.request?.(++requests);
    if (fault === "lose_request") return void request.socket.destroy();
    if (fault === "down") return reply(response, 503, { code: "busy" });
    if (!isKnown(request)) return reply(response, 401, { code: "unauthorised" });
    const instructions = instructionsOf(request.url ?? "", await bodyOf(request));
    if (request.method !== "POST" || !instructions) return reply(response, 404, { code: "route_unknown" });
    const results = instructions.map(settle);
    if (fault === "lose_answer") return void request.socket.destroy();
    if (fault === "late") await pause(faults.lateMs ?? 1_000);
    reply(response, 200, { results });
  }

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const malformed = error instanceof ShapeError || error instanceof SyntaxError;
      reply(response, malformed ? 400 : 500, { code: malformed ? "malformed" : "fault" });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    /** What was booked, in order. */
    ledger: (): readonly BankEntry[] => ledger,
    /** Booked minor units by kind, payee and currency. */
    totals(): ReadonlyMap<string, number> {
      const totals = new Map<string, number>();
      for (const { kind, payee, currency, amountMinor } of ledger) {
        const account = `${kind} ${payee} ${currency}`;
        totals.set(account, (totals.get(account) ?? 0) + amountMinor);
      }
      return totals;
    },
    async close(): Promise<void> {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function instructionsOf(path: string, body: string): Instruction[] | undefined {
  if (path === "/v1/charges") return readCharges(JSON.parse(body), "").charges.map(chargeOf);
  if (path === "/v1/payouts") return readPayouts(JSON.parse(body), "").payouts.map(payoutOf);
  return undefined;
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

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request) {
    octets += (chunk as Buffer).length;
    if (octets > MAX_PAYMENT_BODY_OCTETS) throw new ShapeError("", "at most 1 MiB is wanted");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
