/**
 * An HTTP/1.1 client for the simulators: a few connections to one server, requests pipelined on them (RFC 9112 clause
 * 9.3.2). Thousands of phones share it, at a fifth of the cost of node's client. It talks to our own servers only:
 * answers must carry Content-Length.
 */

import { connect, type Socket } from "node:net";
import { roundAt } from "../../term/collections.ts";

const CONNECTIONS = 8;
const MAX_PENDING = 100_000;
const MAX_HEADER_OCTETS = 16_384;
const MAX_BODY_OCTETS = 65_536;
const TIMEOUT_MS = 15_000;
const HEADER_END = "\r\n\r\n";

export type PipelineAnswer = {
  readonly status: number;
  /** As UTF-8. */
  readonly body: string;
  readonly octets: Uint8Array;
  readonly contentType: string;
};
export type Pipeline = {
  /** `headers`: whole lines, each with its CR LF. */
  send(method: string, target: string, headers: string, body: string | Uint8Array): Promise<PipelineAnswer>;
  close(): void;
};
type Waiting = {
  readonly resolve: (answer: PipelineAnswer) => void;
  readonly reject: (error: Error) => void;
};

export function createPipeline(server: Server): Pipeline {
  const lines = Array.from({ length: CONNECTIONS }, () => lineTo(server));
  let next = 0;
  return {
    send(method, target, headers, body) {
      const line = roundAt(lines, next);
      next = (next + 1) % CONNECTIONS;
      const octets = latin1Of(body);
      return send(
        line,
        `${method} ${target} HTTP/1.1\r\nhost: ${server.host}\r\n${headers}content-length: ${octets.length}${HEADER_END}${octets}`,
      );
    },
    close() {
      for (const line of lines) fail(line, new Error("closed"));
    },
  };
}

/** A character an octet: requests of one turn are put together as text, and go out in one write. */
function latin1Of(body: string | Uint8Array): string {
  if (typeof body !== "string")
    return Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1");
  return Buffer.byteLength(body) === body.length ? body : Buffer.from(body, "utf8").toString("latin1");
}

type Server = { readonly host: string; readonly port: number };

/** One connection, opened at need, and again after it broke. */
type Line = {
  readonly server: Server;
  socket: Socket | undefined;
  waiting: Waiting[];
  /** Requests of this turn: they go out in one write. */
  outgoing: string;
  received: Buffer;
};

const lineTo = (server: Server): Line => ({
  server,
  socket: undefined,
  waiting: [],
  outgoing: "",
  received: Buffer.alloc(0),
});

const send = (line: Line, request: string): Promise<PipelineAnswer> =>
  new Promise((resolve, reject) => {
    if (line.waiting.length >= MAX_PENDING) return reject(new Error("too many requests wait"));
    line.waiting.push({ resolve, reject });
    if (line.outgoing === "") setImmediate(() => flush(line));
    line.outgoing += request;
  });

function flush(line: Line): void {
  const text = line.outgoing;
  line.outgoing = "";
  if (text !== "") opened(line).write(text, "latin1");
}

function opened(line: Line): Socket {
  if (line.socket) return line.socket;
  const fresh = connect({ ...line.server, noDelay: true });
  line.socket = fresh;
  const failFresh = (error: Error): void => {
    if (line.socket === fresh) fail(line, error);
  };
  fresh.setTimeout(TIMEOUT_MS, () => line.waiting.length > 0 && failFresh(new Error("the server is silent")));
  fresh.on("error", failFresh);
  fresh.on("close", () => failFresh(new Error("the connection closed")));
  fresh.on("data", (chunk) => {
    try {
      take(line, chunk);
    } catch (error) {
      failFresh(error instanceof Error ? error : new Error(String(error)));
    }
  });
  return fresh;
}

function take(line: Line, chunk: Buffer): void {
  const received = line.received.length > 0 ? Buffer.concat([line.received, chunk]) : chunk;
  let at = 0;
  for (;;) {
    const answer = answerAt(received, at);
    if (!answer) break;
    at = answer.end;
    line.waiting.shift()?.resolve(answer);
  }
  line.received = received.subarray(at);
}

function fail(line: Line, error: Error): void {
  const broken = line.waiting;
  line.socket?.destroy();
  line.socket = undefined;
  line.waiting = [];
  line.outgoing = "";
  line.received = Buffer.alloc(0);
  for (const { reject } of broken) reject(error);
}

function answerAt(bytes: Buffer, at: number): (PipelineAnswer & { readonly end: number }) | undefined {
  const headerEnd = bytes.indexOf(HEADER_END, at);
  if (headerEnd < 0) {
    if (bytes.length - at > MAX_HEADER_OCTETS) throw new Error("the answer's header is too long");
    return undefined;
  }
  const header = bytes.toString("latin1", at, headerEnd);
  const status = Number(header.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(header) ?? [];
  if (length === undefined && status !== 204) throw new Error("an answer without Content-Length");
  const octets = Number(length ?? 0);
  if (octets > MAX_BODY_OCTETS) throw new Error("the answer is too long");
  const start = headerEnd + HEADER_END.length;
  if (bytes.length < start + octets) return undefined;
  const [, contentType = ""] = /\r\ncontent-type: ([^\r]+)/i.exec(header) ?? [];
  const end = start + octets;
  return {
    status,
    contentType,
    body: bytes.toString("utf8", start, end),
    octets: bytes.subarray(start, end),
    end,
  };
}
