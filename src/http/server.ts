/**
 * The HTTP server of the operator's side: mounts the list of routes, and does for all of them what none does by itself:
 * tokens, tenants, allowances, repeats, problems, logs, measures. Nothing answers without a token but health, metrics
 * and the page behind a link, whose address is its own credential.
 */
import { randomUUID } from "node:crypto";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import pino, { type DestinationStream } from "pino";
import type { Registry } from "prom-client";
import Type from "typebox";
import type { Caller, Role } from "../kernel/account/role.ts";
import { TurnupError } from "../term/error.ts";
import { maskText } from "../term/mask.ts";
import { codeOf } from "../term/narrow.ts";
import { Allowance } from "./allowance.ts";
import { mountDocs } from "./api-page/api-page-door.ts";
import { asBearer, createGate, type Gate, tooMany } from "./auth.ts";
import { mountCamara } from "./camara/camara-door.ts";
import type { CamaraDeps } from "./camara/camara-operation.ts";
import {
  amongNetworks,
  CONNECTION_LIMITS,
  type ConnectionLimits,
  goesOn,
  guardDoor,
  hostOf,
  refuseConnection,
  timeoutsOf,
} from "./connections.ts";
import { mountConsole } from "./console/console-door.ts";
import { DEFAULT_LIMITS, type HttpLimits } from "./limits.ts";
import { countRequests, createMeasures, type Measures } from "./measures.ts";
import { idempotencyKeyOf, once } from "./once.ts";
import { describeApi } from "./openapi.ts";
import { type PartnerCertificates, tokenBehind } from "./partner-door.ts";
import type { HttpDeps } from "./ports.ts";
import { PROBLEM_MEDIA_TYPE, type ProblemBody, problemOf } from "./problem.ts";
import { PROTECTION } from "./protection.ts";
import type { Answer, Input, Route } from "./route.ts";
import { routesOf } from "./routes.ts";
import { sharedSchemas } from "./schema.ts";
import { callerOfSession, sessionIn } from "./session-gate.ts";
import { compileValidator } from "./validation.ts";

export type HttpOptions = {
  /** Where log lines go; none are written without it. */
  readonly log?: { readonly level: string; readonly stream?: DestinationStream };
  /** Proxies in front of us whose X-Forwarded-For is believed. Unless given, none is. */
  readonly trustProxy?: string | readonly string[];
  readonly limits?: Partial<HttpLimits>;
  /** Measures of other rooms are shown beside ours. */
  readonly registry?: Registry;
  /** Whose certificates stand for which tokens at the door for partners (`partner-door.ts`); they may change. */
  readonly partners?: { readonly clients: PartnerCertificates };
  /** The subscriber's portal (`d/`): pages, no part of the API. */
  readonly portal?: { mount(server: FastifyInstance): Promise<void> };
  /** The CAMARA APIs, for others by their own tokens: no part of ours. */
  readonly camara?: CamaraDeps | undefined;
  /** Where the parts are that show the description of the API in a browser, at /docs. */
  readonly docsFolder?: string | undefined;
  /** Where the console's built pages stand (`console/`); it is not served unless given. */
  readonly consoleFolder?: string;
};

const MINUTE_MS = 60_000;
/** How long a repeat with its Idempotency-Key is recognised. */
const REPEATS_KEPT_MS = 7 * 24 * 60 * MINUTE_MS;
const HEADER_OCTETS_MAX = 16_384;
const PATH_PARAMETER_CHARACTERS_MAX = 200;

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    turnup?: Route;
  }
}

/** What a request is worked on with. */
type ServerParts = {
  readonly deps: HttpDeps;
  readonly gate: Gate;
  readonly measures: Measures;
  readonly perToken: Allowance;
  readonly guesses: Allowance;
  readonly routes: readonly Route[];
  readonly partners: NonNullable<HttpOptions["partners"]>;
  readonly ending: AbortSignal;
};

