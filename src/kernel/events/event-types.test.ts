/** Types of events are words that clients compare, each told in docs/events.md. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { withEventTable } from "../../app/config/event-table.ts";
import { EVENT_KINDS } from "../order/event-kind.ts";
import { EVENT_TYPES, isWanted, SUBJECTS, typeOfKind } from "./event-types.ts";

test("every kind of event of an order has a type of its own, and every type a sentence", () => {
  const types = EVENT_TYPES.map(({ type }) => type);
  assert.equal(new Set(types).size, types.length);
  for (const kind of Object.keys(EVENT_KINDS)) assert.ok(types.includes(typeOfKind(kind)), kind);
  for (const { type, says } of EVENT_TYPES) {
    assert.match(type, /^turnup\.[a-z]+\.[a-z_]+$/);
    assert.match(says, /^[A-Z].*\.$/, type);
  }
});

test("no type is listed of what nothing notes: each subject but those that are rows already has a trigger", () => {
  const folder = join(import.meta.dirname, "../../store/migrations");
  const sql = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
  for (const subject of SUBJECTS) {
    if (subject === "order" || subject === "pairing") continue;
    assert.match(sql, new RegExp(`select n.operator_id, '${subject}', json_agg`), subject);
    assert.match(sql, new RegExp(`create trigger \\w+ after update on ${subject} `), subject);
  }
});

test("an order that failed and an item that failed are told apart", () => {
  assert.equal(typeOfKind("order_failed"), "turnup.order.failed");
  assert.equal(typeOfKind("failed"), "turnup.item.failed");
  assert.equal(typeOfKind("fee_paid"), "turnup.order.fee_paid");
});

test("types are asked for whole or by their beginning; nothing asked for is everything", () => {
  assert.ok(isWanted([], "turnup.order.completed"));
  assert.ok(isWanted(["turnup.charge.paid", "turnup.order.*"], "turnup.order.completed"));
  assert.ok(!isWanted(["turnup.order"], "turnup.order.completed"));
  assert.ok(!isWanted(["turnup.charge.*"], "turnup.order.completed"));
});

test("docs/events.md has the tables of today (`node bin/turnup.js event types --update docs/events.md` writes them)", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/events.md"), "utf8");
  assert.equal(withEventTable(document), document);
});
