/**
 * What one connection may hold of a door, and how many one address may have. Every wait of a connection ends:
 *
 *   handshake ── headers ── body ── answer ── idle ── the next request
 *   TLS's own    `requestMs`, both   `answerMs`  `idleMs`
 *
 * Whoever drips one of them, or never reads what they asked for, is cut: the socket is destroyed, not only ended, since a
 * peer that does not close its half would keep the descriptor for ever.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { BlockList, isIPv4, isIPv6, type Socket } from "node:net";

export type ConnectionLimits = {
  /** For headers and body of one request to arrive, from the first octet, or from the connection where none came. */
  readonly requestMs: number;
  /** From the whole headers until the last octet of the answer was handed to the system. */
  readonly answerMs: number;
  /** Without an octet either way. */
  readonly idleMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  readonly connections: number;
  /** Of one address; more are closed before a word. */
  readonly perAddress: number;
};

export const CONNECTION_LIMITS: ConnectionLimits = {
  requestMs: 30_000,
  answerMs: 120_000,
  idleMs: 60_000,
  keepAliveMs: 60_000,
  connections: 10_000,
  perAddress: 1_000,
};

/** Of the time that a request may take: how much later it is noticed at most. */
const CHECKS_PER_LIMIT = 10;
/** A refusal is a few octets: a peer that has not taken them by then does not read. */
const REFUSAL_MS = 1_000;

/** What Fastify is told of them; `node` goes into `http` or `https`, which Node's server reads. */
export function timeoutsOf(limits: ConnectionLimits) {
  const { requestMs, idleMs, keepAliveMs } = limits;
  return {
    fastify: { requestTimeout: requestMs, connectionTimeout: idleMs, keepAliveTimeout: keepAliveMs },
    node: {
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.ceil(requestMs / CHECKS_PER_LIMIT),
    },
  };
}

/** Which addresses stand for many others: proxies in front, gateways. They are not counted by themselves. */
type Crowd = (address: string) => boolean;

/** What every door holds, whoever comes. */
export function guardDoor(app: GuardedDoor, limits: ConnectionLimits, isCrowd: Crowd = () => false): void {
  guardConnections(app.server, limits, isCrowd);
  refuseWrongHosts(app);
}
type GuardedDoor = {
  readonly server: Server;
  addHook(
    name: "onRequest",
    hook: (request: { readonly raw: IncomingMessage }, reply: unknown, done: (error?: Error) => void) => void,
  ): unknown;
};

/** As `guardDoor` for a server whose requests are routed by another door, which looks at them. */
export function guardConnections(
  server: Server,
  limits: ConnectionLimits,
  isCrowd: Crowd = () => false,
): void {
  server.maxConnections = limits.connections;
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    if (!socket.remoteAddress || isCrowd(socket.remoteAddress)) return;
    const address = hostOf(socket.remoteAddress);
    const count = open.get(address) ?? 0;
    if (count >= limits.perAddress) {
      socket.destroy();
      return;
    }
    open.set(address, count + 1);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
  cutSlowAnswers(server, limits.answerMs);
}

/** Answers that go on for as long as their readers take them; one that is not taken any more is cut as idle. */
const GOING_ON = new WeakSet<ServerResponse>();
export const goesOn = (response: ServerResponse): void => void GOING_ON.add(response);

/** One timer for all of them: a timer and two functions for each request cost as much as reading its headers. */
function cutSlowAnswers(server: Server, answerMs: number): void {
  /** In the order in which they began, each with the turn of the sweep in which it did. */
  const open = new Map<ServerResponse, { readonly socket: Socket; readonly turn: number }>();
  let turn = 0;
  let timer: NodeJS.Timeout | undefined;
  const sweep = (): void => {
    turn++;
    for (const [response, begun] of open) {
      if (turn - begun.turn <= CHECKS_PER_LIMIT) return;
      open.delete(response);
      if (!GOING_ON.has(response)) begun.socket.destroy();
    }
  };
  server.on("listening", () => {
    timer ??= setInterval(sweep, Math.ceil(answerMs / CHECKS_PER_LIMIT)).unref();
  });
  server.on("close", () => {
    clearInterval(timer);
    timer = undefined;
  });
  const forget = function (this: ServerResponse): void {
    open.delete(this);
  };
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    open.set(response, { socket, turn });
    response.once("close", forget);
  });
}

/**
 * A request with more than one Host line, or one that is no host with perhaps a port, is answered 400 (RFC 9112 clause 3.2): which
 * of them counts, whoever stands in front may have read otherwise. HTTP/1.0 has none.
 */
function refuseWrongHosts(app: GuardedDoor): void {
  app.addHook("onRequest", ({ raw: { rawHeaders } }, _reply, done) => {
    let fact: string | undefined;
    let hosts = 0;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (rawHeaders[at]?.length !== HOST.length || rawHeaders[at]?.toLowerCase() !== HOST) continue;
      if (++hosts > 1) fact = "The request has more than one Host header.";
      else if (!HOST_VALUE.test(rawHeaders[at + 1] ?? ""))
        fact = "The Host header of the request names no host.";
    }
    if (fact === undefined) return done();
    done(Object.assign(new Error(fact), { statusCode: 400 }));
  });
}
const HOST = "host";
/** RFC 3986 clause 3.2.2, but for the comma and its like: a list of hosts, joined on the way, would pass for a name. */
const HOST_VALUE = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._~%-]{1,255})(?::\d{0,5})?$/i;

/** What came is no request, or came too slowly: a word why, and the connection is cut. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.destroyed) return;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), REFUSAL_MS).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${reasonOf(error.code)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

function reasonOf(code: string | undefined): string {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "408 Request Timeout";
    case "HPE_HEADER_OVERFLOW":
      return "431 Request Header Fields Too Large";
    default:
      return "400 Bad Request";
  }
}

/**
 * Who is counted as one: an IPv4 address, or all of an IPv6 network of 64 bits, since a subscriber has at least that and
 * may come from any address of it (RFC 6177, TS 23.401 clause 5.3.1.2.2).
 */
export function hostOf(address: string): string {
  const plain = plainOf(address);
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = (plain.split("%")[0] ?? "").split("::");
  const groupsOf = (text: string): string[] =>
    text === "" ? [] : text.split(":").flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));
  const [first, last] = [groupsOf(head), groupsOf(tail ?? "")];
  const zeros = new Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  const network = [...first, ...zeros, ...last].slice(0, 4).map((group) => Number.parseInt(group, 16));
  return `${network.map((group) => group.toString(16)).join(":")}::/64`;
}

/** IPv4 in the clothes of IPv6 is IPv4. */
const plainOf = (address: string): string =>
  address.startsWith("::ffff:") && isIPv4(address.slice(7)) ? address.slice(7) : address;

/** Whether an address is among addresses and networks (`10.0.0.0/8`). */
export function amongNetworks(networks: readonly string[]): Crowd {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const plain = plainOf(address);
    return list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  };
}
