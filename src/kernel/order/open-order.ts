/**
 * The first step of an order: name the model, judge it, choose settings, get or ask for a key, compose, queue.
 * Everything that can be done without waiting for somebody is done in this one transaction; what cannot, waits with a
 * reason, a next try and a deadline.
 */
import type { KeyAccessPoint } from "../../wire/message/device-key.ts";
import { reportReferenceOf } from "../../wire/message/device-report.ts";
import { issueOwnKey } from "../keys/own-key.ts";
import type { SettingsValues } from "../payload/settings-values.ts";
import type { ConductorDeps, Judgement } from "./deps.ts";
import {
  type DueOrder,
  type ItemDraft,
  type OrderDraft,
  type Relation,
  relationOf,
  type Subject,
  type Terms,
} from "./order-store.ts";
import { earlierOf, hoursAfter, minutesAfter, type Scribe } from "./scribe.ts";
import { type Carrier, keyPoints, sendKey, sendSettings, sendTogether } from "./send.ts";

const RECHECK_MINUTES = 60;

export function openOrder(
  deps: ConductorDeps,
  scribe: Scribe,
  { order, subject }: DueOrder,
  terms: Terms,
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
  Object.assign(order, { make: judgement.make, model: judgement.model });
  Object.assign(order, { verdict: judgement.verdict, verdictReasons: judgement.reasons, changed: true });
  scribe.note(order, {
    kind: "judged",
    state: judgement.verdict,
    reason: `${judgement.make ?? "unknown make"} ${judgement.model ?? "unknown model"}: ${judgement.verdict}`,
  });
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused") {
    return wait(
      scribe,
      order,
      terms,
      choice.code,
      choice.reason,
      "add an access point of your own for these SIMs",
    );
  }
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  scribe.moveOrder(order, {
    state: "provisioning",
    reason: "settings and keys are on their way",
    nextAction: "wait for receipts and proof",
    dueAt: deadlineAt,
    deadlineAt,
    detail: { settingsFrom: choice.source, confirmed: choice.confirmed, road: judgement.road },
  });
  const relation = relationOf(terms, judgement.make);
  const key = keyItem(deps, scribe, order, subject, terms, relation, judgement);
  const values = valuesFor(choice.values, key !== null, relation, terms);
  const settings = newItem(
    scribe,
    order,
    "settings",
    choice.values.points.map(({ apn }) => apn.toLowerCase()),
  );
  order.items.push(...(key ? [key.item, settings] : [settings]));
  const carrier: Carrier = { deps, scribe, order, subject, terms, judgement };
  if (key && terms.policy.package === "together" && judgement.road === "omacp") {
    if (key.bytes) return sendTogether(carrier, key.item, settings, key.bytes, values);
    return scribe.moveItem(order, settings, {
      state: "pending",
      cause: "sent_with_key",
      reason: "key and settings go in one message, and the key is not here yet",
      nextAction: "send both when the key arrives",
      deadlineAt,
    });
  }
  if (key?.bytes) sendKey(carrier, key.item, key.bytes);
  sendSettings(carrier, settings, values);
}

/** What the settings say; the key's access points too, where the operator sends them as plain settings as well. */
export function valuesFor(
  chosen: SettingsValues,
  hasKey: boolean,
  relation: Relation | undefined,
  { policy }: Terms,
): SettingsValues {
  if (!hasKey || !relation || !policy.keyApnsInSettings) return chosen;
  return { ...chosen, points: [...chosen.points, ...keyPoints(relation.accessPoints)] };
}

function wait(
  scribe: Scribe,
  order: OrderDraft,
  terms: Terms,
  cause: string,
  reason: string,
  nextAction: string,
): void {
  const deadlineAt = order.deadlineAt ?? hoursAfter(order.createdAt, terms.policy.waitDeadlineHours);
  if (order.deadlineAt && scribe.now >= order.deadlineAt && order.state === "waiting") {
    return scribe.moveOrder(order, {
      state: "failed",
      reason: `${reason}, and the deadline has passed`,
      nextAction: "none",
      dueAt: null,
      deadlineAt: null,
      detail: { cause },
    });
  }
  const dueAt = earlierOf(minutesAfter(scribe.now, RECHECK_MINUTES), deadlineAt);
  if (order.state === "waiting" && order.reason === reason) {
    order.dueAt = dueAt;
    order.changed = true;
    return scribe.touch(order);
  }
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
    apns,
    isNew: true,
    changed: true,
  };
}

/** Rows 85-92: who gets a key, and from where. */
function keyItem(
  deps: ConductorDeps,
  scribe: Scribe,
  order: OrderDraft,
  subject: Subject,
  terms: Terms,
  relation: Relation | undefined,
  judgement: Judgement,
): { readonly item: ItemDraft; readonly bytes: Uint8Array | null } | null {
  const { policy } = terms;
  const leftBehind =
    judgement.verdict === "ended" ||
    (judgement.verdict === "unknown" && policy.keyForUnknown) ||
    (policy.keyWithoutDeal && !relation?.deal);
  if (!leftBehind) return null;
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
      reason: "this model takes no device key over the air: settings only",
    });
    return null;
  }
  if (relation.keySource === "maker") return { item: askMaker(scribe, order, terms, relation), bytes: null };
  const item: ItemDraft = {
    ...newItem(scribe, order, "key", apnsOf(relation.accessPoints)),
    keySource: "own",
  };
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

const apnsOf = (points: readonly KeyAccessPoint[]): string[] => points.map(({ apn }) => apn.toLowerCase());

function askMaker(scribe: Scribe, order: OrderDraft, terms: Terms, relation: Relation): ItemDraft {
  const item: ItemDraft = { ...newItem(scribe, order, "key", []), keySource: "maker" };
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "key_request",
    idempotencyKey: item.id,
    body: { itemId: item.id },
    dueAt: scribe.now,
    deadlineAt,
  });
  scribe.moveItem(order, item, {
    state: "waiting_for_key",
    cause: "key_requested",
    reason: `the key is asked for at ${relation.make === "*" ? "the manufacturer" : relation.make}`,
    nextAction: "ask the manufacturer's key server",
    deadlineAt,
  });
  return item;
}

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
  },
): void {
  item.keyId = uuidOf(key.keyId);
  item.changed = true;
  scribe.touch(order);
  scribe.changes.keys.push({
    id: item.keyId,
    operatorId: order.operatorId,
    orderId: order.id,
    deviceId: order.deviceId,
    source: key.source,
    issuer: key.issuer,
    reference: reportReferenceOf(key.keyId),
    bytes: key.bytes,
    notAfter: key.notAfter,
  });
}

/** A key id is 16 octets; rows and logs show it as a UUID. */
export function uuidOf(keyId: Uint8Array): string {
  const hex = Buffer.from(keyId).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
