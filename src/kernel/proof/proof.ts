/** Proof from outside the SMSC: reports that handsets sign, traffic on an access point, arrivals at the maker's server. */
import { pairsOf } from "../../term/collections.ts";
import { messageOf } from "../../term/narrow.ts";
import { decodeDeviceKey } from "../../wire/message/device-key-form.ts";
import {
  decodeDeviceReport,
  REPORT_REFERENCE_OCTETS,
  verifyArrivalProof,
  verifyDeviceReport,
} from "../../wire/message/device-report.ts";
import { DEFAULT_CLOCK_TOLERANCE_MS, FORMER_HANDSET_MS, refuseFuture } from "../detection/clock-tolerance.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { IssuedKey } from "../order/device-key.ts";
import type { ItemDraft, OrderDraft } from "../order/order-draft.ts";
import type { ConfirmationInput, ConfirmationResult } from "../order/order-reader.ts";
import { type InStep, lockById } from "../order/step.ts";
import type { Booking } from "../order/turn.ts";
import { DATA_SESSION } from "../support/applications.ts";
import { applicationSeen } from "./application.ts";
import { reach, refusedByDevice } from "./progress.ts";
import { trafficSeen } from "./traffic.ts";

type Report = ReturnType<typeof decodeDeviceReport>;

