/** Sessions of the console: a token, or a link that is good once, is exchanged for a cookie that no script can read. */
import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { ROLES, type Role } from "../../kernel/account/role.ts";
import { sessionEndsAt } from "../../kernel/account/session.ts";
import { admit, hashToken } from "../../kernel/account/token.ts";
import { TurnupError } from "../../term/error.ts";
import { answerPage, pageOf } from "../page.ts";
import type { HttpDeps } from "../ports.ts";
import { gone, ok, route } from "../route.ts";
import { id, instant, instantOrNull, named, page, pageQuery, textOrNull, words } from "../schema.ts";
import { isSecure, sessionCookie, sessionIn, sessionOf } from "../session-gate.ts";

/** People; machines bring their token with each request. */
const PEOPLE: readonly Role[] = ["admin", "engineer", "care"];
const SESSION_OCTETS = 32;
const BROWSER_CHARACTERS_MAX = 200;

const Opened = named(
  "OpenedSession",
  Type.Object({
    role: words(ROLES),
    label: Type.String({ description: "Of its token: what the audit names." }),
    operator: Type.String({ description: "Whose data it shows." }),
    expiresAt: instant("It ends then at the latest."),
  }),
);
const Session = named(
  "Session",
  Type.Object({
    id: Type.String(),
    role: words(ROLES),
    label: Type.String(),
    person: textOrNull(),
    browser: Type.String({ description: "As it names itself." }),
    createdAt: instant(),
    lastSeenAt: instant(),
    endedAt: instantOrNull(),
    endedBy: textOrNull(),
  }),
);

export const openSession = route({
  method: "POST",
  path: "/v1/sessions",
  summary: "Exchange the token of this request for a session: a cookie that no script can read",
  tag: "sessions",
  roles: PEOPLE,
  errors: [],
  status: 201,
  answer: Opened,
  async handle(deps, { caller, request }) {
    if (request.headers.authorization === undefined)
      throw new TurnupError("token_missing", "A session is opened with a token, not with another session.", {
        nextStep: "Send the header 'Authorization: Bearer tup_...'.",
      });
    return opened(deps, caller, request);
  },
});

export const openSessionByLink = route({
  method: "POST",
  path: "/v1/sessions/by-link",
  summary: "Open a session by a sign-in link, once",
  tag: "sessions",
  roles: "open",
  errors: ["sign_in_link_spent", "token_revoked", "token_expired"],
  status: 201,
  body: Type.Object(
    {
      link: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$", description: "What stands behind # in the link." }),
    },
    { additionalProperties: false },
  ),
  answer: Opened,
  async handle(deps, { body, request }) {
    const token = await deps.sessions.spendLink(hashToken(body.link));
    if (!token)
      throw new TurnupError("sign_in_link_spent", "This link was used already, or its time is over.", {
        nextStep: "Sign in with a token, or start the program anew for another link.",
      });
    return opened(deps, admit(token, deps.clock()), request);
  },
});

export const currentSession = route({
  method: "GET",
  path: "/v1/sessions/current",
  summary: "Who asks: role, label and operator of this request's session or token",
  tag: "sessions",
  roles: PEOPLE,
  errors: [],
  status: 200,
  answer: Opened,
  async handle(deps, { caller, request }) {
    const session = sessionIn(deps, request);
    const record = session === undefined ? undefined : await deps.sessions.findByHash(hashToken(session));
    const since = record?.createdAt ?? deps.clock();
    return ok(await standing(deps, caller, since));
  },
});

export const endCurrentSession = route({
  method: "DELETE",
  path: "/v1/sessions/current",
  summary: "Sign out: end the session of this request",
  tag: "sessions",
  roles: PEOPLE,
  errors: [],
  status: 204,
  async handle(deps, { caller, request }) {
    const session = sessionIn(deps, request);
    const record = session === undefined ? undefined : await deps.sessions.findByHash(hashToken(session));
    if (record) await deps.sessions.end(caller.operatorId, record.id, caller.label);
    return { ...gone(), headers: { "set-cookie": sessionCookie(null, isSecure(deps, request), 0) } };
  },
});

export const listSessions = route({
  method: "GET",
  path: "/v1/sessions",
  summary: "Sessions that are open, newest first",
  tag: "sessions",
  roles: ["admin"],
  errors: [],
  status: 200,
  query: pageQuery,
  answer: page(Session),
  async handle({ sessions, sessionLimits }, { query, caller, request }) {
    return answerPage(await sessions.list(caller.operatorId, sessionLimits, pageOf(query)), request);
  },
});

export const endSession = route({
  method: "DELETE",
  path: "/v1/sessions/:id",
  summary: "End a session: its next request is refused",
  tag: "sessions",
  roles: ["admin"],
  errors: ["session_not_found"],
  status: 204,
  params: { id: id("Of the session.") },
  async handle({ sessions }, { params, caller }) {
    if (!(await sessions.end(caller.operatorId, params.id, caller.label)))
      throw new TurnupError("session_not_found", "There is no such session, or it has ended.", {
        nextStep: "GET /v1/sessions lists those that are open.",
      });
    return gone();
  },
});

type Whose = {
  readonly tokenId: string;
  readonly operatorId: string;
  readonly role: Role;
  readonly label: string;
};

async function opened(deps: HttpDeps, caller: Whose, request: FastifyRequest) {
  if (!PEOPLE.includes(caller.role))
    throw new TurnupError("role_not_allowed", `A token of role ${caller.role} has no pages to look at.`, {
      nextStep: `Use a token of role ${PEOPLE.join(" or ")}.`,
    });
  const session = sessionOf(randomBytes(SESSION_OCTETS));
  const browser = (request.headers["user-agent"] ?? "").slice(0, BROWSER_CHARACTERS_MAX);
  const { operatorId, tokenId, label } = caller;
  const given = { id: deps.newId(), hash: hashToken(session), tokenId, browser };
  await deps.sessions.open(operatorId, given, label);
  const cookie = sessionCookie(session, isSecure(deps, request), deps.sessionLimits.totalHours * 3_600);
  return {
    status: 201,
    body: await standing(deps, caller, deps.clock()),
    headers: { "set-cookie": cookie },
  };
}

async function standing(deps: HttpDeps, { operatorId, role, label }: Whose, since: Date) {
  const { name } = await deps.requests.operatorOf(operatorId);
  return { role, label, operator: name, expiresAt: sessionEndsAt(since, deps.sessionLimits).toISOString() };
}
