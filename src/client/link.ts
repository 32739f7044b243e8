/**
 * A device's wideband way to the proxy: TLS 1.3 with the device's certificate, or plain HTTP through an operator's WAP gateway that
 * adds what it knows of the line. Keeps the air session's token.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { MAX_ANSWER_OCTETS, type WidebandAnswer, type WidebandRequest } from "../device/outbound.ts";
import { AIR_HEADERS } from "../wire/message/legs.ts";

/** PEM. */
export type Credential = { readonly certificate: string; readonly key: string };
export type LinkOptions = {
  /** Origin of the proxy, or of the WAP gateway's way to it. */
  readonly proxy: string;
  /** PEM that the proxy is trusted by. */
  readonly authority?: string;
  /** PEM pair; none for a device that has none. */
  readonly credential: Credential | null;
  /** What an operator's WAP gateway writes in front of plain HTTP. */
  readonly gatewayHeaders?: Readonly<Record<string, string>>;
  /** For a whole request; 30 s where none is said. */
  readonly timeoutMs?: number;
};
export type Link = ReturnType<typeof openLink>;
export type LinkAnswer = WidebandAnswer & { readonly headers?: Readonly<Record<string, string>> };

const TIMEOUT_MS = 30_000;
const MAX_SOCKETS = 4;
const FORBIDDEN = 403;

type LinkState = {
  readonly options: LinkOptions;
  readonly url: URL;
  readonly isSecure: boolean;
  readonly agent: HttpAgent | HttpsAgent;
  readonly timeoutMs: number;
  readonly closing: AbortController;
  /** Token of the air session. */
  session: string | undefined;
  open: number;
  isLeft: boolean;
};

export function openLink(options: LinkOptions) {
  const { timeoutMs = TIMEOUT_MS } = options;
  const url = new URL(options.proxy);
  const isSecure = url.protocol === "https:";
  const agent = isSecure ? secureAgent(options) : new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const closing = new AbortController();
  const fixed = { options, url, isSecure, agent, timeoutMs, closing };
  const link: LinkState = { ...fixed, session: undefined, open: 0, isLeft: false };
  return {
    send: (message: WidebandRequest): Promise<LinkAnswer> => send(link, message),
    /** Whoever holds the phone may look at it; it is useless on the land side. */
    sessionToken: (): string | undefined => link.session,
    /** Another way took its place: what is under way comes to its end. */
    leave(): void {
      link.isLeft = true;
      if (link.open === 0) agent.destroy();
    },
    close(): void {
      closing.abort();
      agent.destroy();
    },
  };
}

const secureAgent = ({ authority, credential }: LinkOptions): HttpsAgent =>
  new HttpsAgent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    minVersion: "TLSv1.3",
    ...(authority === undefined ? {} : { ca: authority }),
    ...(credential && { cert: credential.certificate, key: credential.key }),
  });

async function send(link: LinkState, message: WidebandRequest): Promise<LinkAnswer> {
  link.open++;
  try {
    return await sendOnce(link, message);
  } finally {
    link.open--;
    if (link.isLeft && link.open === 0) link.agent.destroy();
  }
}

/** What did not arrive is a value: the module sends it once more. */
async function sendOnce(link: LinkState, message: WidebandRequest): Promise<LinkAnswer> {
  try {
    return await withFreshSession(link, message, await exchange(link, message));
  } catch (error) {
    return { kind: "lost", cause: error instanceof Error ? error.message : "no connection" };
  }
}

/** A session's token ends; the proxy does not say why it refuses, so a device asks once more without. */
async function withFreshSession(
  link: LinkState,
  message: WidebandRequest,
  answer: LinkAnswer,
): Promise<LinkAnswer> {
  if (answer.kind !== "answer" || answer.status !== FORBIDDEN || link.session === undefined) return answer;
  link.session = undefined;
  return exchange(link, message);
}

async function exchange(link: LinkState, message: WidebandRequest): Promise<LinkAnswer> {
  const response = await responseTo(link, message);
  const told = response.headers[AIR_HEADERS.session];
  if (typeof told === "string") link.session = told;
  const headers = textHeaders(response);
  return {
    kind: "answer",
    status: response.statusCode ?? 0,
    contentType: headers["content-type"] ?? "",
    body: await bodyOf(response),
    headers,
  };
}

/** @throws Error: no connection, or no answer in time */
function responseTo(
  link: LinkState,
  { method, path, headers, body }: WidebandRequest,
): Promise<IncomingMessage> {
  const { options, session, agent, isSecure, timeoutMs: timeout, closing } = link;
  const { signal } = closing;
  const all = {
    ...headers,
    ...(isSecure ? {} : options.gatewayHeaders),
    ...(session === undefined ? {} : { [AIR_HEADERS.session]: session }),
    "content-length": String(Buffer.byteLength(body ?? "")),
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(
      new URL(path, link.url),
      { method, headers: all, agent, timeout, signal },
      resolve,
    );
    request.once("timeout", () => request.destroy(new Error("the proxy does not answer")));
    request.once("error", reject);
    request.end(body ?? undefined);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let octets = 0;
  const arriving: AsyncIterable<Buffer> = response; // no encoding was set
  for await (const chunk of arriving) {
    octets += chunk.length;
    if (octets > MAX_ANSWER_OCTETS) {
      response.destroy();
      throw new Error(`an answer of more than ${MAX_ANSWER_OCTETS} octets`);
    }
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}

const textHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
