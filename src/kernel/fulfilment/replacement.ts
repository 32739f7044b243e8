/**
 * An item in a new version in the place of the one before, whole or not at all (US 6,647,260, claim 6; R122). What can be taken
 * back comes first and what cannot comes last:
 *
 *   the network's elements take it  ->  its service server has the user  ->  the device has its software or parameters
 *     ->  what gives access  ->  the elements that only the version before had  ->  the registration, software of that one
 *
 * Where a step comes to nothing, those before it are taken back, and those after it were never asked of anybody. Of a package,
 * what it holds no more goes once all else of it is there.
 */

import { nameOf } from "../notices/notices.ts";
import { change } from "../order/change.ts";
import { failItem, isClosed, isFinal } from "../order/ending.ts";
import { isOfNetworkAlone, isReached, isRequestItemDone, reasonWithLeft } from "../order/item-done.ts";
import { NO_ACTION } from "../order/scribe.ts";
import { itemsOf, type RequestItem, type RequestTurn, touchRequest } from "../order/turn.ts";
import { dropElements, hasItsElements } from "./elements.ts";
import { servicesOf } from "./modules.ts";
import { applyModules, begin, startReplacement } from "./provision.ts";

/** The next step of an open item, where the one before is done. */
export function stepReplacement(turn: RequestTurn, item: RequestItem): void {
  const { replaces, elements } = item.subject;
  if (!replaces || isClosed(item)) return;
  const asked = Object.values(elements).some((state) => state !== "wanted");
  if (item.state === "pending" && asked && hasItsElements(item)) startReplacement(turn, item);
  if (item.kind === "service") stepModules(turn, item, replaces.version);
  const isThere = isOfNetworkAlone(item)
    ? item.state === "sending"
    : isReached(item, turn.terms.policy.doneAt);
  if (isThere && hasItsElements(item)) dropElements(turn, item);
}

const modulesOf = (turn: RequestTurn, service: RequestItem): readonly RequestItem[] =>
  itemsOf(turn).filter(({ subject }) => subject.moduleOf === service.id && subject.action === "add");

/** The software that the new version of a service needs on the device. */
function stepModules(turn: RequestTurn, service: RequestItem, version: number): void {
  const modules = modulesOf(turn, service);
  const isBrought = service.message !== null || service.cause !== null; // or it is said why it cannot be
  if (service.state !== "registered" || isBrought || modules.length === 0) return;
  const failed = modules.find(isClosed);
  if (failed)
    return failItem(turn, service, {
      cause: failed.cause ?? "module_failed",
      reason: `what it needs on the device did not get there, so version ${version} stays: ${failed.reason}`,
    });
  applyModules(turn, service, "add");
  if (modules.every(({ state }) => state === "works")) servicesOf(turn).bringAccess(turn, service);
}

/** It is there: what only the version before had goes. */
export function endReplaced(turn: RequestTurn, item: RequestItem): void {
  const { replaces, version } = item.subject;
  if (!replaces) return;
  turn.scribe.note(turn.order, {
    kind: "item_replaced",
    itemId: item.id,
    reason: replaces.isGivenAnew
      ? "what was given for it stands in the place of what was given before"
      : `version ${version} stands in the place of version ${replaces.version}`,
    detail: { version, replaced: replaces.version },
  });
  change(item, { reason: reasonWithLeft(item.reason, item.subject) });
  if (item.kind === "service") servicesOf(turn).tookOver(turn, item);
  applyModules(turn, item, "remove");
}

const former = (version: number): string =>
  `; what only version ${version} had stays on the device: a person has to see to it`;

/**
 * The new version is there and something of the one before still stands on the device, since what was to take it off came to
 * nothing: the item says so, until the device says that it is gone.
 */
export function sayWhatIsLeft(turn: RequestTurn): void {
  const { scribe, order, terms } = turn;
  for (const part of itemsOf(turn)) {
    const main = itemsOf(turn).find(({ id }) => id === part.subject.moduleOf);
    const isTakenOff = isRequestItemDone(part, terms.policy.doneAt);
    const isOver = isTakenOff || isClosed(part) || isFinal(order);
    if (!main?.subject.replaces || part.subject.action !== "remove" || !isOver || isClosed(main)) continue;
    const words = former(main.subject.replaces.version);
    const isSaid = main.reason.endsWith(words);
    if (isSaid !== isTakenOff || !isRequestItemDone(main, terms.policy.doneAt)) continue;
    const reason = isTakenOff ? main.reason.slice(0, -words.length) : `${main.reason}${words}`;
    change(main, { reason });
    scribe.touch(order);
    if (!isTakenOff) scribe.note(order, { kind: "former_left", itemId: main.id, reason });
  }
}

/** What packages hold no more goes when all else of them is there; where something of it came to nothing, it stays. */
export function letLeave(turn: RequestTurn): void {
  const { scribe, order, terms } = turn;
  for (const item of itemsOf(turn)) {
    const { leaves, billing } = item.subject;
    if (!leaves || item.state !== "pending" || billing.state !== "none") continue;
    const others = itemsOf(turn).filter(
      ({ subject }) => subject.package === leaves && !subject.leaves && subject.moduleOf === null,
    );
    const lacking = others.find(isClosed);
    if (lacking)
      scribe.moveItem(order, item, {
        state: "cancelled",
        cause: "package_not_whole",
        reason: `it stays, since ${nameOf(turn, lacking)} of the package did not come about`,
        nextAction: NO_ACTION,
        deadlineAt: null,
      });
    else if (others.every((one) => isRequestItemDone(one, terms.policy.doneAt))) begin(turn, item);
  }
}

const OPEN: readonly string[] = ["wanted", "asked", "undo", "undoing"];

/** What was given before is kept as long as an element may have to be told it again. */
export function forgetFormer(turn: RequestTurn): void {
  const { request } = turn.order;
  const isNeeded = itemsOf(turn).some(
    ({ subject: { replaces, elements } }) =>
      replaces && Object.values(elements).some((state) => OPEN.includes(state)),
  );
  if (isNeeded || Object.keys(request.formerFields).length === 0) return;
  change(request, { formerFields: {} });
  touchRequest(turn);
}
