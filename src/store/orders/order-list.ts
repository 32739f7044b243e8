/**
 * Lists of orders on PostgreSQL, each on an index that gives the next rows whatever the others are
 * (kernel/order/order-list.ts says which lists there are). An index over few words (state, cause, verdict; make and model)
 * is in the order of creation within each combination of them alone: the first rows of each that fits are merged. So five
 * indexes serve all pairs, and a list reads its combinations times its page; but of one model with a state, cause or verdict all of
 * that model, of one make with them all that are not over, and of attempts all that were sent more than once, out of the index.
 */
import {
  FINAL_ORDER_STATES,
  ORDER_CAUSES,
  ORDER_STATES,
  type OrderState,
  VERDICTS,
  type Verdict,
} from "../../kernel/order/order.ts";
import {
  checkOffered,
  ORDER_LISTS,
  type OrderFilter,
  type OrderSort,
} from "../../kernel/order/order-list.ts";
import type { OrderPage, OrderRow, OrderTotal, Page } from "../../kernel/order/order-reader.ts";
import type { Query } from "../database/conditions.ts";
import type { Db } from "../database/database.ts";
import { cursorAt, type Place, placeOf } from "./list-cursor.ts";
import { ORDER, orderRow, type StoredOrder } from "./listed-order.ts";
import { conditionsOf, type FilterName, hasParty, Parameters, type Scope } from "./order-conditions.ts";
import { slotOf } from "./updated-slot.ts";

const OPEN_ORDER_STATES = ORDER_STATES.filter((state) => !FINAL_ORDER_STATES.includes(state));

type Cut = { readonly limit: number; readonly order: "asc" | "desc"; readonly after?: Place | undefined };
/** `key` is the time that a list by time goes by, in seconds to the microsecond: a Date has none. */
type Listed = StoredOrder & { readonly key?: number };

/** @throws TurnupError `list_not_offered`, `cursor_malformed` */
export async function readOrderList(
  db: Db,
  { operatorId, filter, parties }: Scope & { readonly filter: OrderFilter },
  { limit, cursor, sort = "created", order = ORDER_LISTS[sort].order }: OrderPage,
): Promise<Page<OrderRow>> {
  checkOffered(filter, sort);
  const after = cursor === undefined ? undefined : placeOf(cursor, sort, order);
  const rows: Listed[] = [];
  for (const query of orderListQueries({ operatorId, filter, parties }, sort, {
    limit: limit + 1, // one more tells that there is a next page
    order,
    after,
  })) {
    rows.push(...(await db.rows<Listed>(query.text, query.values)));
    if (rows.length > limit) break;
  }
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map(({ key, ...row }) => orderRow(row)),
    nextCursor:
      rows.length > limit && last ? cursorAt(sort, order, { key: keyOf(sort, last), id: last.id }) : null,
  };
}

function keyOf(sort: OrderSort, row: Listed): Place["key"] {
  switch (sort) {
    case "created":
      return [];
    case "updated":
    case "deadline":
      return [row.key ?? 0];
    case "make":
      return [row.make, row.model];
    default:
      return [row[sort]];
  }
}

/** Read one after the other until the page is full: the rows of each come before those of the next. */
export function* orderListQueries(scope: Scope, sort: OrderSort, cut: Cut): Generator<Query> {
  switch (sort) {
    case "created":
      yield createdQuery(scope, cut);
      return;
    case "state":
      yield* byWord(scope, cut, sort, ORDER_STATES);
      return;
    case "cause":
      yield* byWord(scope, cut, sort, ORDER_CAUSES);
      return;
    case "verdict":
      yield* byWord(scope, cut, sort, [...VERDICTS, null]);
      return;
    case "make":
      yield* byName(scope, cut, ["make", "model"]);
      return;
    case "model":
      yield* byName(scope, cut, ["model"]);
      return;
    case "updated":
    case "deadline":
      yield timeQuery(scope, cut, sort);
      return;
    case "attempts":
      yield attemptsQuery(scope, cut);
  }
}

// By creation.

