/**
 * A device's request on its way to a provisioning server and back (`/r/<server>/d/...`, `/p/<id>` for further pages of an
 * answer). Forwarded only when both sides are proved; identity is written anew from the account, and nothing that the
 * device says of itself goes along.
 *
 *   admitted at the edge -> server proved -> identified -> forwarded -> drawn for this device
 */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "../../proxy/admission.ts";
import { answerLimit, decideChannel, isBearer } from "../../proxy/bearer.ts";
import type { HeaderLines } from "../../proxy/gateway-identity.ts";
import type { LandAnswer, LandFailure, LandRequest } from "../../proxy/land-leg.ts";
import { paced } from "../../proxy/pace.ts";
import { ForeignAddress, throughProxy } from "../../proxy/servers.ts";
import type { LegsSession, TerminationReason } from "../../proxy/session.ts";
import { TurnupError } from "../../term/error.ts";
import { membersOf } from "../../term/narrow.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { airTimeMs, type BearerProfile } from "../../wire/message/bearer-profile.ts";
import { AIR_HEADERS, type Bearer, DEVICE_PATHS, LAND_HEADERS } from "../../wire/message/legs.ts";
import { ALWAYS_FINE } from "../../wire/screen/choose.ts";
import { decodeScreenJson, SCREEN_JSON_TYPE, SCREEN_OCTETS_MAX } from "../../wire/screen/json.ts";
import { type Screen, ScreenError } from "../../wire/screen/screen.ts";
import { headerLines, oneHeader } from "../header-lines.ts";
import {
  createKeptScreens,
  draw,
  GONE_SCREEN,
  type KeptScreens,
  NOTHING_SCREEN,
  REFUSED_SCREEN,
  TOO_LARGE_SCREEN,
  TOO_LARGE_TEXT,
  takePage,
  UNAVAILABLE_SCREEN,
  UNREADABLE_SCREEN,
  withPage,
} from "./draw-screen.ts";
import { convertBody } from "./forms.ts";
import { bodyOf, type ProxyParts, Terminated, type Who } from "./parts.ts";

/** Of the answers to a device: which channel carries it and by which rule (R31). */
const CHANNEL_HEADER = "turnup-channel";
const KEPT_ID_OCTETS = 16;
/** A server's code, and our reason, of a device whose account is blocked or closed. */
const BLOCKED = "device_blocked";
const ROAD_TARGET = /^\/d(?:\/(?!\.{1,2}(?:\/|\?|$))[A-Za-z0-9._~-]{1,120}){1,8}(?:\?[\x21-\x7e]{0,1000})?$/;
/** Between proxy and server alone: no device's business. */
const NOT_FOR_DEVICES: readonly string[] = [DEVICE_PATHS.authentications, DEVICE_PATHS.enrolments];

/** How a door knows who asks. */
export type Doorman = {
  /** A gateway stands between: it shows what was not answered by 200 as an error of its own. */
  readonly isForGateways: boolean;
  /** The party at the other end, before anything is decided: for records and lock-out. */
  whoIs(request: FastifyRequest, headers: HeaderLines): Omit<Who, "server">;
  admit(request: FastifyRequest, headers: HeaderLines): Admission;
  /** The bearer that the door itself knows. */
  bearerOf(request: FastifyRequest): Bearer | undefined;
  /** Opens or checks the air session; its token for the answer, or undefined where the one shown stays good. */
  airSession(request: FastifyRequest, headers: HeaderLines, deviceId: string): AirSession;
};
type AirSession =
  | { readonly kind: "open"; readonly token: string | undefined }
  | { readonly kind: "unknown" };
type Admitted = Extract<Admission, { kind: "admitted" }>;

const DEFAULT_BEARER: Bearer = "lte";

/** What an answer is made with. */
type Road = { readonly parts: ProxyParts; readonly doorman: Doorman; readonly kept: KeptScreens };

