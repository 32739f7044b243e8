/**
 * What was verified and agreed to is provisioned, each item by its own flow (US 6,647,260, figure 7A:714 to 720): a feature
 * onto the device, a service at its service server, both at the elements of the network that serve the device. Where the
 * billing centre knows the account already, it prepares each change before anything is applied.
 */

import { earlierOf, hoursAfter, minutesAfter } from "../../term/moment.ts";
import { assured } from "../../term/narrow.ts";
import { prepareBilling } from "../billing/billing.ts";
import { sendSettings } from "../delivery/send.ts";
import { settingsDetail } from "../delivery/settings-detail.ts";
import { namesOf, tell } from "../notices/notices.ts";
import type { SettingsChoice } from "../operator/settings-choice.ts";
import { apnsOf } from "../order/access-points.ts";
import { change, restore } from "../order/change.ts";
import { failItem } from "../order/ending.ts";
import { isOfNetworkAlone, waitsForElements } from "../order/item-done.ts";
import { FIRST_RECHECK_MINUTES, RECHECK_MINUTES } from "../order/recheck.ts";
import { createScribe, NO_ACTION } from "../order/scribe.ts";
import { itemsOf, type RequestItem, type RequestTurn } from "../order/turn.ts";
import { askElements, doneInNetwork } from "./elements.ts";
import { forwardToServers, tellOfElsewhere } from "./forward.ts";
import { featuresOf, servicesOf } from "./modules.ts";
import { ELSEWHERE, WHICH_IS_THERE } from "./request-items.ts";

/** Names what cannot be had, and why; the rest goes on, or nothing does, as the policy says (R41 and R42). */
export function tellWhatFell(turn: RequestTurn): "stopped" | "goes_on" {
  const { scribe, order, terms } = turn;
  const policy = terms.policy.request;
  const fell = (cause: string) =>
    itemsOf(turn).filter((item) => item.state === "failed" && item.cause === cause);
  const [unavailable, conflicting] = [fell("unavailable"), fell("conflict")];
  if (unavailable.length > 0)
    tell(turn, {
      kind: "unavailable",
      text: "unavailable",
      values: { items: namesOf(turn, unavailable) },
    });
  for (const item of conflicting) {
    const values = { items: namesOf(turn, [item]), others: namedIn(item.reason) };
    const text = item.reason.endsWith(WHICH_IS_THERE) ? "conflictHad" : "conflict";
    tell(turn, { kind: "conflict", text, values, item });
  }
  for (const item of [...fell("missing_need"), ...fell("still_needed")]) {
    const values = { items: namesOf(turn, [item]), others: namedIn(item.reason) };
    tell(turn, { kind: "unavailable", text: "missingNeed", values, item });
  }
  tellOfElsewhere(turn, fell(ELSEWHERE));
  const stops =
    (unavailable.length > 0 && policy.unavailableItem === "stop") ||
    (conflicting.length > 0 && policy.conflictingItem === "stop");
  const isNothingLeft = itemsOf(turn).every(({ state }) => state === "failed");
  if (!stops && !isNothingLeft) return "goes_on";
  const [again] = fell("asked_already");
  const reason = stops
    ? "not everything that was asked for can be had, and the policy stops there"
    : (again?.reason ?? "nothing of it can be had");
  for (const item of itemsOf(turn)) {
    if (item.state === "pending")
      scribe.moveItem(order, item, { state: "cancelled", reason, nextAction: NO_ACTION, deadlineAt: null });
  }
  scribe.moveOrder(order, { state: "failed", reason, nextAction: NO_ACTION, dueAt: null, deadlineAt: null });
  return "stopped";
}

/** Reasons of what fell end or begin with the name of the other item. */
const namedIn = (reason: string): string =>
  reason
    .replace(/^it (cannot stand beside|needs) /, "")
    .replace(/ needs it and stays$/, "")
    .replace(WHICH_IS_THERE, "");