/** Ids in the order of the page from one of the roads below, and their rows. */
function createdQuery(scope: Scope, { limit, order, after }: Cut): Query {
  const { state, cause, verdict, make, model, market, attemptsFrom } = scope.filter;
  const parameters = new Parameters();
  const past = after ? [`o.id ${order === "asc" ? ">" : "<"} ${parameters.at(after.id)}::uuid`] : [];
  const limited = `limit ${parameters.at(limit)}::int`;
  const end = `order by id ${order} ${limited}`;
  const road: Road = {
    scope,
    parameters,
    past,
    end,
    endBehind: (lead) => `order by ${lead} ${order}, o.id ${order} ${limited}`,
  };
  const hasPhone = make !== undefined || model !== undefined;
  const hasStanding = state !== undefined || cause !== undefined || verdict !== undefined;
  const plain = (): string =>
    `select o.id from provisioning_order o where ${[...conditionsOf(scope, parameters), ...past].join(" and ")}`;
  const hit =
    hasParty(scope) || attemptsFrom !== undefined || (model !== undefined && hasStanding)
      ? `materialized (${plain()})` // all that fit, on one index or two: who walks along the ids may find none for long
      : market !== undefined
        ? `(${plain()} ${end})`
        : hasPhone && hasStanding
          ? `(${standingOfMakeIds(road)})`
          : hasPhone
            ? `(${phoneIds(road)})`
            : `(${standingIds(road, state ? [state] : ORDER_STATES)})`;
  return {
    text: `with hit as ${hit}
      select ${ORDER} from (select id from hit ${end}) h join provisioning_order o on o.id = h.id order by o.id ${order}`,
    values: parameters.values,
  };
}

/**
 * Where a page begins and ends. An index that is read where a column is null gives its rows in the order of that column and the id,
 * for all that the planner knows: asked for by the id alone it would rather walk along all ids, and find none for long.
 */
type Road = {
  readonly scope: Scope;
  readonly parameters: Parameters;
  readonly past: readonly string[];
  readonly end: string;
  readonly endBehind: (lead: string) => string;
};

/** provisioning_order_by_standing, or, of one make, _over_of_make: the first of each state, cause and verdict that fit. */
function standingIds(
  { scope, parameters, past, end, endBehind }: Road,
  states: readonly OrderState[],
): string {
  const { cause, verdict } = scope.filter;
  const common = [...conditionsOf(scope, parameters, ["state", "cause", "verdict"]), ...past].join(" and ");
  const firstOf = (of: string, until: string): string =>
    `(select o.id from provisioning_order o where ${common} and o.state = s.state and o.cause = c.cause and ${of} ${until})`;
  const named = (words: readonly Verdict[]): string =>
    `(select n.id from unnest(${parameters.at(words)}::text[]) v(verdict) cross join lateral ${firstOf("o.verdict = v.verdict", end)} n)`;
  const none = firstOf("o.verdict is null", endBehind("o.verdict"));
  const ones =
    verdict === undefined
      ? `${named(VERDICTS)} union all ${none}`
      : verdict === null
        ? none
        : named([verdict]);
  return `select one.id from unnest(${parameters.at(states)}::text[]) s(state)
      cross join unnest(${parameters.at(cause ? [cause] : ORDER_CAUSES)}::text[]) c(cause)
      cross join lateral (${ones}) one ${end}`;
}

/** In the words of the index: it holds those alone. */
const IS_OVER = `o.state in (${FINAL_ORDER_STATES.map((state) => `'${state}'`).join(", ")})`;

/** Of one make: of orders that are over the first of each state, cause and verdict; of the others, which are few, all. */
function standingOfMakeIds(road: Road): string {
  const { scope, parameters, past, end } = road;
  const { state } = scope.filter;
  const roads: string[] = [];
  const over = state ? FINAL_ORDER_STATES.filter((one) => one === state) : FINAL_ORDER_STATES;
  if (over.length > 0) roads.push(`(${standingIds({ ...road, past: [...past, IS_OVER] }, over)})`);
  const open = state ? OPEN_ORDER_STATES.filter((one) => one === state) : OPEN_ORDER_STATES;
  if (open.length > 0) {
    const among = `o.state = any(${parameters.at(open)}::text[])`;
    const conditions = [...conditionsOf(scope, parameters, ["state"]), ...past, among].join(" and ");
    roads.push(`(select o.id from provisioning_order o where ${conditions})`);
  }
  return `select id from (${roads.join(" union all ")}) found ${end}`;
}

