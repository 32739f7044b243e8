/**
 * The reference service server's protocol over real HTTPS: methods, media types, entity-tags, descriptions of itself, and what it
 * does not offer (RFC 7644 clauses 3 and 4).
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  ASKED,
  CORE,
  createPlainUser,
  patch,
  plainUser,
  scimDoors,
} from "../../../test/fixture/scim-door.ts";
import { USERS } from "../../wire/message/scim.ts";

const doors = await scimDoors();

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
    const { body: user } = await createPlainUser(ask, "ann");
    const answer = await ask("DELETE", `${USERS}/${user.id}`, body, headers);
    assert.deepEqual([answer.status, answer.text], [204, ""], JSON.stringify(headers));
    const again = await ask("DELETE", `${USERS}/${user.id}`, body, headers);
    assert.equal(again.status, 404, "it is gone");
  }
  const get = await ask("GET", "/Users", "", { "content-type": "application/scim+json" });
  assert.equal(get.status, 200);
});

test("entity-tags: a user is sent once, and changed by whom who knows it as it is", async () => {
  const { ask } = await doors.open();
  const { body, headers } = await createPlainUser(ask, "ann");
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
  const { ask } = await doors.open(ASKED);
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
