/** Users of the reference service server as clients list and seek them: pages, filters, searches and order (RFC 7644 clause 3.4). */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  CORE,
  createPlainUser,
  filtered,
  plainUser,
  scimDoors,
  userNamesOf,
} from "../../../test/fixture/scim-door.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";

const doors = await scimDoors();

test("a page past the end is empty and says so truly; what lies before the first is the first", async () => {
  const { ask } = await doors.open();
  for (const name of ["a", "b", "c"]) await createPlainUser(ask, name);
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
    assert.deepEqual(userNamesOf(answer), page, query);
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
  await createPlainUser(ask, "Jürgen.Straße");
  await createPlainUser(ask, "ΟΔΥΣΣΕΥΣ", { externalId: "E1" });
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
    assert.deepEqual(userNamesOf(await ask("GET", filtered(filter))), wanted, filter);
  for (const userName of ["JÜRGEN.STRASSE", "οδυσσεύς".normalize("NFD").replace(/\u0301/, "")]) {
    const { status, body } = await ask("POST", "/Users", plainUser(userName));
    assert.deepEqual([status, body.scimType], [409, "uniqueness"], userName);
  }
});

test("what a user lacks fits ne, eq null and not; it fits no eq, no order and no pr", async () => {
  const { ask } = await doors.open();
  await createPlainUser(ask, "with", { title: "Dr", emails: [{ value: "a@x.example", type: "work" }] });
  await createPlainUser(ask, "without");
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
    assert.deepEqual(userNamesOf(await ask("GET", filtered(filter))), wanted, filter);
});

test("complex filters, with and before or, groups, lists by their entries, names with their schema", async () => {
  const { ask } = await doors.open();
  await createPlainUser(ask, "ann", {
    name: { familyName: "O'Malley", givenName: "Ann" },
    emails: [
      { value: "ann@home.example", type: "home" },
      { value: "ann@work.example", type: "work", primary: true },
    ],
    userType: "Employee",
  });
  await createPlainUser(ask, "bob", {
    emails: [{ value: "bob@home.example", type: "work" }],
    userType: "Intern",
  });
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
    assert.deepEqual(userNamesOf(await ask("GET", filtered(filter))), wanted, filter);
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

test("searches by POST, at the root and over users, are lists", async () => {
  const { ask } = await doors.open();
  for (const name of ["a", "b", "c"]) await createPlainUser(ask, name, { title: name });
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
  assert.deepEqual(userNamesOf(await ask("GET", "/?count=1")), ["a"]);
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
  await createPlainUser(ask, "bob", {
    name: { familyName: "ärger" },
    emails: [{ value: "z@x.example" }, { value: "a@x.example", primary: true }],
  });
  await createPlainUser(ask, "Ann", { emails: [{ value: "m@x.example" }] });
  await createPlainUser(ask, "cid", { name: { familyName: "Zorn" } });
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
    assert.deepEqual(userNamesOf(await ask("GET", `/Users?${query}`)), wanted, query);
  for (const query of ["sortBy=nothing", "sortBy=password", "sortBy=name", "sortBy=userName&sortOrder=up"])
    assert.equal((await ask("GET", `/Users?${query}`)).status, 400, query);
});
