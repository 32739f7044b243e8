/**
 * Terms before anything is done (US 6,647,260, figure 7B:732 to 738): their exact text is pushed by SMS, and by mail or fax
 * where one is known, and kept with the answer. Declined or not answered, nothing was done and nobody is charged.
 */
import { TurnupError } from "../../../term/error.ts";
import { priceWords } from "../../catalog/price-words.ts";
import { hoursAfter, NO_ACTION } from "../scribe.ts";
import { ask } from "./ask.ts";
import { nothingCameOfIt } from "./begin.ts";
import { itemsOf, type RequestContext, touchRequest } from "./context.ts";
import { namesOf, tell, textOf } from "./notices.ts";
import { provision, tellWhatFell } from "./provision.ts";
import type { ConsentDraft } from "./request-draft.ts";
import { costsOfItems } from "./request-items.ts";

const NO_CODE = "";

export function askConsent(context: RequestContext): void {
  const { scribe, order, terms } = context;
  if (tellWhatFell(context) === "stopped") return;
  const open = order.request.consents.filter(({ answer }) => answer === null);
  if (open.length === 0) return provision(context);
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
    items: namesOf(context, pending(context)),
    price: priceOf(context),
    terms: open.map(({ text }) => text).join(" "),
    code: open[0]?.code ?? NO_CODE,
  };
  tell(context, { kind: "terms", text: "terms", values, fields: { code: values.code } });
  const byMail = sendByMail(context, textOf(context, "terms", values));
  for (const consent of open) {
    Object.assign(consent, { sentBy: ["sms", ...byMail], askedAt: scribe.now, changed: true });
  }
  touchRequest(context);
}

/** In words, of what is booked when it is done. */
const priceOf = (context: RequestContext): string =>
  priceWords(costsOfItems(pending(context)), context.order.request.language);

const pending = (context: RequestContext) => itemsOf(context).filter(({ state }) => state === "pending");

/** The same text to the addresses that are known (row 52). */
function sendByMail(context: RequestContext, text: string): readonly string[] {
  const { order, terms } = context;
  const { email, fax } = order.request.user;
  const sent: string[] = [];
  for (const [channel, address] of [
    ["mail", email],
    ["fax", fax],
  ] as const) {
    if (address === undefined) continue;
    sent.push(channel);
    ask(context, {
      kind: "mail_notice",
      itemId: null,
      idempotencyKey: `${order.id}:terms:${channel}`,
      body: { channel, language: order.request.language },
      secret: { address, subject: `${terms.operatorName}: ${order.request.reference}`, text },
      deadlineAt: order.deadlineAt!,
    });
  }
  return sent;
}

/** @throws TurnupError `nothing_to_answer` */
export function termsAnswered(context: RequestContext, answer: "accept" | "decline", channel: string): void {
  const { scribe, order } = context;
  const open = order.request.consents.filter((consent) => consent.answer === null);
  if (order.state !== "awaiting_consent" || open.length === 0) {
    if (wasAnswered(order.request.consents, answer)) return; // the same answer again changes nothing
    throw new TurnupError("nothing_to_answer", `no terms wait for an answer: the request is ${order.state}`, {
      nextStep: "look at the request as it stands",
    });
  }
  for (const consent of open) {
    Object.assign(consent, { answer, answeredBy: channel, answeredAt: scribe.now, changed: true });
  }
  touchRequest(context);
  scribe.note(order, {
    kind: answer === "accept" ? "terms_accepted" : "terms_declined",
    reason: answer === "accept" ? "the terms were agreed to" : "the terms were declined",
    evidence: channel,
    detail: { terms: open.map(({ termsId, termsVersion }) => ({ termsId, version: termsVersion })) },
  });
  if (answer === "accept") {
    tell(context, {
      kind: "status",
      text: "accepted",
      values: { items: namesOf(context, pending(context)) },
    });
    return provision(context);
  }
  closeWithoutTrace(context, "declined", "the subscriber declined the terms");
}

const wasAnswered = (consents: readonly ConsentDraft[], given: "accept" | "decline"): boolean =>
  consents.length > 0 && consents.every(({ answer }) => answer === given);

export function consentTimedOut(context: RequestContext): void {
  closeWithoutTrace(context, "expired", "nobody answered the terms in time");
}

function closeWithoutTrace(context: RequestContext, state: "declined" | "expired", reason: string): void {
  const { scribe, order } = context;
  scribe.moveOrder(order, { state, reason, nextAction: NO_ACTION, dueAt: null, deadlineAt: null });
  nothingCameOfIt(context, reason);
}
