/**
 * What moves an item after it was sent: receipts, proof, failures, and the wish of a person. One function a fact; the
 * states and levels are described in order.ts.
 *
 *   | fact              | item state before            | after                                   | effects                       |
 *   | message delivered | sending                      | delivered                               | notice to the maker of a key  |
 *   | message failed    | sending, attempts left       | sending (the same payload again, later) |                               |
 *   | message failed    | sending, no attempts left    | failed                                  | order may end                 |
 *   | opened            | sending, delivered           | opened                                  |                               |
 *   | works             | sending, delivered, opened   | works                                   |                               |
 *   | any level         | that level or a higher one   | unchanged                               | none: proof is booked once    |
 *   | refused by device | not final                    | failed                                  | order may end                 |
 *   A key that reaches its contract's level opens one charge, ever.
 */
import { portionMinorOf } from "../settlement/charge.ts";
import { FINAL_ORDER_STATES, LEVELS, type Level, rankOf } from "./order.ts";
import { type ItemDraft, type OrderDraft, type Relation, relationOf, type Terms } from "./order-store.ts";
import { hoursAfter, minutesAfter, NO_ACTION, type Scribe } from "./scribe.ts";

const FIRST_RESEND_MINUTES = 5;
const CALL_DEADLINE_HOURS = 24 * 14;

const isClosed = (item: ItemDraft): boolean => item.state === "failed" || item.state === "cancelled";

/** Books proof that an item reached a level; answers false where it was there already. */
export function reach(
  scribe: Scribe,
  order: OrderDraft,
  item: ItemDraft,
  terms: Terms,
  proof: {
    readonly level: Level;
    readonly evidence: string;
    readonly reason: string;
    readonly detail?: unknown;
  },
): boolean {
  const before = rankOf(item.state);
  const after = rankOf(proof.level);
  if (after <= before || item.state === "cancelled") return false;
  const isDone = after >= rankOf(terms.policy.doneAt);
  scribe.moveItem(order, item, {
    state: proof.level,
    reason: proof.reason,
    nextAction: isDone
      ? NO_ACTION
      : `wait for proof that it ${terms.policy.doneAt === "works" ? "works" : "was opened"}`,
    deadlineAt: isDone ? null : hoursAfter(scribe.now, terms.policy.proofDeadlineHours),
    evidence: proof.evidence,
    detail: proof.detail,
  });
  if (item.kind === "key" && item.keyId) {
    if (before < 1) tellMakerOfDownload(scribe, order, item);
    charge(scribe, order, item, terms, before, after);
    if (proof.level === "opened" || proof.level === "works") {
      scribe.changes.keyChanges.push({ id: item.keyId, state: "used" });
    }
  }
  endIfDone(scribe, order, terms);
  return true;
}

export function messageDelivered(scribe: Scribe, order: OrderDraft, messageId: string, terms: Terms): void {
  for (const item of itemsCarriedBy(order, messageId)) {
    reach(scribe, order, item, terms, {
      level: "delivered",
      evidence: "smsc_receipts",
      reason: "the SMSC reported every part delivered",
      detail: { messageId },
    });
  }
}

/** The same octets again, under a new reference, later and later; in the end the item fails with the SMSC's cause. */
export function messageFailed(
  scribe: Scribe,
  order: OrderDraft,
  messageId: string,
  terms: Terms,
  failure: { readonly outcome: "failed" | "expired"; readonly errorCode: string | null },
): void {
  const items = itemsCarriedBy(order, messageId).filter(({ state }) => state === "sending");
  if (items.length === 0) return;
  const why =
    failure.outcome === "expired"
      ? "the SMS expired undelivered"
      : `the SMSC failed it (${failure.errorCode ?? "no code"})`;
  const attempt = items[0]!.attempt;
  if (attempt > terms.policy.resendLimit) {
    for (const item of items) {
      scribe.moveItem(order, item, {
        state: "failed",
        cause: failure.outcome === "expired" ? "sms_expired" : "sms_failed",
        reason: `${why}; ${attempt} attempts were made`,
        nextAction: "a person may resend it",
        deadlineAt: null,
      });
    }
    return endIfDone(scribe, order, terms);
  }
  const waitMinutes = FIRST_RESEND_MINUTES * 4 ** (attempt - 1);
  resend(scribe, order, items, terms, { reason: `${why}; attempt ${attempt + 1} follows`, waitMinutes });
}

