/**
 * Reads the bearer token of a request and says who asks. Known tokens are remembered while word of revocations is heard: one
 * that is revoked here is refused from then on, one that is revoked on another server a second later at most. The hot path
 * costs one SHA-256 and no query. A lookup goes by the hash of what came:
 * nobody can steer a hash, so how long its comparison takes tells nothing about any token.
 */

import type { Caller } from "../kernel/account/role.ts";
import { admit, hashToken, isTokenShaped, type TokenRecord } from "../kernel/account/token.ts";
import { TurnupError } from "../term/error.ts";
import type { Allowance } from "./allowance.ts";
import type { HttpDeps } from "./ports.ts";

export type Gate = {
  /** @throws TurnupError `token_missing`, `token_unknown`, `token_revoked`, `token_expired`, `too_many_requests` */
  callerOf(authorization: string | undefined, address: string): Promise<Caller>;
  /** Writes down which tokens were used since the last call. */
  flushUse(): Promise<void>;
};

export type GateRules = {
  /** After this a token is looked up again, word or no word. */
  readonly freshMs: number;
  readonly tokensMax: number;
  /** Failed attempts of one address. */
  readonly failures: Allowance;
};

type Remembered = { readonly record: TokenRecord; readonly untilMs: number };

export function createGate(
  { tokens, changes, clock, monotonicMs }: Pick<HttpDeps, "tokens" | "changes" | "clock" | "monotonicMs">,
  rules: GateRules,
): Gate {
  const known = new Map<string, Remembered>();
  const looking = new Map<string, Promise<TokenRecord | undefined>>();
  const used = new Set<string>();
  let changed = 0;
  changes.onChange((news) => {
    if (news !== "everything" && news.kind !== "tokens") return;
    changed++; // what is being looked up may be of before
    known.clear();
    looking.clear();
  });

  /** Many requests with one token that is not remembered ask once. */
  function lookUp(key: string, hash: Uint8Array): Promise<TokenRecord | undefined> {
    const running = looking.get(key);
    if (running) return running;
    const before = changed;
    const answer: Promise<TokenRecord | undefined> = tokens
      .findByHash(hash)
      .then((record) => {
        known.delete(key);
        if (record && before === changed) {
          for (const oldest of known.keys()) {
            if (known.size < rules.tokensMax) break;
            known.delete(oldest);
          }
          known.set(key, { record, untilMs: monotonicMs() + rules.freshMs });
        }
        return record;
      })
      .finally(() => {
        if (looking.get(key) === answer) looking.delete(key);
      });
    looking.set(key, answer);
    return answer;
  }

  async function recordOf(token: string, address: string): Promise<TokenRecord | undefined> {
    const hash = hashToken(token);
    const key = Buffer.from(hash).toString("base64");
    const nowMs = monotonicMs();
    const remembered = known.get(key);
    if (remembered && remembered.untilMs > nowMs && changes.isHeard()) return remembered.record;
    // A remembered one was good a moment ago: it may ask again whatever others behind its address did.
    if (!remembered) refuseAfterFailures(address, nowMs);
    return lookUp(key, hash);
  }

  function refuseAfterFailures(address: string, nowMs: number): void {
    const seconds = rules.failures.secondsUntilAllowed(address, nowMs);
    if (seconds > 0) throw tooMany(seconds, "too many refused tokens from this address");
  }

  function failed(address: string, error: TurnupError): never {
    rules.failures.take(address, monotonicMs());
    throw error;
  }

  return {
    async callerOf(authorization, address) {
      const token = tokenIn(authorization);
      if (token === undefined) {
        throw new TurnupError("token_missing", "this address answers only with a token", {
          nextStep: "Send the header 'Authorization: Bearer tup_...'.",
        });
      }
      try {
        const record = isTokenShaped(token) ? await recordOf(token, address) : undefined;
        const caller = admit(record, clock());
        used.add(caller.tokenId);
        return caller;
      } catch (error) {
        if (error instanceof TurnupError && error.code.startsWith("token_")) failed(address, error);
        throw error;
      }
    },
    async flushUse() {
      if (used.size === 0) return;
      const ids = [...used];
      used.clear();
      await tokens.touch(ids, clock());
    },
  };
}

/** The scheme's name is read without regard to letter case (RFC 9110 clause 11.1). */
const tokenIn = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : /^bearer +(\S+) *$/i.exec(authorization.slice(0, 200))?.[1];

/** A token that came as the password of Basic (RFC 7617), as a bearer's; anything else as it came. */
export function asBearer(authorization: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]{1,400}) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return authorization;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? authorization : `Bearer ${pair.slice(colon + 1)}`;
}

export const tooMany = (seconds: number, fact: string): TurnupError =>
  new TurnupError("too_many_requests", fact, {
    nextStep: `Wait ${seconds} seconds.`,
    details: { retryAfterSeconds: seconds },
  });
