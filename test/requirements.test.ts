/** Holds docs/requirements.md true: each row of the two patents stands there once, and the tests that it names exist. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const FIRST_ROW = 1;
const LAST_ROW = 131;
/** What no test shows yet. A row may leave this list; none may join it. */
const NOT_SHOWN: readonly number[] = [];

const [, shownPart = "", notShownPart = ""] =
  /\n(## 260:.*?\n## 201:.*?)\n## Not shown yet\n(.*)$/s.exec(
    readFileSync(join(ROOT, "docs", "requirements.md"), "utf8"),
  ) ?? [];

type Row = { readonly row: number; readonly cells: readonly string[] };
const rowsOf = (part: string): Row[] =>
  [...part.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, row, rest]) => ({
    row: Number(row),
    cells: rest!.split(" | ").map((cell) => cell.trim()),
  }));
const shown = rowsOf(shownPart);
const notShown = rowsOf(notShownPart);

test("each requirement row stands in the document once, and only those not shown yet lack a test", () => {
  const all = Array.from({ length: LAST_ROW - FIRST_ROW + 1 }, (_, at) => FIRST_ROW + at);
  const there = [...shown, ...notShown].map(({ row }) => row).sort((one, other) => one - other);
  assert.deepEqual(there, all);
  for (const { row, cells } of notShown) {
    assert.ok(NOT_SHOWN.includes(row), `row ${row} had a test and has none now`);
    assert.match(cells[1] ?? "", /^open: issue \d+/, `row ${row} does not say which issue brings it`);
  }
});

test("a row that is shown in part says what is missing and which issue brings it", () => {
  const inPart = shown.filter(({ cells }) => cells[2]?.includes("in part"));
  for (const { row, cells } of inPart) assert.match(cells[2]!, /^\*in part\*: .+\(issue \d+\)/, `row ${row}`);
});

test("each test that a requirement names is there", () => {
  const missing: string[] = [];
  for (const { row, cells } of shown) {
    const named = [...(cells[1] ?? "").matchAll(/`([^`]+\.ts)`: (.+?)(?=<br>|$)/g)];
    if (named.length === 0) missing.push(`row ${row} names no test`);
    for (const [, file, title] of named) {
      const path = join(ROOT, file!);
      const titles = existsSync(path) ? titlesOf(readFileSync(path, "utf8")) : [];
      if (!titles.some((one) => one.includes(title!)))
        missing.push(`row ${row}: ${file} has no test "${title}"`);
    }
  }
  assert.deepEqual(missing, []);
});

/** Titles as they stand in the source, `${...}` included. */
const titlesOf = (source: string): string[] =>
  [...source.matchAll(/\btest\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g)].map(
    ([, plain, template]) => plain ?? template!,
  );
