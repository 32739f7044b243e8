/**
 * A service in a new version takes over what is registered in the one before (US 6,647,260, claim 6; R122). At the same service
 * server the user stays the same, with all that they have there, and is changed; at another one they are registered anew, and
 * the former registration ends once the new version is there. Where it comes to nothing, what was changed is put back.
 *
 *   same server     change -> (comes about) the former is `replaced`   | (comes to nothing) restore
 *   another server  register -> (comes about) the former is removed    | (comes to nothing) the new one is removed
 */
import type { CallAnswer } from "../calls/answer.ts";
import { ask, NOTICE_DEADLINE_HOURS, within } from "../calls/ask.ts";
import { change } from "../order/change.ts";
import type { RegistrationDraft } from "../order/request-draft.ts";
import { type RequestItem, type RequestTurn, touchRequest } from "../order/turn.ts";

/** What the version before is registered as; the last one, where there are several. */
export const formerOf = ({ order }: RequestTurn, item: RequestItem): RegistrationDraft | undefined =>
  item.subject.replaces &&
  order.request.registrations
    .filter(
      ({ catalogId, state, itemId }) =>
        catalogId === item.subject.catalogId && state === "registered" && itemId !== item.id,
    )
    .at(-1);

/** It goes on with a user that another registration of ours made there. */
export const isTakeOver = ({ id, registeredAs }: RegistrationDraft): boolean => registeredAs !== id;

/** What a registration begins with where it takes over a former one: as whom, and with what was known there. */
export function takenOver(
  former: RegistrationDraft | undefined,
  { id, service }: Pick<RegistrationDraft, "id" | "service">,
  given: RegistrationDraft["data"],
  asked: readonly string[],
): Pick<RegistrationDraft, "registeredAs" | "remoteId" | "data"> {
  const isSame = former !== undefined && former.service === service && former.remoteId !== null;
  const known = Object.entries(former?.data.fields ?? {}).filter(([name]) => asked.includes(name));
  return {
    registeredAs: isSame ? former.registeredAs : id,
    remoteId: isSame ? former.remoteId : null,
    data: {
      user: { ...former?.data.user, ...given.user },
      fields: { ...Object.fromEntries(known), ...given.fields },
    },
  };
}

/** Puts back what the service server had of the version before. */
export function restoreFormer(
  turn: RequestTurn,
  item: RequestItem,
  registration: RegistrationDraft,
  dueAt: Date,
): void {
  const former = turn.order.request.registrations.find(
    ({ id, registeredAs, state }) =>
      registeredAs === registration.registeredAs && id !== registration.id && state === "registered",
  );
  change(registration, { state: former ? "removing" : "removed", access: null });
  touchRequest(turn);
  if (!former) return;
  turn.scribe.note(turn.order, {
    kind: "registration_taken_back",
    itemId: item.id,
    reason: "the service server is asked to put back what it had of the version before",
  });
  ask(turn, {
    dueAt,
    kind: "service_registration",
    itemId: item.id,
    idempotencyKey: `${item.id}:restore`,
    body: {
      action: "restore",
      service: former.service,
      registrationId: former.registeredAs,
      remoteId: former.remoteId,
      language: turn.order.request.language,
    },
    secret: former.data,
    deadlineAt: within(turn, NOTICE_DEADLINE_HOURS),
  });
}

export function restoreAnswered(
  turn: RequestTurn,
  item: RequestItem,
  registration: RegistrationDraft,
  answer: CallAnswer,
): void {
  const isDone = answer.kind === "registered";
  const cause = answer.kind === "refused" || answer.kind === "failed" ? answer.cause : "bad_answer";
  change(registration, { state: isDone ? "removed" : "not_removed" });
  touchRequest(turn);
  turn.scribe.note(turn.order, {
    kind: isDone ? "registration_restored" : "registration_not_removed",
    itemId: item.id,
    reason: isDone
      ? "the service server has what it had of the version before"
      : `a person has to see to the registration at the service server: ${cause}`,
    ...(isDone && { evidence: "service_server" }),
  });
}

/** The new version is there. */
export function tookOver(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order } = turn;
  const former = formerOf(turn, item);
  const own = order.request.registrations.find(({ itemId }) => itemId === item.id);
  if (!former || !own) return;
  touchRequest(turn);
  if (own.registeredAs === former.registeredAs) return void change(former, { state: "replaced" });
  change(former, { state: "removing", access: null });
  scribe.note(order, {
    kind: "registration_end_asked",
    itemId: item.id,
    reason: "the service server of the version before is asked to end its registration",
  });
  ask(turn, {
    kind: "service_registration",
    itemId: item.id,
    idempotencyKey: `${item.id}:remove:${former.id}`,
    body: {
      action: "remove",
      service: former.service,
      registrationId: former.registeredAs,
      remoteId: former.remoteId,
      language: null,
    },
    deadlineAt: within(turn, NOTICE_DEADLINE_HOURS),
  });
}
