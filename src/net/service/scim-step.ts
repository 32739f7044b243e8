/**
 * One step of a walk with a provider: a user that is ours, or the outcome that the answer comes to; and requests that want
 * the user as it was seen.
 */
import type { ServiceAnswer, ServiceRegistration } from "../../kernel/calls/connectors.ts";
import { USERS } from "../../wire/message/scim.ts";
import { type Answered, type ExchangeFailure, failed } from "../exchange/exchange.ts";
import { needsInRefusal } from "./scim-needs.ts";
import { outcomeOf, refused } from "./scim-outcome.ts";
import type { ScimSession } from "./scim-session.ts";
import { readUser, type ScimUser, userIn } from "./scim-user.ts";

/** Of If-Match: the tag is an old one, or one is wanted (RFC 9110 clause 15.5.13, RFC 6585 clause 3). */
const TAG_REFUSED = [412, 428];
const MAX_TAG_TRIES = 3;

/** Everything but a user ends the walk with its outcome. */
export type Step = { readonly kind: "user"; readonly user: ScimUser } | ServiceAnswer;

export const pathOf = (remoteId: string): string => `${USERS}/${encodeURIComponent(remoteId)}`;

/**
 * Changes a user that nobody else changed meanwhile: with its entity-tag where it is known, read anew where that is an old
 * one or one is wanted. A weak tag never fits where it is compared strongly (RFC 9110 clause 13.1.1); there, at last, it
 * goes without.
 */
export async function tagged(
  session: ScimSession,
  remoteId: string,
  known: ScimUser | undefined,
  ask: (user: ScimUser, ifMatch: { readonly ifMatch?: string }) => Promise<Answered | ExchangeFailure>,
): Promise<Answered | ExchangeFailure> {
  let user = known ?? NOBODY;
  for (let tries = 1; ; tries++) {
    const { version } = user;
    const goesWithout = version === undefined || (tries === MAX_TAG_TRIES && version.startsWith("W/"));
    const answer = await ask(user, goesWithout ? {} : { ifMatch: version });
    if (answer.kind === "failed" || !TAG_REFUSED.includes(answer.status)) return answer;
    if (tries === MAX_TAG_TRIES) return failed("busy", "others change the user over there at this time");
    const fresh = await session.send({ method: "GET", path: pathOf(remoteId) });
    if (fresh.kind === "failed" || fresh.status !== 200) return fresh;
    user = userIn(fresh, session.base) ?? NOBODY;
  }
}
const NOBODY = readUser(undefined);

export async function read(
  session: ScimSession,
  registration: ServiceRegistration,
  remoteId: string,
): Promise<Step> {
  const answer = await session.send({ method: "GET", path: pathOf(remoteId) });
  const step = stepOf(session, registration, answer);
  return step.kind === "user" ? { ...step, user: { ...step.user, id: remoteId } } : step;
}

export const isSuccess = ({ status }: Answered): boolean => status >= 200 && status < 300;

/** An answer with a user in it, or the outcome that it comes to. */
export function stepOf(
  { base }: ScimSession,
  registration: ServiceRegistration,
  answer: Answered | ExchangeFailure,
): Step {
  if (answer.kind === "failed") return outcomeOf(answer);
  if (isSuccess(answer)) {
    const user = userIn(answer, base);
    return user ? own(registration, user) : failed("bad_answer", "the answer is no user");
  }
  return answer.status === 400 || answer.status === 422 ? needed(answer, registration) : outcomeOf(answer);
}

/** Somebody else's user would give this user's data and access away. */
export function own({ id }: ServiceRegistration, user: ScimUser): Step {
  return user.externalId === undefined || user.externalId === id
    ? { kind: "user", user }
    : failed("bad_answer", "the user is of another registration");
}

function needed(answer: Answered, registration: ServiceRegistration): ServiceAnswer {
  const needs = needsInRefusal(answer, registration);
  if (needs === undefined) return refused("malformed", "the service server cannot read the request");
  if (needs === "invalid")
    return refused("invalid_value", "a value is wrong, and the server does not say which");
  return { kind: "needs_information", ...needs };
}
