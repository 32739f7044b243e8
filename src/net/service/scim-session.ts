/**
 * One provider's door for requests in SCIM: each bears our token, a token that was forgotten over there is asked for
 * anew, one media type is spoken that the provider takes, and who asked us to wait is not asked before.
 */
import { SCIM_TYPE } from "../../wire/message/scim.ts";
import {
  type Answered,
  createExchange,
  type ExchangeFailure,
  type ExchangeOptions,
  failed,
  type Outgoing,
} from "../exchange/exchange.ts";
import type { TokenSource } from "../exchange/token.ts";

const JSON_TYPE = "application/json";
const ACCEPTED = `${SCIM_TYPE}, ${JSON_TYPE};q=0.9`;
/** A provider that asks for more is asked again after this. */
const MAX_WAIT_MS = 3_600_000;

type ScimRequest = {
  readonly method: Outgoing["method"];
  readonly path: string;
  readonly body?: object;
  /** The entity-tag that the user must still have. */
  readonly ifMatch?: string;
};
export type ScimSession = {
  /** Where the provider is, with its path. */
  readonly base: URL;
  send(request: ScimRequest): Promise<Answered | ExchangeFailure>;
  close(): void;
};

/** @param now of a monotonic clock, in milliseconds */
export function scimSession(
  options: ExchangeOptions & { readonly tokens: TokenSource },
  now: () => number,
): ScimSession {
  const { tokens } = options;
  const exchange = createExchange(options);
  let bodyType = SCIM_TYPE;
  let waitsUntilMs = Number.NEGATIVE_INFINITY;

  async function attempt({ method, path, body, ifMatch }: ScimRequest, fresh: boolean) {
    const token = await tokens.token(fresh);
    if (token.kind === "failed") return token;
    return exchange.send({
      method,
      path,
      headers: {
        accept: ACCEPTED,
        authorization: `Bearer ${token.token}`,
        ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
      },
      ...(body === undefined ? {} : { body: { type: bodyType, text: JSON.stringify(body) } }),
    });
  }

  return {
    base: exchange.base,
    async send(request) {
      const waitMs = waitsUntilMs - now();
      if (waitMs > 0)
        return failed("busy", `it asked not to be asked for another ${Math.ceil(waitMs / 1_000)} s`);
      let answer = await attempt(request, false);
      if (hasStatus(answer, 401)) answer = await attempt(request, true);
      if (hasStatus(answer, 415) && request.body && bodyType === SCIM_TYPE) {
        bodyType = JSON_TYPE;
        answer = await attempt(request, false);
      }
      if (answer.kind === "answered") waitsUntilMs = Math.max(waitsUntilMs, now() + waitAskedMs(answer));
      return answer;
    },
    close() {
      exchange.close();
      tokens.close();
    },
  };
}

const hasStatus = (answer: Answered | ExchangeFailure, status: number): boolean =>
  answer.kind === "answered" && answer.status === status;

/** Some say at 429 alone when their minute is over, in seconds since 1970. */
const RATE_RESETS = ["x-rate-limit-reset", "x-ratelimit-reset"];

/** RFC 9110 clause 10.2.3: seconds, or a time, which is told by the clock that the answer was made by. */
function waitAskedMs({ status, headers }: Answered): number {
  if (status !== 429 && status !== 503) return 0;
  const sent = typeof headers.date === "string" ? Date.parse(headers.date) : Date.now();
  const asked = headers["retry-after"] ?? resetIn(headers);
  if (typeof asked !== "string") return 0;
  const waitMs = /^\d{1,10}$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - sent;
  return Number.isFinite(waitMs) ? Math.min(Math.max(waitMs, 0), MAX_WAIT_MS) : 0;
}

function resetIn(headers: Answered["headers"]): string | undefined {
  const resets = RATE_RESETS.map((name) => headers[name]);
  const reset = resets.find((value) => typeof value === "string" && /^\d{10}$/.test(value));
  return reset === undefined ? undefined : new Date(Number(reset) * 1_000).toUTCString();
}
