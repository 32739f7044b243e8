/**
 * What follows from where a request stands, looked at once at the end of each transaction that touched it: the bill moves
 * with what is done and stays with what is not, the order ends when its items have, and the subscriber hears how it ended.
 */

import { minutesAfter } from "../../term/moment.ts";
import { billDone, billNothing, billUnproved, isBilled } from "../billing/billing.ts";
import { collectDone, firstRenewalOf } from "../billing/collection.ts";
import { nameOf, namesOf, stateWords, tell, textOf } from "../notices/notices.ts";
import { momentWords } from "../operator/local-time.ts";
import { localZone } from "../operator/quiet-hours.ts";
import { change } from "../order/change.ts";
import { endIfDone, isClosed, isFinal } from "../order/ending.ts";
import { isRequestItemDone, leavesAccessPoints } from "../order/item-done.ts";
import type { RequestDraft } from "../order/request-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemsOf, type RequestItem, type RequestTurn, touchRequest, updateItem } from "../order/turn.ts";
import { undoElements } from "./elements.ts";
import { givenOf } from "./item-values.ts";
import { servicesOf } from "./modules.ts";
import { applyModules } from "./provision.ts";
import { endReplaced, forgetFormer, letLeave, sayWhatIsLeft, stepReplacement } from "./replacement.ts";
import { tellTakenBack } from "./withhold.ts";

export function settle(turn: RequestTurn): void {
  const { order, terms } = turn;
  for (const item of itemsOf(turn)) settleItem(turn, item);
  if (order.state === "provisioning") letLeave(turn);
  endIfDone(turn);
  sayWhatIsLeft(turn);
  if (isFinal(order)) {
    for (const item of itemsOf(turn)) {
      if (isClosed(item) || isRequestItemDone(item, terms.policy.doneAt)) continue;
      billUnproved(turn, item);
    }
    if (order.state !== order.request.stateBefore) tellTheEnd(turn);
    tellTakenBack(turn);
    forgetFormer(turn);
    keepNoData(turn);
    return;
  }
  schedule(turn);
}

function settleItem(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = turn;
  stepReplacement(turn, item);
  const { subject } = item;
  if (isClosed(item)) {
    billNothing(turn, item);
    undoElements(turn, item);
    servicesOf(turn).takeBack(turn, item);
    cancelModules(turn, item);
    return;
  }
  if (item.kind === "service" && subject.action === "remove" && item.state === "works")
    applyModules(turn, item);
  if (subject.server) return; // its own server has it, and bills it
  if (item.cause === "had" || isBilled(item) || !isRequestItemDone(item, terms.policy.doneAt)) return;
  if (subject.moduleOf !== null) return; // it is its service's
  if (subject.replaces?.isGivenAnew)
    updateItem(turn, item, { billing: { ...subject.billing, state: "unchanged" } });
  else {
    billDone(turn, item);
    collectDone(turn, item);
  }
  const { operatorId, subscriberId, deviceId, id: orderId } = order;
  const { catalogId, version } = subject;
  if (subject.action === "remove") {
    return void scribe.changes.provisionedEnds.push({ operatorId, subscriberId, catalogId, orderId });
  }
  const id = scribe.newId();
  endReplaced(turn, item);
  const given = givenOf(turn, item);
  // Another number to forward calls to begins no month anew.
  const renewsAt = subject.replaces?.isGivenAnew ? ("as_before" as const) : firstRenewalOf(turn, item);
  const what = { catalogId, version, given, renewsAt };
  scribe.changes.provisioned.push({ id, operatorId, subscriberId, deviceId, orderId, ...what });
}

/** What was never begun with takes along what belongs to it on the device. */
function cancelModules(turn: RequestTurn, service: RequestItem): void {
  for (const item of itemsOf(turn)) {
    if (item.subject.moduleOf !== service.id || item.state !== "pending") continue;
    turn.scribe.moveItem(turn.order, item, {
      state: "cancelled",
      reason: `${nameOf(turn, service)}, which it belongs to, came to nothing`,
      nextAction: NO_ACTION,
      deadlineAt: null,
    });
  }
}

/** A request of which nothing came keeps nothing of its user, nor does a registration that is none. */
function keepNoData(turn: RequestTurn): void {
  const { request } = turn.order;
  const isNothing = itemsOf(turn).every((item) => isClosed(item) || item.cause === "had");
  if (isNothing && Object.keys(request.user).length > 0) {
    request.user = {};
    touchRequest(turn);
  }
  for (const registration of request.registrations) {
    const { user, fields } = registration.data;
    const isEmpty = Object.keys(user).length + Object.keys(fields).length === 0;
    if (registration.state === "registered" || isEmpty) continue;
    change(registration, { data: { user: {}, fields: {} } });
    touchRequest(turn);
  }
}

