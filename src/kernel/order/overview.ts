/** What became of an operator's orders of late: how many reached each station, over time, and what failed of what. */
import type { OrderState } from "./order.ts";

/** The stations of the line, in their order. An order counts at each that one of its items, or its fee, has reached. */
export const STATIONS = ["seen", "judged", "keyed", "sent", "delivered", "opened", "works", "paid"] as const;
export type Station = (typeof STATIONS)[number];

/** Orders that failed alike. Times are RFC 3339. */
export type FailureGroup = {
  /** Of the orders: all of it failed, or a part. */
  readonly state: OrderState;
  /** Of the item: which kind, and its stable cause; null where nobody said one. */
  readonly kind: string;
  readonly cause: string | null;
  /** In words, of the newest of them. */
  readonly reason: string;
  readonly make: string | null;
  readonly model: string | null;
  readonly orders: number;
  readonly firstAt: string;
  readonly lastAt: string;
};

export type Overview = {
  /** Orders that it looked at; older ones of the span are left out where there are more than it may look at. */
  readonly orders: number;
  readonly isWhole: boolean;
  readonly stations: Readonly<Record<Station, number>>;
  readonly states: Readonly<Partial<Record<OrderState, number>>>;
  /** By when they were opened, oldest first; an interval without any is left out. */
  readonly rate: readonly {
    readonly at: string;
    readonly seen: number;
    readonly done: number;
    readonly failed: number;
  }[];
  /** Most orders first. */
  readonly failures: readonly FailureGroup[];
};

/** @throws TurnupError by every call, as `OrderStore` */
export interface Overviews {
  /** Of orders that were opened at `since` or later; `stepSeconds` is the length of an interval of `rate`. */
  overview(operatorId: string, since: Date, stepSeconds: number): Promise<Overview>;
}
