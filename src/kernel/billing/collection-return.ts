/**
 * What follows from a sum that came back: it stands in the history of the order that brought the item, in a posting the other way round,
 * and with the billing centre, as a durable call. Nothing that the subscriber has is taken away by it.
 */
import { hoursAfter } from "../../term/moment.ts";
import { formatMoney } from "../../term/money.ts";
import { NOTICE_DEADLINE_HOURS } from "../calls/ask.ts";
import type { ChangeSet } from "../order/change-set.ts";
import type { ReturnVerdict, ToldReturn } from "../settlement/collection-return.ts";
import { dueEntry, returnedEntry, takenEntry } from "../settlement/postings.ts";

type Returned = {
  readonly operatorId: string;
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly catalogId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
};

export function tellReturned(
  changes: ChangeSet,
  sum: Returned,
  said: {
    readonly returnId: string;
    readonly told: Pick<ToldReturn, "source" | "kind" | "code">;
    readonly verdict: ReturnVerdict & { readonly backMinor: bigint };
  },
  { now, newId }: { readonly now: Date; readonly newId: () => string },
): void {
  const { operatorId, id: collectionId, orderId, itemId, catalogId, currency } = sum;
  const { returnId, told, verdict } = said;
  const { backMinor } = verdict;
  // That it was taken, and due, may have been booked before: each stands once.
  for (const entry of [
    dueEntry(sum),
    takenEntry(sum),
    returnedEntry({ id: sum.id, amountMinor: backMinor }, returnId),
  ])
    changes.collectionPostings.push({ ...entry, id: newId(), operatorId, collectionId, currency });
  const event = { operatorId, orderId, itemId, state: null, at: now };
  changes.events.push({
    ...event,
    id: newId(),
    kind: "collection_returned",
    reason: `${formatMoney({ amountMinor: backMinor, currency })} is owed again. ${verdict.reason} What was provisioned stays`,
    evidence: told.source,
    detail: {
      ...{ collectionId, returnId, kind: told.kind, code: told.code },
      ...{ amountMinor: String(backMinor), currency },
    },
  });
  changes.calls.push({
    ...{ id: newId(), operatorId, orderId, itemId },
    kind: "billing_notice",
    idempotencyKey: `${collectionId}:returned:${returnId}`,
    body: {
      ...{ kind: "collection_returned", catalogId, action: "remove" },
      ...{ onceMinor: Number(backMinor), monthlyMinor: 0, currency, prepared: null },
    },
    dueAt: now,
    deadlineAt: hoursAfter(now, NOTICE_DEADLINE_HOURS),
  });
}
