/**
 * One service server as the kernel asks for it, over SCIM 2.0 (RFC 7644) and mutual TLS (US 6,647,260, figure 7C). The
 * registration's id is SCIM's externalId, so a repeat finds what the first made. What the provider can do is asked once
 * and kept for a while: whether it takes PATCH, and whether it has our extension; without it, the core alone is spoken.
 * A provider that does not say is asked for what every one must have (PUT), and taken as it is found.
 *
 *   POST /Users -> 201 registered | 400 invalidValue: just these fields | 409: find ours (`scim-search.ts`), go on with it
 *   PATCH or PUT of the user completes      DELETE of the user ends (`scim-end.ts`)
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
import type { ProvisioningNotice } from "../../wire/message/provisioning-notice.ts";
import { EXTENSION_SCHEMA, type Fields, type NeededDatum, USERS } from "../../wire/message/scim.ts";
import {
  type Answered,
  type ExchangeFailure,
  type ExchangeOptions,
  failed,
  jsonOf,
} from "../exchange/exchange.ts";
import type { TokenSource } from "../exchange/token.ts";
import { hasOldBeside, mergedUser, ownNameOf, patchOf, userNameOf, userOf, valuesOf } from "./scim-bodies.ts";
import { end } from "./scim-end.ts";
import { isAboutValue, needsInRefusal } from "./scim-needs.ts";
import { outcomeOf, refused } from "./scim-outcome.ts";
import { findOurs } from "./scim-search.ts";
import { type ScimSession, scimSession } from "./scim-session.ts";
import { isSuccess, own, pathOf, read, type Step, stepOf, tagged } from "./scim-step.ts";
import { addressOf, booleanOf, foldedMembers, idAt, type ScimUser, userIn } from "./scim-user.ts";

/** After this, what a provider can do is asked again. */
const ABILITIES_KEPT_MS = 600_000;
const MAX_ADDRESS_CHARACTERS = 1_000;
const PART_OF_USERS = "the service server gave a part of the users that were searched for";
/** How a method that a provider does not have is refused; 400 where it does not read what is in it. */
const METHOD_REFUSED = [404, 405, 415, 501];

/** `patch` is undefined where the provider does not say. */
type Abilities = { readonly patch: boolean | undefined; readonly extension: boolean };

type ScimServer = {
  readonly session: ScimSession;
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
  const session = scimSession(options, now);
  const server: ScimServer = { session, now, kept: undefined };

  return {
    async register(registration) {
      const found = await abilities(server);
      if ("kind" in found) return found;
      return registration.remoteId === null
        ? create(server, registration, found.can)
        : complete(server, registration, found.can, registration.remoteId);
    },
    async remove({ id, remoteId }) {
      if (remoteId !== null) return end(session, remoteId);
      // Whoever was cut off while it registered never learned the server's own id.
      const found = await findOurs(session, byOwnName(id));
      if ("kind" in found) return found;
      for (const user of found.mine) {
        if (user.id === undefined) return failed("bad_answer", NO_ID);
        const ended = await end(session, user.id);
        if (ended.kind !== "done") return ended;
      }
      // Those that it did not show come with the next try, or a person has to look.
      return found.isWhole ? { kind: "done" } : failed("bad_answer", PART_OF_USERS);
    },
    tell: ({ registrationId, remoteId, ...news }) => tell(session, registrationId, remoteId, news),
    close: session.close,
  };
}

const NO_ID = "the user has no id";
/** Whoever asks so does not know by which name the user was made; ours proves whose it is where it stands. */
const byOwnName = (id: string) => ({ id, userName: ownNameOf(id), isNameOurs: true, isNameSure: false });

/** A description that is refused, missing or unreadable says nothing: what the provider takes shows itself. */
async function abilities(server: ScimServer): Promise<{ readonly can: Abilities } | Refused | Failed> {
  if (server.kept && server.kept.untilMs > server.now()) return { can: server.kept.abilities };
  const config = await server.session.send({ method: "GET", path: "/ServiceProviderConfig" });
  // Whoever does not take our token is told nothing of the user.
  if (isUnreachable(config) || hasStatus(config, 401)) return outcomeOf(config);
  const schema = await server.session.send({ method: "GET", path: `/Schemas/${EXTENSION_SCHEMA}` });
  if (isUnreachable(schema)) return outcomeOf(schema);
  const { patch } = foldedMembers(describedBy(config));
  const can = {
    patch: booleanOf(foldedMembers(patch).supported),
    extension: isExtension(describedBy(schema)),
  };
  // Of one that is out of order the next registration asks again.
  if (schema.kind === "answered" && schema.status < 500)
    server.kept = { abilities: can, untilMs: server.now() + ABILITIES_KEPT_MS };
  return { can };
}

/** An answer that cannot be read, as a redirect to where people sign in, is one all the same. */
const isUnreachable = (answer: Answered | ExchangeFailure): answer is ExchangeFailure =>
  answer.kind === "failed" && answer.cause !== "bad_answer";

const hasStatus = (answer: Answered | ExchangeFailure, status: number): boolean =>
  answer.kind === "answered" && answer.status === status;

