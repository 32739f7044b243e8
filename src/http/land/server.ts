/**
 * The provisioning server's door for proxies, apart from all its other doors: mutual TLS 1.3 with proxies' certificates
 * alone, each message signed by its proxy, and a land session that the proxy got when this server proved itself to it
 * (US 6,647,260 claims 20, 26, 36). What comes through is a request of a device whose identity the proxy vouches for.
 *
 *   TLS (which proxy) -> signature over the whole message -> land session -> identity -> handler
 *
 * A proxy that does not pass is told nothing but 401; `onRefused` has the reason.
 */
import { type KeyObject, sign } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { TurnupError } from "../../term/error.ts";
import { maskText } from "../../term/mask.ts";
import { createNonceBook } from "../../wire/httpsig/nonces.ts";
import {
  CLOCK_TOLERANCE_SECONDS,
  SignatureError,
  type SigningPeer,
  verifyMessage,
} from "../../wire/httpsig/signature.ts";
import { issueLegToken, openLegToken } from "../../wire/message/leg-token.ts";
import {
  AIR_HEADERS,
  type AuthenticationRequest,
  authenticationText,
  DEVICE_PATHS,
  type EnrolmentAnswer,
  type EnrolmentRequest,
  LAND_HEADERS,
  LAND_SIGNATURE,
} from "../../wire/message/legs.ts";
import { proxyInNames } from "../../wire/message/party-name.ts";
import { boolean, instant, object, optional, type Read, ShapeError, text } from "../../wire/message/shape.ts";
import { encodeScreenJson, SCREEN_JSON_TYPE } from "../../wire/screen/json.ts";
import type { Screen } from "../../wire/screen/screen.ts";
import { uriNames } from "../../wire/x509/uri-names.ts";
import { openCertifiedDoor, tlsSocketOf } from "../certified-door.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../connections.ts";
import type { HandshakeCause } from "../handshakes.ts";
import { type HeaderLines, headerLines } from "../header-lines.ts";
import { changeTls, mutualTls } from "../mutual-tls.ts";
import { STATUS_OF } from "../problem.ts";
import type { RevocationCheck } from "../revocation-check.ts";
import type { LandHandler, LandRequest, LandResponse } from "./handler.ts";
import { identityOf } from "./identity.ts";

/** A form or JSON of a request with account data; content goes the other way. */
const LAND_BODY_OCTETS_MAX = 131_072;
const LIMITS: ConnectionLimits = { ...CONNECTION_LIMITS, connections: 1_000, perAddress: 1_000 };
const SESSION_MS = 15 * 60_000;
/** Two minutes of nonces at 1,500 requests a second. */
const NONCES_MAX = 200_000;
const TOKEN_NONCE_OCTETS = 16;
const NOTICE_KEY_OCTETS = 32;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

export type LandProxy = {
  readonly id: string;
  /** Its keys for signatures; a new one stands beside the old while it is changed. */
  readonly keys: readonly Omit<SigningPeer, "leg">[];
};
export type LandRefusal = {
  readonly cause:
    | "handshake_refused"
    | "proxy_unknown"
    | "signature_refused"
    | "session_refused"
    | "identity_refused"
    | "authentication_refused";
  readonly detail: string;
  /** Why its handshake was refused; absent where it got through. */
  readonly handshake?: HandshakeCause;
  readonly proxy: string | null;
  readonly fingerprint: string | null;
  readonly address: string;
};
export type LandServerOptions = {
  /** Our name in proofs; proxies have it and the public key from us by another way. */
  readonly id: string;
  readonly tls: { readonly key: string; readonly certificate: string; readonly authority: string };
  /** Ed25519: our own credentials. */
  readonly signingKey: KeyObject;
  /** 32 octets; the same on every node of one server. */
  readonly sessionKey: Uint8Array;
  readonly revocation?: RevocationCheck | undefined;
  readonly proxies: readonly LandProxy[];
  readonly handler: LandHandler;
  /** Whose a one-time token of enrolment is, asked by this proxy; spent by the question unless it is kept. Undefined: nobody's. */
  enrolmentOf(
    token: string,
    proxy: string,
    about: { readonly isKept: boolean },
  ): Promise<EnrolmentAnswer | undefined>;
  now(): Date;
  freshOctets(octets: number): Uint8Array;
  /** This server has proved itself to a proxy, which asks for that when it starts and when a session ends. */
  onProved(proxy: string): void;
  onRefused(refusal: LandRefusal): void;
  onFault(error: Error): void;
};

/** Who speaks, once TLS and the signature have said it. */
type Caller = { readonly proxy: string; readonly fingerprint: string; readonly headers: HeaderLines };

type LandDoor = {
  readonly options: LandServerOptions;
  /** May be others from one request to the next. */
  proxies: ReadonlyMap<string, LandProxy>;
  readonly nonces: ReturnType<typeof createNonceBook>;
};

