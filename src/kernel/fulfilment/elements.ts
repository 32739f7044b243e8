/**
 * The elements of the network that serve the device (R48): billing plan, voice mail, forwarding, e-mail, HLR profile. Each
 * is told of each item by a call of its own, and each says done or failed for itself. Where one fails, its item fails,
 * and what the others did for it is taken back.
 */

import { hoursAfter } from "../../term/moment.ts";
import { entriesOf } from "../../term/record.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, within } from "../calls/ask.ts";
import type { NetworkElement } from "../catalog/catalog-item.ts";
import { change } from "../order/change.ts";
import { failItem, isClosed, waitNoMore } from "../order/ending.ts";
import { isOfNetworkAlone, isRequestItemDone, reasonWithLeft, waitsForElements } from "../order/item-done.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { ElementState } from "../order/request-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { elementValuesOf, formerValuesOf } from "./item-values.ts";
import { servicesOf } from "./modules.ts";

const elementsIn = ({ subject }: RequestItem): [NetworkElement, ElementState][] =>
  entriesOf(subject.elements);

const set = (turn: RequestTurn, item: RequestItem, element: NetworkElement, state: ElementState): void =>
  updateItem(turn, item, { elements: { ...item.subject.elements, [element]: state } });

/** Served the version before, and has no use for the new one. */
const isDropped = ({ subject: { replaces } }: RequestItem, element: NetworkElement): boolean =>
  replaces?.drops?.includes(element) === true;

/** Those of the version that is asked for; what the one before had alone is told last. */
export function askElements(turn: RequestTurn, item: RequestItem): void {
  for (const [element, state] of elementsIn(item)) {
    if (state !== "wanted" || isDropped(item, element)) continue;
    set(turn, item, element, "asked");
    task(turn, item, element, { action: item.subject.action, isUndo: false });
  }
}

/** All that the new version has of the network is there. */
export const hasItsElements = (item: RequestItem): boolean =>
  elementsIn(item).every(([element, state]) => isDropped(item, element) || state === "done");

/** The elements that the version before had alone, once the new one is there. */
export function dropElements(turn: RequestTurn, item: RequestItem): void {
  const { scribe, terms } = turn;
  const dropped = elementsIn(item).filter(
    ([element, state]) => state === "wanted" && isDropped(item, element),
  );
  if (dropped.length === 0) return;
  for (const [element] of dropped) {
    set(turn, item, element, "asked");
    task(turn, item, element, { action: "remove", isUndo: false });
  }
  change(item, {
    nextAction: "wait for the elements that served the version before",
    // Their calls' own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(scribe.now, terms.policy.request.serviceDeadlineHours + 1),
  });
}

function task(
  turn: RequestTurn,
  item: RequestItem,
  element: NetworkElement,
  {
    action,
    isUndo,
    dueAt = turn.scribe.now,
  }: { readonly action: "add" | "remove"; readonly isUndo: boolean; readonly dueAt?: Date },
): void {
  const { catalogId, replaces } = item.subject;
  // An element that served the old version is told that again; it never served nothing.
  const isRestored = isUndo && replaces?.elements.includes(element) === true;
  const isFormer = isRestored || isDropped(item, element);
  const values = isFormer ? formerValuesOf(turn, item) : elementValuesOf(turn, item);
  const hours = turn.terms.policy.request.serviceDeadlineHours;
  ask(turn, {
    dueAt,
    kind: "element_task",
    itemId: item.id,
    idempotencyKey: `${item.id}:${element}${isUndo ? ":undo" : ""}`,
    body: { element, action: isRestored ? "add" : action, catalogId, undo: isUndo },
    secret: { values },
    deadlineAt: within(turn, hours),
  });
  turn.scribe.note(turn.order, {
    kind: isUndo ? "element_undo_asked" : "element_asked",
    itemId: item.id,
    reason: isRestored
      ? `the network's ${element} is told again of version ${replaces.version} of ${catalogId}, which stays`
      : `the network's ${element} is told to ${action} ${catalogId}`,
  });
}

