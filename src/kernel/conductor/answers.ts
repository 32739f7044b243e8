/**
 * What other companies' machines answered: keys from a manufacturer, money from the operator's payment system, notices
 * taken. A clear no ends a call; no answer, or one that cannot be used, leaves it due again, later and later.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { decodeDeviceKey } from "../../wire/message/device-key.ts";
import type { AnsweredCall, CallAnswer } from "../calls/answer.ts";
import { nextTry } from "../calls/next-try.ts";
import { sendKey, sendTogether } from "../delivery/send.ts";
import {
  bookKey,
  isKeyWanted,
  sendWithoutKey,
  uuidOf,
  valuesFor,
  waitsForKey,
} from "../detected/open-order.ts";
import { giveUpKey, mayTakeOver } from "../detected/take-over-key.ts";
import { checkMakerKey } from "../keys/check-key.ts";
import { apnsOf } from "../order/access-points.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { TakenKey } from "../order/device-key.ts";
import { endIfDone, failItem, isFinal } from "../order/ending.ts";
import { type OperatorTerms, relationOf } from "../order/operator-terms.ts";
import type { ItemDraft, OrderDraft, Subscriber } from "../order/order-draft.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import { hoursAfter, type Scribe } from "../order/scribe.ts";
import { lockById, type Step } from "../order/step.ts";
import { isOfRequest } from "../order/turn.ts";
import { CALL_DEADLINE_HOURS } from "../proof/fee.ts";
import { requestAnswered } from "../requested/request-answers.ts";
import type { ChargeDraft } from "../settlement/charge.ts";
import { type Entry, feePaidEntries, payoutEntries } from "../settlement/postings.ts";
import { faultOf } from "./advance.ts";

export async function answersCame(
  deps: ConductorDeps,
  { tx, scribe }: Step,
  answers: readonly AnsweredCall[],
): Promise<void> {
  const keyIds = answers.flatMap(({ answer }) => keyIdsOf(answer));
  const holders = (await tx.takenKeys(keyIds)).map(({ orderId }) => orderId);
  const orders = await lockById(tx, [...answers.map(({ call }) => call.orderId), ...holders]);
  const asked = answers
    .filter(({ call }) => call.kind === "key_request" || orders.get(call.orderId)?.request)
    .map(({ call }) => call.orderId);
  const subjects = asked.length > 0 ? await tx.subjectsOf(asked) : new Map<string, Subscriber>();
  // Looked up again under the locks of their orders: what they are now is what they stay.
  const known = holders.length > 0 ? await tx.takenKeys(keyIds) : [];
  const taken = new Map(known.map((key) => [key.id, key]));
  const chargeIds = answers.flatMap(({ call }) => (call.body.chargeId ? [call.body.chargeId] : []));
  const charges = new Map(
    (chargeIds.length > 0 ? await tx.lockCharges(chargeIds) : []).map((charge) => [charge.id, charge]),
  );
  for (const { call, answer } of answers) {
    const order = orders.get(call.orderId);
    if (!order) continue;
    const terms = await tx.termsOf(order.operatorId);
    if (isOfRequest(order)) {
      requestAnswered({ deps, scribe, order, subject: subjects.get(order.id)!, terms }, call, answer);
      continue;
    }
    switch (call.kind) {
      case "key_request":
        keyAnswered(
          { deps, scribe, order, subject: subjects.get(order.id)!, terms, taken, orders },
          call,
          answer,
        );
        break;
      case "fee_request":
      case "portion_payment": {
        const charge = charges.get(call.body.chargeId ?? "");
        if (charge) charges.set(charge.id, moneyAnswered(scribe, order, charge, call, answer));
        break;
      }
      default:
        noticeAnswered(scribe, order, call, answer);
    }
  }
}

type Asked = {
  readonly deps: ConductorDeps;
  readonly scribe: Scribe;
  readonly order: OrderDraft;
  readonly subject: Subscriber;
  readonly terms: OperatorTerms;
  /** Keys that were given before; one that is booked joins them. */
  readonly taken: Map<string, TakenKey>;
  /** The orders that hold them are here too, locked like the order itself. */
  readonly orders: ReadonlyMap<string, OrderDraft>;
};

