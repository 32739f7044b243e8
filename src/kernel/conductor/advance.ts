/**
 * The next action of an order whose time has come: it is opened, looked at again, or left to a younger order of its SIM.
 * What goes wrong with one order is told in that order and stops no other.
 */

import { followNumber } from "../detected/number-lost.ts";
import { giveUpKeys, openOrder, sendWithoutKey, wait } from "../detected/open-order.ts";
import type { ConductorDeps } from "../order/deps.ts";
import { cancelOrder, deadlinePassed, failItem, isClosed } from "../order/ending.ts";
import type { Companion } from "../order/message.ts";
import type { OperatorTerms } from "../order/operator-terms.ts";
import { rankOf } from "../order/order.ts";
import type { DueOrder, OrderDraft } from "../order/order-draft.ts";
import type { RequestDraft } from "../order/request-draft.ts";
import { createScribe, earlierOf, minutesAfter, type Scribe } from "../order/scribe.ts";
import { isOfRequest } from "../order/turn.ts";
import { requestIsDue } from "../requested/due.ts";

const RECHECK_MINUTES = 60;
const MAX_FAULT_CHARACTERS = 200;

/** A younger order of its SIM does its work; what a person asked for is done all the same. */
export const isLeftToYounger = ({ order, isSuperseded }: DueOrder): boolean =>
  isSuperseded && (order.cause === "first_registration" || order.cause === "sim_moved");

export function advanceOrder(
  deps: ConductorDeps,
  scribe: Scribe,
  due: DueOrder,
  terms: OperatorTerms,
  /** Of an order that is left to a younger one, or lost its number: what goes along with its messages. */
  companions: readonly Companion[],
): void {
  const { order } = due;
  const before = {
    ...order,
    items: order.items.map((item) => ({ ...item })),
    request: copyOf(order.request),
  };
  const own = createScribe(scribe.now, deps.newId);
  try {
    if (isLeftToYounger(due)) {
      const companionIds = companions.map(({ id }) => id);
      cancelOrder(own, order, "the SIM was seen anew: a younger order takes its place", companionIds, terms);
    } else advance(deps, own, due, terms, companions);
  } catch (error) {
    Object.assign(order, before);
    return stumble(scribe, order, terms, faultOf(error));
  }
  scribe.take(own.changes);
}

function advance(
  deps: ConductorDeps,
  scribe: Scribe,
  { order, subject, symptoms }: DueOrder,
  terms: OperatorTerms,
  companions: readonly Companion[],
): void {
  if (isOfRequest(order)) return requestIsDue({ deps, scribe, order, subject, terms });
  if (order.state !== "provisioning") return openOrder(deps, scribe, { order, subject, symptoms }, terms);
  giveUpKeys(scribe, order);
  followNumber({ deps, scribe, order, subject, terms }, companions);
  sendWithoutKey(deps, scribe, order, subject, terms);
  deadlinePassed(scribe, order, terms);
}

/** It stands with what was met, is tried again, and ends at its deadline all the same. */
function stumble(scribe: Scribe, order: OrderDraft, terms: OperatorTerms, fault: string): void {
  const reason = `it could not be taken further: ${fault}`;
  const nextAction = "put right what it names; it is tried again by itself";
  if (order.state !== "provisioning" && !order.request)
    return wait(scribe, order, terms, "fault", reason, nextAction);
  scribe.note(order, { kind: "fault", reason });
  if (order.deadlineAt && scribe.now >= order.deadlineAt) {
    for (const item of order.items) {
      if (!isClosed(item) && rankOf(item.state) === 0)
        failItem(scribe, order, item, { cause: "fault", reason });
    }
    return deadlinePassed(scribe, order, terms);
  }
  order.dueAt = earlierOf(minutesAfter(scribe.now, RECHECK_MINUTES), order.deadlineAt ?? scribe.now);
  order.changed = true;
  scribe.touch(order);
}

const copyOf = (request: RequestDraft | null): RequestDraft | null =>
  request && {
    ...request,
    consents: request.consents.map((consent) => ({ ...consent })),
    registrations: request.registrations.map((registration) => ({ ...registration })),
  };

/** Never digits long enough to be somebody's number. */
export function faultOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\d{6,}/g, "…").slice(0, MAX_FAULT_CHARACTERS);
}
