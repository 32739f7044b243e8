/**
 * A phone's wideband way to the proxy: TLS 1.3 with the device's certificate, or plain HTTP through an operator's WAP
 * gateway that adds what it knows of the line. Keeps the air session's token, and does to messages what the radio does: loses,
 * doubles and delays them, by a seeded chance.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { MAX_ANSWER_OCTETS, type WidebandAnswer, type WidebandRequest } from "../../device/outbound.ts";
import { AIR_HEADERS } from "../../wire/message/legs.ts";
import type { Chance } from "../handset/chance.ts";

export type Credential = { readonly certificate: string; readonly key: string };
export type Radio = {
  /** Parts of 1: a request that never arrives, an answer that never does, a request that arrives twice. */
  readonly loss?: number;
  readonly answerLoss?: number;
  readonly duplicates?: number;
  /** From and to. */
  readonly delayMs?: readonly [number, number];
};
type AirOptions = {
  /** Origin of the proxy, or of the WAP gateway's way to it. */
  readonly proxy: string;
  /** PEM that the proxy is trusted by. */
  readonly authority?: string;
  /** PEM pair; none for a device that has none. */
  readonly credential: Credential | null;
  /** What an operator's WAP gateway writes in front of plain HTTP. */
  readonly gatewayHeaders?: Readonly<Record<string, string>>;
  readonly radio?: Radio;
  readonly chance: Chance;
  readonly timeoutMs?: number;
};
export type Air = ReturnType<typeof openAir>;
type AirAnswer = WidebandAnswer & { readonly headers?: Readonly<Record<string, string>> };

const TIMEOUT_MS = 30_000;
const MAX_SOCKETS = 4;
const FORBIDDEN = 403;

type AirState = {
  readonly options: AirOptions;
  readonly radio: Radio;
  readonly chance: Chance;
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

export function openAir(options: AirOptions) {
  const { radio = {}, chance, timeoutMs = TIMEOUT_MS } = options;
  const url = new URL(options.proxy);
  const isSecure = url.protocol === "https:";
  const agent = isSecure ? secureAgent(options) : new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const closing = new AbortController();
  const fixed = { options, radio, chance, url, isSecure, agent, timeoutMs, closing };
  const air: AirState = { ...fixed, session: undefined, open: 0, isLeft: false };
  return {
    send: (message: WidebandRequest): Promise<AirAnswer> => send(air, message),
    /** Whoever holds the phone may look at it; it is useless on the land side. */
    sessionToken: (): string | undefined => air.session,
    /** Another way took its place: what is under way comes to its end. */
    leave(): void {
      air.isLeft = true;
      if (air.open === 0) agent.destroy();
    },
    close(): void {
      closing.abort();
      agent.destroy();
    },
  };
}

const secureAgent = ({ authority, credential }: AirOptions): HttpsAgent =>
  new HttpsAgent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    minVersion: "TLSv1.3",
    ...(authority === undefined ? {} : { ca: authority }),
    ...(credential && { cert: credential.certificate, key: credential.key }),
  });

async function send(air: AirState, message: WidebandRequest): Promise<AirAnswer> {
  air.open++;
  try {
    return await sendOnRadio(air, message);
  } finally {
    air.open--;
    if (air.isLeft && air.open === 0) air.agent.destroy();
  }
}

async function sendOnRadio(air: AirState, message: WidebandRequest): Promise<AirAnswer> {
  try {
    if (air.radio.delayMs)
      await pause(air.chance.between(...air.radio.delayMs), undefined, { signal: air.closing.signal });
    if (air.chance.is(air.radio.loss ?? 0)) return { kind: "lost", cause: "the radio lost the request" };
    const answers = [exchange(air, message)];
    if (air.chance.is(air.radio.duplicates ?? 0)) answers.push(exchange(air, message));
    const [answer] = await Promise.all(answers);
    if (air.chance.is(air.radio.answerLoss ?? 0)) return { kind: "lost", cause: "the radio lost the answer" };
    return await withFreshSession(air, message, answer!);
  } catch (error) {
    return { kind: "lost", cause: error instanceof Error ? error.message : "no connection" };
  }
}

/** A session's token ends; the proxy does not say why it refuses, so a device asks once more without. */
async function withFreshSession(
  air: AirState,
  message: WidebandRequest,
  answer: AirAnswer,
): Promise<AirAnswer> {
  if (answer.kind !== "answer" || answer.status !== FORBIDDEN || air.session === undefined) return answer;
  air.session = undefined;
  return exchange(air, message);
}

async function exchange(air: AirState, message: WidebandRequest): Promise<AirAnswer> {
  const response = await responseTo(air, message);
  const told = response.headers[AIR_HEADERS.session];
  if (typeof told === "string") air.session = told;
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
  air: AirState,
  { method, path, headers, body }: WidebandRequest,
): Promise<IncomingMessage> {
  const { options, session, agent, isSecure, timeoutMs: timeout, closing } = air;
  const { signal } = closing;
  const all = {
    ...headers,
    ...(isSecure ? {} : options.gatewayHeaders),
    ...(session === undefined ? {} : { [AIR_HEADERS.session]: session }),
    "content-length": String(Buffer.byteLength(body ?? "")),
  };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(
      new URL(path, air.url),
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
  for await (const chunk of response as AsyncIterable<Buffer>) {
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
