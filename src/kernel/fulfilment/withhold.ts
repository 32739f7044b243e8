/**
 * What others were asked for a request that is cancelled: what nobody was asked yet is withheld, what they may have begun
 * is taken back. Which of both stands in the item, in an event and in the notice; that it was taken back is said when the
 * machines of others said so, and not before.
 *
 *   call never tried                          -> not made: withheld
 *   call tried (or under way at this moment)  -> not tried again; what it may have begun is ended by a call of its own, once
 *                                                whoever is at it has the answer
 *   answered                                  -> taken back like anything of an item that came to nothing
 */
import { TurnupError } from "../../term/error.ts";
import type { NetworkElement } from "../catalog/catalog-item.ts";
import { isClosed } from "../order/ending.ts";
import type { OpenCall } from "../order/outbound-call.ts";
import { itemOf, itemsOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { billNothing } from "./billing.ts";
import { takeBackElement, undoElements } from "./elements.ts";
import { namesOf, tell } from "./notices.ts";
import { endRegistrationOf, registrationOf, takeBackRegistration } from "./service.ts";

/** A service server may be ending a registration at this moment, which nobody can call back. */
export const isRemovalUnderWay = (
  { order }: Pick<RequestTurn, "order">,
  calls: readonly OpenCall[],
): boolean =>
  calls.some(
    ({ kind, body, attempts, itemId }) =>
      kind === "service_registration" &&
      attempts > 0 &&
      body.action === "remove" &&
      itemOf({ order }, itemId)?.subject.action === "remove",
  );

/** @throws TurnupError `order_closed` */
export function refuseCancelOfRemoval(
  { order }: Pick<RequestTurn, "order">,
  calls: readonly OpenCall[],
): void {
  if (!isRemovalUnderWay({ order }, calls)) return;
  throw new TurnupError(
    "order_closed",
    "a service server was asked already to end the registration, which cannot be called back",
    { nextStep: "wait for its answer, and ask for the service anew where it is wanted after all" },
  );
}

/** After its items were closed. */
export function withhold(context: RequestTurn, calls: readonly OpenCall[], reason: string): void {
  const withheld = new Set<string>();
  for (const call of calls) {
    const item = itemOf(context, call.itemId);
    if (!item || !isClosed(item)) continue;
    if (call.attempts > 0) takeBackCall(context, item, call);
    else if (withholdCall(context, item, call)) withheld.add(item.id);
  }
  for (const item of itemsOf(context)) {
    if (item.state !== "cancelled") continue;
    billNothing(context, item);
    undoElements(context, item);
    takeBackRegistration(context, item);
    const isTaken = isBeingTakenBack(context, item);
    const cause = isTaken ? "taking_back" : withheld.has(item.id) ? "withheld" : item.cause;
    if (cause === null || cause === item.cause) continue;
    Object.assign(item, {
      cause,
      reason: isTaken
        ? `${reason}; what others may have begun for it is being taken back`
        : `${reason}; nobody was asked for it yet, and nobody will be`,
      changed: true,
    });
    context.scribe.note(context.order, {
      kind: cause,
      itemId: item.id,
      state: item.state,
      reason: item.reason,
    });
  }
}

/** False where the call is none that begins something. */
function withholdCall(context: RequestTurn, item: RequestItem, call: OpenCall): boolean {
  const { subject } = item;
  if (call.kind === "service_registration") {
    const registration = registrationOf(context, item);
    if (call.body.action === "register" && registration && registration.remoteId === null)
      Object.assign(registration, { state: "withheld", changed: true });
    else if (registration) Object.assign(registration, { state: "needs_information", changed: true });
  } else if (call.kind === "element_task" && call.body.undo !== "true") {
    const element = call.body.element as NetworkElement;
    updateItem(context, item, { elements: { ...subject.elements, [element]: "withheld" } });
  } else if (call.kind === "billing_notice" && call.body.kind === "prepare") {
    updateItem(context, item, { billing: { ...subject.billing, state: "aborted" } });
  } else return false;
  context.scribe.changes.callChanges.push({
    id: call.id,
    state: "given_up",
    reason: "withheld: the order was cancelled before it was made",
    dueAt: null,
  });
  return true;
}

function takeBackCall(context: RequestTurn, item: RequestItem, call: OpenCall): void {
  const { scribe } = context;
  const isRegistering = call.kind === "service_registration" && call.body.action === "register";
  const isElement = call.kind === "element_task" && call.body.undo !== "true";
  if (!isRegistering && !isElement) return;
  scribe.changes.callChanges.push({
    id: call.id,
    state: "given_up",
    reason: "the order was cancelled after it was made: what it may have begun is taken back",
    dueAt: null,
  });
  // Whoever is at it has the answer, or is given up, by then: what is taken back earlier could be done afterwards.
  const dueAt = call.leaseUntil && call.leaseUntil > scribe.now ? call.leaseUntil : scribe.now;
  if (isRegistering) endRegistrationOf(context, item, dueAt);
  else takeBackElement(context, item, call.body.element as NetworkElement, dueAt);
}

const UNDER_WAY: readonly (string | undefined)[] = ["asked", "undo", "undoing"];

const isBeingTakenBack = (context: RequestTurn, item: RequestItem): boolean =>
  registrationOf(context, item)?.state === "removing" ||
  Object.values(item.subject.elements).some((state) => UNDER_WAY.includes(state));

/** Says what became of it, once everybody has answered. */
export function tellTakenBack(context: RequestTurn): void {
  const ended = itemsOf(context).filter(
    (item) => item.cause === "taking_back" && !isBeingTakenBack(context, item),
  );
  for (const item of ended) {
    const isLeft =
      registrationOf(context, item)?.state === "not_removed" ||
      Object.values(item.subject.elements).some((state) => state === "not_undone");
    const cause = isLeft ? "not_taken_back" : "taken_back";
    Object.assign(item, {
      cause,
      reason: isLeft
        ? "it was cancelled, and not everything that had begun could be taken back: a person has to see to it"
        : "it was cancelled, and what had begun was taken back",
      changed: true,
    });
    context.scribe.note(context.order, {
      kind: cause,
      itemId: item.id,
      state: item.state,
      reason: item.reason,
    });
    const values = { items: namesOf(context, [item]) };
    if (context.subject.msisdn !== null)
      tell(context, { kind: "status", text: isLeft ? "notTakenBack" : "takenBack", values, item });
  }
}
