/**
 * One service server as the kernel asks for it, over SCIM 2.0 (RFC 7644) and mutual TLS (US 6,647,260, figure 7C). The
 * registration's id is SCIM's externalId, so a repeat finds what the first made. What the provider can do is asked once
 * and kept for a while: whether it takes PATCH, and whether it has our extension; without it, the core alone is spoken.
 *
 *   POST /Users -> 201 registered | 400 invalidValue: just these fields | 409: GET ?filter=externalId -> go on with it
 *   PATCH or PUT of the user completes      DELETE of the user ends
 *
 * A server that does not prove itself, or does not take our proof, is refused: the session ends there (766).
 */
import type {
  Failed,
  ProvisioningNews,
  Refused,
  ServiceAnswer,
  ServiceRegistration,
  ServiceServerPort,
} from "../../kernel/calls/connectors.ts";
import { membersOf } from "../../term/narrow.ts";
import type { ProvisioningNotice } from "../../wire/message/provisioning-notice.ts";
import {
  coreUserOf,
  EXTENSION_SCHEMA,
  extensionOf,
  type Fields,
  type NeededDatum,
  needsIn,
  needsInDetail,
  PATCH_SCHEMA,
  pairsIn,
  type RegistrationMessage,
  SCIM_TYPE,
  USER_SCHEMA,
  USERS,
} from "../../wire/message/scim.ts";
import {
  type Answered,
  createExchange,
  type Exchange,
  type ExchangeFailure,
  type ExchangeOptions,
  failed,
  failureOfStatus,
  jsonOf,
  type Outgoing,
} from "../exchange/exchange.ts";
import type { TokenSource } from "../exchange/token.ts";

/** After this, what a provider can do is asked again. */
const ABILITIES_KEPT_MS = 600_000;
const REMOTE_ID = /^[\x21-\x7e]{1,200}$/;
const MAX_ADDRESS_CHARACTERS = 1_000;
const PART_OF_USERS = "the service server gave a part of the users that were searched for";

type Abilities = { readonly patch: boolean; readonly extension: boolean };
type User = Readonly<Record<string, unknown>>;
/** Users that bear our id, of those that a search gave. */
type Named = { readonly mine: readonly User[]; readonly isWhole: boolean };
/** Everything but a user ends the walk with its outcome. */
type Step =
  | { readonly kind: "user"; readonly user: User; readonly location: string | undefined }
  | ServiceAnswer;

type ScimServer = {
  readonly exchange: Exchange;
  readonly tokens: TokenSource;
  /** Monotonic. */
  readonly now: () => number;
  /** What the server said last of itself. */
  kept: { readonly abilities: Abilities; readonly untilMs: number } | undefined;
};

export function scimServiceServer(
  options: ExchangeOptions & { readonly tokens: TokenSource },
  /** Monotonic. */
  now: () => number = () => performance.now(),
): ServiceServerPort & { close(): void } {
  const { tokens } = options;
  const server: ScimServer = { exchange: createExchange(options), tokens, now, kept: undefined };

  return {
    async register(registration) {
      const found = await abilities(server);
      if ("kind" in found) return found;
      return registration.remoteId === null
        ? create(server, registration, found.can)
        : complete(server, registration, found.can, registration.remoteId);
    },
    async remove({ id, remoteId }) {
      if (remoteId !== null) return end(server, remoteId);
      // Whoever was cut off while it registered never learned the server's own id.
      const found = await named(server, id);
      if ("kind" in found) return found;
      for (const user of found.mine) {
        if (typeof user.id !== "string" || !REMOTE_ID.test(user.id))
          return failed("bad_answer", "the user has no id");
        const ended = await end(server, user.id);
        if (ended.kind !== "done") return ended;
      }
      // Those that it did not show come with the next try, or a person has to look.
      return found.isWhole ? { kind: "done" } : failed("bad_answer", PART_OF_USERS);
    },
    tell: ({ registrationId, remoteId, ...news }) => tell(server, registrationId, remoteId, news),
    close() {
      server.exchange.close();
      tokens.close();
    },
  };
}

async function send(server: ScimServer, method: Outgoing["method"], path: string, body?: object) {
  const answer = await attempt(server, method, path, body, false);
  // A token may have been forgotten over there before its time.
  return answer.kind === "answered" && answer.status === 401
    ? attempt(server, method, path, body, true)
    : answer;
}

