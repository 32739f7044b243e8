/**
 * One request on the land leg, over mutual TLS 1.3 alone, and the head of its answer; the body follows at the reader's
 * pace. The server's authority is pinned, and no TLS session is taken up again: each connection proves both ends.
 */
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { LandFailure } from "../../proxy/land-leg.ts";

const KEEP_ALIVE_MS = 15_000;
/** No answer of a server is longer: the largest module and its parameters. */
const ANSWER_OCTETS_MAX = 32 * 1_048_576;

type LandEndpoint = {
  readonly url: string;
  /** PEM of the one authority that the server is trusted by. */
  readonly authority: string;
  /** The proxy's own. */
  readonly certificate: string;
  readonly key: string;
  readonly socketsMax: number;
  /** To connect and get the head of an answer; and, after it, between two pieces of the body. */
  readonly timeoutMs: number;
};
export type Head = {
  readonly kind: "answered";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> & { destroy(): void };
};
type Outgoing = {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};
export type Endpoint = ReturnType<typeof createEndpoint>;

export function createEndpoint(options: LandEndpoint) {
  const base = new URL(options.url);
  if (base.protocol !== "https:") throw new RangeError("a provisioning server is reached over https only");
  const agent = new Agent({
    cert: options.certificate,
    key: options.key,
    ca: options.authority,
    minVersion: "TLSv1.3",
    maxCachedSessions: 0,
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    maxSockets: options.socketsMax,
  });

  function exchange({ method, target, headers, body }: Outgoing): Promise<Head | LandFailure> {
    return new Promise((resolve) => {
      const outgoing = request({
        agent,
        host: base.hostname.replace(/^\[|\]$/g, ""),
        port: Number(base.port) || 443,
        method,
        path: target,
        headers: { ...headers, host: base.host, "content-length": String(body.length) },
      });
      const timer = setTimeout(
        () => end({ kind: "failed", cause: "timeout", detail: `no answer within ${options.timeoutMs} ms` }),
        options.timeoutMs,
      );
      let ended = false;
      function end(outcome: Head | LandFailure): void {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        if (outcome.kind === "failed") outgoing.destroy();
        resolve(outcome);
      }
      outgoing.on("error", (error: NodeJS.ErrnoException) => end(failureOf(error)));
      outgoing.on("response", (incoming) => {
        incoming.setTimeout(options.timeoutMs, () => incoming.destroy(new Error("the body stands still")));
        end({
          kind: "answered",
          status: incoming.statusCode ?? 0,
          headers: headersOf(incoming),
          body: limitedBody(incoming),
        });
      });
      outgoing.end(body);
    });
  }

  return {
    exchange,
    /** As the server is called in Host, and so in each signature. */
    authority: base.host,
    close: (): void => agent.destroy(),
  };
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(incoming.headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value]] : [],
    ),
  );
}

function limitedBody(incoming: IncomingMessage): Head["body"] {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let octets = 0;
    const arriving: AsyncIterable<Buffer> = incoming; // no encoding was set
    for await (const piece of arriving) {
      octets += piece.length;
      if (octets > ANSWER_OCTETS_MAX) throw new RangeError("the answer is longer than any");
      yield piece;
    }
  }
  return Object.assign(pieces(), { destroy: () => void incoming.destroy() });
}

/** All of a body that may be so long; undefined where it is longer or breaks off. */
export async function wholeBody(body: Head["body"], octetsMax: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  try {
    for await (const piece of body) {
      octets += piece.length;
      if (octets > octetsMax) {
        body.destroy();
        return undefined;
      }
      chunks.push(piece);
    }
  } catch {
    return undefined; // broken off: there is no whole
  }
  return Buffer.concat(chunks);
}

function failureOf(error: NodeJS.ErrnoException): LandFailure {
  const code = error.code ?? "";
  // Under TLS 1.3 a server's refusal of our certificate comes as an alert after the handshake.
  if (/ALERT.*CERTIFICATE|ALERT.*UNKNOWN_CA|CERTIFICATE_REQUIRED/.test(code))
    return { kind: "failed", cause: "server_refused_us", detail: code };
  if (/^ERR_TLS|^ERR_SSL|^EPROTO$|CERT|SELF_SIGNED|UNABLE_TO|INVALID_(?:PURPOSE|CA)|HOSTNAME/.test(code))
    return { kind: "failed", cause: "server_not_proved", detail: code };
  return { kind: "failed", cause: "unreachable", detail: code || "no connection" };
}
