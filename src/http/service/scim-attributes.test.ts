/**
 * Attributes of users as clients write them to the reference service server: what RFC 7643 has is stored and shown whole, all else is
 * refused by its name (RFC 7643 clauses 2 to 4).
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  type Answer,
  CORE,
  createPlainUser,
  patch,
  plainUser,
  scimDoors,
} from "../../../test/fixture/scim-door.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";

const doors = await scimDoors();

/** All that RFC 7643 has of a user, with a value for each member. */
const WHOLE = {
  externalId: "701984",
  name: {
    formatted: "Ms. Barbara J Jensen, III",
    familyName: "Jensen",
    givenName: "Barbara",
    middleName: "Jane",
    honorificPrefix: "Ms.",
    honorificSuffix: "III",
  },
  displayName: "Babs Jensen",
  nickName: "Babs",
  profileUrl: "https://login.example.com/bjensen",
  title: "Tour Guide",
  userType: "Employee",
  preferredLanguage: "en-US",
  locale: "en-US",
  timezone: "America/Los_Angeles",
  emails: [
    { value: "bjensen@example.com", display: "work", type: "work", primary: true },
    { value: "babs@jensen.org", type: "home" },
  ],
  addresses: [
    {
      type: "work",
      streetAddress: "100 Universal City Plaza",
      locality: "Hollywood",
      region: "CA",
      postalCode: "91608",
      country: "USA",
      formatted: "100 Universal City Plaza\nHollywood, CA 91608 USA",
      primary: true,
    },
  ],
  phoneNumbers: [
    { value: "+15555555555", type: "work" },
    { value: "+15555554444", type: "mobile" },
  ],
  ims: [{ value: "someaimhandle", type: "aim" }],
  photos: [{ value: "https://photos.example.com/profilephoto/72930000000Ccne/F", type: "photo" }],
  entitlements: [{ value: "mail" }],
  roles: [{ value: "reader", primary: true }],
  x509Certificates: [{ value: "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQA=" }],
};

test("every core attribute that is taken is stored and returned, and the schema that is shown lists just those", async () => {
  const { ask } = await doors.open();
  const { body } = await createPlainUser(ask, "bjensen@example.com", WHOLE);
  const { id, schemas: _, meta: _meta, active, userName, [EXTENSION_SCHEMA]: _extension, ...kept } = body;
  assert.deepEqual([kept, active, userName], [WHOLE, true, "bjensen@example.com"]);
  const { body: read } = await ask("GET", `${USERS}/${id}`);
  for (const [name, value] of Object.entries(WHOLE)) assert.deepEqual(read[name], value, name);

  const { body: schema } = await ask("GET", `/Schemas/${CORE}`);
  type Shown = { name: string; mutability: string; subAttributes?: Shown[] };
  const writable = (attributes: Shown[], prefix = ""): string[] =>
    attributes
      .filter(({ mutability }) => mutability !== "readOnly")
      .flatMap(({ name, subAttributes }) =>
        subAttributes ? writable(subAttributes, `${prefix}${name}.`) : [prefix + name],
      );
  const said = (value: object, prefix = ""): string[] =>
    Object.entries(value).flatMap(([name, member]) => {
      const object: unknown = Array.isArray(member) ? Object.assign({}, ...member) : member;
      return typeof object === "object" && object ? said(object, `${prefix}${name}.`) : [prefix + name];
    });
  const { externalId: _common, ...core } = WHOLE;
  const missing = writable(schema.attributes).filter(
    (path) => !said({ ...core, userName: "" }).includes(path),
  );
  // Every list has all of display, type and primary by the schema; of those each list above has some.
  const lists = /^(?:emails|phoneNumbers|ims|photos|entitlements|roles|x509Certificates|addresses)\./;
  assert.deepEqual(
    missing.filter((path) => !lists.test(path)),
    ["active", "password"],
  );
  const all = { display: "d", type: "t", primary: false };
  const full = Object.fromEntries(
    missing
      .filter((path) => lists.test(path))
      .map((path) => path.split(".")[0]!)
      .map((name) => {
        const [first] = WHOLE[name as "emails"];
        const { display, ...rest } = { ...all, ...first! };
        return [name, [name === "addresses" ? rest : { ...rest, display }]];
      }),
  );
  const put = await ask("PUT", `${USERS}/${id}`, plainUser("bjensen@example.com", full));
  assert.equal(put.status, 200, put.text);
  for (const [name, value] of Object.entries(full)) assert.deepEqual(put.body[name], value, name);
});

