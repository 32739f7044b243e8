/**
 * The service provider's doors, over mutual TLS 1.3 only: whoever shows no certificate, or one of another authority, is
 * refused in the handshake, counted and told to `onRefused`. SCIM then wants a token, and the token's own certificate on
 * the connection (RFC 8705). Every answer that changes something waits until the journal holds it.
 *
 *   POST /oauth2/token                      client credentials -> a token bound to the certificate
 *   GET  /.well-known/oauth-authorization-server
 *   GET  /healthz
 *   for each service, under its path (`/scim/v2`):
 *   POST Users/:id/provisioning             word of others about the user's device
 *   what SCIM has (`scim-routes.ts`)
 */
import type { TLSSocket } from "node:tls";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type AccessTokens, thumbprintOf } from "../../service/access-tokens.ts";
import type { ReceiveManager } from "../../service/receive-manager.ts";
import type { RegistrationKernel, ServiceJournal } from "../../service/registration-kernel.ts";
import { assured } from "../../term/narrow.ts";
import { readProvisioningNotice } from "../../wire/message/provisioning-notice.ts";
import { SCIM_TYPE, USERS } from "../../wire/message/scim.ts";
import { shapeFaultOf } from "../../wire/message/shape.ts";
import { uriNames } from "../../wire/x509/uri-names.ts";
import { type DoorIdentity, openCertifiedDoor, tlsSocketOf } from "../certified-door.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../connections.ts";
import type { HandshakeRefusal } from "../handshakes.ts";
import type { RevocationCheck } from "../revocation-check.ts";
import { errorBody } from "./descriptions.ts";
import { answerToUnreadable, mountScim, type ScimAnswer, scimErrorOf } from "./scim-routes.ts";

const MAX_BODY_OCTETS = 65_536;
const LIMITS: ConnectionLimits = { ...CONNECTION_LIMITS, connections: 200, perAddress: 200 };

/** Why a connection or request was refused, for counting and alarming. */
export type ServiceRefusal = Omit<HandshakeRefusal, "cause"> & {
  readonly cause: HandshakeRefusal["cause"] | "no_contract" | "no_token";
};
/** One service of the server. */
export type OfferedService = {
  /** Path of its SCIM door: `/scim/v2`. */
  readonly path: string;
  readonly kernel: RegistrationKernel;
  readonly receive: ReceiveManager;
  readonly journal: ServiceJournal;
};
type ServiceDoorOptions = {
  readonly services: readonly OfferedService[];
  /** Who the verified certificate's names say is asking. */
  clientOf(names: readonly string[]): string | undefined;
  readonly tokens: AccessTokens;
  readonly tls: DoorIdentity;
  readonly revocation?: RevocationCheck | undefined;
  now(): Date;
  /** For how long tokens are good. */
  monotonicMs(): number;
  onRefused(refusal: ServiceRefusal): void;
  onFault(error: Error): void;
};
type Peer = { readonly clientId: string; readonly thumbprint: string };
type Doors = ServiceDoorOptions & {
  /** Who a connection's certificate is of: its names are read once a connection. */
  readonly peers: WeakMap<object, Peer>;
};

export function serviceDoors(options: ServiceDoorOptions): FastifyInstance {
  const doors: Doors = { ...options, peers: new WeakMap() };
  const app = openCertifiedDoor({ ...options, limits: LIMITS, bodyLimitOctets: MAX_BODY_OCTETS });
  addHooks(app, doors);
  mountTokens(app, doors);
  for (const service of options.services) {
    app.register(
      async (scim) => {
        mountNotices(scim, doors, service);
        scim.addHook("onRequest", (request, reply) => tokenWanted(doors, request, reply));
        mountScim(scim, {
          ...service,
          clientOf: (request) => callerOf(doors, request).clientId,
          now: options.now,
          keep: (events) => service.journal.append(events),
          baseOf: (request) => originOf(request) + service.path,
        });
      },
      { prefix: service.path },
    );
  }
  return app;
}

