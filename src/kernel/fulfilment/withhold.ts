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
import { isOneOf } from "../../term/narrow.ts";
import { billNothing } from "../billing/billing.ts";
import { namesOf, tell } from "../notices/notices.ts";
import { change } from "../order/change.ts";
import { isClosed } from "../order/ending.ts";
import type { OpenCall } from "../order/outbound-call.ts";
import { itemOf, itemsOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { takeBackElement, undoElements } from "./elements.ts";
import { servicesOf } from "./modules.ts";
import { registrationOf } from "./service.ts";

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
    "A service server was asked already to end the registration, which cannot be called back.",
    { nextStep: "Wait for its answer, and ask for the service anew where it is wanted after all." },
  );
}

/** After its items were closed. */
export function withhold(turn: RequestTurn, calls: readonly OpenCall[], reason: string): void {
  const withheld = new Set<string>();
  for (const call of calls) {
    const item = itemOf(turn, call.itemId);
    if (!item || !isClosed(item)) continue;
    if (call.attempts > 0) takeBackCall(turn, item, call);
    else if (withholdCall(turn, item, call)) withheld.add(item.id);
  }
  for (const item of itemsOf(turn)) {
    if (item.state !== "cancelled") continue;
    billNothing(turn, item);
    undoElements(turn, item);
    servicesOf(turn).takeBack(turn, item);
    const isTaken = isBeingTakenBack(turn, item);
    const cause = isTaken ? "taking_back" : withheld.has(item.id) ? "withheld" : null;
    if (cause === null || cause === item.cause) continue;
    change(item, {
      cause,
      reason: isTaken
        ? `${reason}; what others may have begun for it is being taken back`
        : `${reason}; nobody was asked for it yet, and nobody will be`,
    });
    turn.scribe.note(turn.order, {
      kind: cause,
      itemId: item.id,
      state: item.state,
      reason: item.reason,
    });
  }
}

/** False where the call is none that begins something. */
function withholdCall(turn: RequestTurn, item: RequestItem, call: OpenCall): boolean {
  const { subject } = item;
  if (call.kind === "service_registration") {
    const registration = registrationOf(turn, item);
    const isFirst =
      (call.body.action === "register" && registration?.remoteId === null) ||
      (call.body.action === "change" && subject.round === 1);
    if (registration && isFirst) change(registration, { state: "withheld" });
    else if (registration) change(registration, { state: "needs_information" });
  } else if (call.kind === "element_task" && !call.body.undo) {
    const { element } = call.body;
    updateItem(turn, item, { elements: { ...subject.elements, [element]: "withheld" } });
  } else if (call.kind === "billing_notice" && call.body.kind === "prepare") {
    updateItem(turn, item, { billing: { ...subject.billing, state: "aborted" } });
  } else return false;
  turn.scribe.changes.callChanges.push({
    id: call.id,
    state: "given_up",
    reason: "withheld: the order was cancelled before it was made",
    dueAt: null,
  });
  return true;
}

function takeBackCall(turn: RequestTurn, item: RequestItem, call: OpenCall): void {
  const { scribe } = turn;
  const isRegistering =
    call.kind === "service_registration" && isOneOf(["register", "change"], call.body.action);
  const element = call.kind === "element_task" && !call.body.undo ? call.body.element : undefined;
  if (!isRegistering && element === undefined) return;
  scribe.changes.callChanges.push({
    id: call.id,
    state: "given_up",
    reason: "the order was cancelled after it was made: what it may have begun is taken back",
    dueAt: null,
  });
  // Whoever is at it has the answer, or is given up, by then: what is taken back earlier could be done afterwards.
  const dueAt = call.leaseUntil && call.leaseUntil > scribe.now ? call.leaseUntil : scribe.now;
  if (element === undefined) servicesOf(turn).endRegistration(turn, item, dueAt);
  else takeBackElement(turn, item, element, dueAt);
}

const UNDER_WAY: readonly (string | undefined)[] = ["asked", "undo", "undoing"];

const isBeingTakenBack = (turn: RequestTurn, item: RequestItem): boolean =>
  registrationOf(turn, item)?.state === "removing" ||
  Object.values(item.subject.elements).some((state) => UNDER_WAY.includes(state));

/** Says what became of it, once everybody has answered. */
export function tellTakenBack(turn: RequestTurn): void {
  const ended = itemsOf(turn).filter((item) => item.cause === "taking_back" && !isBeingTakenBack(turn, item));
  for (const item of ended) {
    const isLeft =
      registrationOf(turn, item)?.state === "not_removed" ||
      Object.values(item.subject.elements).some((state) => state === "not_undone");
    const cause = isLeft ? "not_taken_back" : "taken_back";
    change(item, {
      cause,
      reason: isLeft
        ? "it was cancelled, and not everything that had begun could be taken back: a person has to see to it"
        : "it was cancelled, and what had begun was taken back",
    });
    turn.scribe.note(turn.order, {
      kind: cause,
      itemId: item.id,
      state: item.state,
      reason: item.reason,
    });
    const values = { items: namesOf(turn, [item]) };
    if (turn.subject.msisdn !== null)
      tell(turn, { kind: "status", text: isLeft ? "notTakenBack" : "takenBack", values, item });
  }
}