export function mountBridge(app: FastifyInstance, parts: ProxyParts, doorman: Doorman): void {
  const kept = createKeptScreens(() => Buffer.from(parts.freshOctets(KEPT_ID_OCTETS)).toString("base64url"));
  const road: Road = { parts, doorman, kept };

  app.route({
    method: ["GET", "POST"],
    url: "/r/:server/*",
    async handler(request, reply) {
      const server = String(membersOf(request.params).server);
      const [, , , ...rest] = (request.raw.url ?? "").split("/");
      const { target, page } = takePage(`/${rest.join("/")}`);
      const passed = await pass(parts, doorman, request, { server, target });
      const { admitted, headers, session } = passed;
      session.step("request");
      if (passed.token !== undefined) reply.header(AIR_HEADERS.session, passed.token);
      const air = airOf(road, request);
      const message = landRequestOf(request, headers, admitted, { server, target, air });
      const answer = await parts.land.forward(message);
      if (answer.kind === "failed") return sendFailure(road, passed, reply, answer);
      if (answer.headers["turnup-error"] === BLOCKED) {
        answer.body.destroy(); // the server knows before this proxy was told
        throw parts.terminate(session, "land", BLOCKED, passed.who);
      }
      return sendAnswer(road, reply, answer, { server, target, page, admitted });
    },
  });

  app.get("/p/:id", async (request, reply) => {
    const { target, page } = takePage(request.raw.url ?? "");
    const { admitted } = await admitDevice(parts, doorman, request, null);
    const { deviceId } = admitted.account;
    const id = String(membersOf(request.params).id);
    const screen = kept.find(deviceId, id, parts.monotonicMs());
    const href = (at: number): string => withPage(target, at);
    return show(road, reply, { status: screen ? 200 : 404, screen: screen ?? GONE_SCREEN, page, href });
  });

  app.setNotFoundHandler((_request, reply) => show(road, reply, { status: 404, screen: NOTHING_SCREEN }));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof Terminated) return show(road, reply, { status: 403, screen: REFUSED_SCREEN });
    if (error instanceof Outage) return unavailable(road, reply.header("retry-after", "5"));
    const status = statusOf(error);
    if (status < 500) return show(road, reply, { status, screen: UNREADABLE_SCREEN });
    parts.onFault(error);
    return unavailable(road, reply);
  });
}

/** Of what a device sent that cannot be read, by its code or by Fastify's word. */
function statusOf(error: Error & { readonly statusCode?: number }): number {
  const code = error instanceof TurnupError ? error.code : undefined;
  if (code === "media_type_unsupported") return 415;
  if (code === "body_malformed") return 400;
  const status = error.statusCode ?? 500;
  return status >= 400 ? status : 500;
}

const unavailable = (road: Road, reply: FastifyReply, status = 503): FastifyReply =>
  show(road, reply, { status, screen: UNAVAILABLE_SCREEN });

/** What carries an answer: the bearer that the door or the network plan knows, else the device's own hint. */
type Air = { readonly bearer: Bearer; readonly profile: BearerProfile };
function airOf({ parts, doorman }: Road, request: FastifyRequest): Air {
  const hint = oneHeader(headerLines(request.raw.rawHeaders), AIR_HEADERS.bearer) ?? "";
  const bearer =
    doorman.bearerOf(request) ?? parts.rules.bearerOf(request.ip) ?? (isBearer(hint) ? hint : DEFAULT_BEARER);
  return { bearer, profile: parts.rules.profiles[bearer] };
}

type Passed = {
  readonly session: LegsSession;
  readonly admitted: Admitted;
  readonly headers: HeaderLines;
  readonly token: string | undefined;
  readonly who: Who;
};

/**
 * The device's side is looked at first, with nothing sent: one that is refused does not reach a server even by a proof.
 * @throws Terminated
 */
async function pass(
  parts: ProxyParts,
  doorman: Doorman,
  request: FastifyRequest,
  { server, target }: { readonly server: string; readonly target: string },
): Promise<Passed> {
  const { session, admitted, headers, who, token } = await admitDevice(parts, doorman, request, server);
  const isRoad = ROAD_TARGET.test(target) && !NOT_FOR_DEVICES.includes(target.replace(/\?.*$/s, ""));
  if (!isRoad) throw parts.terminate(session, "air", "request_refused", who);
  const proof = await parts.land.authenticate(server);
  if (proof.kind === "failed" && !isOutage(proof))
    throw parts.terminate(session, "land", reasonOf(proof), who);
  if (proof.kind === "failed") throw outage(parts, session, proof, who);
  session.step("server_verified");
  session.step("device_verified");
  session.step("identified");
  return { session, admitted, headers, token, who };
}

async function admitDevice(
  parts: ProxyParts,
  doorman: Doorman,
  request: FastifyRequest,
  server: string | null,
) {
  const session = parts.openSession();
  const headers = headerLines(request.raw.rawHeaders);
  const who: Who = { ...doorman.whoIs(request, headers), server };
  if (parts.isLocked(who)) throw parts.terminate(session, "air", "locked_out", who);
  const admission = doorman.admit(request, headers);
  await parts.book(admission.events);
  if (admission.kind === "refused")
    throw parts.terminate(session, "air", admission.reason, {
      ...who,
      deviceId: admission.deviceId ?? who.deviceId,
    });
  const { deviceId } = admission.account;
  const air = doorman.airSession(request, headers, deviceId);
  if (air.kind === "unknown") throw parts.terminate(session, "air", "session_unknown", { ...who, deviceId });
  return { session, admitted: admission, headers, who: { ...who, deviceId }, token: air.token };
}

