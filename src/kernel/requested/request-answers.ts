/**
 * What the machines of others answered to a request's calls. No answer leaves a call due again, later and later, until its
 * deadline; then it counts as a no. What they say of somebody stays with them: only their causes, as words, are written down.
 */

import { billingAnswered } from "../billing/billing.ts";
import { collectionAnswered } from "../billing/collection.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { NOT_CONFIGURED } from "../calls/ask.ts";
import { nextTry } from "../calls/next-try.ts";
import { elementAnswered } from "../fulfilment/elements.ts";
import { forwardAnswered, isUnderWay, knownThere } from "../fulfilment/forward.ts";
import { servicesOf } from "../fulfilment/modules.ts";
import { apply } from "../fulfilment/provision.ts";
import type { CallChange } from "../order/change-set.ts";
import { isFinal } from "../order/ending.ts";
import type { RequestCall, RequestCallKind } from "../order/outbound-call.ts";
import type { RequestTurn } from "../order/turn.ts";
import { mailAnswered } from "./consent.ts";
import { registrationModuleOf } from "./registration-module.ts";

const WHO: Readonly<Record<RequestCallKind, string>> = {
  identity_check: "the identity bureau",
  card_check: "the payment provider",
  collection: "the payment provider",
  service_registration: "the service server",
  element_task: "the network's element",
  billing_notice: "the billing centre",
  mail_notice: "the mail server",
  forward_request: "the item's own server",
};
const MAX_CAUSE_CHARACTERS = 40;

export function requestAnswered(turn: RequestTurn, call: RequestCall, given: CallAnswer): void {
  const { scribe, order } = turn;
  const answer = tidy(call, given);
  const change = (
    state: "due" | "done" | "refused" | "given_up",
    reason: string,
    dueAt: Date | null = null,
    known: Pick<CallChange, "content"> = {},
  ) => scribe.changes.callChanges.push({ id: call.id, state, reason, dueAt, ...known });
  if (isUnderWay(answer)) {
    const reason = `${WHO[call.kind]} is at it`;
    if (isFinal(order)) return void change("done", `${reason}; nobody waits for it any more`);
    const retry = nextTry(scribe, call);
    change(retry ? "due" : "given_up", reason, retry, knownThere(call, answer));
    dispatch(turn, call, answer);
    if (!retry) dispatch(turn, call, { kind: "failed", cause: "under_way", reason });
    return;
  }
  if (answer.kind === "failed") {
    // A bureau that nobody configured will not answer: who may be looked at by a person need not wait for that.
    const isInVain =
      call.kind === "identity_check" && answer.cause === NOT_CONFIGURED && mayBeReviewed(order);
    const retry = isInVain ? undefined : nextTry(scribe, call);
    const reason = `${WHO[call.kind]} gave no answer: ${answer.cause}`;
    if (call.attempts === 1)
      scribe.note(order, { kind: `${call.kind}_delayed`, itemId: call.itemId, reason });
    if (retry) return void change("due", reason, retry);
    change("given_up", reason);
  } else if (answer.kind === "refused") change("refused", `${WHO[call.kind]} refused: ${answer.cause}`);
  else change("done", `${WHO[call.kind]} answered`);
  dispatch(turn, call, answer);
}

const mayBeReviewed = ({ request }: RequestTurn["order"]): boolean =>
  request.verification?.due.orReview === true;

function dispatch(turn: RequestTurn, call: RequestCall, answer: CallAnswer): void {
  switch (call.kind) {
    case "identity_check":
    case "card_check":
      return registrationModuleOf(turn.deps).answered(turn, call, answer);
    case "collection":
      return collectionAnswered(turn, call, answer);
    case "service_registration":
      return servicesOf(turn).answered(turn, call, answer);
    case "element_task":
      return elementAnswered(turn, call, answer);
    case "forward_request":
      return forwardAnswered(turn, call, answer);
    case "billing_notice": {
      const prepared = billingAnswered(turn, call, answer);
      if (prepared) apply(turn, prepared);
      return;
    }
    case "mail_notice":
      return mailAnswered(turn, call, answer);
  }
}

/** An answer of another kind of machine is none. */
const EXPECTED: Readonly<Record<RequestCallKind, readonly CallAnswer["kind"][]>> = {
  identity_check: ["answered"],
  card_check: ["done"],
  collection: ["done"],
  service_registration: ["registered", "needs_information", "done"],
  element_task: ["done"],
  billing_notice: ["done"],
  mail_notice: ["done"],
  forward_request: ["forwarded"],
};

function tidy(call: RequestCall, answer: CallAnswer): CallAnswer {
  if (answer.kind === "refused" || answer.kind === "failed") {
    const cause = answer.cause
      .toLowerCase()
      .replace(/[^a-z_]+/g, "_")
      .slice(0, MAX_CAUSE_CHARACTERS);
    return { ...answer, cause: cause || "unknown" };
  }
  if (EXPECTED[call.kind].includes(answer.kind)) return answer;
  return { kind: "failed", cause: "bad_answer", reason: "the answer is not one to this call" };
}
