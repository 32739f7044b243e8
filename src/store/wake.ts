/** An operator's word may be what its waiting orders wait for: they are due as soon as every server has read it. */
import type { Db } from "./database.ts";

/** A change of what an operator said takes effect within this time on every server. */
export const TERMS_TTL_MS = 2_000;
const MARGIN_MS = 500;

/** Requests wait item by item: for their settings, while the rest of them is under way. */
const ASKED_FOR = "array['self_service', 'representative', 'telephone', 'partner', 'offer']";

const WAKE_WAITING = {
  name: "wake_waiting_orders", // provisioning_order_by_state; one that is being put to waiting now looks again by itself
  text: `update provisioning_order o set due_at = $2
          where operator_id = $1 and due_at > $2
            and (state = 'waiting' or (state = 'provisioning' and cause = any(${ASKED_FOR})
                 and exists (select from order_item i where i.order_id = o.id and i.state = 'pending' and i.cause is not null)))`,
};

export async function wakeWaiting(tx: Db, operatorId: string, now: Date): Promise<void> {
  await tx.run(WAKE_WAITING, [operatorId, new Date(now.getTime() + TERMS_TTL_MS + MARGIN_MS)]);
}
