/**
 * The door for RADIUS accounting over UDP (RFC 2866): packet gateways tell of the sessions of handsets. A packet is acknowledged once what
 * it says is on disk; until then the gateway sends it again. Whoever is not named is not answered, nor is one without the secret.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { DecodeError } from "../../../wire/decode-error.ts";
import { type Accounting, readAccounting } from "../../../wire/radius/accounting.ts";
import {
  decodeRadius,
  encodeAnswer,
  isRequestAuthentic,
  messageAuthenticator,
  RADIUS,
  type RadiusPacket,
} from "../../../wire/radius/packet.ts";

/** A gateway, or the proxy in front of it. */
export type RadiusClient = { readonly name: string; readonly secret: Uint8Array };

/**
 * What became of a packet. Answered: `taken`, `repeated` (the same again while it is remembered), `status` (Status-Server). Not answered:
 * from nobody that is known, no packet, a wrong authenticator, another kind of packet, not kept on disk, or too many at once.
 */
export const RADIUS_OUTCOMES = [
  ...["taken", "repeated", "status"],
  ...["unknown_client", "malformed", "wrong_secret", "other_kind", "not_kept", "busy"],
] as const;
type RadiusOutcome = (typeof RADIUS_OUTCOMES)[number];

export type RadiusDoor = {
  /** Where it listens: a port of 0 took any free one. */
  readonly port: number;
  /** Takes no more, and waits for what it has. */
  close(): Promise<void>;
};

type RadiusDoorOptions = {
  readonly host: string;
  readonly port: number;
  /** Looked up for each packet. */
  clientAt(address: string): RadiusClient | undefined;
  /** Resolves when all of it is on disk. Whatever it throws, the gateway will send it again. */
  take(client: RadiusClient, accounting: Accounting): Promise<void>;
  /** Whether packets would be kept now: what a Status-Server asks for. */
  isReady(): Promise<boolean>;
  onOutcome(outcome: RadiusOutcome, client: RadiusClient | undefined): void;
  onFault(error: unknown): void;
  /** Monotonic. */
  nowMs(): number;
  /** Packets at work at once, unless given 10,000. */
  readonly atOnceMax?: number;
};

/** A gateway sends the same again within this (RFC 5080 section 2.2.2). */
const REPEATED_MS = 30_000;
const REMEMBERED_MAX = 200_000;
const AT_ONCE_MAX = 10_000;
/** Of those one gateway has at most this part, so that its flood leaves room for the others. */
const SHARE_OF_ONE = 0.5;
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
  readonly running: Set<Promise<void>>;
  /** Of `running`, by gateway. */
  readonly runningOf: Map<string, number>;
  isClosed: boolean;
};

/** @throws Error of the system: nobody may listen there */
export async function openRadiusDoor(options: RadiusDoorOptions): Promise<RadiusDoor> {
  const socket = createSocket({
    type: isIPv6(options.host) ? "udp6" : "udp4",
    recvBufferSize: RECEIVE_OCTETS,
  });
  const door: Door = {
    socket,
    options,
    answered: new Map(),
    running: new Set(),
    runningOf: new Map(),
    isClosed: false,
  };
  const closed = once(socket, "close");
  socket.bind(options.port, options.host);
  await once(socket, "listening");
  socket.on("error", options.onFault);
  socket.on("message", (bytes, from) => came(door, bytes, from));
  return {
    port: socket.address().port,
    async close() {
      socket.removeAllListeners("message").on("message", () => undefined);
      await Promise.all(door.running);
      if (!door.isClosed) socket.close();
      door.isClosed = true;
      await closed;
    },
  };
}

function came(door: Door, bytes: Uint8Array, from: RemoteInfo): void {
  const { options, running } = door;
  const client = options.clientAt(from.address);
  if (!client) return options.onOutcome("unknown_client", undefined);
  const packet = packetIn(bytes);
  const refusal = packet ? refusalOf(packet, client) : "malformed";
  if (!packet || refusal) return options.onOutcome(refusal ?? "malformed", client);
  const known = door.answered.get(keyOf(packet, from));
  if (known?.isPending) return options.onOutcome("repeated", client); // RFC 5080 section 2.2.2
  if (!hasRoom(door, client)) return options.onOutcome("busy", client);
  const countOf = (more: number) =>
    door.runningOf.set(client.name, (door.runningOf.get(client.name) ?? 0) + more);
  const answer = known?.answer ?? begun(door, client, packet, from);
  const sent = answer
    .then(async (octets) => {
      if (!octets) return;
      if (known) options.onOutcome("repeated", client);
      await new Promise<void>((done) => void door.socket.send(octets, from.port, from.address, () => done()));
    })
    .catch(options.onFault)
    .finally(() => {
      running.delete(sent);
      countOf(-1);
    });
  running.add(sent);
  countOf(1);
}

function hasRoom({ options, running, runningOf }: Door, { name }: RadiusClient): boolean {
  const most = options.atOnceMax ?? AT_ONCE_MAX;
  return running.size < most && (runningOf.get(name) ?? 0) < Math.ceil(most * SHARE_OF_ONE);
}

function packetIn(bytes: Uint8Array): RadiusPacket | undefined {
  try {
    return decodeRadius(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function refusalOf(packet: RadiusPacket, { secret }: RadiusClient): RadiusOutcome | undefined {
  const sum = messageAuthenticator(packet, secret);
  if (packet.code === RADIUS.statusServer) return sum === "right" ? undefined : "wrong_secret"; // RFC 5997 section 3: it has one
  if (packet.code !== RADIUS.accountingRequest) return "other_kind";
  return sum === "wrong" || !isRequestAuthentic(packet, secret) ? "wrong_secret" : undefined;
}

const keyOf = ({ identifier, authenticator }: RadiusPacket, { address, port }: RemoteInfo): string =>
  `${address} ${port} ${identifier} ${Buffer.from(authenticator).toString("latin1")}`;

/** The first of its kind: what comes again meanwhile waits for the same answer. */
function begun(door: Door, client: RadiusClient, packet: RadiusPacket, from: RemoteInfo): Answered["answer"] {
  const answer = answerTo(door, client, packet);
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

async function answerTo(
  { options }: Door,
  client: RadiusClient,
  packet: RadiusPacket,
): Promise<Uint8Array | undefined> {
  const answer = () => encodeAnswer(packet, RADIUS.accountingResponse, client.secret);
  if (packet.code === RADIUS.statusServer) {
    options.onOutcome("status", client);
    return (await options.isReady()) ? answer() : undefined;
  }
  try {
    await options.take(client, readAccounting(packet));
  } catch (error) {
    options.onFault(error);
    options.onOutcome("not_kept", client);
    return undefined;
  }
  options.onOutcome("taken", client);
  return answer();
}