const describedBy = (answer: Answered | ExchangeFailure): unknown => {
  const json = answer.kind === "answered" && answer.status === 200 ? jsonOf(answer) : undefined;
  return json && "value" in json ? json.value : undefined;
};

/** Some answer with a list, although one schema was asked for. */
function isExtension(described: unknown): boolean {
  const { id, resources } = foldedMembers(described);
  const isOurs = (one: unknown) =>
    typeof one === "string" && one.toLowerCase() === EXTENSION_SCHEMA.toLowerCase();
  return isOurs(id) || (Array.isArray(resources) && resources.some((one) => isOurs(foldedMembers(one).id)));
}

async function create(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
): Promise<ServiceAnswer> {
  const body = userOf(registration, can.extension);
  const answer = await server.session.send({ method: "POST", path: USERS, body });
  if (isTaken(answer)) return taken(server, registration, can);
  const step = await madeBy(server, registration, answer);
  return step.kind === "user" ? registered(server, step.user) : step;
}

/** Some say with another status that there is such a user already. */
function isTaken(answer: Answered | ExchangeFailure): boolean {
  if (answer.kind === "failed") return false;
  if (answer.status === 409 || isSuccess(answer)) return answer.status === 409;
  const json = jsonOf(answer);
  return "value" in json && String(foldedMembers(json.value).scimtype).toLowerCase() === "uniqueness";
}

/** The user that a POST made: in its answer, behind its Location, or found. */
async function madeBy(
  { session }: ScimServer,
  registration: ServiceRegistration,
  answer: Answered | ExchangeFailure,
): Promise<Step> {
  if (answer.kind === "failed" || !isSuccess(answer)) return stepOf(session, registration, answer);
  const user = userIn(answer, session.base);
  if (user?.id !== undefined) return own(registration, user);
  const id = idAt(answer.headers.location, session.base);
  if (id !== undefined) return read(session, registration, id);
  // It has just taken this name from us, so nobody else has it.
  const wanted = { id: registration.id, userName: userNameOf(registration) };
  const found = await findOurs(session, { ...wanted, isNameOurs: true, isNameSure: true });
  if ("kind" in found) return found;
  const [mine, ...others] = found.mine;
  return mine?.id !== undefined && others.length === 0
    ? { kind: "user", user: mine }
    : failed("bad_answer", "the answer has neither the user nor its address");
}

/** Word of what others did on the user's device; an address beside SCIM, which a provider may lack. */
async function tell(
  session: ScimSession,
  registrationId: string,
  remoteId: string | null,
  { at, ...news }: ProvisioningNews,
): ReturnType<ServiceServerPort["tell"]> {
  const found = remoteId === null ? await findOurs(session, byOwnName(registrationId)) : undefined;
  if (found && "kind" in found) return found;
  const user = remoteId ?? found?.mine[0]?.id;
  if (user === undefined) return refused("unknown_user", "it has no such user");
  const notice = { ...news, items: [...news.items], at: at.toISOString() } satisfies ProvisioningNotice;
  const answer = await session.send({ method: "POST", path: `${pathOf(user)}/provisioning`, body: notice });
  if (answer.kind === "failed") return outcomeOf(answer);
  if ([200, 202, 204].includes(answer.status)) return { kind: "done", reference: null };
  if ([404, 405, 501].includes(answer.status))
    return refused("takes_no_notices", "the service server has no address for notices, or no such user");
  return outcomeOf(answer);
}

/** It came before (an answer was lost), or somebody else has its user name. */
async function taken(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
): Promise<ServiceAnswer> {
  const isChosen = valuesOf(registration).userName !== undefined;
  const found = await findOurs(server.session, {
    id: registration.id,
    userName: userNameOf(registration),
    isNameOurs: !isChosen,
    isNameSure: true,
  });
  if ("kind" in found) return found;
  const { mine, isWhole } = found;
  if (mine.length > 1) return failed("bad_answer", "more than one user bears one externalId");
  if (mine[0]) return goOn(server, registration, can, mine[0], false);
  if (!isWhole) return failed("bad_answer", PART_OF_USERS);
  return nameTaken(registration, null);
}

/** Only a name that somebody chose can be asked for anew. */
const nameTaken = (registration: ServiceRegistration, remoteId: string | null): ServiceAnswer =>
  registration.fields.userName === undefined
    ? refused("user_name_taken", "the service server has another user of this name")
    : { kind: "needs_information", remoteId, fields: [{ name: "userName", problem: "corrupt" }] };

async function complete(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  remoteId: string,
): Promise<ServiceAnswer> {
  const answer = await server.session.send({ method: "GET", path: pathOf(remoteId) });
  if (answer.kind === "answered" && (answer.status === 404 || answer.status === 410))
    return create(server, registration, can);
  const step = stepOf(server.session, registration, answer);
  return step.kind === "user" ? goOn(server, registration, can, { ...step.user, id: remoteId }, true) : step;
}

