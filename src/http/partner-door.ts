/**
 * The API's own door for partners and voice platforms: mutual TLS 1.3, and behind it the routes of their tokens' role alone. Who asks
 * is the certificate's to say. What stands in headers about addresses is what proxies in front say at the other door, and is thrown
 * away here; a bearer token counts for nothing.
 */
import { createServer, type Server } from "node:https";
import { TLSSocket } from "node:tls";
import type { FastifyInstance } from "fastify";
import { certificateNames } from "./certificate-names.ts";
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  guardConnections,
  refuseConnection,
  timeoutsOf,
} from "./connections.ts";
import { type HandshakeRefusal, handshakeRefusalOf } from "./handshakes.ts";
import { changeTls, type DoorTls, mutualTls } from "./mutual-tls.ts";
import { certificateLook, type RevocationCheck } from "./revocation-check.ts";

const LIMITS: ConnectionLimits = { ...CONNECTION_LIMITS, connections: 2_000, perAddress: 500 };
const HEADER_OCTETS_MAX = 16_384;
/** Words of a proxy in front, which this door has none of. */
const FORWARDED = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-real-ip",
];

/** Ids of tokens by a name in the certificate: `dns:...`, `uri:...`, `cn:...`. */
export type PartnerCertificates = ReadonlyMap<string, string>;

type PartnerDoor = {
  readonly server: Server;
  change(tls: DoorTls): void;
  close(): Promise<void>;
};

export function createPartnerDoor({
  app,
  tls,
  revocation,
  onRefused,
}: {
  /** The API: what this door lets in is routed as at the other. */
  readonly app: Pick<FastifyInstance, "routing">;
  readonly tls: DoorTls;
  readonly revocation?: RevocationCheck | undefined;
  onRefused(refusal: HandshakeRefusal): void;
}): PartnerDoor {
  const timeouts = timeoutsOf(LIMITS);
  const options = { ...mutualTls(tls), ...timeouts.node, maxHeaderSize: HEADER_OCTETS_MAX };
  const isGood = revocation && certificateLook(revocation, onRefused);
  const server = createServer(options, async (request, response) => {
    for (const name of FORWARDED) delete request.headers[name];
    try {
      if (isGood && !(request.socket instanceof TLSSocket && (await isGood(request.socket)))) return;
    } catch {
      request.socket.destroy(); // nobody hears of a rejection here, and the process would end by it
      return;
    }
    app.routing(request, response);
  });
  server.keepAliveTimeout = LIMITS.keepAliveMs;
  server.setTimeout(LIMITS.idleMs);
  guardConnections(server, LIMITS);
  server.on("clientError", refuseConnection);
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) =>
    onRefused(handshakeRefusalOf(socket, error)),
  );
  return {
    server,
    change: (next) => changeTls(server, mutualTls(next)),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/**
 * The token that stands for whoever shows this certificate. `other` at every door but this.
 * Undefined where its names are nobody's, or those of two.
 */
export function tokenBehind(socket: unknown, known: PartnerCertificates): string | "other" | undefined {
  if (!(socket instanceof TLSSocket)) return "other";
  const shown = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const found = new Set((shown ? certificateNames(shown) : []).flatMap((name) => known.get(name) ?? []));
  const [token, ...more] = found;
  return more.length === 0 ? token : undefined;
}
