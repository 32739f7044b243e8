/**
 * The next action of an order whose time has come: it is opened, looked at again, or left to a younger order of its SIM.
 * What goes wrong with one order is told in that order and stops no other.
 */

import { earlierOf, minutesAfter } from "../../term/moment.ts";
import { change, restore } from "../order/change.ts";
import { cancelOrder, deadlinePassed, failItem, isClosed } from "../order/ending.ts";
import { faultOf } from "../order/fault.ts";
import { rankOf } from "../order/order.ts";
import type { DueOrder } from "../order/order-draft.ts";
import { RECHECK_MINUTES } from "../order/recheck.ts";
import type { RequestDraft } from "../order/request-draft.ts";
import { createScribe } from "../order/scribe.ts";
import type { Turn } from "../order/turn.ts";
import { type Due, flowOf } from "./flow.ts";

/** A younger order of its SIM does its work; what a person asked for is done all the same. */
export const isLeftToYounger = ({ order, isSuperseded }: Pick<DueOrder, "order" | "isSuperseded">): boolean =>
  isSuperseded && (order.cause === "first_registration" || order.cause === "sim_moved");

/** It was opened before its SIM lost the number that it was asked or answered by. */
export const hasLostNumber = ({ order, subject }: Pick<Turn, "order" | "subject">): boolean =>
  subject.numberLostAt != null && subject.numberLostAt >= order.createdAt;

export function advanceOrder(
  turn: Turn,
  { isSuperseded, ...due }: Due & Pick<DueOrder, "isSuperseded">,
): void {
  const { deps, scribe, order } = turn;
  const before = {
    ...order,
    items: order.items.map((item) => ({ ...item })),
    request: copyOf(order.request),
  };
  const own = createScribe(scribe.now, deps.newId);
  const ownTurn = { ...turn, scribe: own };
  try {
    if (isLeftToYounger({ order, isSuperseded }))
      cancelOrder(ownTurn, "the SIM was seen anew: a younger order takes its place", due.companions);
    else flowOf(order).due(ownTurn, due);
  } catch (error) {
    restore(order, before);
    return stumble(turn, faultOf(error));
  }
  scribe.take(own.changes);
}

/** It stands with what was met, is tried again, and ends at its deadline all the same. */
function stumble(turn: Turn, fault: string): void {
  const { scribe, order } = turn;
  const reason = `it could not be taken further: ${fault}`;
  const nextAction = "put right what it names; it is tried again by itself";
  if (flowOf(order).waitsFor(turn, { cause: "fault", reason, nextAction })) return;
  scribe.note(order, { kind: "fault", reason });
  if (order.deadlineAt && scribe.now >= order.deadlineAt) {
    for (const item of order.items) {
      if (!isClosed(item) && rankOf(item.state) === 0) failItem(turn, item, { cause: "fault", reason });
    }
    return deadlinePassed(turn);
  }
  change(order, {
    dueAt: earlierOf(minutesAfter(scribe.now, RECHECK_MINUTES), order.deadlineAt ?? scribe.now),
  });
  scribe.touch(order);
}

const copyOf = (request: RequestDraft | null): RequestDraft | null =>
  request && {
    ...request,
    consents: request.consents.map((consent) => ({ ...consent })),
    registrations: request.registrations.map((registration) => ({ ...registration })),
  };