/** A server that is not there is no failure of trust: the device may try again. */
const isOutage = ({ cause }: LandFailure): boolean =>
  cause === "unreachable" || cause === "timeout" || cause === "busy";

const reasonOf = ({ cause }: LandFailure): TerminationReason => {
  switch (cause) {
    case "server_unknown":
    case "server_not_proved":
    case "server_refused_us":
      return cause;
    case "bad_answer":
      return "server_not_proved";
    default:
      return "server_unreachable";
  }
};

class Outage extends Error {
  override readonly name = "Outage";
}

function outage(parts: ProxyParts, session: LegsSession, failure: LandFailure, who: Who): Outage {
  parts.terminate(session, "land", reasonOf(failure), who);
  return new Outage(failure.detail);
}

function landRequestOf(
  request: FastifyRequest,
  headers: HeaderLines,
  { account, line, assurance }: Admitted,
  { server, target, air }: { readonly server: string; readonly target: string; readonly air: Air },
): LandRequest {
  const airOctets = answerLimit(air.profile);
  const method = request.method === "POST" ? "POST" : "GET";
  const { contentType, body } = convertBody(
    oneHeader(headers, "content-type"),
    method === "POST" ? bodyOf(request) : new Uint8Array(),
  );
  const passing = (name: string, limit: number): Record<string, string> => {
    const value = oneHeader(headers, name);
    return value !== undefined && value.length <= limit ? { [name]: value } : {};
  };
  const idempotencyKey = oneHeader(headers, AIR_HEADERS.idempotencyKey);
  return {
    server,
    method,
    target,
    headers: {
      [LAND_HEADERS.imei]: account.deviceId,
      ...(line.imsi !== null && { [LAND_HEADERS.imsi]: line.imsi }),
      ...(line.msisdn !== null && { [LAND_HEADERS.msisdn]: line.msisdn }),
      [LAND_HEADERS.assurance]: assurance,
      [LAND_HEADERS.bearer]: air.bearer,
      ...(airOctets !== undefined && { [LAND_HEADERS.airOctets]: String(airOctets) }),
      ...(contentType !== null && { "content-type": contentType }),
      ...passing(LAND_HEADERS.capability, 400),
      ...passing(LAND_HEADERS.language, 200),
      ...passing(AIR_HEADERS.idempotencyKey, 200),
      ...passing(AIR_HEADERS.noticeKey, 64),
    },
    body,
    isRepeatable: method === "GET" || idempotencyKey !== undefined,
  };
}

function sendFailure(
  road: Road,
  { session, who }: Pick<Passed, "session" | "who">,
  reply: FastifyReply,
  failure: LandFailure,
): FastifyReply {
  road.parts.terminate(session, "land", reasonOf(failure), who);
  return isOutage(failure)
    ? unavailable(road, reply.header("retry-after", "5"))
    : show(road, reply, { status: 403, screen: REFUSED_SCREEN });
}

type Journey = {
  readonly server: string;
  readonly target: string;
  readonly page: number;
  readonly admitted: Admitted;
};

async function sendAnswer(
  road: Road,
  reply: FastifyReply,
  answer: LandAnswer,
  journey: Journey,
): Promise<FastifyReply> {
  const code = answer.headers["turnup-error"];
  if (code !== undefined && /^[a-z_]{1,40}$/.test(code)) reply.header("turnup-error", code);
  const type = answer.headers["content-type"] ?? "";
  if (type.split(";")[0] === SCREEN_JSON_TYPE) return sendScreen(road, reply, answer, journey);
  if (answer.status >= 400) {
    answer.body.destroy();
    return unavailable(road, reply, answer.status < 500 ? answer.status : 503);
  }
  return sendContent(road, reply, answer);
}

