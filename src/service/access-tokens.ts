/**
 * Access tokens of the service server's own (OAuth 2.0 client credentials), each bound to the certificate that asked
 * for it (RFC 8705): on a connection with another certificate it is worth nothing. Kept as digests, in memory alone.
 */
import { createHash } from "node:crypto";
import { dropOldest } from "../term/collections.ts";
import { CLIENT_URN } from "../wire/message/scim.ts";

const TOKEN_OCTETS = 32;
const TOKEN_LIFE_MS = 600_000;
/** The oldest give way: who lost theirs asks for another. */
const MAX_TOKENS = 10_000;

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** @param freshOctets so many octets that nobody can guess. Its times are of a monotonic clock. */
export function createAccessTokens(freshOctets: (octets: number) => Uint8Array) {
  const grants = new Map<
    string,
    { readonly clientId: string; readonly thumbprint: string; readonly untilMs: number }
  >();
  return {
    issue(
      clientId: string,
      thumbprint: string,
      nowMs: number,
    ): { readonly token: string; readonly lifeMs: number } {
      const token = Buffer.from(freshOctets(TOKEN_OCTETS)).toString("base64url");
      grants.set(digestOf(token), { clientId, thumbprint, untilMs: nowMs + TOKEN_LIFE_MS });
      dropOldest(grants, MAX_TOKENS);
      return { token, lifeMs: TOKEN_LIFE_MS };
    },
    /** The client whose token this is, on the connection that it is bound to. */
    clientOf(token: string, thumbprint: string, nowMs: number): string | undefined {
      const grant = grants.get(digestOf(token));
      return grant && grant.thumbprint === thumbprint && grant.untilMs > nowMs ? grant.clientId : undefined;
    },
  };
}

/** Which of these clients the names in a verified certificate (`urn:turnup:client:<id>`) are of. */
export function clientNamed(clientIds: readonly string[], names: readonly string[]): string | undefined {
  const found = clientIds.filter((id) => names.includes(CLIENT_URN + id));
  return found.length === 1 ? found[0] : undefined;
}

/** `x5t#S256` of RFC 8705 clause 3.1: SHA-256 of the certificate in DER. */
export const thumbprintOf = (der: Uint8Array): string => createHash("sha256").update(der).digest("base64url");

const digestOf = (token: string): string => createHash("sha256").update(token).digest("base64");
