/** SCIM's filters, patches and resources as values (RFC 7643, RFC 7644): whatever comes is read or refused, and nothing given is changed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { foldCase } from "../../term/fold-case.ts";
import { parseFilter } from "./filter.ts";
import { readListQuery } from "./list.ts";
import { applyPatch } from "./patch.ts";
import { project } from "./project.ts";
import { readResource } from "./resource.ts";
import { attribute, type Json, type ResourceKind, resolvePath } from "./schema.ts";
import { ScimError } from "./scim-error.ts";
import { userSchema } from "./user-schema.ts";
import { comparable } from "./value.ts";

const CORE = "urn:ietf:params:scim:schemas:core:2.0:User";
const EXTENSION = "urn:example:params:scim:schemas:extension:tariff:2.0:User";
const KIND: ResourceKind = {
  core: userSchema(CORE, ["name.givenName"]),
  extensions: [
    {
      id: EXTENSION,
      name: "Tariff",
      description: "A tariff",
      attributes: [
        attribute("tariff", "Its name"),
        attribute("secret", "Never shown", { returned: "never" }),
      ],
    },
  ],
};
const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ANN: Json = {
  userName: "Ann",
  active: true,
  name: { givenName: "Ann", familyName: "Lee" },
  emails: [
    { value: "a@x.example", type: "work", primary: true },
    { value: "b@x.example", type: "home" },
  ],
  [EXTENSION]: { tariff: "Gold" },
};
function frozen<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null)
    for (const one of Object.values(Object.freeze(value))) frozen(one);
  return value;
}
/** What it gives, or that it refuses; whatever else is thrown is a fault. */
function given<Value>(act: () => Value): Value | ScimError {
  try {
    return act();
  } catch (error) {
    assert.ok(error instanceof ScimError, String(error));
    assert.match(error.message, /^.+\.$/s, "a sentence");
    return error;
  }
}

const words = fc.constantFrom(
  ...[
    "userName",
    "emails",
    "emails.value",
    "name",
    "title",
    "active",
    `${CORE}:title`,
    `${EXTENSION}:tariff`,
    "x",
  ],
  ...[
    "eq",
    "ne",
    "co",
    "pr",
    "gt",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    '"a"',
    '"',
    "true",
    "null",
    "1",
    ".value",
  ],
);

test("whatever text comes as a filter is read or refused as one, and a filter that is read is a function of the user", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 12 }).map((list) => list.join(" ")),
        fc.string(),
      ),
      (text) => {
        const filter = given(() => parseFilter(text, KIND));
        if (filter instanceof ScimError) assert.equal(filter.scimType, "invalidFilter");
        else assert.equal(filter.matches(frozen(ANN)), filter.matches(ANN));
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  );
});

const terms = fc.constantFrom(
  ...[
    'userName eq "ANN"',
    "title pr",
    'emails[type eq "home" and value co "b@"]',
    'emails.type ne "work"',
    "active eq false",
  ],
  ...[
    `${EXTENSION}:tariff sw "g"`,
    'name.familyName gt "K"',
    "title eq null",
    'emails[primary eq true].value ew ".example"',
  ],
);
const trees: fc.Arbitrary<string> = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    terms,
    fc.tuple(tie("tree"), fc.constantFrom("and", "or"), tie("tree")).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("tree").map((a) => `not (${a})`),
  ),
})).tree;

