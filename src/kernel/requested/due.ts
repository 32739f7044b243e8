/** A request whose time has come: a deadline, or its next periodic status. */

import { lookAgain, lookForSettings } from "../fulfilment/provision.ts";
import { tellStatus } from "../fulfilment/settle.ts";
import { deadlinePassed } from "../order/ending.ts";
import type { RequestTurn } from "../order/turn.ts";
import { verificationTimedOut } from "./begin.ts";
import { consentTimedOut } from "./consent.ts";

export function requestIsDue(context: RequestTurn): void {
  const { scribe, order, terms } = context;
  const isOver = order.deadlineAt !== null && order.deadlineAt <= scribe.now;
  if (order.state === "verifying" && isOver) return verificationTimedOut(context);
  if (order.state === "awaiting_consent" && isOver) return consentTimedOut(context);
  if (order.request.nextNoticeAt && order.request.nextNoticeAt <= scribe.now) tellStatus(context);
  if (order.state === "provisioning") {
    lookForSettings(context);
    deadlinePassed(scribe, order, terms);
    return lookAgain(context);
  }
  Object.assign(order, { dueAt: order.deadlineAt, changed: true });
  scribe.touch(order);
}