/** The id that a key bears, if it is one at all. */
function keyIdsOf(answer: CallAnswer): string[] {
  if (answer.kind !== "key") return [];
  try {
    return [uuidOf(decodeDeviceKey(answer.bytes).keyId)];
  } catch {
    return []; // the check of the key tells what it is
  }
}

/** A good key is sent; a clear no ends the asking; anything else leaves the item waiting with what was met. */
function keyAnswered(asked: Asked, call: OutboundCall, answer: CallAnswer): void {
  const { scribe, order, subject, terms } = asked;
  const item = order.items.find(({ id }) => id === call.itemId);
  if (item?.state !== "waiting_for_key") {
    scribe.changes.callChanges.push({ id: call.id, state: "done", reason: "no longer wanted", dueAt: null });
    return;
  }
  if (answer.kind === "refused") return keyRefused(asked, item, call, answer);
  if (answer.kind !== "key") {
    const { cause, reason } =
      answer.kind === "failed" ? answer : { cause: "bad_answer", reason: "the answer holds no key" };
    return keyWaits(asked, item, call, cause, reason);
  }
  const relation = relationOf(terms, order.make);
  const checked = checkMakerKey(
    answer.bytes,
    (issuer) => publicKeyOf(relation?.keyIssuers[issuer]),
    subject.imei,
    scribe.now,
  );
  if (checked.kind === "wrong") return keyWaits(asked, item, call, checked.cause, checked.reason);
  const wanted = isFinal(order) || stillWanted(asked);
  if (typeof wanted === "string") return keyWaits(asked, item, call, "fault", wanted);
  if (!wanted) return keyWithheld(asked, item, call);
  const { key } = checked;
  const keyId = uuidOf(key.keyId);
  const former = asked.taken.get(keyId);
  const holder = former && asked.orders.get(former.orderId);
  if (former && !(holder && mayTakeOver(order, former))) {
    const what = "the manufacturer's key server sent a key that was given before";
    return keyWaits(asked, item, call, "key_not_unique", what);
  }
  if (holder) giveUpKey(scribe, holder, keyId, terms);
  const { id: orderId, deviceId } = order;
  asked.taken.set(keyId, { id: keyId, orderId, deviceId, state: "issued", isCharged: false });
  item.apns = apnsOf(key.accessPoints);
  bookKey(scribe, order, item, {
    keyId: key.keyId,
    bytes: answer.bytes,
    notAfter: key.notAfter,
    source: "maker",
    issuer: key.issuer,
    isTakenOver: former !== undefined,
  });
  scribe.changes.callChanges.push({ id: call.id, state: "done", reason: "the key came", dueAt: null });
  scribe.note(order, {
    kind: "key_received",
    itemId: item.id,
    reason: former
      ? `${key.issuer} gave the handset's present key again: it is taken over from an older order`
      : `${key.issuer} issued the key`,
    detail: { keyId: item.keyId },
  });
  if (!isFinal(order)) sendNewKey(asked, item, answer.bytes);
}

function sendNewKey(
  { deps, scribe, order, subject, terms }: Asked,
  item: ItemDraft,
  bytes: Uint8Array,
): void {
  const carrier = { deps, scribe, order, subject, terms, judgement: { protocol: "omacp" as const } };
  const waiting = order.items.find(waitsForKey);
  const choice = waiting ? deps.chooseSettings(subject, terms) : undefined;
  if (waiting && choice?.kind === "chosen") {
    const values = valuesFor(choice.values, true, relationOf(terms, order.make), terms);
    return sendTogether(carrier, item, waiting, bytes, values);
  }
  sendKey(carrier, item, bytes);
  sendWithoutKey(deps, scribe, order, subject, terms);
}

/** The manufacturer's clear no: the settings go without a key. */
function keyRefused(
  asked: Asked,
  item: ItemDraft,
  call: OutboundCall,
  { cause, reason }: { readonly cause: string; readonly reason: string },
): void {
  asked.scribe.changes.callChanges.push({ id: call.id, state: "refused", reason, dueAt: null });
  goesWithoutKey(asked, item, {
    cause: `maker_${cause}`,
    reason: `the manufacturer gives no key for it: ${reason}`,
  });
}

/** Whether the handset is to have the key by what is in force now, or why that could not be told. */
function stillWanted({ deps, order, subject, terms, scribe }: Asked): boolean | string {
  try {
    return isKeyWanted(deps, order, subject, terms, scribe.now);
  } catch (error) {
    return `the handset could not be judged: ${faultOf(error)}`;
  }
}