/** provisioning_order_by_phone: of one make and model, or the first of each model of a make, or of each make with that model. */
function phoneIds({ scope, parameters, past, end, endBehind }: Road): string {
  const { make, model } = scope.filter;
  const conditions = [...conditionsOf(scope, parameters), ...past].join(" and ");
  if (make !== undefined && model !== undefined)
    return `select o.id from provisioning_order o where ${conditions} ${end}`;
  const name = make === undefined ? "make" : "model";
  // Which there are: each is one look into the index, at the first entry behind the one before.
  const within = conditionsOf({ ...scope, filter: make === undefined ? {} : { make } }, parameters).join(
    " and ",
  );
  const next = (behind: string): string =>
    `(select o.${name} from provisioning_order o where ${within} and ${behind} order by o.${name} limit 1)`;
  return `with recursive known(name) as (
      ${next(`o.${name} is not null`)} union all
      select ${next(`o.${name} > known.name`)} from known where known.name is not null)
    select id from (
      select one.id from known cross join lateral
        (select o.id from provisioning_order o where ${conditions} and o.${name} = known.name ${end}) one
      union all
      (select o.id from provisioning_order o where ${conditions} and o.${name} is null ${endBehind(`o.${name}`)})) found ${end}`;
}

// By what orders have.

/** Words in the order of their list: a list by creation of each, from that on at which the page before ended. */
function* byWord(
  scope: Scope,
  { limit, order, after }: Cut,
  name: "state" | "cause" | "verdict",
  words: Place["key"],
): Generator<Query> {
  const inOrder = order === "asc" ? words : words.toReversed();
  const from = after ? inOrder.indexOf(after.key[0] ?? null) : 0; // the cursor's key is one of them
  const asked = scope.filter[name];
  for (const [at, word] of inOrder.slice(from).entries()) {
    if (asked !== undefined && asked !== word) continue;
    const filter = { ...scope.filter, [name]: word };
    yield createdQuery({ ...scope, filter }, { limit, order, after: at === 0 ? after : undefined });
  }
}

/** provisioning_order_by_phone, in its own order: by make, model and creation. What has no name comes last, or first in `desc`. */
function* byName(
  scope: Scope,
  { limit, order, after }: Cut,
  names: readonly ("make" | "model")[],
): Generator<Query> {
  const columns = names.map((name) => `o.${name}`);
  const inOrder = [...columns, "o.id"].map((column) => `${column} ${order}`).join(", ");
  const ranges = after ? rangesAfter(columns, after, order) : [() => []];
  for (const rangeOf of ranges) {
    const parameters = new Parameters();
    const conditions = [...conditionsOf(scope, parameters), ...rangeOf(parameters)];
    yield {
      text: `select ${ORDER} from provisioning_order o where ${conditions.join(" and ")}
        order by ${inOrder} limit ${parameters.at(limit)}::int`,
      values: parameters.values,
    };
  }
}

/** What comes behind a place, as ranges that an index can run along: null stands last, or first in `desc`. */
function* rangesAfter(
  columns: readonly string[],
  { key, id }: Place,
  order: "asc" | "desc",
): Generator<(parameters: Parameters) => readonly string[]> {
  const than = order === "asc" ? ">" : "<";
  const same = (parameters: Parameters, count: number): string[] =>
    columns
      .slice(0, count)
      .map((column, at) =>
        key[at] === null ? `${column} is null` : `${column} = ${parameters.at(key[at])}`,
      );
  yield (parameters) => [...same(parameters, columns.length), `o.id ${than} ${parameters.at(id)}::uuid`];
  for (const [back, column] of columns.toReversed().entries()) {
    const level = columns.length - 1 - back;
    const value = key[level];
    if (value !== null)
      yield (parameters) => [...same(parameters, level), `${column} ${than} ${parameters.at(value)}`];
    if ((order === "asc") === (value !== null))
      yield (parameters) => [...same(parameters, level), `${column} is ${order === "asc" ? "" : "not "}null`];
  }
}