export async function createHttpServer(deps: HttpDeps, options: HttpOptions = {}): Promise<FastifyInstance> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const measures = createMeasures(options.registry);
  const perMinute = (perWindow: number): Allowance =>
    new Allowance({ perWindow, windowMs: MINUTE_MS, keysMax: limits.remembered });
  const failures = perMinute(limits.failuresPerMinute);
  const gate = createGate(deps, {
    freshMs: limits.tokenFreshMs,
    tokensMax: limits.remembered,
    failures,
  });
  const server = createFastify(options, limits);
  const routes = routesOf({ measures, description: () => server.swagger() });
  const ending = new AbortController();
  server.addHook("preClose", async () => ending.abort());
  const parts: ServerParts = {
    ending: ending.signal,
    deps,
    gate,
    measures,
    perToken: perMinute(limits.requestsPerMinute),
    guesses: perMinute(limits.guessesPerMinute),
    routes,
    partners: options.partners ?? { clients: new Map() },
  };

  for (const [name, schema] of sharedSchemas()) server.addSchema({ ...schema, $id: name });
  server.setValidatorCompiler(compileValidator as never); // typed for TypeBox, which is all that our schemas are
  await describeApi(server, routes);
  addHooks(server, parts);
  for (const route of routes) await mount(server, parts, route);
  await options.portal?.mount(server);
  if (options.camara) await mountCamara(server, options.camara);
  if (options.docsFolder !== undefined) mountDocs(server, options.docsFolder);
  if (options.consoleFolder !== undefined) mountConsole(server, options.consoleFolder);
  startUpkeep(server, parts, limits.useNoteMs);
  return server;
}

function createFastify(options: HttpOptions, limits: HttpLimits): FastifyInstance {
  const connectionLimits: ConnectionLimits = {
    ...CONNECTION_LIMITS,
    requestMs: limits.requestTimeoutMs,
    answerMs: limits.answerTimeoutMs,
    idleMs: limits.requestTimeoutMs * 2,
    connections: limits.connections,
    perAddress: limits.connectionsPerAddress,
  };
  const timeouts = timeoutsOf(connectionLimits);
  const server = fastify({
    loggerInstance: loggerOf(options.log),
    logController: new LogController({ disableRequestLogging: true }), // our own line names the route's pattern: an address can hold an IMEI
    genReqId: requestIdOf,
    bodyLimit: limits.bodyOctets,
    ...timeouts.fastify,
    trustProxy: options.trustProxy === undefined ? false : [options.trustProxy].flat(),
    forceCloseConnections: "idle",
    http: { maxHeaderSize: HEADER_OCTETS_MAX, ...timeouts.node },
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARACTERS_MAX },
    frameworkErrors: (error, request, reply) =>
      void sendProblem(error, request as FastifyRequest, reply as FastifyReply), // they differ in the raw socket alone
    clientErrorHandler: refuseConnection,
  });
  guardDoor(server, connectionLimits, amongNetworks([options.trustProxy ?? []].flat()));
  server.removeContentTypeParser("text/plain");
  return server as unknown as FastifyInstance; // the same server, its logger's type apart
}

function loggerOf(log: HttpOptions["log"]): FastifyBaseLogger {
  const serializers = { req: () => undefined, res: () => undefined, err: faultOf };
  const settings = { level: log?.level ?? "silent", base: null, serializers };
  return log?.stream ? pino(settings, log.stream) : pino(settings);
}

/** A fault of ours as a log line has it: its text can repeat a value, so numbers in it are masked. */
function faultOf(error: unknown): object {
  if (!(error instanceof Error)) return { message: maskText(String(error)) };
  const code = codeOf(error);
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    message: maskText(error.message),
    stack: maskText(error.stack ?? ""),
    ...(error.cause !== undefined && { cause: faultOf(error.cause) }),
  };
}

/** A caller's own id for its request is kept where it can hold no subscriber's number. */
function requestIdOf(request: {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}): string {
  const given = request.headers["x-request-id"];
  const isFit =
    typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given) && maskText(given) === given;
  return isFit ? given : randomUUID();
}

