/**
 * SCIM 2.0 over a service's registrations (RFC 7644): its routes, pages, preconditions and media types. What a message
 * means and what is decided of it, `service/` says.
 *
 *   /Users                POST, GET ?filter sortBy startIndex count attributes
 *     /:id                GET PUT PATCH DELETE; If-Match and If-None-Match with the user's entity-tag
 *     /.search            POST, and at the root; GET of the root is the same
 *   /ServiceProviderConfig /ResourceTypes /Schemas     GET
 *   /Me, /Bulk            501      /Groups 404      another method 405
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import type { ReceiveManager } from "../../service/receive-manager.ts";
import type { Decision, RegistrationKernel, Verdict } from "../../service/registration-kernel.ts";
import type { Registration } from "../../service/registrations.ts";
import { answerOf, type Refusal, type ShownUser, shown } from "../../service/send-manager.ts";
import { membersOf } from "../../term/narrow.ts";
import { SCIM_TYPE, USERS } from "../../wire/message/scim.ts";
import { type Filter, parseFilter } from "../../wire/scim/filter.ts";
import {
  listResponse,
  pageOf,
  readListQuery,
  readProjection,
  searchIn,
  sorted,
} from "../../wire/scim/list.ts";
import { project } from "../../wire/scim/project.ts";
import type { Json } from "../../wire/scim/schema.ts";
import { ScimError } from "../../wire/scim/scim-error.ts";
import { errorBody, MAX_RESULTS, providerConfig, resourceTypes, schemas } from "./descriptions.ts";

const JSON_TYPE = "application/json";
const METHODS: readonly HTTPMethods[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** What the routes are given of one service. */
type ScimService = {
  readonly kernel: RegistrationKernel;
  readonly receive: ReceiveManager;
  /** Whose users are meant. */
  clientOf(request: FastifyRequest): string;
  now(): Date;
  /** Resolved when the events are kept for good. */
  keep(events: Decision<unknown>["events"]): Promise<void>;
  /** Address of the service as the caller reached it. */
  baseOf(request: FastifyRequest): string;
};
/** A refusal with our extension. */
class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(given: Refusal) {
    super(given.detail);
    this.refusal = given;
  }
}
const UNKNOWN = { status: 404, scimType: null, detail: "There is no such user." } as const;

export function mountScim(app: FastifyInstance, service: ScimService): void {
  readBodies(app);
  mountUsers(app, service);
  mountUser(app, service);
  mountDescriptions(app, service);
  mountNotOffered(app);
}

/** Both media types of the protocol, with whatever charset; an empty body is none, whatever type it is said to have. */
function readBodies(app: FastifyInstance): void {
  const readJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>([SCIM_TYPE, JSON_TYPE], { parseAs: "string" }, (request, body, done) => {
    if (body.trim() === "") done(null, undefined);
    else readJson(request, body.replace(/^\uFEFF/, ""), done);
  });
  app.addContentTypeParser<string>("*", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") done(null, undefined);
    else done(new ScimError(415, undefined, `The body is to be of type ${SCIM_TYPE}.`));
  });
}

function mountUsers(app: FastifyInstance, service: ScimService): void {
  app.post(USERS, async (request, reply) => {
    const { receive, clientOf, now } = service;
    const wanted = readProjection(membersOf(request.query));
    const user = await decided(service, receive.register(clientOf(request), request.body, now()));
    return sendUser(service, { request, reply: reply.status(201) }, user, wanted);
  });
  for (const path of [USERS, "/"])
    app.get(path, (request, reply) => sendList(service, request, reply, membersOf(request.query)));
  for (const path of [`${USERS}/.search`, "/.search"])
    app.post(path, (request, reply) => sendList(service, request, reply, searchIn(request.body)));
}