async function attempt(
  server: ScimServer,
  method: Outgoing["method"],
  path: string,
  body: object | undefined,
  fresh: boolean,
) {
  const token = await server.tokens.token(fresh);
  if (token.kind === "failed") return token;
  return server.exchange.send({
    method,
    path,
    headers: { accept: SCIM_TYPE, authorization: `Bearer ${token.token}` },
    ...(body === undefined ? {} : { body: { type: SCIM_TYPE, text: JSON.stringify(body) } }),
  });
}

async function abilities(server: ScimServer): Promise<{ readonly can: Abilities } | Refused | Failed> {
  if (server.kept && server.kept.untilMs > server.now()) return { can: server.kept.abilities };
  const config = await send(server, "GET", "/ServiceProviderConfig");
  if (config.kind === "failed" || !isDescribed(config)) return outcomeOf(config);
  const schema = await send(server, "GET", `/Schemas/${EXTENSION_SCHEMA}`);
  if (schema.kind === "failed" || !isDescribed(schema)) return outcomeOf(schema);
  const can = {
    patch: membersOf(membersOf(describedBy(config)).patch).supported === true,
    extension: membersOf(describedBy(schema)).id === EXTENSION_SCHEMA,
  };
  server.kept = { abilities: can, untilMs: server.now() + ABILITIES_KEPT_MS };
  return { can };
}

async function create(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
): Promise<ServiceAnswer> {
  const answer = await send(server, "POST", USERS, userOf(registration, can));
  if (answer.kind === "answered" && answer.status === 409) return taken(server, registration, can);
  const step = stepOf(answer, registration);
  return step.kind === "user" ? registered(step) : step;
}

/**
 * Users that bear our id, and whether the list was whole. What is no list says nothing of whether there is one: RFC 7644
 * §3.4.2 has `Resources` in each list that is not empty.
 */
async function named(server: ScimServer, id: string): Promise<Named | Refused | Failed> {
  const filter = encodeURIComponent(`externalId eq ${JSON.stringify(id)}`);
  const answer = await send(server, "GET", `${USERS}?filter=${filter}`);
  if (answer.kind === "failed" || answer.status !== 200) return outcomeOf(answer);
  const json = jsonOf(answer);
  if ("kind" in json) return json;
  const { Resources, totalResults } = membersOf(json.value);
  const users: readonly unknown[] | undefined = Array.isArray(Resources)
    ? Resources
    : totalResults === 0
      ? []
      : undefined;
  if (!users) return failed("bad_answer", "the answer to a search is no list of users");
  return {
    mine: users.map(membersOf).filter(({ externalId }) => externalId === id),
    isWhole: typeof totalResults !== "number" || totalResults <= users.length,
  };
}

/** Word of what others did on the user's device; an address beside SCIM, which a provider may lack. */
async function tell(
  server: ScimServer,
  registrationId: string,
  remoteId: string | null,
  { at, ...news }: ProvisioningNews,
): ReturnType<ServiceServerPort["tell"]> {
  const found = remoteId === null ? await named(server, registrationId) : undefined;
  if (found && "kind" in found) return found;
  const user = remoteId ?? found?.mine[0]?.id;
  if (typeof user !== "string" || !REMOTE_ID.test(user))
    return refused("unknown_user", "it has no such user");
  const notice = { ...news, items: [...news.items], at: at.toISOString() } satisfies ProvisioningNotice;
  const answer = await send(server, "POST", `${USERS}/${encodeURIComponent(user)}/provisioning`, notice);
  if (answer.kind === "failed") return outcomeOf(answer);
  if ([200, 202, 204].includes(answer.status)) return { kind: "done", reference: null };
  if ([404, 405, 501].includes(answer.status))
    return refused("takes_no_notices", "the service server has no address for notices, or no such user");
  return outcomeOf(answer);
}

async function end(server: ScimServer, remoteId: string): ReturnType<ServiceServerPort["remove"]> {
  const answer = await send(server, "DELETE", `${USERS}/${encodeURIComponent(remoteId)}`);
  if (answer.kind === "answered" && [200, 204, 404].includes(answer.status)) return { kind: "done" };
  return outcomeOf(answer);
}

/** It came before (an answer was lost), or somebody else has its user name. */
async function taken(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
): Promise<ServiceAnswer> {
  const found = await named(server, registration.id);
  if ("kind" in found) return found;
  const { mine, isWhole } = found;
  if (mine.length > 1) return failed("bad_answer", "more than one user bears one externalId");
  if (mine[0]) return goOn(server, registration, can, mine[0], false);
  if (!isWhole) return failed("bad_answer", PART_OF_USERS);
  return registration.fields.userName === undefined
    ? refused("user_name_taken", "the service server has another user of this name")
    : { kind: "needs_information", remoteId: null, fields: [{ name: "userName", problem: "corrupt" }] };
}

