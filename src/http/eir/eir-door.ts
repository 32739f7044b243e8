/**
 * The door of a 5G-EIR: N5g-eir_EquipmentIdentityCheck (3GPP TS 29.511) over HTTP/2, as AMFs ask it, and over HTTP/1.1 on the same port
 * for plain tools. One route, no body either way: it stands on Node's own servers, since a framework would cost most of each answer.
 */
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from "node:http";
import {
  constants,
  createServer as createHttp2,
  createSecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Equipment, EquipmentAnswer } from "../../kernel/equipment/equipment.ts";
import { changeTls } from "../mutual-tls.ts";
import { readEquipmentQuery } from "./equipment-query.ts";

/** A function of the core that may ask. */
export type EirClient = { readonly name: string };

export const EIR_OUTCOMES = [
  ...["checked", "no_handset", "bad_query", "bad_path", "bad_method"],
  ...["no_token", "bad_token", "unknown_client", "bad_handshake"],
] as const;
type EirOutcome = (typeof EIR_OUTCOMES)[number];

type EirDoorOptions = {
  readonly host: string;
  readonly port: number;
  /** Of the API root, as `/eir`; empty for none. */
  readonly prefix: string;
  readonly tls: (TlsOptions & SecureContextOptions) | undefined;
  clientAt(address: string): EirClient | undefined;
  check(client: EirClient, equipment: Equipment): EquipmentAnswer;
  /** What is wrong with the token of a request; undefined: nothing, or none is asked for. */
  tokenFault(authorization: string | undefined): TokenFault | undefined | Promise<TokenFault | undefined>;
  onOutcome(outcome: EirOutcome, client: EirClient | undefined): void;
  onFault(error: unknown): void;
  /** For what was asked to be answered when the door closes; 5 s unless given. */
  readonly closeMs?: number;
};
/** 401 and 403 (TS 29.500 clause 6.7.3; RFC 6750 section 3.1). */
export type TokenFault = { readonly status: 401 | 403; readonly error: string };

export type EirDoor = {
  readonly port: number;
  close(): Promise<void> /** Other certificates for connections from now on; a door without TLS stays without. @throws Error of OpenSSL: it keeps what it has */;
  changeTls(next: SecureContextOptions): void;
};

const PATH = "/n5g-eir-eic/v1/equipment-status";
const STATUS = { white: "WHITELISTED", grey: "GREYLISTED", black: "BLACKLISTED" } as const;
const BODY = {
  white: JSON.stringify({ status: STATUS.white }),
  grey: JSON.stringify({ status: STATUS.grey }),
  black: JSON.stringify({ status: STATUS.black }),
};
const CONNECTIONS_MAX = 1_000;
const STREAMS_MAX = 1_000;
const PREFACE = "PRI * HT";
const FIRST_OCTETS_MS = 10_000;
const IDLE_MS = 60_000;
const CLOSE_MS = 5_000;
const HANDSHAKE_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;
const URI_CHARACTERS_MAX = 2_048;
/** In headers: a core's own, with a token, have a few thousand octets. */
const HEADER_OCTETS_MAX = 16_384;

type Answer = {
  readonly status: number;
  readonly type: "application/json" | "application/problem+json";
  readonly body: string;
  readonly more?: Readonly<Record<string, string>>;
};

/** @throws Error of the system: nobody may listen there */
export async function openEirDoor(options: EirDoorOptions): Promise<EirDoor> {
  const sessions = new Set<{ close(): void; destroy(): void }>();
  const secure =
    options.tls &&
    createSecureServer({
      ...{ handshakeTimeout: HANDSHAKE_MS, ...options.tls },
      ...{ allowHTTP1: true, ...settings() },
    });
  const clear = createHttp2(settings());
  const http2 = secure ?? clear;
  http2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  http2.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
    asked(options, stream, headers),
  );
  http2.on("sessionError", () => undefined); // the session is destroyed; its peer begins another
  const http1 = createHttp1({ maxHeaderSize: HEADER_OCTETS_MAX }, (request, response) =>
    plainly(options, request, response),
  );
  http1.timeout = IDLE_MS;
  const plain = new Set<Socket>();
  http1.on("connection", (socket: Socket) => {
    plain.add(socket);
    socket.on("close", () => plain.delete(socket));
  });
  const listener = secure ? overTls(secure, options) : overTcp(clear, http1, options);
  listener.maxConnections = CONNECTIONS_MAX;
  // Also those in a handshake, and of HTTP/1.1 within TLS.
  const all = new Set<Socket>();
  listener.on("connection", (socket: Socket) => {
    all.add(socket);
    socket.on("close", () => all.delete(socket));
  });
  await new Promise<void>((done, failed) => {
    listener.once("error", failed).listen(options.port, options.host, done);
  });
  listener.removeAllListeners("error").on("error", options.onFault);
  const address = listener.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    changeTls(next) {
      if (secure) changeTls(secure, next);
    },
    async close() {
      const closed = new Promise<void>((done) => void listener.close(() => done()));
      for (const session of sessions) session.close(); // GOAWAY: what was asked is answered
      for (const socket of plain) socket.end(); // each answer was written at once
      const timer = setTimeout(() => {
        for (const session of sessions) session.destroy();
        for (const socket of all) socket.destroy();
      }, options.closeMs ?? CLOSE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

const settings = () => ({
  maxSessionMemory: 10,
  maxHeaderListPairs: 64,
  settings: { maxConcurrentStreams: STREAMS_MAX, maxHeaderListSize: HEADER_OCTETS_MAX, enablePush: false },
});

/** `node:http2` hands requests of HTTP/1.1 to the same server's `request`; those of HTTP/2 come as streams before that. */
function overTls(http2: ReturnType<typeof createSecureServer>, options: EirDoorOptions): Server {
  http2.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (request.httpVersionMajor === 1) plainly(options, request, response);
  });
  http2.on("tlsClientError", (_, socket: Socket) => {
    options.onOutcome("bad_handshake", options.clientAt(socket.remoteAddress ?? ""));
    socket.destroy();
  });
  http2.on("connection", (socket: Socket) => admit(options, socket));
  return http2;
}

