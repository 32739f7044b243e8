/** Lists of orders: each offered pair of sort and filter shows what all rows, sorted and filtered by hand, show. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { offeredFilters, writeListedOrders } from "../../../test/fixture/listed-orders.ts";
import { ORDER_CAUSES, ORDER_STATES, VERDICTS } from "../../kernel/order/order.ts";
import { ORDER_LISTS, ORDER_SORTS, type OrderFilter, type OrderSort } from "../../kernel/order/order-list.ts";
import type { OrderRow } from "../../kernel/order/order-reader.ts";
import { TurnupError } from "../../term/error.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createSealer } from "../seal/seal.ts";
import { orderListQueries } from "./order-list.ts";
import { createOrderReader } from "./order-reader.ts";

const ORDERS = 2_000;
const UNTIL = new Date("2026-03-01T12:00:00Z");
const MINE = uuidv7();
const THEIRS = uuidv7();

const database = await freshDatabase();
const reader = createOrderReader(database, createSealer(Buffer.alloc(32, 7)));
for (const operatorId of [MINE, THEIRS])
  await writeListedOrders(database, { operatorId, orders: ORDERS, until: UNTIL, apartMs: 61_000 });
const all = await readAll();

/** Every order of mine, by plain SQL. */
async function readAll(): Promise<OrderRow[]> {
  return await database.rows<OrderRow>(
    `select id, state, cause, market, verdict, make, model, sends as attempts, subscriber_id as "subscriberId", device_id as "deviceId",
            to_json(created_at) #>> '{}' as "createdAt", to_json(updated_at) #>> '{}' as "updatedAt",
            to_json(deadline_at) #>> '{}' as "deadlineAt" from provisioning_order where operator_id = $1`,
    [MINE],
  );
}

type Value = string | number | null;
const timeOf = (text: string | null): number => Date.parse(String(text));
/** By what each sort goes. */
const KEYS: Readonly<Record<OrderSort, (row: OrderRow) => readonly Value[]>> = {
  created: () => [],
  updated: (row) => [timeOf(row.updatedAt)],
  deadline: (row) => [timeOf(row.deadlineAt)],
  state: (row) => [ORDER_STATES.indexOf(row.state)],
  cause: (row) => [ORDER_CAUSES.indexOf(row.cause)],
  verdict: (row) => [row.verdict === null ? VERDICTS.length : VERDICTS.indexOf(row.verdict)],
  make: (row) => [row.make, row.model],
  model: (row) => [row.model],
  attempts: (row) => [row.attempts],
};
function compared(one: Value, other: Value): number {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? 1 : -1; // what has no name comes last
  return one < other ? -1 : 1;
}
function sorted(rows: readonly OrderRow[], sort: OrderSort, order: "asc" | "desc"): OrderRow[] {
  const keyOf = (row: OrderRow): readonly Value[] => [...KEYS[sort](row), row.id];
  const inOrder = rows.toSorted((one, other) => {
    const ofOther = keyOf(other);
    for (const [at, value] of keyOf(one).entries()) {
      const way = compared(value, ofOther[at] ?? null);
      if (way !== 0) return way;
    }
    return 0;
  });
  return order === "asc" ? inOrder : inOrder.reverse();
}

/** Whether a row fits each filter. */
const FITS: { readonly [Name in keyof OrderFilter]-?: (row: OrderRow, value: never) => boolean } = {
  state: (row, value) => row.state === value,
  cause: (row, value) => row.cause === value,
  market: (row, value) => row.market === value,
  verdict: (row, value) => row.verdict === value,
  make: (row, value) => row.make === value,
  model: (row, value) => row.model === value,
  subscriberId: (row, value) => row.subscriberId === value,
  deviceId: (row, value) => row.deviceId === value,
  imsi: () => false,
  msisdn: () => false,
  imei: () => false,
  createdFrom: (row, value) => timeOf(row.createdAt) >= timeOf(value),
  createdTo: (row, value) => timeOf(row.createdAt) < timeOf(value),
  updatedFrom: (row, value) => timeOf(row.updatedAt) >= timeOf(value),
  updatedTo: (row, value) => timeOf(row.updatedAt) < timeOf(value),
  deadlineFrom: (row, value) => timeOf(row.deadlineAt) >= timeOf(value),
  deadlineTo: (row, value) => timeOf(row.deadlineAt) < timeOf(value),
  attemptsFrom: (row, value) => row.attempts >= Number(value),
};
const fits = (row: OrderRow, filter: OrderFilter): boolean =>
  (Object.keys(filter) as (keyof OrderFilter)[]).every((name) => FITS[name](row, filter[name] as never));

