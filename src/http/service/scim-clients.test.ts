/**
 * The reference service server towards clients as they are in the field, over real HTTPS with a certificate and a token:
 * what they write in a manner of their own is understood or refused by name, and never passed over.
 */
import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, test } from "vitest";
import {
  type Answer,
  type Ask,
  CORE,
  filtered,
  patch,
  plainUser,
  scimDoors,
} from "../../../test/fixture/scim-door.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";

let doors: Awaited<ReturnType<typeof scimDoors>>;
beforeAll(async () => {
  doors = await scimDoors();
});
afterEach(() => doors.close());
afterAll(() => doors.forget());

async function made(ask: Ask, userName: string, more: Record<string, unknown> = {}): Promise<Answer> {
  const answer = await ask("POST", "/Users", plainUser(userName, more));
  assert.equal(answer.status, 201, answer.text);
  return answer;
}
const names = ({ body }: Answer): string[] =>
  body.Resources.map(({ userName }: { userName: string }) => userName);

test("a page past the end is empty and says so truly; what lies before the first is the first", async () => {
  const { ask } = await doors.open();
  for (const name of ["a", "b", "c"]) await made(ask, name);
  const pages: [string, number, number, string[]][] = [
    ["", 1, 3, ["a", "b", "c"]],
    ["?startIndex=4", 4, 0, []],
    ["?startIndex=1000000", 1_000_000, 0, []],
    ["?startIndex=3", 3, 1, ["c"]],
    ["?startIndex=2&count=1", 2, 1, ["b"]],
    ["?startIndex=0&count=2", 1, 2, ["a", "b"]],
    ["?startIndex=-7", 1, 3, ["a", "b", "c"]],
    ["?count=0", 1, 0, []],
    ["?count=-3", 1, 0, []],
    ["?count=1000000", 1, 3, ["a", "b", "c"]],
    ["?startIndex=&count=", 1, 3, ["a", "b", "c"]],
  ];
  for (const [query, startIndex, itemsPerPage, page] of pages) {
    const answer = await ask("GET", `/Users${query}`);
    assert.equal(answer.status, 200, query);
    const { body } = answer;
    assert.deepEqual(
      [body.totalResults, body.startIndex, body.itemsPerPage],
      [3, startIndex, itemsPerPage],
      query,
    );
    assert.deepEqual(names(answer), page, query);
  }
  for (const query of [
    "?startIndex=x",
    "?count=1.5",
    "?count=NaN",
    "?startIndex=1&startIndex=2",
    "?count=0x10",
  ]) {
    const { status, body } = await ask("GET", `/Users${query}`);
    assert.deepEqual([status, body.scimType], [400, "invalidValue"], query);
  }
});

test("a filter that fits nobody gives an empty list", async () => {
  const { ask } = await doors.open();
  const { status, body } = await ask("GET", filtered('userName eq "nobody"'));
  assert.deepEqual([status, body.totalResults, body.itemsPerPage, body.Resources], [200, 0, 0, []]);
});

test("user names are compared without case, in filters and where they must be unique, of any alphabet", async () => {
  const { ask } = await doors.open();
  await made(ask, "Jürgen.Straße");
  await made(ask, "ΟΔΥΣΣΕΥΣ", { externalId: "E1" });
  const fits: [string, string[]][] = [
    ['userName eq "jürgen.STRASSE"', ["Jürgen.Straße"]],
    ['userName eq "JU\u0308RGEN.stra\u1E9Ee"', ["Jürgen.Straße"]],
    ['userName eq "οδυσσευς"', ["ΟΔΥΣΣΕΥΣ"]],
    ['userName co "GEN.STRASS"', ["Jürgen.Straße"]],
    ['userName sw "οδυσ"', ["ΟΔΥΣΣΕΥΣ"]],
    ['userName ew "ΣΕΎΣ"', []],
    ['userName ew "σευς"', ["ΟΔΥΣΣΕΥΣ"]],
    ['userName ne "JÜRGEN.STRASSE"', ["ΟΔΥΣΣΕΥΣ"]],
    ['USERNAME EQ "jürgen.straße" AND NOT (externalId PR)', ["Jürgen.Straße"]],
    ['externalId eq "e1"', []],
    ['externalId eq "E1"', ["ΟΔΥΣΣΕΥΣ"]],
  ];
  for (const [filter, wanted] of fits)
    assert.deepEqual(names(await ask("GET", filtered(filter))), wanted, filter);
  for (const userName of ["JÜRGEN.STRASSE", "οδυσσεύς".normalize("NFD").replace(/\u0301/, "")]) {
    const { status, body } = await ask("POST", "/Users", plainUser(userName));
    assert.deepEqual([status, body.scimType], [409, "uniqueness"], userName);
  }
});

