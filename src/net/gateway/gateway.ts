/**
 * The proxy's land leg. With each provisioning server it holds a session of its own: the server proves itself by an
 * Ed25519 signature over a fresh nonce before anything else is sent to it, and again when the session ends. Each message
 * is signed by the proxy. What nobody knows to have arrived is sent again only where a repeat is harmless.
 *
 *   gate (so many at once) -> session (proof of the server) -> signature -> mutual TLS
 */
import { type KeyObject, verify } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { LandAnswer, LandFailure, LandLeg, LandRequest } from "../../proxy/land-leg.ts";
import { type ServerName, serverNameOf } from "../../proxy/servers.ts";
import { contentDigestOf } from "../../wire/httpsig/content-digest.ts";
import { type SignatureAlgorithm, signMessage } from "../../wire/httpsig/signature.ts";
import {
  type AuthenticationRequest,
  authenticationText,
  DEVICE_PATHS,
  type EnrolmentAnswer,
  type EnrolmentRequest,
  LAND_HEADERS,
  LAND_SIGNATURE,
} from "../../wire/message/legs.ts";
import { instant, object, type Read, ShapeError, text } from "../../wire/message/shape.ts";
import { createEndpoint, type Endpoint, type Head, wholeBody } from "./exchange.ts";
import { createGate, type Gate } from "./gate.ts";

const GATEWAY_LIMITS = {
  /** Requests at one server at once. */
  inFlight: 64,
  /** Requests that wait for a place there. */
  waiting: 256,
  timeoutMs: 15_000,
  /** Sent again so often, where a repeat is harmless. */
  retries: 2,
  retryPauseMs: 250,
} as const;
export type GatewayLimits = { readonly [Name in keyof typeof GATEWAY_LIMITS]: number };

const NONCE_OCTETS = 32;
const CLOCK_TOLERANCE_MS = 60_000;
/** A session that a server would grant for longer is not what we asked for. */
const SESSION_MS_MAX = 24 * 3_600_000;
/** A session is renewed so long before it ends: a request must not arrive behind its end. */
const RENEW_BEFORE_MS = 5_000;
const SMALL_ANSWER_OCTETS = 8_192;

export type ProvisioningServer = {
  readonly url: string;
  /** Its name in its proof. */
  readonly id: string;
  /** PEM of its authority. */
  readonly authority: string;
  /** Ed25519; its proof is checked by this key alone. */
  readonly publicKey: KeyObject;
};
type GatewayOptions = {
  readonly proxy: {
    readonly id: string;
    readonly certificate: string;
    readonly key: string;
    readonly signing: {
      readonly keyid: string;
      readonly algorithm: SignatureAlgorithm;
      readonly key: KeyObject;
    };
  };
  readonly servers: readonly ProvisioningServer[];
  readonly limits?: Partial<GatewayLimits>;
  now(): Date;
  freshOctets(octets: number): Uint8Array;
};
export type Gateway = LandLeg & { close(): void };

type Session = { readonly token: string; readonly endsAt: Date };
type Party = {
  readonly server: ProvisioningServer;
  readonly endpoint: Endpoint;
  readonly gate: Gate;
  session: Session | undefined;
  proving: Promise<Session | LandFailure> | undefined;
};

type Land = {
  readonly options: GatewayOptions;
  readonly limits: GatewayLimits;
  readonly parties: ReadonlyMap<ServerName, Party>;
  /** Aborted when the gateway is closed. */
  readonly ended: AbortController;
};

export function createGateway(options: GatewayOptions): Gateway {
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const parties = new Map<ServerName, Party>(
    options.servers.map((server) => [serverNameOf(server.url), partyOf(server, options, limits)]),
  );
  if (parties.size !== options.servers.length) throw new RangeError("a provisioning server is named twice");
  const ended = new AbortController();
  // Each request that waits for its next try listens: as many as may be under way.
  setMaxListeners(limits.inFlight * options.servers.length, ended.signal);
  const land: Land = { options, limits, parties, ended };

  return {
    servers: new Set(parties.keys()),
    authenticate: (name) => authenticate(land, name),
    forward: (request) => forward(land, request),
    enrolmentOf: (...asked) => enrolmentOf(land, ...asked),
    close() {
      ended.abort();
      for (const { endpoint } of parties.values()) endpoint.close();
    },
  };
}

/** Signs and sends; the session's token goes along where there is one. */
function send(
  land: Land,
  party: Party,
  message: Outgoing,
  session: Session | undefined,
): Promise<Head | LandFailure> {
  const headers = {
    ...message.headers,
    ...(session && { [LAND_HEADERS.session]: session.token }),
    "content-digest": contentDigestOf(message.body),
  };
  return party.endpoint.exchange({
    ...message,
    headers: { ...headers, ...signed(land, party, message, headers) },
  });
}

