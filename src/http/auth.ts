/**
 * Reads the bearer token of a request and says who asks. Known tokens are remembered while word of revocations is heard: one
 * that is revoked here is refused from then on, one that is revoked on another server a second later at most. The hot path
 * costs one SHA-256 and no query. A lookup goes by the hash of what came:
 * nobody can steer a hash, so how long its comparison takes tells nothing about any token.
 */

import type { Caller } from "../kernel/account/role.ts";
import { admit, hashToken, isTokenShaped, type TokenRecord, tokenDigest } from "../kernel/account/token.ts";
import { TurnupError } from "../term/error.ts";
import type { Allowance } from "./allowance.ts";
import { hostOf } from "./connections.ts";
import type { HttpDeps } from "./ports.ts";

export type Gate = {
  /** @throws TurnupError `token_missing`, `token_unknown`, `token_revoked`, `token_expired`, `too_many_requests` */
  callerOf(authorization: string | undefined, address: string): Caller | Promise<Caller>;
  /** Who a token is of that somebody's certificate stands for. @throws TurnupError as `callerOf` */
  callerOfToken(tokenId: string): Promise<Caller>;
  /** Writes down which tokens were used since the last call. */
  flushUse(): Promise<void>;
};

type GateRules = {
  /** After this a token is looked up again, word or no word. */
  readonly freshMs: number;
  readonly tokensMax: number;
  /** Failed attempts of one address. */
  readonly failures: Allowance;
};

type Remembered = { readonly record: TokenRecord; readonly untilMs: number };

type GateDeps = Pick<HttpDeps, "tokens" | "changes" | "clock" | "monotonicMs">;
type GateState = GateDeps & {
  readonly rules: GateRules;
  readonly known: Map<string, Remembered>;
  readonly looking: Map<string, Promise<TokenRecord | undefined>>;
  /** Tokens used since the last flush. */
  readonly used: Set<string>;
  /** Counts what was said of tokens. */
  changed: number;
};

export function createGate({ tokens, changes, clock, monotonicMs }: GateDeps, rules: GateRules): Gate {
  const parts = { tokens, changes, clock, monotonicMs, rules };
  const gate: GateState = { ...parts, known: new Map(), looking: new Map(), used: new Set(), changed: 0 };
  changes.onChange((news) => {
    if (news !== "everything" && news.kind !== "tokens") return;
    gate.changed++; // what is being looked up may be of before
    gate.known.clear();
    gate.looking.clear();
  });

  return {
    callerOf(authorization, address) {
      const token = tokenIn(authorization);
      if (token === undefined) {
        throw new TurnupError("token_missing", "This address answers only with a token.", {
          nextStep: "Send the header 'Authorization: Bearer tup_...'.",
        });
      }
      try {
        const record = isTokenShaped(token) ? recordOf(gate, token, address) : undefined;
        return record instanceof Promise ? admittedThen(gate, record, address) : admitted(gate, record);
      } catch (error) {
        throw counted(gate, address, error);
      }
    },
    async callerOfToken(tokenId) {
      const record = rememberedOf(gate, tokenId);
      return admitted(gate, record ?? (await lookUp(gate, tokenId, () => gate.tokens.findById(tokenId))));
    },
    async flushUse() {
      if (gate.used.size === 0) return;
      const ids = [...gate.used];
      gate.used.clear();
      await tokens.touch(ids, clock());
    },
  };
}

function admitted(gate: GateState, record: TokenRecord | undefined): Caller {
  const caller = admit(record, gate.clock());
  gate.used.add(caller.tokenId);
  return caller;
}

async function admittedThen(
  gate: GateState,
  record: Promise<TokenRecord | undefined>,
  address: string,
): Promise<Caller> {
  try {
    return admitted(gate, await record);
  } catch (error) {
    throw counted(gate, address, error);
  }
}

/** Many requests with one token that is not remembered ask once. */
function lookUp(
  gate: GateState,
  key: string,
  find: () => Promise<TokenRecord | undefined>,
): Promise<TokenRecord | undefined> {
  const running = gate.looking.get(key);
  if (running) return running;
  const before = gate.changed;
  const answer: Promise<TokenRecord | undefined> = find()
    .then((record) => {
      gate.known.delete(key);
      if (record && before === gate.changed) {
        for (const oldest of gate.known.keys()) {
          if (gate.known.size < gate.rules.tokensMax) break;
          gate.known.delete(oldest);
        }
        gate.known.set(key, { record, untilMs: gate.monotonicMs() + gate.rules.freshMs });
      }
      return record;
    })
    .finally(() => {
      if (gate.looking.get(key) === answer) gate.looking.delete(key);
    });
  gate.looking.set(key, answer);
  return answer;
}

function recordOf(
  gate: GateState,
  token: string,
  address: string,
): TokenRecord | Promise<TokenRecord | undefined> {
  const key = tokenDigest(token);
  // A remembered one was good a moment ago: it may ask again whatever others behind its address did.
  if (!gate.known.has(key)) refuseAfterFailures(gate, address, gate.monotonicMs());
  return rememberedOf(gate, key) ?? lookUp(gate, key, () => gate.tokens.findByHash(hashToken(token)));
}

function rememberedOf(gate: GateState, key: string): TokenRecord | undefined {
  const remembered = gate.known.get(key);
  return remembered && remembered.untilMs > gate.monotonicMs() && gate.changes.isHeard()
    ? remembered.record
    : undefined;
}

function refuseAfterFailures(gate: GateState, address: string, nowMs: number): void {
  const seconds = gate.rules.failures.secondsUntilAllowed(hostOf(address), nowMs);
  if (seconds > 0) throw tooMany(seconds, "Too many refused tokens from this address.");
}

/** The same error; a refused token counts against its address. */
function counted(gate: GateState, address: string, error: unknown): unknown {
  if (error instanceof TurnupError && error.code.startsWith("token_"))
    gate.rules.failures.take(hostOf(address), gate.monotonicMs());
  return error;
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