function addHooks(server: FastifyInstance, parts: ServerParts): void {
  server.decorateRequest("caller", undefined);
  server.addHook("onRequest", (request, reply, done) => {
    reply.headers(PROTECTION).header("x-request-id", request.id);
    const admitted = admit(parts, request);
    if (admitted) admitted.then(() => done(), done);
    else done();
  });
  const count = countRequests(parts.measures);
  server.addHook("onResponse", (request, reply, done) => {
    const { statusCode: status, elapsedTime: ms } = reply;
    const route = patternOf(request);
    count(request.method, route, status, ms / 1_000);
    if (request.log.level !== "silent") tell(request, { route, status, ms });
    done();
  });
  server.setErrorHandler(async (error, request, reply) => {
    const { code } = sendProblem(error, request, reply);
    parts.measures.problems.inc({ code });
  });
  server.setNotFoundHandler(async (request, reply) => {
    const error = notFoundOf(parts.routes, request, reply);
    const { code } = sendProblem(error, request, reply);
    parts.measures.problems.inc({ code });
  });
}

function tell(
  request: FastifyRequest,
  { route, status, ms }: { readonly route: string; readonly status: number; readonly ms: number },
): void {
  request.log.info(
    {
      method: request.method,
      route,
      status,
      ms: Math.round(ms * 10) / 10,
      token: request.caller?.tokenId,
    },
    "answered",
  );
}

/** Says at once whom it knows by heart: most requests wait for nothing here. */
function admit(parts: ServerParts, request: FastifyRequest): Promise<void> | undefined {
  const route = request.routeOptions.config.turnup;
  const token = tokenBehind(request.raw.socket, parts.partners.clients);
  if (token !== "other") return admitPartner(parts, route, request, token);
  return route && route.roles !== "open" ? admitCaller(parts, route, request) : undefined;
}

/** At the door for partners: their own routes and nothing else, by the token that their certificate stands for. */
async function admitPartner(
  parts: ServerParts,
  route: Route | undefined,
  request: FastifyRequest,
  token: string | undefined,
): Promise<void> {
  if (token === undefined)
    throw new TurnupError("certificate_unknown", "This certificate stands for no token here.", {
      nextStep: "Ask the operator to name it in partner.clients_file.",
    });
  const caller = await parts.gate.callerOfToken(token);
  if (!route || route.roles === "open")
    throw new TurnupError("not_found", "There is nothing at this address of the door for partners.");
  if (!PARTNER_ROLES.includes(caller.role))
    throw new TurnupError(
      "role_not_allowed",
      `A token of role ${caller.role} has no business at this door.`,
      {
        nextStep: `Name a token of role ${PARTNER_ROLES.join(" or ")} in partner.clients_file.`,
      },
    );
  admitToRoute(parts, route, request, caller);
}
const PARTNER_ROLES: readonly Role[] = ["partner", "voice"];

function admitCaller(parts: ServerParts, route: Route, request: FastifyRequest): Promise<void> | undefined {
  const caller = callerOf(parts, route, request);
  if (caller instanceof Promise) return caller.then((one) => admitToRoute(parts, route, request, one));
  admitToRoute(parts, route, request, caller);
  return undefined;
}

function admitToRoute(
  { deps, perToken }: ServerParts,
  route: Route,
  request: FastifyRequest,
  caller: Caller,
): void {
  request.caller = caller;
  const seconds = perToken.take(caller.tokenId, deps.monotonicMs());
  if (seconds > 0) throw tooMany(seconds, "This token asks too often.");
  if (route.roles !== "open" && !route.roles.includes(caller.role)) {
    throw new TurnupError("role_not_allowed", `A token of role ${caller.role} may not do this.`, {
      nextStep: `Use a token of role ${route.roles.join(" or ")}.`,
    });
  }
}

function callerOf(
  parts: ServerParts,
  { takesPlatform }: Route,
  request: FastifyRequest,
): Caller | Promise<Caller> {
  if (takesPlatform) return platformOf(parts, request);
  const { authorization } = request.headers;
  const session = authorization === undefined ? sessionIn(parts.deps, request) : undefined;
  if (session !== undefined) return callerOfSession(parts.deps, session, request);
  return parts.gate.callerOf(authorization, request.ip);
}

