/**
 * The door for S13 and S13' over TCP or TLS: MMEs and SGSNs, or a Diameter agent in front of them, ask whether a handset may be used. The
 * answer is given at once; what was asked goes on to whoever makes a sighting of it. Source: RFC 6733 section 5 (peers), 3GPP TS 29.272
 * clause 6.2. SCTP, which TS 29.272 clause 7.1.2 names, is the agent's to bring.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions, Server as TlsServer } from "node:tls";
import { type Peer, type PeerOptions, receivePeer } from "./peer.ts";

type S13DoorOptions = {
  readonly host: string;
  readonly port: number;
  /** Plain TCP unless given. */
  readonly tls?: TlsOptions | undefined;
  /** Whether anybody may connect from there at all: others are not even read. */
  isNear(address: string): boolean;
} & Omit<PeerOptions, "onKnown" | "onEnd">;

export type S13Door = {
  /** Where it listens: a port of 0 took any free one. */
  readonly port: number;
  /** Takes no more; peers are told that we leave (DPR), and have a little time to say that they heard it. */
  close(): Promise<void>;
  /** What `isNear` and `peerOf` say has changed: whoever is no longer named is cut off. */
  recheck(): void;
  /** Other certificates for connections from now on; a door without TLS stays without. @throws Error of OpenSSL: it keeps what it has */
  changeTls(next: TlsOptions): void;
};

const CONNECTIONS_MAX = 1_000;
const HANDSHAKE_MS = 10_000;

/** @throws Error of the system: nobody may listen there */
export async function openS13Door(options: S13DoorOptions): Promise<S13Door> {
  const peers = new Map<string, Peer>();
  const all = new Set<Peer>();
  const sockets = new Set<Socket>();
  const received = (socket: Socket) => {
    if (socket.destroyed) return; // from an address that nobody has
    const peer = receivePeer(socket, {
      ...options,
      onKnown(name) {
        peers.get(name)?.end(); // a node that starts again must not wait until its old connection is found dead
        peers.set(name, peer);
      },
      onEnd(name) {
        all.delete(peer);
        if (name !== undefined && peers.get(name) === peer) peers.delete(name);
      },
    });
    all.add(peer);
  };
  const server: Server = options.tls
    ? createTlsServer({ handshakeTimeout: HANDSHAKE_MS, ...options.tls })
    : createServer();
  server.maxConnections = CONNECTIONS_MAX;
  // Before any handshake of TLS: a stranger who never ends one would take the place of a peer.
  server.on("connection", (socket: Socket) => {
    if (options.isNear(socket.remoteAddress ?? "")) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      return;
    }
    options.onOutcome("unknown_peer", undefined);
    socket.destroy();
  });
  server.on(options.tls ? "secureConnection" : "connection", received);
  server.on("tlsClientError", (_, socket: Socket) => {
    if (options.isNear(socket.remoteAddress ?? "")) options.onOutcome("unknown_peer", undefined); // others are counted already
    socket.destroy();
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed).listen(options.port, options.host, done);
  });
  server.removeAllListeners("error").on("error", options.onFault);
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    async close() {
      const closed = new Promise<void>((done) => void server.close(() => done()));
      await Promise.all([...all].map((peer) => peer.leave()));
      for (const socket of sockets) socket.destroy(); // in the middle of a handshake, or known since
      await closed;
    },
    recheck() {
      for (const peer of all) peer.recheck();
    },
    changeTls(next) {
      if (server instanceof TlsServer) server.setSecureContext(next);
    },
  };
}
