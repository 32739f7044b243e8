/**
 * What moves an item after it was sent: receipts, proof, failures. One function a fact; the states and levels are
 * described in order.ts, how orders end in ending.ts.
 *
 *   | fact              | item state before            | after                                   | effects                       |
 *   | message delivered | sending, failed              | delivered                               | notice to the maker of a key  |
 *   | message failed    | sending, attempts left       | sending (the same payload again, later) |                               |
 *   | message failed    | sending, no attempts left    | failed                                  | order may end                 |
 *   | message refused   | sending                      | failed: the same octets would be again  | order may end                 |
 *   | message withheld  | sending                      | failed: nobody confirmed what is in it  | order may end                 |
 *   | message failed    | any other                    | unchanged                               | none: an earlier one came     |
 *   | opened            | sending, delivered, failed   | opened                                  |                               |
 *   | works             | all of these, opened         | works                                   |                               |
 *   | traffic           | all of these, opened         | opened or works: see traffic.ts         |                               |
 *   | any level         | that level or a higher one   | unchanged                               | none: proof is booked once    |
 *   | any level         | not sent yet, or cancelled   | unchanged                               | none: what proves it is not us |
 *   | refused by device | sending, delivered           | failed                                  | order may end                 |
 *   | refused in session | those, opened               | failed: the Status is the cause         | order may end                 |
 *   Delivery proves by the octets that were delivered: a former message's receipt counts after a resend.
 *   An order that had ended may end better by late proof. A key that reaches its contract's level opens one charge, ever.
 */

