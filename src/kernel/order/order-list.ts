/**
 * Lists of orders: by what they are sorted, by what filtered, and which of both go together. A pair is offered where an
 * index answers it whatever the rows are (store/orders/order-list.ts); any other is refused by name, since it would be
 * answered on a small table and not on a large one.
 */
import { TurnupError } from "../../term/error.ts";
import type { OrderCause, OrderState, Verdict } from "./order.ts";

export const ORDER_SORTS = [
  "created",
  "updated",
  "deadline",
  "state",
  "cause",
  "verdict",
  "make",
  "model",
  "attempts",
] as const;
/** Rows of one value follow each other by the time at which they were opened. */
export type OrderSort = (typeof ORDER_SORTS)[number];

/** Fewer attempts than this need no list: what is sent once is the rule. */
export const ATTEMPTS_FROM_MIN = 2;

/**
 * Members that are absent let everything through. Numbers are digits; they are compared by blind index, not by value. Times
 * are RFC 3339: `From` and later, before `To`. `attemptsFrom` is 2 or more.
 */
export type OrderFilter = {
  readonly state?: OrderState | undefined;
  readonly cause?: OrderCause | undefined;
  readonly market?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly make?: string | undefined;
  readonly model?: string | undefined;
  readonly subscriberId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly imsi?: string | undefined;
  readonly msisdn?: string | undefined;
  readonly imei?: string | undefined;
  readonly createdFrom?: string | undefined;
  readonly createdTo?: string | undefined;
  readonly updatedFrom?: string | undefined;
  readonly updatedTo?: string | undefined;
  readonly deadlineFrom?: string | undefined;
  readonly deadlineTo?: string | undefined;
  readonly attemptsFrom?: number | undefined;
};
type OrderFilterName = keyof OrderFilter;

type Offer = {
  readonly filters: readonly OrderFilterName[];
  /** Without it the sort is not offered. */
  readonly needs?: OrderFilterName;
  /** What the list leaves out. */
  readonly only?: string;
  /** The order of the rows where the caller names none. */
  readonly order: "asc" | "desc";
};

const STANDING = ["state", "cause", "verdict"] as const;
const PHONE = ["make", "model"] as const;
const CREATED = ["createdFrom", "createdTo"] as const;
const UPDATED = ["updatedFrom", "updatedTo"] as const;
const DEADLINE = ["deadlineFrom", "deadlineTo"] as const;
const PARTIES = ["subscriberId", "deviceId", "imsi", "msisdn", "imei"] as const;
const FILTERS = [
  ...[...STANDING, ...PHONE, "market", "attemptsFrom"],
  ...[...CREATED, ...UPDATED, ...DEADLINE, ...PARTIES],
] as const satisfies readonly OrderFilterName[];

/** The pairs that are offered; docs/api.md has the same table. */
export const ORDER_LISTS: Readonly<Record<OrderSort, Offer>> = {
  created: {
    filters: [...STANDING, ...PHONE, "market", "attemptsFrom", ...CREATED, ...PARTIES],
    order: "desc",
  },
  updated: { filters: ["state", ...UPDATED, ...PARTIES], order: "desc" },
  deadline: {
    filters: ["state", ...DEADLINE, ...PARTIES],
    only: "orders that have a deadline: those that are not over",
    order: "asc",
  },
  state: { filters: [...STANDING, ...CREATED, ...PARTIES], order: "asc" },
  cause: { filters: [...STANDING, ...CREATED, ...PARTIES], order: "asc" },
  verdict: { filters: [...STANDING, ...CREATED, ...PARTIES], order: "asc" },
  make: { filters: PHONE, order: "asc" },
  model: { filters: PHONE, needs: "make", order: "asc" },
  attempts: {
    filters: [...STANDING, ...PHONE, "attemptsFrom"],
    only: "orders of which something was sent more than once",
    order: "desc",
  },
};

/** @throws TurnupError `list_not_offered`: the sort, or one of the filters beside it, is not offered; says which are */
export function checkOffered(filter: OrderFilter, sort: OrderSort): void {
  const { filters, needs } = ORDER_LISTS[sort];
  const given = FILTERS.filter((name) => filter[name] !== undefined);
  const refused = given.filter((name) => !filters.includes(name));
  const isWithoutNeed = needs !== undefined && !given.includes(needs);
  if (refused.length === 0 && !isWithoutNeed) return;
  const fact =
    refused.length > 0
      ? `Orders are not listed by ${sort} with the filter ${refused.join(", ")}.`
      : `Orders are listed by ${sort} with the filter ${needs} alone.`;
  throw new TurnupError("list_not_offered", fact, {
    nextStep: [
      `By ${sort} these filters are offered: ${filters.join(", ")}.`,
      ...refused.map((name) => `The filter ${name} is offered by ${sortsWith(name).join(", ")}.`),
    ].join(" "),
  });
}

const sortsWith = (name: OrderFilterName): OrderSort[] =>
  ORDER_SORTS.filter((sort) => ORDER_LISTS[sort].filters.includes(name));