/** The operator said meanwhile that the handset is to get none: that is in force, and the key stays here. */
function keyWithheld(asked: Asked, item: ItemDraft, call: OutboundCall): void {
  const reason = "the key came, and by what the operator says now the handset is to get none";
  asked.scribe.changes.callChanges.push({ id: call.id, state: "done", reason, dueAt: null });
  goesWithoutKey(asked, item, { cause: "key_withheld", reason });
}

function goesWithoutKey(
  { deps, scribe, order, subject, terms }: Asked,
  item: ItemDraft,
  failure: { readonly cause: string; readonly reason: string },
): void {
  failItem(scribe, order, item, failure);
  if (isFinal(order)) return;
  sendWithoutKey(deps, scribe, order, subject, terms);
  endIfDone(scribe, order, terms);
}

/** Public keys by their text: parsing one costs more than checking a signature's form. */
const publicKeys = new Map<string, KeyObject>();
function publicKeyOf(spki: string | undefined): KeyObject | undefined {
  if (!spki) return undefined;
  const known = publicKeys.get(spki);
  if (known) return known;
  const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
  publicKeys.set(spki, key);
  return key;
}

function keyWaits(asked: Asked, item: ItemDraft, call: OutboundCall, cause: string, reason: string): void {
  const { scribe, order } = asked;
  const retry = nextTry(scribe, call);
  if (!retry) return keyGivenUp(asked, item, call, reason);
  scribe.changes.callChanges.push({ id: call.id, state: "due", reason, dueAt: retry });
  const isNews = item.cause !== cause;
  item.cause = cause;
  item.reason = reason;
  item.nextAction = `ask the manufacturer again at ${retry.toISOString()}`;
  item.changed = true;
  scribe.touch(order);
  if (!isNews) return;
  scribe.note(order, {
    kind: "key_not_received",
    itemId: item.id,
    reason,
    state: item.state,
    detail: { cause },
  });
}

function keyGivenUp(
  { deps, scribe, order, subject, terms }: Asked,
  item: ItemDraft,
  call: OutboundCall,
  reason: string,
): void {
  scribe.changes.callChanges.push({ id: call.id, state: "given_up", reason, dueAt: null });
  failItem(scribe, order, item, { cause: "no_key", reason: `${reason}; the deadline has passed` });
  if (isFinal(order)) return;
  sendWithoutKey(deps, scribe, order, subject, terms);
  endIfDone(scribe, order, terms);
}

/** Answers the charge as it stands afterwards: a second answer of the same batch finds it so. */
function moneyAnswered(
  scribe: Scribe,
  order: OrderDraft,
  charge: ChargeDraft,
  call: OutboundCall,
  answer: CallAnswer,
): ChargeDraft {
  const { changes } = scribe;
  const isFee = call.kind === "fee_request";
  if (charge.state !== (isFee ? "requested" : "paid")) {
    changes.callChanges.push({ id: call.id, state: "done", reason: "it was answered before", dueAt: null });
    return charge;
  }
  if (answer.kind === "refused") {
    changes.callChanges.push({ id: call.id, state: "refused", reason: answer.reason, dueAt: null });
    const state = isFee ? "refused" : charge.state;
    const step = isFee ? "fee" : "portion";
    changes.chargeChanges.push({ id: charge.id, state, reason: `${step} refused: ${answer.reason}` });
    scribe.note(order, { kind: `${step}_refused`, itemId: call.itemId, reason: answer.reason });
    return { ...charge, state };
  }
  if (answer.kind !== "done") {
    moneyWaits(
      scribe,
      order,
      charge,
      call,
      answer.kind === "failed" ? answer.reason : "no answer to a payment",
    );
    return charge;
  }
  changes.callChanges.push({ id: call.id, state: "done", reason: "paid", dueAt: null });
  const reference = answer.reference ?? call.id;
  if (!isFee) {
    portionPaid(scribe, order, charge, call, reference);
    return { ...charge, state: "settled" };
  }
  feePaid(scribe, order, charge, call, reference);
  return { ...charge, state: charge.portionMinor > 0n ? "paid" : "settled" };
}

