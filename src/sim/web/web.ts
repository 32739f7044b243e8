/**
 * What every simulated machine behind HTTP shares: a server on this machine, its bearer secret, bounded bodies, and a
 * set of bad habits that a test switches on: answers that are lost, late, enormous, no JSON, elsewhere, or that drip.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { closedToAll, listening } from "./listen.ts";
import { createPauses, type Pauses } from "./pauses.ts";

const MAX_BODY_OCTETS = 1_048_576;
/** More than any client of ours reads. */
const HUGE_OCTETS = 4 * 1_048_576;
const DRIP_MS = 20;
const DEFAULT_LATE_MS = 30_000;

/**
 * `lose_answer` does the work and hangs up, `lose_request` hangs up before; `late` does the work and waits; `drip` sends
 * an answer octet by octet and never ends it.
 */
const WEB_FAULTS = [
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
type WebOptions = {
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
  const web: Web = { options, pauses: createPauses(), requests: 0 };
  const server = createServer((request, response) => {
    serve(web, request, response).catch(() => reply(response, { status: 400, body: { code: "malformed" } }));
  });
  const port = await listening(server, host, options.port);
  return {
    url: `http://${host}:${port}`,
    requests: () => web.requests,
    async close() {
      web.pauses.end();
      await closedToAll(server);
    },
  };
}

type Web = { readonly options: WebOptions; readonly pauses: Pauses; requests: number };

async function serve(web: Web, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, pauses } = web;
  const came = await cameBy(request);
  web.requests++;
  const fault = options.fault?.(web.requests, came);
  if (fault === "lose_request") return void request.socket.destroy();
  if (fault && isAnswer(fault)) return misbehave(response, fault);
  if (!isKnown(request, options.secret))
    return reply(response, { status: 401, body: { code: "unauthorised" } });
  const answer = await options.answer(came);
  if (fault === "lose_answer") return void request.socket.destroy();
  if (fault === "late") await pauses.pause(options.lateMs ?? DEFAULT_LATE_MS);
  reply(response, answer);
}

async function cameBy(request: IncomingMessage): Promise<WebRequest> {
  const url = new URL(request.url ?? "/", "http://sim");
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    text: await bodyOf(request),
  };
}

function isKnown({ headers }: IncomingMessage, secret: string | undefined): boolean {
  if (secret === undefined) return true;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(headers.authorization ?? ""), digest(`Bearer ${secret}`));
}

/** Habits that are an answer of their own: nothing is looked at, and nothing done. */
type BadAnswer = Exclude<WebFault, "lose_answer" | "lose_request" | "late">;
const isAnswer = (fault: WebFault): fault is BadAnswer =>
  fault !== "lose_answer" && fault !== "lose_request" && fault !== "late";

function misbehave(response: ServerResponse, fault: BadAnswer): void {
  switch (fault) {
    case "down":
      return reply(response, { status: 503, body: { code: "busy" } });
    case "redirect":
      return reply(response, { status: 307, headers: { location: "http://127.0.0.1:1/" } });
    case "huge":
      return void response.writeHead(200).end(" ".repeat(HUGE_OCTETS));
    case "not_json":
      return void response.writeHead(200).end("<html>it works</html>");
    case "drip":
      return drip(response);
  }
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), DRIP_MS);
  response.on("close", () => clearInterval(timer));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  const arriving: AsyncIterable<Buffer> = request; // no encoding was set
  for await (const chunk of arriving) {
    octets += chunk.length;
    if (octets > MAX_BODY_OCTETS) throw new RangeError("at most 1 MiB is wanted");
    chunks.push(chunk);
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
