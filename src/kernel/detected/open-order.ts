/**
 * The first step of an order: name the model, judge it, choose settings, get or ask for a key, compose, queue.
 * Everything that can be done without waiting for somebody is done in this one transaction; what cannot, waits with a
 * reason, a next try and a deadline.
 */
import { reportReferenceOf } from "../../wire/message/device-report.ts";
import { type Carrier, keyPoints, sendKey, sendSettings, sendTogether } from "../delivery/send.ts";
import { settingsDetail } from "../delivery/settings-detail.ts";
import { issueOwnKey } from "../keys/own-key.ts";
import { apnsOf } from "../order/access-points.ts";
import type { ConductorDeps, Judgement } from "../order/deps.ts";
import { failItem } from "../order/ending.ts";
import { type OperatorTerms, type Relation, relationOf } from "../order/operator-terms.ts";
import type { DueOrder, ItemDraft, OrderDraft, Subscriber } from "../order/order-draft.ts";
import { earlierOf, hoursAfter, minutesAfter, NO_ACTION, type Scribe } from "../order/scribe.ts";
import { type SeenSymptom, symptomsOf } from "../order/symptoms.ts";
import type { SettingsValues } from "../payload/settings-values.ts";
import { feeTermsOf, noteFeeLevel } from "../proof/fee.ts";
import { requestKey } from "./request-key.ts";

const RECHECK_MINUTES = 60;
/** What is missing may have come while it was being looked for. */
const FIRST_RECHECK_MINUTES = 1;

export function openOrder(
  deps: ConductorDeps,
  scribe: Scribe,
  { order, subject, symptoms }: Pick<DueOrder, "order" | "subject" | "symptoms">,
  terms: OperatorTerms,
): void {
  if (subject.msisdn === null) {
    return wait(
      scribe,
      order,
      terms,
      "msisdn_unknown",
      "no phone number is known for this SIM",
      "send a sighting with its MSISDN",
    );
  }
  const judgement = deps.judge(order, subject, terms, scribe.now);
  const relation = relationOf(terms, judgement.make);
  noteJudgement(scribe, order, judgement, symptoms);
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused") {
    return wait(
      scribe,
      order,
      terms,
      choice.code,
      choice.reason,
      choice.nextAction ?? "add an access point of your own for these SIMs",
    );
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
  const key = leftBehind ? keyItem(deps, scribe, order, subject, terms, relation, judgement) : null;
  const values = valuesFor(choice.values, leftBehind, relation, terms);
  const settings = newItem(scribe, order, "settings", apnsOf(values.points));
  order.items.push(...(key ? [key.item, settings] : [settings]));
  const carrier: Carrier = { deps, scribe, order, subject, terms, judgement };
  if (key && terms.policy.package === "together" && judgement.protocol === "omacp") {
    if (key.bytes) return sendTogether(carrier, key.item, settings, key.bytes, values);
    return scribe.moveItem(order, settings, {
      state: "pending",
      cause: SENT_WITH_KEY,
      reason: "key and settings go in one message, and the key is not here yet",
      nextAction: "send both when the key arrives, or the settings alone when none comes",
      deadlineAt: key.item.deadlineAt,
    });
  }
  if (key?.bytes) sendKey(carrier, key.item, key.bytes);
  sendSettings(carrier, settings, values);
}

/** The settings item waits for a key, to go in one message with it. */
export const SENT_WITH_KEY = "sent_with_key";
export const waitsForKey = (item: ItemDraft): boolean =>
  item.state === "pending" && item.cause === SENT_WITH_KEY;

/** Settings whose key will not come go without it; done for every order whose key was given up. */
export function sendWithoutKey(
  deps: ConductorDeps,
  scribe: Scribe,
  order: OrderDraft,
  subject: Subscriber,
  terms: OperatorTerms,
): void {
  const waiting = order.items.find(waitsForKey);
  if (!waiting || order.items.some(({ state }) => state === "waiting_for_key")) return;
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused") {
    return failItem(scribe, order, waiting, { cause: choice.code, reason: choice.reason });
  }
  const relation = relationOf(terms, order.make);
  // Only a model that takes its settings by OMA CP waits for a key.
  const carrier: Carrier = { deps, scribe, order, subject, terms, judgement: { protocol: "omacp" } };
  sendSettings(carrier, waiting, valuesFor(choice.values, true, relation, terms));
}

