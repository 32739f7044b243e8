/**
 * The first step of an order: name the model, judge it, choose settings, get or ask for a key, compose, queue.
 * Everything that can be done without waiting for somebody is done in this one transaction; what cannot, waits with a
 * reason, a next try and a deadline.
 */

import { earlierOf, hoursAfter, minutesAfter } from "../../term/moment.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import { keyPoints, sendKey, sendSettings, sendTogether } from "../delivery/send.ts";
import { settingsDetail } from "../delivery/settings-detail.ts";
import { type OperatorTerms, type Relation, relationOf } from "../operator/operator-terms.ts";
import { ACCESS_POINTS_BLOCKED, type SettingsChoice } from "../operator/settings-choice.ts";
import { apnsOf } from "../order/access-points.ts";
import { change } from "../order/change.ts";
import { endIfDone, failItem } from "../order/ending.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import { FIRST_RECHECK_MINUTES, RECHECK_MINUTES } from "../order/recheck.ts";
import { NO_ACTION } from "../order/scribe.ts";
import type { Booking, Turn } from "../order/turn.ts";
import type { SettingsValues } from "../payload/settings-values.ts";
import type { Judgement } from "../support/judge.ts";
import { type SeenSymptom, symptomsOf } from "../support/symptoms.ts";
import { sendInSettings } from "./key-in-settings.ts";
import { isLeftBehind, keyItem, newItem } from "./key-item.ts";
import { keyRoadOf } from "./key-road.ts";

/** @param symptoms what the network saw its applications fail at, newest first */
export function openOrder(turn: Turn, symptoms: readonly SeenSymptom[]): void {
  const { deps, scribe, order, subject, terms } = turn;
  if (subject.msisdn === null) {
    return wait(turn, {
      cause: "msisdn_unknown",
      reason: "no phone number is known for this SIM",
      nextAction: "send a sighting with its MSISDN",
    });
  }
  const judgement = deps.judge(order, subject, terms, scribe.now);
  const relation = relationOf(terms, judgement.make);
  noteJudgement(turn, judgement, symptoms);
  if (judgement.service?.answer === "no") return wait(turn, notServed(judgement.service.plmn));
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused" && choice.code === ACCESS_POINTS_BLOCKED)
    return sendWhatWorks(turn, judgement, choice);
  if (choice.kind === "refused") {
    const { code: cause, reason, nextAction = "add an access point of your own for these SIMs" } = choice;
    return wait(turn, { cause, reason, nextAction });
  }
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  scribe.moveOrder(order, {
    state: "provisioning",
    reason: "settings and keys are on their way",
    nextAction: "wait for receipts and proof",
    // Proof asks for its deadline from its own time on: a look after this long is early enough for all of them.
    dueAt: earlierOf(deadlineAt, hoursAfter(scribe.now, terms.policy.proofDeadlineHours)),
    deadlineAt,
    detail: settingsDetail(choice, judgement),
  });
  const leftBehind = isLeftBehind(judgement, relation, terms);
  const key = leftBehind ? keyItem(turn, relation, judgement) : null;
  // Where they come out of the key, nothing else sets them: traffic on them proves the key.
  const isInSettings = key !== null && keyRoadOf(judgement, relation) === "settings";
  const values = valuesFor(choice.values, leftBehind && !isInSettings, relation, terms);
  const settings = newItem(turn, "settings", apnsOf(values.points));
  order.items.push(...(key ? [key.item, settings] : [settings]));
  if (key && isInSettings) {
    if (key.bytes)
      return sendInSettings(turn, { item: key.item, key: decodeDeviceKey(key.bytes) }, settings, {
        values,
        road: judgement,
      });
    return scribe.moveItem(order, settings, {
      state: "pending",
      cause: SENT_WITH_KEY,
      reason: "the access points of a key go with these settings, and the key is not here yet",
      nextAction: "send them when the key arrives, or the settings alone when none comes",
      deadlineAt: key.item.deadlineAt,
    });
  }
  if (key && terms.policy.package === "together" && judgement.protocol === "omacp") {
    if (key.bytes) {
      sendTogether(turn, { item: key.item, bytes: key.bytes }, { item: settings, road: judgement }, values);
      return endIfDone(turn);
    }
    return scribe.moveItem(order, settings, {
      state: "pending",
      cause: SENT_WITH_KEY,
      reason: "key and settings go in one message, and the key is not here yet",
      nextAction: "send both when the key arrives, or the settings alone when none comes",
      deadlineAt: key.item.deadlineAt,
    });
  }
  if (key?.bytes) sendKey(turn, key.item, key.bytes);
  sendSettings(turn, settings, values, judgement);
  endIfDone(turn); // what its bearer does not carry was refused
}

/** Two lists contradict what is seen, or the handset roams where it has no service: nothing sent would arrive. */
const notServed = (plmn: string): Missing => ({
  cause: "network_cannot_serve",
  reason: `the model has none of the bands of network ${plmn}, by what is known of both`,
  nextAction: "correct the model's bands (turnup import models), or wait until it is seen elsewhere",
});

