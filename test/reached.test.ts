/**
 * Every module under src/ is reached by a program: from the command line, the build, or what the package exports. One that
 * only its own test knows decides nothing, however right it is: either a program uses it, or it goes.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

/** Relative imports, those of types too, and files named by `new URL(..., import.meta.url)`. */
function importsOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+|\bnew URL\(\s*)["'](\.[^"'\s]+)["']/gm;
  return [...text.matchAll(pattern)].map(([, target = ""]) => resolve(dirname(path), target));
}

function reachedFrom(roots: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [...roots];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path) || !path.endsWith(".ts")) continue;
    reached.add(path);
    open.push(...importsOf(path));
  }
  return reached;
}

type Manifest = {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  readonly scripts: Readonly<Record<string, string>>;
};
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
const ALL = sources(SRC);
const MODULES = ALL.filter((path) => !path.endsWith(".test.ts"));
const nameOf = (path: string): string => relative(SRC, path);

/** `./wire/*` gives out every module of that folder; `bin/` and the scripts name the programs. */
function entries(): readonly string[] {
  const exported = Object.values(manifest.exports).flatMap((target) => {
    if (typeof target === "string") return [];
    const pattern = target.types.replace("./dist/", "").replace(/\.d\.ts$/, ".ts");
    const [before = "", after] = pattern.split("*");
    return MODULES.filter((path) =>
      after === undefined ? nameOf(path) === before : nameOf(path).startsWith(before),
    );
  });
  const programs = [readFileSync(join(ROOT, "bin", "turnup.js"), "utf8"), ...Object.values(manifest.scripts)]
    .flatMap((text) => [...text.matchAll(/src\/[\w/-]+\.ts/g)])
    .map(([name]) => join(ROOT, name));
  return [...exported, ...programs];
}

test("every module is reached by a program; what tests alone use stands with the tests", () => {
  const roots = entries();
  for (const program of ["app/terminal/cli.ts", "app/release/build.ts"])
    assert.ok(roots.includes(join(SRC, program)));
  const reached = reachedFrom(roots);
  const unreached = MODULES.filter((path) => !reached.has(path)).map(nameOf);
  assert.deepEqual(
    unreached.filter((name) => !name.startsWith("sim/")),
    [],
  );
});

test("simulators, aids and exported codecs are used by something: a program, a test or a bench", () => {
  const others = ["test", "bench"].flatMap((folder) => sources(join(ROOT, folder)));
  const used = new Set(
    [...ALL, ...others].flatMap((path) => importsOf(path).filter((target) => target !== path)),
  );
  const exportedAlone = new Set(entries());
  const idle = MODULES.filter((path) => !used.has(path)).map(nameOf);
  assert.deepEqual(
    idle.filter((name) => !(exportedAlone.has(join(SRC, name)) && !name.startsWith("wire/"))),
    [],
  );
});
