/**
 * A payment provider: takes a card's number at the door for a token, and holds sums against the token. The number and the
 * code are in one request and in no value, reason or error that leaves here.
 */
import type { PaymentProvider } from "../../kernel/calls/connectors.ts";
import type { ReturnsAsked } from "../../kernel/settlement/collection-return.ts";
import { isCalendarDay } from "../../term/calendar.ts";
import {
  readAccount,
  readAccountToken,
  readAuthorisation,
  readAuthorisationAnswer,
  readCard,
  readCharge,
  readChargeAnswer,
  readPaymentRefusal,
  readReturns,
  readTokenAnswer,
} from "../../wire/message/payment-api.ts";
import { type Read, ShapeError } from "../../wire/message/shape.ts";
import {
  type Answered,
  createExchange,
  type ExchangeFailure,
  failed,
  failureOfStatus,
  jsonOf,
} from "../exchange/exchange.ts";

/** By these an address is told that is none (RFC 9110 §15): the provider takes cards alone. */
const NO_SUCH_ADDRESS = [404, 405, 501];
const ACCOUNTS_NOT_TAKEN = "accounts_not_taken";
/** So long it is not asked again: an address may be missing for a while only. */
const ASK_AGAIN_MS = 3_600_000;

type Refusal = { readonly kind: "refused"; readonly cause: string; readonly reason: string };

export function paymentProvider(options: {
  readonly url: string;
  readonly secret: string;
  readonly authority?: string;
  readonly timeoutMs: number;
  /** The operator's contract is for cards alone. */
  readonly cardsOnly?: boolean;
  readonly monotonicMs?: () => number;
}): PaymentProvider & { close(): void } {
  const exchange = createExchange(options);
  const { monotonicMs = () => performance.now() } = options;
  let notTakenUntilMs = options.cardsOnly ? Number.POSITIVE_INFINITY : 0;

  const post = (path: string, key: string, body: object) =>
    exchange.send({
      method: "POST",
      path,
      headers: { authorization: `Bearer ${options.secret}`, "idempotency-key": key },
      body: { type: "application/json", text: JSON.stringify(body) },
    });

  const tokeniseAccount: NonNullable<PaymentProvider["tokeniseAccount"]> = async ({
    iban,
    holder,
    mandate,
    idempotencyKey,
  }) => {
    const account = sound(readAccount, { iban, ...(holder !== undefined && { holder }), mandate });
    if (!account) return refused("account_malformed", "the account or its mandate is not well formed");
    const answer = await post("/v1/accounts", idempotencyKey, account);
    if (answer.kind === "failed") return answer;
    if (answer.status !== 201 && answer.status !== 200) {
      const refusal = refusalOf(answer, "the account was not taken");
      if (!NO_SUCH_ADDRESS.includes(answer.status) && refusal.cause !== ACCOUNTS_NOT_TAKEN) return refusal;
      notTakenUntilMs = monotonicMs() + ASK_AGAIN_MS;
      return { kind: "not_taken" };
    }
    const read = readAnswer(answer, readAccountToken);
    if ("kind" in read) return read;
    // A token of another account would collect from another person.
    if (!iban.endsWith(read.value.last4)) return failed("bad_answer", "the token is of another account");
    return { kind: "token", token: read.value.token };
  };

  return {
    async tokenise({ pan, expiry, cvv, idempotencyKey }) {
      const card = sound(readCard, { pan, expiry, ...(cvv === null ? {} : { cvv }) });
      if (!card) return refused("card_malformed", "the card's number, expiry or code is not well formed");
      const answer = await post("/v1/tokens", idempotencyKey, card);
      if (answer.kind === "failed") return answer;
      if (answer.status !== 201 && answer.status !== 200) return refusalOf(answer, "the card was not taken");
      const read = readAnswer(answer, readTokenAnswer);
      if ("kind" in read) return read;
      const { token, first6, last4, brand } = read.value;
      // A token of another card would charge another person.
      if (!pan.startsWith(first6) || !pan.endsWith(last4))
        return failed("bad_answer", "the token is of another card");
      return { kind: "token", card: { token, first6, last4, brand } };
    },
    get tokeniseAccount() {
      return monotonicMs() < notTakenUntilMs ? undefined : tokeniseAccount;
    },
    async authorise({ id, token, amountMinor, currency }) {
      const body = sound(readAuthorisation, { token, amountMinor, currency });
      if (!body) return refused("malformed", "the sum or the token is not well formed");
      const reference = decided(await post("/v1/authorisations", id, body), readAuthorisationAnswer);
      return typeof reference === "string" ? { kind: "approved", reference } : reference;
    },
    async collect({ id, token, mandate, amountMinor, currency, purpose, endToEndId }) {
      const charge = {
        token,
        amountMinor,
        currency,
        purpose,
        endToEndId,
        ...(mandate !== null && { mandate }),
      };
      const body = sound(readCharge, charge);
      if (!body) return refused("malformed", "the sum or the token is not well formed");
      const reference = decided(await post("/v1/charges", id, body), readChargeAnswer);
      return typeof reference === "string" ? { kind: "taken", reference } : reference;
    },
    returns: ({ after }) => returnsOf(exchange, options.secret, after),
    close: exchange.close,
  };
}

