/**
 * A door that opens to certificates alone: mutual TLS 1.3, limits of connections, and one reading of why a handshake failed.
 * What stands behind it (routes, contracts, tokens) is the caller's.
 */
import type { Server } from "node:https";
import { TLSSocket } from "node:tls";
import Fastify, { type FastifyHttpsOptions, type FastifyInstance, type FastifyRequest } from "fastify";
import { type ConnectionLimits, guardDoor, refuseConnection, timeoutsOf } from "./connections.ts";
import { type HandshakeRefusal, handshakeRefusalOf } from "./handshakes.ts";
import { mutualTls } from "./mutual-tls.ts";
import { type RevocationCheck, revocationHook } from "./revocation-check.ts";

/** PEM: our own key and certificate, and the authority whose certificates are let in. */
export type DoorIdentity = { readonly key: string; readonly certificate: string; readonly authority: string };

/** Typed as any other, so that routes and hooks serve both: the type of a server over TLS differs only in its raw socket. */
export const fastifyOverTls = (options: FastifyHttpsOptions<Server>): FastifyInstance =>
  Fastify(options) as unknown as FastifyInstance; // as it says above

/** The TLS session by which a request came. @throws Error: it came without TLS, as to none of these doors */
export function tlsSocketOf({ raw: { socket } }: FastifyRequest): TLSSocket {
  if (socket instanceof TLSSocket) return socket;
  throw new Error("a request without TLS at a door that asks for certificates");
}

export function openCertifiedDoor({
  tls,
  limits,
  bodyLimitOctets,
  exposeHeadRoutes = true,
  revocation,
  onRefused,
}: {
  readonly tls: DoorIdentity;
  readonly limits: ConnectionLimits;
  readonly bodyLimitOctets: number;
  /** HEAD beside every GET. */
  readonly exposeHeadRoutes?: boolean;
  /** Whether certificates were taken back is not looked at without it. */
  readonly revocation?: RevocationCheck | undefined;
  onRefused(refusal: HandshakeRefusal): void;
}): FastifyInstance {
  const timeouts = timeoutsOf(limits);
  const app = fastifyOverTls({
    https: {
      ...mutualTls({ key: tls.key, certificate: tls.certificate, authorities: tls.authority }),
      ...timeouts.node,
    },
    bodyLimit: bodyLimitOctets,
    ...timeouts.fastify,
    clientErrorHandler: refuseConnection,
    forceCloseConnections: true,
    exposeHeadRoutes,
  });
  guardDoor(app, limits);
  if (revocation) app.addHook("onRequest", revocationHook(revocation, tlsSocketOf, onRefused));
  app.server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) =>
    onRefused(handshakeRefusalOf(socket, error)),
  );
  return app;
}
