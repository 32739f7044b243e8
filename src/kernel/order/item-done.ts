/** When an item of a request counts as done, and when only as partly done. */

import type { Level } from "../operator/policy.ts";
import { type ItemState, rankOf } from "./order.ts";
import type { ItemRequest } from "./request-draft.ts";

type Asked = { readonly state: ItemState; readonly subject: ItemRequest };

/**
 * The level that ends it: a feature by the device's own confirmation; access points at the level that the policy names,
 * as on the other road; what only the network does, when it is done there.
 */
export function levelOf({ subject }: Pick<Asked, "subject">, doneAt: Level): Level {
  if (subject.service) return "works";
  if (subject.content.kind === "none") return takesOff(subject) ? "works" : "delivered";
  return subject.content.kind === "settings" ? doneAt : "works";
}

/** It stands where it should stand, whatever the network's elements say. */
export function isReached({ subject, state }: Asked, doneAt: Level): boolean {
  if (subject.service && subject.action === "add") return state === "access_data_sent";
  return rankOf(state) >= rankOf(levelOf({ subject }, doneAt));
}

/** Reached, and every element of the network that serves it has said so too (R48). */
export const isRequestItemDone = ({ subject, state }: Asked, doneAt: Level): boolean =>
  isReached({ subject, state }, doneAt) &&
  Object.values(subject.elements).every((state) => state === "done" || state === "left");

export const waitsForElements = ({ subject }: Pick<Asked, "subject">): boolean =>
  Object.values(subject.elements).some((state) => state === "asked");

/** The version that it replaces left something on the device that has to go from there (R122). */
const takesOff = ({ action, replaces }: ItemRequest): boolean =>
  action === "add" &&
  replaces !== undefined &&
  (Object.keys(replaces.values).length > 0 || Boolean(replaces.module) || Boolean(replaces.activation));

/** Nothing of it goes to the device: what there is of it, elements of the network do. */
export const isOfNetworkAlone = ({ subject }: Pick<Asked, "subject">): boolean =>
  subject.service === null &&
  ((subject.content.kind === "none" && !takesOff(subject)) ||
    (subject.content.kind === "settings" && subject.action === "remove"));

/** Access points that came with it, or with the version before it, stay on the device: nothing that is sent takes them off. */
export const leavesAccessPoints = ({
  content,
  action,
  replaces,
}: Pick<ItemRequest, "content" | "action" | "replaces">): boolean =>
  action === "remove" ? content.kind === "settings" : replaces?.leavesAccessPoints === true;

/** Said of an item that is done all the same. */
export const reasonWithLeft = (reason: string, subject: ItemRequest): string =>
  leavesAccessPoints(subject) && !reason.endsWith(ACCESS_POINTS_STAY)
    ? `${reason}${ACCESS_POINTS_STAY}`
    : reason;
const ACCESS_POINTS_STAY =
  "; access points that came with it stay on the device until they are deleted there";