const TIMES = {
  /** provisioning_order_by_update: of each state, and of those the slots that it takes to fill a page, sorted. */
  updated: { column: "o.updated_at", states: ORDER_STATES, lead: "o.updated_slot", is: [] },
  /** provisioning_order_by_deadline: of each state. */
  deadline: {
    column: "o.deadline_at",
    states: OPEN_ORDER_STATES,
    lead: null,
    is: ["o.deadline_at is not null"],
  },
} as const;

function timeQuery(scope: Scope, { limit, order, after }: Cut, sort: "updated" | "deadline"): Query {
  const { column, states, lead, is } = TIMES[sort];
  const parameters = new Parameters();
  const walked: readonly FilterName[] = hasParty(scope) ? [] : ["state"];
  const conditions = [...conditionsOf(scope, parameters, walked), ...is];
  if (after) {
    const moment = `to_timestamp(${parameters.at(after.key[0])}::float8)`;
    const than = order === "asc" ? ">" : "<";
    conditions.push(`(${column}, o.id) ${than} (${moment}, ${parameters.at(after.id)}::uuid)`);
    if (lead) conditions.push(`${lead} ${than}= ${slotOf(moment)}`);
  }
  const end = `limit ${parameters.at(limit)}::int`;
  const within = conditions.join(" and ");
  const first = `select o.id, ${column} as at from provisioning_order o where ${within}`;
  const found = hasParty(scope)
    ? first
    : `select one.id, one.at from unnest(${parameters.at(scope.filter.state ? [scope.filter.state] : states)}::text[]) s(state)
        cross join lateral (${first} and o.state = s.state
          order by ${lead ? `${lead} ${order}, ` : ""}${column} ${order}, o.id ${order} ${end}) one`;
  return {
    text: `select ${ORDER}, extract(epoch from ${column})::float8 as key
      from (select id from (${found}) f order by f.at ${order}, f.id ${order} ${end}) h
      join provisioning_order o on o.id = h.id order by ${column} ${order}, o.id ${order}`,
    values: parameters.values,
  };
}

/** provisioning_order_by_attempts, which holds what was sent more than once alone. */
function attemptsQuery(scope: Scope, { limit, order, after }: Cut): Query {
  const parameters = new Parameters();
  const conditions = [...conditionsOf(scope, parameters), "o.sends > 1"];
  if (after)
    conditions.push(
      `(o.sends, o.id) ${order === "asc" ? ">" : "<"} (${parameters.at(after.key[0])}::int, ${parameters.at(after.id)}::uuid)`,
    );
  return {
    text: `with hit as materialized (select o.id, o.sends from provisioning_order o where ${conditions.join(" and ")})
      select ${ORDER} from (select id from hit order by sends ${order}, id ${order} limit ${parameters.at(limit)}::int) h
      join provisioning_order o on o.id = h.id order by o.sends ${order}, o.id ${order}`,
    values: parameters.values,
  };
}

// How many.

/** By PostgreSQL's statistics, which no row is read for, or counted. */
export async function totalOf(db: Db, scope: Scope, kind: OrderTotal["kind"]): Promise<OrderTotal> {
  const parameters = new Parameters();
  const text = `from provisioning_order o where ${conditionsOf(scope, parameters).join(" and ")}`;
  if (kind === "exact") {
    const row = await db.one<{ count: number }>(`select count(*)::int as count ${text}`, parameters.values);
    return { kind, count: row?.count ?? 0 };
  }
  const row = await db.one<{ "QUERY PLAN": readonly { readonly Plan: { readonly "Plan Rows": number } }[] }>(
    `explain (format json) select ${text}`,
    parameters.values,
  );
  return { kind, count: row?.["QUERY PLAN"][0]?.Plan["Plan Rows"] ?? 0 };
}