for (const no of [false, "false", "False"]) {
  test(`\`active: ${JSON.stringify(no)}\` closes the access by POST, PUT and PATCH, and is shown; true opens it again`, async () => {
    const { ask, service } = await doors.open();
    const kernel = service.kernelAt("/scim/v2");
    const born = await made(ask, "late", { active: no, password: "correct-horse" });
    assert.equal(born.body.active, false);
    assert.equal(kernel.opens(born.body.id, "correct-horse"), false);

    const { body } = await made(ask, "ann", { password: "correct-horse" });
    const path = `${USERS}/${body.id}`;
    const state = async () => [(await ask("GET", path)).body.active, kernel.opens(body.id, "correct-horse")];
    assert.deepEqual(await state(), [true, true]);
    const yes = typeof no === "string" ? "True" : true;
    const whole = plainUser("ann");
    const changes: [string, unknown, unknown][] = [
      ["PUT", { ...whole, active: no }, { ...whole, active: yes }],
      [
        "PATCH",
        patch({ op: "replace", path: "active", value: no }),
        patch({ op: "replace", path: "active", value: yes }),
      ],
      [
        "PATCH",
        patch({ op: "Replace", value: { active: no } }),
        patch({ op: "Add", value: { Active: yes } }),
      ],
      [
        "PATCH",
        patch({ op: "add", path: `${CORE}:active`, value: no }),
        patch({ op: "replace", path: "ACTIVE", value: yes }),
      ],
    ];
    for (const [method, off, on] of changes) {
      const closed = await ask(method, path, off);
      assert.deepEqual([closed.status, closed.body.active], [200, false], closed.text);
      assert.deepEqual(await state(), [false, false]);
      assert.deepEqual(names(await ask("GET", filtered("active eq false"))), ["late", "ann"]);
      const opened = await ask(method, path, on);
      assert.deepEqual([opened.status, opened.body.active], [200, true], opened.text);
      assert.deepEqual(await state(), [true, true]);
    }
  });
}

test("a user who is not active stays so when the whole user is put without a word of it, and after a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "turnup-active-"));
  const first = await doors.open([], folder);
  const { body } = await made(first.ask, "ann", { active: false, title: "Dr" });
  const put = await first.ask("PUT", `${USERS}/${body.id}`, plainUser("ann"));
  assert.deepEqual([put.body.active, put.body.title], [false, undefined]);
  await first.service.close();
  const second = await doors.open([], folder);
  const { body: after } = await second.ask("GET", `${USERS}/${body.id}`);
  assert.deepEqual(after.active, false);
  assert.equal(after.meta.version, put.body.meta.version, "the same version as before");
});

test("`active` that is neither yes nor no is refused by name, and changes nothing", async () => {
  const { ask } = await doors.open();
  const { body } = await made(ask, "ann");
  for (const value of ["no", 0, {}, [], "inactive"]) {
    const { status, body: error } = await ask(
      "PATCH",
      `${USERS}/${body.id}`,
      patch({ op: "replace", path: "active", value }),
    );
    if (Array.isArray(value)) continue; // no value
    assert.deepEqual([status, error.scimType], [400, "invalidValue"], JSON.stringify(value));
    assert.match(error.detail, /active/);
  }
  assert.equal((await ask("GET", `${USERS}/${body.id}`)).body.active, true);
});

