/** The catalog as a file that people write. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../../test/fixture/seed.ts";
import { checkCatalogDocument } from "../../../kernel/catalog/check-catalog.ts";
import { TurnupError } from "../../../term/error.ts";
import { CATALOG_FILE_OCTETS_MAX, parseCatalogYaml, writeCatalogYaml } from "./catalog-yaml.ts";

const around = { hasTerms: () => true, hasContent: () => true };
const refusal = (text: string): TurnupError => {
  try {
    parseCatalogYaml(text);
  } catch (error) {
    if (error instanceof TurnupError) return error;
    throw error;
  }
  return assert.fail(`was read: ${text.slice(0, 60)}`);
};

test("a file that people write is read, comments and anchors and all", () => {
  const value = parseCatalogYaml(`# ours
catalog: 1
terms:
  t: &text { en: "It costs." }
  u: *text
items:
  mms:
    kind: feature
    name: { en: MMS, no: Bilder }
    description:
      en: |
        Two
        lines
`);
  const checked = checkCatalogDocument(value, around);
  assert.ok(checked.fits, JSON.stringify(checked));
  assert.deepEqual(checked.value.terms.get("u"), { en: "It costs." });
  assert.equal(checked.value.items.get("mms")?.name.no, "Bilder", "no is Norwegian, not false");
  assert.equal(checked.value.items.get("mms")?.description.en, "Two\nlines\n");
});

const broken: [string, string, RegExp][] = [
  ["no YAML", "a: [b\nc: }", /line \d+/i],
  ["two documents", "a: 1\n---\nb: 2\n", /line/i],
  ["a name twice", "catalog: 1\ncatalog: 2\n", /line 2 .*duplicate key/i],
  ["a tag of a programming language", "catalog: !!js/function 'process.exit()'", /line 1 .*tag/i],
  ["a tag of one's own", "catalog: !secret x", /tag/],
  ["an alias to nothing", "catalog: *nobody", /line 1/i],
  ["a name that is a list", "? [a, b]\n: c\n", /line 1/i],
  ["a tab where spaces are wanted", "a:\n\t- b\n", /line/i],
];
for (const [name, text, expected] of broken) {
  test(`refused with its line, nothing quoted: ${name}`, () => {
    const error = refusal(text);
    assert.equal(error.code, "catalog_malformed");
    assert.match(error.message, expected);
    assert.doesNotMatch(error.message, /process\.exit|secret x/);
  });
}

test("aliases that multiply are refused before they are unfolded", () => {
  const rows = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let n = 1; n < 12; n++)
    rows.push(
      `a${n}: &a${n} [${Array(10)
        .fill(`*a${n - 1}`)
        .join(",")}]`,
    );
  assert.equal(refusal(rows.join("\n")).code, "catalog_malformed");
  assert.match(refusal(`a: &a x\nb: [${Array(101).fill("*a").join(",")}]`).message, /at most 100 aliases/);
});

test("depth is refused in brackets and in lines, before it fills the stack", () => {
  for (const text of [
    "[".repeat(100_000),
    "{a: ".repeat(50_000),
    Array.from({ length: 300 }, (_, n) => `${" ".repeat(n)}a:`).join("\n"),
    `${"- ".repeat(5_000)}x`,
    "[\n".repeat(3_000),
  ]) {
    assert.equal(refusal(text).code, "catalog_malformed");
  }
});

test("an alias that stands inside what it names is refused, however many steps apart", () => {
  for (const text of ["a: &a [*a]", "a: &a\n  b:\n    - c: *a\n", "a: &a { b: &b { c: *a } }"])
    assert.match(refusal(text).message, /stands inside what it names/);
});

test("a file beyond the limit is refused unread", () => {
  assert.match(refusal(`# ${"x".repeat(CATALOG_FILE_OCTETS_MAX)}`).message, /at most 1048576 octets/);
  assert.match(refusal(`# ${"ä".repeat(CATALOG_FILE_OCTETS_MAX / 2)}`).message, /octets/);
});

test("names of JavaScript's own are plain names, and the prototype stays as it is", () => {
  const value = parseCatalogYaml('__proto__: { polluted: 1 }\n"constructor": 2\n');
  assert.equal(Object.hasOwn(value as object, "__proto__"), true);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  assert.equal(checkCatalogDocument(value, around).fits, false);
});

test("whatever anybody sends is read, or refused by the one code", () => {
  const pieces = fc.constantFrom(
    "a",
    ":",
    " ",
    "\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!set",
    "|",
    ">",
    "'",
    '"',
    "#",
    "? ",
    "---\n",
    "\t",
    "%YAML 1.1\n",
    "<<: ",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      try {
        parseCatalogYaml(parts.join(""));
      } catch (error) {
        assert.ok(error instanceof TurnupError && error.code === "catalog_malformed", String(error));
      }
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

test("what is written is read back the same, however odd its texts are", () => {
  const texts = fc
    .string({ minLength: 1, maxLength: 60 })
    .filter((text) => text.trim() !== "" && !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(texts, texts, (name, terms) => {
      const source = {
        catalog: 1,
        terms: { t: { en: terms, de: `${terms}\n# no comment\n  - ${name}` } },
        items: { a: { kind: "feature", name: { en: name }, description: { en: "null" } } },
      };
      const first = checkCatalogDocument(source, around);
      assert.ok(first.fits, JSON.stringify(first));
      const second = checkCatalogDocument(parseCatalogYaml(writeCatalogYaml(first.value)), around);
      assert.deepEqual(second, first);
    }),
    { seed: SEED },
  );
});
