/**
 * What a management session of OMA DM proves: that the device took its account (`opened`), that every node was set, or which one it
 * refused and by which Status. That the settings work, traffic shows as always.
 */
import type { ManagementFact } from "../management/session.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import { lockById, type Step } from "../order/step.ts";
import type { Booking } from "../order/turn.ts";
import { reach, refusedInSession } from "./progress.ts";

export type SessionShown = {
  readonly orderId: string;
  readonly itemId: string;
  readonly taskId: string;
  readonly fact: ManagementFact;
};

export async function sessionsShowed(step: Step, shown: readonly SessionShown[]): Promise<void> {
  const orders = await lockById(
    step.tx,
    shown.map(({ orderId }) => orderId),
  );
  for (const { orderId, itemId, taskId, fact } of shown) {
    const order = orders.get(orderId);
    const item = order?.items.find(({ id }) => id === itemId);
    if (!order || !item) continue;
    const booking = await step.bookingOf(order);
    // Of a message that came twice the end is told once.
    const isNews = fact.kind === "began" || (await step.tx.claimManaged(taskId, step.scribe.now));
    if (isNews) book(booking, item, fact);
  }
}

export const MANAGEMENT_EVIDENCE = "management_session";

function book(booking: Booking, item: ItemDraft, fact: ManagementFact): void {
  const { scribe, order } = booking;
  switch (fact.kind) {
    case "began":
      scribe.changes.wakeChanges.push({ orderId: order.id, isWanted: false });
      reach(booking, item, {
        level: "opened",
        evidence: MANAGEMENT_EVIDENCE,
        reason: "the handset opened a management session",
      });
      return;
    case "applied":
      scribe.touch(order);
      return scribe.note(order, {
        kind: "settings_set",
        itemId: item.id,
        state: item.state,
        reason: `the handset set every node: ${fact.nodes} of its tree ${fact.tree}`,
        evidence: MANAGEMENT_EVIDENCE,
        detail: { tree: fact.tree, nodes: fact.nodes, firmware: fact.firmware },
      });
    case "refused":
      return refusedInSession(booking, item, {
        cause: fact.cause,
        reason: fact.reason,
        evidence: MANAGEMENT_EVIDENCE,
      });
  }
}