async function platformOf(
  { deps, gate }: ServerParts,
  { headers: { authorization }, ip }: FastifyRequest,
): Promise<Caller> {
  const platform = authorization === undefined ? await deps.requests.voicePlatformAt?.(ip) : undefined;
  if (!platform) return gate.callerOf(asBearer(authorization), ip);
  const { operatorId, name } = platform;
  return { tokenId: `platform ${ip}`, operatorId, role: "voice", label: name };
}

/** The pattern, never the address itself. */
const patternOf = (request: FastifyRequest): string => request.routeOptions.url ?? "unmatched";

function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): { readonly code: string } {
  const { problem, isOurs, headers } = problemOf(error, request.id);
  if (isOurs) logFault(error, problem, request);
  const wait = error instanceof TurnupError ? error.details?.retryAfterSeconds : undefined;
  if (wait !== undefined) reply.header("retry-after", String(wait));
  const challenge = headers["www-authenticate"];
  if (challenge !== undefined && request.routeOptions.config.turnup?.takesPlatform)
    headers["www-authenticate"] = `${challenge}, Basic realm="turnup"`;
  reply.headers(PROTECTION).header("x-request-id", request.id); // an error of the router comes before any hook
  reply.code(problem.status).headers(headers).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
  return problem;
}

/** A state that has a name (not ready, full, away) is a line; what nobody foresaw comes with where it happened. */
function logFault(error: unknown, { status, code }: ProblemBody, request: FastifyRequest): void {
  const route = patternOf(request);
  if (status !== 503 || !(error instanceof Error)) return request.log.error({ err: error, route }, "failed");
  const { message, cause } = error;
  const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
  request.log.warn({ route, code, reason: maskText(why) }, "not available");
}

/** 405 where the address exists for another method (RFC 9110 clause 15.5.6), else 404. */
function notFoundOf(routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): TurnupError {
  const [path = ""] = request.url.split("?");
  const methods = routes.filter((route) => matches(route.path, path)).map<string>((route) => route.method);
  if (methods.length === 0) {
    return new TurnupError("not_found", "There is nothing at this address.", {
      nextStep: "/openapi.json lists every address.",
    });
  }
  if (routes.some((route) => matches(route.path, path) && answersHead(route))) methods.push("HEAD");
  reply.header("allow", methods.join(", "));
  return new TurnupError("method_not_allowed", `This address answers ${methods.join(", ")}.`);
}

/** Looking whether a page is there must not count as opening it. */
const answersHead = (route: Route): boolean =>
  route.method === "GET" && route.tag !== "pages" && !route.neverEnds;

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  return (
    wanted.length === given.length && wanted.every((step, at) => step.startsWith(":") || step === given[at])
  );
}

/** Each route stands in a scope of its own, so that a media type it reads is read nowhere else. */
async function mount(server: FastifyInstance, parts: ServerParts, route: Route): Promise<void> {
  await server.register(async (scope) => {
    for (const mediaType of route.consumes ?? []) {
      if (route.streams) {
        scope.addContentTypeParser(mediaType, (_request, payload, done) => done(null, payload));
        continue;
      }
      if (mediaType.endsWith("+json")) {
        const parse = scope.getDefaultJsonParser("error", "error"); // as of application/json: no member plays the prototype
        scope.addContentTypeParser(mediaType, { parseAs: "string" }, parse);
        continue;
      }
      const parseAs = /octet-stream$|xml$|csv$/.test(mediaType) ? "buffer" : "string"; // XML and a byte order mark say how it is to be read
      scope.addContentTypeParser(mediaType, { parseAs }, (_request, body, done) => done(null, body));
    }
    scope.route({
      method: route.method,
      url: route.path,
      config: { turnup: route },
      exposeHeadRoute: answersHead(route),
      ...(!route.body && !route.consumes && { onRequest: takeNoBodyAsNone }),
      ...(route.bodyLimitOctets !== undefined && { bodyLimit: route.bodyLimitOctets }),
      schema: schemaOf(route),
      handler: (request, reply) => answer(parts, route, request, reply),
    });
  });
}

