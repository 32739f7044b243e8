/**
 * The door for RADIUS accounting over UDP (RFC 2866): packet gateways tell of the sessions of handsets. A packet is acknowledged once what
 * it says is on disk; until then the gateway sends it again. Whoever is not named is not answered, nor is one without the secret.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { RADIUS, type RadiusPacket } from "../../../wire/radius/packet.ts";
import { type AccountingDesk, packetIn, type RadiusClient } from "./accounting-desk.ts";

type RadiusDoor = {
  /** Where it listens: a port of 0 took any free one. */
  readonly port: number;
  /** Takes no more, and waits for what it has. */
  close(): Promise<void>;
};

type RadiusDoorOptions = {
  readonly host: string;
  readonly port: number;
  readonly desk: AccountingDesk;
  /** Looked up for each packet. */
  clientAt(address: string): RadiusClient | undefined;
  /** Monotonic. */
  nowMs(): number;
};

/** A gateway sends the same again within this (RFC 5080 section 2.2.2). */
const REPEATED_MS = 30_000;
const REMEMBERED_MAX = 200_000;
/** Some proxies on the way leave a few octets each in an answer; one of more is made anew. */
const REMEMBERED_OCTETS_MAX = 512;
/** As much as the system allows of it: a burst waits there while a transaction is written. */
const RECEIVE_OCTETS = 8 * 1_024 * 1_024;

type Answered = {
  readonly answer: Promise<Uint8Array | undefined>;
  readonly atMs: number;
  /** Its answer is under way to whoever sent it. */
  isPending: boolean;
};
type Door = {
  readonly socket: Socket;
  readonly options: RadiusDoorOptions;
  /** By sender, identifier and authenticator; the oldest first. */
  readonly answered: Map<string, Answered>;
  isClosed: boolean;
};

/** @throws Error of the system: nobody may listen there */
export async function openRadiusDoor(options: RadiusDoorOptions): Promise<RadiusDoor> {
  const socket = createSocket({
    type: isIPv6(options.host) ? "udp6" : "udp4",
    recvBufferSize: RECEIVE_OCTETS,
  });
  const door: Door = { socket, options, answered: new Map(), isClosed: false };
  const closed = once(socket, "close");
  socket.bind(options.port, options.host);
  await once(socket, "listening");
  socket.on("error", options.desk.onFault);
  socket.on("message", (bytes, from) => came(door, bytes, from));
  return {
    port: socket.address().port,
    async close() {
      socket.removeAllListeners("message").on("message", () => undefined);
      await options.desk.settled();
      if (!door.isClosed) socket.close();
      door.isClosed = true;
      await closed;
    },
  };
}

function came(door: Door, bytes: Uint8Array, from: RemoteInfo): void {
  const { desk, clientAt } = door.options;
  const client = clientAt(from.address);
  if (!client) return desk.onOutcome("unknown_client", undefined);
  const packet = packetIn(bytes);
  const refusal = packet ? desk.refusalOf(packet, client) : "malformed";
  if (!packet || refusal) return desk.onOutcome(refusal ?? "malformed", client);
  const known = door.answered.get(keyOf(packet, from));
  if (known?.isPending) return desk.onOutcome("repeated", client); // RFC 5080 section 2.2.2
  if (!desk.hasRoom(client)) return desk.onOutcome("busy", client);
  const answer = known?.answer ?? begun(door, client, packet, from);
  desk.work(
    client,
    answer.then(async (octets) => {
      if (!octets) return;
      if (known) desk.onOutcome("repeated", client);
      await new Promise<void>((done) => void door.socket.send(octets, from.port, from.address, () => done()));
    }),
  );
}

const keyOf = ({ identifier, authenticator }: RadiusPacket, { address, port }: RemoteInfo): string =>
  `${address} ${port} ${identifier} ${Buffer.from(authenticator).toString("latin1")}`;

/** The first of its kind: what comes again meanwhile waits for the same answer. */
function begun(door: Door, client: RadiusClient, packet: RadiusPacket, from: RemoteInfo): Answered["answer"] {
  const answer = door.options.desk.answerTo(client, packet);
  if (packet.code === RADIUS.statusServer) return answer; // never sent again: each try has its own identifier
  const key = keyOf(packet, from);
  const atMs = door.options.nowMs();
  for (const [oldest, entry] of door.answered) {
    if (door.answered.size < REMEMBERED_MAX && atMs - entry.atMs < REPEATED_MS) break;
    door.answered.delete(oldest);
  }
  const entry: Answered = { answer, atMs, isPending: true };
  door.answered.set(key, entry);
  void answer.then((octets) => {
    entry.isPending = false;
    const isRemembered = octets !== undefined && octets.length <= REMEMBERED_OCTETS_MAX;
    if (!isRemembered && door.answered.get(key) === entry) door.answered.delete(key); // what was not kept is tried anew
  });
  return answer;
}