function addHooks(app: FastifyInstance, doors: Doors): void {
  const { onRefused, onFault } = doors;
  app.addContentTypeParser(SCIM_TYPE, { parseAs: "string" }, app.getDefaultJsonParser("error", "error"));
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.addHook("onRequest", async (request, reply) => {
    if (peerOf(doors, tlsSocketOf(request))) return;
    onRefused({ cause: "no_contract", detail: "a certificate without a contract", peer: request.ip });
    await scimError(reply, 403, "This certificate belongs to no client of this service.");
  });
  app.setNotFoundHandler((_request, reply) => scimError(reply, 404, "There is no such route."));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const known = scimErrorOf(error);
    if (known) return sendError(reply, known);
    const status = error.statusCode ?? 500;
    if (status < 500) return sendError(reply, answerToUnreadable(status));
    onFault(error);
    return scimError(reply, 503, "The service cannot answer now.");
  });
}

function mountTokens(app: FastifyInstance, doors: Doors): void {
  const { services, tokens, monotonicMs } = doors;
  app.get("/healthz", async () => ({
    status: "ok",
    registrations: services.reduce((sum, { kernel }) => sum + kernel.size(), 0),
  }));
  app.get("/.well-known/oauth-authorization-server", async (request) =>
    authorisationServer(originOf(request)),
  );
  app.post("/oauth2/token", async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const { clientId, thumbprint } = callerOf(doors, request);
    reply.header("cache-control", "no-store");
    if (form.get("grant_type") !== "client_credentials")
      return reply.status(400).send({ error: "unsupported_grant_type" });
    if (form.get("client_id") !== clientId) return reply.status(401).send({ error: "invalid_client" });
    const { token, lifeMs } = tokens.issue(clientId, thumbprint, monotonicMs());
    return { access_token: token, token_type: "Bearer", expires_in: lifeMs / 1_000, scope: "scim" };
  });
}

/** The certificate was verified in the handshake; its names are read once a connection. */
function peerOf({ peers, clientOf }: Doors, socket: TLSSocket): Peer | undefined {
  const known = peers.get(socket);
  if (known) return known;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const clientId = clientOf(uriNames(certificate.subjectAltName));
  if (clientId === undefined) return undefined;
  const peer = { clientId, thumbprint: thumbprintOf(certificate.raw) };
  peers.set(socket, peer);
  return peer;
}

const callerOf = (doors: Doors, request: FastifyRequest): Peer =>
  assured(peerOf(doors, tlsSocketOf(request)), "the hook lets nobody else through");

async function tokenWanted(doors: Doors, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { tokens, monotonicMs, onRefused } = doors;
  const { clientId, thumbprint } = callerOf(doors, request);
  const [, token = ""] = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (tokens.clientOf(token, thumbprint, monotonicMs()) === clientId) return;
  onRefused({ cause: "no_token", detail: "no token of this certificate", peer: request.ip });
  reply.header("www-authenticate", 'Bearer error="invalid_token"');
  await scimError(reply, 401, "A token that is bound to this certificate is wanted.");
}

/** Word of the operator about the device of one of its users, beside SCIM (`wire/message/provisioning-notice.ts`). */
function mountNotices(app: FastifyInstance, doors: Doors, { kernel, journal }: OfferedService): void {
  app.post<{ Params: { id: string } }>(`${USERS}/:id/provisioning`, async (request, reply) => {
    const { id } = request.params;
    const fault = shapeFaultOf(request.body, readProvisioningNotice);
    if (fault !== undefined) return scimError(reply, 400, `${fault}.`, "invalidValue");
    const { clientId } = callerOf(doors, request);
    const { answer, events } = kernel.told(clientId, id, readProvisioningNotice(request.body, ""));
    await journal.append(events);
    return answer === "unknown" ? scimError(reply, 404, "There is no such user.") : reply.status(204).send();
  });
}

/** Under the name and port that the caller used, for which it checked our certificate. */
const originOf = (request: FastifyRequest): string =>
  /^[\w.:[\]-]{1,260}$/.test(request.host) ? `https://${request.host}` : "";

/** RFC 8414, with RFC 8705 clause 3.3. */
const authorisationServer = (origin: string) => ({
  issuer: origin,
  token_endpoint: `${origin}/oauth2/token`,
  grant_types_supported: ["client_credentials"],
  token_endpoint_auth_methods_supported: ["tls_client_auth"],
  tls_client_certificate_bound_access_tokens: true,
  scopes_supported: ["scim"],
});

function scimError(reply: FastifyReply, status: number, detail: string, scimType?: string) {
  return sendError(reply, { status, body: errorBody(status, detail, scimType) });
}

const sendError = (reply: FastifyReply, { status, body }: ScimAnswer) =>
  reply.status(status).type(SCIM_TYPE).send(JSON.stringify(body));
