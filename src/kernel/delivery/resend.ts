/**
 * Sending again: the same octets under a new reference, so that a phone that holds parts of the former message does not
 * mix them. An item that was proved already keeps its level meanwhile.
 */

import { firstOf } from "../../term/collections.ts";
import { TurnupError } from "../../term/error.ts";
import { hoursAfter, minutesAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import type { OrderPolicy } from "../operator/policy.ts";
import { change } from "../order/change.ts";
import type { CarrierMessage, Companion } from "../order/message.ts";
import { rankOf } from "../order/order.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { Booking } from "../order/turn.ts";
import { freeReference } from "./reference.ts";

const FIRST_RESEND_MINUTES = 5;
const MAX_RESEND_MINUTES = 360;

/** A receipt may come this long after its message expired, and later still is counted all the same. */
export const RECEIPT_GRACE_MINUTES = 5;

export const resendWaitMinutes = (attempt: number): number =>
  Math.min(MAX_RESEND_MINUTES, FIRST_RESEND_MINUTES * 4 ** Math.min(attempt - 1, 10));

/** When the last attempt that the policy allows has run out: until then an item that is being sent is not given up. */
export function lastChance(policy: OrderPolicy, attempt: number, dueAt: Date): Date {
  const oneMinutes = policy.messageValidityMinutes + 2 * RECEIPT_GRACE_MINUTES;
  let minutes = oneMinutes;
  for (let next = attempt; next <= policy.resendLimit; next++)
    minutes += resendWaitMinutes(next) + oneMinutes;
  return minutesAfter(dueAt, minutes);
}

type Again = {
  readonly waitMinutes: number;
  /** What else is sent again in this step: parts of it may still be on their way. */
  readonly beside?: readonly CarrierMessage[];
};

/** Queues the payload of these items once more. */
export function resend(
  turn: Booking,
  items: readonly ItemDraft[],
  { reason, waitMinutes, beside = [] }: Again & { readonly reason: string },
): void {
  const { scribe, order, terms } = turn;
  const first = firstOf(items);
  const attempt = Math.max(...items.map((item) => item.attempt)) + 1;
  const dueAt = minutesAfter(scribe.now, waitMinutes);
  const message = queueAgain(turn, assured(first.message, "what is sent again was sent before"), {
    idempotencyKey: `${first.id}:${attempt}`,
    dueAt,
    beside,
  });
  for (const item of items) {
    change(item, { attempt, message });
    const isProved = rankOf(item.state) > 0;
    scribe.moveItem(order, item, {
      state: isProved ? item.state : "sending",
      event: "resent",
      reason,
      nextAction: `hand it to the SMSC at ${dueAt.toISOString()}`,
      deadlineAt: isProved
        ? hoursAfter(dueAt, terms.policy.proofDeadlineHours)
        : lastChance(terms.policy, attempt, dueAt),
      detail: { messageId: message.id, attempt },
    });
    if (message.kind === "link" || message.kind === "bootstrap") {
      const expiresAt = hoursAfter(lastChance(terms.policy, attempt, dueAt), terms.policy.proofDeadlineHours);
      const { linkExtensions, managementAgain } = scribe.changes;
      const longer = message.kind === "link" ? linkExtensions : managementAgain;
      longer.push({ itemId: item.id, orderId: order.id, expiresAt });
    }
  }
}

/** A PIN notice or a second settings message goes along with an item's own; it is proved by nothing. */
export function resendCompanion(
  turn: Booking,
  companion: Companion,
  { waitMinutes, beside = [] }: Again,
): void {
  const { scribe, order } = turn;
  const attempt = companion.attempt + 1;
  const dueAt = minutesAfter(scribe.now, waitMinutes);
  queueAgain(turn, companion, { idempotencyKey: `${companion.payloadId}:${attempt}`, dueAt, beside });
  scribe.note(order, {
    kind: "companion_resent",
    reason: `the ${companion.kind.replace("_", " ")} is sent again`,
    detail: { attempt },
  });
}

function queueAgain(
  { scribe, order, terms }: Booking,
  former: CarrierMessage,
  {
    idempotencyKey,
    dueAt,
    beside,
  }: Pick<Required<Again>, "beside"> & { readonly idempotencyKey: string; readonly dueAt: Date },
): CarrierMessage {
  const { items, subscriberId } = order;
  const onItsWay = {
    items: [...items, ...beside.map((message) => ({ message }))],
    messages: scribe.changes.messages,
    subscriberId,
  };
  const message: CarrierMessage = {
    id: scribe.newId(),
    payloadId: former.payloadId,
    kind: former.kind,
    partCount: former.partCount,
    reference: freeReference(former.reference + 1, onItsWay),
  };
  scribe.changes.messages.push({
    ...message,
    operatorId: order.operatorId,
    orderId: order.id,
    subscriberId: order.subscriberId,
    destination: null,
    idempotencyKey,
    dueAt,
    expiresAt: minutesAfter(dueAt, terms.policy.messageValidityMinutes),
  });
  return message;
}

/** Whoever has its number now may have the link: it is not opened again, whoever asks. */
export const isOfLostLink = ({ message }: ItemDraft): boolean =>
  message?.kind === "link" && message.isLost === true;

/** At once, each message once for all items that it carries. */
export function resendItems(
  turn: Booking,
  sendable: readonly ItemDraft[],
  companions: readonly Companion[],
  reason: string,
): void {
  const { cancelledMessages } = turn.scribe.changes;
  const byMessage = new Map<string, ItemDraft[]>();
  for (const item of sendable) {
    const id = item.message?.id;
    if (id !== undefined) byMessage.set(id, [...(byMessage.get(id) ?? []), item]);
  }
  const beside = [...companions, ...sendable.flatMap(({ message }) => message ?? [])];
  // PIN first: the settings open with it. Only what goes along with settings is there.
  if (sendable.some(({ kind }) => kind === "settings")) {
    for (const companion of companions) {
      cancelledMessages.push(companion.id);
      // Who asks for a session waits until the account has arrived, as at first.
      const waitMinutes = companion.kind === "wake" ? turn.terms.policy.messageValidityMinutes : 0;
      resendCompanion(turn, companion, { waitMinutes, beside });
    }
  }
  for (const [messageId, items] of byMessage) {
    if (items.some(({ state }) => state === "sending")) cancelledMessages.push(messageId);
    resend(turn, items, { reason, waitMinutes: 0, beside });
  }
}

export const closed = (order: OrderDraft): TurnupError =>
  new TurnupError("order_closed", `The order is ${order.state} already: ${order.reason}.`, {
    nextStep: "Open a new order for this handset if something is still to be done.",
  });