test("what is no attribute, or of another type, is refused by its name, and nothing is kept", async () => {
  const { ask, service } = await doors.open();
  const bad: [Record<string, unknown>, string, RegExp][] = [
    [{ shoeSize: "44" }, "invalidSyntax", /shoeSize/],
    [{ name: { nickname: "A" } }, "invalidSyntax", /name\.nickname/],
    [{ emails: [{ value: "a@b.example", kind: "x" }] }, "invalidSyntax", /emails\.kind/],
    [{ "urn:example:ext": { a: 1 } }, "invalidSyntax", /urn:example:ext/],
    [{ schemas: [CORE, "urn:example:ext"] }, "invalidSyntax", /urn:example:ext/],
    [{ [EXTENSION_SCHEMA]: { colour: "red" } }, "invalidSyntax", /colour/],
    [{ title: 7 }, "invalidValue", /title/],
    [{ title: ["a"] }, "invalidValue", /title/],
    [{ name: "Ann" }, "invalidValue", /name/],
    [{ emails: ["a@b.example"] }, "invalidValue", /emails/],
    [
      {
        emails: [
          { value: "a", primary: true },
          { value: "b", primary: "True" },
        ],
      },
      "invalidValue",
      /emails/,
    ],
    [{ x509Certificates: [{ value: "no base64!" }] }, "invalidValue", /x509Certificates\.value/],
    [{ profileUrl: "https://" }, "invalidValue", /profileUrl/],
    [{ userName: "" }, "invalidValue", /userName/],
    [{ userName: "x".repeat(200) }, "invalidValue", /userName/],
    [{ userName: null }, "invalidValue", /userName/],
    [{ USERNAME: "other" }, "invalidSyntax", /userName/],
    [{ password: "short" }, "invalidValue", /password/],
    [{ phoneNumbers: [] }, "invalidValue", /phoneNumbers \(missing\)/],
    [{ phoneNumbers: [{ value: "0" }] }, "invalidValue", /phoneNumbers \(corrupt\)/],
    [{ title: "x".repeat(9_000) }, "invalidValue", /octets/],
  ];
  for (const [more, scimType, detail] of bad) {
    const { status, body } = await ask("POST", "/Users", plainUser("ann", more));
    assert.deepEqual([status, body.scimType], [400, scimType], JSON.stringify(more).slice(0, 100));
    assert.match(body.detail, detail);
  }
  assert.equal(service.kernelAt("/scim/v2").size(), 0);
  await createPlainUser(ask, "ann");
});

test("names in any case and null or empty values are taken as RFC 7643 says", async () => {
  const { ask } = await doors.open();
  const { status, body, text } = await ask("POST", "/Users", {
    Schemas: [CORE.toUpperCase()],
    USERNAME: "ann",
    Name: { GIVENNAME: "Ann", familyName: null },
    Emails: [],
    title: null,
    PhoneNumbers: [{ Value: "+447700900123", TYPE: "Mobile", Primary: "true" }],
    id: "mine",
    meta: { resourceType: "Cat" },
    groups: [{ value: "g1" }],
  });
  assert.equal(status, 201, text);
  assert.deepEqual(body.name, { givenName: "Ann" });
  assert.deepEqual(body.phoneNumbers, [{ value: "+447700900123", type: "Mobile", primary: true }]);
  assert.deepEqual(
    [body.emails, body.title, body.groups, body.meta.resourceType],
    [undefined, undefined, undefined, "User"],
  );
  assert.notEqual(body.id, "mine");
});

