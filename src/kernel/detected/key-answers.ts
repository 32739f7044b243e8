/**
 * What a manufacturer's key server answered. A good key is sent; a clear no ends the asking; anything else leaves the item
 * waiting with what was met, asked again later and later until its deadline.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { decodeDeviceKey } from "../../wire/message/device-key.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { nextTry } from "../calls/next-try.ts";
import { sendKey, sendTogether } from "../delivery/send.ts";
import { checkMakerKey } from "../keys/check-key.ts";
import { apnsOf } from "../order/access-points.ts";
import { change } from "../order/change.ts";
import type { TakenKey } from "../order/device-key.ts";
import { endIfDone, failItem, isFinal } from "../order/ending.ts";
import { faultOf } from "../order/fault.ts";
import { relationOf } from "../order/operator-terms.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { Turn } from "../order/turn.ts";
import { bookKey, isKeyWanted, uuidOf } from "./key-item.ts";
import { sendWithoutKey, valuesFor, waitsForKey } from "./open-order.ts";
import { giveUpKey, mayTakeOver } from "./take-over-key.ts";

/** An order that asked for a key, and every other that has one of those which came. */
type KeyTurn = Turn & {
  /** Keys that were given before; one that is booked joins them. */
  readonly taken: Map<string, TakenKey>;
  /** The orders that hold them, locked like the order itself. */
  readonly orders: ReadonlyMap<string, OrderDraft>;
};

type Met = { readonly cause: string; readonly reason: string };

/** The id that a key bears, if it is one at all. */
export function keyIdsOf(answer: CallAnswer): string[] {
  if (answer.kind !== "key") return [];
  try {
    return [uuidOf(decodeDeviceKey(answer.bytes).keyId)];
  } catch {
    return []; // the check of the key tells what it is
  }
}

export function keyAnswered(turn: KeyTurn, call: OutboundCall, answer: CallAnswer): void {
  const { scribe, order, subject, terms } = turn;
  const item = order.items.find(({ id }) => id === call.itemId);
  if (item?.state !== "waiting_for_key") {
    scribe.changes.callChanges.push({ id: call.id, state: "done", reason: "no longer wanted", dueAt: null });
    return;
  }
  if (answer.kind === "refused") return keyRefused(turn, item, call, answer);
  if (answer.kind === "failed") return keyWaits(turn, item, call, answer);
  if (answer.kind !== "key")
    return keyWaits(turn, item, call, { cause: "bad_answer", reason: "the answer holds no key" });
  const relation = relationOf(terms, order.make);
  const checked = checkMakerKey(
    answer.bytes,
    (issuer) => publicKeyOf(relation?.keyIssuers[issuer]),
    subject.imei,
    scribe.now,
  );
  if (checked.kind === "wrong") return keyWaits(turn, item, call, checked);
  const wanted = isFinal(order) || stillWanted(turn);
  if (typeof wanted === "string") return keyWaits(turn, item, call, { cause: "fault", reason: wanted });
  if (!wanted) return keyWithheld(turn, item, call);
  const { key } = checked;
  const keyId = uuidOf(key.keyId);
  const former = turn.taken.get(keyId);
  const holder = former && turn.orders.get(former.orderId);
  if (former && !(holder && mayTakeOver(order, former))) {
    const reason = "the manufacturer's key server sent a key that was given before";
    return keyWaits(turn, item, call, { cause: "key_not_unique", reason });
  }
  if (holder) giveUpKey({ scribe, order: holder, terms, ending: turn.ending }, keyId);
  const { id: orderId, deviceId } = order;
  turn.taken.set(keyId, { id: keyId, orderId, deviceId, state: "issued", isCharged: false });
  item.apns = apnsOf(key.accessPoints);
  bookKey(turn, item, {
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
  if (!isFinal(order)) sendNewKey(turn, item, answer.bytes);
}

function sendNewKey(turn: Turn, item: ItemDraft, bytes: Uint8Array): void {
  const { deps, order, subject, terms } = turn;
  const waiting = order.items.find(waitsForKey);
  const choice = waiting ? deps.chooseSettings(subject, terms) : undefined;
  if (waiting && choice?.kind === "chosen") {
    const values = valuesFor(choice.values, true, relationOf(terms, order.make), terms);
    return sendTogether(turn, { item, bytes }, waiting, values);
  }
  sendKey(turn, item, bytes);
  sendWithoutKey(turn);
}

/** The manufacturer's clear no: the settings go without a key. */
function keyRefused(turn: Turn, item: ItemDraft, call: OutboundCall, { cause, reason }: Met): void {
  turn.scribe.changes.callChanges.push({ id: call.id, state: "refused", reason, dueAt: null });
  goesWithoutKey(turn, item, {
    cause: `maker_${cause}`,
    reason: `the manufacturer gives no key for it: ${reason}`,
  });
}

/** Whether the handset is to have the key by what is in force now, or why that could not be told. */
function stillWanted(turn: Turn): boolean | string {
  try {
    return isKeyWanted(turn.deps.judge, turn, turn.scribe.now);
  } catch (error) {
    return `the handset could not be judged: ${faultOf(error)}`;
  }
}

/** The operator said meanwhile that the handset is to get none: that is in force, and the key stays here. */
function keyWithheld(turn: Turn, item: ItemDraft, call: OutboundCall): void {
  const reason = "the key came, and by what the operator says now the handset is to get none";
  turn.scribe.changes.callChanges.push({ id: call.id, state: "done", reason, dueAt: null });
  goesWithoutKey(turn, item, { cause: "key_withheld", reason });
}

function goesWithoutKey(turn: Turn, item: ItemDraft, failure: Met): void {
  failItem(turn, item, failure);
  if (isFinal(turn.order)) return;
  sendWithoutKey(turn);
  endIfDone(turn);
}

function keyWaits(turn: Turn, item: ItemDraft, call: OutboundCall, { cause, reason }: Met): void {
  const { scribe, order } = turn;
  const retry = nextTry(scribe, call);
  if (!retry) {
    scribe.changes.callChanges.push({ id: call.id, state: "given_up", reason, dueAt: null });
    return goesWithoutKey(turn, item, { cause: "no_key", reason: `${reason}; the deadline has passed` });
  }
  scribe.changes.callChanges.push({ id: call.id, state: "due", reason, dueAt: retry });
  const isNews = item.cause !== cause;
  change(item, { cause, reason, nextAction: `ask the manufacturer again at ${retry.toISOString()}` });
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
