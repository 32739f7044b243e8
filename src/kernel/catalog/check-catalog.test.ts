/** What a catalog may say, and each thing that it may not, refused by its place. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { encodeContent } from "../../wire/message/content.ts";
import {
  checkCatalogDocument,
  checkCatalogItem,
  checkTerms,
  ITEMS_MAX,
  type Surroundings,
  writeCatalogDocument,
} from "./check-catalog.ts";
import { diffCatalogs, isEmptyDiff } from "./diff.ts";
import { MODULE_OCTETS_MAX } from "./item-body.ts";

const around: Surroundings = { hasTerms: (id) => id === "old-terms", hasContent: () => false };
const words = { name: { en: "Name" }, description: { en: "Words" } };
const feature = (said: object = {}) => ({ kind: "feature", ...words, ...said });
const service = (said: object = {}) => ({
  kind: "service",
  ...words,
  service: { uri: "https://s.example/scim" },
  ...said,
});
const bundle = (includes: readonly string[], said: object = {}) => ({
  kind: "package",
  ...words,
  includes,
  ...said,
});
const module = {
  kind: "module",
  module: "m",
  version: "1",
  sha256: "a".repeat(64),
  octets: 10,
  url: "https://m.example/m",
};
const problemsOf = (items: unknown, terms: unknown = {}): string[] => {
  const checked = checkCatalogDocument({ catalog: 1, terms, items }, around);
  return checked.fits ? [] : checked.problems.map(({ at, wanted }) => `${at}: ${wanted}`);
};
const refuses = (items: unknown, expected: RegExp, terms?: unknown): void => {
  const problems = problemsOf(items, terms);
  assert.ok(problems.length > 0, "was taken");
  assert.match(problems.join("\n"), expected);
};

test("a whole catalog is taken, and what is not said has its value", () => {
  const checked = checkCatalogDocument({ catalog: 1, items: { mms: feature() } }, around);
  assert.ok(checked.fits);
  assert.deepEqual(checked.value.items.get("mms"), {
    kind: "feature",
    ...words,
    price: null,
    terms: null,
    needs: [],
    conflicts: [],
    includes: [],
    available: true,
    provisioningServer: null,
    content: { kind: "none" },
    service: null,
    elements: [],
    requires: { assurance: "network", verification: true, card: false },
  });
});

test("a feature may ask for fields, as a service does; a package asks for none of its own", () => {
  const fields = [{ name: "target", label: { en: "Forward to" }, kind: "phone" }];
  const checked = checkCatalogDocument({ catalog: 1, items: { forwarding: feature({ fields }) } }, around);
  assert.ok(checked.fits);
  assert.deepEqual(checked.value.items.get("forwarding")?.fields, [{ ...fields[0], required: true }]);
  refuses({ a: feature(), p: bundle(["a"], { fields }) }, /p\/fields: belongs to a feature/);
  refuses({ s: service({ fields }) }, /s\/fields: belongs to a feature/);
  refuses({ f: feature({ fields: [...fields, ...fields] }) }, /fields/);
});

const shapes: [string, object, RegExp][] = [
  ["an unknown kind", feature({ kind: "gadget" }), /kind: must be one of package, feature, service/],
  ["no kind", { ...words }, /kind: is missing/],
  ["no name", { kind: "feature", description: { en: "x" } }, /name: is missing/],
  ["a name without English", feature({ name: { de: "x" } }), /name\/en: is missing/],
  [
    "a language that is none",
    feature({ name: { en: "x", "e n": "y" } }),
    /name\/e n: must be a language tag/,
  ],
  [
    "one language twice in two spellings",
    feature({ name: { en: "x", "de-at": "y", "de-AT": "z" } }),
    /is there twice/,
  ],
  ["an empty name", feature({ name: { en: " " } }), /must not be empty/],
  ["a name in no language", feature({ name: {} }), /name\/en: is missing/],
  ["a name of other stuff", feature({ name: { en: 7 } }), /must be text/],
  ["a name with a line feed", feature({ name: { en: "a\nb" } }), /control characters/],
  ["a name that is too long", feature({ name: { en: "x".repeat(81) } }), /at most 80/],
  ["a member nobody knows", feature({ colour: "red" }), /colour: is not known here/],
  ["a price without currency", feature({ price: { onceMinor: 1 } }), /currency: is missing/],
  [
    "a currency that ISO 4217 does not have",
    feature({ price: { onceMinor: 1, currency: "ZQX" } }),
    /ISO 4217/,
  ],
  [
    "a price below nothing",
    feature({ price: { onceMinor: -1, currency: "EUR" } }),
    /onceMinor: must be an integer/,
  ],
  [
    "a price with a fraction",
    feature({ price: { monthlyMinor: 0.5, currency: "EUR" } }),
    /monthlyMinor: must be an integer/,
  ],
  ["a module without octets", feature({ content: { ...module, octets: 0 } }), /octets: must be an integer/],
  ["a module beyond the limit", feature({ content: { ...module, octets: MODULE_OCTETS_MAX + 1 } }), /octets/],
  ["a hash in capitals", feature({ content: { ...module, sha256: "A".repeat(64) } }), /64 lower-case/],
  [
    "a module over http",
    feature({ content: { ...module, url: "http://m.example/m" } }),
    /must be an https URL/,
  ],
  [
    "a URL with a password",
    feature({ content: { ...module, url: "https://u:p@m.example/m" } }),
    /must be an https URL/,
  ],
  ["an activation of nothing", feature({ content: { kind: "activation" } }), /module: is missing/],
  [
    "an activation with a module's members",
    feature({ content: { kind: "activation", module: "m", url: "x" } }),
    /url: is not known/,
  ],
  [
    "parameters that are no text",
    feature({ content: { kind: "parameters", values: { a: 1 } } }),
    /values\/a: must be text/,
  ],
  [
    "a parameter named as JavaScript's own",
    JSON.parse(
      `{"kind":"feature","name":{"en":"n"},"description":{"en":"d"},"content":{"kind":"parameters","values":{"__proto__":"x"}}}`,
    ),
    /__proto__: must be a name/,
  ],
  [
    "a provisioning server with a path",
    feature({ provisioningServer: "https://p.example/x" }),
    /must be an origin alone/,
  ],
  ["an unknown element", feature({ elements: ["toaster"] }), /elements\/0: must be one of billing-plan/],
  ["an element twice", feature({ elements: ["e-mail", "e-mail"] }), /is there twice/],
  [
    "an unknown assurance",
    feature({ requires: { assurance: "trust me" } }),
    /assurance: must be one of cert/,
  ],
  [
    "a feature with a service",
    feature({ service: { uri: "https://s.example" } }),
    /service: belongs to a service/,
  ],
  ["a feature that includes", feature({ includes: ["b"] }), /includes: belongs to a package/],
  ["a service without a server", { kind: "service", ...words }, /service: is missing/],
  ["a service over http", service({ service: { uri: "http://s.example" } }), /uri: must be an https URL/],
  ["a service with a feature's content", service({ content: module }), /content: belongs to a feature/],
  [
    "a service's field without a label",
    service({ service: { uri: "https://s.example", fields: [{ name: "a" }] } }),
    /fields\/0\/label: is missing/,
  ],
  [
    "a service's field twice",
    service({
      service: {
        uri: "https://s.example",
        fields: [
          { name: "a", label: { en: "A" } },
          { name: "a", label: { en: "A" } },
        ],
      },
    }),
    /fields\/1: is there twice/,
  ],
  ["an empty package", bundle([]), /includes: must name/],
  ["a package with needs", bundle(["b"], { needs: ["b"] }), /needs: belongs to the members/],
  ["a list that is none", feature({ needs: "b" }), /needs: must be a list/],
  ["an id twice", feature({ needs: ["b", "b"] }), /needs\/1: is there twice/],
];
for (const [name, item, expected] of shapes) {
  test(`refused by its place: ${name}`, () => refuses({ a: item, b: feature() }, expected));
}

const together: [string, object, RegExp][] = [
  ["a need that is not there", { a: feature({ needs: ["x"] }) }, /items\/a\/needs\/0: there is no item x/],
  ["a conflict that is not there", { a: feature({ conflicts: ["x"] }) }, /conflicts\/0: there is no item x/],
  ["a member that is not there", { a: bundle(["x"]) }, /includes\/0: there is no item x/],
  [
    "a package in a package",
    { a: bundle(["b"]), b: bundle(["c"]), c: feature() },
    /a package holds no package/,
  ],
  ["a package that holds itself", { a: bundle(["a"]) }, /names the item itself/],
  ["an item in conflict with itself", { a: feature({ conflicts: ["a"] }) }, /names the item itself/],
  [
    "a need for a package",
    { a: feature({ needs: ["b"] }), b: bundle(["c"]), c: feature() },
    /must be no package/,
  ],
  [
    "two that need each other",
    { a: feature({ needs: ["b"] }), b: feature({ needs: ["a"] }) },
    /go round: a -> b -> a/,
  ],
  [
    "a longer circle",
    { a: feature({ needs: ["b"] }), b: feature({ needs: ["c"] }), c: feature({ needs: ["b"] }) },
    /go round: b -> c -> b/,
  ],
  [
    "a conflict with what it needs in turn",
    { a: feature({ needs: ["b"] }), b: feature({ needs: ["c"] }), c: feature({ conflicts: ["a"] }) },
    /items\/a: brings c and a, which conflict/,
  ],
  [
    "a package whose members conflict",
    { p: bundle(["a", "b"]), a: feature(), b: feature({ conflicts: ["a"] }) },
    /items\/p: brings b and a, which conflict/,
  ],
  ["terms that nobody wrote", { a: feature({ terms: "x" }) }, /terms: there are no terms x/],
  [
    "octets that are not there",
    { a: feature({ content: { ...module, url: null } }) },
    /items\/a\/content: has no url/,
  ],
  [
    "octets of a service's module that are not there",
    { a: service({ service: { uri: "https://s.example", module: { ...module, url: null } } }) },
    /items\/a\/service\/module: has no url/,
  ],
];
for (const [name, items, expected] of together) {
  test(`refused, since it could not be had: ${name}`, () => refuses(items, expected));
}

test("whatever names and values the catalog takes, content carries to the device; what it cannot carry is refused", () => {
  const named = (module: string) => ({ a: feature({ content: { kind: "activation", module } }) });
  const valued = (name: string, value: string) => ({
    a: feature({ content: { kind: "parameters", values: { [name]: value } } }),
  });
  const issuer = generateKeyPairSync("ed25519").privateKey;
  const carry = (parts: { readonly activations?: string[]; readonly parameters?: Record<string, string> }) =>
    encodeContent(
      {
        ...{ issuer: "north", reference: "ABCDEFGH", itemId: "01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11" },
        ...{
          notAfter: new Date(0),
          modules: [],
          removals: [],
          activations: [],
          parameters: {},
          security: {},
        },
        ...parts,
      },
      "490154203237518",
      issuer,
    );
  const longest = { module: "7".padEnd(63, "z"), name: "a".padEnd(40, "Z"), value: "é".repeat(500) };
  assert.deepEqual(problemsOf(named(longest.module)), []);
  carry({ activations: [longest.module] });
  assert.deepEqual(problemsOf(valued(longest.name, longest.value)), []);
  carry({ parameters: { [longest.name]: longest.value } });
  for (const module of ["Mail", "mail_client", "m".repeat(64), "-m"]) {
    refuses(named(module), /module: must be a module's name/);
    assert.throws(() => carry({ activations: [module] }), RangeError, module);
  }
  refuses(valued("a".repeat(41), "x"), /must be a name as mail.server/);
  assert.throws(() => carry({ parameters: { ["a".repeat(41)]: "x" } }), RangeError);
  refuses(valued("a", "€".repeat(400)), /at most 1000 octets/);
  assert.throws(() => carry({ parameters: { a: "€".repeat(400) } }), RangeError);
});

test("terms of the file and terms that are there already both count", () => {
  assert.deepEqual(
    problemsOf({ a: feature({ terms: "old-terms" }), b: feature({ terms: "new" }) }, { new: { en: "x" } }),
    [],
  );
});

test("an id is a-z, 0-9 and hyphens; anything else is refused, however it is meant", () => {
  for (const id of ["A", "a b", "", "-a", "a".repeat(64), "__proto__", "a/../b"]) {
    refuses(
      JSON.parse(`{${JSON.stringify(id)}: ${JSON.stringify(feature())}}`),
      /must have a name of 1 to 63/,
    );
  }
});

test("what is no catalog at all is refused", () => {
  for (const value of [
    null,
    7,
    "catalog",
    [],
    {},
    { catalog: 2, items: {} },
    { catalog: 1, items: [] },
    { catalog: 1 },
  ]) {
    assert.equal(checkCatalogDocument(value, around).fits, false, JSON.stringify(value));
  }
});

test("more items than a catalog may have are refused without looking at each", () => {
  const many = Object.fromEntries(Array.from({ length: ITEMS_MAX + 1 }, (_, n) => [`i${n}`, feature()]));
  refuses(many, /items: must have at most 500 members/);
});

test("all problems are told at once, but not without end", () => {
  assert.equal(problemsOf({ a: feature({ kind: "x", name: 1, price: 2 }) }).length >= 3, true);
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`i${n}`, {}]));
  assert.equal(problemsOf(many).length, 50);
});

test("nothing that anybody writes makes the reader fail otherwise than by telling problems", () => {
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.string(),
      fc.array(tie("value"), { maxLength: 4 }),
      tie("record"),
    ),
    record: fc.dictionary(
      fc.constantFrom(
        "kind",
        "name",
        "en",
        "needs",
        "content",
        "module",
        "service",
        "fields",
        "price",
        "requires",
        "a",
        "__proto__",
        "constructor",
      ),
      tie("value"),
    ),
  })).value;
  fc.assert(
    fc.property(anything, anything, (items, terms) => {
      const checked = checkCatalogDocument({ catalog: 1, items, terms }, around);
      assert.ok(checked.fits || checked.problems.length > 0);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("what is written is read as the same catalog, and says nothing that is said by saying nothing", () => {
  const source = {
    catalog: 1,
    terms: { t: { de: "D", en: "E" } },
    items: {
      b: feature({
        needs: ["a"],
        price: { onceMinor: 5, currency: "EUR" },
        requires: { card: true },
        terms: "t",
        content: module,
      }),
      a: service({
        available: false,
        service: {
          uri: "https://s.example/scim",
          fields: [{ name: "f", label: { en: "F" }, kind: "secret" }],
        },
      }),
      p: bundle(["a", "b"]),
    },
  };
  const first = checkCatalogDocument(source, around);
  assert.ok(first.fits, JSON.stringify(first));
  const written = writeCatalogDocument(first.value);
  const second = checkCatalogDocument(JSON.parse(JSON.stringify(written)), around);
  assert.ok(second.fits);
  assert.ok(isEmptyDiff(diffCatalogs(first.value, second.value)));
  assert.deepEqual(
    Object.keys(written.items as object),
    ["a", "b", "p"],
    "sorted, so that a review shows what changed",
  );
  assert.deepEqual(Object.keys((written.items as Record<string, object>).p ?? {}), [
    "kind",
    "name",
    "description",
    "includes",
  ]);
});

test("a difference names the members that differ, whatever the order in which they stand", () => {
  const read = (items: object, terms: object = {}) => {
    const checked = checkCatalogDocument({ catalog: 1, items, terms }, around);
    assert.ok(checked.fits, JSON.stringify(checked));
    return checked.value;
  };
  const before = read({ a: feature(), b: feature(), c: feature() }, { t: { en: "1" }, u: { en: "1" } });
  const after = read(
    {
      a: { description: words.description, name: words.name, kind: "feature" },
      b: feature({ available: false, terms: "t" }),
      d: feature(),
    },
    { t: { en: "2" } },
  );
  assert.deepEqual(diffCatalogs(before, after), {
    items: {
      added: ["d"],
      changed: [{ id: "b", members: ["terms", "available"] }],
      retired: ["c"],
      unchanged: 1,
    },
    terms: { added: [], changed: [{ id: "t", members: ["en"] }], unchanged: 0 },
  });
});

test("one item is held against the others, by the places of its own body", () => {
  const others = checkCatalogDocument(
    { catalog: 1, items: { a: feature({ needs: ["b"] }), b: feature() } },
    around,
  );
  assert.ok(others.fits);
  const { items } = others.value;
  assert.ok(checkCatalogItem(feature({ needs: ["a"] }), "c", items, around).fits);
  const circle = checkCatalogItem(feature({ needs: ["a"] }), "b", items, around);
  assert.deepEqual(circle.fits ? [] : circle.problems.map(({ at }) => at), ["items/a/needs"]);
  const unknown = checkCatalogItem(feature({ needs: ["x"] }), "b", items, around);
  assert.deepEqual(unknown.fits ? [] : unknown.problems.map(({ at }) => at), ["body/needs/0"]);
});

test("terms need English, and may have lines", () => {
  assert.ok(checkTerms({ en: "One.\nTwo.", "pt-br": "Um." }).fits);
  for (const value of [{}, { de: "x" }, { en: "" }, "x", { en: "x\u0000" }, { en: "x".repeat(20_001) }]) {
    assert.equal(checkTerms(value).fits, false, JSON.stringify(value).slice(0, 40));
  }
});
