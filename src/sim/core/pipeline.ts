/**
 * An HTTP/1.1 client for the simulators: a few connections to one server, requests pipelined on them (RFC 9112 clause
 * 9.3.2). Thousands of phones share it, at a fifth of the cost of node's client. It talks to our own servers only:
 * answers must carry Content-Length.
 */
import { connect, type Socket } from "node:net";

const CONNECTIONS = 8;
const MAX_PENDING = 100_000;
const MAX_HEADER_OCTETS = 16_384;
const MAX_BODY_OCTETS = 65_536;
const TIMEOUT_MS = 15_000;
const HEADER_END = "\r\n\r\n";

export type PipelineAnswer = { readonly status: number; readonly body: string };
export type Pipeline = {
  /** `headers`: whole lines, each with its CR LF. */
  send(method: string, target: string, headers: string, body: string): Promise<PipelineAnswer>;
  close(): void;
};
type Waiting = {
  readonly resolve: (answer: PipelineAnswer) => void;
  readonly reject: (error: Error) => void;
};

export function createPipeline(server: { readonly host: string; readonly port: number }): Pipeline {
  const lines = Array.from({ length: CONNECTIONS }, () => lineTo(server));
  let next = 0;
  return {
    send(method, target, headers, body) {
      const line = lines[next]!;
      next = (next + 1) % CONNECTIONS;
      const length = Buffer.byteLength(body);
      return line.send(
        `${method} ${target} HTTP/1.1\r\nhost: ${server.host}\r\n${headers}content-length: ${length}${HEADER_END}${body}`,
      );
    },
    close() {
      for (const line of lines) line.close();
    },
  };
}

/** One connection, opened at need, and again after it broke. */
function lineTo(server: { readonly host: string; readonly port: number }) {
  let socket: Socket | undefined;
  let waiting: Waiting[] = [];
  let outgoing = "";
  let received: Buffer = Buffer.alloc(0);

  function fail(error: Error): void {
    const broken = waiting;
    socket?.destroy();
    socket = undefined;
    waiting = [];
    outgoing = "";
    received = Buffer.alloc(0);
    for (const { reject } of broken) reject(error);
  }

  function opened(): Socket {
    if (socket) return socket;
    const fresh = connect({ ...server, noDelay: true });
    socket = fresh;
    const failFresh = (error: Error): void => {
      if (socket === fresh) fail(error);
    };
    fresh.setTimeout(TIMEOUT_MS, () => waiting.length > 0 && failFresh(new Error("the server is silent")));
    fresh.on("error", failFresh);
    fresh.on("close", () => failFresh(new Error("the connection closed")));
    fresh.on("data", (chunk) => {
      try {
        take(chunk);
      } catch (error) {
        failFresh(error as Error);
      }
    });
    return fresh;
  }

  /** Requests of one turn go out in one write. */
  function flush(): void {
    const text = outgoing;
    outgoing = "";
    if (text !== "") opened().write(text);
  }

  function take(chunk: Buffer): void {
    received = received.length > 0 ? Buffer.concat([received, chunk]) : chunk;
    let at = 0;
    for (;;) {
      const answer = answerAt(received, at);
      if (!answer) break;
      at = answer.end;
      waiting.shift()?.resolve(answer);
    }
    received = received.subarray(at);
  }

  return {
    send: (request: string): Promise<PipelineAnswer> =>
      new Promise((resolve, reject) => {
        if (waiting.length >= MAX_PENDING) return reject(new Error("too many requests wait"));
        waiting.push({ resolve, reject });
        if (outgoing === "") setImmediate(flush);
        outgoing += request;
      }),
    close: (): void => fail(new Error("closed")),
  };
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
  return { status, body: bytes.toString("utf8", start, start + octets), end: start + octets };
}
