/**
 * What may stand after `?`: words that are known. Another value is answered as undefined and not left out: the router fills what is left
 * out with what stood in the address.
 */
import type { OrderSearch } from "./api/queries.ts";

type Given = Readonly<Record<string, unknown>>;
const oneOf = <const Word extends string | number>(
  words: readonly Word[],
  given: unknown,
): Word | undefined => words.find((word) => word === given);
const textIn = (given: unknown): string | undefined =>
  typeof given === "string" && given !== "" ? given.slice(0, 120) : undefined;
const instantIn = (given: unknown): string | undefined => {
  const text = textIn(given);
  return text !== undefined && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? text : undefined;
};
export const ORDER_STATES = [
  "received",
  "waiting",
  "verifying",
  "awaiting_consent",
  "provisioning",
  "completed",
  "partly_completed",
  "failed",
  "cancelled",
  "rejected",
  "declined",
  "expired",
] as const satisfies readonly NonNullable<OrderSearch["state"]>[];
export const VERDICTS = ["ended", "supported", "unknown"] as const satisfies readonly NonNullable<
  OrderSearch["verdict"]
>[];
export const CAUSES = [
  "first_registration",
  "sim_moved",
  "requested",
  "self_service",
  "representative",
  "telephone",
  "partner",
  "offer",
] as const satisfies readonly NonNullable<OrderSearch["cause"]>[];
export const SORTS = ["updated", "deadline", "attempts"] as const;

export const orderSearchIn = (given: Given): OrderSearch => ({
  state: oneOf(ORDER_STATES, given.state),
  verdict: oneOf(VERDICTS, given.verdict),
  cause: oneOf(CAUSES, given.cause),
  make: textIn(given.make),
  model: textIn(given.model),
  subscriberId: textIn(given.subscriberId),
  createdFrom: instantIn(given.createdFrom),
  sort: oneOf(SORTS, given.sort),
});

export const HOURS = [1, 24, 168] as const;
export type Hours = (typeof HOURS)[number];
export const hoursIn = (given: Given): { readonly hours?: Hours | undefined } => ({
  hours: oneOf(HOURS, Number(given.hours)),
});

export const SHOWS = ["messages", "proof", "money", "people"] as const;
export type Show = (typeof SHOWS)[number];
/** `at`: the message that is open. */
export const showIn = (
  given: Given,
): { readonly show?: Show | undefined; readonly at?: string | undefined } => ({
  show: oneOf(SHOWS, given.show),
  at: textIn(given.at),
});

/** A page of the console: neither another host (`//host`, which browsers read from `/\\host` too) nor another scheme. */
const PAGE = /^\/(?![/\\])[^\s\\]*$/;
export const signInSearch = (given: Given): { readonly to?: string | undefined } => {
  const to = textIn(given.to);
  return { to: to !== undefined && PAGE.test(to) ? to : undefined };
};