test("DELETE is taken with a content type, with an empty body and with one that says nothing", async () => {
  const { ask } = await doors.open();
  const ways: [unknown, Record<string, string>][] = [
    [undefined, { "content-type": "application/scim+json" }],
    [undefined, { "content-type": "application/json; charset=utf-8", "content-length": "0" }],
    ["", { "content-type": "application/scim+json" }],
    ["", { "content-type": "text/plain" }],
    ["{}", {}],
    [undefined, { "content-type": "application/x-www-form-urlencoded", "content-length": "0" }],
    [undefined, {}],
  ];
  for (const [body, headers] of ways) {
    const { body: user } = await made(ask, "ann");
    const answer = await ask("DELETE", `${USERS}/${user.id}`, body, headers);
    assert.deepEqual([answer.status, answer.text], [204, ""], JSON.stringify(headers));
    const again = await ask("DELETE", `${USERS}/${user.id}`, body, headers);
    assert.equal(again.status, 404, "it is gone");
  }
  const get = await ask("GET", "/Users", "", { "content-type": "application/scim+json" });
  assert.equal(get.status, 200);
});

test("what a user lacks fits ne, eq null and not; it fits no eq, no order and no pr", async () => {
  const { ask } = await doors.open();
  await made(ask, "with", { title: "Dr", emails: [{ value: "a@x.example", type: "work" }] });
  await made(ask, "without");
  const fits: [string, string[]][] = [
    ["title pr", ["with"]],
    ["not (title pr)", ["without"]],
    ['title ne "Prof"', ["with", "without"]],
    ['title ne "dr"', ["without"]],
    ["title eq null", ["without"]],
    ["title ne null", ["with"]],
    ['title eq ""', []],
    ['title gt "a"', ["with"]],
    ['title le "a"', []],
    ['not (title eq "Dr")', ["without"]],
    ["emails pr", ["with"]],
    ["emails eq null", ["without"]],
    ['emails.type ne "work"', ["without"]],
    ['emails[type eq "work"]', ["with"]],
    ['not (emails[type eq "work"])', ["without"]],
    ["name pr", []],
    ["name.familyName eq null", ["with", "without"]],
    ["externalId eq null", ["with", "without"]],
    ["nickName pr or title pr", ["with"]],
    ["meta.created pr", ["with", "without"]],
    ["groups pr", []],
  ];
  for (const [filter, wanted] of fits)
    assert.deepEqual(names(await ask("GET", filtered(filter))), wanted, filter);
});

