/**
 * Certificates that were taken back, at a door for certificates: looked at with each request, since a connection may outlive what
 * was good when it began. A caller who shows one is cut without a word, as in the handshake.
 */
import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { HandshakeRefusal } from "./handshakes.ts";

/** @param chain the caller's certificate, who issued it, and so on up to the root */
export type RevocationCheck = (
  chain: readonly X509Certificate[],
) => Promise<
  { readonly kind: "let_in" } | { readonly kind: "revoked" | "revocation_unknown"; readonly detail: string }
>;

/** No chain of ours is longer. */
const CHAIN_MAX = 10;

/** For `onRequest`: true where the connection was ended. */
export function revocationHook(
  check: RevocationCheck,
  socketOf: (request: FastifyRequest) => TLSSocket,
  onRefused: (refusal: HandshakeRefusal, socket: TLSSocket) => void,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const isGood = certificateLook(check, onRefused);
  return async (request, reply) => {
    if (!(await isGood(socketOf(request)))) reply.hijack();
  };
}

/** Whether the certificate of a connection is good still; the connection is ended where not. */
export function certificateLook(
  check: RevocationCheck,
  onRefused: (refusal: HandshakeRefusal, socket: TLSSocket) => void,
): (socket: TLSSocket) => Promise<boolean> {
  const chains = new WeakMap<TLSSocket, readonly X509Certificate[]>();
  return async (socket) => {
    const chain = chains.get(socket) ?? chainOf(socket);
    chains.set(socket, chain);
    const verdict = isSignedThroughout(chain) ? await check(chain) : FORGED;
    if (verdict.kind === "let_in") return true;
    const { kind: cause, detail } = verdict;
    // What was sent behind the first request may be read already: one connection is one refusal.
    if (!socket.destroyed) onRefused({ cause, detail, peer: socket.remoteAddress ?? "unknown" }, socket);
    socket.destroy();
    return false;
  };
}

const FORGED = {
  kind: "wrong_authority",
  detail: "a certificate that was sent along only bears the name of who issued the one before it",
} as const;

/**
 * What a caller sends along is chosen for its issuer by name and key identifier alone: whoever makes a certificate in the name of
 * their authority would be looked up with that, of which no list says anything.
 */
const isSignedThroughout = (chain: readonly X509Certificate[]): boolean =>
  chain.every((certificate, at) => {
    const issuer = chain[at + 1];
    return !issuer || certificate.verify(issuer.publicKey);
  });

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw && chain.length < CHAIN_MAX) {
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}