/** No settings can be made on the model (R127): a key still can, and the record says why there is nothing else. */
function sendWhatWorks(
  turn: Turn,
  judgement: Judgement,
  { code: cause, reason }: Extract<SettingsChoice, { readonly kind: "refused" }>,
): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  scribe.moveOrder(order, {
    state: "provisioning",
    reason: "settings cannot be made on this model; a key is sent where it takes one",
    nextAction: "wait for receipts and proof",
    dueAt: earlierOf(deadlineAt, hoursAfter(scribe.now, terms.policy.proofDeadlineHours)),
    deadlineAt,
    detail: { withheld: { [cause]: reason } },
  });
  const relation = relationOf(terms, judgement.make);
  const key = isLeftBehind(judgement, relation, terms) ? keyItem(turn, relation, judgement) : null;
  const settings = newItem(turn, "settings", []);
  order.items.push(...(key ? [key.item, settings] : [settings]));
  failItem(turn, settings, { cause, reason });
  if (key?.bytes) sendKey(turn, key.item, key.bytes);
  endIfDone(turn);
}

/** The settings item waits for a key, to go in one message with it. */
export const SENT_WITH_KEY = "sent_with_key";
export const waitsForKey = (item: ItemDraft): boolean =>
  item.state === "pending" && item.cause === SENT_WITH_KEY;

/** Settings whose key will not come go without it; done for every order whose key was given up. */
export function sendWithoutKey(turn: Turn): void {
  const { deps, scribe, order, subject, terms } = turn;
  const waiting = order.items.find(waitsForKey);
  if (!waiting || order.items.some(({ state }) => state === "waiting_for_key")) return;
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused")
    return failItem(turn, waiting, { cause: choice.code, reason: choice.reason });
  const values = valuesFor(choice.values, true, relationOf(terms, order.make), terms);
  sendSettings(turn, waiting, values, deps.judge(order, subject, terms, scribe.now));
}

/** In the booking of an answer or a receipt: where the handset cannot be judged, the order's own next step meets that and says so. */
export function sendWithoutKeyOrSoon(turn: Turn): void {
  const { deps, scribe, order, subject, terms } = turn;
  try {
    deps.chooseSettings(subject, terms);
    deps.judge(order, subject, terms, scribe.now);
  } catch {
    change(order, { dueAt: earlierOf(scribe.now, order.dueAt ?? scribe.now) });
    return scribe.touch(order);
  }
  sendWithoutKey(turn);
}

/** A page of its own for a link whose former address reached a number that is another SIM's now: that one stays closed. */
export function sendPageAnew(turn: Turn, item: ItemDraft): void {
  const { deps, scribe, order, subject, terms } = turn;
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused") return failItem(turn, item, { cause: choice.code, reason: choice.reason });
  const judgement = deps.judge(order, subject, terms, scribe.now);
  const relation = relationOf(terms, order.make);
  const values = valuesFor(choice.values, isLeftBehind(judgement, relation, terms), relation, terms);
  sendSettings(turn, item, values, { protocol: "link", pageForm: judgement.pageForm });
}

/** Keys whose time is up are given up first, so that their settings can still go. */
export function giveUpKeys(turn: Booking): void {
  const { scribe, order } = turn;
  for (const item of order.items) {
    if (item.state !== "waiting_for_key" || item.deadlineAt === null || item.deadlineAt > scribe.now)
      continue;
    failItem(turn, item, { cause: "no_key", reason: `${item.reason}; the deadline has passed` });
  }
}

/** What the settings say; a key's access points too, where the operator sends them as plain settings as well. */
export function valuesFor(
  chosen: SettingsValues,
  leftBehind: boolean,
  relation: Relation | undefined,
  { policy }: OperatorTerms,
): SettingsValues {
  if (!leftBehind || !relation || !policy.keyApnsInSettings) return chosen;
  return { ...chosen, points: [...chosen.points, ...keyPoints(relation.accessPoints)] };
}

/** Said once, however often an order that waits is looked at. */
function noteJudgement(
  { scribe, order, terms }: Booking,
  judgement: Judgement,
  seen: readonly SeenSymptom[],
): void {
  const { make, model, verdict, reasons, cutOff = [] } = judgement;
  const isNews = order.make !== make || order.model !== model || order.verdict !== verdict;
  change(order, { make, model, verdict, verdictReasons: reasons, policyVersion: terms.policyVersion });
  scribe.touch(order);
  if (!isNews) return;
  const reason = `${make ?? "unknown make"} ${model ?? "unknown model"}: ${verdict}`;
  const detail = verdict === "ended" ? { symptoms: symptomsOf(reasons, cutOff, seen) } : null;
  scribe.note(order, { kind: "judged", state: verdict, reason, detail });
}

export type Missing = { readonly cause: string; readonly reason: string; readonly nextAction: string };

/** Stands until somebody gives what is missing; it is tried again by itself, and ends when the deadline has passed. */
export function wait({ scribe, order, terms }: Booking, { cause, reason, nextAction }: Missing): void {
  const isWaiting = order.state === "waiting";
  const deadlineAt =
    (isWaiting ? order.deadlineAt : null) ?? hoursAfter(order.createdAt, terms.policy.waitDeadlineHours);
  if (scribe.now >= deadlineAt) {
    return scribe.moveOrder(order, {
      state: "failed",
      reason: `${reason}, and the deadline has passed`,
      nextAction: NO_ACTION,
      dueAt: null,
      deadlineAt: null,
      detail: { cause },
    });
  }
  if (isWaiting && order.reason === reason) {
    change(order, { dueAt: earlierOf(minutesAfter(scribe.now, RECHECK_MINUTES), deadlineAt) });
    return scribe.touch(order);
  }
  const dueAt = earlierOf(minutesAfter(scribe.now, FIRST_RECHECK_MINUTES), deadlineAt);
  scribe.moveOrder(order, { state: "waiting", reason, nextAction, dueAt, deadlineAt, detail: { cause } });
}