/** With a user that is there: what it still needs is sent, and what it gives is taken. */
async function goOn(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  user: ScimUser,
  isNew: boolean,
): Promise<ServiceAnswer> {
  const { id: remoteId, state, needs } = user;
  if (remoteId === undefined) return failed("bad_answer", NO_ID);
  if (!can.extension)
    return isNew
      ? change(server, registration, can, { ...user, id: remoteId }, undefined)
      : registered(server, user);
  const given = valuesOf(registration);
  if (registration.isChange)
    return change(server, registration, can, { ...user, id: remoteId }, allOf(given));
  const wanted = state === "needs_information" ? (needs ?? []) : [];
  const known = wanted.filter(({ name }) => given[name]);
  if (wanted.length > 0 && known.length === 0) return { kind: "needs_information", remoteId, fields: wanted };
  return change(server, registration, can, { ...user, id: remoteId }, known);
}

/** `wanted` are the fields to send; none of them asks for new access data. Undefined sends all. */
async function change(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  user: ScimUser & { readonly id: string },
  wanted: readonly NeededDatum[] | undefined,
): Promise<ServiceAnswer> {
  const step = await changed(server, registration, can, user, wanted);
  if (step.kind !== "user") return step;
  // Some add to a list what is to take its place, so that an old number stays beside the new one.
  if (can.patch !== true || !hasOldBeside(step.user.members, userOf(registration, can.extension)))
    return registered(server, step.user);
  const put = await changed(
    server,
    registration,
    { ...can, patch: false },
    { ...step.user, id: user.id },
    wanted,
  );
  return registered(server, put.kind === "user" ? put.user : step.user);
}

const allOf = (given: Fields): readonly NeededDatum[] =>
  Object.keys(given).map((name) => ({ name, problem: "missing" }));

async function changed(
  server: ScimServer,
  registration: ServiceRegistration,
  can: Abilities,
  user: ScimUser & { readonly id: string },
  wanted: readonly NeededDatum[] | undefined,
): Promise<Step> {
  const { session } = server;
  const methods = can.patch === true ? (["PATCH", "PUT"] as const) : (["PUT", "PATCH"] as const);
  const keepsName = valuesOf(registration).userName === undefined;
  const bodyFor = (method: "PATCH" | "PUT", theirs: ScimUser) =>
    method === "PATCH"
      ? patchOf(registration, can.extension, wanted)
      : mergedUser(
          theirs.members,
          userOf(registration, can.extension, registration.isChange !== true),
          user.id,
          keepsName,
        );
  let answer: Answered | ExchangeFailure = failed("bad_answer", "no way to change a user");
  for (const method of methods) {
    answer = await tagged(session, user.id, user, (theirs, ifMatch) =>
      session.send({ method, path: pathOf(user.id), body: bodyFor(method, theirs), ...ifMatch }),
    );
    if (answer.kind === "failed" || !isMethodRefused(answer, registration, method)) break;
    if (can.patch === false) break;
    if (answer.status !== 400 && answer.status !== 404) learnPatch(server, can, method === "PUT");
  }
  if (isTaken(answer)) return nameTaken(registration, user.id);
  // Where it does not show what came of it, that is looked at.
  const isShown = answer.kind === "failed" || !isSuccess(answer) || userIn(answer, session.base);
  const step = isShown ? stepOf(session, registration, answer) : await read(session, registration, user.id);
  return step.kind === "user" ? { ...step, user: { ...step.user, id: user.id } } : step;
}

/** Some refuse a PATCH that they advertise, as a method or as a body that they cannot read. */
function isMethodRefused(
  answer: Answered,
  registration: ServiceRegistration,
  method: "PATCH" | "PUT",
): boolean {
  if (METHOD_REFUSED.includes(answer.status)) return true;
  // What names a field is about the value, and would be said of a PUT as well.
  return (
    method === "PATCH" &&
    answer.status === 400 &&
    (!isAboutValue(answer) || typeof needsInRefusal(answer, registration) !== "object")
  );
}

function learnPatch({ kept }: ScimServer, can: Abilities, patch: boolean): void {
  // Nothing is kept of a provider that is out of order.
  if (kept) Object.assign(kept, { abilities: { ...can, patch } });
}

function registered({ session }: ScimServer, user: ScimUser): ServiceAnswer {
  const { id: remoteId, state, needs, accessData } = user;
  if (remoteId === undefined) return failed("bad_answer", NO_ID);
  if (state === "needs_information" && needs) return { kind: "needs_information", remoteId, fields: needs };
  if (user.active === false) return failed("pending", "the service server has not let the user in yet");
  const isOwn = Object.keys(accessData).length > 0;
  return { kind: "registered", remoteId, accessData: isOwn ? accessData : coreAccess(user, session.base) };
}

/** What a provider without the extension tells: the name, and where the user is found. */
function coreAccess({ userName, profileUrl, locations }: ScimUser, base: URL): Fields {
  const address = [profileUrl, ...locations.map((one) => addressOf(one, base)?.href)].find(isAddress);
  return {
    ...(userName === undefined ? {} : { userName }),
    ...(address === undefined ? {} : { address }),
  };
}
const isAddress = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_ADDRESS_CHARACTERS && /^https:\/\/[^\s"<>]+$/.test(value);
