/**
 * CAMARA APIs (Fall25, Commonalities 0.6) on what is seen of lines and handsets: Device Identifier 0.3, Device Swap 1.0, SIM Swap 2.1 and
 * Number Verification 2.1. They have their own addresses, tokens and errors, and are described by CAMARA's own documents.
 */
import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Access, type RefusalCode, RefusalError, wantScope } from "../../kernel/exposure/access.ts";
import { TurnupError } from "../../term/error.ts";
import { membersOf } from "../../term/narrow.ts";
import { STATUS_OF } from "../problem.ts";
import type { CamaraDeps, CamaraOperation } from "./camara-operation.ts";
import { deviceIdentifier } from "./device-identifier.ts";
import { numberVerification } from "./number-verification.ts";
import { deviceSwap, simSwap } from "./swap.ts";

const OPERATIONS: readonly CamaraOperation[] = [
  ...deviceIdentifier,
  ...deviceSwap,
  ...simSwap,
  ...numberVerification,
];
const BODY_OCTETS_MAX = 16_384;
const CORRELATOR = /^[a-zA-Z0-9-_:;./<>{}]{0,256}$/;
const STATUS: Readonly<Record<RefusalCode, number>> = {
  INVALID_ARGUMENT: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  INVALID_TOKEN_CONTEXT: 403,
  "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK": 403,
  NOT_FOUND: 404,
  IDENTIFIER_NOT_FOUND: 404,
  UNSUPPORTED_MEDIA_TYPE: 415,
  SERVICE_NOT_APPLICABLE: 422,
  MISSING_IDENTIFIER: 422,
  UNSUPPORTED_IDENTIFIER: 422,
  UNNECESSARY_IDENTIFIER: 422,
  TOO_MANY_REQUESTS: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

export async function mountCamara(server: FastifyInstance, deps: CamaraDeps): Promise<void> {
  await server.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => refuse(deps, request, reply, refusalOf(error)));
    for (const operation of OPERATIONS) mountOperation(scope, deps, operation);
  });
}

function mountOperation(scope: FastifyInstance, deps: CamaraDeps, operation: CamaraOperation): void {
  const accesses = new WeakMap<FastifyRequest, Access>();
  scope.route({
    method: operation.method,
    url: operation.path,
    exposeHeadRoute: false,
    schema: { hide: true },
    bodyLimit: BODY_OCTETS_MAX,
    // Whoever may not ask is told so before anything of the body is read: 401, 403, then 400.
    onRequest: async (request, reply) => {
      reply.header("x-correlator", correlatorOf(request) ?? request.id);
      const access = await deps.accessOf(request.headers.authorization);
      wantScope(access, operation.scopes);
      const seconds = deps.perClient.take(access.client.clientId, deps.monotonicMs());
      if (seconds > 0) {
        reply.header("retry-after", String(seconds));
        throw new RefusalError("TOO_MANY_REQUESTS", "This client asks too often.");
      }
      if (correlatorOf(request) === undefined)
        throw new RefusalError("INVALID_ARGUMENT", "x-correlator has another form than agreed.");
      accesses.set(request, access);
    },
    handler: async (request, reply) => {
      const access = accesses.get(request);
      if (!access) throw new RefusalError("UNAUTHENTICATED", "Nobody is known to ask.");
      const { body } = request;
      if (operation.method === "POST" && (typeof body !== "object" || body === null || Array.isArray(body)))
        throw new RefusalError("INVALID_ARGUMENT", "The body is a JSON object.");
      const answer = await operation.answer(deps, access, membersOf(body));
      deps.answered.inc({ operation: operation.path, code: "OK" });
      return reply.type("application/json").send(answer);
    },
  });
}

/** The caller's own, or a new one; undefined for one of another form. */
function correlatorOf({ headers }: FastifyRequest): string | undefined {
  const given = headers["x-correlator"];
  if (given === undefined) return randomUUID();
  return typeof given === "string" && CORRELATOR.test(given) ? given : undefined;
}

/** What went wrong, in CAMARA's words. */
function refusalOf(error: unknown): RefusalError | { readonly fault: unknown } {
  if (error instanceof RefusalError) return error;
  if (error instanceof TurnupError && STATUS_OF[error.code] === 503)
    return new RefusalError("UNAVAILABLE", "The service is not available for now.");
  const { statusCode } = membersOf(error);
  if (statusCode === 415)
    return new RefusalError("UNSUPPORTED_MEDIA_TYPE", "The body is sent as application/json.");
  if (typeof statusCode === "number" && statusCode < 500)
    return new RefusalError("INVALID_ARGUMENT", "The body is no JSON that can be read.");
  return { fault: error };
}

function refuse(
  deps: CamaraDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  refused: RefusalError | { readonly fault: unknown },
): FastifyReply {
  const isRefusal = refused instanceof RefusalError;
  if (!isRefusal) deps.onFault(refused.fault);
  const code = isRefusal ? refused.code : "INTERNAL";
  const message = isRefusal ? refused.message : "The server failed; the operator was told.";
  const status = STATUS[code];
  deps.answered.inc({ operation: request.routeOptions.url ?? "", code });
  if (status === 401) reply.header("www-authenticate", "Bearer");
  return reply.code(status).type("application/json").send({ status, code, message });
}
