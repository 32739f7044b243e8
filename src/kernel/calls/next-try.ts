/** When a call that got no answer is made again. */

import { secondsAfter } from "../../term/moment.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { Scribe } from "../order/scribe.ts";

const FIRST_RETRY_SECONDS = 5;
const MAX_RETRY_SECONDS = 3_600;

/** Later and later, never past the deadline; null where the deadline is reached. */
export function nextTry(scribe: Scribe, call: OutboundCall): Date | null {
  if (scribe.now >= call.deadlineAt) return null;
  const seconds = Math.min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(call.attempts - 1, 20));
  const at = secondsAfter(scribe.now, seconds);
  return at < call.deadlineAt ? at : call.deadlineAt;
}