/** A page of its own for a link whose former address reached a number that is another SIM's now: that one stays closed. */
export function sendPageAnew(carrier: Omit<Carrier, "judgement">, item: ItemDraft): void {
  const { deps, scribe, order, subject, terms } = carrier;
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused")
    return failItem(scribe, order, item, { cause: choice.code, reason: choice.reason });
  const judgement = deps.judge(order, subject, terms, scribe.now);
  const relation = relationOf(terms, order.make);
  const values = valuesFor(choice.values, isLeftBehind(judgement, relation, terms), relation, terms);
  sendSettings({ ...carrier, judgement: { protocol: "link" } }, item, values);
}

/** Keys whose time is up are given up first, so that their settings can still go. */
export function giveUpKeys(scribe: Scribe, order: OrderDraft): void {
  for (const item of order.items) {
    if (item.state !== "waiting_for_key" || item.deadlineAt === null || item.deadlineAt > scribe.now)
      continue;
    failItem(scribe, order, item, { cause: "no_key", reason: `${item.reason}; the deadline has passed` });
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
  scribe: Scribe,
  order: OrderDraft,
  judgement: Judgement,
  seen: readonly SeenSymptom[],
): void {
  const { make, model, verdict } = judgement;
  const isNews = order.make !== make || order.model !== model || order.verdict !== verdict;
  Object.assign(order, { make, model, verdict, verdictReasons: judgement.reasons, changed: true });
  scribe.touch(order);
  if (!isNews) return;
  const reason = `${make ?? "unknown make"} ${model ?? "unknown model"}: ${verdict}`;
  const { reasons, cutOff = [] } = judgement;
  const detail = verdict === "ended" ? { symptoms: symptomsOf(reasons, cutOff, seen) } : null;
  scribe.note(order, { kind: "judged", state: verdict, reason, detail });
}

/** Stands until somebody gives what is missing; it is tried again by itself, and ends when the deadline has passed. */
export function wait(
  scribe: Scribe,
  order: OrderDraft,
  terms: OperatorTerms,
  cause: string,
  reason: string,
  nextAction: string,
): void {
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
    order.dueAt = earlierOf(minutesAfter(scribe.now, RECHECK_MINUTES), deadlineAt);
    order.changed = true;
    return scribe.touch(order);
  }
  const dueAt = earlierOf(minutesAfter(scribe.now, FIRST_RECHECK_MINUTES), deadlineAt);
  scribe.moveOrder(order, { state: "waiting", reason, nextAction, dueAt, deadlineAt, detail: { cause } });
}

function newItem(
  scribe: Scribe,
  order: OrderDraft,
  kind: "settings" | "key",
  apns: readonly string[],
): ItemDraft {
  return {
    id: scribe.newId(),
    kind,
    state: "pending",
    cause: null,
    reason: "to be composed",
    nextAction: "compose",
    deadlineAt: order.deadlineAt,
    attempt: 0,
    message: null,
    keyId: null,
    keySource: null,
    keyState: null,
    feeTerms: null,
    apns,
    apnsSeen: [],
    subject: null,
    isNew: true,
    changed: true,
  };
}

/** Rows 85-89: whom their maker has left behind, by the verdict or by the operator's word. */
const isLeftBehind = (
  { verdict }: Judgement,
  relation: Relation | undefined,
  { policy }: OperatorTerms,
): boolean =>
  verdict === "ended" ||
  (verdict === "unknown" && policy.keyForUnknown) ||
  (policy.keyWithoutDeal && !relation?.deal);

