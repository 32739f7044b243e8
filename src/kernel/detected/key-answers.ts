/**
 * What a manufacturer's key server answered. A good key is sent; a clear no ends the asking; anything else leaves the item
 * waiting with what was met, asked again later and later until its deadline.
 */
import { type DeviceKey, decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { nextTry } from "../calls/next-try.ts";
import { sendKey, sendTogether } from "../delivery/send.ts";
import { boundToHandset, checkMakerKey } from "../keys/check-key.ts";
import { publicKeyOf } from "../keys/issuer-keys.ts";
import { uuidOf } from "../keys/key-id.ts";
import { relationOf } from "../operator/operator-terms.ts";
import { apnsOf } from "../order/access-points.ts";
import { change } from "../order/change.ts";
import type { TakenKey } from "../order/device-key.ts";
import { endIfDone, failItem, isFinal } from "../order/ending.ts";
import { faultOf } from "../order/fault.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { Turn } from "../order/turn.ts";
import { sendAlone, sendInSettings } from "./key-in-settings.ts";
import { bookKey, isKeyWanted } from "./key-item.ts";
import { keyRoadOf } from "./key-road.ts";
import { sendWithoutKeyOrSoon, valuesFor, waitsForKey } from "./open-order.ts";
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
  // What its maker left to us to bind is this handset's from here on, and no other's.
  const bytes = boundToHandset(answer.bytes, subject.imei, turn.deps.ownIssuer.privateKey);
  const checked = checkMakerKey(bytes, {
    publicKeyOf: (issuer) => publicKeyOf(relation?.keyIssuers[issuer]),
    imei: subject.imei,
    now: scribe.now,
    ...(answer.stock && { giver: "the stock of keys" }),
  });
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
    bytes,
    notAfter: key.notAfter,
    source: answer.stock ? "stock" : "maker",
    issuer: key.issuer,
    isTakenOver: former !== undefined,
  });
  scribe.changes.callChanges.push({ id: call.id, state: "done", reason: "the key came", dueAt: null });
  noteKey(turn, item, { issuer: key.issuer, isTakenOver: former !== undefined, stock: answer.stock });
  if (!isFinal(order)) sendNewKey(turn, item, { bytes, key });
}

/** Where it came from, and how many are left where that is a stock. */
function noteKey(
  { scribe, order, terms }: Turn,
  item: ItemDraft,
  given: {
    readonly issuer: string;
    readonly isTakenOver: boolean;
    readonly stock: Extract<CallAnswer, { kind: "key" }>["stock"];
  },
): void {
  const { issuer, stock } = given;
  const relation = relationOf(terms, order.make);
  const { keyId } = item;
  if (!stock) {
    const reason = given.isTakenOver
      ? `${issuer} gave the handset's present key again: it is taken over from an older order`
      : `${issuer} issued the key`;
    return scribe.note(order, { kind: "key_received", itemId: item.id, reason, detail: { keyId } });
  }
  const { batchId, left } = stock;
  const isLow = left <= (relation?.keyStockLow ?? 0);
  const words = isLow ? `; ${left} of ${relation?.make ?? order.make} are left: import a batch` : "";
  scribe.note(order, {
    kind: "key_received",
    itemId: item.id,
    reason: `a key that ${issuer} made beforehand, of batch ${batchId}, is bound to this handset${words}`,
    detail: { keyId, batchId, keysLeft: left },
  });
}

function sendNewKey(
  turn: Turn,
  item: ItemDraft,
  { bytes, key }: { readonly bytes: Uint8Array; readonly key: DeviceKey },
): void {
  const { deps, order, subject, terms, scribe } = turn;
  const waiting = order.items.find(waitsForKey);
  const choice = waiting ? deps.chooseSettings(subject, terms) : undefined;
  const relation = relationOf(terms, order.make);
  const judgement = deps.judge(order, subject, terms, scribe.now);
  const isForSettings = keyRoadOf(judgement, relation) === "settings";
  if (waiting && choice?.kind === "chosen") {
    const values = valuesFor(choice.values, !isForSettings, relation, terms);
    if (isForSettings) return sendInSettings(turn, { item, key }, waiting, { values, road: judgement });
    return sendTogether(turn, { item, bytes }, { item: waiting, road: judgement }, values);
  }
  if (isForSettings) return sendAlone(turn, { item, key }, judgement);
  sendKey(turn, item, bytes);
  sendWithoutKeyOrSoon(turn);
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
  sendWithoutKeyOrSoon(turn);
  endIfDone(turn);
}

function keyWaits(turn: Turn, item: ItemDraft, call: OutboundCall, { cause, reason }: Met): void {
  const { scribe, order } = turn;
  const retry = nextTry(scribe, call);
  if (!retry) {
    scribe.changes.callChanges.push({ id: call.id, state: "given_up", reason, dueAt: null });
    return goesWithoutKey(turn, item, { cause: "no_key", reason: `${reason}; the deadline has passed` });
  }
  const at = retry.toISOString();
  scribe.changes.callChanges.push({ id: call.id, state: "due", reason, dueAt: retry });
  const isNews = item.cause !== cause;
  change(item, { cause, reason, nextAction: nextAsking(call, { cause, make: order.make, at }) });
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

function nextAsking(
  call: OutboundCall,
  { cause, make, at }: { readonly cause: string; readonly make: string | null; readonly at: string },
): string {
  if (call.kind !== "key_request" || call.body.from === "maker") return `ask the manufacturer again at ${at}`;
  if (cause !== "stock_empty") return `look into the stock again at ${at}`;
  return `import a batch of keys of ${make ?? "this make"}; it is looked at again at once then, and at ${at}`;
}
