/**
 * Where the next page of a list of orders begins: behind the values that its last row had when it was shown, so that a row
 * that moves in the meantime neither repeats others nor hides them. By creation it is the id of that row; by anything else
 * it is base64url of a JSON array: sort, direction, the values, the id.
 */
import { ORDER_CAUSES, ORDER_STATES } from "../../kernel/order/order.ts";
import type { OrderSort } from "../../kernel/order/order-list.ts";
import { TurnupError } from "../../term/error.ts";
import { isUuid } from "../database/uuid.ts";

type Key = readonly (string | number | null)[];
export type Place = { readonly key: Key; readonly id: string };
type Direction = "asc" | "desc";

const isMember = (value: unknown): value is Key[number] =>
  value === null || typeof value === "string" || typeof value === "number";
const isName = (value: unknown): boolean =>
  value === null || (typeof value === "string" && !value.includes("\0"));
const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isOneOf =
  (words: readonly unknown[]) =>
  (value: unknown): boolean =>
    words.includes(value);

/** What stands in the key of each sort: seconds since 1970, a count, a word, a name. */
const KEYS: Readonly<Record<OrderSort, readonly ((value: unknown) => boolean)[]>> = {
  created: [],
  updated: [isNumber],
  deadline: [isNumber],
  state: [isOneOf(ORDER_STATES)],
  cause: [isOneOf(ORDER_CAUSES)],
  verdict: [isOneOf(["ended", "supported", "unknown", null])],
  make: [isName, isName],
  model: [isName],
  attempts: [Number.isSafeInteger],
};

export const cursorAt = (sort: OrderSort, direction: Direction, { key, id }: Place): string =>
  sort === "created" ? id : Buffer.from(JSON.stringify([sort, direction, ...key, id])).toString("base64url");

/** @throws TurnupError `cursor_malformed`: none, or of a list that is sorted otherwise */
export function placeOf(cursor: string, sort: OrderSort, direction: Direction): Place {
  if (sort === "created" && isUuid(cursor)) return { key: [], id: cursor };
  const [ofSort, ofDirection, ...rest] = sort === "created" ? [] : membersIn(cursor);
  const id = rest.pop();
  const kinds = KEYS[sort];
  const key = rest.filter(isMember);
  const isRight =
    ofSort === sort &&
    ofDirection === direction &&
    typeof id === "string" &&
    isUuid(id) &&
    key.length === rest.length &&
    key.length === kinds.length &&
    kinds.every((isKind, at) => isKind(key[at]));
  if (isRight) return { key, id };
  throw new TurnupError("cursor_malformed", `The cursor is none of a list by ${sort}, ${direction}.`, {
    nextStep:
      "Give nextCursor of the page before, with the same sort and order; without a cursor the list begins anew.",
  });
}

function membersIn(cursor: string): unknown[] {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(read) ? read : [];
  } catch {
    return [];
  }
}