/** What the operator says of a model may have changed since its key was asked for; a key goes only where it does now. */
export function isKeyWanted(
  deps: Pick<ConductorDeps, "judge">,
  order: Pick<OrderDraft, "id">,
  subject: Subscriber,
  terms: OperatorTerms,
  now: Date,
): boolean {
  const judgement = deps.judge(order, subject, terms, now);
  return judgement.takesKey && isLeftBehind(judgement, relationOf(terms, judgement.make), terms);
}

/** Row 92: a device that is left behind gets a key, from the operator's own store or from its maker. */
function keyItem(
  deps: ConductorDeps,
  scribe: Scribe,
  order: OrderDraft,
  subject: Subscriber,
  terms: OperatorTerms,
  relation: Relation | undefined,
  judgement: Judgement,
): { readonly item: ItemDraft; readonly bytes: Uint8Array | null } | null {
  if (!relation || relation.keySource === "none") {
    scribe.note(order, {
      kind: "key_not_available",
      reason: `no key source is set up for ${judgement.make ?? "an unknown make"}: settings only`,
    });
    return null;
  }
  if (!judgement.takesKey) {
    scribe.note(order, {
      kind: "key_not_taken",
      reason: `${judgement.whyNoKey ?? "this model takes no device key over the air"}: settings only`,
    });
    return null;
  }
  if (relation.keySource === "maker") {
    const asked: ItemDraft = { ...newItem(scribe, order, "key", []), keySource: "maker" };
    requestKey(scribe, order, asked, terms, relation, judgement.isKeyKnown);
    return { item: asked, bytes: null };
  }
  const missing = missingFor(relation);
  if (missing) {
    scribe.note(order, {
      kind: "key_not_available",
      reason: `a key holds ${missing}, and none is set up for ${relation.make}: settings only`,
    });
    return null;
  }
  const item: ItemDraft = {
    ...newItem(scribe, order, "key", apnsOf(relation.accessPoints)),
    keySource: "own",
    feeTerms: feeTermsOf(relation, judgement.isKeyKnown),
  };
  noteFeeLevel(scribe, order, item, relation);
  const keyId = deps.randomBytes(16);
  const { bytes, notAfter } = issueOwnKey({
    imei: subject.imei,
    keyId,
    confirmSecret: deps.randomBytes(16),
    accessPoints: relation.accessPoints,
    hosts: relation.appHosts,
    issuer: deps.ownIssuer.name,
    privateKey: deps.ownIssuer.privateKey,
    now: scribe.now,
  });
  bookKey(scribe, order, item, { keyId, bytes, notAfter, source: "own", issuer: deps.ownIssuer.name });
  return { item, bytes };
}

/** What the own store lacks to make a key. */
const missingFor = ({ accessPoints, appHosts }: Relation): string | undefined =>
  accessPoints.length === 0
    ? "an access point"
    : appHosts.length === 0
      ? "the servers that it leads to"
      : undefined;

/** Keeps a key that passed its checks; the item carries its id and access points from now on. */
export function bookKey(
  scribe: Scribe,
  order: OrderDraft,
  item: ItemDraft,
  key: {
    readonly keyId: Uint8Array;
    readonly bytes: Uint8Array;
    readonly notAfter: Date;
    readonly source: "own" | "maker";
    readonly issuer: string;
    /** Another order had it. */
    readonly isTakenOver?: boolean;
  },
): void {
  item.keyId = uuidOf(key.keyId);
  item.keyState = "issued";
  item.changed = true;
  scribe.touch(order);
  const { issuer, bytes, notAfter } = key;
  const issued = { id: item.keyId, orderId: order.id, issuer, bytes, notAfter };
  if (key.isTakenOver) return void scribe.changes.keyTransfers.push(issued);
  scribe.changes.keys.push({
    ...issued,
    operatorId: order.operatorId,
    deviceId: order.deviceId,
    source: key.source,
    reference: reportReferenceOf(key.keyId),
  });
}

/** A key id is 16 octets; rows and logs show it as a UUID. */
export function uuidOf(keyId: Uint8Array): string {
  const hex = Buffer.from(keyId).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
