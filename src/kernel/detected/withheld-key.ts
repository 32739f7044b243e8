/**
 * Keys that the operator does not want a handset to have any more: what is said of a model, a handset or its
 * maker may change while the key's message waits for the message centre, or to be sent again. It is asked when a message leaves
 * the outbox and when a person has it sent again; such a key is revoked, and the settings that went in one message with it go
 * alone.
 */
import { change } from "../order/change.ts";
import type { ConductorDeps } from "../order/deps.ts";
import { endIfDone, failItem } from "../order/ending.ts";
import type { EndedMessage, OutgoingMessage } from "../order/message.ts";
import type { OrderStore, OrderTransaction } from "../order/order-store.ts";
import type { Turn } from "../order/turn.ts";
import { isKeyWanted } from "./key-item.ts";
import { SENT_WITH_KEY, sendWithoutKeyOrSoon } from "./open-order.ts";

/** The stable code of what is not sent for it: of a failed item, of a failed message. */
export const KEY_WITHHELD = "key_withheld";
export const KEY_WITHHELD_REASON = "by what the operator says now the handset is to get no key";

export const carriesKey = ({ kind }: Pick<OutgoingMessage, "kind">): boolean =>
  kind === "key" || kind === "package";

/** Whether the key that a message carries is not to be sent any more. */
export async function isKeyWithheld(
  { store, judge }: { readonly store: OrderStore } & Pick<ConductorDeps, "judge">,
  { operatorId, orderId }: Pick<OutgoingMessage, "operatorId" | "orderId">,
  now: Date,
): Promise<boolean> {
  if (orderId === null) return false;
  const subject = (await store.subjectsOf([orderId])).get(orderId);
  if (!subject) return false;
  const terms = await store.termsOf(operatorId);
  return !isKeyWanted(judge, { order: { id: orderId }, subject, terms }, now);
}

/** Whether an order has a key that its handset is to get no more. Where that cannot be told, the outbox asks before it goes out. */
export function isKeyWithheldFrom(turn: Turn): boolean {
  if (!turn.order.items.some(({ kind }) => kind === "key")) return false;
  try {
    return !isKeyWanted(turn.deps.judge, turn, turn.scribe.now);
  } catch {
    return false;
  }
}

/** Nothing of it was taken by a handset: a key of which a part is missing is none. */
export async function keyMessageWithheld(
  turn: Turn,
  tx: OrderTransaction,
  { messageId }: EndedMessage,
): Promise<void> {
  const { scribe, order } = turn;
  const carried = order.items.filter(
    ({ message, state }) => message?.id === messageId && state === "sending",
  );
  for (const item of carried) {
    if (item.kind === "key") {
      failItem(turn, item, { cause: KEY_WITHHELD, reason: KEY_WITHHELD_REASON });
      if (item.keyId) scribe.changes.keyChanges.push({ id: item.keyId, state: "revoked" });
      continue;
    }
    // The PIN that was made for both opens nothing now: the settings bring their own.
    for (const { id } of await tx.companionsOf(order.id)) scribe.changes.cancelledMessages.push(id);
    change(item, { message: null });
    scribe.moveItem(order, item, {
      state: "pending",
      cause: SENT_WITH_KEY,
      reason: `${KEY_WITHHELD_REASON}: its settings go alone`,
      nextAction: "send the settings without it",
      deadlineAt: item.deadlineAt,
    });
    sendWithoutKeyOrSoon(turn);
  }
  endIfDone(turn);
}
