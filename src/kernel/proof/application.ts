/**
 * An application of the handset that somebody saw at work (R106): told once a server in the order's history, with who saw it and
 * over which access point. An attempt that fails afterwards makes the next success news again.
 */
import { change } from "../order/change.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { Scribe } from "../order/scribe.ts";
import type { Booking } from "../order/turn.ts";

type SeenApplication = {
  readonly application: string;
  readonly server: string | undefined;
  readonly apn: string;
  readonly source: string;
  readonly seenAt: string | undefined;
};

/** Books it; answers false where it was told already. */
export function applicationSeen({ scribe, order }: Booking, item: ItemDraft, seen: SeenApplication): boolean {
  const { application, server, source, seenAt } = seen;
  const name = `${application}@${server ?? ""}`;
  if (order.items.some(({ applicationsSeen }) => applicationsSeen.includes(name))) return false;
  const apn = seen.apn.toLowerCase();
  change(item, { applicationsSeen: [...item.applicationsSeen, name] });
  scribe.touch(order);
  scribe.changes.workingApplications.push({ deviceId: order.deviceId, application, server: server ?? null });
  scribe.note(order, {
    kind: "application_works",
    itemId: item.id,
    state: item.state,
    reason: `${application} works over ${apn}${server === undefined ? "" : ` with ${server}`}`,
    evidence: `traffic:${source}`,
    detail: {
      application,
      apn,
      source,
      ...(server === undefined ? {} : { server }),
      ...(seenAt === undefined ? {} : { seenAt }),
    },
  });
  return true;
}

/** It was seen to fail: where it worked before, it has to be seen to work again. */
export function applicationFailed(scribe: Scribe, order: OrderDraft, application: string): void {
  for (const item of order.items) {
    const others = item.applicationsSeen.filter((seen) => !seen.startsWith(`${application}@`));
    if (others.length === item.applicationsSeen.length) continue;
    change(item, { applicationsSeen: others });
    scribe.touch(order);
  }
}