/** The charge itself says what it waits for, and in the end that a person must see to it. */
function moneyWaits(
  scribe: Scribe,
  order: OrderDraft,
  charge: ChargeDraft,
  call: OutboundCall,
  reason: string,
): void {
  const retry = nextTry(scribe, call);
  const what = call.kind === "fee_request" ? "the fee" : "the portion";
  scribe.changes.callChanges.push({ id: call.id, state: retry ? "due" : "given_up", reason, dueAt: retry });
  scribe.changes.chargeChanges.push({
    id: charge.id,
    state: charge.state,
    reason: retry
      ? `${what} is asked for again at ${retry.toISOString()}: ${reason}`
      : `${what} was given up, a person has to see to it: ${reason}`,
  });
  if (!retry) scribe.note(order, { kind: `${call.kind}_given_up`, itemId: call.itemId, reason });
}

function book(scribe: Scribe, charge: ChargeDraft, entries: readonly Entry[]): void {
  for (const entry of entries) {
    scribe.changes.postings.push({
      ...entry,
      id: scribe.newId(),
      operatorId: charge.operatorId,
      chargeId: charge.id,
      currency: charge.currency,
    });
  }
}

function feePaid(
  scribe: Scribe,
  order: OrderDraft,
  charge: ChargeDraft,
  call: OutboundCall,
  reference: string,
): void {
  book(scribe, charge, feePaidEntries(charge));
  const owes = charge.portionMinor > 0n;
  scribe.changes.chargeChanges.push({
    id: charge.id,
    state: owes ? "paid" : "settled",
    reason: owes
      ? "the fee is paid; the manufacturer's portion is on its way"
      : "the fee is paid; nobody else has a portion",
    bankReference: reference,
  });
  scribe.note(order, {
    kind: "fee_paid",
    itemId: call.itemId,
    reason: "the operator paid the fee",
    detail: { reference },
  });
  if (!owes) return;
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: charge.operatorId,
    orderId: order.id,
    itemId: call.itemId,
    kind: "portion_payment",
    idempotencyKey: charge.id,
    body: {
      chargeId: charge.id,
      amountMinor: String(charge.portionMinor),
      currency: charge.currency,
      make: charge.make,
    },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

function portionPaid(
  scribe: Scribe,
  order: OrderDraft,
  charge: ChargeDraft,
  call: OutboundCall,
  reference: string,
): void {
  book(scribe, charge, payoutEntries(charge));
  scribe.changes.chargeChanges.push({
    id: charge.id,
    state: "settled",
    reason: "fee received, portion paid",
    payoutReference: reference,
  });
  scribe.note(order, {
    kind: "portion_paid",
    itemId: call.itemId,
    reason: `the portion went to ${charge.make}`,
    detail: { reference },
  });
  const keyId = order.items.find(({ id }) => id === call.itemId)?.keyId;
  if (!keyId) return;
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: charge.operatorId,
    orderId: order.id,
    itemId: call.itemId,
    kind: "remittance_notice",
    idempotencyKey: charge.id,
    body: {
      paymentId: reference,
      keyId,
      amountMinor: String(charge.portionMinor),
      currency: charge.currency,
      at: scribe.now.toISOString(),
    },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

function noticeAnswered(scribe: Scribe, order: OrderDraft, call: OutboundCall, answer: CallAnswer): void {
  if (answer.kind === "done") {
    scribe.changes.callChanges.push({ id: call.id, state: "done", reason: "told", dueAt: null });
    scribe.note(order, {
      kind: call.kind === "download_notice" ? "maker_told_of_download" : "maker_told_of_payment",
      itemId: call.itemId,
      reason: "the manufacturer's server took the notice",
    });
    return;
  }
  if (answer.kind === "refused") {
    scribe.changes.callChanges.push({ id: call.id, state: "refused", reason: answer.reason, dueAt: null });
    scribe.note(order, { kind: `${call.kind}_refused`, itemId: call.itemId, reason: answer.reason });
    return;
  }
  const retry = nextTry(scribe, call);
  const reason = answer.kind === "failed" ? answer.reason : "the answer is not one to a notice";
  scribe.changes.callChanges.push({ id: call.id, state: retry ? "due" : "given_up", reason, dueAt: retry });
  if (!retry) scribe.note(order, { kind: `${call.kind}_given_up`, itemId: call.itemId, reason });
}