function mountUser(app: FastifyInstance, service: ScimService): void {
  const { receive, kernel } = service;
  const path = `${USERS}/:id`;
  app.get(path, async (request, reply) => {
    const user = known(service, request);
    if (isTagged(request.headers["if-none-match"], user)) return notModified(reply, user);
    return sendUser(service, { request, reply }, user);
  });
  for (const [method, change] of [
    ["PUT", receive.replace],
    ["PATCH", receive.patch],
  ] as const) {
    app.route({
      method,
      url: path,
      async handler(request, reply) {
        const wanted = readProjection(membersOf(request.query));
        checkUnchanged(request, known(service, request));
        const [clientId, id] = [service.clientOf(request), idOf(request)];
        const user = await decided(service, change(clientId, id, request.body, service.now()));
        return sendUser(service, { request, reply }, user, wanted);
      },
    });
  }
  app.delete(path, async (request, reply) => {
    checkUnchanged(request, known(service, request));
    const { events } = kernel.remove(service.clientOf(request), idOf(request));
    await service.keep(events);
    return reply.status(204).send();
  });
}

function mountDescriptions(app: FastifyInstance, { receive, baseOf }: ScimService): void {
  const { kind } = receive;
  const describe = (url: string, described: (request: FastifyRequest) => Json | undefined): void => {
    app.get(url, async (request, reply) => {
      // RFC 7644 clause 4: nobody is to believe that what is left out is not there.
      if (membersOf(request.query).filter !== undefined)
        throw new ScimError(403, undefined, "Descriptions are not filtered.");
      const found = described(request);
      if (!found) throw new ScimError(404, undefined, "There is no description of this name.");
      return sendJson(request, reply, found);
    });
  };
  describe("/ServiceProviderConfig", (request) => providerConfig(baseOf(request)));
  for (const [path, described] of [
    ["/ResourceTypes", resourceTypes],
    ["/Schemas", schemas],
  ] as const) {
    describe(path, (request) => described(baseOf(request), kind, undefined));
    describe(`${path}/:id`, (request) => described(baseOf(request), kind, idOf(request)));
  }
}

function mountNotOffered(app: FastifyInstance): void {
  for (const url of ["/Me", "/Bulk"])
    app.all(url, () => Promise.reject(new ScimError(501, undefined, `${url} is not offered here.`)));
  for (const url of ["/Groups", "/Groups/*"])
    app.all(url, () =>
      Promise.reject(new ScimError(404, undefined, "Groups are not offered here; see /ResourceTypes.")),
    );
  const offered: readonly (readonly [url: string, methods: readonly HTTPMethods[]])[] = [
    [USERS, ["GET", "POST"]],
    [`${USERS}/.search`, ["POST"]],
    ["/.search", ["POST"]],
    [`${USERS}/:id`, ["GET", "PUT", "PATCH", "DELETE"]],
    ...["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/:id", "/Schemas", "/Schemas/:id"].map(
      (url) => [url, ["GET"]] as const,
    ),
  ];
  for (const [url, methods] of offered) {
    app.route({
      method: METHODS.filter((one) => !methods.includes(one)),
      url,
      handler(request, reply) {
        reply.header("allow", methods.join(", "));
        throw new ScimError(405, undefined, `There is no ${request.method} here.`);
      },
    });
  }
}

const idOf = (request: FastifyRequest): string => String(membersOf(request.params).id);

const showing =
  ({ kernel }: ScimService) =>
  (one: Registration): ShownUser =>
    shown(one, kernel.needsOf(one), null);

/** @throws RefusalError there is no such user of this client */
function known(service: ScimService, request: FastifyRequest): ShownUser {
  const found = service.kernel.find(service.clientOf(request), idOf(request));
  if (!found) throw new RefusalError(UNKNOWN);
  return showing(service)(found);
}

/** Nothing is answered before the journal holds it: without events of its own, an answer may still rest on such. */
async function decided(service: ScimService, { answer, events }: Decision<Verdict>): Promise<ShownUser> {
  await service.keep(events);
  const sent = answerOf(answer);
  if (sent.kind === "refusal") throw new RefusalError(sent);
  return sent.user;
}