/** Clients name a media type with every POST: of a body that is not there it says nothing. */
function takeNoBodyAsNone({ headers }: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const length = headers["content-length"] ?? "0";
  if (length === "0" && headers["transfer-encoding"] === undefined) delete headers["content-type"];
  done();
}

/** What Fastify checks by; the rest of the description is added in openapi.ts. */
export function schemaOf(route: Route): Record<string, unknown> {
  return {
    ...(route.params && { params: Type.Object(route.params) }),
    querystring: Type.Object(route.query ?? {}, { additionalProperties: false }),
    ...(route.body && { body: route.checksOwnBody ? Type.Unknown() : route.body }),
  };
}

async function answer(
  parts: ServerParts,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const answered = await worked(parts, route, request);
  const { status, body, headers } =
    route.tooMany && answered.status === 404 ? heldBack(parts, route.tooMany, request, answered) : answered;
  reply.code(status);
  if (headers) reply.headers(headers);
  if (route.neverEnds) goesOn(reply.raw);
  return reply.send(written(route, reply, status, body));
}

function worked(parts: ServerParts, route: Route, request: FastifyRequest): Promise<Answer> {
  const caller = request.caller ?? NOBODY;
  switch (route.once) {
    case "door":
      return once(parts.deps.repeats, route, { request, caller }, (key) =>
        handled(parts, route, request, key),
      );
    case "desk":
      return handled(parts, route, request, { key: idempotencyKeyOf(request), subjectId: "" });
    default:
      return handled(parts, route, request, ONCE_EACH);
  }
}
/** Of a route that takes no Idempotency-Key. */
const ONCE_EACH: Once = { key: "", subjectId: "" };
type Once = Input<unknown, unknown, unknown>["once"];

function handled(parts: ServerParts, route: Route, request: FastifyRequest, key: Once): Promise<Answer> {
  const { params, query, body, caller = NOBODY } = request;
  const { ending } = parts;
  return route.handle(parts.deps, { params, query, body, caller, request, ending, once: key });
}

/**
 * Somebody who guesses at links is slowed, and they alone: behind one address are many, and whoever has a good link is
 * answered before anybody counts.
 */
function heldBack(
  { deps, guesses }: ServerParts,
  tooManyGuesses: NonNullable<Route["tooMany"]>,
  request: FastifyRequest,
  answered: Answer,
): Answer {
  const seconds = guesses.take(hostOf(request.ip), deps.monotonicMs());
  return seconds > 0 ? tooManyGuesses(seconds, request) : answered;
}

/**
 * An answer holds what its schema names and no more. Its serializer is made when the route first answers: those of all
 * routes together would take a quarter of a second of each start.
 */
function written(route: Route, reply: FastifyReply, status: number, body: unknown): unknown {
  const isDescribed = route.answer && !route.produces && status === route.status;
  if (!isDescribed || typeof body !== "object" || body === null) return body;
  if (!reply.hasHeader("content-type")) reply.type("application/json; charset=utf-8");
  return reply.serializeInput(body as Record<string, unknown>, route.answer as Record<string, unknown>); // what a schema describes is an object or a list
}

/** Stands for whoever asks at an open route; owns nothing. */
const NOBODY: Caller = { tokenId: "", operatorId: "", role: "probe", label: "" };

/** Notes which tokens were used, and forgets requests whose repeats nobody sends any more. */
function startUpkeep(server: FastifyInstance, { gate, deps }: ServerParts, everyMs: number): void {
  const note = (): Promise<void> =>
    gate.flushUse().catch((error: unknown) => server.log.warn({ err: error }, "use of tokens not noted"));
  const forget = (): Promise<unknown> =>
    deps.repeats
      .forget(new Date(deps.clock().getTime() - REPEATS_KEPT_MS))
      .catch((error: unknown) => server.log.warn({ err: error }, "old requests not forgotten"));
  const timer = setInterval(() => void note().then(forget), everyMs);
  timer.unref();
  server.addHook("onClose", async () => {
    clearInterval(timer);
    await note();
  });
}
