/**
 * Learns which access points an operator's SIMs use with success, from whatever witnesses tell anyway: traffic of gateways and core
 * networks, attempts that failed, orders to which no proof came. Nothing is confirmed by it; suggestions go by it.
 */
import { Counter, type Registry } from "prom-client";
import type { Conductor } from "../../kernel/conductor/conductor.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import { DATA_SESSION } from "../../kernel/support/applications.ts";
import { type AccessPointUse, USE_LOSSES } from "../../store/operator/access-point-use.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";

/** Counters are merged into their rows so often. */
const FLUSH_MS = 60_000;

type Witnesses = Pick<Conductor, "confirm" | "symptomsSeen">;

/** The same witnesses, listened to. What they were refused counts for nothing. */
export function learningFrom(
  { confirm, symptomsSeen }: Witnesses,
  { note }: Pick<AccessPointUse, "note">,
  clock: () => Date,
): Witnesses {
  return {
    async confirm(operatorId, given) {
      const results = await confirm(operatorId, given);
      for (const [at, one] of given.entries()) {
        if (one.kind !== "traffic" || results[at]?.outcome === "refused") continue;
        const seenAt = one.seenAt === undefined ? clock() : new Date(one.seenAt);
        note({ operatorId, sim: { imsi: one.imsi }, apn: one.apn, at: seenAt });
      }
      return results;
    },
    async symptomsSeen(operatorId, seen) {
      const results = await symptomsSeen(operatorId, seen);
      for (const { application, apn, imei, cause, seenAt } of seen) {
        // Only a data session that was refused speaks of the access point; an application's server may be at fault by itself.
        if (application !== DATA_SESSION || apn === null) continue;
        note({ operatorId, sim: { imei }, apn, at: seenAt, failure: cause });
      }
      return results;
    },
  };
}

/** Of what a transaction wrote. */
type Learnt = {
  readonly events: readonly Pick<
    ChangeSet["events"][number],
    "kind" | "operatorId" | "orderId" | "itemId" | "at"
  >[];
  readonly orders: readonly (Pick<ChangeSet["orders"][number], "id" | "subscriberId"> & {
    readonly items: readonly Pick<
      ChangeSet["orders"][number]["items"][number],
      "id" | "kind" | "apns" | "apnsSeen"
    >[];
  })[];
};

/**
 * An order whose settings arrived and to which no traffic at all came in time: its first access point, which is the one for the internet
 * where there is one, failed that SIM. Of the others nothing is said: who sends no picture does not use the one for MMS.
 */
export function learnFromOrders({ orders, events }: Learnt, { note }: Pick<AccessPointUse, "note">): void {
  for (const { kind, operatorId, orderId, itemId, at } of events) {
    if (kind !== "proof_missing") continue;
    const order = orders.find(({ id }) => id === orderId);
    const item = order?.items.find(({ id }) => id === itemId);
    const [apn] = item?.apns ?? [];
    if (!order || item?.kind !== "settings" || item.apnsSeen.length > 0 || apn === undefined) continue;
    const sim = { subscriberId: order.subscriberId };
    note({ operatorId, sim, apn, at, failure: "settings arrived, and no traffic came in time" });
  }
}

/** What was let go of what was learnt: a table that is full must say so. */
export function measureUse(registry: Registry, { losses }: Pick<AccessPointUse, "losses">): void {
  new Counter({
    name: "turnup_access_point_use_lost_total",
    help: "Rows and sessions of access points in use that were let go, by cause: unseen and least_used are rows, no_room and failed are sessions.",
    labelNames: ["cause"],
    registers: [registry],
    collect() {
      this.reset();
      for (const cause of USE_LOSSES) this.inc({ cause }, losses().get(cause) ?? 0);
    },
  });
}

/** Once now, so that suggestions know what other servers saw; then each minute, and at the end. */
export function keepUse(
  closing: ClosingStack,
  use: AccessPointUse,
  onFault: (name: string, error: unknown) => void,
): void {
  const loop = startLoop({
    name: "access_point_use",
    pauseMs: FLUSH_MS,
    pass: async () => {
      await use.flush();
      return false;
    },
    onFailure: onFault,
  });
  closing.defer(async () => {
    await loop.stop();
    await use.flush().catch((error: unknown) => onFault("access_point_use", error));
  });
}
