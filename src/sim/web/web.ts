/**
 * What every simulated machine behind HTTP shares: a server on this machine, its bearer secret, bounded bodies, and a
 * set of bad habits that a test switches on: answers that are lost, late, enormous, no JSON, elsewhere, or that drip.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const MAX_BODY_OCTETS = 1_048_576;
/** More than any client of ours reads. */
const HUGE_OCTETS = 4 * 1_048_576;
const DRIP_MS = 20;
const DEFAULT_LATE_MS = 30_000;

/**
 * `lose_answer` does the work and hangs up, `lose_request` hangs up before; `late` does the work and waits; `drip` sends
 * an answer octet by octet and never ends it.
 */
export const WEB_FAULTS = [
  "lose_answer",
  "lose_request",
  "late",
  "down",
  "huge",
  "not_json",
  "redirect",
  "drip",
] as const;
export type WebFault = (typeof WEB_FAULTS)[number];

export type WebRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
};
export type WebAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};
export type WebOptions = {
  readonly port?: number;
  readonly host?: string;
  /** Without one, anybody may ask. */
  readonly secret?: string;
  /** Asked for each request, counted from 1. */
  fault?(number: number, request: WebRequest): WebFault | undefined;
  readonly lateMs?: number;
  answer(request: WebRequest): WebAnswer | Promise<WebAnswer>;
};
export type WebServer = { readonly url: string; requests(): number; close(): Promise<void> };

export async function startWeb(options: WebOptions): Promise<WebServer> {
  const { host = "127.0.0.1" } = options;
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://sim");
    const text = await bodyOf(request);
    const came: WebRequest = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      text,
    };
    requests++;
    const fault = options.fault?.(requests, came);
    if (fault === "lose_request") return void request.socket.destroy();
    if (fault === "down") return reply(response, { status: 503, body: { code: "busy" } });
    if (fault === "redirect")
      return reply(response, { status: 307, headers: { location: "http://127.0.0.1:1/" } });
    if (fault === "huge") return void response.writeHead(200).end(" ".repeat(HUGE_OCTETS));
    if (fault === "not_json") return void response.writeHead(200).end("<html>it works</html>");
    if (fault === "drip") return drip(response);
    if (!isKnown(request)) return reply(response, { status: 401, body: { code: "unauthorised" } });
    const answer = await options.answer(came);
    if (fault === "lose_answer") return void request.socket.destroy();
    if (fault === "late") await pause(options.lateMs ?? DEFAULT_LATE_MS);
    reply(response, answer);
  }

  const isKnown = (request: IncomingMessage): boolean => {
    if (options.secret === undefined) return true;
    const digest = (text: string) => createHash("sha256").update(text).digest();
    return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${options.secret}`));
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  function drip(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "application/json" });
    const timer = setInterval(() => response.write(" "), DRIP_MS);
    timers.add(timer);
    response.on("close", () => {
      clearInterval(timer);
      timers.delete(timer);
    });
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => reply(response, { status: 400, body: { code: "malformed" } }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`, // it listens on TCP
    requests: () => requests,
    async close() {
      for (const timer of timers) clearInterval(timer);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request) {
    octets += (chunk as Buffer).length;
    if (octets > MAX_BODY_OCTETS) throw new RangeError("at most 1 MiB is wanted");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reply(response: ServerResponse, { status, headers = {}, body }: WebAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, {
    ...(body === undefined ? {} : { "content-type": "application/json;charset=utf-8" }),
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