import { firstOf } from "../../term/collections.ts";
import { hoursAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import { resend, resendCompanion, resendWaitMinutes } from "../delivery/resend.ts";
import type { Level } from "../operator/policy.ts";
import { SETTINGS_UNCONFIRMED, WITHHELD_REASON } from "../operator/unconfirmed.ts";
import { endIfDone, failItem, isClosed, isFinal } from "../order/ending.ts";
import type { EndedMessage } from "../order/message.ts";
import { rankOf } from "../order/order.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import type { Booking } from "../order/turn.ts";
import { charge, tellMakerOfDownload } from "./fee.ts";

export type Proof = {
  readonly level: Level;
  readonly evidence: string;
  readonly reason: string;
  readonly detail?: unknown;
  /** What is waited for next, where it is less than the whole. */
  readonly nextAction?: string;
};

/** Books proof that an item reached a level; answers false where it was there already, or was never sent. */
export function reach(turn: Booking, item: ItemDraft, proof: Proof): boolean {
  const { scribe, order, terms } = turn;
  const before = rankOf(item.state);
  const after = rankOf(proof.level);
  if (after <= before || item.message === null || item.state === "cancelled") return false;
  const isLast = after >= rankOf(terms.policy.doneAt) || isFinal(order);
  scribe.moveItem(order, item, {
    state: proof.level,
    reason: proof.reason,
    nextAction: isLast
      ? NO_ACTION
      : (proof.nextAction ??
        `wait for proof that it ${terms.policy.doneAt === "works" ? "works" : "was opened"}`),
    deadlineAt: isLast ? null : hoursAfter(scribe.now, terms.policy.proofDeadlineHours),
    evidence: proof.evidence,
    detail: proof.detail,
  });
  if (item.kind === "key" && item.keyId) keyReached(turn, item, before, after);
  endIfDone(turn);
  return true;
}

/** A key that failed after its download and comes through in the end was downloaded once, and is paid for once. */
function keyReached(turn: Booking, item: ItemDraft, before: number, after: number): void {
  const { scribe } = turn;
  const reached = Math.max(before, item.keyState === "issued" ? 0 : rankOf("delivered"));
  if (reached === 0) tellMakerOfDownload(turn, item);
  charge(turn, item, reached, after);
  const state = after >= rankOf("opened") ? "used" : "downloaded";
  item.keyState = state;
  scribe.changes.keyChanges.push({ id: assured(item.keyId, "it was looked at by the caller"), state });
}

/** Where settings go in several messages, this is the last of them: the item has arrived when all of them have. */
export function messageDelivered(turn: Booking, ended: EndedMessage): void {
  const { scribe, order } = turn;
  const isLastOfSettings = ended.isCompanion && ended.kind === "settings";
  // A device that has its account now is asked for a session.
  if (ended.kind === "bootstrap") scribe.changes.wakeChanges.push({ orderId: order.id, isWanted: true });
  for (const item of order.items) {
    if (item.message === null) continue;
    const isCarried = isLastOfSettings
      ? item.message.kind === "settings"
      : item.message.payloadId === ended.payloadId;
    if (!isCarried) continue;
    // What was to be sent once more has arrived after all.
    const isFormer = !isLastOfSettings && item.message.id !== ended.messageId;
    if (isFormer && item.state === "sending") scribe.changes.cancelledMessages.push(item.message.id);
    if (wasRefusedByDevice(item)) {
      downloadedAfterAll(turn, item);
      continue;
    }
    reach(turn, item, {
      level: "delivered",
      evidence: "smsc_receipts",
      reason: "the SMSC reported every part delivered",
      detail: { messageId: ended.messageId },
    });
  }
}

const wasRefusedByDevice = ({ state, cause }: ItemDraft): boolean =>
  state === "failed" && (cause?.startsWith("device_") ?? false);

/** The handset's word came before the receipts of what it refused: they say that it arrived, not that it is wanted. */
function downloadedAfterAll(turn: Booking, item: ItemDraft): void {
  if (item.kind !== "key" || item.keyState !== "issued" || !item.keyId) return;
  tellMakerOfDownload(turn, item);
  item.keyState = "downloaded";
  turn.scribe.changes.keyChanges.push({ id: item.keyId, state: "downloaded" });
}

/**
 * Codes of messages that were refused when they were handed over, for good: a submit_sm's command_status that says so (an
 * address, a type of number, a length that is not allowed), or our own word that it cannot be written.
 */
const REFUSED_UNSENT = /^(?:ESME_R|alphabet_unfit$|smpp_field_invalid$)/;
/** Words of ours for what no centre was asked to send: they are never told as a centre's. */
const OWN_WORDS: readonly string[] = [
  "alphabet_unfit",
  "smpp_field_invalid",
  "unreadable",
  "opted_out",
  "key_withheld",
  "settings_unconfirmed",
];

/** The same octets again, under a new reference, later and later; in the end the item fails with the SMSC's cause. */
export function messageFailed(turn: Booking, ended: EndedMessage): void {
  const { order, terms } = turn;
  if (isFinal(order)) return;
  const isWithheld = ended.errorCode === SETTINGS_UNCONFIRMED;
  const isRefused = ended.outcome === "failed" && REFUSED_UNSENT.test(ended.errorCode ?? "");
  if (ended.isCompanion) {
    if (isWithheld || isRefused || ended.attempt > terms.policy.resendLimit) return;
    return resendCompanion(turn, ended, { waitMinutes: resendWaitMinutes(ended.attempt) });
  }
  const items = order.items.filter(
    ({ message, state }) => message?.id === ended.messageId && state === "sending",
  );
  if (items.length === 0) return;
  if (isWithheld) {
    for (const item of items) failItem(turn, item, { cause: SETTINGS_UNCONFIRMED, reason: WITHHELD_REASON });
    return endIfDone(turn);
  }
  const why =
    ended.outcome === "expired"
      ? "the SMS expired undelivered"
      : OWN_WORDS.includes(ended.errorCode ?? "")
        ? `it was not given to the SMSC (${ended.errorCode})`
        : `the SMSC failed it (${ended.errorCode ?? "no code"})`;
  const attempt = firstOf(items).attempt;
  if (isRefused) {
    const reason = `${why}: nothing was sent, and the same octets would be refused again`;
    for (const item of items) failItem(turn, item, { cause: "sms_failed", reason });
    return endIfDone(turn);
  }
  if (attempt > terms.policy.resendLimit) {
    const cause = ended.outcome === "expired" ? "sms_expired" : "sms_failed";
    const reason = `${why}; ${attempt} attempts were made`;
    for (const item of items) failItem(turn, item, { cause, reason });
    return endIfDone(turn);
  }
  resend(turn, items, {
    reason: `${why}; attempt ${attempt + 1} follows`,
    waitMinutes: resendWaitMinutes(attempt),
  });
}

/** The handset's own word that it will not take it. What is done stays done. */
export function refusedByDevice(turn: Booking, item: ItemDraft, cause: string): void {
  if (rankOf(item.state) >= rankOf("opened")) return;
  const reason = `the handset refused it: ${cause.replaceAll("_", " ")}`;
  refused(turn, item, { cause, reason, evidence: "device_report" });
}

type Refusal = { readonly cause: string; readonly reason: string; readonly evidence: string };

/** It opened a session, and would not set in it what it was asked to: what works already stays so. */
export function refusedInSession(turn: Booking, item: ItemDraft, refusal: Refusal): void {
  if (item.state !== "works") refused(turn, item, refusal);
}

function refused(turn: Booking, item: ItemDraft, { cause, reason, evidence }: Refusal): void {
  const { scribe, order, terms, ending } = turn;
  if (isClosed(item) || item.message === null) return;
  if (isFinal(order) || ending.isDone(item, terms)) {
    return scribe.note(order, {
      kind: "device_refused",
      itemId: item.id,
      state: item.state,
      reason,
      evidence,
    });
  }
  failItem(turn, item, { cause: `device_${cause}`, reason, evidence });
  endIfDone(turn);
}
