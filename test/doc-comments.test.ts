/**
 * Whoever lifts a codec out of here, or writes another store or door, reads the doc comments and not the code: nine of ten
 * exported names of `term`, `wire` and the ports bear one that says more than the name, and a function that throws says what.
 * The sources are formatted, so that a declaration begins its line and a comment stands right above it.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");
const SHARE_MIN = 0.9;
/** What the kernel and the doors ask of others: `store`, `net` and `app` fulfil these. Members count here too. */
const PORTS = [
  "kernel/account/changes.ts",
  "kernel/account/registry.ts",
  "kernel/calls/connectors.ts",
  "kernel/catalog/catalog-store.ts",
  "kernel/order/order-reader.ts",
  "kernel/order/order-store.ts",
  "kernel/order/reply-store.ts",
  "kernel/requested/request-reader.ts",
  "kernel/order/request-store.ts",
  "http/d/ports.ts",
  "http/ports.ts",
];
const TOP_LEVEL = /^(?:export )?(?:async )?(?:function\*?|const|class) (\w+)/;
const EXPORT = /^export (?:abstract |async )*(?:class|const|function\*?|interface|type) (\w+)/;
/** A list's own type needs no second comment: it says the same. */
const TYPE_OF_A_LIST = /^export type \w+ = \(typeof \w+\)\[number\];$/;
const METHOD = /^ {2}(?:async )?(\w+)[(<]/;
/** Says nothing by itself. */
const FILLER = new Set(
  "a an and are as at by for from in is it its of on or that the this to which with".split(" "),
);

/** `comment` is empty where none stands right above. */
type Name = { readonly name: string; readonly at: number; readonly comment: string; readonly body: string };

const modulesIn = (room: string): string[] =>
  readdirSync(join(SRC, room), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(room, name));

const linesOf = (path: string): string[] => readFileSync(join(SRC, path), "utf8").split("\n");

function commentAbove(lines: readonly string[], at: number): string {
  let from = at - 1;
  if (!lines[from]?.trimEnd().endsWith("*/")) return "";
  while (from > 0 && !lines[from]?.trimStart().startsWith("/*")) from--;
  return lines[from]?.trimStart().startsWith("/**") ? lines.slice(from, at).join("\n") : "";
}

/** The declaration's lines: up to the next one that begins a line with anything but a closing bracket. */
function bodyFrom(lines: readonly string[], at: number): string {
  let end = at + 1;
  while (end < lines.length && !/^[\w/]/.test(lines[end] ?? "")) end++;
  return lines.slice(at, end).join("\n");
}

function exportsOf(lines: readonly string[]): Name[] {
  return lines.flatMap((line, at) => {
    const name = EXPORT.exec(line)?.[1];
    if (name === undefined || TYPE_OF_A_LIST.test(line)) return [];
    return [{ name, at, comment: commentAbove(lines, at), body: bodyFrom(lines, at) }];
  });
}

/** The methods of exported interfaces and types. */
function methodsOf(lines: readonly string[]): Name[] {
  return exportsOf(lines)
    .filter(({ body }) => /^export (?:interface|type)/.test(body))
    .flatMap(({ name: owner, at: from, body }) =>
      body.split("\n").flatMap((line, offset) => {
        const at = from + offset;
        const name = METHOD.exec(line)?.[1];
        return name === undefined
          ? []
          : [{ name: `${owner}.${name}`, at, comment: commentAbove(lines, at), body: line }];
      }),
    );
}

/** Words that the comment has beyond those of the name. */
function addedWords({ name, comment }: Name): number {
  const words = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const known = new Set(words(name.replace(/([a-z0-9])([A-Z])/g, "$1 $2")));
  return words(comment).filter((word) => !known.has(word) && !FILLER.has(word)).length;
}

const isDocumented = (name: Name): boolean => name.comment !== "" && addedWords(name) >= 2;
const isFunction = ({ body }: Name): boolean =>
  /^export (?:async )?(?:function|const \w+ = (?:async )?(?:<[^=]*>)?\()/.test(body);
const hasThrow = (body: string): boolean => /\bthrow\b(?! error;)/.test(body.replace(/\/\/.*/g, ""));

/** Exported functions that throw, or call one of their file that does and catch nothing; calls into other files are not followed. */
function functionsThatThrow(lines: readonly string[]): Name[] {
  const bodies = new Map<string, string>();
  for (const [at, line] of lines.entries()) {
    const name = TOP_LEVEL.exec(line)?.[1];
    if (name !== undefined) bodies.set(name, bodyFrom(lines, at));
  }
  const throwing = new Set([...bodies].filter(([, body]) => hasThrow(body)).map(([name]) => name));
  for (let before = -1; before < throwing.size; ) {
    before = throwing.size;
    for (const [name, body] of bodies) {
      const calls = [...body.matchAll(/\b(\w+)\(/g)].map(([, called = ""]) => called);
      if (!/\bcatch\b/.test(body) && calls.some((called) => throwing.has(called))) throwing.add(name);
    }
  }
  return exportsOf(lines).filter((name) => isFunction(name) && throwing.has(name.name));
}

function holdShare(what: string, all: readonly string[], missing: readonly string[]): void {
  const share = 1 - missing.length / all.length;
  assert.ok(
    share >= SHARE_MIN,
    `${what}: ${missing.length} of ${all.length} names lack a comment that says more than they do:\n${missing.join("\n")}`,
  );
}

/** Name by name, as `src/path:line name`. */
function look(
  paths: readonly string[],
  namesOf: (lines: readonly string[]) => Name[],
  isGood: (name: Name) => boolean,
) {
  const all: string[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    for (const name of namesOf(linesOf(path))) {
      const where = `src/${path}:${name.at + 1} ${name.name}`;
      all.push(where);
      if (!isGood(name)) missing.push(where);
    }
  }
  return { all, missing };
}

for (const room of ["term", "wire"]) {
  test(`nine of ten names that ${room} exports have a doc comment that says more than the name`, () => {
    const { all, missing } = look(modulesIn(room), exportsOf, isDocumented);
    holdShare(room, all, missing);
  });
}

test("nine of ten names and methods of the ports have a doc comment that says more than the name", () => {
  const { all, missing } = look(PORTS, (lines) => [...exportsOf(lines), ...methodsOf(lines)], isDocumented);
  holdShare("the ports", all, missing);
});

test("a function of term or wire that throws says what it throws, and when", () => {
  const { all, missing } = look(["term", "wire"].flatMap(modulesIn), functionsThatThrow, ({ comment }) =>
    /@throws \w*Error\b[^@]*[a-z]{2}/.test(comment),
  );
  assert.ok(all.length > 0);
  assert.deepEqual(missing, []);
});

test("a comment is found where it stands, and one that only repeats the name counts for nothing", () => {
  const lines = [
    "/** The sighting. */",
    "export type Sighting = {};",
    "/** SIM and device, seen together. */",
    "export interface Pair {",
    "  /** Ends it; false where it was over. */",
    "  end(): boolean;",
    "  begin(): void;",
    "}",
    "",
    "// 8 digits",
    "export const tac = 8;",
    "/**",
    " * Reads 15 digits.",
    " * @throws TurnupError `imei_malformed`",
    " */",
    "export function read(): void {",
    "  throw new Error();",
    "}",
    "export const twice = (): void => read();",
  ];
  const good = exportsOf(lines).filter(isDocumented);
  assert.deepEqual(
    good.map(({ name }) => name),
    ["Pair", "read"],
  );
  assert.deepEqual(
    methodsOf(lines)
      .filter(isDocumented)
      .map(({ name }) => name),
    ["Pair.end"],
  );
  assert.deepEqual(
    functionsThatThrow(lines).map(({ name }) => name),
    ["read", "twice"],
  );
});
