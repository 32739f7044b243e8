/**
 * Access tokens of the operator's authorisation server, as JWT (RFC 9068): signed by one of its keys, for us, not yet run out. What they
 * say of client, scopes and subscriber is believed; what a client may ask at most stands in the operator's own file.
 */
import type { KeyObject } from "node:crypto";
import { errors, type JWTPayload, jwtVerify } from "jose";
import { type Access, digitsOf, type ExposureClient, RefusalError } from "../../kernel/exposure/access.ts";

const ALGORITHMS = ["ES256", "ES384", "RS256", "PS256", "EdDSA"];
/** Clocks of two machines. */
const CLOCK_TOLERANCE_S = 5;

type TokenRules = {
  /** Public keys of the authorisation server: one of them has signed. */
  readonly keys: readonly KeyObject[];
  readonly issuer: string;
  readonly audience: string;
  /** Claim that has the subscriber's number as `+` and digits; a token without it is two-legged. */
  readonly numberClaim: string;
  /** Words of `amr` (RFC 8176) of whom the network itself knew. */
  readonly networkMethods: readonly string[];
  clientOf(clientId: string): Promise<ExposureClient | undefined>;
  nowMs(): number;
};

/** @throws RefusalError `UNAUTHENTICATED`, `INVALID_TOKEN_CONTEXT` */
export async function accessOf(rules: TokenRules, authorization: string | undefined): Promise<Access> {
  const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization?.slice(0, 8_000) ?? "") ?? [];
  if (token === undefined) throw unauthenticated("A bearer token of the authorisation server is wanted.");
  const payload = await verified(rules, token);
  const clientId = [payload.client_id, payload.azp].find((claim) => typeof claim === "string");
  const client = clientId === undefined ? undefined : await rules.clientOf(clientId);
  if (!client) throw unauthenticated("The token's client is not known here.");
  return {
    client,
    scopes: wordsIn(payload.scope),
    subject: subjectIn(payload, rules.numberClaim),
    isByNetwork: listIn(payload.amr).some((method) => rules.networkMethods.includes(method)),
  };
}

async function verified(rules: TokenRules, token: string): Promise<JWTPayload> {
  for (const key of rules.keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ALGORITHMS,
        issuer: rules.issuer,
        audience: rules.audience,
        requiredClaims: ["exp"],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(rules.nowMs()),
      });
      return payload;
    } catch (error) {
      // A wrong signature, or a key of another kind than its algorithm's (a TypeError of the library): another key may fit.
      if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError) continue;
      if (error instanceof errors.JWTExpired) throw unauthenticated("The token has expired.");
      if (error instanceof errors.JOSEError) break;
      throw error;
    }
  }
  throw unauthenticated("The token is none of the authorisation server's for this API.");
}

/** Whose line the token is about. A claim that is there and no number must not make the token look two-legged. */
function subjectIn(payload: JWTPayload, claim: string): string | null {
  const given = payload[claim];
  if (given === undefined) return null;
  const digits = typeof given === "string" ? digitsOf(given) : undefined;
  if (digits === undefined)
    throw new RefusalError("INVALID_TOKEN_CONTEXT", "The token names a subscriber by no phone number.");
  return digits;
}

const wordsIn = (claim: unknown): readonly string[] =>
  typeof claim === "string" ? claim.split(" ") : listIn(claim);
const listIn = (claim: unknown): readonly string[] =>
  Array.isArray(claim) ? claim.filter((one) => typeof one === "string") : [];

const unauthenticated = (message: string): RefusalError => new RefusalError("UNAUTHENTICATED", message);
