/**
 * The key of an order (R92): a device that is left behind gets one, from the operator's own store or from its maker, where
 * a relation says so, the model takes one, and what a key needs is set up. Where none goes, the history says why.
 */
import { hoursAfter } from "../../term/moment.ts";
import { reportReferenceOf } from "../../wire/message/device-report.ts";
import { uuidOf } from "../keys/key-id.ts";
import { issueOwnKey } from "../keys/own-key.ts";
import { type KeySource, type OperatorTerms, type Relation, relationOf } from "../operator/operator-terms.ts";
import { apnsOf } from "../order/access-points.ts";
import { change } from "../order/change.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { Booking, Turn } from "../order/turn.ts";
import { feeTermsOf, noteFeeLevel } from "../proof/fee.ts";
import type { Judgement } from "../support/judge.ts";
import { keyRoadOf } from "./key-road.ts";

export function newItem(
  { scribe, order }: Booking,
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
    applicationsSeen: [],
    subject: null,
    isNew: true,
    changed: true,
  };
}

/** R85 to R89: whom their maker has left behind, by the verdict or by the operator's word. */
export const isLeftBehind = (
  { verdict }: Judgement,
  relation: Relation | undefined,
  { policy }: OperatorTerms,
): boolean =>
  verdict === "ended" ||
  (verdict === "unknown" && policy.keyForUnknown) ||
  (policy.keyWithoutDeal && !relation?.deal);

/** What the operator says of a model may have changed since its key was asked for; a key goes only where it does now. */
export function isKeyWanted(
  judge: ConductorDeps["judge"],
  { order, subject, terms }: Pick<Turn, "subject" | "terms"> & { readonly order: Pick<OrderDraft, "id"> },
  now: Date,
): boolean {
  const judgement = judge(order, subject, terms, now);
  const relation = relationOf(terms, judgement.make);
  return keyRoadOf(judgement, relation) !== "none" && isLeftBehind(judgement, relation, terms);
}

/** Its octets where they are here already; null where its maker is asked for them. */
type KeyToSend = { readonly item: ItemDraft; readonly bytes: Uint8Array | null };

export function keyItem(turn: Turn, relation: Relation | undefined, judgement: Judgement): KeyToSend | null {
  if (!relation || relation.keySource === "none") {
    const whose = judgement.make ?? "an unknown make";
    return noKey(turn, "key_not_available", `no key source is set up for ${whose}`);
  }
  if (keyRoadOf(judgement, relation) === "none")
    return noKey(turn, "key_not_taken", judgement.whyNoKey ?? "this model takes no device key over the air");
  if (relation.keySource !== "own") {
    const asked: ItemDraft = { ...newItem(turn, "key", []), keySource: relation.keySource };
    requestKey(turn, asked, relation, judgement.isKeyKnown);
    return { item: asked, bytes: null };
  }
  const missing = missingFor(relation);
  if (missing) {
    const fact = `a key holds ${missing}, and none is set up for ${relation.make}`;
    return noKey(turn, "key_not_available", fact);
  }
  return ownKey(turn, relation, judgement);
}

function noKey({ scribe, order }: Booking, kind: "key_not_available" | "key_not_taken", fact: string): null {
  scribe.note(order, { kind, reason: `${fact}: settings only` });
  return null;
}

function ownKey(turn: Turn, relation: Relation, { isKeyKnown }: Judgement): KeyToSend {
  const { deps, scribe, subject } = turn;
  const item: ItemDraft = {
    ...newItem(turn, "key", apnsOf(relation.accessPoints)),
    keySource: "own",
    feeTerms: feeTermsOf(relation, isKeyKnown),
  };
  noteFeeLevel(turn, item, relation);
  const keyId = deps.randomBytes(16);
  const { bytes, notAfter } = issueOwnKey({
    imei: subject.imei,
    keyId,
    confirmSecret: deps.randomBytes(16),
    accessPoints: relation.accessPoints,
    hosts: relation.appHosts,
    deleteAfterUse: relation.deleteAfterUse,
    issuer: deps.ownIssuer.name,
    privateKey: deps.ownIssuer.privateKey,
    now: scribe.now,
  });
  bookKey(turn, item, { keyId, bytes, notAfter, source: "own", issuer: deps.ownIssuer.name });
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
  { scribe, order }: Booking,
  item: ItemDraft,
  key: {
    readonly keyId: Uint8Array;
    readonly bytes: Uint8Array;
    readonly notAfter: Date;
    readonly source: KeySource;
    readonly issuer: string;
    /** Another order had it. */
    readonly isTakenOver?: boolean;
  },
): void {
  const id = uuidOf(key.keyId);
  change(item, { keyId: id, keyState: "issued" });
  scribe.touch(order);
  const { issuer, bytes, notAfter } = key;
  const issued = { id, orderId: order.id, issuer, bytes, notAfter };
  if (key.isTakenOver) return void scribe.changes.keyTransfers.push(issued);
  scribe.changes.keys.push({
    ...issued,
    operatorId: order.operatorId,
    deviceId: order.deviceId,
    source: key.source,
    reference: reportReferenceOf(key.keyId),
  });
}

/** Asks for a key, its manufacturer or the stock of its keys: one durable call, made until it is answered or its deadline has passed. */
export function requestKey(
  turn: Booking,
  item: ItemDraft,
  relation: Relation,
  /** Whether the model is said to run keys; of an item that asks anew, what its first asking went by. */
  isKeyKnown = item.feeTerms?.feeLevel === "delivered",
): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  const id = scribe.newId();
  const isStock = relation.keySource === "stock";
  const whose = relation.make === "*" ? "every other make" : relation.make;
  item.feeTerms = feeTermsOf(relation, isKeyKnown);
  noteFeeLevel(turn, item, relation);
  scribe.changes.calls.push({
    id,
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "key_request",
    // The maker goes by the item; a second round of asking is a call of its own here.
    idempotencyKey: item.isNew ? item.id : `${item.id}:${id}`,
    body: { itemId: item.id, from: isStock ? "stock" : "maker" },
    dueAt: scribe.now,
    deadlineAt,
  });
  scribe.moveItem(order, item, {
    state: "waiting_for_key",
    cause: "key_requested",
    reason: isStock
      ? `the key is taken from the stock of keys of ${whose}`
      : `the key is asked for at ${relation.make === "*" ? "the manufacturer" : relation.make}`,
    nextAction: isStock ? "bind a key of the stock to this handset" : "ask the manufacturer's key server",
    deadlineAt,
  });
}
