/**
 * The door for RADIUS over TLS: packet gateways, or proxies as radsecproxy, tell of sessions over one connection each, which asks for
 * certificates. The secret is the text `radsec`; whose a packet is the certificate says. Source: RFC 6614 section 2; RFC 6613 section 2.6
 * (TCP): nothing is sent twice over one connection, and what leaves the order of packets in doubt ends it.
 */
import type { Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { decodeRadius, encodeRequest, RADIUS } from "../../../wire/radius/packet.ts";
import { type AccountingDesk, packetIn, type RadiusClient, type RadiusOutcome } from "./accounting-desk.ts";
import { answerIn, type DynamicOutcome, type DynamicRequest } from "./dynamic-client.ts";

/** RFC 6614 section 2.3. */
const TLS_SECRET: Uint8Array = new TextEncoder().encode("radsec");

export type RadiusTlsDoor = {
  /** Where it listens: a port of 0 took any free one. */
  readonly port: number;
  /** Takes no more, and waits for what it has. */
  close(): Promise<void>;
  /** Other certificates for connections from now on. @throws Error of OpenSSL: it keeps what it has */
  changeTls(tls: TlsOptions): void;
  /** Who may come has changed: whoever is no longer named is cut off. */
  recheck(): void;
  /** Asks a client over the connection that it opened (RFC 6614 section 2.5); undefined: it has none open. */
  ask(name: string, request: DynamicRequest): Promise<DynamicOutcome> | undefined;
};

type TlsDoorOptions = {
  readonly host: string;
  readonly port: number;
  /** With certificates asked for and looked at. */
  readonly tls: TlsOptions;
  readonly desk: AccountingDesk;
  /** By its certificate and its address; undefined: nobody's that is named. */
  clientOf(socket: TLSSocket): { readonly name: string } | undefined;
  /** Whether its certificate is good still; it ends the connection where not. */
  isGood?(socket: TLSSocket): Promise<boolean>;
  onRefused(socket: TLSSocket, error: NodeJS.ErrnoException): void;
  /** A connection that says nothing for as long is closed; an hour unless given. Clients' watchdogs come every half minute. */
  readonly idleMs?: number;
  /** How long a client has to answer what we ask; 10 s unless given. */
  readonly answerMs?: number;
};

const CONNECTIONS_MAX = 1_000;
/** Strangers of one address do not take all. */
const PER_ADDRESS_MAX = 100;
const HEAD_OCTETS = 4;
/** RFC 2865 section 3. */
const PACKET_OCTETS = { min: 20, max: 4_096 };
/** As many as there are identifiers (RFC 6613 section 2.6.5). */
const AT_WORK_MAX = 256;
const UNREAD_OCTETS_MAX = 1 << 20;
const IDLE_MS = 3_600_000;
const ANSWER_MS = 10_000;
/** Of 256 identifiers. */
const ASKED_MAX = 200;
const KEEP_ALIVE_MS = 30_000;
const LEAVE_MS = 5_000;

type Connection = {
  readonly socket: TLSSocket;
  readonly options: TlsDoorOptions;
  /** Undefined until it is known whose it is. */
  client: RadiusClient | undefined;
  /** What came and is not worked on yet. */
  rest: Buffer;
  atWork: number;
  /** What we asked, by identifier. */
  readonly asked: Map<number, (bytes: Uint8Array | undefined) => boolean>;
  /** The last identifier that we used. */
  identifier: number;
  /** Nothing more is read. */
  isOver: boolean;
};

/** @throws Error of the system: nobody may listen there */
export async function openRadiusTlsDoor(options: TlsDoorOptions): Promise<RadiusTlsDoor> {
  const { desk } = options;
  const connections = new Set<Connection>();
  const inHandshake = new Map<string, Socket>();
  const server = createServer(options.tls);
  server.maxConnections = CONNECTIONS_MAX;
  server.on("connection", (socket: Socket) => {
    const open = [...inHandshake.values(), ...[...connections].map((one) => one.socket)];
    if (
      open.filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress).length >= PER_ADDRESS_MAX
    ) {
      desk.onOutcome("busy", undefined);
      socket.destroy();
      return;
    }
    const end = endOf(socket);
    inHandshake.set(end, socket);
    socket.on("close", () => inHandshake.delete(end));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    options.onRefused(socket, error);
    socket.destroy();
  });
  server.on("secureConnection", (socket) => {
    inHandshake.delete(endOf(socket));
    const connection = connectionOf(socket, options);
    connections.add(connection);
    socket.on("close", () => {
      connections.delete(connection);
      for (const answered of connection.asked.values()) answered(undefined);
    });
    received(connection);
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed).listen(options.port, options.host, done);
  });
  server.removeAllListeners("error").on("error", desk.onFault);
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    changeTls: (tls) => server.setSecureContext(tls),
    recheck() {
      for (const connection of connections) recheck(connection);
    },
    ask(name, request) {
      const open = [...connections].filter(({ client, isOver }) => client?.name === name && !isOver);
      const newest = open.at(-1);
      return newest && askOver(newest, request);
    },
    async close() {
      const closed = new Promise<void>((done) => void server.close(() => done()));
      for (const connection of connections) connection.isOver = true;
      await desk.settled();
      for (const { socket } of connections) leave(socket);
      for (const socket of inHandshake.values()) socket.destroy();
      await closed;
    },
  };
}