test("complex filters, with and before or, groups, lists by their entries, names with their schema", async () => {
  const { ask } = await doors.open();
  await made(ask, "ann", {
    name: { familyName: "O'Malley", givenName: "Ann" },
    emails: [
      { value: "ann@home.example", type: "home" },
      { value: "ann@work.example", type: "work", primary: true },
    ],
    userType: "Employee",
  });
  await made(ask, "bob", { emails: [{ value: "bob@home.example", type: "work" }], userType: "Intern" });
  const since = (await ask("GET", "/Users")).body.Resources[0].meta.created;
  const fits: [string, string[]][] = [
    ['emails[type eq "home" and value co "HOME"]', ["ann"]],
    ['emails[type eq "work" and value co "home"]', ["bob"]],
    ['emails[type eq "work" and not (primary eq true)]', ["bob"]],
    ['emails[primary ne true and type eq "home"]', ["ann"]],
    ['emails[type eq "work"].value eq "ann@work.example"', ["ann"]],
    ['emails co "work.example"', ["ann"]],
    ['emails.value ew "home.example"', ["ann", "bob"]],
    ['userName eq "ann" or userName eq "bob" and userType eq "none"', ["ann"]],
    ['(userName eq "ann" or userName eq "bob") and userType eq "Intern"', ["bob"]],
    ['not (userName eq "ann" and userType eq "Employee")', ["bob"]],
    ['userType eq "Employee" and (emails co "example.com" or emails.value co "work.example")', ["ann"]],
    [`${CORE}:userName sw "A"`, ["ann"]],
    [`${CORE.toUpperCase()}:NAME.familyName co "o'malley"`, ["ann"]],
    [`${EXTENSION_SCHEMA}:state eq "registered"`, ["ann", "bob"]],
    [`meta.created ge "${since}"`, ["ann", "bob"]],
    ['meta.lastModified lt "2011-05-13T04:42:34Z"', []],
    [`schemas eq "${CORE}"`, ["ann", "bob"]],
    ['meta.resourceType eq "User"', ["ann", "bob"]],
    ['phoneNumbers[value sw "+4477"] and active eq true', ["ann", "bob"]],
    ['userName  eq\t"ann"', ["ann"]],
  ];
  for (const [filter, wanted] of fits)
    assert.deepEqual(names(await ask("GET", filtered(filter))), wanted, filter);
  const bad = [
    "",
    " ",
    "userName",
    "userName eq",
    'userName xx "a"',
    'userName eq "a',
    "userName eq a",
    '(userName eq "a"',
    'userName eq "a")',
    'userName eq "a" and',
    'or userName eq "a"',
    "not userName pr",
    'emails[type eq "a"',
    "active gt true",
    'active eq "maybe"',
    'meta.created gt "yesterday"',
    'meta.created co "2026"',
    'password eq "x"',
    'nothing eq "x"',
    'name eq "x"',
    "title co null",
    'urn:none:User:userName eq "x"',
    `${EXTENSION_SCHEMA}:fields pr`,
    "userName eq 1",
    '"userName" eq "x"',
    'emails[foo eq "x"]',
    `${"(".repeat(60)}userName pr${")".repeat(60)}`,
    `userName eq "${"x".repeat(5_000)}"`,
  ];
  for (const filter of bad.slice(2)) {
    const { status, body } = await ask("GET", filtered(filter));
    assert.deepEqual([status, body.scimType], [400, "invalidFilter"], filter);
    assert.match(body.detail, /^The filter cannot be read: .+\.$/s);
  }
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
  const { body } = await made(ask, "bjensen@example.com", WHOLE);
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
  await made(ask, "ann");
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

const ASKED = [
  { name: "email", kind: "email", required: true },
  { name: "accountNumber", kind: "digits", required: false },
] as const;

test("a refused POST leaves nothing that blocks the next of that name or externalId", async () => {
  const { ask, service } = await doors.open([...ASKED]);
  const bad = [
    plainUser("ann", { externalId: "e1" }),
    plainUser("ann", { externalId: "e1", emails: [{ value: "not an address" }] }),
    plainUser("ann", {
      externalId: "e1",
      phoneNumbers: [{ value: "12" }],
      emails: [{ value: "a@b.example" }],
    }),
  ];
  for (const user of bad) {
    const { status, body } = await ask("POST", "/Users", user);
    assert.deepEqual([status, body.scimType], [400, "invalidValue"]);
    assert.match(body.detail, /emails|phoneNumbers/);
    assert.equal(service.kernelAt("/scim/v2").size(), 0);
  }
  const { body } = await made(ask, "ann", { externalId: "e1", emails: [{ value: "a@b.example" }] });
  const refused = await ask(
    "PUT",
    `${USERS}/${body.id}`,
    plainUser("ann", { emails: [{ value: "nonsense" }] }),
  );
  assert.equal(refused.status, 400);
  const { body: after } = await ask("GET", `${USERS}/${body.id}`);
  assert.deepEqual([after.emails, after.meta], [body.emails, body.meta], "a refused change changes nothing");
});

test("what a user no longer says by the core is gone from what the service keeps; what is said of others stays", async () => {
  const fields = [
    { name: "email", kind: "email", required: false },
    { name: "nickName", kind: "text", required: false },
  ] as const;
  const { ask, service } = await doors.open([...fields]);
  const { body } = await made(ask, "ann", { emails: [{ value: "a@b.example" }], nickName: "Annie" });
  const path = `${USERS}/${body.id}`;
  const kept = () => service.kernelAt("/scim/v2").find("north", body.id)?.fields;
  assert.deepEqual(kept(), { email: "a@b.example", nickName: "Annie" });
  await ask("PATCH", path, patch({ op: "replace", path: "title", value: "Dr" }));
  assert.deepEqual(kept(), { email: "a@b.example", nickName: "Annie" });
  await ask("PATCH", path, patch({ op: "remove", path: "emails" }));
  assert.deepEqual(kept(), { nickName: "Annie" });
  await ask("PUT", path, plainUser("ann", { emails: [{ value: "c@d.example" }] }));
  assert.deepEqual(kept(), { email: "c@d.example" });
});

test("what a client that speaks the extension began, its next POST completes, under the same id", async () => {
  const { ask, service } = await doors.open([...ASKED]);
  for (const externalId of ["e1", undefined]) {
    const user = plainUser(`ann-${externalId}`, { schemas: [CORE, EXTENSION_SCHEMA], externalId });
    const begun = await ask("POST", "/Users", user);
    assert.equal(begun.status, 400);
    const { id, needs } = begun.body[EXTENSION_SCHEMA];
    assert.deepEqual(needs, [{ name: "email", problem: "missing" }]);
    const done = await ask("POST", "/Users", { ...user, emails: [{ value: "a@b.example" }] });
    assert.deepEqual([done.status, done.body?.id], [201, id], done.text);
    const again = await ask("POST", "/Users", { ...user, emails: [{ value: "a@b.example" }] });
    assert.equal(again.status, 409);
  }
  assert.equal(service.kernelAt("/scim/v2").size(), 2);
});

test("what was begun for one operator is nobody else's to complete", async () => {
  const { ask, as } = await doors.open([...ASKED]);
  await ask("POST", "/Users", plainUser("ann", { schemas: [CORE, EXTENSION_SCHEMA], externalId: "e1" }));
  const south = await as("south");
  const other = await south("POST", "/Users", plainUser("ann", { emails: [{ value: "s@b.example" }] }));
  assert.equal(other.status, 409);
  const own = await south(
    "POST",
    "/Users",
    plainUser("sue", { externalId: "e1", emails: [{ value: "s@b.example" }] }),
  );
  assert.equal(own.status, 201);
});

test("a client without an externalId is served, and two users may have none", async () => {
  const { ask } = await doors.open();
  const one = await made(ask, "ann");
  const two = await made(ask, "bob");
  assert.deepEqual([one.body.externalId, two.body.externalId], [undefined, undefined]);
  const named = await ask(
    "PATCH",
    `${USERS}/${one.body.id}`,
    patch({ op: "add", path: "externalId", value: "e1" }),
  );
  assert.equal(named.body.externalId, "e1");
  const taken = await ask(
    "PATCH",
    `${USERS}/${two.body.id}`,
    patch({ op: "add", path: "externalId", value: "e1" }),
  );
  assert.deepEqual([taken.status, taken.body.scimType], [409, "uniqueness"]);
  const gone = await ask("PATCH", `${USERS}/${one.body.id}`, patch({ op: "remove", path: "externalId" }));
  assert.equal(gone.body.externalId, undefined);
  assert.equal(
    (await ask("PATCH", `${USERS}/${two.body.id}`, patch({ op: "add", path: "externalId", value: "e1" })))
      .status,
    200,
  );
});

test("PUT replaces the whole, and passes over what only the provider writes", async () => {
  const { ask } = await doors.open();
  const { body } = await made(ask, "bjensen", WHOLE);
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
  const { body: other } = await made(ask, "other");
  const taken = await ask("PUT", `${USERS}/${other.id}`, plainUser("BJENSEN2"));
  assert.deepEqual([taken.status, taken.body.scimType], [409, "uniqueness"]);
  assert.equal((await ask("PUT", `${USERS}/none`, plainUser("x"))).status, 404);
});

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
    const { body } = await made(ask, `ann${at}`, {
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
  const { ask } = await doors.open([...ASKED]);
  const { body } = await made(ask, "ann", { emails: [{ value: "a@x.example", type: "work" }] });
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

test("entity-tags: a user is sent once, and changed by whom who knows it as it is", async () => {
  const { ask } = await doors.open();
  const { body, headers } = await made(ask, "ann");
  const path = `${USERS}/${body.id}`;
  const tag = String(headers.etag);
  assert.deepEqual([tag, headers.location], [body.meta.version, body.meta.location]);
  const unchanged = await ask("GET", path, undefined, { "if-none-match": `"x", ${tag}` });
  assert.deepEqual([unchanged.status, unchanged.text], [304, ""]);
  const change = patch({ op: "replace", path: "title", value: "Dr" });
  for (const [method, sent] of [
    ["PATCH", change],
    ["PUT", plainUser("ann")],
    ["DELETE", undefined],
  ] as const) {
    const old = await ask(method, path, sent, { "if-match": 'W/"0"' });
    assert.equal(old.status, 412, method);
    assert.match(old.body.detail, /version/);
  }
  const changed = await ask("PATCH", path, change, { "if-match": tag });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.etag, tag);
  assert.equal((await ask("GET", path, undefined, { "if-none-match": tag })).status, 200);
  assert.equal((await ask("PATCH", path, change, { "if-match": tag })).status, 412);
  // A change that changes nothing is no other version.
  const same = await ask("PATCH", path, change, { "if-match": "*" });
  assert.equal(same.headers.etag, changed.headers.etag);
  const strong = String(changed.headers.etag).replace("W/", "");
  assert.equal((await ask("DELETE", path, undefined, { "if-match": strong })).status, 204);
});

test("searches by POST, at the root and over users, are lists", async () => {
  const { ask } = await doors.open();
  for (const name of ["a", "b", "c"]) await made(ask, name, { title: name });
  const search = (more: object) => ({
    schemas: ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
    ...more,
  });
  for (const path of ["/.search", `${USERS}/.search`]) {
    const { status, body } = await ask(
      "POST",
      path,
      search({ filter: 'title gt "a"', startIndex: 1, count: 1, attributes: ["title"] }),
    );
    assert.deepEqual([status, body.totalResults, body.itemsPerPage], [200, 2, 1], path);
    assert.deepEqual(Object.keys(body.Resources[0]).sort(), ["id", "schemas", "title"]);
  }
  const { body } = await ask(
    "POST",
    "/.search",
    search({ sortBy: "userName", sortOrder: "descending", excludedAttributes: ["meta"] }),
  );
  assert.deepEqual(
    body.Resources.map(({ userName }: { userName: string }) => userName),
    ["c", "b", "a"],
  );
  assert.deepEqual(names(await ask("GET", "/?count=1")), ["a"]);
  for (const bad of [
    { filter: "a" },
    search({ filter: "x y" }),
    search({ count: "x" }),
    search({ filter: 7 }),
  ])
    assert.equal((await ask("POST", "/.search", bad)).status, 400, JSON.stringify(bad));
});

test("lists are in order as it is advertised: without case, by the primary value, who lacks it last", async () => {
  const { ask } = await doors.open();
  await made(ask, "bob", {
    name: { familyName: "ärger" },
    emails: [{ value: "z@x.example" }, { value: "a@x.example", primary: true }],
  });
  await made(ask, "Ann", { emails: [{ value: "m@x.example" }] });
  await made(ask, "cid", { name: { familyName: "Zorn" } });
  const orders: [string, string[]][] = [
    ["sortBy=userName", ["Ann", "bob", "cid"]],
    ["sortBy=userName&sortOrder=descending", ["cid", "bob", "Ann"]],
    ["sortBy=emails", ["bob", "Ann", "cid"]],
    ["sortBy=emails.value&sortOrder=Descending", ["cid", "Ann", "bob"]],
    ["sortBy=meta.created", ["bob", "Ann", "cid"]],
    [`sortBy=${CORE}:NAME.familyname`, ["cid", "bob", "Ann"]],
    ["sortBy=userName&startIndex=2&count=1", ["bob"]],
  ];
  for (const [query, wanted] of orders)
    assert.deepEqual(names(await ask("GET", `/Users?${query}`)), wanted, query);
  for (const query of ["sortBy=nothing", "sortBy=password", "sortBy=name", "sortBy=userName&sortOrder=up"])
    assert.equal((await ask("GET", `/Users?${query}`)).status, 400, query);
});

test("what is not offered says so: /Me and /Bulk 501, groups 404, another method 405, descriptions are not filtered", async () => {
  const { ask } = await doors.open();
  const refused: [string, string, number, unknown?][] = [
    ["GET", "/Me", 501],
    ["PATCH", "/Me", 501, {}],
    ["POST", "/Bulk", 501, { Operations: [] }],
    ["GET", "/Groups", 404],
    ["POST", "/Groups", 404, {}],
    ["GET", "/Groups/1", 404],
    ["GET", "/Dogs", 404],
    ["PUT", "/Users", 405, {}],
    ["DELETE", "/Users", 405],
    ["POST", `${USERS}/x`, 405, {}],
    ["POST", "/Schemas", 405, {}],
    ["GET", "/Schemas?filter=id%20pr", 403],
    ["GET", "/ResourceTypes?filter=id%20pr", 403],
    ["GET", "/ServiceProviderConfig?filter=a", 403],
    ["GET", "/Schemas/urn:none", 404],
    ["GET", "/ResourceTypes/Group", 404],
    ["GET", `${USERS}/none`, 404],
    ["PATCH", `${USERS}/none`, 404, {}],
    ["DELETE", `${USERS}/none`, 404],
  ];
  for (const [method, path, status, sent] of refused) {
    const answer = await ask(method, path, sent);
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.equal(answer.body.status, String(status));
    assert.ok(answer.body.detail.length > 5 && answer.body.schemas[0].endsWith(":Error"), answer.text);
    assert.match(String(answer.headers["content-type"]), /^application\/scim\+json/);
  }
  assert.equal((await ask("PUT", "/Users", {})).headers.allow, "GET, POST");
});

test("media types: both of the protocol with any charset are read, others are refused; plain JSON is given to whom reads no other", async () => {
  const { ask } = await doors.open();
  const types: [string, number][] = [
    ["application/scim+json", 201],
    ["application/scim+json; charset=utf-8", 201],
    ["application/json", 201],
    ["Application/JSON;charset=UTF-8", 201],
    ["text/plain", 415],
    ["application/xml", 415],
    ["application/x-www-form-urlencoded", 415],
  ];
  for (const [at, [type, status]] of types.entries()) {
    const answer = await ask("POST", "/Users", plainUser(`u${at}`), { "content-type": type });
    assert.equal(answer.status, status, type);
  }
  const typeFor = async (accept: string) =>
    String((await ask("GET", "/Users", undefined, { accept })).headers["content-type"]);
  assert.match(await typeFor("application/json"), /^application\/json/);
  for (const accept of ["application/scim+json", "*/*", "application/json, application/scim+json"])
    assert.match(await typeFor(accept), /^application\/scim\+json/);
});

test("the descriptions say what is so: required is what the service asks for, addresses are of the service that was asked", async () => {
  const { ask } = await doors.open([...ASKED]);
  const { body: schema } = await ask("GET", `/Schemas/${CORE.toUpperCase()}`);
  const required = schema.attributes.filter(({ required: is }: { required: boolean }) => is);
  assert.deepEqual(
    required.map(({ name }: { name: string }) => name),
    ["userName", "emails", "phoneNumbers"],
  );
  const { body: config } = await ask("GET", "/ServiceProviderConfig");
  for (const [what, supported] of Object.entries({
    patch: true,
    filter: true,
    sort: true,
    etag: true,
    changePassword: true,
    bulk: false,
  }))
    assert.equal(config[what].supported, supported, what);
  const { body: all } = await ask("GET", "/Schemas");
  assert.deepEqual([all.totalResults, all.itemsPerPage, all.startIndex], [2, 2, 1]);
  assert.match(all.Resources[0].meta.location, /^https:\/\/127\.0\.0\.1:\d+\/scim\/v2\/Schemas\/urn:/);
  const { body: types } = await ask("GET", "/ResourceTypes/User");
  assert.deepEqual(
    [types.endpoint, types.schema, types.schemaExtensions[0].required],
    ["/Users", CORE, false],
  );
});

test("a password that the client chose opens and is never shown; a changed one takes its place", async () => {
  const { ask, service } = await doors.open();
  const opens = (id: string, password: string) => service.kernelAt("/scim/v2").opens(id, password);
  const { body, text } = await made(ask, "ann", { password: "correct-horse" });
  assert.ok(!text.includes("correct-horse"));
  assert.ok(opens(body.id, "correct-horse"));
  const changed = await ask(
    "PATCH",
    `${USERS}/${body.id}`,
    patch({ op: "replace", path: "password", value: "battery-staple" }),
  );
  assert.ok(changed.status === 200 && !changed.text.includes("battery-staple"));
  assert.deepEqual([opens(body.id, "correct-horse"), opens(body.id, "battery-staple")], [false, true]);
  const short = await ask(
    "PATCH",
    `${USERS}/${body.id}`,
    patch({ op: "replace", path: "password", value: "x" }),
  );
  assert.equal(short.status, 400);
  assert.ok(opens(body.id, "battery-staple"));
});
