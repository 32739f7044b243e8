/** `npm run check` needs no database: no test of its project, nor of the doors', imports the one that a test run starts. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "vitest";
import { PLACES, projectOf } from "./fixture/projects.ts";

const ROOT = resolve(import.meta.dirname, "..");
const DATABASE = join(ROOT, "test/fixture/database.ts");
const tests = ["src", "test"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(folder, name)),
);

/** Files of ours whose code it loads: imports of types alone load nothing. */
const importsOf = (path: string): string[] =>
  [
    ...readFileSync(path, "utf8").matchAll(
      /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s*)?"(\.[^"]+)"/gm,
    ),
  ]
    .map(([, target = ""]) => resolve(dirname(path), target))
    .filter((target) => target.endsWith(".ts") && existsSync(target));

/** The way from a test to the database, file by file; undefined where there is none. */
function wayToDatabase(path: string, seen = new Set<string>()): string[] | undefined {
  if (path === DATABASE) return [path];
  if (seen.has(path)) return undefined;
  seen.add(path);
  for (const next of importsOf(path)) {
    const way = wayToDatabase(next, seen);
    if (way) return [path, ...way];
  }
  return undefined;
}

test("no test that needs a database stands in a project that starts none", () => {
  const lost = tests
    .filter((name) => ["unit", "door"].includes(projectOf(name)))
    .flatMap((name) => {
      const way = wayToDatabase(join(ROOT, name));
      return way ? [way.map((path) => relative(ROOT, path)).join(" imports ")] : [];
    });
  assert.deepEqual(lost, []);
});

test("a project stands for each place, and each place that is named is there", () => {
  assert.ok(tests.length > 200, "the tests were found");
  const projects = tests.map(projectOf);
  for (const project of ["unit", "door", "database", "story"] as const)
    assert.ok(projects.includes(project), project);
  for (const place of Object.values(PLACES).flat()) assert.ok(existsSync(join(ROOT, place)), place);
  assert.equal(projectOf("src/wire/smpp/pdu.test.ts"), "unit");
  assert.equal(projectOf("src/http/d/portal.test.ts"), "database");
});