const TIMES: OrderFilter = {
  createdFrom: "2026-02-28T13:00:00Z",
  createdTo: "2026-02-28T20:00:00Z",
  updatedFrom: "2026-03-01T01:02:03Z",
  updatedTo: "2026-03-01T11:12:13Z",
  deadlineFrom: "2026-03-01T01:02:03Z",
  deadlineTo: "2026-03-01T04:02:03Z",
};

async function pages(
  filter: OrderFilter,
  sort: OrderSort,
  order: "asc" | "desc",
  limit: number,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { rows, nextCursor } = await reader.listOrders(MINE, filter, { sort, order, limit, cursor });
    ids.push(...rows.map(({ id }) => id));
    cursor = nextCursor ?? undefined;
    assert.ok(cursor === undefined || rows.length === limit);
  } while (cursor !== undefined && ids.length < limit * PAGES_MAX);
  return ids;
}
const PAGES_MAX = 3;

/** What the sort leaves out. */
const isListed = (row: OrderRow, sort: OrderSort): boolean =>
  (sort !== "deadline" || row.deadlineAt !== null) && (sort !== "attempts" || row.attempts > 1);

for (const sort of ORDER_SORTS) {
  test(`by ${sort}, each offered filter shows the rows that fit, in order, both ways, page after page`, async () => {
    for (const filter of offeredFilters(sort, TIMES)) {
      const fitting = all.filter((row) => fits(row, filter) && isListed(row, sort));
      for (const order of ["asc", "desc"] as const) {
        const limit = 23;
        const wanted = sorted(fitting, sort, order)
          .slice(0, limit * PAGES_MAX)
          .map(({ id }) => id);
        assert.deepEqual(
          await pages(filter, sort, order, limit),
          wanted,
          JSON.stringify({ sort, order, filter }),
        );
      }
    }
  });
}

test("pages reach every row, also those of one make and those without a name", async () => {
  for (const sort of ORDER_SORTS) {
    const filter = ORDER_LISTS[sort].needs ? { make: "Make01" } : {};
    const wanted = all.filter((row) => fits(row, filter) && isListed(row, sort));
    const ids: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const { rows, nextCursor } = await reader.listOrders(MINE, filter, { sort, limit: 400, cursor });
      ids.push(...rows.map(({ id }) => id));
      if (nextCursor === null) break;
      cursor = nextCursor;
    }
    const inOrder = sorted(wanted, sort, ORDER_LISTS[sort].order).map(({ id }) => id);
    assert.deepEqual(ids, inOrder, sort);
  }
});

test("an order that changes between two pages is neither lost nor in the way of others", async () => {
  const page = { sort: "updated", order: "desc", limit: 5 } as const;
  const first = await reader.listOrders(THEIRS, {}, page);
  const second = await reader.listOrders(THEIRS, {}, { ...page, cursor: first.nextCursor ?? undefined });
  const moved = first.rows.at(-1);
  await database.run(
    "update provisioning_order set updated_at = updated_at + interval '2 days' where id = $1",
    [moved?.id],
  );
  const again = await reader.listOrders(THEIRS, {}, { ...page, cursor: first.nextCursor ?? undefined });
  assert.deepEqual(again.rows, second.rows, "the place is a time, not the order that stood there");
  assert.equal(
    (await reader.listOrders(THEIRS, {}, page)).rows[0]?.id,
    moved?.id,
    "the slot went with the time",
  );
});

test("two changes of one moment, less than a millisecond apart, are both shown", async () => {
  const ids = all.slice(0, 3).map(({ id }) => id);
  for (const [at, id] of ids.entries())
    await database.run(
      "update provisioning_order set updated_at = timestamptz '2026-06-01T00:00:00.0001Z' + $2::int * interval '1 us' where id = $1",
      [id, at],
    );
  const seen: string[] = [];
  for (let cursor: string | undefined, at = 0; at < 3; at++) {
    const { rows, nextCursor } = await reader.listOrders(MINE, {}, { sort: "updated", limit: 1, cursor });
    seen.push(...rows.map(({ id }) => id));
    cursor = nextCursor ?? undefined;
  }
  assert.deepEqual(seen, ids.toReversed());
});

