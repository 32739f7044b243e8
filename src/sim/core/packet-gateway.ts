/**
 * The packet gateway of a mobile network (GGSN, PGW) as a handset meets it. A handset opens a session on an access
 * point (PDP context, PDN connection) and then sends HTTP through it, as through a proxy; a request is routed only to a
 * host that the session's access point leads to. Each session that opens is told as a RADIUS Accounting-Request (Start)
 * would tell it: Called-Station-Id, IMSI, IMEI, time.
 *
 *   POST   /pdp        {imsi, imei, apn, user?, password?} -> 201 {session} | 403 {cause}
 *   DELETE /pdp/:id    -> 204
 *   CONNECT host:port with `x-pdp-session` -> a stream to the service there (RFC 9110 §9.3.6) | 502
 *   ANY    http://host/path with `x-pdp-session` -> what the host answers | 502 {cause: "no_route"};
 *          with `x-pdp-release` as well, the session closes behind it; `x-wap-proxy` is the proxy that the request
 *          goes by: an access point that has one leads nowhere without it (502 {cause: "wrong_proxy"})
 *
 * A host hears of whom a request is as a network tells it by header enrichment: `x-msisdn`, `x-3gpp-imsi`, `x-3gpp-imei`,
 * `x-called-station-id` (as the RADIUS attributes of TS 29.061 clause 16.4), and by which name it was asked for.
 *
 * A handset has one session on an access point: opening it again ends the one before.
 *
 * Causes are those of GTP (TS 29.060 clause 7.7.1): unknown APN 219, user authentication failed 209, no resources 199.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { object, optional, ShapeError, text } from "../../wire/message/shape.ts";
import { closedToAll, listening } from "../web/listen.ts";
import { type Batcher, createBatcher } from "./batcher.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";

const MAX_SESSIONS = 1_000_000;
const MAX_BODY_OCTETS = 65_536;
const MAX_STREAMS = 20_000;
const STREAM_IDLE_MS = 60_000;
const MAX_WAITING_RECORDS = 100_000;
const MAX_RECORD_BATCH = 500;
const RECORD_INTERVAL_MS = 50;

type GatewayAccessPoint = {
  readonly apn: string;
  readonly user?: string;
  readonly password?: string;
  /** Hosts that it leads to. */
  readonly hosts: readonly string[];
  /** `10.11.12.13:8080`: what requests must go by, where it has one. */
  readonly proxy?: string;
};
export type UsageRecord = {
  readonly sessionId: string;
  readonly apn: string;
  readonly imsi: string;
  readonly imei: string;
  /** As the subscriber register has it. */
  readonly msisdn: string | undefined;
  /** Value of 3GPP-RAT-Type (TS 29.061 clause 16.4.7.2). */
  readonly radioType?: number | undefined;
  /** Where the handset is, MCC and MNC; at home unless given. */
  readonly visited?: string | undefined;
  readonly at: Date;
};
/** A request that no access point leads to its host: what a probe beside the gateway sees of an application that is cut off. */
export type FailedAttempt = {
  readonly imei: string;
  readonly application: string;
  readonly host: string;
  readonly apn: string;
  readonly cause: "no_route" | "wrong_proxy" | "host_silent";
  readonly at: Date;
};
export type PacketGateway = Awaited<ReturnType<typeof startPacketGateway>>;

/** Longer than a quiet fleet is quiet, so that no request meets a connection that is just closing. */
export const KEEP_ALIVE_MS = 600_000;

const readAttach = object({
  imsi: text({ min: 6, max: 15, pattern: /^\d+$/ }),
  imei: text({ min: 14, max: 16, pattern: /^\d+$/ }),
  apn: text({ max: 100 }),
  user: optional(text({ min: 0, max: 128 })),
  password: optional(text({ min: 0, max: 128 })),
});
const JSON_TYPE = "application/json";
const CAUSE = { unknown_apn: 219, authentication_failed: 209, no_resources: 199 } as const;
type Session = {
  readonly point: GatewayAccessPoint;
  readonly owner: string;
  readonly imsi: string;
  readonly imei: string;
};

/** Whose a stream is, and what it was asked for by. */
type StreamOwner = Pick<UsageRecord, "imsi" | "imei" | "apn"> & { readonly server: string };