export function elementAnswered(
  turn: RequestTurn,
  call: OutboundCall<"element_task">,
  answer: CallAnswer,
): void {
  const { scribe, order } = turn;
  const item = itemOf(turn, call.itemId);
  const { element, undo } = call.body;
  if (!item) return;
  const isDone = answer.kind === "done";
  const why = answer.kind === "refused" || answer.kind === "failed" ? `: ${answer.cause}` : "";
  if (undo) {
    set(turn, item, element, isDone ? "undone" : "not_undone");
    return scribe.note(order, {
      kind: isDone ? "element_undone" : "element_undo_failed",
      itemId: item.id,
      reason: isDone
        ? `the network's ${element} took it back`
        : `a person has to see to the network's ${element}${why}`,
    });
  }
  // It is taken back already by a call of its own, which comes after this answer.
  if (["undoing", "undone"].includes(item.subject.elements[element] ?? "")) return;
  const isToUndo = item.subject.elements[element] === "undo";
  if (!isDone && isDropped(item, element) && !isClosed(item)) return notDropped(turn, item, element, why);
  set(turn, item, element, isDone ? "done" : "failed");
  scribe.note(order, {
    kind: isDone ? "element_done" : "element_failed",
    itemId: item.id,
    reason: !isDone
      ? `the network's ${element} failed${why}`
      : isDropped(item, element)
        ? `the network's ${element} does nothing any more for the version before`
        : `the network's ${element} is done`,
    evidence: `element:${element}`,
  });
  if (isToUndo || isClosed(item)) return undoElements(turn, item);
  if (!isDone) {
    return failItem(turn, item, {
      cause: "element_failed",
      reason: `the network's ${element} failed${why}`,
    });
  }
  const isToEndAtService = item.kind === "service" && item.subject.action === "remove";
  if (isToEndAtService && item.state === "registering" && !waitsForElements(item))
    return servicesOf(turn).elementsEnded(turn, item);
  const areAllDone = elementsIn(item).every(([, state]) => state === "done");
  if (item.state === "sending" && areAllDone && isOfNetworkAlone(item))
    return doneInNetwork(turn, item, "the network's elements are done", `element:${element}`);
  if (isRequestItemDone(item, turn.terms.policy.doneAt)) waitNoMore(item);
}

/**
 * What stands in the network alone is put back whole. What is on the device, or registered, cannot be: there the new version
 * stands whole, and what it left behind is said.
 */
function notDropped(turn: RequestTurn, item: RequestItem, element: NetworkElement, why: string): void {
  const { scribe, order } = turn;
  const reason = `the network's ${element} did not let go of the version before${why}`;
  scribe.note(order, { kind: "element_failed", itemId: item.id, reason, evidence: `element:${element}` });
  if (isOfNetworkAlone(item)) {
    set(turn, item, element, "failed");
    failItem(turn, item, { cause: "element_failed", reason });
    // Nobody knows what it did before it failed.
    return takeBackElement(turn, item, element, scribe.now);
  }
  set(turn, item, element, "left");
  change(item, { reason: `${item.reason}; ${reason}: a person has to see to it` });
  if (isRequestItemDone(item, turn.terms.policy.doneAt)) waitNoMore(item);
}

/** Of an item of which nothing goes to the device: it stands where it should. */
export function doneInNetwork(
  { scribe, order }: RequestTurn,
  item: RequestItem,
  reason: string,
  evidence?: string,
): void {
  scribe.moveItem(order, item, {
    state: item.subject.action === "remove" ? "works" : "delivered",
    reason: reasonWithLeft(reason, item.subject),
    nextAction: NO_ACTION,
    deadlineAt: null,
    ...(evidence === undefined ? {} : { evidence }),
  });
}

/** What was done for an item that came to nothing is taken back; what is still being done, as soon as it is. */
export function undoElements(turn: RequestTurn, item: RequestItem): void {
  for (const [element, state] of elementsIn(item)) {
    if (state === "asked") set(turn, item, element, "undo");
    if (state === "done") takeBackElement(turn, item, element, turn.scribe.now);
  }
}

export function takeBackElement(
  turn: RequestTurn,
  item: RequestItem,
  element: NetworkElement,
  dueAt: Date,
): void {
  set(turn, item, element, "undoing");
  const action = item.subject.action === "add" ? "remove" : "add";
  task(turn, item, element, { action, isUndo: true, dueAt });
}