/** When it is looked at next: at its deadlines, and when the next periodic status is due (R47). */
function schedule(turn: RequestTurn): void {
  const { scribe, order, terms } = turn;
  const { statusIntervalMinutes } = terms.policy.request;
  const next =
    statusIntervalMinutes === null
      ? null
      : (order.request.nextNoticeAt ?? minutesAfter(scribe.now, statusIntervalMinutes));
  if (order.request.nextNoticeAt?.getTime() !== next?.getTime()) {
    order.request.nextNoticeAt = next;
    touchRequest(turn);
  }
  if (next !== null && order.dueAt !== null && next < order.dueAt) {
    change(order, { dueAt: next });
    scribe.touch(order);
  }
}

/** The last notice: what was provisioned, and what was not (R19 and R21). */
function tellTheEnd(turn: RequestTurn): void {
  const { order, terms } = turn;
  const { request } = order;
  const all = itemsOf(turn).filter(({ subject }) => subject.moduleOf === null);
  const items = all.filter(({ subject }) => !subject.leaves);
  const left = all.filter((item) => item.subject.leaves && isRequestItemDone(item, terms.policy.doneAt));
  const done = items.filter((item) => isRequestItemDone(item, terms.policy.doneAt));
  const stay = [...left, ...done].filter(({ subject }) => leavesAccessPoints(subject));
  const more = [
    ...(left.length > 0 ? [textOf(turn, "alsoEnded", { items: namesOf(turn, left) })] : []),
    ...(stay.length > 0 ? [textOf(turn, "accessPointsStay", { items: namesOf(turn, stay) })] : []),
  ];
  const values = {
    items: namesOf(turn, done),
    others: namesOf(
      turn,
      items.filter((item) => !done.includes(item)),
    ),
    reason: order.reason,
  };
  switch (order.state) {
    case "completed":
      tell(turn, { kind: "done", text: request.action === "remove" ? "removed" : "done", values, more });
      break;
    case "partly_completed":
      tell(turn, { kind: "done", text: "partlyDone", values, more });
      break;
    case "failed":
      tell(turn, { kind: "status", text: "failed", values });
      break;
    case "rejected":
      tell(turn, {
        kind: "declined",
        text: "rejected",
        values: { ...values, reason: rejectionOf(turn) },
      });
      break;
    case "declined":
      tell(turn, { kind: "declined", text: "declined", values });
      break;
    case "expired":
      tell(turn, { kind: "status", text: "expired", values });
      break;
    case "cancelled":
      tellOfCancel(turn, values);
      break;
    default:
  }
  // A service's own data is kept with its registration; nothing else is needed any more.
  change(request, { fields: {}, nextNoticeAt: null });
  touchRequest(turn);
}

/** What nobody was asked for, what is being taken back, and what stays since it was done before. */
function tellOfCancel(turn: RequestTurn, values: Readonly<Record<string, string>>): void {
  const { terms } = turn;
  const items = itemsOf(turn);
  const parts = [
    ["cancelledWithheld", items.filter(({ cause }) => cause === "withheld")],
    ["cancelledTakingBack", items.filter(({ cause }) => cause === "taking_back")],
    [
      "cancelledKept",
      items.filter((item) => item.cause !== "had" && isRequestItemDone(item, terms.policy.doneAt)),
    ],
  ] as const;
  const more = parts.flatMap(([name, some]) => {
    const named = namesOf(turn, some);
    return named === "" ? [] : [textOf(turn, name, { items: named })];
  });
  if (turn.subject.msisdn !== null)
    return void tell(turn, { kind: "status", text: "cancelled", values, more });
  turn.scribe.note(turn.order, {
    kind: "notice_withheld",
    reason: "nobody is told of the end: no phone number is known for this SIM",
  });
}

/** Patterns of fraud are the operator's affair: whoever is stopped for one is told no more than that. */
const TOLD_REASONS = /^(user_data|user_unknown|identity|card_missing|card_refused|card_unverified)/;

export const rejectionOf = ({ order }: Pick<RequestTurn, "order">): string => {
  const codes = (order.request.verification?.reasons ?? []).map(({ code }) => code);
  const told = codes.filter((code) => TOLD_REASONS.test(code));
  return told.length > 0 ? told.map((code) => code.replaceAll("_", " ")).join(", ") : "please contact us";
};

/** It waits for a person of the operator, and for nobody else. */
export const isReviewed = ({ verification }: RequestDraft): boolean =>
  verification?.findings.review?.state === "asked";

/** That a person looks at who asks, and until when: whoever waits for people knows for whom and how long (R23, R124). */
export function tellReview(turn: RequestTurn): void {
  const { order, terms, subject } = turn;
  if (order.deadlineAt === null || subject.msisdn === null) return; // screens say it too
  const zone = localZone(terms.policy.quietHours, subject.homePlmn);
  const until = momentWords(order.deadlineAt, order.request.language, zone);
  tell(turn, { kind: "status", text: "underReview", values: { until } });
}

/** The periodic word of how far it is. */
export function tellStatus(turn: RequestTurn): void {
  const { scribe, order, terms } = turn;
  const { statusIntervalMinutes } = terms.policy.request;
  const state = stateWords(order.state, order.request.language);
  tell(turn, { kind: "status", text: "status", values: { state } });
  order.request.nextNoticeAt =
    statusIntervalMinutes === null ? null : minutesAfter(scribe.now, statusIntervalMinutes);
  touchRequest(turn);
}
