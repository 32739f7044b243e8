/** An operator's word may be what its waiting orders wait for: they are due as soon as every server has read it. */
import type { Db } from "./database.ts";

/** A change of what an operator said takes effect within this time on every server. */
export const TERMS_TTL_MS = 2_000;
const MARGIN_MS = 500;

const WAKE_WAITING = {
  name: "wake_waiting_orders", // provisioning_order_by_state; one that is being put to waiting now looks again by itself
  text: `update provisioning_order set due_at = $2 where operator_id = $1 and state = 'waiting' and due_at > $2`,
};

export async function wakeWaiting(tx: Db, operatorId: string, now: Date): Promise<void> {
  await tx.run(WAKE_WAITING, [operatorId, new Date(now.getTime() + TERMS_TTL_MS + MARGIN_MS)]);
}