function signed(
  land: Land,
  party: Party,
  { method, target }: Outgoing,
  headers: Readonly<Record<string, string>>,
) {
  const { keyid, algorithm, key } = land.options.proxy.signing;
  const created = Math.floor(land.options.now().getTime() / 1000);
  const nonce = Buffer.from(land.options.freshOctets(NONCE_OCTETS)).toString("base64url");
  const { signatureInput, signature } = signMessage(
    {
      kind: "request",
      method,
      scheme: "https",
      authority: party.endpoint.authority,
      target,
      headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
    },
    {
      label: LAND_SIGNATURE.label,
      components: [
        ...LAND_SIGNATURE.required,
        ...LAND_SIGNATURE.fields.filter((name) => headers[name] !== undefined),
      ],
      parameters: { created, nonce, keyid, alg: algorithm, tag: LAND_SIGNATURE.tag },
      key,
      algorithm,
    },
  );
  return { "signature-input": signatureInput, signature };
}

/** One proof at a time: whoever comes meanwhile waits for the same. */
async function sessionOf(land: Land, party: Party): Promise<Session | LandFailure> {
  const { session } = party;
  if (session && session.endsAt.getTime() - RENEW_BEFORE_MS > land.options.now().getTime()) return session;
  party.session = undefined;
  party.proving ??= prove(land, party).finally(() => {
    party.proving = undefined;
  });
  const outcome = await party.proving;
  if ("token" in outcome) party.session = outcome;
  return outcome;
}

async function prove(land: Land, party: Party): Promise<Session | LandFailure> {
  const nonce = Buffer.from(land.options.freshOctets(NONCE_OCTETS)).toString("base64");
  const asked: AuthenticationRequest = {
    nonce,
    proxy: land.options.proxy.id,
    at: land.options.now().toISOString(),
  };
  const answer = await askSmall(
    land,
    party,
    { target: DEVICE_PATHS.authentications, value: asked, read: readAnswer },
    undefined,
  );
  if (answer.kind === "failed") return answer;
  if (answer.kind === "refused") return refusedUs(answer.status);
  const fault = proofFault(party.server, answer.value, asked, land.options.now());
  return fault === undefined
    ? { token: answer.value.session, endsAt: new Date(answer.value.expiresAt) }
    : { kind: "failed", cause: "server_not_proved", detail: fault };
}

type Question<Value> = {
  readonly target: string;
  readonly value: object;
  /** Of the answer. */
  readonly read: Read<Value>;
};

async function askSmall<Value>(
  land: Land,
  party: Party,
  { target, value, read }: Question<Value>,
  session: Session | undefined,
): Promise<
  | { readonly kind: "read"; readonly value: Value }
  | { readonly kind: "refused"; readonly status: number }
  | LandFailure
> {
  const body = Buffer.from(JSON.stringify(value));
  const headers = { "content-type": "application/json" };
  const head = await send(land, party, { method: "POST", target, headers, body }, session);
  if (head.kind === "failed") return head;
  const bytes = await wholeBody(head.body, SMALL_ANSWER_OCTETS);
  if (head.status !== 200) return { kind: "refused", status: head.status };
  try {
    return { kind: "read", value: read(JSON.parse(bytes?.toString("utf8") ?? ""), "") };
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof SyntaxError)) throw error;
    return { kind: "failed", cause: "bad_answer", detail: "the answer is of another shape" };
  }
}

async function authenticate(
  land: Land,
  name: ServerName,
): Promise<{ readonly kind: "verified" } | LandFailure> {
  const party = land.parties.get(name);
  if (!party) return UNKNOWN;
  const session = await sessionOf(land, party);
  return "token" in session ? { kind: "verified" } : session;
}

async function forward(land: Land, request: LandRequest): Promise<LandAnswer | LandFailure> {
  const party = land.parties.get(request.server);
  if (!party) return UNKNOWN;
  const leave = await party.gate.enter();
  if (!leave)
    return { kind: "failed", cause: "busy", detail: "more requests than this server is sent at once" };
  try {
    const answer = await attempts(land, party, request);
    if (answer.kind === "failed") leave();
    return answer.kind === "failed" ? answer : { ...answer, body: leavingBody(answer.body, leave) };
  } catch (error) {
    leave();
    throw error;
  }
}

async function attempts(land: Land, party: Party, request: LandRequest): Promise<Head | LandFailure> {
  let outcome = await attempt(land, party, request);
  for (let again = 0; again < land.limits.retries && request.isRepeatable && isLost(outcome); again++) {
    await pause(land.limits.retryPauseMs * 2 ** again, land.ended.signal);
    if (land.ended.signal.aborted) return outcome;
    outcome = await attempt(land, party, request);
  }
  return outcome;
}

