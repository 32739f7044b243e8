/** Codes of errors, their statuses, and their rows in docs/errors.md. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { TurnupError } from "../term/error.ts";
import { problemOf, STATUS_OF } from "./problem.ts";

const DOCS = new URL("../../docs/errors.md", import.meta.url);
/** Rows of the table: code and HTTP status, `-` where it never leaves the command line. */
const ROWS = [
  ...readFileSync(DOCS, "utf8").matchAll(/^\| ([a-z0-9_]+) \| (\d{3}|-) \| (.+) \| (.+) \|$/gm),
].filter(([, code]) => code !== "code");

test("docs/errors.md explains every code, in order, with the status that HTTP answers", () => {
  const documented = new Map(ROWS.map(([, code, status]) => [code as string, status as string]));
  const wrong = Object.entries(STATUS_OF)
    .filter(([code, status]) => documented.get(code) !== String(status) && documented.get(code) !== "-")
    .map(([code, status]) => `${code}: ${status} here, ${documented.get(code) ?? "nothing"} there`);
  assert.deepEqual(wrong, []);
  const codes = ROWS.map(([, code]) => code as string);
  assert.deepEqual(codes, [...codes].sort());
});

test("docs/errors.md explains no code that does not exist", () => {
  const unknown = ROWS.filter(([, code, status]) => status !== "-" && !((code as string) in STATUS_OF));
  assert.deepEqual(
    unknown.map(([, code]) => code),
    [],
  );
});

test("a code that HTTP maps to a fault of ours is shown as internal_error, whatever its text", () => {
  for (const error of [
    new TurnupError("seal_broken", "key 4711 is wrong"),
    new Error("boom"),
    "text",
    undefined,
  ]) {
    const { problem, isOurs } = problemOf(error, "r");
    assert.equal(problem.code, "internal_error");
    assert.equal(problem.status, 500);
    assert.ok(isOurs);
    assert.ok(!JSON.stringify(problem).includes("4711"));
  }
});

test("a database that cannot be reached answers 503 with when to come again, and is logged", () => {
  const { problem, isOurs, headers } = problemOf(new TurnupError("database_unavailable", "no route"), "r");
  assert.deepEqual([problem.status, problem.code, isOurs], [503, "database_unavailable", true]);
  assert.ok(Number(headers["retry-after"]) >= 1);
});