export function provision(turn: RequestTurn): void {
  const { scribe, order, terms } = turn;
  const deadlineAt = hoursAfter(scribe.now, terms.policy.waitDeadlineHours);
  scribe.moveOrder(order, {
    state: "provisioning",
    reason: "features and services are on their way",
    nextAction: "wait for the device, the service servers and the network's elements",
    dueAt: earlierOf(deadlineAt, hoursAfter(scribe.now, terms.policy.proofDeadlineHours)),
    deadlineAt,
  });
  const pending = itemsOf(turn).filter(({ state }) => state === "pending");
  // None of them ends the order before all of them have begun.
  for (const item of pending) change(item, { deadlineAt });
  forwardToServers(
    turn,
    pending.filter(({ subject }) => subject.server),
  );
  for (const item of pending) {
    // With its service; by its own server; after all else of its package.
    if (item.subject.moduleOf !== null || item.subject.server || item.subject.leaves) continue;
    begin(turn, item);
  }
}

/** Where the billing centre knows the account, it prepares what changes the bill. */
export function begin(turn: RequestTurn, item: RequestItem): void {
  const isChange = turn.order.request.account?.state === "registered";
  if (isChange && !item.subject.replaces?.isGivenAnew) prepareBilling(turn, item);
  else apply(turn, item);
}

/** Puts one item into effect. What cannot be composed fails alone, and nothing of it was asked of anybody. */
export function apply(turn: RequestTurn, item: RequestItem): void {
  // What another server provisions is never done here, whoever asks for it.
  if (item.state === "pending" && !item.subject.server) attempt(turn, item, applyItem);
}

function attempt(
  turn: RequestTurn,
  item: RequestItem,
  work: (turn: RequestTurn, item: RequestItem) => void,
): void {
  const { deps, scribe } = turn;
  const before = { ...item };
  const own = createScribe(scribe.now, deps.newId);
  try {
    work({ ...turn, scribe: own }, item);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    restore(item, before);
    return failItem(turn, item, {
      cause: "cannot_be_composed",
      reason: `it cannot be composed: ${error.message}`,
    });
  }
  scribe.take(own.changes);
}

function applyItem(turn: RequestTurn, item: RequestItem): void {
  const { subject } = item;
  const isRemoval = subject.action === "remove";
  const services = servicesOf(turn);
  if (item.kind === "service" && isRemoval && !services.isRegistered(turn, item))
    return services.registrationUnknown(turn, item);
  askElements(turn, item);
  if (subject.replaces && waitsForElements(item) && !isOfNetworkAlone(item))
    return waitForNetwork(turn, item, subject.replaces.version);
  startItem(turn, item);
}

/** Elements can be told the version before again; a device cannot. So they come first, and it hears of nothing that fails there. */
function waitForNetwork({ scribe, order, terms }: RequestTurn, item: RequestItem, version: number): void {
  scribe.moveItem(order, item, {
    state: "pending",
    event: "network_asked",
    reason: `the network's elements come first: until all have taken it, version ${version} stays`,
    nextAction: "wait for the network's elements",
    // Their calls' own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(scribe.now, terms.policy.request.serviceDeadlineHours + 1),
  });
}

/** The network has taken a version that replaces another: what remains of it. */
export const startReplacement = (turn: RequestTurn, item: RequestItem): void =>
  attempt(turn, item, startItem);

function startItem(turn: RequestTurn, item: RequestItem): void {
  const { subject } = item;
  if (item.kind === "service") {
    // Its module goes when the service has ended.
    if (subject.action === "remove") return servicesOf(turn).remove(turn, item);
    // Of a version that replaces another the module comes last: what is registered can be taken back.
    if (!subject.replaces) applyModules(turn, item);
    return servicesOf(turn).register(turn, item);
  }
  switch (subject.content.kind) {
    case "none":
      return isOfNetworkAlone(item) ? applyInNetwork(turn, item) : featuresOf(turn).send(turn, item);
    case "settings":
      return subject.action === "add" ? applySettings(turn, item) : applyInNetwork(turn, item);
    default:
      return featuresOf(turn).send(turn, item);
  }
}