test("PUT replaces the whole, and passes over what only the provider writes", async () => {
  const { ask } = await doors.open();
  const { body } = await createPlainUser(ask, "bjensen", WHOLE);
  const put = await ask("PUT", `${USERS}/${body.id}`, {
    ...plainUser("bjensen2", { nickName: "B" }),
    id: "another",
    meta: { created: "2001-01-01T00:00:00Z", version: 'W/"99"' },
    groups: [{ value: "g1" }],
    roles: [],
  });
  assert.equal(put.status, 200, put.text);
  const { id, userName, nickName, emails, roles, name, meta, groups } = put.body;
  assert.deepEqual(
    [id, userName, nickName, emails, roles, name, groups],
    [body.id, "bjensen2", "B", undefined, undefined, undefined, undefined],
  );
  assert.deepEqual([meta.created, meta.version === 'W/"99"'], [body.meta.created, false]);
  const noName = await ask("PUT", `${USERS}/${body.id}`, {
    schemas: [CORE],
    phoneNumbers: WHOLE.phoneNumbers,
  });
  assert.deepEqual([noName.status, noName.body.scimType], [400, "invalidValue"]);
  const { body: other } = await createPlainUser(ask, "other");
  const taken = await ask("PUT", `${USERS}/${other.id}`, plainUser("BJENSEN2"));
  assert.deepEqual([taken.status, taken.body.scimType], [409, "uniqueness"]);
  assert.equal((await ask("PUT", `${USERS}/none`, plainUser("x"))).status, 404);
});

test("`attributes` and `excludedAttributes` choose what is shown in every answer with a user", async () => {
  const { ask } = await doors.open();
  const more = {
    name: { givenName: "Ann", familyName: "Lee" },
    emails: [{ value: "a@b.example", type: "home" }],
  };
  const only = "?attributes=userName,name.givenName";
  const wanted = { userName: "ann", name: { givenName: "Ann" } };
  const posted = await ask("POST", `/Users${only}`, plainUser("ann", more));
  const { id, schemas, ...rest } = posted.body;
  assert.deepEqual([posted.status, rest], [201, wanted]);
  assert.ok(id && schemas.includes(CORE), "always returned");
  const shown: [string, Promise<Answer>][] = [
    ["GET", ask("GET", `${USERS}/${id}${only}`)],
    ["PUT", ask("PUT", `${USERS}/${id}${only}`, plainUser("ann", more))],
    ["PATCH", ask("PATCH", `${USERS}/${id}${only}`, patch({ op: "replace", path: "title", value: "Dr" }))],
  ];
  for (const [method, asked] of shown) {
    const { body, status } = await asked;
    assert.deepEqual([status, body], [200, { id, schemas, ...wanted }], method);
  }
  const listed = await ask("GET", `/Users${only}`);
  assert.deepEqual(listed.body.Resources, [{ id, schemas, ...wanted }]);
  const urn = await ask(
    "GET",
    `${USERS}/${id}?attributes=${CORE}:EMAILS.value,${EXTENSION_SCHEMA}:state,nothing`,
  );
  const { emails, [EXTENSION_SCHEMA]: extension, userName } = urn.body;
  assert.deepEqual(
    [emails, extension, userName],
    [[{ value: "a@b.example" }], { state: "registered" }, undefined],
  );
  const less = await ask(
    "GET",
    `${USERS}/${id}?excludedAttributes=id,schemas,meta,name,emails.type,${EXTENSION_SCHEMA}`,
  );
  assert.deepEqual(less.body, {
    ...{ schemas, id, userName: "ann", title: "Dr", active: true },
    phoneNumbers: [{ value: "+447700900123", type: "mobile" }],
    emails: [{ value: "a@b.example" }],
  });
  const both = await ask("GET", `${USERS}/${id}?attributes=name&excludedAttributes=name.familyName`);
  assert.deepEqual(both.body.name, { givenName: "Ann" });
});
