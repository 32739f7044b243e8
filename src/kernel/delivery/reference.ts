/**
 * The reference of a concatenated message (TS 23.040 clause 9.2.3.24.1). A handset tells the parts of two messages apart by it alone,
 * beside their sender: two that are on their way to one handset under one reference lose their parts to each other.
 */
import type { ChangeSet } from "../order/change-set.ts";
import type { ItemDraft } from "../order/order-draft.ts";

const REFERENCES = 256;

/** What is on its way to the same handset, as far as the order and this step know. */
type OnItsWay = {
  readonly items: readonly Pick<ItemDraft, "message">[];
  readonly messages: readonly Pick<ChangeSet["messages"][number], "reference" | "subscriberId">[];
  readonly subscriberId: string | null;
};

/** `first`, or the next behind it that no other message bears; 0 to 255. Where all are borne, `first` as it is. */
export function freeReference(first: number, { items, messages, subscriberId }: OnItsWay): number {
  const borne = new Set([
    ...items.flatMap(({ message }) => (message ? [message.reference] : [])),
    ...messages.flatMap((one) =>
      subscriberId !== null && one.subscriberId === subscriberId ? [one.reference] : [],
    ),
  ]);
  for (let step = 0; step < REFERENCES; step++) {
    const reference = (first + step) % REFERENCES;
    if (!borne.has(reference)) return reference;
  }
  return first % REFERENCES;
}
