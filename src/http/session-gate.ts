/**
 * Who asks from a browser: the cookie of a session in a token's place. It is looked up at each request, so one that is ended, or whose
 * token is revoked, opens nothing from then on. A page of somebody else could make a browser send it along, so whatever changes
 * something has to bring a header that no other site can set, and to come from this one.
 */
import type { FastifyRequest } from "fastify";
import type { Caller } from "../kernel/account/role.ts";
import { admitSession } from "../kernel/account/session.ts";
import { hashToken } from "../kernel/account/token.ts";
import { TurnupError } from "../term/error.ts";
import type { HttpDeps } from "./ports.ts";

/** What a browser's own pages send along; a form or a picture of another site cannot. */
const CONSOLE_HEADER = "x-turnup-console";
const COOKIE = "turnup_session";
/** Browsers take this name from a secure page of just this host alone (RFC 6265bis clause 4.1.3.2). */
const SECURE_COOKIE = `__Host-${COOKIE}`;
const SESSION_SHAPE = /^tus_[A-Za-z0-9_-]{43}$/;
/** Of `last_seen_at`: written at most so often. */
const NOTE_EVERY_MS = 60_000;
const SAFE = ["GET", "HEAD", "OPTIONS"];

/** The text of a new session, from 32 random octets. */
export const sessionOf = (random: Uint8Array): string => `tus_${Buffer.from(random).toString("base64url")}`;

/** Whether a browser is at a secure page of ours. Behind a proxy that ends TLS, the public URL says so. */
export const isSecure = ({ requests }: Pick<HttpDeps, "requests">, { protocol }: FastifyRequest): boolean =>
  protocol === "https" || requests.publicUrl().startsWith("https:");

/**
 * What the request's cookie says; undefined where there is none. At a secure page the plain name is nobody's: a neighbouring host, or
 * whoever sits on an unencrypted line, can plant it and so make somebody work in a session of theirs.
 */
export function sessionIn(deps: Pick<HttpDeps, "requests">, request: FastifyRequest): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("=", 2));
  const named = (wanted: string): string | undefined =>
    pairs.find(([name, value = ""]) => name === wanted && SESSION_SHAPE.test(value))?.[1];
  return named(SECURE_COOKIE) ?? (isSecure(deps, request) ? undefined : named(COOKIE));
}

/** The header that gives a browser its session, or takes it away. */
export function sessionCookie(value: string | null, isSecure: boolean, seconds: number): string {
  const name = isSecure ? SECURE_COOKIE : COOKIE;
  const rest = `Path=/; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
  return `${name}=${value ?? ""}; Max-Age=${value === null ? 0 : seconds}; ${rest}`;
}

type Deps = Pick<HttpDeps, "sessions" | "sessionLimits" | "clock">;

/**
 * @throws TurnupError `session_ended`, `token_revoked`, `token_expired`
 * @throws TurnupError `origin_refused`: it would change something and does not come from a page of ours
 */
export async function callerOfSession(
  { sessions, sessionLimits, clock }: Deps,
  session: string,
  request: FastifyRequest,
): Promise<Caller> {
  refuseForeign(request);
  const record = await sessions.findByHash(hashToken(session));
  const now = clock();
  const caller = admitSession(record, sessionLimits, now);
  if (record && now.getTime() - record.lastSeenAt.getTime() > NOTE_EVERY_MS)
    await sessions.touch(record.id, now);
  return caller;
}

function refuseForeign({ method, headers, host }: FastifyRequest): void {
  if (SAFE.includes(method)) return;
  if (headers[CONSOLE_HEADER] === undefined)
    throw foreign(`A session changes things only with the header ${CONSOLE_HEADER}.`);
  const { origin } = headers;
  if (headers["sec-fetch-site"] === "same-origin" || origin === undefined) return;
  if (hostIn(origin) !== host) throw foreign("This request comes from a page of another site.");
}

function hostIn(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const foreign = (fact: string): TurnupError =>
  new TurnupError("origin_refused", fact, {
    nextStep: "Use the console's own pages, or a token in the header 'Authorization'.",
  });
