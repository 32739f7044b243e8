/** The history of an order is read as it was noted, however its events share rows. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabase } from "../../../test/fixture/database.ts";
import { drawsOf, REPEAT_WITH, SEED } from "../../../test/fixture/seed.ts";
import type { NewEvent } from "../../kernel/order/change-set.ts";
import { EVENT_KINDS } from "../../kernel/order/event-kind.ts";
import { keysOf } from "../../term/record.ts";
import { uuidv7 } from "../database/uuid.ts";
import { historyOf, insertSteps, stepsOf } from "./event-rows.ts";

const database = await freshDatabase();
const SRC = join(import.meta.dirname, "../..");
const OPERATOR = uuidv7();
const KINDS = keysOf(EVENT_KINDS);
const DETAILS = [null, { a: 1 }, ["null"], "null", { to: '{"x","y"}', why: "ä\\\"'\\u0000" }, 0, false];

const written = (events: readonly NewEvent[]): Promise<number> => insertSteps(database, stepsOf(events));
const historyNow = (orderId: string): Promise<NewEvent[]> =>
  database.rows<NewEvent>(
    `select id, operator_id as "operatorId", order_id as "orderId", item_id as "itemId", kind, state, reason, evidence, detail, at
       from (${historyOf("e.order_id = $1")}) h order by id`,
    [orderId],
  );
const rowsOf = async (orderId: string): Promise<string[]> =>
  (
    await database.rows<{ kind: string }>("select kind from order_event where order_id = $1 order by id", [
      orderId,
    ])
  ).map(({ kind }) => kind);

const event = (orderId: string, kind: NewEvent["kind"], more: Partial<NewEvent> = {}): NewEvent => ({
  id: uuidv7(),
  operatorId: OPERATOR,
  orderId,
  itemId: null,
  kind,
  state: null,
  reason: `because of ${kind}`,
  evidence: null,
  detail: null,
  at: new Date("2026-05-04T08:00:00.123Z"),
  ...more,
});

test("whatever steps note of whichever orders is read event by event, in its order and to the letter", async () => {
  const below = drawsOf(SEED);
  const orders = [uuidv7(), uuidv7(), uuidv7()];
  const noted: NewEvent[] = [];
  for (let step = 0; step < 40; step++) {
    const at = new Date(Date.UTC(2026, 4, 4) + step * 1_000);
    const events = Array.from({ length: below(9) }, () =>
      event(orders[below(orders.length)]!, KINDS[below(KINDS.length)]!, {
        at,
        itemId: below(2) === 0 ? null : uuidv7(),
        state: below(2) === 0 ? null : "sending",
        evidence: below(2) === 0 ? null : "receipt",
        detail: DETAILS[below(DETAILS.length)],
      }),
    );
    await written(events);
    noted.push(...events);
  }
  for (const orderId of orders)
    assert.deepEqual(
      await historyNow(orderId),
      noted.filter((one) => one.orderId === orderId),
      REPEAT_WITH,
    );
});

test("a step of one order is one row, that of what is looked for by its kind, and another such has a row of its own", async () => {
  const [order, other] = [uuidv7(), uuidv7()];
  const kinds = ["judged", "pending", "works", "sending", "self_care_resend", "order_provisioning"] as const;
  await written([...kinds.map((kind) => event(order, kind)), event(other, "judged")]);
  await written([event(order, "delivered", { at: new Date("2026-05-04T08:00:01Z") })]);
  assert.deepEqual(await rowsOf(order), ["works", "self_care_resend", "delivered"]);
  assert.deepEqual(await rowsOf(other), ["judged"]);
  assert.deepEqual(
    (await historyNow(order)).map(({ kind }) => kind),
    [...kinds, "delivered"],
  );
});

test("text that JSON would not give back is kept as a row of its own, and its neighbours are read", async () => {
  const order = uuidv7();
  const reasons = ["first", "half of a pair: \ud83d", "whole: ✓", "last"];
  await written(reasons.map((reason) => event(order, "fault", { reason })));
  assert.deepEqual(
    (await historyNow(order)).map(({ reason }) => reason),
    reasons.map((reason) => reason.replace("\ud83d", "\ufffd")),
  );
  for (const wrong of [{ reason: "\0" }, { detail: { said: "\0" } }, { detail: ["\udc00"] }])
    await assert.rejects(written([event(order, "judged"), event(order, "fault", wrong)]), { code: /^22/ });
  assert.equal((await historyNow(order)).length, reasons.length);
});

test("no statement overlooks what is behind the first event of a step", () => {
  const statements = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith("event-rows.ts"))
    .flatMap((file) =>
      // `exists (select from order_event ...)` asks whether there are rows, whatever is in them.
      [
        ...readFileSync(join(SRC, file), "utf8").matchAll(/(?<!select )(?:from|join) order_event\b[^`;]*/g),
      ].map(([statement]) => ({ file, statement })),
    );
  assert.ok(statements.length > 0);
  for (const { file, statement } of statements)
    assert.match(statement, /kind = '(?:works|self_care_resend)'/, `${file}: read it by historyOf`);
});
