/**
 * The door for S13 and S13' over TCP or TLS: MMEs and SGSNs, or a Diameter agent in front of them, ask whether a handset may be used. The
 * answer is given at once; what was asked goes on to whoever makes a sighting of it. Source: RFC 6733 section 5 (peers), 3GPP TS 29.272
 * clause 6.2. SCTP, which TS 29.272 clause 7.1.2 names, is the agent's to bring.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
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
};

const CONNECTIONS_MAX = 1_000;

/** @throws Error of the system: nobody may listen there */
export async function openS13Door(options: S13DoorOptions): Promise<S13Door> {
  const peers = new Map<string, Peer>();
  const all = new Set<Peer>();
  const received = (socket: Socket) => {
    if (!options.isNear(socket.remoteAddress ?? "")) {
      options.onOutcome("unknown_peer", undefined);
      socket.destroy();
      return;
    }
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
  const server: Server = options.tls ? createTlsServer(options.tls, received) : createServer(received);
  server.maxConnections = CONNECTIONS_MAX;
  server.on("tlsClientError", (_, socket: Socket) => {
    options.onOutcome("unknown_peer", undefined);
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
      await closed;
    },
  };
}