type PacketGatewayOptions = {
  readonly accessPoints: readonly GatewayAccessPoint[];
  /** Where each host really listens: `http://127.0.0.1:port`. */
  readonly hosts: ReadonlyMap<string, string>;
  /** What is reached by a stream: `host:port` -> the port on this machine where it really listens. */
  readonly services?: ReadonlyMap<string, number>;
  /** The subscriber register: whose number a SIM has. */
  msisdnOf?(imsi: string): string | undefined;
  /** By which radio a handset is served. */
  radioOf?(imei: string): number | undefined;
  onUsage?(batch: readonly UsageRecord[]): Promise<void>;
  /** Attempts that failed, of applications that say their name in `x-application`. */
  onFailedAttempts?(batch: readonly FailedAttempt[]): Promise<void>;
  onFault?(error: unknown): void;
  readonly port?: number;
  readonly host?: string;
  now?(): Date;
};

type Gateway = {
  /** By APN in small letters: APNs compare without case (TS 23.003 clause 9.1, as labels of a domain name). */
  readonly points: ReadonlyMap<string, GatewayAccessPoint>;
  readonly hosts: ReadonlyMap<string, string>;
  readonly sessions: Map<string, Session>;
  /** Of a subscription on an access point. */
  readonly sessionOf: Map<string, string>;
  readonly services: ReadonlyMap<string, number>;
  readonly streams: Set<Socket>;
  /** Whose stream comes from this port of ours: what a network keeps of its address translation. */
  readonly ownerOfPort: Map<number, StreamOwner>;
  readonly upstreams: Map<string, Pipeline>;
  readonly counts: { opened: number; refused: number; routed: number; noRoute: number };
  readonly usage: Batcher<UsageRecord>;
  readonly failed: Batcher<FailedAttempt>;
  lastSession: number;
  msisdnOf(imsi: string): string | undefined;
  radioOf(imei: string): number | undefined;
  now(): Date;
};

export async function startPacketGateway(options: PacketGatewayOptions) {
  const { host = "127.0.0.1" } = options;
  const gateway = newGateway(options);
  const { sessions, usage, failed, counts } = gateway;
  const server = createServer((request, response) => {
    answer(gateway, request, response).catch((error: unknown) => {
      const malformed =
        error instanceof ShapeError || error instanceof SyntaxError || error instanceof TypeError;
      if (!malformed) options.onFault?.(error);
      reply(response, malformed ? 400 : 500, { cause: "malformed" });
    });
  });
  server.on("connect", (request, socket) => connectStream(gateway, request, socket as Socket)); // of TCP
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listening(server, host, options.port);
  return {
    host,
    port,
    /** Opened and refused sessions, routed and unrouted requests since the start. */
    counts: () => ({ ...counts, sessions: sessions.size, usage: usage.state() }),
    flush: async (): Promise<void> => void (await Promise.all([usage.flush(), failed.flush()])),
    ownerOfPort: (at: number): StreamOwner | undefined => gateway.ownerOfPort.get(at),
    async close(): Promise<void> {
      for (const stream of gateway.streams) stream.destroy();
      await closedToAll(server);
      for (const upstream of gateway.upstreams.values()) upstream.close();
      await Promise.all([usage.close(), failed.close()]);
    },
  };
}

function newGateway({
  accessPoints,
  hosts,
  onUsage = async () => undefined,
  onFailedAttempts = async () => undefined,
  onFault,
  services = new Map(),
  msisdnOf = () => undefined,
  radioOf = () => undefined,
  now = () => new Date(),
}: PacketGatewayOptions): Gateway {
  const records = {
    maxBatch: MAX_RECORD_BATCH,
    maxWaiting: MAX_WAITING_RECORDS,
    intervalMs: RECORD_INTERVAL_MS,
    ...(onFault ? { onFault } : {}),
  };
  return {
    points: new Map(accessPoints.map((point) => [point.apn.toLowerCase(), point])),
    hosts,
    sessions: new Map(),
    sessionOf: new Map(),
    services,
    streams: new Set(),
    ownerOfPort: new Map(),
    upstreams: new Map(),
    counts: { opened: 0, refused: 0, routed: 0, noRoute: 0 },
    usage: createBatcher<UsageRecord>({ ...records, deliver: onUsage }),
    failed: createBatcher<FailedAttempt>({ ...records, deliver: onFailedAttempts }),
    lastSession: 0,
    msisdnOf,
    radioOf,
    now,
  };
}