/** The first octets say which protocol it is: that of HTTP/2 begins with a preface (RFC 9113 section 3.4). */
function overTcp(http2: Http2Server, http1: ReturnType<typeof createHttp1>, options: EirDoorOptions): Server {
  return createTcp({ noDelay: true }, (socket) => {
    if (!admit(options, socket)) return;
    socket.setTimeout(FIRST_OCTETS_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("data", (first) => {
      socket.setTimeout(0).removeAllListeners("timeout").pause();
      socket.unshift(first);
      const isHttp2 = PREFACE.startsWith(first.subarray(0, PREFACE.length).toString("latin1"));
      (isHttp2 ? http2 : http1).emit("connection", socket);
      if (!isHttp2) socket.resume(); // a session of HTTP/2 reads by itself what was put back
    });
  });
}

function admit(options: EirDoorOptions, socket: Socket): boolean {
  socket.setKeepAlive(true, KEEP_ALIVE_MS); // a function that is gone without a word is noticed
  if (options.clientAt(socket.remoteAddress ?? "")) return true;
  options.onOutcome("unknown_client", undefined);
  socket.destroy();
  return false;
}

function asked(options: EirDoorOptions, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on("error", () => undefined); // reset by the peer
  stream.resume(); // a body is not looked at
  const client = options.clientAt(stream.session?.socket.remoteAddress ?? "");
  if (!client) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
  const respond = (answer: Answer) => {
    if (stream.destroyed || stream.closed) return;
    stream.respond({
      ":status": answer.status,
      "content-type": answer.type,
      "content-length": Buffer.byteLength(answer.body),
      ...answer.more,
    });
    stream.end(answer.body);
  };
  const given = { method: headers[":method"] ?? "", url: headers[":path"] ?? "" };
  answered(options, client, { ...given, authorization: headers.authorization }, respond);
}

function plainly(options: EirDoorOptions, request: IncomingMessage, response: ServerResponse): void {
  const client = options.clientAt(request.socket.remoteAddress ?? "");
  if (!client) {
    request.socket.destroy();
    return;
  }
  request.resume();
  const given = { method: request.method ?? "", url: request.url ?? "" };
  answered(options, client, { ...given, authorization: request.headers.authorization }, (answer) => {
    const length = String(Buffer.byteLength(answer.body));
    response.writeHead(answer.status, {
      "content-type": answer.type,
      "content-length": length,
      ...answer.more,
    });
    response.end(answer.body);
  });
}

type Given = { readonly method: string; readonly url: string; readonly authorization: string | undefined };

/** At once, unless a token that was not seen before is to be verified. */
function answered(
  options: EirDoorOptions,
  client: EirClient,
  given: Given,
  respond: (answer: Answer) => void,
): void {
  const after = (fault: TokenFault | undefined) => {
    if (!fault) return respond(answerTo(options, client, given));
    options.onOutcome(fault.error === "" ? "no_token" : "bad_token", client);
    const error = fault.error === "" ? "" : `, error="${fault.error}"`;
    respond(
      problem(fault.status, undefined, fault.status === 401 ? "Unauthorized" : "Forbidden", {
        headers: { "www-authenticate": `Bearer realm="n5g-eir-eic"${error}` },
      }),
    );
  };
  const fault = options.tokenFault(given.authorization);
  if (!(fault instanceof Promise)) return after(fault);
  fault.then(after, (error: unknown) => {
    options.onFault(error);
    respond(problem(500, "SYSTEM_FAILURE", "Internal Server Error"));
  });
}

function answerTo(options: EirDoorOptions, client: EirClient, { method, url }: Given): Answer {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  if (url.length > URI_CHARACTERS_MAX) return problem(414, undefined, "URI Too Long");
  if (path !== options.prefix + PATH) {
    options.onOutcome("bad_path", client);
    return problem(404, "RESOURCE_URI_STRUCTURE_NOT_FOUND", "Not Found");
  }
  if (method !== "GET") {
    options.onOutcome("bad_method", client);
    return problem(405, undefined, "Method Not Allowed", { headers: { allow: "GET" } });
  }
  const query = readEquipmentQuery(mark < 0 ? "" : url.slice(mark + 1));
  if ("cause" in query) {
    options.onOutcome("bad_query", client);
    const { cause, param, reason } = query;
    return problem(400, cause, "Bad Request", { invalidParams: [{ param, reason }] });
  }
  if (!query.handset) {
    options.onOutcome("no_handset", client);
    return { status: 200, type: "application/json", body: BODY.white };
  }
  const answer = options.check(client, { ...query.handset, visited: undefined });
  options.onOutcome("checked", client);
  return answer === "unknown"
    ? problem(404, "ERROR_EQUIPMENT_UNKNOWN", "Not Found")
    : { status: 200, type: "application/json", body: BODY[answer] };
}

/** RFC 9457, with the cause that TS 29.571 clause 5.2.4.1 adds; `param` as `query pei`. */
function problem(
  status: number,
  cause: string | undefined,
  title: string,
  { headers, invalidParams }: { headers?: Answer["more"]; invalidParams?: readonly InvalidParam[] } = {},
): Answer {
  const body = JSON.stringify({ title, status, cause, invalidParams });
  return { status, type: "application/problem+json", body, ...(headers && { more: headers }) };
}
type InvalidParam = { readonly param: string; readonly reason: string };
