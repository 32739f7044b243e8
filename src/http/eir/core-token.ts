/**
 * Tokens that the NRF of a 5G core gives to its functions: JWS that name the consumer, the kind of function asked and the service.
 * Source: 3GPP TS 33.501 clause 13.4.1, TS 29.510 clause 6.3.5.2.4 (claims), TS 29.500 clause 6.7.3 (refusals).
 */
import { createHash, type KeyObject } from "node:crypto";
import { errors, jwtVerify } from "jose";
import type { TokenFault } from "./eir-door.ts";

const SCOPE = "n5g-eir-eic";
const NF_TYPE = "5G_EIR";
const ALGORITHMS = ["ES256", "ES384", "RS256", "PS256", "EdDSA"];
/** Functions ask with one token for minutes: its signature is looked at once. */
const REMEMBERED_MAX = 10_000;

type TokenRules = {
  /** Public keys of the NRF: one of them has signed. */
  readonly keys: readonly KeyObject[];
  /** This EIR's id as an NF instance, where tokens name it instead of its kind. */
  readonly instanceId: string | undefined;
  nowMs(): number;
};

/** `error` is empty where no token came: RFC 6750 section 3.1 names none for it. */
export function tokenCheck({ keys, instanceId, nowMs }: TokenRules) {
  const untilByToken = new Map<string, number>();
  const verified = async (token: string, name: string): Promise<TokenFault | undefined> => {
    for (const key of keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ALGORITHMS,
          audience: instanceId === undefined ? NF_TYPE : [NF_TYPE, instanceId],
          requiredClaims: ["iss", "sub", "exp"],
          currentDate: new Date(nowMs()),
        });
        const scopes = String(payload.scope ?? "").split(" ");
        if (!scopes.some((scope) => scope === SCOPE || scope.startsWith(`${SCOPE}:`)))
          return { status: 403, error: "insufficient_scope" };
        if (untilByToken.size >= REMEMBERED_MAX) untilByToken.clear();
        untilByToken.set(name, (payload.exp ?? 0) * 1_000);
        return undefined;
      } catch (error) {
        if (isOfAnotherKey(error)) continue;
        const isAudience = error instanceof errors.JWTClaimValidationFailed && error.claim === "aud";
        if (isAudience) return { status: 403, error: "insufficient_scope" };
        if (error instanceof errors.JOSEError) break;
        throw error;
      }
    }
    return { status: 401, error: "invalid_token" };
  };
  return (authorization: string | undefined): TokenFault | undefined | Promise<TokenFault | undefined> => {
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? "") ?? [];
    if (token === undefined)
      return { status: 401, error: authorization === undefined ? "" : "invalid_token" };
    const name = createHash("sha256").update(token).digest("base64");
    const untilMs = untilByToken.get(name);
    if (untilMs !== undefined && nowMs() < untilMs) return undefined;
    untilByToken.delete(name);
    return verified(token, name);
  };
}

/** A wrong signature, or a key of another kind than its algorithm's (a TypeError of the library). */
const isOfAnotherKey = (error: unknown): boolean =>
  error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError;