test("a pair that is not offered is refused with those that are", async () => {
  const refused = async (filter: OrderFilter, sort: OrderSort): Promise<string> => {
    try {
      await reader.listOrders(MINE, filter, { sort, limit: 10 });
    } catch (error) {
      if (error instanceof TurnupError && error.code === "list_not_offered")
        return `${error.message} ${error.nextStep}`;
      throw error;
    }
    return "";
  };
  assert.equal(
    await refused({ make: "Make01", state: "failed" }, "updated"),
    "Orders are not listed by updated with the filter make. By updated these filters are offered: state, updatedFrom, " +
      "updatedTo, subscriberId, deviceId, imsi, msisdn, imei. The filter make is offered by created, make, model, attempts.",
  );
  assert.match(await refused({}, "model"), /^Orders are listed by model with the filter make alone\. /);
});

test("a cursor of another list, and what is none, is refused", async () => {
  const { nextCursor } = await reader.listOrders(MINE, {}, { sort: "make", order: "asc", limit: 1 });
  const { nextCursor: id } = await reader.listOrders(MINE, {}, { limit: 1 });
  const written = (members: unknown): string => Buffer.from(JSON.stringify(members)).toString("base64url");
  for (const [sort, order, cursor] of [
    ["make", "desc", nextCursor],
    ["model", "asc", nextCursor],
    ["created", "desc", nextCursor],
    ["make", "asc", id],
    ["make", "asc", "x"],
    ["make", "asc", written(["make", "asc", "a\0b", null, id])],
    ["updated", "asc", written(["updated", "asc", "now", id])],
    ["state", "asc", written(["state", "asc", "gone", id])],
    ["attempts", "asc", written(["attempts", "asc", 1.5, id])],
    ["updated", "asc", written(["updated", "asc", 1, "x"])],
    ["updated", "asc", written({ 0: "updated" })],
  ] as const) {
    const filter = sort === "model" ? { make: "Make01" } : {};
    await assert.rejects(
      reader.listOrders(MINE, filter, { sort, order, limit: 1, cursor: String(cursor) }),
      { code: "cursor_malformed" },
      `${sort} ${order} ${cursor}`,
    );
  }
});

test("a total is counted on demand, or told at once from statistics that lie near", async () => {
  for (const filter of [{}, { state: "completed" }, { make: "Make01" }, { cause: "self_service" }] as const) {
    const count = all.filter((row) => fits(row, filter)).length;
    const totalOf = async (total: "estimate" | "exact") =>
      (await reader.listOrders(MINE, filter, { limit: 1, total })).total;
    assert.deepEqual(await totalOf("exact"), { kind: "exact", count });
    const estimate = await totalOf("estimate");
    assert.equal(estimate?.kind, "estimate");
    // Both operators' rows are alike, and PostgreSQL has looked at all of them.
    assert.ok(
      Math.abs((estimate?.count ?? 0) - count) <= count * 0.2 + 10,
      `${estimate?.count} for ${count}`,
    );
  }
  assert.equal((await reader.listOrders(MINE, {}, { limit: 1 })).total, undefined);
});

type Plan = {
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
};
/** Orders that a plan looked at, those among them that it left out. */
function looksIn(plan: Plan): number {
  const own =
    plan["Relation Name"] === "provisioning_order"
      ? (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) * plan["Actual Loops"]
      : 0;
  return (plan.Plans ?? []).reduce((sum, one) => sum + looksIn(one), own);
}

test("the first orders of a make, alone and of a state, cause or verdict, are found without a look at all of that make", async () => {
  const operatorId = uuidv7();
  const orders = 20_000;
  await writeListedOrders(database, { operatorId, orders, until: UNTIL, apartMs: 61_000 });
  await database.run("vacuum analyze provisioning_order");
  const make = "Make01";
  for (const filter of [
    { make },
    { make, state: "completed" },
    { make, state: "failed", cause: "sim_moved" },
    { make, createdTo: UNTIL.toISOString() },
  ] as const)
    for (const order of ["asc", "desc"] as const)
      for (const query of orderListQueries({ operatorId, filter, parties: {} }, "created", {
        limit: 5,
        order,
      })) {
        const explained = await database.one<{ "QUERY PLAN": readonly { readonly Plan: Plan }[] }>(
          `explain (analyze, format json) ${query.text}`,
          query.values,
        );
        const looks = explained?.["QUERY PLAN"].reduce((sum, { Plan: plan }) => sum + looksIn(plan), 0) ?? 0;
        assert.ok(looks > 0 && looks < orders / 20, `${looks} for ${JSON.stringify(filter)} ${order}`);
      }
});
