/** An operator's word may be what its waiting orders wait for: they are due with it, and judged by it. */
import type { Db } from "../database/database.ts";

/** Requests wait item by item: for their settings, while the rest of them is under way. */
const ASKED_FOR = "array['self_service', 'representative', 'telephone', 'partner', 'offer']";

const WAKE_WAITING = {
  // Not by the clock of whoever writes alone: a command's may be ahead.
  name: "wake_waiting_orders", // provisioning_order_by_standing; one that is being put to waiting now looks again by itself
  text: `update provisioning_order o set due_at = least($2, now())
          where operator_id = $1 and due_at > $2
            and (state = 'waiting' or (state = 'provisioning' and cause = any(${ASKED_FOR})
                 and exists (select from order_item i where i.order_id = o.id and i.state = 'pending' and i.cause is not null)))`,
};

export async function wakeWaiting(tx: Db, operatorId: string, now: Date): Promise<void> {
  await tx.run(WAKE_WAITING, [operatorId, now]);
}
