/** Holds docs/api.md true: each kind of event of an order stands there with what it says, in the order of the list, and no other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { EVENT_KINDS } from "../src/kernel/order/event-kind.ts";

const [, section = ""] =
  /\n## Events of an order\n(.*?)(?=\n## |$)/s.exec(
    readFileSync(join(import.meta.dirname, "..", "docs", "api.md"), "utf8"),
  ) ?? [];

test("docs/api.md lists every kind of event that an order's history may hold, with what it says", () => {
  const rows = [...section.matchAll(/^\| `([a-z_]+)` *\| (.*?) *\|$/gm)].map(([, kind, says]) => [
    kind,
    says,
  ]);
  assert.deepEqual(rows, Object.entries(EVENT_KINDS));
});

test("a kind of event is a word that API clients can compare", () => {
  for (const [kind, says] of Object.entries(EVENT_KINDS)) {
    assert.match(kind, /^[a-z]+(_[a-z]+)*$/);
    assert.match(says, /^[A-Z].*\.$/, `${kind} is not said in a sentence`);
  }
});