async function complete(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  remoteId: string,
): Promise<ServiceAnswer> {
  const answer = await send(server, "GET", `${USERS}/${encodeURIComponent(remoteId)}`);
  if (answer.kind === "answered" && answer.status === 404) return create(server, registration, can);
  const step = stepOf(answer, registration);
  return step.kind === "user" ? goOn(server, registration, can, step.user, true) : step;
}

/** With a user that is there: what it still needs is sent, and what it gives is taken. */
async function goOn(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  user: User,
  isNew: boolean,
): Promise<ServiceAnswer> {
  const remoteId = user.id;
  if (typeof remoteId !== "string" || !REMOTE_ID.test(remoteId))
    return failed("bad_answer", "the user has no id");
  const { state, needs } = membersOf(user[EXTENSION_SCHEMA]);
  if (!can.extension)
    return isNew ? change(server, registration, can, remoteId, undefined) : registeredAs(user, undefined);
  const wanted = state === "needs_information" ? (needsIn(needs) ?? []) : [];
  const given = valuesOf(registration);
  const known = wanted.filter(({ name }) => given[name]);
  if (wanted.length > 0 && known.length === 0) return { kind: "needs_information", remoteId, fields: wanted };
  return change(server, registration, can, remoteId, known);
}

/** `wanted` are the fields to send; none of them asks for new access data. Undefined sends all. */
async function change(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  remoteId: string,
  wanted: readonly NeededDatum[] | undefined,
): Promise<ServiceAnswer> {
  const path = `${USERS}/${encodeURIComponent(remoteId)}`;
  const answer = can.patch
    ? await send(server, "PATCH", path, patchOf(registration, can, wanted))
    : await send(server, "PUT", path, { id: remoteId, ...userOf(registration, can, true) });
  if (answer.kind === "answered" && answer.status === 204) {
    const read = stepOf(await send(server, "GET", path), registration);
    return read.kind === "user" ? registered(read) : read;
  }
  const step = stepOf(answer, registration);
  return step.kind === "user" ? registered(step) : step;
}

/** A description that is there, or one that a simple provider does not have. */
const isDescribed = ({ status }: Answered): boolean =>
  status === 200 || status === 404 || status === 400 || status === 405 || status === 501;

const describedBy = (answer: Answered): unknown => {
  const json = answer.status === 200 ? jsonOf(answer) : undefined;
  return json && "value" in json ? json.value : undefined;
};

/** All that is known of the user; what was given for this very service counts before what is on file. */
const valuesOf = ({ user, fields, msisdn }: ServiceRegistration): Fields => ({
  ...(Object.fromEntries(Object.entries(user).filter(([, value]) => value)) as Fields),
  ...fields,
  msisdn,
});

function messageOf(registration: ServiceRegistration): RegistrationMessage {
  const { msisdn: _, ...fields } = valuesOf(registration);
  return {
    externalId: registration.id,
    msisdn: registration.msisdn,
    language: registration.language,
    // A name that nobody else has and that tells nothing; a service where people log in by one asks for it.
    userName: fields.userName ?? `turnup-${registration.id}`,
    fields,
  };
}

function userOf(registration: ServiceRegistration, { extension }: Abilities, renew = false): object {
  const message = messageOf(registration);
  return {
    schemas: [USER_SCHEMA, ...(extension ? [EXTENSION_SCHEMA] : [])],
    externalId: message.externalId,
    ...coreUserOf(message),
    ...(extension ? { [EXTENSION_SCHEMA]: { ...extensionOf(message), ...renewal(renew) } } : {}),
  };
}

const renewal = (renew: boolean) => (renew ? { renewAccessData: true } : {});

