/** Asks another company's machine something for a request: one durable call, made until it answers or its deadline passes. */

import { hoursAfter } from "../../term/moment.ts";
import type { CallContent } from "../order/outbound-call.ts";
import type { RequestTurn } from "../order/turn.ts";

/** For word to the billing centre: like a fee's. */
export const NOTICE_DEADLINE_HOURS = 24 * 14;

/** Why a call failed where nobody stands at its other end: asking again changes nothing before the configuration does. */
export const NOT_CONFIGURED = "not_configured";

type NewQuestion = CallContent & {
  readonly itemId: string | null;
  /** What makes it this call and no other: asked twice, it is made once. */
  readonly idempotencyKey: string;
  /** At once where left out. */
  readonly dueAt?: Date;
  readonly deadlineAt: Date;
};

/** Answers the call's id, which is what the other machine knows it by. */
export function ask({ scribe, order }: RequestTurn, call: NewQuestion): string {
  const id = scribe.newId();
  scribe.changes.calls.push({
    ...call,
    id,
    operatorId: order.operatorId,
    orderId: order.id,
    dueAt: call.dueAt ?? scribe.now,
  });
  return id;
}

export const within = ({ scribe }: Pick<RequestTurn, "scribe">, hours: number): Date =>
  hoursAfter(scribe.now, hours);