/** A server that has lost our session says so before it does anything: then it proves itself anew, once. */
async function attempt(land: Land, party: Party, request: LandRequest): Promise<Head | LandFailure> {
  for (const turn of [1, 2]) {
    const session = await sessionOf(land, party);
    if (!("token" in session)) return session;
    const head = await send(land, party, request, session);
    if (head.kind === "failed" || head.status !== 401) return head;
    head.body.destroy();
    if (party.session === session) party.session = undefined;
    if (turn === 2) return refusedUs(head.status);
  }
  throw new RangeError("two turns, and no third");
}

async function enrolmentOf(
  land: Land,
  name: ServerName,
  token: string,
  { isKept }: { readonly isKept: boolean },
): ReturnType<LandLeg["enrolmentOf"]> {
  const party = land.parties.get(name);
  if (!party) return UNKNOWN;
  const value: EnrolmentRequest = isKept ? { token, keep: true } : { token };
  const question = { target: DEVICE_PATHS.enrolments, value, read: readEnrolment };
  for (const turn of [1, 2]) {
    const session = await sessionOf(land, party);
    if (!("token" in session)) return session;
    const answer = await askSmall(land, party, question, session);
    if (answer.kind === "read") return { kind: "known", isSpent: !isKept, ...answer.value };
    if (answer.kind === "refused" && answer.status === 400 && isKept)
      return enrolmentOf(land, name, token, { isKept: false });
    if (answer.kind === "failed") return answer;
    if (answer.status === 404) return { kind: "unknown" };
    if (answer.status !== 401 || turn === 2) return refusedUs(answer.status);
    if (party.session === session) party.session = undefined;
  }
  throw new RangeError("two turns, and no third");
}

type Outgoing = Pick<LandRequest, "method" | "target" | "headers" | "body">;

const UNKNOWN: LandFailure = {
  kind: "failed",
  cause: "server_unknown",
  detail: "no provisioning server of this proxy",
};
const refusedUs = (status: number): LandFailure => ({
  kind: "failed",
  cause: "server_refused_us",
  detail: `HTTP ${status}`,
});

function partyOf(server: ProvisioningServer, { proxy }: GatewayOptions, limits: GatewayLimits): Party {
  if (server.publicKey.asymmetricKeyType !== "ed25519")
    throw new RangeError("a server proves itself by Ed25519");
  return {
    server,
    endpoint: createEndpoint({
      url: server.url,
      authority: server.authority,
      certificate: proxy.certificate,
      key: proxy.key,
      socketsMax: limits.inFlight,
      timeoutMs: limits.timeoutMs,
    }),
    gate: createGate({ inside: limits.inFlight, waiting: limits.waiting, waitMs: limits.timeoutMs }),
    session: undefined,
    proving: undefined,
  };
}

const word = text({ max: 600 });
const readAnswer = object({
  server: word,
  nonce: word,
  at: word,
  session: word,
  expiresAt: word,
  signature: word,
});
const digits = text({ max: 16, pattern: /^\d+$/ });
const nullable =
  <Value>(read: Read<Value>): Read<Value | null> =>
  (value, path) =>
    value === null ? null : read(value, path);
const readEnrolment: Read<EnrolmentAnswer> = object({
  imsi: digits,
  msisdn: nullable(digits),
  imei: nullable(digits),
});

/** Why an answer proves nothing; undefined where it does. */
function proofFault(
  server: ProvisioningServer,
  answer: ReturnType<typeof readAnswer>,
  asked: { readonly nonce: string; readonly proxy: string },
  now: Date,
): string | undefined {
  if (answer.server !== server.id) return "another server's name";
  if (answer.nonce !== asked.nonce) return "another nonce than ours";
  const signed = Buffer.from(authenticationText({ ...answer, proxy: asked.proxy }));
  if (!verify(null, signed, server.publicKey, Buffer.from(answer.signature, "base64")))
    return "a signature that is not of the pinned key";
  const at = momentOf(answer.at);
  const endsAt = momentOf(answer.expiresAt);
  if (at === undefined || Math.abs(at - now.getTime()) > CLOCK_TOLERANCE_MS)
    return "a moment far from our clock";
  if (endsAt === undefined || endsAt <= now.getTime() || endsAt > now.getTime() + SESSION_MS_MAX)
    return "a session that ends at no time we take";
  return undefined;
}

function momentOf(text: string): number | undefined {
  try {
    return instant(text, "").getTime();
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}

const isLost = (outcome: Head | LandFailure): boolean =>
  outcome.kind === "failed" && (outcome.cause === "unreachable" || outcome.cause === "timeout");

/** The place at the server is taken until its answer is read or thrown away. */
function leavingBody(body: Head["body"], leave: () => void): LandAnswer["body"] {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } finally {
      leave();
    }
  }
  return Object.assign(pieces(), {
    destroy() {
      body.destroy();
      leave();
    },
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