const connectionOf = (socket: TLSSocket, options: TlsDoorOptions): Connection => ({
  ...{ socket, options, client: undefined, rest: Buffer.alloc(0) },
  ...{ atWork: 0, asked: new Map(), identifier: 0, isOver: false },
});

/** Once: nothing is sent again over one connection (RFC 6613 section 2.6.1). */
function askOver(connection: Connection, { code, attributes }: DynamicRequest): Promise<DynamicOutcome> {
  const { socket, asked, options } = connection;
  if (asked.size >= ASKED_MAX) return Promise.resolve("unanswered");
  do connection.identifier = (connection.identifier + 1) & 0xff;
  while (asked.has(connection.identifier));
  const { identifier } = connection;
  const octets = encodeRequest({ code, identifier, attributes, isSigned: true }, TLS_SECRET);
  const request = decodeRadius(octets);
  return new Promise((resolve) => {
    const end = (outcome: DynamicOutcome): void => {
      clearTimeout(timer);
      asked.delete(identifier);
      resolve(outcome);
    };
    const timer = setTimeout(() => end("unanswered"), options.answerMs ?? ANSWER_MS);
    asked.set(identifier, (bytes) => {
      const answer = bytes && answerIn(bytes, { request, code, secret: TLS_SECRET });
      if (!bytes || answer) end(answer ?? "unanswered");
      return answer !== undefined;
    });
    socket.write(octets);
  });
}

const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** What was answered goes out; a client that does not read it holds nobody up. */
function leave(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LEAVE_MS);
  socket.once("close", () => clearTimeout(timer)).end(() => socket.destroy());
}

function received(connection: Connection): void {
  const { socket, options } = connection;
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS); // a client that died without a word
  socket.setTimeout(options.idleMs ?? IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy()); // reset by the client: it connects again
  socket.pause();
  admitted(connection)
    .then((isAdmitted) => {
      if (!isAdmitted) return void socket.destroy();
      socket.on("data", (chunk) => {
        connection.rest = connection.rest.length === 0 ? chunk : Buffer.concat([connection.rest, chunk]);
        work(connection);
      });
      socket.on("drain", () => work(connection));
      socket.resume();
    })
    .catch((error: unknown) => {
      options.desk.onFault(error);
      socket.destroy();
    });
}

async function admitted(connection: Connection): Promise<boolean> {
  const { socket, options } = connection;
  if (options.isGood && !(await options.isGood(socket))) return false;
  const named = options.clientOf(socket);
  if (!named) options.desk.onOutcome("unknown_client", undefined);
  connection.client = named && { name: named.name, secret: TLS_SECRET };
  return named !== undefined;
}

function recheck(connection: Connection): void {
  const { socket, options, client } = connection;
  if (!client) return; // not let in yet: it will be looked up
  const named = options.clientOf(socket);
  if (named) connection.client = { name: named.name, secret: TLS_SECRET };
  else socket.destroy();
}

/**
 * All that may be worked on now. Nothing is dropped for want of room, as a client does not say it again here: it is left unread until
 * there is some.
 */
function work(connection: Connection): void {
  const { socket, options, client } = connection;
  const { desk } = options;
  if (!client || socket.destroyed) return;
  while (!connection.isOver) {
    const length = lengthOf(connection.rest);
    if (length === "none") return ended(connection, "malformed");
    if (length === undefined || connection.rest.length < length) return void socket.resume();
    const isFull = connection.atWork >= AT_WORK_MAX || socket.writableLength > UNREAD_OCTETS_MAX;
    if (isFull || !desk.hasRoom(client)) {
      socket.pause();
      if (!isFull) desk.whenRoom(() => work(connection));
      return;
    }
    const bytes = Uint8Array.from(connection.rest.subarray(0, length));
    connection.rest = connection.rest.subarray(length);
    taken(connection, client, bytes);
  }
}

/** Octets of the packet that begins here; `none`: no packet has so many. */
function lengthOf(bytes: Buffer): number | "none" | undefined {
  if (bytes.length < HEAD_OCTETS) return undefined;
  const length = bytes.readUInt16BE(2);
  return length < PACKET_OCTETS.min || length > PACKET_OCTETS.max ? "none" : length;
}

/** RFC 6613 section 2.6.4: a wrong sum or a broken packet ends the connection, another kind of packet does not. */
function taken(connection: Connection, client: RadiusClient, bytes: Uint8Array): void {
  const { socket, options } = connection;
  const { desk } = options;
  const packet = packetIn(bytes);
  if (!packet) return ended(connection, "malformed");
  const refusal = desk.refusalOf(packet, client);
  if (refusal === "other_kind") {
    if (!connection.asked.get(packet.identifier)?.(bytes)) desk.onOutcome(refusal, client);
    return;
  }
  if (refusal) return ended(connection, refusal);
  connection.atWork += 1;
  const job = desk.answerTo(client, packet).then((octets) => {
    connection.atWork -= 1;
    if (octets) socket.write(octets);
    else if (packet.code !== RADIUS.statusServer) socket.destroy(); // it was not kept, and is said again by another connection alone
  });
  desk.work(client, job);
  void job.then(
    () => work(connection),
    () => undefined, // told as a fault already
  );
}

function ended({ socket, options: { desk }, client }: Connection, outcome: RadiusOutcome): void {
  desk.onOutcome(outcome, client);
  socket.destroy();
}