/** RFC 7644 clause 3.5.2.3: without a path, the value's members are replaced. */
function patchOf(
  registration: ServiceRegistration,
  { extension }: Abilities,
  wanted: readonly NeededDatum[] | undefined,
): object {
  const message = messageOf(registration);
  if (!extension || wanted === undefined) {
    const { userName: _name, ...core } = coreUserOf(message) as { userName: string };
    return { schemas: [PATCH_SCHEMA], Operations: [{ op: "replace", value: core }] };
  }
  const names = new Set(wanted.map(({ name }) => name));
  const core = coreUserOf(message);
  const fields = Object.fromEntries(Object.entries(message.fields).filter(([name]) => names.has(name)));
  const value = {
    ...(names.has("msisdn") ? { phoneNumbers: core.phoneNumbers } : {}),
    ...(names.has("userName") ? { userName: core.userName } : {}),
    [EXTENSION_SCHEMA]: { fields: extensionOf({ ...message, fields }).fields, ...renewal(names.size === 0) },
  };
  return { schemas: [PATCH_SCHEMA], Operations: [{ op: "replace", value }] };
}

/** An answer with a user in it, or the outcome that it comes to. */
function stepOf(answer: Answered | ExchangeFailure, registration: ServiceRegistration): Step {
  if (answer.kind === "failed") return outcomeOf(answer);
  if (answer.status === 200 || answer.status === 201) {
    const json = jsonOf(answer);
    if ("kind" in json) return json;
    const user = membersOf(json.value);
    // Somebody else's user would give this user's data and access away.
    if (user.externalId !== undefined && user.externalId !== registration.id)
      return failed("bad_answer", "the user is of another registration");
    const { location } = answer.headers;
    return { kind: "user", user, location: typeof location === "string" ? location : undefined };
  }
  return answer.status === 400 ? needed(answer, registration) : outcomeOf(answer);
}

/** RFC 7644 clause 3.12: `invalidValue` says that a required value is missing or one is not compatible. */
function needed(answer: Answered, registration: ServiceRegistration): ServiceAnswer {
  const json = jsonOf(answer);
  const error = "kind" in json ? {} : membersOf(json.value);
  if (error.scimType !== "invalidValue")
    return refused("malformed", "the service server cannot read the request");
  const extension = membersOf(error[EXTENSION_SCHEMA]);
  const given = new Set(Object.keys(valuesOf(registration)));
  const detail = typeof error.detail === "string" ? error.detail : "";
  const fields = needsIn(extension.needs) ?? needsInDetail(detail, given);
  if (fields.length === 0)
    return refused("invalid_value", "a value is wrong, and the server does not say which");
  const { id } = extension;
  return {
    kind: "needs_information",
    remoteId: typeof id === "string" && REMOTE_ID.test(id) ? id : registration.remoteId,
    fields,
  };
}

const registered = ({ user, location }: Extract<Step, { kind: "user" }>): ServiceAnswer =>
  registeredAs(user, location);

function registeredAs(user: User, location: string | undefined): ServiceAnswer {
  const remoteId = user.id;
  if (typeof remoteId !== "string" || !REMOTE_ID.test(remoteId))
    return failed("bad_answer", "the user has no id");
  const { state, needs, accessData } = membersOf(user[EXTENSION_SCHEMA]);
  const wanted = needsIn(needs);
  if (state === "needs_information" && wanted) return { kind: "needs_information", remoteId, fields: wanted };
  if (user.active === false) return failed("pending", "the service server has not let the user in yet");
  const own = pairsIn(accessData);
  return {
    kind: "registered",
    remoteId,
    accessData: Object.keys(own).length > 0 ? own : coreAccess(user, location),
  };
}

/** What a provider without the extension tells: the name, and where the user is found. */
function coreAccess(user: User, location: string | undefined): Fields {
  const address = [user.profileUrl, location, membersOf(user.meta).location].find(isAddress);
  return {
    ...(typeof user.userName === "string" ? { userName: user.userName } : {}),
    ...(address === undefined ? {} : { address }),
  };
}
const isAddress = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_ADDRESS_CHARACTERS && /^https:\/\/[^\s"<>]+$/.test(value);

/** Who is not let in, or does not prove who they are, is refused; whatever else went wrong may be asked again. */
function outcomeOf(answer: Answered | ExchangeFailure): Refused | Failed {
  const failure = answer.kind === "failed" ? answer : failureOfStatus(answer);
  switch (failure.cause) {
    case "unauthorised":
      return refused(
        "unauthorised",
        `the service server does not take our certificate or token (${failure.reason})`,
      );
    case "tls":
    case "wrong_key":
      return refused("server_not_proven", `the service server did not prove itself (${failure.reason})`);
    case "bad_request":
      return refused("malformed", `the service server refused the request (${failure.reason})`);
    default:
      return failure;
  }
}

const refused = (cause: string, reason: string): Refused => ({ kind: "refused", cause, reason });
