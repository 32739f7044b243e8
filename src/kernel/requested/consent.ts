/**
 * Terms before anything is done (US 6,647,260, figure 7B:732 to 738): their exact text is pushed by SMS, and by mail or fax
 * where one is known and the policy says so, and kept with the answer. A channel is named among those that sent it once it
 * took it. Declined or not answered, nothing was done and nobody is charged.
 */
import { TurnupError } from "../../term/error.ts";
import { hoursAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask } from "../calls/ask.ts";
import { priceWords } from "../catalog/price-words.ts";
import { standingOf } from "../consent/terms-due.ts";
import { provision, tellWhatFell } from "../fulfilment/provision.ts";
import { costsOfItems } from "../fulfilment/request-items.ts";
import { namesOf, tell, textOf } from "../notices/notices.ts";
import { change } from "../order/change.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { ConsentDraft } from "../order/request-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemsOf, type RequestTurn, touchRequest } from "../order/turn.ts";
import { nothingCameOfIt } from "./close.ts";

const NO_CODE = "";

export function askConsent(turn: RequestTurn): void {
  const { scribe, order, terms } = turn;
  if (tellWhatFell(turn) === "stopped") return;
  const open = order.request.consents.filter(({ answer }) => answer === null);
  if (open.length === 0) return provision(turn);
  const policy = terms.policy.request;
  const deadlineAt = hoursAfter(scribe.now, policy.consentDeadlineHours);
  scribe.moveOrder(order, {
    state: "awaiting_consent",
    reason: `terms wait for an answer: ${open.map(({ termsId }) => termsId).join(", ")}`,
    nextAction: "the subscriber agrees or declines",
    dueAt: deadlineAt,
    deadlineAt,
    detail: { terms: open.map(({ termsId, termsVersion }) => ({ termsId, version: termsVersion })) },
  });
  const values = {
    items: namesOf(turn, pending(turn)),
    price: priceOf(turn),
    terms: open.map(({ text }) => text).join(" "),
    code: open[0]?.code ?? NO_CODE,
  };
  const { payloadId } = tell(turn, {
    kind: "terms",
    text: "terms",
    values,
    fields: { code: values.code },
  });
  sendByMail(turn, textOf(turn, "terms", values));
  for (const consent of open) change(consent, { payloadId, askedAt: scribe.now });
  touchRequest(turn);
}

/** In words, of what is booked when it is done. */
const priceOf = (turn: RequestTurn): string => {
  const items = pending(turn);
  const isElsewhere = items.some(({ subject }) => Boolean(subject.server));
  return priceWords(costsOfItems(items), turn.order.request.language, isElsewhere);
};

const pending = (turn: RequestTurn) => itemsOf(turn).filter(({ state }) => state === "pending");

/** The same text to the addresses that are known, by the channels of the policy (R52). */
function sendByMail(turn: RequestTurn, text: string): void {
  const { order, terms } = turn;
  const { email, fax } = order.request.user;
  for (const channel of terms.policy.request.termsAlsoBy) {
    const address = { mail: email, fax }[channel];
    if (address === undefined) continue;
    ask(turn, {
      kind: "mail_notice",
      itemId: null,
      idempotencyKey: `${order.id}:terms:${channel}`,
      body: { channel, language: order.request.language },
      secret: { address, subject: `${terms.operatorName}: ${order.request.reference}`, text },
      deadlineAt: assured(order.deadlineAt, "a request that is not over has a deadline"),
    });
  }
}

/** The mail server's word, for itself and for the gateway that turns mails into faxes. */
export function mailAnswered(turn: RequestTurn, call: OutboundCall<"mail_notice">, answer: CallAnswer): void {
  const { scribe, order } = turn;
  const { channel } = call.body;
  if (answer.kind !== "done") {
    const cause = answer.kind === "refused" || answer.kind === "failed" ? answer.cause : "bad_answer";
    return termsNotTaken(turn, channel, { event: "mail_not_sent", cause });
  }
  for (const consent of order.request.consents) {
    if (consent.payloadId === null || consent.sentBy.includes(channel)) continue;
    change(consent, { sentBy: [...consent.sentBy, channel] });
    scribe.touch(order);
  }
  scribe.note(order, {
    kind: "mail_sent",
    reason: `the mail server took the terms for ${channel}`,
    evidence: "mail_server",
    detail: { channel },
  });
}

/** A channel gave up: the others are enough, or nothing is done, as the policy says. */
export function termsNotTaken(
  turn: RequestTurn,
  channel: string,
  { event, cause }: { readonly event: "mail_not_sent" | "terms_not_sent"; readonly cause: string },
): void {
  const { scribe, order, terms } = turn;
  const why = `the terms did not go out by ${channel}: ${cause}`;
  scribe.note(order, { kind: event, reason: why, detail: { channel, cause } });
  const isOpen = order.state === "awaiting_consent";
  if (isOpen && terms.policy.request.termsNotSent === "stop")
    closeWithoutTrace(turn, "failed", `${why}, and the policy stops there`);
}

/** Whether this message holds terms. */
export const holdsTerms = ({ order }: Pick<RequestTurn, "order">, payloadId: string): boolean =>
  order.request.consents.some((consent) => consent.payloadId === payloadId);

/** @throws TurnupError `nothing_to_answer` */
export function termsAnswered(turn: RequestTurn, answer: "accept" | "decline", channel: string): void {
  const { scribe, order } = turn;
  const open = order.request.consents.filter((consent) => consent.answer === null);
  if (order.state !== "awaiting_consent" || open.length === 0) {
    if (wasAnswered(order.request.consents, answer)) return; // the same answer again changes nothing
    throw new TurnupError(
      "nothing_to_answer",
      `No terms wait for an answer: the request is ${order.state}.`,
      {
        nextStep: "Look at the request as it stands.",
      },
    );
  }
  for (const consent of open) {
    change(consent, { answer, answeredBy: channel, answeredAt: scribe.now });
  }
  touchRequest(turn);
  scribe.note(order, {
    kind: answer === "accept" ? "terms_accepted" : "terms_declined",
    reason: answer === "accept" ? "the terms were agreed to" : "the terms were declined",
    evidence: channel,
    detail: { terms: open.map(({ termsId, termsVersion }) => ({ termsId, version: termsVersion })) },
  });
  if (answer === "accept") {
    tell(turn, {
      kind: "status",
      text: "accepted",
      values: { items: namesOf(turn, pending(turn)) },
    });
    return provision(turn);
  }
  closeWithoutTrace(turn, "declined", "the subscriber declined the terms");
}

const wasAnswered = (consents: readonly ConsentDraft[], given: "accept" | "decline"): boolean =>
  consents.length > 0 && standingOf(consents) === (given === "accept" ? "accepted" : "declined");

export function consentTimedOut(turn: RequestTurn): void {
  const sentBy = new Set(turn.order.request.consents.flatMap(({ sentBy }) => sentBy));
  const how = sentBy.size > 0 ? `they were sent by ${[...sentBy].join(", ")}` : "no channel had taken them";
  closeWithoutTrace(turn, "expired", `nobody answered the terms in time; ${how}`);
}

function closeWithoutTrace(
  turn: RequestTurn,
  state: "declined" | "expired" | "failed",
  reason: string,
): void {
  const { scribe, order } = turn;
  scribe.moveOrder(order, { state, reason, nextAction: NO_ACTION, dueAt: null, deadlineAt: null });
  nothingCameOfIt(turn, reason);
}
