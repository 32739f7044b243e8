/**
 * A codec is a function: nothing that stands at the top of a module of wire or term can be changed by a call, so that two calls,
 * also one within another, never meet. Who wants a buffer to live longer than a call brings it (`encodePduInto`).
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");
/** A variable; octets that can be written, but for none at all; a collection that begins empty. */
const STATE =
  /^(?:export )?(?:(?:let|var)\b.*|const .*= (?:Buffer\.alloc|new (?:Uint8Array|DataView)\((?!0?\))|new (?:Map|Set|WeakMap|WeakSet)(?:<.*>)?\(\)|\[\];|\{\};).*)$/gm;

const modulesIn = (room: string): string[] =>
  readdirSync(join(SRC, room), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(room, name));

test("no codec and no word keeps anything between two calls", () => {
  const kept = ["wire", "term"].flatMap(modulesIn).flatMap((path) => {
    const lines = readFileSync(join(SRC, path), "utf8").match(STATE) ?? [];
    return lines.map((line) => `${path}: ${line}`);
  });
  assert.deepEqual(kept, []);
});
