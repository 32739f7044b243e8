/**
 * The elements of the network that serve the device (R48): billing plan, voice mail, forwarding, e-mail, HLR profile. Each
 * is told of each item by a call of its own, and each says done or failed for itself. Where one fails, its item fails,
 * and what the others did for it is taken back.
 */

import { entriesOf } from "../../term/record.ts";
import type { CallAnswer } from "../calls/answer.ts";
import { ask, within } from "../calls/ask.ts";
import type { NetworkElement } from "../catalog/catalog-item.ts";
import { failItem, isClosed, waitNoMore } from "../order/ending.ts";
import type { OutboundCall } from "../order/outbound-call.ts";
import type { ElementState } from "../order/request-draft.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemOf, type RequestItem, type RequestTurn, updateItem } from "../order/turn.ts";
import { isOfNetworkAlone, isRequestItemDone, waitsForElements } from "./item-done.ts";
import { elementValuesOf } from "./item-values.ts";
import { servicesOf } from "./modules.ts";

const elementsIn = ({ subject }: RequestItem): [NetworkElement, ElementState][] =>
  entriesOf(subject.elements);

const set = (turn: RequestTurn, item: RequestItem, element: NetworkElement, state: ElementState): void =>
  updateItem(turn, item, { elements: { ...item.subject.elements, [element]: state } });

export function askElements(turn: RequestTurn, item: RequestItem): void {
  for (const [element, state] of elementsIn(item)) {
    if (state !== "wanted") continue;
    set(turn, item, element, "asked");
    task(turn, item, element, { action: item.subject.action, isUndo: false });
  }
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
  const values = isRestored ? replaces.values : elementValuesOf(turn, item);
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
  set(turn, item, element, isDone ? "done" : "failed");
  scribe.note(order, {
    kind: isDone ? "element_done" : "element_failed",
    itemId: item.id,
    reason: isDone ? `the network's ${element} is done` : `the network's ${element} failed${why}`,
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

/** Of an item of which nothing goes to the device: it stands where it should. */
export function doneInNetwork(
  { scribe, order }: RequestTurn,
  item: RequestItem,
  reason: string,
  evidence?: string,
): void {
  scribe.moveItem(order, item, {
    state: item.subject.action === "remove" ? "works" : "delivered",
    reason,
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