test("and, or and not hold the laws of logic, however deep", () => {
  const holds = (text: string) => parseFilter(text, KIND).matches(ANN);
  fc.assert(
    fc.property(trees, trees, trees, (a, b, c) => {
      assert.equal(holds(`not (${a} and ${b})`), holds(`not (${a}) or not (${b})`));
      assert.equal(holds(`${a} or ${b} and ${c}`), holds(a) || (holds(b) && holds(c)));
      assert.equal(holds(`(${a} or ${b}) and ${c}`), (holds(a) || holds(b)) && holds(c));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("a filter that is nothing but eq says which values it wants, and no other does", () => {
  const equalities = (text: string) => {
    const { equalities: found } = parseFilter(text, KIND);
    return found && Object.fromEntries(found);
  };
  assert.deepEqual(equalities('USERNAME EQ "a" and externalid eq "b"'), { userName: "a", externalId: "b" });
  for (const text of [
    'userName ne "a"',
    'userName eq "a" or id eq "b"',
    'not (userName eq "a")',
    "userName eq null",
    "title pr",
    'name.givenName eq "A"',
    `${EXTENSION}:tariff eq "a"`,
  ])
    assert.equal(equalities(text), undefined, text);
});

test("whatever JSON comes as a resource or a patch is read or refused, and what was given stays as it was", () => {
  const operations = fc.record({
    op: fc.constantFrom("add", "Replace", "remove", "x"),
    path: fc.oneof(
      fc.constantFrom(
        undefined,
        "name",
        "emails",
        "emails.type",
        'emails[type eq "work"]',
        'emails[type eq "q"].value',
        EXTENSION,
        `${EXTENSION}:tariff`,
        "title",
        "id",
        "__proto__",
        "constructor.name",
      ),
      fc.string(),
    ),
    value: fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("x", { value: "v" }, [{ value: "v", primary: true }], {
        emails: null,
        name: { givenName: "G" },
      }),
    ),
  });
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(operations, { minLength: 1, maxLength: 5 }), (json, Operations) => {
      given(() => readResource(KIND, json));
      given(() =>
        readResource(KIND, { schemas: [CORE], userName: "a", emails: json, name: json, [EXTENSION]: json }),
      );
      given(() => applyPatch(KIND, frozen(ANN), json));
      const before = structuredClone(ANN);
      const after = given(() => applyPatch(KIND, frozen(ANN), { schemas: [PATCH_OP], Operations }));
      assert.deepEqual(ANN, before);
      if (after instanceof ScimError) return;
      // What a patch made is a resource that could have been put.
      const { userName, ...rest } = after.resource;
      const put = given(() => readResource(KIND, { schemas: [CORE], userName, ...rest }));
      assert.ok(!(put instanceof ScimError), JSON.stringify([Operations, after.resource, put]));
      assert.equal(Object.getPrototypeOf(after.resource), Object.prototype);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test("a part that a service asks for cannot be taken away, but may be put in another's place", () => {
  const patched = (...Operations: object[]) =>
    given(() => applyPatch(KIND, ANN, { schemas: [PATCH_OP], Operations }));
  for (const path of ["name.givenName", "userName"]) {
    const refused = patched({ op: "remove", path });
    assert.ok(refused instanceof ScimError && refused.scimType === "mutability", path);
  }
  const swapped = patched(
    { op: "remove", path: "name.givenName" },
    { op: "add", path: "name.givenName", value: "Anna" },
  );
  assert.ok(!(swapped instanceof ScimError));
  assert.deepEqual(swapped.resource.name, { familyName: "Lee", givenName: "Anna" });
});

test("whatever is asked to be shown, what is always returned is there and nothing new is", () => {
  const names = fc.array(
    fc.oneof(words, fc.constantFrom("id", "schemas", EXTENSION, "name.givenName"), fc.string()),
    { maxLength: 5 },
  );
  const shown = { schemas: [CORE], id: "1", ...ANN };
  fc.assert(
    fc.property(names, names, (attributes, excluded) => {
      const { id, schemas, ...rest } = project(KIND, frozen(shown), { attributes, excluded });
      assert.deepEqual([id, schemas], ["1", [CORE]]);
      for (const name of Object.keys(rest)) assert.ok(name in ANN, name);
    }),
    { seed: SEED },
  );
  assert.deepEqual(
    project(KIND, shown, { attributes: [`${EXTENSION}:TARIFF`, "EMAILS.type"], excluded: ["emails.TYPE"] }),
    {
      schemas: [CORE],
      id: "1",
      [EXTENSION]: { tariff: "Gold" },
    },
  );
});

test("a query is read or refused, and its page is never before the first nor larger than is given", () => {
  const member = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constant(undefined),
    fc.array(fc.string()),
    fc.double(),
  );
  const query = fc.record({
    startIndex: member,
    count: member,
    sortOrder: member,
    attributes: member,
    filter: member,
  });
  fc.assert(
    fc.property(query, (asked) => {
      const read = given(() => readListQuery(asked, 100));
      if (read instanceof ScimError) return;
      assert.ok(read.startIndex >= 1 && Number.isSafeInteger(read.startIndex));
      assert.ok(read.count >= 0 && read.count <= 100);
    }),
    { seed: SEED },
  );
});

test("names mean what they mean in any case, with their schema's URI and without", () => {
  for (const name of ["USERNAME", `${CORE}:username`, `${CORE.toUpperCase()}:UserName`])
    assert.equal(resolvePath(KIND, name)?.attribute?.name, "userName", name);
  assert.equal(resolvePath(KIND, "name.GIVENNAME")?.sub?.name, "givenName");
  assert.equal(resolvePath(KIND, `${EXTENSION}:Tariff`)?.schema, EXTENSION);
  for (const name of [
    "",
    ".",
    "name.",
    "name.x",
    "name.givenName.x",
    "tariff",
    `${EXTENSION}:userName`,
    "urn:x",
    `${CORE}:`,
    "__proto__",
    "toString",
  ])
    assert.equal(resolvePath(KIND, name), undefined, name);
});

test("texts that differ in case alone fold to one, and others do not", () => {
  const same = [
    ["Straße", "STRASSE", "stra\u1E9Ee"],
    ["ΟΔΟΣ", "οδος", "οδοσ"],
    ["É", "e\u0301", "é"],
    ["ǅ", "ǆ", "Ǆ"],
    ["ﬁ", "FI"],
  ];
  for (const group of same) assert.equal(new Set(group.map(foldCase)).size, 1, group.join());
  for (const [one, other] of [
    ["ı", "i"],
    ["é", "e"],
    ["o", "0"],
    ["a ", "a"],
  ] as const)
    assert.notEqual(foldCase(one), foldCase(other), `${one} ${other}`);
});

test("a time without a zone is UTC, wherever the server stands", () => {
  const moment = attribute("created", "", { type: "dateTime" });
  for (const text of [
    "2026-11-30T01:00:00",
    "2026-11-30T01:00:00Z",
    "2026-11-30T02:00:00+01:00",
    "2026-11-30T01:00:00.000",
  ])
    assert.equal(comparable(moment, text), Date.UTC(2026, 10, 30, 1), text);
});

test("a path that is empty is none", () => {
  const Operations = [{ op: "add", path: "", value: { title: "Dr" } }];
  assert.equal(applyPatch(KIND, ANN, { schemas: [PATCH_OP], Operations }).resource.title, "Dr");
});