/** Queues the payload of these items once more. */
export function resend(
  scribe: Scribe,
  order: OrderDraft,
  items: readonly ItemDraft[],
  terms: Terms,
  { reason, waitMinutes }: { readonly reason: string; readonly waitMinutes: number },
): void {
  const carrier = items[0]!.message!;
  const attempt = items[0]!.attempt + 1;
  const dueAt = minutesAfter(scribe.now, waitMinutes);
  const expiresAt = minutesAfter(dueAt, terms.policy.messageValidityMinutes);
  const message = { ...carrier, id: scribe.newId(), reference: (carrier.reference + 1) & 0xff };
  scribe.changes.messages.push({
    ...message,
    operatorId: order.operatorId,
    orderId: order.id,
    subscriberId: order.subscriberId,
    destination: null,
    idempotencyKey: `${items[0]!.id}:${attempt}`,
    dueAt,
    expiresAt,
  });
  for (const item of items) {
    item.attempt = attempt;
    item.message = message;
    scribe.moveItem(order, item, {
      state: "sending",
      event: "resent",
      reason,
      nextAction: `hand it to the SMSC at ${dueAt.toISOString()}`,
      deadlineAt: expiresAt,
      detail: { messageId: message.id, attempt },
    });
  }
}

/** The handset's own word that it will not take it. */
export function refusedByDevice(
  scribe: Scribe,
  order: OrderDraft,
  item: ItemDraft,
  terms: Terms,
  cause: string,
): void {
  if (isClosed(item) || rankOf(item.state) >= rankOf("opened")) return;
  scribe.moveItem(order, item, {
    state: "failed",
    cause: `device_${cause}`,
    reason: `the handset refused it: ${cause.replaceAll("_", " ")}`,
    nextAction: "a person may resend it",
    deadlineAt: null,
    evidence: "device_report",
  });
  endIfDone(scribe, order, terms);
}

/** Ends an order whose items are all done or given up. */
export function endIfDone(scribe: Scribe, order: OrderDraft, terms: Terms): void {
  if (order.state !== "provisioning" || order.items.length === 0) return;
  const wanted = rankOf(terms.policy.doneAt);
  const done = order.items.filter(({ state }) => rankOf(state) >= wanted).length;
  const closed = order.items.filter(isClosed).length;
  if (done + closed < order.items.length) return;
  end(scribe, order, done, terms);
}

function end(scribe: Scribe, order: OrderDraft, done: number, terms: Terms): void {
  const all = order.items.length;
  const state =
    done === all
      ? "completed"
      : done > 0 || order.items.some(({ state }) => rankOf(state) > 0)
        ? "partly_completed"
        : "failed";
  const shortfall = order.items.filter(({ state }) => rankOf(state) < rankOf(terms.policy.doneAt));
  scribe.moveOrder(order, {
    state,
    reason:
      state === "completed"
        ? `all ${all} items reached "${terms.policy.doneAt}"`
        : shortfall.map((item) => `${item.kind}: ${item.reason}`).join("; "),
    nextAction: NO_ACTION,
    dueAt: null,
    deadlineAt: null,
  });
}