function noteFailed(
  gateway: Gateway,
  { headers }: IncomingMessage,
  session: Session | undefined,
  host: string,
  cause: FailedAttempt["cause"],
): void {
  const application = String(headers["x-application"] ?? "");
  if (!session || application === "") return;
  gateway.failed.push({
    imei: session.imei,
    application,
    host,
    apn: session.point.apn,
    cause,
    at: gateway.now(),
  });
}

function open(gateway: Gateway, body: string): { readonly status: number; readonly answer: object } {
  const { imsi, imei, apn, user, password } = readAttach(JSON.parse(body), "");
  const point = gateway.points.get(apn.toLowerCase());
  const right = (point?.user ?? "") === (user ?? "") && (point?.password ?? "") === (password ?? "");
  const wrong = point?.user !== undefined && !right;
  const cause = !point
    ? "unknown_apn"
    : wrong
      ? "authentication_failed"
      : gateway.sessions.size >= MAX_SESSIONS
        ? "no_resources"
        : undefined;
  if (!point || cause) {
    gateway.counts.refused++;
    return { status: 403, answer: { cause, gtpCause: CAUSE[cause ?? "unknown_apn"] } };
  }
  const sessionId = String(++gateway.lastSession);
  const owner = `${imsi} ${point.apn}`;
  gateway.sessions.delete(gateway.sessionOf.get(owner) ?? "");
  gateway.sessions.set(sessionId, { point, owner, imsi, imei });
  gateway.sessionOf.set(owner, sessionId);
  gateway.counts.opened++;
  gateway.usage.push({
    ...{ sessionId, apn: point.apn, imsi, imei },
    msisdn: gateway.msisdnOf(imsi),
    radioType: gateway.radioOf(imei),
    at: gateway.now(),
  });
  return { status: 201, answer: { session: sessionId } };
}

function end(gateway: Gateway, sessionId: string): boolean {
  const owner = gateway.sessions.get(sessionId)?.owner;
  if (owner !== undefined && gateway.sessionOf.get(owner) === sessionId) gateway.sessionOf.delete(owner);
  return gateway.sessions.delete(sessionId);
}

/** Forwards what a handset sends to the host, if its access point leads there. */
async function route(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
  target: URL,
): Promise<void> {
  const sessionId = String(request.headers["x-pdp-session"] ?? "");
  const session = gateway.sessions.get(sessionId);
  if (request.headers["x-pdp-release"]) end(gateway, sessionId);
  const address = gateway.hosts.get(target.hostname);
  const cause = refusalOf(session, address, target.hostname, request.headers["x-wap-proxy"]);
  if (!session || !address || cause) {
    gateway.counts.noRoute++;
    if (cause && cause !== "no_session") noteFailed(gateway, request, session, target.hostname, cause);
    request.resume();
    return reply(response, 502, { cause });
  }
  gateway.counts.routed++;
  const upstream = upstreamTo(gateway, address);
  const body = await octetsOf(request);
  try {
    const { status, contentType, octets } = await upstream.send(
      request.method ?? "GET",
      target.pathname + target.search,
      enrichedHeaders(gateway, session, target.hostname, request),
      body,
    );
    replyOctets(response, status, contentType || JSON_TYPE, octets);
  } catch {
    noteFailed(gateway, request, session, target.hostname, "host_silent");
    reply(response, 504, { cause: "host_silent" });
  }
}