async function sendScreen(
  road: Road,
  reply: FastifyReply,
  answer: LandAnswer,
  { server, target, page, admitted }: Journey,
): Promise<FastifyReply> {
  const { parts, kept } = road;
  const bytes = await collected(answer.body);
  try {
    const screen = throughProxy(decodeScreenJson(bytes), { server, target }, parts.land.servers);
    const href = (at: number): string => {
      if (reply.request.method === "GET") return withPage(DEVICE_PATHS.through(server, target), at);
      id ??= kept.keep(admitted.account.deviceId, screen, parts.monotonicMs());
      return withPage(`/p/${id}`, at);
    };
    let id: string | undefined;
    const model = answer.headers[LAND_HEADERS.capability];
    return show(road, reply, { status: answer.status, screen, page, href, ...(model && { model }) });
  } catch (error) {
    if (!(error instanceof ForeignAddress || error instanceof DecodeError || error instanceof ScreenError))
      throw error;
    parts.onFault(error);
    return unavailable(road, reply);
  }
}

async function collected(body: LandAnswer["body"]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const piece of body) {
    octets += piece.length;
    chunks.push(piece);
    if (octets > SCREEN_OCTETS_MAX) break;
  }
  body.destroy();
  return Buffer.concat(chunks);
}

/** As it is, at the pace of the bearer and of the device; not at all where it is more than the bearer holds. */
function sendContent(road: Road, reply: FastifyReply, answer: LandAnswer): FastifyReply {
  const length = answer.headers["content-length"];
  const air = airOf(road, reply.request);
  const octets = Number(length ?? 0);
  const { channel, told } = channelOf("content", octets, air);
  // Of unknown length: nobody can say that it fits.
  if (channel === "none" || (length === undefined && answerLimit(air.profile) !== undefined)) {
    answer.body.destroy();
    reply.header(CHANNEL_HEADER, told).header("turnup-error", "bearer_too_narrow");
    return show(road, reply, { status: 406, screen: TOO_LARGE_SCREEN });
  }
  reply
    .status(answer.status)
    .header("cache-control", "no-store")
    .header(CHANNEL_HEADER, told)
    .type(answer.headers["content-type"] ?? "application/octet-stream");
  if (length !== undefined) reply.header("content-length", length);
  reply.raw.once("close", () => answer.body.destroy());
  return reply.send(Readable.from(paced(answer.body, air.profile, road.parts)));
}

/** Which channel, by which rule, and what it takes there. */
function channelOf(kind: "screen" | "content", octets: number, { bearer, profile }: Air, rule?: string) {
  const decided = decideChannel({ kind, octets }, profile);
  const facts = [
    `rule=${rule ?? decided.rule}`,
    `octets=${octets}`,
    `parts=${decided.parts}`,
    `bearer=${bearer}`,
    `rate=${profile.rateBps}`,
    `latency=${profile.latencyMs}`,
    `air=${airTimeMs(profile, octets)}`,
  ];
  return { channel: decided.channel, told: [decided.channel, ...facts].join("; ") };
}

type Showing = {
  readonly status: number;
  readonly screen: Screen;
  readonly page?: number;
  readonly href?: (page: number) => string;
  /** What the server knows of the model's display. */
  readonly model?: string;
};

function show(
  road: Road,
  reply: FastifyReply,
  { status, screen, page = 0, href, model }: Showing,
): FastifyReply {
  const { headers } = reply.request;
  const viewer = {
    accept: headers.accept,
    userAgent: headers["user-agent"],
    capability: oneOf(headers[AIR_HEADERS.capability]),
    model,
  };
  const air = airOf(road, reply.request);
  const pages = { number: page, href: href ?? (() => DEVICE_PATHS.start) };
  const drawn = draw(screen, viewer, pages, answerLimit(air.profile));
  reply.header("cache-control", "no-store").header("vary", "accept, user-agent, turnup-capability");
  if (drawn.kind === "no_markup") return reply.status(406).type("text/plain").send(screen.title);
  if (drawn.kind === "too_large") {
    const { told } = channelOf("screen", TOO_LARGE_TEXT.length, air, "too_large_for_narrowband");
    reply.header("turnup-error", "bearer_too_narrow").header(CHANNEL_HEADER, told);
    return reply.status(406).type("text/plain").send(TOO_LARGE_TEXT);
  }
  const { rendered, isNarrow, markup } = drawn;
  const { told } = channelOf("screen", rendered.body.length, air, isNarrow ? "narrow_form" : undefined);
  // Of content that was held back, the decision about it is told already.
  if (!reply.hasHeader(CHANNEL_HEADER)) reply.header(CHANNEL_HEADER, told);
  return reply
    .status(road.doorman.isForGateways && ALWAYS_FINE.includes(markup) ? 200 : status)
    .type(rendered.contentType)
    .send(Buffer.from(rendered.body));
}

const oneOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;
