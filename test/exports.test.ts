/**
 * Every export is taken by somebody. One that nobody imports tells its reader to look for a user who is not there, and
 * keeps code that nothing runs out of the linter's sight: it loses the keyword, or goes.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { test } from "vitest";
import { givenBy, takenBy, typescriptUnder, unusedExports } from "./fixture/exports.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");
/** Exports that stand although nobody here imports them, each with its reason: `file name`. */
const UNUSED: Readonly<Record<string, string>> = {};
/** Exports of src that tests alone import; may only become fewer. */
const FOR_TESTS_AT_MOST = 60;

const ALL = [
  ...["src", "test", "bench", "docs/pictures"].flatMap((folder) => typescriptUnder(join(ROOT, folder))),
  join(ROOT, "vitest.config.ts"),
];
const PRODUCT = ALL.filter((path) => path.startsWith(SRC) && !path.endsWith(".test.ts"));
const BENCHES = typescriptUnder(join(ROOT, "bench"));
const texts = new Map(ALL.map((path) => [path, readFileSync(path, "utf8")]));
const textOf = (path: string): string => texts.get(path) ?? "";
/** What makers import by name; test/story/handset-client.test.ts does so from the packed package. */
const MAKERS_ENTRY = join(SRC, "client/index.ts");
const inPackage = (path: string): boolean =>
  path.startsWith(join(SRC, "wire/")) ||
  path.startsWith(join(SRC, "client/")) ||
  path === join(SRC, "device/client.ts");

/**
 * Whoever builds on the package (`turnup/wire/*`, `turnup/client`, `turnup/device`) must be able to write the type of what they pass and get: a type
 * that its own file names again stays given out there.
 */
function isTypeOfPackage(file: string, name: string): boolean {
  const text = textOf(file);
  const isType = new RegExp(`^export (?:type|interface) ${name}\\b`, "m").test(text);
  return inPackage(file) && isType && text.split(new RegExp(`\\b${name}\\b`)).length > 2;
}

test("every export is imported somewhere, save the types of what the package gives out", () => {
  const unused = unusedExports([...PRODUCT, ...typescriptUnder(join(ROOT, "test/fixture"))], ALL, textOf)
    .filter(({ file, name }) => file !== MAKERS_ENTRY && !isTypeOfPackage(file, name))
    .map(({ file, name }) => `${relative(ROOT, file)} ${name}`);
  assert.deepEqual(
    unused.filter((name) => !(name in UNUSED)),
    [],
    "take the keyword away, or the code",
  );
  assert.deepEqual(
    Object.keys(UNUSED).filter((name) => !unused.includes(name)),
    [],
    "no longer unused",
  );
});

/** Simulated machines are there for stories and benches, as ARCHITECTURE.md says. */
const isOfSimulator = (file: string): boolean => file.startsWith(join(SRC, "sim/"));
/** A codec goes both ways for whoever lifts it out, though a server needs one of them. */
const isHalfOfCodec = (file: string, name: string): boolean =>
  file.startsWith(join(SRC, "wire/")) && /^(?:decode|encode)[A-Z]/.test(name);

test("exports that tests alone import do not become more", () => {
  const byNobody = new Set(unusedExports(PRODUCT, ALL, textOf).map(({ file, name }) => `${file} ${name}`));
  const forTests = unusedExports(PRODUCT, [...PRODUCT, ...BENCHES], textOf).filter(
    ({ file, name }) =>
      !byNobody.has(`${file} ${name}`) &&
      file !== MAKERS_ENTRY &&
      !isOfSimulator(file) &&
      !isTypeOfPackage(file, name) &&
      !isHalfOfCodec(file, name),
  );
  const named = forTests.map(({ file, name }) => `${relative(SRC, file)} ${name}`);
  assert.ok(
    named.length <= FOR_TESTS_AT_MOST,
    `${named.length} of ${FOR_TESTS_AT_MOST}:\n${named.join("\n")}`,
  );
});

test("exports and imports are read in every form that this project writes", () => {
  const given = [
    "export const one = 1;",
    "export async function two() {}",
    "export function* three() {}",
    "export type Four = string;",
    "export abstract class Five {}",
    "export { six, type Seven as Eight } from './other.ts';",
    "const nine = 9; // export const ten",
  ];
  assert.deepEqual(givenBy(given.join("\n")), ["one", "two", "three", "Four", "Five", "six", "Eight"]);
  const taken = [
    'import { one, type Two as Other } from "./a.ts";',
    "import type {\n  Three,\n} from './a.ts';",
    'export { four } from "./a.ts";',
    'const load = async () => (await import("./a.ts")).five;',
    'const { six, seven: other } = await import("./a.ts");',
    'import { readFileSync } from "node:fs";',
    'const whole = () => import("./b.ts");',
  ];
  assert.deepEqual(
    takenBy("/x/main.ts", taken.join("\n")),
    new Map([
      ["/x/a.ts", new Set(["one", "Two", "Three", "four", "five", "six", "seven"])],
      ["/x/b.ts", new Set(["*"])],
    ]),
  );
  const files = new Map([
    ["/x/a.ts", "export const used = 1;\nexport const idle = 2;"],
    ["/x/b.ts", 'import { used } from "./a.ts";'],
  ]);
  assert.deepEqual(
    unusedExports(["/x/a.ts"], [...files.keys()], (path) => files.get(path) ?? ""),
    [{ file: "/x/a.ts", name: "idle" }],
  );
});
