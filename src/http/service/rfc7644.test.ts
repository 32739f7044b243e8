/**
 * A walk through the examples of RFC 7644, clauses 3.2 to 3.6, as they stand there, over real HTTPS with a certificate and a
 * token. What had to be fitted: each user has a telephone number, which every service here asks for; groups are not offered;
 * texts in filters stand in quotes, as the grammar of clause 3.4.2.2 has them.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  type Ask,
  CORE,
  createUser,
  filtered,
  patch,
  scimDoors,
  userNamesOf,
} from "../../../test/fixture/scim-door.ts";
import { USERS } from "../../wire/message/scim.ts";

const doors = await scimDoors();
const MESSAGES = "urn:ietf:params:scim:api:messages:2.0";
const phoneNumbers = [{ value: "+15555554444", type: "mobile" }];
const BJENSEN = {
  schemas: [CORE],
  userName: "bjensen",
  externalId: "bjensen",
  name: { formatted: "Ms. Barbara J Jensen III", familyName: "Jensen", givenName: "Barbara" },
  phoneNumbers,
};
const create = (ask: Ask, user: object = BJENSEN) => createUser(ask, user);

test("3.3 creating resources: 201 with Location, ETag and the whole user", async () => {
  const { ask } = await doors.open();
  const { status, headers, body } = await create(ask);
  assert.equal(status, 201);
  assert.match(String(headers["content-type"]), /^application\/scim\+json/);
  assert.match(
    String(headers.location),
    new RegExp(`^https://127\\.0\\.0\\.1:\\d+/scim/v2${USERS}/${body.id}$`),
  );
  assert.match(String(headers.etag), /^W\/"[^"]+"$/);
  assert.ok(body.schemas.includes(CORE));
  assert.deepEqual([body.externalId, body.userName, body.name], ["bjensen", "bjensen", BJENSEN.name]);
  const { resourceType, created, lastModified, location, version } = body.meta;
  assert.deepEqual([resourceType, location, version], ["User", headers.location, headers.etag]);
  assert.equal(created, lastModified);
  assert.equal(new Date(created).toISOString(), created);
});

test("3.3 creating resources: one that is there already is a conflict", async () => {
  const { ask } = await doors.open();
  await create(ask);
  const { status, body } = await ask("POST", "/Users", { ...BJENSEN, externalId: "another" });
  assert.equal(status, 409);
  assert.deepEqual([body.schemas, body.status, body.scimType], [[`${MESSAGES}:Error`], "409", "uniqueness"]);
});

test("3.4.1 retrieving a known resource", async () => {
  const { ask } = await doors.open();
  const { body: made } = await create(ask);
  const { status, headers, body } = await ask("GET", `${USERS}/${made.id}`, undefined, {
    accept: "application/scim+json",
  });
  assert.equal(status, 200);
  assert.deepEqual([headers.location, headers.etag], [made.meta.location, made.meta.version]);
  assert.deepEqual(
    [body.id, body.userName, body.meta, body.phoneNumbers],
    [made.id, "bjensen", made.meta, phoneNumbers],
  );
});

test("3.4.2 query resources: a list with the attribute that was asked for", async () => {
  const { ask } = await doors.open();
  const one = await create(ask, { ...BJENSEN, userName: "dschrute", externalId: "d" });
  const two = await create(ask, { ...BJENSEN, userName: "mscott", externalId: "m" });
  const { status, body } = await ask("GET", "/Users?attributes=userName");
  assert.equal(status, 200);
  assert.deepEqual([body.totalResults, body.schemas], [2, [`${MESSAGES}:ListResponse`]]);
  assert.deepEqual(
    body.Resources.map(({ id, userName }: { id: string; userName: string }) => [id, userName]),
    [
      [one.body.id, "dschrute"],
      [two.body.id, "mscott"],
    ],
  );
  const none = await ask("GET", filtered('userName eq "nobody"'));
  assert.deepEqual([none.status, none.body.totalResults], [200, 0]);
});

test("3.4.2.1 query endpoints: of users, of one user, and of the root", async () => {
  const { ask } = await doors.open();
  const { body: made } = await create(ask);
  const root = `/?filter=${encodeURIComponent('(meta.resourceType eq "User") or (meta.resourceType eq "Group")')}`;
  for (const path of ["/Users", "/", root])
    assert.deepEqual(userNamesOf(await ask("GET", path)), ["bjensen"], path);
  assert.equal((await ask("GET", `${USERS}/${made.id}`)).status, 200);
  assert.equal((await ask("GET", "/Groups")).status, 404, "groups are not offered, and it says so");
});

test("3.4.2.2 filtering: every example", async () => {
  const { ask } = await doors.open();
  const user = (userName: string, more: object) =>
    create(ask, { schemas: [CORE], userName, phoneNumbers, ...more });
  await user("john", {
    title: "Tour Guide",
    userType: "Employee",
    emails: [{ value: "john@example.com", type: "work" }],
  });
  await user("bjensen", {
    name: { familyName: "O'Malley" },
    userType: "Intern",
    emails: [{ value: "b@example.org", type: "home" }],
    ims: [{ value: "b@foo.com", type: "xmpp" }],
  });
  await user("Jim", { userType: "Employee", emails: [{ value: "jim@jensen.org", type: "home" }] });
  const all = ["john", "bjensen", "Jim"];
  const examples: [string, string[]][] = [
    ['userName Eq "john"', ["john"]],
    ['Username eq "john"', ["john"]],
    ['userName eq "bjensen"', ["bjensen"]],
    [`name.familyName co "O'Malley"`, ["bjensen"]],
    ['userName sw "J"', ["john", "Jim"]],
    [`${CORE}:userName sw "J"`, ["john", "Jim"]],
    ["title pr", ["john"]],
    ['meta.lastModified gt "2011-05-13T04:42:34Z"', all],
    ['meta.lastModified ge "2011-05-13T04:42:34Z"', all],
    ['meta.lastModified lt "2011-05-13T04:42:34Z"', []],
    ['meta.lastModified le "2011-05-13T04:42:34Z"', []],
    ['title pr and userType eq "Employee"', ["john"]],
    ['title pr or userType eq "Intern"', ["john", "bjensen"]],
    ['schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"', []],
    ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', ["john"]],
    ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', []],
    ['userType eq "Employee" and (emails.type eq "work")', ["john"]],
    ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', ["john"]],
    [
      'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
      ["john", "bjensen"],
    ],
  ];
  for (const [filter, wanted] of examples) {
    const answer = await ask("GET", filtered(filter));
    assert.equal(answer.status, 200, filter);
    assert.deepEqual(userNamesOf(answer), wanted, filter);
  }
  const { status, body } = await ask("GET", filtered("userName foo"));
  assert.deepEqual([status, body.scimType], [400, "invalidFilter"]);
});

test("3.4.2.3 and 3.4.2.4 sorting and pagination: pages of ten of a hundred", async () => {
  const { ask } = await doors.open();
  const users = Array.from({ length: 100 }, (_, at) => `user${String(99 - at).padStart(2, "0")}`);
  for (const userName of users) await create(ask, { schemas: [CORE], userName, phoneNumbers });
  const { body } = await ask("GET", "/Users?startIndex=1&count=10");
  assert.deepEqual(
    [body.totalResults, body.itemsPerPage, body.startIndex, body.Resources.length],
    [100, 10, 1, 10],
  );
  const last = await ask("GET", "/Users?sortBy=userName&sortOrder=ascending&startIndex=91&count=10");
  assert.deepEqual(userNamesOf(last), users.toReversed().slice(90));
  const past = await ask("GET", "/Users?startIndex=101&count=10");
  assert.deepEqual([past.body.totalResults, past.body.itemsPerPage, past.body.Resources], [100, 0, []]);
});

test("3.4.3 querying resources using HTTP POST", async () => {
  const { ask } = await doors.open();
  const { body: made } = await create(ask, { ...BJENSEN, displayName: "Smith Berry" });
  await create(ask, { ...BJENSEN, userName: "other", externalId: "o", displayName: "Jones" });
  const { status, body } = await ask("POST", "/.search", {
    schemas: [`${MESSAGES}:SearchRequest`],
    attributes: ["displayName", "userName"],
    filter: 'displayName sw "smith"',
    startIndex: 1,
    count: 10,
  });
  assert.equal(status, 200);
  assert.deepEqual(
    [body.schemas, body.totalResults, body.itemsPerPage, body.startIndex],
    [[`${MESSAGES}:ListResponse`], 1, 1, 1],
  );
  const [{ id, displayName, userName, name, meta }] = body.Resources;
  assert.deepEqual(
    [id, displayName, userName, name, meta],
    [made.id, "Smith Berry", "bjensen", undefined, undefined],
  );
});

test("3.5.1 replacing with PUT", async () => {
  const { ask } = await doors.open();
  const { body: made } = await create(ask, { ...BJENSEN, roles: [{ value: "guide" }], title: "Tour Guide" });
  const emails = [{ value: "bjensen@example.com" }, { value: "babs@jensen.org" }];
  const name = { ...BJENSEN.name, middleName: "Jane" };
  const sent = { ...BJENSEN, id: made.id, name, roles: [], emails };
  const { status, headers, body } = await ask("PUT", `${USERS}/${made.id}`, sent, {
    "if-match": made.meta.version,
  });
  assert.equal(status, 200);
  assert.deepEqual([headers.location, headers.etag], [made.meta.location, body.meta.version]);
  assert.notEqual(body.meta.version, made.meta.version);
  assert.deepEqual(
    [body.id, body.userName, body.externalId, body.name, body.emails],
    [made.id, "bjensen", "bjensen", name, emails],
  );
  assert.deepEqual([body.roles, body.title, body.meta.created], [undefined, undefined, made.meta.created]);
  assert.equal(
    (await ask("PUT", `${USERS}/2819c223-7f76-453a-919d-413861904646`, sent)).status,
    404,
    "PUT makes nobody",
  );
});

test("3.5.2.1 PATCH, add: a list and a name in another case; the members of a group are not offered", async () => {
  const { ask } = await doors.open();
  const { body: made } = await create(ask);
  const add = patch({
    op: "add",
    value: { emails: [{ value: "babs@jensen.org", type: "home" }], nickname: "Babs" },
  });
  const { status, body } = await ask("PATCH", `${USERS}/${made.id}`, add, { "if-match": made.meta.version });
  assert.equal(status, 200);
  assert.deepEqual([body.emails, body.nickName], [[{ value: "babs@jensen.org", type: "home" }], "Babs"]);
  const again = await ask("PATCH", `${USERS}/${made.id}`, add);
  assert.deepEqual(again.body.meta, body.meta, "what is there already changes nothing");
  const members = [{ display: "Babs Jensen", value: made.id }];
  const group = await ask("PATCH", "/Groups/acbf3ae7", patch({ op: "add", path: "members", value: members }));
  assert.equal(group.status, 404);
});

test("3.5.2.2 PATCH, remove: by a filter, and all", async () => {
  const { ask } = await doors.open();
  const emails = [
    { value: "bjensen@example.com", type: "work", primary: true },
    { value: "bjensen@example.org", type: "work" },
    { value: "babs@jensen.org", type: "home" },
  ];
  const { body: made } = await create(ask, { ...BJENSEN, emails });
  const path = 'emails[type eq "work" and value ew "example.com"]';
  const { status, body } = await ask("PATCH", `${USERS}/${made.id}`, patch({ op: "remove", path }));
  assert.equal(status, 200);
  assert.deepEqual(body.emails, emails.slice(1));
  const all = await ask("PATCH", `${USERS}/${made.id}`, patch({ op: "remove", path: "emails" }));
  assert.deepEqual([all.status, all.body.emails], [200, undefined]);
  const noPath = await ask("PATCH", `${USERS}/${made.id}`, patch({ op: "remove" }));
  assert.deepEqual([noPath.status, noPath.body.scimType], [400, "noTarget"]);
  const required = await ask("PATCH", `${USERS}/${made.id}`, patch({ op: "remove", path: "userName" }));
  assert.deepEqual([required.status, required.body.scimType], [400, "mutability"]);
  // Remove and add in one request, as the clause's last example does with members.
  const both = patch(
    { op: "remove", path: 'phoneNumbers[value eq "+15555554444"]' },
    { op: "add", path: "phoneNumbers", value: [{ value: "+15555550000", type: "mobile" }] },
  );
  const swapped = await ask("PATCH", `${USERS}/${made.id}`, both);
  const { phoneNumbers: after } = swapped.body;
  assert.deepEqual([swapped.status, after], [200, [{ value: "+15555550000", type: "mobile" }]]);
});

test("3.5.2.3 PATCH, replace: a value by a filter, a part of it, and several attributes at once", async () => {
  const { ask } = await doors.open();
  const home = { type: "home", streetAddress: "456 Hollywood Blvd", locality: "Hollywood", country: "USA" };
  const { body: made } = await create(ask, {
    ...BJENSEN,
    addresses: [{ type: "work", locality: "Old" }, home],
  });
  const work = {
    type: "work",
    streetAddress: "911 Universal City Plaza",
    locality: "Hollywood",
    region: "CA",
    postalCode: "91608",
    country: "US",
    formatted: "911 Universal City Plaza\nHollywood, CA 91608 US",
    primary: true,
  };
  const path = `${USERS}/${made.id}`;
  const whole = await ask(
    "PATCH",
    path,
    patch({ op: "replace", path: 'addresses[type eq "work"]', value: work }),
  );
  assert.deepEqual([whole.status, whole.body.addresses], [200, [work, home]]);
  const streetAddress = "1010 Broadway Ave";
  const street = patch({
    op: "replace",
    path: 'addresses[type eq "work"].streetAddress',
    value: streetAddress,
  });
  const part = await ask("PATCH", path, street);
  assert.deepEqual([part.status, part.body.addresses], [200, [{ ...work, streetAddress }, home]]);
  const emails = [
    { value: "bjensen@example.com", type: "work", primary: true },
    { value: "babs@jensen.org", type: "home" },
  ];
  const several = await ask("PATCH", path, patch({ op: "replace", value: { emails, nickname: "Babs" } }));
  assert.deepEqual([several.status, several.body.emails, several.body.nickName], [200, emails, "Babs"]);
  const none = await ask(
    "PATCH",
    path,
    patch({ op: "replace", path: 'addresses[type eq "other"]', value: work }),
  );
  assert.deepEqual([none.status, none.body.scimType], [400, "noTarget"]);
});

test("3.6 deleting resources: gone with its entity-tag, and gone for all", async () => {
  const { ask } = await doors.open();
  const { body: made } = await create(ask);
  const old = await ask("DELETE", `${USERS}/${made.id}`, undefined, { "if-match": 'W/"c310cd84f0281b7"' });
  assert.equal(old.status, 412);
  const gone = await ask("DELETE", `${USERS}/${made.id}`, undefined, { "if-match": made.meta.version });
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  for (const [method, sent] of [
    ["GET", undefined],
    ["PUT", BJENSEN],
    ["PATCH", patch({ op: "add", path: "title", value: "x" })],
    ["DELETE", undefined],
  ] as const) {
    const { status, body } = await ask(method, `${USERS}/${made.id}`, sent);
    assert.deepEqual([status, body.schemas, body.status], [404, [`${MESSAGES}:Error`], "404"], method);
  }
  assert.equal((await ask("GET", "/Users")).body.totalResults, 0);
  await create(ask);
});