/** What came back since; asked on from the same place for more, it would be asked for ever. */
async function returnsOf(
  exchange: ReturnType<typeof createExchange>,
  secret: string,
  after: string | null,
): Promise<ReturnsAsked> {
  const query = after === null ? "" : `?after=${encodeURIComponent(after)}`;
  const headers = { authorization: `Bearer ${secret}` };
  const answer = await exchange.send({ method: "GET", path: `/v1/returns${query}`, headers });
  if (answer.kind === "failed") return answer;
  if (NO_SUCH_ADDRESS.includes(answer.status)) return { kind: "not_told" };
  if (answer.status !== 200) return failureOfStatus(answer);
  const read = readAnswer(answer, readReturns);
  if ("kind" in read) return read;
  const { returns, cursor, more } = read.value;
  const isMore = more === "yes" && cursor !== undefined && cursor !== after;
  return { kind: "returns", returns: returns.map(toldOf), cursor: cursor ?? after, isMore };
}

/** By the name that we gave it first: whose number the other is, only its provider knows. */
const toldOf = ({
  id: key,
  kind,
  endToEndId,
  reference,
  amountMinor,
  currency,
  code,
  returnedOn,
}: ReturnType<typeof readReturns>["returns"][number]) => ({
  ...{
    key,
    kind,
    currency,
    amountMinor: BigInt(amountMinor),
    code: code ?? null,
    // A day that the calendar lacks would hold up all that is told behind it.
    returnedOn: returnedOn !== undefined && isCalendarDay(returnedOn) ? returnedOn : null,
  },
  named: [endToEndId, reference].flatMap((name) => name ?? []),
});

type Decision = {
  readonly state: "approved" | "taken" | "declined" | "pending";
  readonly reference?: string;
  readonly code?: string;
};

/** The reference of a yes; else the no, or that there is no answer yet. */
function decided(
  answer: Answered | ExchangeFailure,
  readDecision: Read<Decision>,
): string | Refusal | ExchangeFailure {
  if (answer.kind === "failed") return answer;
  if (answer.status !== 200 && answer.status !== 201)
    return refusalOf(answer, "the payment provider refused the request");
  const read = readAnswer(answer, readDecision);
  if ("kind" in read) return read;
  const { state, reference, code } = read.value;
  if (state === "pending") return failed("pending", "the payment provider has not decided yet");
  if (state === "declined") return refused(code ?? "declined", "the payment provider declined it");
  return reference ?? failed("bad_answer", `${state} without a reference`);
}

/** A code of the other's in the 4xx range is a no; without one it is a fault and asked again. */
function refusalOf(answer: Answered, reason: string): Refusal | ExchangeFailure {
  if (![400, 402, 409, 422].includes(answer.status)) return failureOfStatus(answer);
  const read = readAnswer(answer, readPaymentRefusal);
  return "kind" in read ? failureOfStatus(answer) : refused(read.value.code, reason);
}

function readAnswer<Value>(answer: Answered, read: Read<Value>): { readonly value: Value } | ExchangeFailure {
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  const value = sound(read, json.value);
  return value === undefined ? failed("bad_answer", "the answer has another shape than agreed") : { value };
}

function sound<Value>(read: Read<Value>, value: unknown): Value | undefined {
  try {
    return read(value, "");
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}

const refused = (cause: string, reason: string): Refusal => ({ kind: "refused", cause, reason });
