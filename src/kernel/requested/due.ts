/** A request whose time has come: a deadline, or its next periodic status. */

import { lookAgain, lookForSettings } from "../fulfilment/provision.ts";
import { tellStatus } from "../fulfilment/settle.ts";
import { change } from "../order/change.ts";
import { deadlinePassed } from "../order/ending.ts";
import type { RequestTurn } from "../order/turn.ts";
import { verificationTimedOut } from "./begin.ts";
import { consentTimedOut } from "./consent.ts";

export function requestIsDue(turn: RequestTurn): void {
  const { scribe, order } = turn;
  const isOver = order.deadlineAt !== null && order.deadlineAt <= scribe.now;
  if (order.state === "verifying" && isOver) return verificationTimedOut(turn);
  if (order.state === "awaiting_consent" && isOver) return consentTimedOut(turn);
  if (order.request.nextNoticeAt && order.request.nextNoticeAt <= scribe.now) tellStatus(turn);
  if (order.state === "provisioning") {
    lookForSettings(turn);
    deadlinePassed(turn);
    return lookAgain(turn);
  }
  change(order, { dueAt: order.deadlineAt });
  scribe.touch(order);
}