/** Joins a handset's stream with the service that it asks for, if its access point leads there. */
function connectStream(gateway: Gateway, request: IncomingMessage, socket: Socket): void {
  const { url: to = "", headers } = request;
  const session = gateway.sessions.get(String(headers["x-pdp-session"] ?? ""));
  const [host = ""] = to.split(":");
  const port = gateway.services.get(to);
  socket.on("error", () => socket.destroy());
  if (
    !session ||
    port === undefined ||
    !session.point.hosts.includes(host) ||
    gateway.streams.size >= MAX_STREAMS
  ) {
    gateway.counts.noRoute++;
    noteFailed(gateway, request, session, host, "no_route");
    return void socket.end("HTTP/1.1 502 No Route\r\ncontent-length: 0\r\n\r\n");
  }
  gateway.counts.routed++;
  const { imsi, imei, point } = session;
  const upstream = connect({ host: "127.0.0.1", port, noDelay: true });
  for (const stream of [socket, upstream]) {
    gateway.streams.add(stream);
    stream.setTimeout(STREAM_IDLE_MS, () => stream.destroy());
    stream.on("close", () => gateway.streams.delete(stream));
  }
  let from: number | undefined;
  upstream.on("connect", () => {
    from = upstream.localPort;
    if (from !== undefined) gateway.ownerOfPort.set(from, { imsi, imei, apn: point.apn, server: host });
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on("error", () => {
    if (from === undefined) noteFailed(gateway, request, session, host, "host_silent");
    socket.destroy();
  });
  upstream.on("close", () => {
    if (from !== undefined) gateway.ownerOfPort.delete(from);
    socket.destroy();
  });
  socket.on("close", () => upstream.destroy());
}

/** Why a request leads nowhere; undefined where it is routed. */
function refusalOf(
  session: Session | undefined,
  address: string | undefined,
  host: string,
  proxy: string | string[] | undefined,
): "no_session" | "no_route" | "wrong_proxy" | undefined {
  if (!session) return "no_session";
  if (!address || !session.point.hosts.includes(host)) return "no_route";
  return session.point.proxy === undefined || session.point.proxy === proxy ? undefined : "wrong_proxy";
}

/** Who asks, as the network knows it: what a handset says of itself in these headers is not passed on. */
function enrichedHeaders(
  { msisdnOf }: Gateway,
  { point, imsi, imei }: Session,
  host: string,
  { headers }: IncomingMessage,
): string {
  const msisdn = msisdnOf(imsi);
  return [
    `x-forwarded-host: ${host}`,
    `x-called-station-id: ${point.apn}`,
    `x-3gpp-imsi: ${imsi}`,
    `x-3gpp-imei: ${imei}`,
    ...(msisdn === undefined ? [] : [`x-msisdn: ${msisdn}`]),
    `content-type: ${headers["content-type"] ?? JSON_TYPE}`,
    "",
  ].join("\r\n");
}

function upstreamTo({ upstreams }: Gateway, address: string): Pipeline {
  const known = upstreams.get(address);
  if (known) return known;
  const { hostname, port } = new URL(address);
  const upstream = createPipeline({ host: hostname, port: Number(port) });
  upstreams.set(address, upstream);
  return upstream;
}

async function answer(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = "", method } = request;
  if (url.startsWith("http://")) return await route(gateway, request, response, new URL(url));
  if (method === "POST" && url === "/pdp") {
    const opened = open(gateway, await bodyOf(request));
    return reply(response, opened.status, opened.answer);
  }
  if (method === "DELETE" && url.startsWith("/pdp/")) {
    request.resume();
    return reply(response, end(gateway, url.slice("/pdp/".length)) ? 204 : 404, {});
  }
  request.resume();
  reply(response, 404, { cause: "no_such_call" });
}

export async function octetsOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let octets = 0;
  const arriving: AsyncIterable<Buffer> = request; // no encoding was set
  for await (const chunk of arriving) {
    octets += chunk.length;
    if (octets > MAX_BODY_OCTETS) throw new ShapeError("", `at most ${MAX_BODY_OCTETS} octets are wanted`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export const bodyOf = async (request: IncomingMessage): Promise<string> =>
  (await octetsOf(request)).toString("utf8");

export function reply(response: ServerResponse, status: number, body: object): void {
  replyOctets(response, status, JSON_TYPE, Buffer.from(status === 204 ? "" : JSON.stringify(body)));
}

export function replyOctets(
  response: ServerResponse,
  status: number,
  contentType: string,
  octets: Uint8Array,
): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  response.writeHead(status, { "content-type": contentType, "content-length": octets.length });
  response.end(octets);
}