/** What a service needs on the device, or needs there no more; what a version before left there. */
export function applyModules(
  turn: RequestTurn,
  service: RequestItem,
  action: "add" | "remove" = service.subject.action,
): void {
  for (const module of itemsOf(turn))
    if (module.subject.moduleOf === service.id && module.subject.action === action) apply(turn, module);
}

/** Nothing goes to the device: it is done when the network's elements have said so, and not before. */
function applyInNetwork(turn: RequestTurn, item: RequestItem): void {
  const { scribe, order, terms } = turn;
  if (Object.keys(item.subject.elements).length === 0)
    return doneInNetwork(turn, item, "the network has nothing to do for it");
  const deadlineAt = hoursAfter(scribe.now, terms.policy.request.serviceDeadlineHours);
  scribe.moveItem(order, item, {
    state: "sending",
    event: "network_asked",
    reason: "nothing goes to the device; the network's elements are asked",
    nextAction: "wait for the network's elements",
    // Their calls' own deadline comes first: then the item says what was met.
    deadlineAt: hoursAfter(deadlineAt, 1),
  });
}

/**
 * Access points go by the road that the device's model knows, like those of a sighting; and like those they wait where
 * none may be sent, until their operator has said which, or the item's time is up.
 */
function applySettings(turn: RequestTurn, item: RequestItem): void {
  const { deps, scribe, order, subject, terms } = turn;
  const judgement = deps.judge(order, subject, terms, scribe.now);
  const choice = deps.chooseSettings(subject, terms);
  if (choice.kind === "refused") return waitForSettings(turn, item, choice);
  scribe.note(order, {
    kind: "settings_chosen",
    itemId: item.id,
    reason: `access points of ${choice.source}`,
    detail: settingsDetail(choice, judgement),
  });
  item.apns = apnsOf(choice.values.points);
  sendSettings(turn, item, choice.values, judgement);
}

type Refused = Extract<SettingsChoice, { readonly kind: "refused" }>;

/** Said once, however often it is looked at. */
function waitForSettings(
  turn: RequestTurn,
  item: RequestItem,
  { code, reason, nextAction = "add an access point of your own for these SIMs" }: Refused,
): void {
  const { scribe, order, terms } = turn;
  if (item.cause === code && item.reason === reason) return;
  // What is missing may have come while it was being looked for.
  lookWithin(turn, FIRST_RECHECK_MINUTES);
  scribe.moveItem(order, item, {
    state: "pending",
    event: "settings_waited_for",
    cause: code,
    reason,
    nextAction,
    deadlineAt: item.deadlineAt ?? hoursAfter(scribe.now, terms.policy.waitDeadlineHours),
  });
}

function lookWithin({ scribe, order }: RequestTurn, minutes: number): void {
  const dueAt = minutesAfter(scribe.now, minutes);
  if (order.dueAt === null || order.dueAt <= dueAt) return;
  change(order, { dueAt });
  scribe.touch(order);
}

/** An order that still waits for settings is looked at again by itself. */
export function lookAgain(turn: RequestTurn): void {
  if (itemsOf(turn).some(waitsForSettings)) lookWithin(turn, RECHECK_MINUTES);
}

/** Settings that wait for an access point of their operator's. */
const waitsForSettings = ({ state, cause, subject }: RequestItem): boolean =>
  state === "pending" && cause !== null && subject.content.kind === "settings" && subject.action === "add";

/** Looks again for what could not be sent; whose time is up, fails of what it waited for. */
export function lookForSettings(turn: RequestTurn): void {
  const { scribe } = turn;
  for (const item of itemsOf(turn).filter(waitsForSettings)) {
    attempt(turn, item, applySettings);
    if (!waitsForSettings(item) || item.deadlineAt === null || item.deadlineAt > scribe.now) continue;
    failItem(turn, item, {
      cause: assured(item.cause, "an item that waits for settings says for what"),
      reason: `${item.reason}; the deadline has passed`,
    });
  }
}
