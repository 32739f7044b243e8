/**
 * How a user is changed at providers as they are in the field: with PATCH, with PUT, under tags, where others change it too.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type Habits, registration, scimWorld, type User } from "../../../test/fixture/scim-world.ts";
import type { WebAnswer } from "../../sim/web/web.ts";
import { USERS } from "../../wire/message/scim.ts";

const noPatch: [string, WebAnswer][] = [
  ["405", { status: 405 }],
  ["501", { status: 501, body: {} }],
  ["400 without a word that is SCIM", { status: 400, body: { error: "bad" } }],
  ["400 invalidSyntax", { status: 400, body: { scimType: "invalidSyntax" } }],
  ["404", { status: 404, body: "no route" }],
];
for (const [what, refusal] of noPatch) {
  test(`a PATCH that is advertised and refused (${what}): the whole user is put, with what the provider had`, async () => {
    const { client, users, asked } = await scimWorld({
      before: ({ method }) => (method === "PATCH" ? refusal : undefined),
    });
    users.set("u9", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:theirs"],
      id: "u9",
      ExternalId: "r1",
      UserName: "Ann.Lee",
      meta: { version: 'W/"7"' },
      title: "Dr",
      "urn:example:theirs": { tariff: "gold" },
      name: { honorificPrefix: "Dr", givenName: "Old" },
      emails: [
        { value: "ann@work.example", type: "work", primary: true },
        { value: "old@example.net", type: "Home" },
      ],
    });
    const answer = await client.register(registration({ remoteId: "u9" }));
    assert.ok(answer.kind === "registered", JSON.stringify(answer));
    assert.deepEqual(asked(), [`GET ${USERS}/u9`, `PATCH ${USERS}/u9`, `PUT ${USERS}/u9`]);
    const { phoneNumbers, ...user } = users.get("u9")!;
    assert.deepEqual(user, {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:theirs"],
      id: "u9",
      externalId: "r1",
      UserName: "Ann.Lee",
      title: "Dr",
      "urn:example:theirs": { tariff: "gold" },
      name: { honorificPrefix: "Dr", givenName: "Ann", familyName: "Lee", formatted: "Ann Lee" },
      emails: [
        { value: "ann@work.example", type: "work", primary: true },
        { value: "ann@example.net", type: "home" },
      ],
      locale: "en-GB",
      preferredLanguage: "en-GB",
      active: true,
    });
    assert.deepEqual(phoneNumbers, [{ value: "+447700900123", type: "mobile", primary: true }]);
  });
}

test("that a provider has no PATCH is learned once", async () => {
  const { client, users, asked } = await scimWorld({
    before: ({ method }) => (method === "PATCH" ? { status: 405 } : undefined),
  });
  for (const id of ["r1", "r2"]) users.set(id, { id, externalId: id, userName: id });
  for (const id of ["r1", "r2"]) await client.register(registration({ id, remoteId: id }));
  assert.equal(asked().filter((one) => one.startsWith("PATCH")).length, 1);
});

test("a PATCH that is refused for a value asks for it, and nothing is put", async () => {
  const { client, users, asked } = await scimWorld({
    before: ({ method }) =>
      method === "PATCH"
        ? {
            status: 400,
            body: { ScimType: "InvalidValue", Detail: "emails.value is no address" },
          }
        : undefined,
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
  const answer = await client.register(registration({ remoteId: "u9" }));
  assert.ok(answer.kind === "needs_information", JSON.stringify(answer));
  assert.deepEqual(answer.fields, [{ name: "email", problem: "corrupt" }]);
  assert.ok(asked().every((one) => !one.startsWith("PUT")));
});

test("a provider whose PATCH adds to a list what is to take its place is given the whole user: no old number stays", async () => {
  const old = [{ value: "+447700900999", type: "Mobile" }];
  const { client, users, asked } = await scimWorld({
    before({ method, text }, kept) {
      if (method !== "PATCH") return undefined;
      const [{ value }] = (JSON.parse(text) as { Operations: [{ value: { phoneNumbers: object[] } }] })
        .Operations;
      kept.set("u9", { ...kept.get("u9"), ...value, phoneNumbers: [...old, ...value.phoneNumbers] });
      return { status: 200, body: kept.get("u9") };
    },
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1", phoneNumbers: old });
  assert.equal((await client.register(registration({ remoteId: "u9" }))).kind, "registered");
  assert.deepEqual(asked().slice(1), [`PATCH ${USERS}/u9`, `PUT ${USERS}/u9`]);
  assert.deepEqual(users.get("u9")?.phoneNumbers, [
    { value: "+447700900123", type: "mobile", primary: true },
  ]);
});

test("PUT and PATCH that answer 204, or 200 without a body, are looked at", async () => {
  for (const status of [200, 204, 202]) {
    for (const patch of [true, false]) {
      const { client, users } = await scimWorld({
        config: { status: 200, body: { patch: { supported: patch } } },
        after: (answer, { method }) => (method === "PUT" || method === "PATCH" ? { status } : answer),
      });
      users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
      const answer = await client.register(registration({ remoteId: "u9" }));
      assert.deepEqual([answer.kind, "remoteId" in answer && answer.remoteId], ["registered", "u9"]);
    }
  }
});

const descriptions: [string, WebAnswer][] = [
  ["forbidden", { status: 403, body: {} }],
  ["missing", { status: 404, body: {} }],
  ["out of order for ever", { status: 500, body: "<html>oops</html>" }],
  ["a page in HTML", { status: 200, body: "<html>SCIM</html>" }],
  ["an empty success", { status: 204 }],
  ["a redirect to a page to sign in", { status: 302, headers: { location: "/login" } }],
];
for (const [what, config] of descriptions) {
  test(`a ServiceProviderConfig that is ${what} keeps nobody from being registered, completed and ended`, async () => {
    const { client, users, asked } = await scimWorld({ config });
    const answer = await client.register(registration());
    assert.ok(answer.kind === "registered", JSON.stringify(answer));
    assert.equal((await client.register(registration({ remoteId: answer.remoteId }))).kind, "registered");
    assert.equal(asked().at(-1), `PUT ${USERS}/u1`, "what every provider must have");
    assert.deepEqual(await client.remove({ id: "r1", remoteId: "u1" }), { kind: "done" });
    assert.equal(users.size, 0);
  });
}

test("a provider that says nothing of PATCH and has no PUT is patched", async () => {
  const { client, users, asked } = await scimWorld({
    config: { status: 404, body: {} },
    before: ({ method }) => (method === "PUT" ? { status: 405 } : undefined),
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
  assert.equal((await client.register(registration({ remoteId: "u9" }))).kind, "registered");
  assert.equal(asked().at(-1), `PATCH ${USERS}/u9`);
});

function wantingTag(status: 412 | 428, comparison: "weak" | "strong", where: "header" | "meta"): Habits {
  let version = 1;
  const tag = () => (where === "header" ? `W/"${version}"` : `"${version}"`);
  return {
    before({ method, headers }) {
      if (!["PUT", "PATCH", "DELETE"].includes(method)) return undefined;
      const given = headers["if-match"];
      if (comparison === "strong") return given === undefined ? undefined : { status: 412, body: {} };
      if (given === tag()) {
        version++;
        return undefined;
      }
      return { status: given === undefined ? status : 412, body: {} };
    },
    after(answer, { method, path }) {
      if (method !== "GET" || !path.includes(`${USERS}/`) || answer.status !== 200) return answer;
      return where === "header"
        ? { ...answer, headers: { etag: tag() } }
        : { ...answer, body: { ...(answer.body as User), meta: { version: String(version) } } };
    },
  };
}
for (const [status, comparison, where] of [
  [412, "weak", "header"],
  [428, "weak", "header"],
  [428, "weak", "meta"],
  [412, "strong", "header"],
] as const) {
  test(`a provider that wants If-Match (${status}, tag in its ${where}, ${comparison} comparison) is completed and ended`, async () => {
    const { client, users } = await scimWorld(wantingTag(status, comparison, where));
    users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
    assert.equal((await client.register(registration({ remoteId: "u9" }))).kind, "registered");
    assert.deepEqual(await client.remove({ id: "r1", remoteId: "u9" }), { kind: "done" });
    assert.equal(users.size, 0);
  });
}

test("a user that others change all the time is not overwritten: it is tried again later", async () => {
  let version = 0;
  const { client, users } = await scimWorld({
    before: ({ method }) => (method === "PATCH" || method === "PUT" ? { status: 412, body: {} } : undefined),
    after: (answer, { method }) =>
      method === "GET" ? { ...answer, headers: { etag: `"${version++}"` } } : answer,
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
  const answer = await client.register(registration({ remoteId: "u9" }));
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "busy"]);
});

test("409 at a change means that the name is taken: another is asked for where it was chosen", async () => {
  const { client, users } = await scimWorld({
    before: ({ method }) => (method === "PATCH" || method === "PUT" ? { status: 409, body: {} } : undefined),
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
  const answer = await client.register(registration({ remoteId: "u9", fields: { userName: "ann" } }));
  assert.deepEqual(answer, {
    kind: "needs_information",
    remoteId: "u9",
    fields: [{ name: "userName", problem: "corrupt" }],
  });
});

test("a user that is gone for good (410) is registered anew, and its removal is done", async () => {
  const { client, users } = await scimWorld({
    before: ({ path }) => (path.endsWith("/gone") ? { status: 410, body: {} } : undefined),
  });
  assert.equal((await client.register(registration({ remoteId: "gone" }))).kind, "registered");
  assert.equal(users.size, 1);
  assert.deepEqual(await client.remove({ id: "r1", remoteId: "gone" }), { kind: "done" });
});
