/** The list of guards stays true to the sources; `npm run test:guards` breaks each and sees a test fail. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "vitest";
import { GUARDS } from "./guards.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("each guard's line stands once in its file, its broken form differs, and its tests are there", () => {
  for (const { file, line, broken, tests, what } of GUARDS) {
    const places = readFileSync(join(ROOT, file), "utf8").split(line).length - 1;
    assert.equal(places, 1, `${file}: the line of "${what}" stands ${places} times: ${line}`);
    assert.notEqual(line, broken, what);
    assert.ok(tests.length > 0, what);
    for (const path of tests) assert.ok(existsSync(join(ROOT, path)), `${path}, named for "${what}"`);
  }
});

test("no guard stands in the list twice", () => {
  const lines = GUARDS.map(({ file, line }) => `${file}: ${line}`);
  assert.deepEqual(lines, [...new Set(lines)]);
});
