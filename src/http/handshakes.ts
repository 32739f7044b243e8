/**
 * Why a caller did not get through a handshake: facts about strangers, counted at every door under one set of words and never
 * logged as faults of ours.
 */
import type { TLSSocket } from "node:tls";

export const HANDSHAKE_CAUSES = [
  "no_certificate",
  "wrong_authority",
  "expired",
  "not_yet_valid",
  "wrong_purpose",
  "older_tls",
  "revoked",
  "revocation_unknown",
  "handshake_failed",
] as const;
export type HandshakeCause = (typeof HANDSHAKE_CAUSES)[number];

export type HandshakeRefusal = {
  readonly cause: HandshakeCause;
  readonly detail: string;
  /** Address. */
  readonly peer: string;
};

/** What OpenSSL says of a certificate that it does not take; whatever else it says, no authority of ours stands behind it. */
const OF_CERTIFICATE: Readonly<Record<string, HandshakeCause>> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not_yet_valid",
  INVALID_PURPOSE: "wrong_purpose",
};
const OF_HANDSHAKE: Readonly<Record<string, HandshakeCause>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "no_certificate",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "older_tls",
  ERR_SSL_VERSION_TOO_LOW: "older_tls",
  ERR_SSL_WRONG_VERSION_NUMBER: "older_tls",
};

/** Of a connection that ended before a word, or whose certificate TLS did not find good. */
export function handshakeRefusalOf(
  socket: Pick<TLSSocket, "authorizationError" | "remoteAddress">,
  error?: NodeJS.ErrnoException,
): HandshakeRefusal {
  const peer = socket.remoteAddress ?? "unknown";
  // Without a certificate there is a verdict too where the door lets such callers in; a handshake that failed tells more.
  const code = error?.code ?? "";
  const known = OF_HANDSHAKE[code];
  if (known !== undefined) return { cause: known, detail: code, peer };
  const { authorizationError } = socket;
  if (authorizationError) {
    const detail = String(authorizationError);
    return { cause: OF_CERTIFICATE[detail] ?? "wrong_authority", detail, peer };
  }
  return { cause: "handshake_failed", detail: code || (error?.message ?? "cut"), peer };
}

/** A count of each cause from nought on. */
export const noRefusals = (): Record<HandshakeCause, number> => ({
  no_certificate: 0,
  wrong_authority: 0,
  expired: 0,
  not_yet_valid: 0,
  wrong_purpose: 0,
  older_tls: 0,
  revoked: 0,
  revocation_unknown: 0,
  handshake_failed: 0,
});
