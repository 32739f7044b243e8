/** Ends a user at a provider: deleted, or let in no more where the provider deletes nobody. What it says then is looked at. */
import type { ServiceServerPort } from "../../kernel/calls/connectors.ts";
import { PATCH_SCHEMA } from "../../wire/message/scim.ts";
import { type Answered, type ExchangeFailure, failed } from "../exchange/exchange.ts";
import { mergedUser } from "./scim-bodies.ts";
import { outcomeOf } from "./scim-outcome.ts";
import type { ScimSession } from "./scim-session.ts";
import { isSuccess, pathOf, tagged } from "./scim-step.ts";
import { userIn } from "./scim-user.ts";

/** How DELETE is refused by those that keep every user (RFC 7644 clause 3.6 lets them deactivate instead). */
const DELETES_NOBODY = [405, 501];
/** How a PATCH is refused that a provider does not have, or does not read. */
const PATCH_REFUSED = [400, 404, 405, 415, 422, 501];
const GONE = [404, 410];
const LET_IN_NO_MORE = { active: false } as const;

export async function end(session: ScimSession, remoteId: string): ReturnType<ServiceServerPort["remove"]> {
  const path = pathOf(remoteId);
  const answer = await tagged(session, remoteId, undefined, (_user, ifMatch) =>
    session.send({ method: "DELETE", path, ...ifMatch }),
  );
  if (hasStatus(answer, [200, 202, 204, ...GONE])) return { kind: "done" };
  return hasStatus(answer, DELETES_NOBODY) ? deactivate(session, remoteId) : outcomeOf(answer);
}

async function deactivate(session: ScimSession, remoteId: string): ReturnType<ServiceServerPort["remove"]> {
  const path = pathOf(remoteId);
  const patch = { schemas: [PATCH_SCHEMA], Operations: [{ op: "replace", value: LET_IN_NO_MORE }] };
  const known = await session.send({ method: "GET", path });
  if (hasStatus(known, GONE)) return { kind: "done" };
  if (known.kind === "failed" || known.status !== 200) return outcomeOf(known);
  const user = userIn(known, session.base);
  let answer = await tagged(session, remoteId, user, (_user, ifMatch) =>
    session.send({ method: "PATCH", path, body: patch, ...ifMatch }),
  );
  if (hasStatus(answer, PATCH_REFUSED))
    answer = await tagged(session, remoteId, user, ({ members }, ifMatch) =>
      session.send({
        method: "PUT",
        path,
        body: mergedUser(members, LET_IN_NO_MORE, remoteId, true),
        ...ifMatch,
      }),
    );
  if (hasStatus(answer, GONE)) return { kind: "done" };
  if (answer.kind === "failed" || !isSuccess(answer)) return outcomeOf(answer);
  const after = await session.send({ method: "GET", path });
  if (hasStatus(after, GONE)) return { kind: "done" };
  if (after.kind === "failed" || after.status !== 200) return outcomeOf(after);
  return userIn(after, session.base)?.active === false
    ? { kind: "done" }
    : failed("bad_answer", "the service server deletes nobody, and lets the user in still");
}

const hasStatus = (answer: Answered | ExchangeFailure, statuses: readonly number[]): boolean =>
  answer.kind === "answered" && statuses.includes(answer.status);
