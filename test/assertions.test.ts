/**
 * `as` tells the compiler to believe: what is believed wrongly fails three rooms on. Each one that is left in the sources says
 * why it is so, beside it, and they do not become more; `term/narrow.ts`, `term/collections.ts` and `term/record.ts` look
 * instead. `as const` believes nothing.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { test } from "vitest";
import { typescriptUnder } from "./fixture/exports.ts";

const SRC = resolve(import.meta.dirname, "../src");
/** May only become fewer. */
const AT_MOST = 120;
const REASON_LINES = 2;

/** The source with texts and comments blanked out, character for character; what stands in `${}` stays. */
function bare(text: string): string {
  const blank = (found: string): string => found.replace(/[^\n]/g, " ");
  const TOKENS = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(TOKENS, (found) =>
    found.startsWith("`")
      ? found.replace(/(^|\})(?:\\.|(?!\$\{)[^\\])*?(?=\$\{|$)/g, (piece) => blank(piece))
      : blank(found),
  );
}

/** Where a file believes, by line, and whether a comment stands beside it: on its line, or one or two away. */
function believedIn(text: string): { readonly line: number; readonly hasReason: boolean }[] {
  const lines = text.split("\n");
  const code = bare(
    text.replace(/^(?:import|export)\b[^;]*?\bfrom "[^"]*";/gms, (found) => found.replace(/[^\n]/g, " ")),
  );
  return [...code.matchAll(/[\w)\]}!?"`'] *\n? *\bas +(?!const\b)[\w({[]/g)].map(
    ({ index, 0: { length } }) => {
      const line = code.slice(0, index + length).split("\n").length;
      const beside = lines.slice(Math.max(0, line - 1 - REASON_LINES), line + REASON_LINES);
      return { line, hasReason: beside.some((one) => /\/\/|\*\/|^\s*\*/.test(one)) };
    },
  );
}

const found = typescriptUnder(SRC)
  .filter((path) => !path.endsWith(".test.ts"))
  .flatMap((path) =>
    believedIn(readFileSync(path, "utf8")).map((one) => ({
      ...one,
      where: `${relative(SRC, path)}:${one.line}`,
    })),
  );

test("each `as` says beside it why what is believed is so", () => {
  assert.deepEqual(
    found.filter(({ hasReason }) => !hasReason).map(({ where }) => where),
    [],
    "look at the value (term/narrow.ts), or say why it is so",
  );
});

test("what is believed without a look does not become more", () => {
  assert.ok(
    found.length <= AT_MOST,
    `${found.length} of ${AT_MOST}:\n${found.map(({ where }) => where).join("\n")}`,
  );
});

test("an `as` is found in code, not in texts, comments, imports, or before `const`", () => {
  const text = [
    'import { one as other } from "./a.ts";',
    "const a = b as Word;",
    'const c = "as Word"; // d as Word',
    "",
    "",
    "const e = { f: [g()] as unknown as H }; // looked at above",
    "const i = [1] as const;",
    ["const j = `k as Word $", "{l as Word} m as Word`;"].join(""),
  ].join("\n");
  assert.deepEqual(believedIn(text), [
    { line: 2, hasReason: true },
    { line: 6, hasReason: true },
    { line: 6, hasReason: true },
    { line: 8, hasReason: true },
  ]);
  assert.deepEqual(believedIn("const a = b as Word;\n\n\n// c"), [{ line: 1, hasReason: false }]);
});
