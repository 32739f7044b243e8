/**
 * TLS of every door that asks for a certificate: 1.3 and nothing older, but where 1.2 is wanted for old devices, and no session that goes on without a new handshake,
 * since it would carry a caller's certificate past its end or its withdrawal. Under SSL_OP_NO_TICKET tickets of TLS 1.3 hold a
 * session's name alone (RFC 8446, 4.6.1), and no session is kept under it.
 */
import { constants } from "node:crypto";
import { type SecureContextOptions, Server } from "node:tls";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Of TLS 1.2: forward secrecy and authenticated encryption, as RFC 9325 clause 4.2 recommends them. */
const OLDER_CIPHERS = ["ECDHE-ECDSA", "ECDHE-RSA"].flatMap((exchange) =>
  ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map((cipher) => `${exchange}-${cipher}`),
);
const CIPHERS = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

export type DoorTls = {
  /** PEM. */
  readonly key: string;
  /** PEM, with its chain. */
  readonly certificate: string;
  /** PEM: whose certificates are let in. */
  readonly authorities: string | readonly string[];
};

export const mutualTls = (
  { key, certificate, authorities }: DoorTls,
  {
    admitsStrangers = false,
    admitsOlder = false,
    handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS,
  }: {
    /** A caller without a certificate, or with a bad one, is let through the handshake: the door itself refuses it. */
    readonly admitsStrangers?: boolean;
    /** TLS 1.2 for callers that have no 1.3, without sessions that go on and without another handshake inside one. */
    readonly admitsOlder?: boolean;
    readonly handshakeTimeoutMs?: number;
  } = {},
) => ({
  key,
  cert: certificate,
  ca: typeof authorities === "string" ? authorities : [...authorities],
  requestCert: true,
  rejectUnauthorized: !admitsStrangers,
  minVersion: admitsOlder ? ("TLSv1.2" as const) : ("TLSv1.3" as const),
  ...(admitsOlder && { ciphers: [...CIPHERS, ...OLDER_CIPHERS].join(":"), honorCipherOrder: true }),
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  handshakeTimeout: handshakeTimeoutMs,
});

/**
 * Other certificates of a door that stays open: connections from now on are made with them, those that are there stay.
 * @throws Error of OpenSSL where they do not fit: the door keeps what it has
 */
export function changeTls(door: object, next: SecureContextOptions): void {
  if (!(door instanceof Server)) throw new RangeError("a door without TLS has no certificates");
  door.setSecureContext(next);
}
