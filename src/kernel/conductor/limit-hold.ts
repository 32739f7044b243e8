/** What the limits of an operator's policy do to a message whose turn it is: it goes, waits a moment, or is given back with a time. */

import {
  costText,
  heldUntil,
  PACED_MS_MAX,
  partCostMicros,
  type SmsLimits,
  type SmsPace,
  type SmsSpend,
} from "../operator/sms-limits.ts";
import type { OutgoingMessage, UnsentMessage } from "../order/message.ts";

type NotSent = Omit<UnsentMessage, "messageId">;
type Limiting = {
  readonly spend: Pick<SmsSpend, "now" | "handedOver">;
  readonly pace: SmsPace;
  readonly sleep: (ms: number) => Promise<void>;
  readonly clock: () => Date;
};

/** The operator's own limits: a day that is spent holds a message back, a rate lets it wait for its turn. */
export function limitsOf(
  { spend, pace, sleep, clock }: Limiting,
  { operatorId, partCount, acceptedParts, expiresAt, content }: OutgoingMessage,
  limits: SmsLimits,
): Promise<NotSent | undefined> | undefined {
  const { perSecond, prices } = limits;
  const isOfDay = limits.perDay !== null || limits.costMicrosPerDay !== null;
  if (perSecond === null && !isOfDay) return undefined;
  return (async () => {
    const parts = partCount - acceptedParts.length;
    const costMicros = parts * partCostMicros(prices, content?.to ?? "");
    const today = isOfDay ? await spend.now(operatorId) : undefined;
    const now = clock(); // no turn from here to where it is counted: many of an operator come at once
    const held = today && dayHeld(limits, today, { parts, costMicros }, now);
    if (held) return held;
    const waitMs = perSecond === null ? 0 : pace.take(operatorId, perSecond, parts, now.getTime());
    if (waitMs > PACED_MS_MAX) {
      const turn = new Date(now.getTime() + waitMs);
      const retryAt = turn < expiresAt ? turn : expiresAt;
      const reason = `the operator's ${perSecond} SMS a second are taken; it is looked at again at ${retryAt.toISOString()}`;
      return { reason, retryAt, errorCode: "sms_rate" };
    }
    if (isOfDay) spend.handedOver(operatorId, parts, costMicros);
    if (waitMs > 0) await sleep(waitMs);
    return undefined;
  })();
}

function dayHeld(
  { perDay, costMicrosPerDay, prices }: SmsLimits,
  today: Awaited<ReturnType<SmsSpend["now"]>>,
  { parts, costMicros }: { readonly parts: number; readonly costMicros: number },
  now: Date,
): NotSent | undefined {
  const held = (what: string, retryAt: Date | undefined): NotSent | undefined =>
    retryAt && {
      reason: `the operator's ${what} of the day are spent; it is looked at again at ${retryAt.toISOString()}`,
      retryAt,
      errorCode: "sms_day_spent",
    };
  const cost = { spent: today.spentMicros, lately: today.latelyMicros };
  return (
    (perDay === null ? undefined : held(`${perDay} SMS`, heldUntil(perDay, today, parts, now))) ??
    (costMicrosPerDay === null || prices === null
      ? undefined
      : held(
          `${costText(costMicrosPerDay, prices)} for SMS`,
          heldUntil(costMicrosPerDay, cost, costMicros, now),
        ))
  );
}