async function sendList(service: ScimService, request: FastifyRequest, reply: FastifyReply, asked: Json) {
  const { kind } = service.receive;
  const query = readListQuery(asked, MAX_RESULTS);
  const filter = query.filter === undefined ? undefined : parseFilter(query.filter, kind);
  const base = service.baseOf(request);
  const candidates = candidatesFor(service, service.clientOf(request), filter);
  const users = candidates.map((one) => located(showing(service)(one), base));
  const fitting = filter ? users.filter((user) => filter.matches(user)) : users;
  const page = pageOf(sorted(kind, fitting, query), query).map((user) => project(kind, user, query));
  return sendJson(request, reply, listResponse(page, fitting.length, query.startIndex));
}

/** What an operator asks with all the time goes by an index; any other filter goes over all its users. */
function candidatesFor(
  { kernel }: ScimService,
  clientId: string,
  filter: Filter | undefined,
): readonly Registration[] {
  for (const [name, find] of [
    ["id", kernel.find],
    ["externalId", kernel.findExternal],
    ["userName", kernel.findNamed],
  ] as const) {
    const wanted = filter?.equalities?.get(name);
    if (typeof wanted !== "string") continue;
    const found = find(clientId, wanted);
    return found ? [found] : [];
  }
  return kernel.ofClient(clientId);
}

const located = (user: ShownUser, base: string): ShownUser => ({
  ...user,
  meta: { ...user.meta, location: `${base}${USERS}/${user.id}` },
});

type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply };

function sendUser(
  service: ScimService,
  { request, reply }: Exchange,
  user: ShownUser,
  wanted = readProjection(membersOf(request.query)),
) {
  const shownUser = located(user, service.baseOf(request));
  reply.header("location", shownUser.meta.location).header("etag", user.meta.version);
  return sendJson(request, reply, project(service.receive.kind, shownUser, wanted));
}

/** A client that reads plain JSON alone gets it under that name. */
function sendJson(request: FastifyRequest, reply: FastifyReply, body: Json) {
  const accept = request.headers.accept ?? "";
  const isPlain = accept.includes(JSON_TYPE) && !/scim\+json|\*\/\*/.test(accept);
  return reply.type(isPlain ? JSON_TYPE : SCIM_TYPE).send(JSON.stringify(body));
}

function notModified(reply: FastifyReply, user: ShownUser) {
  return reply.header("etag", user.meta.version).status(304).send();
}

/**
 * Whether a list of entity-tags, or `*`, holds the user's own. All tags here are weak, and clients send them in If-Match as
 * RFC 7644 clause 3.14 shows it, so they are compared weakly.
 */
function isTagged(tags: string | undefined, { meta }: ShownUser): boolean {
  if (tags === undefined) return false;
  const bare = (tag: string) => tag.trim().replace(/^W\//, "");
  return tags.trim() === "*" || tags.split(",").map(bare).includes(bare(meta.version));
}

/** @throws ScimError 412: the client knows another state of the user */
function checkUnchanged(request: FastifyRequest, user: ShownUser): void {
  const { "if-match": wanted, "if-none-match": unwanted } = request.headers;
  if ((wanted === undefined || isTagged(wanted, user)) && !isTagged(unwanted, user)) return;
  throw new ScimError(412, undefined, `The user is at version ${user.meta.version} by now.`);
}

export type ScimAnswer = { readonly status: number; readonly body: Json };

/** A refusal of ours as an answer; undefined for a fault of the program. */
export function scimErrorOf(error: unknown): ScimAnswer | undefined {
  if (error instanceof ScimError)
    return { status: error.status, body: errorBody(error.status, error.message, error.scimType) };
  if (!(error instanceof RefusalError)) return undefined;
  const { status, detail, scimType, extension } = error.refusal;
  return { status, body: errorBody(status, detail, scimType, extension) };
}

/** What the framework refuses: a body that is no JSON, or too long. */
export const answerToUnreadable = (status: number): ScimAnswer => ({
  status,
  body: errorBody(status, "The request cannot be read.", status === 400 ? "invalidSyntax" : undefined),
});