/** The door, and what puts other certificates and proxies into force while it is open. */
export function createLandServer(options: LandServerOptions): {
  readonly app: FastifyInstance;
  change(next: Pick<LandServerOptions, "tls" | "proxies">): void;
} {
  const door: LandDoor = {
    options,
    proxies: byId(options.proxies),
    nonces: createNonceBook(NONCES_MAX),
  };
  const app = openCertifiedDoor({
    ...{ tls: options.tls, limits: LIMITS, bodyLimitOctets: LAND_BODY_OCTETS_MAX, exposeHeadRoutes: false },
    revocation: options.revocation,
    onRefused: ({ cause: handshake, detail, peer }) =>
      options.onRefused({
        cause: "handshake_refused",
        handshake,
        detail,
        proxy: null,
        fingerprint: null,
        address: peer,
      }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler((_request, reply) => reply.status(404).send());
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) =>
    answerError(door, error, reply),
  );
  app.post(DEVICE_PATHS.authentications, (request, reply) => authenticate(door, request, reply));
  app.post(DEVICE_PATHS.enrolments, async (request, reply) => {
    const caller = callerOf(door, request);
    checkSession(door, request, caller);
    const { token, keep: isKept = false } = readJson(request, readEnrolment);
    const found = await options.enrolmentOf(token, caller.proxy, { isKept });
    if (!found) return reply.status(404).send();
    return reply.type("application/json").send(JSON.stringify(found));
  });
  app.route({
    method: ["GET", "POST"],
    url: "/d/*",
    async handler(request, reply) {
      const caller = callerOf(door, request);
      checkSession(door, request, caller);
      const identity = identityOf(caller.headers, caller.proxy);
      if (!identity)
        throw refuse(door, request, {
          cause: "identity_refused",
          detail: "headers that no proxy writes",
          proxy: caller.proxy,
        });
      return sendResponse(reply, await options.handler(identity, landRequestOf(request, caller.headers)));
    },
  });
  return {
    app,
    change({ tls, proxies }) {
      changeTls(app.server, mutualTls({ ...tls, authorities: tls.authority }));
      door.proxies = byId(proxies);
    },
  };
}

const byId = (proxies: readonly LandProxy[]): ReadonlyMap<string, LandProxy> =>
  new Map(proxies.map((proxy) => [proxy.id, proxy]));

/** The authentication request of claims 20 and 26, answered with our own credentials. */
async function authenticate(
  door: LandDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { now, ...options } = door.options;
  const caller = callerOf(door, request);
  const { nonce, proxy, at } = readJson(request, readAuthentication);
  const skewMs = Math.abs(instant(at, "at").getTime() - now().getTime());
  if (proxy !== caller.proxy || skewMs > CLOCK_TOLERANCE_SECONDS * 1_000)
    throw refuse(door, request, {
      cause: "authentication_refused",
      detail: "another's request, or of another time",
      proxy: caller.proxy,
    });
  const endsAt = new Date(now().getTime() + SESSION_MS);
  const session = issueLegToken(
    { leg: "land", subject: caller.proxy, peer: caller.fingerprint, endsAt },
    options.freshOctets(TOKEN_NONCE_OCTETS),
    options.sessionKey,
  );
  const answer = {
    server: options.id,
    nonce,
    at: now().toISOString(),
    session,
    expiresAt: endsAt.toISOString(),
  };
  options.onProved(caller.proxy);
  const proof = sign(null, Buffer.from(authenticationText({ ...answer, proxy })), options.signingKey);
  return reply
    .type("application/json")
    .send(JSON.stringify({ ...answer, signature: proof.toString("base64") }));
}

function refuse(
  door: LandDoor,
  request: FastifyRequest,
  { cause, detail, proxy }: Pick<LandRefusal, "cause" | "detail" | "proxy">,
): Refused {
  const certificate = tlsSocketOf(request).getPeerX509Certificate();
  door.options.onRefused({
    cause,
    detail,
    proxy,
    fingerprint: certificate?.fingerprint256 ?? null,
    address: request.ip,
  });
  return new Refused();
}

/** The proxy of the certificate, whose own key signed exactly this message. */
function callerOf(door: LandDoor, request: FastifyRequest): Caller {
  const certificate = tlsSocketOf(request).getPeerX509Certificate();
  const proxy = door.proxies.get(proxyInNames(uriNames(certificate?.subjectAltName)) ?? "");
  if (!certificate || !proxy)
    throw refuse(door, request, {
      cause: "proxy_unknown",
      detail: "a certificate of no proxy that we know",
      proxy: null,
    });
  const headers = headerLines(request.raw.rawHeaders);
  try {
    verifyMessage(
      {
        kind: "request",
        method: request.method,
        scheme: "https",
        authority: headers.get("host")?.[0] ?? "",
        target: request.raw.url ?? "",
        headers,
      },
      bodyOf(request),
      {
        label: LAND_SIGNATURE.label,
        leg: LAND_SIGNATURE.leg,
        tag: LAND_SIGNATURE.tag,
        required: LAND_SIGNATURE.required,
        coveredIfPresent: LAND_SIGNATURE.fields,
        keyOf(keyid) {
          const key = proxy.keys.find((known) => known.keyid === keyid);
          return key && { ...key, leg: LAND_SIGNATURE.leg };
        },
        noteNonce: (nonce, until) => door.nonces.note(nonce, until, seconds(door.options.now())),
      },
      seconds(door.options.now()),
    );
  } catch (error) {
    if (error instanceof SignatureError)
      throw refuse(door, request, { cause: "signature_refused", detail: error.fault, proxy: proxy.id });
    throw error;
  }
  return { proxy: proxy.id, fingerprint: certificate.fingerprint256, headers };
}

/** The land session that we opened for this proxy and its certificate. */
function checkSession(
  door: LandDoor,
  request: FastifyRequest,
  { proxy, fingerprint, headers }: Caller,
): void {
  const [token = "", ...more] = headers.get(LAND_HEADERS.session) ?? [];
  const session = openLegToken(
    token,
    { leg: "land", peer: fingerprint, now: door.options.now() },
    door.options.sessionKey,
  );
  if (!session || more.length > 0 || session.subject !== proxy)
    throw refuse(door, request, {
      cause: "session_refused",
      detail: "no land session of this proxy's certificate",
      proxy,
    });
}

function answerError(door: LandDoor, error: Error & { statusCode?: number }, reply: FastifyReply) {
  if (error instanceof Refused) return reply.status(401).send();
  if (error instanceof ShapeError || error instanceof SyntaxError) return reply.status(400).send();
  if (error instanceof TurnupError && STATUS_OF[error.code] < 500)
    return sendResponse(reply.header("turnup-error", error.code), problemScreen(error));
  const status = error instanceof TurnupError ? STATUS_OF[error.code] : (error.statusCode ?? 500);
  if (status >= 500 && status !== 503) door.options.onFault(error);
  return reply.status(status === 503 || status < 500 ? status : 500).send();
}

/** Already told to `onRefused`; the proxy learns no more than 401. */
class Refused extends Error {
  override readonly name = "Refused";
}

const readAuthentication: Read<AuthenticationRequest> = object({
  nonce: text({ min: 44, max: 44, pattern: /^[A-Za-z0-9+/]{43}=$/ }),
  proxy: text({ max: 64 }),
  at: text({ max: 40 }),
});
const readEnrolment: Read<EnrolmentRequest> = object({
  token: text({ max: 200 }),
  keep: optional(boolean),
});

function readJson<Value>(request: FastifyRequest, read: (value: unknown, path: string) => Value): Value {
  return read(JSON.parse(Buffer.from(bodyOf(request)).toString("utf8")), "");
}

const bodyOf = (request: FastifyRequest): Uint8Array =>
  request.body instanceof Uint8Array ? request.body : new Uint8Array();
const seconds = (date: Date): number => Math.floor(date.getTime() / 1_000);

function landRequestOf(request: FastifyRequest, headers: HeaderLines): LandRequest {
  const [path = "", ...query] = (request.raw.url ?? "").split("?");
  const one = (name: string): string | null => headers.get(name)?.[0] ?? null;
  const idempotencyKey = one(AIR_HEADERS.idempotencyKey);
  const noticeKey = Buffer.from(one(AIR_HEADERS.noticeKey) ?? "", "base64");
  return {
    method: request.method === "POST" ? "POST" : "GET",
    path,
    query: new URLSearchParams(query.join("?")),
    contentType: one("content-type")?.split(";")[0]?.trim().toLowerCase() ?? null,
    body: bodyOf(request),
    idempotencyKey: idempotencyKey !== null && IDEMPOTENCY_KEY.test(idempotencyKey) ? idempotencyKey : null,
    noticeKey: noticeKey.length === NOTICE_KEY_OCTETS ? Uint8Array.from(noticeKey) : null,
    requestId: request.id,
  };
}

function sendResponse(reply: FastifyReply, response: LandResponse): FastifyReply {
  reply.status(response.status).header("cache-control", "no-store");
  if (response.kind === "screen" && response.code !== undefined) reply.header("turnup-error", response.code);
  if (response.kind === "screen" && response.display !== undefined)
    reply.header(LAND_HEADERS.capability, response.display);
  return response.kind === "screen"
    ? reply.type(SCREEN_JSON_TYPE).send(encodeScreenJson(response.screen))
    : reply.type(response.contentType).send(Buffer.from(response.body));
}

/** What a person can do something about, in words; the code goes beside it for machines. */
function problemScreen(error: TurnupError): LandResponse {
  const screen: Screen = {
    id: "problem",
    title: "Not possible",
    lang: "en",
    text: [error.message, ...(error.nextStep === undefined ? [] : [error.nextStep])].map((one) =>
      maskText(one).replace(/\s+/g, " "),
    ),
    entries: [],
    actions: [{ role: "home", label: "Start", href: DEVICE_PATHS.start }],
  };
  return { kind: "screen", status: STATUS_OF[error.code], screen };
}