function reportOf(bytes: Uint8Array): Report | undefined {
  try {
    return decodeDeviceReport(bytes);
  } catch {
    return undefined; // a text or somebody else's binary: the caller hears that it was not one of ours
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
/** What a report calls its key by: the first octets of its id. */
const referenceOf = (keyId: string): string =>
  keyId.replaceAll("-", "").slice(0, 2 * REPORT_REFERENCE_OCTETS);

function bookReport(turn: Booking, item: ItemDraft, report: Report): void {
  const { scribe, order } = turn;
  switch (report.level) {
    case "opened":
    case "works":
      reach(turn, item, {
        level: report.level,
        evidence: "device_report",
        reason:
          report.level === "opened"
            ? "the handset ran the key"
            : "the handset reached the manufacturer's server",
        detail: { at: report.at.toISOString() },
      });
      break;
    case "deleted":
      if (!item.keyId) break;
      scribe.changes.keyChanges.push({ id: item.keyId, state: "deleted" });
      scribe.note(order, {
        kind: "key_deleted",
        itemId: item.id,
        reason: "the key removed itself from the handset after use",
        evidence: "device_report",
        detail: { at: report.at.toISOString() },
      });
      break;
    case "refused":
      refusedByDevice(turn, item, report.cause);
  }
}

export async function confirm(
  deps: ConductorDeps,
  inStep: InStep,
  operatorId: string,
  confirmations: readonly ConfirmationInput[],
): Promise<ConfirmationResult[]> {
  const { store, clockToleranceMs: toleranceMs = DEFAULT_CLOCK_TOLERANCE_MS } = deps;
  const traffic = confirmations.flatMap((one) => (one.kind === "traffic" ? [one] : []));
  const found = traffic.length > 0 ? await store.itemsByTraffic(operatorId, traffic) : [];
  const byTraffic = new Map<ConfirmationInput, (typeof found)[number]>(
    traffic.map((one, at) => [one, found[at] ?? []]),
  );
  const keyIds = confirmations.flatMap((one) => (one.kind === "arrival" ? [one.keyId] : []));
  const keys = keyIds.length > 0 ? await store.keysById(operatorId, keyIds) : new Map<string, IssuedKey>();
  const targets = confirmations.map((one) => {
    if (one.kind === "traffic") return byTraffic.get(one) ?? [];
    const key = keys.get(one.keyId);
    return key?.itemId ? [{ orderId: key.orderId, itemId: key.itemId }] : [];
  });
  return inStep(async (step) => {
    const orders = await lockById(
      step.tx,
      targets.flat().map(({ orderId }) => orderId),
    );
    const bookings = new Map<string, Booking>();
    for (const [id, order] of orders) bookings.set(id, await step.bookingOf(order));
    return pairsOf(confirmations, targets).map(([one, its]): ConfirmationResult => {
      const wrong = futureOf(one, step.scribe.now, toleranceMs) ?? refusalOf(one, keys);
      if (wrong) return { outcome: "refused", reason: wrong };
      const found = its.flatMap(({ orderId, itemId }) => {
        const booking = bookings.get(orderId);
        const item = booking?.order.items.find(({ id }) => id === itemId);
        return booking && item && isAbout(one, booking.order, item, toleranceMs) ? [{ booking, item }] : [];
      });
      if (found.length === 0) return { outcome: "no_order", reason: "no order waits for this" };
      const evidence = `${one.kind}:${one.source}`;
      const detail = detailOf(one);
      const booked = found.map(({ booking, item }) =>
        one.kind === "traffic"
          ? trafficBooked(booking, item, one, { evidence, detail })
          : arrivalBooked(booking, item, one, { evidence, detail, key: keys.get(one.keyId) }),
      );
      return { outcome: booked.some(Boolean) ? "booked" : "repeated" };
    });
  });
}

function detailOf(one: ConfirmationInput): object | null {
  const { kind, seenAt, application } = one;
  const facts = {
    ...(seenAt ? { seenAt } : {}),
    ...(kind === "arrival" && application !== undefined ? { application, apn: one.apn } : {}),
  };
  return Object.keys(facts).length > 0 ? facts : null;
}

type Evidence = { readonly evidence: string; readonly detail: object | null };

/** The access point that was used, and the application that used it where that was told. */
function trafficBooked(
  booking: Booking,
  item: ItemDraft,
  { apn, application, server, source, seenAt }: Extract<ConfirmationInput, { kind: "traffic" }>,
  { evidence, detail }: Evidence,
): boolean {
  const isNews = trafficSeen(booking, item, { apn, evidence, detail });
  if (application !== undefined)
    return applicationSeen(booking, item, { application, server, apn, source, seenAt }) || isNews;
  if (isNews) ended(booking, DATA_SESSION, null); // and nothing of what else uses that access point
  return isNews;
}

/** The key works, and the application that came reached the servers that the key leads to; of its others nobody saw anything. */
function arrivalBooked(
  booking: Booking,
  item: ItemDraft,
  { application }: Extract<ConfirmationInput, { kind: "arrival" }>,
  { evidence, detail, key }: Evidence & { readonly key: IssuedKey | undefined },
): boolean {
  const reason = "the manufacturer's server saw the handset";
  if (!reach(booking, item, { level: "works", evidence, reason, detail })) return false;
  const hosts = key && application !== undefined ? decodeDeviceKey(key.bytes).hosts : [];
  for (const host of hosts) ended(booking, application ?? "", host.replace(/:\d+$/, "").toLowerCase());
  return true;
}

/** What this application failed at with this server, or with each, is over. */
function ended({ scribe, order }: Booking, application: string, server: string | null): void {
  scribe.changes.workingApplications.push({ deviceId: order.deviceId, application, server });
}

/**
 * What was not sent yet, and what was seen before the order was there, is not this order's doing; but the clock that says
 * when may be behind ours.
 */
function isAbout(one: ConfirmationInput, order: OrderDraft, item: ItemDraft, toleranceMs: number): boolean {
  if (item.message === null || item.state === "cancelled") return false;
  // Told again since our answer was lost: it was open before its own sighting opened the order.
  const beganBy = one.kind === "traffic" ? one.beganBy : undefined;
  if (beganBy !== undefined && Date.parse(beganBy) < order.createdAt.getTime()) return false;
  if (one.seenAt === undefined) return true;
  const mayBeAnothers = one.kind === "traffic" && order.cause === "sim_moved";
  const allowedMs = mayBeAnothers ? Math.min(toleranceMs, FORMER_HANDSET_MS) : toleranceMs;
  return Date.parse(one.seenAt) >= order.createdAt.getTime() - allowedMs;
}

/** Why its time cannot be; undefined where it can. */
function futureOf({ seenAt }: ConfirmationInput, now: Date, toleranceMs: number): string | undefined {
  if (seenAt === undefined) return undefined;
  try {
    refuseFuture(Date.parse(seenAt), now.getTime(), toleranceMs);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** An arrival is worth what its proof is worth: only the holder of the key can make it. */
function refusalOf(
  one: ConfirmationInput,
  keys: ReadonlyMap<string, { readonly bytes: Uint8Array }>,
): string | undefined {
  if (one.kind !== "arrival") return undefined;
  const key = keys.get(one.keyId);
  if (!key) return undefined;
  const { confirmSecret, keyId } = decodeDeviceKey(key.bytes);
  if (!one.proof) return "an arrival without proof is hearsay";
  return verifyArrivalProof(one.proof, confirmSecret, keyId)
    ? undefined
    : "the proof was not made with this key";
}

export async function reportsCame(
  deps: ConductorDeps,
  inStep: InStep,
  reports: readonly Uint8Array[],
): Promise<boolean[]> {
  const { store } = deps;
  const read = reports.map((bytes) => ({ bytes, report: reportOf(bytes) }));
  const references = read.flatMap(({ report }) => (report ? [report.reference] : []));
  if (references.length === 0) return reports.map(() => false);
  const keys = new Map<string, IssuedKey[]>();
  for (const key of await store.keysByReference(references)) {
    const reference = referenceOf(key.keyId);
    keys.set(reference, [...(keys.get(reference) ?? []), key]);
  }
  return inStep(async (step) => {
    const orders = await lockById(
      step.tx,
      [...keys.values()].flat().map(({ orderId }) => orderId),
    );
    const booked: boolean[] = [];
    for (const { bytes, report } of read) {
      // Two makers may have given keys whose ids begin alike: the one whose secret signed is meant.
      const key = report && keys.get(hexOf(report.reference))?.find((known) => isSignedBy(bytes, known));
      const order = key && orders.get(key.orderId);
      const item = order?.items.find(({ id }) => id === key?.itemId);
      if (report && order && item) {
        bookReport(await step.bookingOf(order), item, report);
      }
      booked.push(item !== undefined);
    }
    return booked;
  });
}

function isSignedBy(report: Uint8Array, key: IssuedKey): boolean {
  try {
    return verifyDeviceReport(report, decodeDeviceKey(key.bytes).confirmSecret);
  } catch {
    return false; // a key that cannot be read proves nothing
  }
}
