/**
 * Attempts of applications that the network saw fail (R106, R129): each is kept by its handset, and joins the history of the
 * handset's newest order where it is news there. What ends it is evidence of that application alone (`proof/application.ts`).
 *
 * An order that is being opened reads what is kept under its own lock, and an attempt that is told looks at the order under that lock
 * after it was kept: whichever comes first, the record has it once.
 */
import { pairsOf } from "../../term/collections.ts";
import { DEFAULT_CLOCK_TOLERANCE_MS, refuseFuture } from "../detection/clock-tolerance.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { OrderDraft } from "../order/order-draft.ts";
import type { Scribe } from "../order/scribe.ts";
import { type InStep, lockById } from "../order/step.ts";
import { applicationFailed } from "../proof/application.ts";
import { attemptIn, type Told } from "../support/applications.ts";
import { type SymptomInput, type SymptomResult, symptomWords } from "../support/symptoms.ts";

type Attempt = { readonly orderId: string; readonly symptom: SymptomInput };

/** @throws TurnupError `seen_in_future` */
export async function symptomsSeen(
  { store, clock, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS }: ConductorDeps,
  inStep: InStep,
  operatorId: string,
  seen: readonly SymptomInput[],
): Promise<readonly SymptomResult[]> {
  for (const { seenAt } of seen) refuseFuture(seenAt.getTime(), clock().getTime(), clockToleranceMs);
  const kept = await store.noteSymptoms(operatorId, seen);
  const attempts = pairsOf(kept, seen).flatMap(([{ orderId }, symptom]) =>
    orderId === null ? [] : [{ orderId, symptom }],
  );
  const told = new Set(await tellNews(store.applicationEvents, inStep, attempts));
  return pairsOf(kept, seen).map(([{ isNew }, symptom]) => ({
    outcome: isNew || told.has(symptom) ? "noted" : "repeated",
  }));
}

/** Most attempts repeat what is known: whether they do is looked at without a lock first. */
async function tellNews(
  eventsOf: (orderIds: readonly string[]) => Promise<ReadonlyMap<string, readonly Told[]>>,
  inStep: InStep,
  attempts: readonly Attempt[],
): Promise<SymptomInput[]> {
  const known = await eventsOf([...new Set(attempts.map(({ orderId }) => orderId))]);
  const maybe = attempts
    .filter(({ orderId, symptom }) => saysMore(known.get(orderId) ?? [], symptom))
    .sort((one, other) => one.symptom.seenAt.getTime() - other.symptom.seenAt.getTime());
  if (maybe.length === 0) return [];
  return inStep(async ({ tx, scribe }) => {
    const orderIds = maybe.map(({ orderId }) => orderId);
    const orders = await lockById(tx, orderIds);
    const events = new Map(await tx.applicationEvents([...orders.keys()]));
    return maybe.flatMap(({ orderId, symptom }) => {
      const order = orders.get(orderId);
      // One that is not judged yet reads what is kept when it is.
      if (order?.verdict !== "ended") return [];
      const before = events.get(orderId) ?? [];
      const { isNews, isOver } = attemptIn(before, symptom);
      const { application, server } = symptom;
      if (isOver) scribe.changes.workingApplications.push({ deviceId: order.deviceId, application, server });
      if (!isNews) return [];
      events.set(orderId, [...before, noteSymptom(scribe, order, symptom, isOver)]);
      return [symptom];
    });
  });
}

function saysMore(events: readonly Told[], symptom: SymptomInput): boolean {
  const { isNews, isOver } = attemptIn(events, symptom);
  return isNews || isOver;
}

function noteSymptom(scribe: Scribe, order: OrderDraft, symptom: SymptomInput, isOver: boolean): Told {
  const { imei: _, seenAt, ...facts } = symptom;
  const detail = { ...facts, seenAt: seenAt.toISOString() };
  const event = { kind: "symptom_seen", evidence: symptom.source, detail } as const;
  if (!isOver) applicationFailed(scribe, order, symptom.application);
  scribe.note(order, { ...event, reason: symptomWords(symptom) });
  return { ...event, state: null, at: scribe.now.toISOString() };
}
