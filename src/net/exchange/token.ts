/**
 * An access token by OAuth 2.0 client credentials (RFC 6749 clause 4.4), kept until shortly before its end. With a
 * client certificate the token is asked for over mutual TLS and bound to that certificate (RFC 8705): `client_id` alone
 * is in the body, and the token is worth nothing on another connection.
 */
import { membersOf } from "../../term/narrow.ts";
import {
  type Answered,
  createExchange,
  type ExchangeFailure,
  failed,
  failureOfStatus,
  jsonOf,
} from "./exchange.ts";

/** A token is not used in its last seconds: it might end on its way. */
const TOKEN_SLACK_MS = 10_000;
const MAX_TOKEN_LIFE_S = 86_400;
const MAX_TOKEN_CHARACTERS = 8_192;
/** RFC 6749 clause 5.1 only recommends `expires_in`. */
const DEFAULT_TOKEN_LIFE_S = 300;

export type TokenSource = {
  /** `fresh` asks anew although one is kept: the kept one was refused. */
  token(fresh?: boolean): Promise<{ readonly kind: "token"; readonly token: string } | ExchangeFailure>;
  close(): void;
};

type ClientCredentials = {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Without one, the certificate alone tells who we are (`tls_client_auth`). */
  readonly clientSecret?: string;
  readonly scope?: string;
  readonly authority?: string;
  readonly identity?: { readonly certificate: string; readonly key: string };
  readonly pins?: readonly string[];
  readonly timeoutMs: number;
};

export const fixedToken = (token: string): TokenSource => ({
  token: async () => ({ kind: "token", token }),
  close: () => undefined,
});

export function clientCredentials(
  options: ClientCredentials,
  /** Monotonic: a clock that is set makes no token good. */
  now: () => number = () => performance.now(),
): TokenSource {
  const url = new URL(options.tokenUrl);
  const exchange = createExchange({ ...options, url: url.origin });
  let kept: { readonly token: string; readonly untilMs: number } | undefined;
  let asking: ReturnType<TokenSource["token"]> | undefined;

  async function ask(): ReturnType<TokenSource["token"]> {
    const form = new URLSearchParams({ grant_type: "client_credentials", client_id: options.clientId });
    if (options.scope) form.set("scope", options.scope);
    if (options.clientSecret !== undefined) form.set("client_secret", options.clientSecret);
    const answer = await exchange.send({
      method: "POST",
      path: url.pathname + url.search,
      body: { type: "application/x-www-form-urlencoded", text: form.toString() },
    });
    if (answer.kind === "failed") return answer;
    if (answer.status !== 200) return refusalOf(answer);
    const read = tokenIn(answer);
    if ("kind" in read) return read;
    kept = { token: read.token, untilMs: now() + read.lifeS * 1_000 - TOKEN_SLACK_MS };
    return { kind: "token", token: read.token };
  }

  return {
    token(fresh = false) {
      if (fresh) kept = undefined;
      if (kept && kept.untilMs > now()) return Promise.resolve({ kind: "token", token: kept.token });
      // Callers at the same moment share one question.
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    close: exchange.close,
  };
}

/** RFC 6749 clause 5.2: `invalid_client` comes with 400 or 401. */
function refusalOf(answer: Answered): ExchangeFailure {
  const [, code] = /"error"\s*:\s*"([a-z_]{1,40})"/.exec(answer.text.slice(0, 2_000)) ?? [];
  if (code !== undefined && answer.status < 500) return failed("unauthorised", `no access token: ${code}`);
  return { ...failureOfStatus(answer), reason: `no access token: HTTP ${answer.status}` };
}

function tokenIn(answer: Answered): { readonly token: string; readonly lifeS: number } | ExchangeFailure {
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  const { access_token, token_type, expires_in } = membersOf(json.value);
  const isToken =
    typeof access_token === "string" &&
    access_token.length <= MAX_TOKEN_CHARACTERS &&
    /^[\x21-\x7e]+$/.test(access_token);
  if (!isToken || typeof token_type !== "string" || token_type.toLowerCase() !== "bearer")
    return failed("bad_answer", "the token endpoint gave no bearer token");
  const lifeS =
    typeof expires_in === "number" && expires_in > 0
      ? Math.min(expires_in, MAX_TOKEN_LIFE_S)
      : DEFAULT_TOKEN_LIFE_S;
  return { token: access_token, lifeS };
}
