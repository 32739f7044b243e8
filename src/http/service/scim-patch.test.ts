/** Changes by PATCH as clients write them to the reference service server (RFC 7644 clause 3.5.2). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ASKED, CORE, createPlainUser, patch, scimDoors } from "../../../test/fixture/scim-door.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";

const doors = await scimDoors();

const patches: [string, object[], Record<string, unknown>][] = [
  [
    "add without a path",
    [{ op: "add", value: { title: "Dr", name: { givenName: "Ann" } } }],
    { title: "Dr", name: { familyName: "Lee", givenName: "Ann" } },
  ],
  [
    "replace of one part",
    [{ op: "replace", path: "name.familyName", value: "Ray" }],
    { name: { familyName: "Ray" } },
  ],
  [
    "replace of a complex attribute keeps the parts it does not name",
    [{ op: "replace", path: "name", value: { givenName: "A" } }],
    { name: { familyName: "Lee", givenName: "A" } },
  ],
  [
    "remove",
    [
      { op: "remove", path: "name" },
      { op: "Remove", path: "nickName" },
    ],
    { name: undefined, nickName: undefined },
  ],
  ["replace with null", [{ op: "replace", path: "nickName", value: null }], { nickName: undefined }],
  [
    "add to a list",
    [{ op: "add", path: "emails", value: [{ value: "c@x.example" }] }],
    {
      emails: [
        { value: "a@x.example", type: "work", primary: true },
        { value: "b@x.example", type: "home" },
        { value: "c@x.example" },
      ],
    },
  ],
  [
    "add of one that is there",
    [{ op: "add", path: "emails", value: { value: "b@x.example", type: "home" } }],
    {
      emails: [
        { value: "a@x.example", type: "work", primary: true },
        { value: "b@x.example", type: "home" },
      ],
    },
  ],
  [
    "a new primary is the only one",
    [{ op: "add", path: "emails", value: [{ value: "c@x.example", primary: true }] }],
    {
      emails: [
        { value: "a@x.example", type: "work", primary: false },
        { value: "b@x.example", type: "home" },
        { value: "c@x.example", primary: true },
      ],
    },
  ],
  [
    "another is made the primary",
    [{ op: "replace", path: 'emails[type eq "home"].primary', value: true }],
    {
      emails: [
        { value: "a@x.example", type: "work", primary: false },
        { value: "b@x.example", type: "home", primary: true },
      ],
    },
  ],
  [
    "replace by a filter",
    [{ op: "replace", path: 'emails[type eq "work"]', value: { value: "n@x.example" } }],
    { emails: [{ value: "n@x.example" }, { value: "b@x.example", type: "home" }] },
  ],
  [
    "replace of a part by a filter",
    [{ op: "replace", path: 'emails[type eq "work" and value co "a@"].value', value: "n@x.example" }],
    {
      emails: [
        { value: "n@x.example", type: "work", primary: true },
        { value: "b@x.example", type: "home" },
      ],
    },
  ],
  [
    "add by a filter that fits none makes it",
    [{ op: "add", path: 'emails[type eq "other"].value', value: "o@x.example" }],
    {
      emails: [
        { value: "a@x.example", type: "work", primary: true },
        { value: "b@x.example", type: "home" },
        { type: "other", value: "o@x.example" },
      ],
    },
  ],
  [
    "remove by a filter",
    [{ op: "remove", path: 'emails[value ew "b@x.example" or type eq "none"]' }],
    { emails: [{ value: "a@x.example", type: "work", primary: true }] },
  ],
  ["remove of all in a list", [{ op: "remove", path: "emails[type pr]" }], { emails: undefined }],
  [
    "remove of a part by a filter",
    [{ op: "remove", path: 'emails[type eq "work"].primary' }],
    {
      emails: [
        { value: "a@x.example", type: "work" },
        { value: "b@x.example", type: "home" },
      ],
    },
  ],
  [
    "remove with a value takes that alone",
    [{ op: "remove", path: "emails", value: [{ value: "b@x.example" }] }],
    { emails: [{ value: "a@x.example", type: "work", primary: true }] },
  ],
  [
    "replace of a list",
    [{ op: "replace", path: "emails", value: [{ value: "z@x.example" }] }],
    { emails: [{ value: "z@x.example" }] },
  ],
  [
    "names with their schema, and paths as members",
    [
      {
        op: "replace",
        value: {
          [`${CORE}:nickName`]: "N",
          "name.givenName": "G",
          'emails[type eq "home"].value': "h@x.example",
        },
      },
    ],
    {
      nickName: "N",
      name: { familyName: "Lee", givenName: "G" },
      emails: [
        { value: "a@x.example", type: "work", primary: true },
        { value: "h@x.example", type: "home" },
      ],
    },
  ],
  [
    "what only the provider writes, among others",
    [{ op: "replace", value: { id: "x", meta: { version: "1" }, groups: [], schemas: [], nickName: "N" } }],
    { nickName: "N" },
  ],
  [
    "several, one after another",
    [
      { op: "remove", path: "emails" },
      { op: "add", path: "emails", value: { value: "x@x.example" } },
      { op: "replace", path: "emails.type", value: "work" },
    ],
    { emails: [{ value: "x@x.example", type: "work" }] },
  ],
];

test("PATCH adds, replaces and removes, with and without paths and filters, and one is primary", async () => {
  const { ask } = await doors.open();
  for (const [at, [what, operations, wanted]] of patches.entries()) {
    const { body } = await createPlainUser(ask, `ann${at}`, {
      name: { familyName: "Lee" },
      nickName: "Annie",
      emails: [
        { value: "a@x.example", type: "work", primary: true },
        { value: "b@x.example", type: "home" },
      ],
    });
    const answer = await ask("PATCH", `${USERS}/${body.id}`, patch(...operations));
    assert.equal(answer.status, 200, `${what}: ${answer.text}`);
    const { body: after } = await ask("GET", `${USERS}/${body.id}`);
    for (const [name, value] of Object.entries(wanted)) assert.deepEqual(after[name], value, what);
    const others = Object.keys({ ...body, ...after }).filter(
      (name) => !(name in wanted) && name !== "meta" && name !== EXTENSION_SCHEMA,
    );
    for (const name of others) assert.deepEqual(after[name], body[name], `${what}: ${name} is as it was`);
  }
});

test("a PATCH that cannot be applied is refused by its kind, and changes nothing of what it could", async () => {
  const { ask } = await doors.open(ASKED);
  const { body } = await createPlainUser(ask, "ann", { emails: [{ value: "a@x.example", type: "work" }] });
  const path = `${USERS}/${body.id}`;
  const bad: [unknown, string, RegExp][] = [
    [patch({ op: "replace", path: "shoeSize", value: "44" }), "invalidPath", /shoeSize/],
    [patch({ op: "replace", value: { shoeSize: "44" } }), "invalidSyntax", /shoeSize/],
    [patch({ op: "replace", path: "emails[type eq", value: "x" }), "invalidPath", /emails/],
    [patch({ op: "replace", path: "emails[foo eq 1]", value: {} }), "invalidFilter", /foo/],
    [patch({ op: "replace", path: "title[a eq 1]", value: "x" }), "invalidPath", /title/],
    [patch({ op: "replace", path: 'emails[type eq "home"].value', value: "x" }), "noTarget", /emails/],
    [patch({ op: "remove", path: 'emails[type eq "home"]' }), "noTarget", /emails/],
    [patch({ op: "remove" }), "noTarget", /path/],
    [patch({ op: "replace", path: "id", value: "x" }), "mutability", /id/],
    [patch({ op: "add", path: "groups", value: [{ value: "g" }] }), "mutability", /groups/],
    [patch({ op: "replace", path: "meta.version", value: "x" }), "mutability", /meta/],
    [patch({ op: "replace", path: `${EXTENSION_SCHEMA}:state`, value: "registered" }), "mutability", /state/],
    [patch({ op: "remove", path: "userName" }), "mutability", /userName/],
    [patch({ op: "remove", path: "phoneNumbers" }), "mutability", /phoneNumbers/],
    [patch({ op: "remove", path: "emails" }), "mutability", /emails/],
    [patch({ op: "move", path: "title" }), "invalidSyntax", /op/],
    [patch(), "invalidSyntax", /Operations/],
    [patch({ op: "add", path: "title" }), "invalidValue", /value/],
    [patch({ op: "add", path: 7, value: "x" }), "invalidPath", /path/],
    [patch({ op: "replace", path: "emails.value", value: "no address" }), "invalidValue", /emails/],
    [{ Operations: [{ op: "add", path: "title", value: "x" }] }, "invalidSyntax", /PatchOp/],
    ["[]", "invalidSyntax", /object/],
    ["", "invalidSyntax", /object/],
    ["{", "invalidSyntax", /read/],
  ];
  for (const [sent, scimType, detail] of bad) {
    const operations = typeof sent === "object" ? (sent as { Operations: object[] }).Operations : undefined;
    const first = { op: "replace", path: "nickName", value: "changed" };
    const whole = operations?.length && "schemas" in (sent as object) ? patch(first, ...operations) : sent;
    const answer = await ask("PATCH", path, whole);
    assert.deepEqual([answer.status, answer.body.scimType], [400, scimType], JSON.stringify(sent));
    assert.match(answer.body.detail, detail);
  }
  const { body: after } = await ask("GET", path);
  assert.deepEqual(after, { ...body, [EXTENSION_SCHEMA]: after[EXTENSION_SCHEMA] });
});