/** An order whose time is up ends with what it has; one whose items moved their deadline is looked at again then. */
export function deadlinePassed(scribe: Scribe, order: OrderDraft, terms: Terms): void {
  for (const item of order.items) {
    if (isClosed(item) || item.deadlineAt === null || item.deadlineAt > scribe.now) continue;
    if (rankOf(item.state) > 0) {
      item.deadlineAt = null;
      item.reason = `${item.state}, but no proof of "${terms.policy.doneAt}" came in time`;
      item.nextAction = NO_ACTION;
      item.changed = true;
      scribe.touch(order);
      scribe.note(order, { kind: "proof_missing", itemId: item.id, state: item.state, reason: item.reason });
      continue;
    }
    scribe.moveItem(order, item, {
      state: "failed",
      cause: item.state === "waiting_for_key" || item.cause === "sent_with_key" ? "no_key" : "not_delivered",
      reason: `${item.reason}; the deadline has passed`,
      nextAction: "a person may resend it",
      deadlineAt: null,
    });
  }
  const open = order.items.flatMap((item) =>
    item.deadlineAt === null || isClosed(item) ? [] : [item.deadlineAt],
  );
  if (open.length === 0) {
    return end(
      scribe,
      order,
      order.items.filter(({ state }) => rankOf(state) >= rankOf(terms.policy.doneAt)).length,
      terms,
    );
  }
  order.dueAt = open.reduce((one, other) => (one < other ? one : other));
  if (order.deadlineAt && order.deadlineAt < order.dueAt) order.deadlineAt = order.dueAt;
  order.changed = true;
  scribe.touch(order);
}

export function cancelOrder(scribe: Scribe, order: OrderDraft, actor: string): void {
  for (const item of order.items) {
    if (isClosed(item) || rankOf(item.state) > 0) continue;
    if (item.message) scribe.changes.cancelledMessages.push(item.message.id);
    scribe.moveItem(order, item, {
      state: "cancelled",
      reason: `cancelled by ${actor}`,
      nextAction: NO_ACTION,
      deadlineAt: null,
    });
  }
  scribe.moveOrder(order, {
    state: "cancelled",
    reason: `cancelled by ${actor}`,
    nextAction: NO_ACTION,
    dueAt: null,
    deadlineAt: null,
  });
}

const itemsCarriedBy = (order: OrderDraft, messageId: string): ItemDraft[] =>
  order.items.filter((item) => item.message?.id === messageId);

/** Row 113-114: the maker hears of the download as soon as there is a receipt, whatever comes after. */
function tellMakerOfDownload(scribe: Scribe, order: OrderDraft, item: ItemDraft): void {
  scribe.changes.keyChanges.push({ id: item.keyId!, state: "downloaded" });
  if (item.keySource !== "maker") return;
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "download_notice",
    idempotencyKey: item.keyId!,
    body: { keyId: item.keyId!, at: scribe.now.toISOString() },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
}

/** Rows 109-113: one charge when the level that the contract names is reached, never before, never twice. */
function charge(
  scribe: Scribe,
  order: OrderDraft,
  item: ItemDraft,
  terms: Terms,
  before: number,
  after: number,
): void {
  const contract: Relation | undefined = relationOf(terms, order.make);
  if (!contract || contract.feeMinor === 0n || !item.keySource) return;
  const due = rankOf(contract.feeLevel);
  if (before >= due || after < due) return;
  const id = scribe.newId();
  const charged = {
    id,
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    make: order.make ?? "*",
    keySource: item.keySource,
    feeMinor: contract.feeMinor,
    portionMinor: portionMinorOf({ ...contract, keySource: item.keySource }),
    currency: contract.currency,
    level: contract.feeLevel,
    reason: `the key reached "${contract.feeLevel}"; the fee is asked for`,
  };
  scribe.changes.charges.push(charged);
  scribe.changes.calls.push({
    id: scribe.newId(),
    operatorId: order.operatorId,
    orderId: order.id,
    itemId: item.id,
    kind: "fee_request",
    idempotencyKey: item.id,
    body: { chargeId: id, amountMinor: String(contract.feeMinor), currency: contract.currency },
    dueAt: scribe.now,
    deadlineAt: hoursAfter(scribe.now, CALL_DEADLINE_HOURS),
  });
  scribe.note(order, {
    kind: "fee_requested",
    itemId: item.id,
    reason: charged.reason,
    detail: { chargeId: id, feeMinor: String(contract.feeMinor), currency: contract.currency },
  });
}

export const isFinal = (order: OrderDraft): boolean => FINAL_ORDER_STATES.includes(order.state);
export const isLevel = (text: string): text is Level => (LEVELS as readonly string[]).includes(text);
