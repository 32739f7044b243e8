/**
 * The SCIM client against providers that are not ours: no extension, no PATCH, errors in free text, habits of their own.
 * What is spoken with them is RFC 7643 and RFC 7644 alone.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import type { ServiceRegistration } from "../../kernel/calls/connectors.ts";
import { startWeb, type WebAnswer, type WebFault, type WebRequest } from "../../sim/web/web.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";
import { fixedToken } from "../exchange/token.ts";
import { serviceDirectory } from "./directory.ts";
import { scimServiceServer } from "./scim-client.ts";

const SECRET = "hush-hush-7f31";
const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Provider = {
  readonly patch?: boolean;
  readonly extension?: boolean;
  /** Answers a request about users; undefined leaves it to the plain provider. */
  users?(request: WebRequest): WebAnswer | undefined;
  fault?(number: number, request: WebRequest): WebFault | undefined;
  /** Short for one that never answers whole; a busy machine takes its time for all others. */
  readonly timeoutMs?: number;
};
/** A provider with a store of users and nothing special. */
async function world(provider: Provider = {}) {
  const users = new Map<string, Record<string, unknown>>();
  const came: WebRequest[] = [];
  const web = await startWeb({
    secret: SECRET,
    ...(provider.fault ? { fault: provider.fault } : {}),
    answer(request) {
      if (request.path === "/ServiceProviderConfig")
        return { status: 200, body: { patch: { supported: provider.patch ?? true } } };
      if (request.path.startsWith("/Schemas/"))
        return provider.extension
          ? { status: 200, body: { id: EXTENSION_SCHEMA } }
          : { status: 404, body: {} };
      came.push(request);
      return provider.users?.(request) ?? plain(request, users);
    },
  });
  const { timeoutMs = 5_000 } = provider;
  const client = scimServiceServer({ url: web.url, tokens: fixedToken(SECRET), timeoutMs });
  closers.push(web.close, client.close);
  return { client, users, came, web };
}
function plain(
  { method, path, query, text }: WebRequest,
  users: Map<string, Record<string, unknown>>,
): WebAnswer {
  const id = path.split("/")[2];
  const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  if (method === "POST") {
    if ([...users.values()].some(({ externalId }) => externalId === body.externalId))
      return { status: 409, body: { scimType: "uniqueness", detail: "it is there" } };
    const made = { ...body, id: `u${users.size + 1}` };
    users.set(made.id, made);
    return { status: 201, headers: { location: `https://provider.example${USERS}/${made.id}` }, body: made };
  }
  if (method === "GET" && id === undefined) {
    const [, wanted] = /^externalId eq "(.*)"$/.exec(query.get("filter") ?? "") ?? [];
    return {
      status: 200,
      body: { Resources: [...users.values()].filter(({ externalId }) => externalId === wanted) },
    };
  }
  const known = users.get(id ?? "");
  if (!known) return { status: 404, body: {} };
  if (method === "DELETE") users.delete(id ?? "");
  return method === "DELETE" ? { status: 204 } : { status: 200, body: known };
}
const registration = (more: Partial<ServiceRegistration> = {}): ServiceRegistration => ({
  id: "r1",
  remoteId: null,
  msisdn: "447700900123",
  user: {
    givenName: "Ann",
    familyName: "Lee",
    email: "ann@example.net",
    fax: "+442079460000",
    streetName: "High Street",
    streetNumber: "4",
    postalCode: "N1 9GU",
    locality: "London",
    country: "GB",
    birthdate: "1980-02-29",
  },
  fields: { nickName: "Annie", accountNumber: "77" },
  language: "en-GB",
  ...more,
});

test("a provider without our extension gets a user of the core schema, whole, and nothing else", async () => {
  const { client, users } = await world();
  const answer = await client.register(registration());
  assert.deepEqual(answer, {
    kind: "registered",
    remoteId: "u1",
    accessData: { userName: "turnup-r1", address: `https://provider.example${USERS}/u1` },
  });
  assert.deepEqual(users.get("u1"), {
    id: "u1",
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    externalId: "r1",
    userName: "turnup-r1",
    name: { givenName: "Ann", familyName: "Lee", formatted: "Ann Lee" },
    emails: [{ value: "ann@example.net", type: "home", primary: true }],
    phoneNumbers: [
      { value: "+447700900123", type: "mobile", primary: true },
      { value: "+442079460000", type: "fax" },
    ],
    addresses: [
      {
        postalCode: "N1 9GU",
        locality: "London",
        country: "GB",
        streetAddress: "High Street 4",
        type: "home",
      },
    ],
    nickName: "Annie",
    locale: "en-GB",
    preferredLanguage: "en-GB",
    active: true,
  });
});

test("with the extension, what the core has no place for stands there", async () => {
  const { client, users } = await world({ extension: true });
  await client.register(registration());
  const user = users.get("u1");
  assert.ok(user);
  const { fields } = user[EXTENSION_SCHEMA] as { fields: { name: string; value: string }[] };
  const said = new Map(fields.map(({ name, value }) => [name, value]));
  assert.deepEqual([said.get("accountNumber"), said.get("birthdate")], ["77", "1980-02-29"]);
});

test("an answer that was lost: the repeat meets 409, finds its user by externalId and goes on with it", async () => {
  let lost = false;
  const { client, users } = await world({
    fault(_, { method }) {
      if (method !== "POST" || lost) return undefined;
      lost = true;
      return "lose_answer";
    },
  });
  assert.equal((await client.register(registration())).kind, "failed");
  const answer = await client.register(registration());
  assert.ok(answer.kind === "registered");
  assert.equal(answer.remoteId, "u1");
  assert.equal(users.size, 1);
});

test("409 without a user of ours means that the name is taken", async () => {
  const { client } = await world({
    users: ({ method }) =>
      method === "POST" ? { status: 409, body: { scimType: "uniqueness" } } : undefined,
  });
  const answer = await client.register(registration());
  assert.ok(answer.kind === "refused");
  assert.equal(answer.cause, "user_name_taken");
});

const details: [string, object][] = [
  ["Attribute 'emails.value' has an invalid value", { email: "corrupt" }],
  ["name.middleName is required, as is title.", { middleName: "missing", title: "missing" }],
  ["phoneNumbers: not a number of this country", { msisdn: "corrupt" }],
];
for (const [detail, wanted] of details) {
  test(`"${detail}" asks for just what it names`, async () => {
    const { client } = await world({
      users: () => ({ status: 400, body: { scimType: "invalidValue", detail } }),
    });
    const answer = await client.register(registration());
    assert.ok(answer.kind === "needs_information");
    assert.equal(answer.remoteId, null);
    assert.deepEqual(Object.fromEntries(answer.fields.map(({ name, problem }) => [name, problem])), wanted);
  });
}

for (const body of [
  { scimType: "invalidValue", detail: "no" },
  { scimType: "invalidSyntax", detail: "emails" },
  null,
]) {
  test(`a 400 that names no field (${JSON.stringify(body)}) is refused: nobody could complete it`, async () => {
    const { client } = await world({ users: () => ({ status: 400, body }) });
    assert.equal((await client.register(registration())).kind, "refused");
  });
}

for (const [patch, method] of [
  [true, "PATCH"],
  [false, "PUT"],
] as const) {
  test(`a provider that ${patch ? "takes" : "does not take"} PATCH is completed by ${method}`, async () => {
    const { client, came, users } = await world({ patch });
    users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
    const answer = await client.register(registration({ remoteId: "u9" }));
    assert.ok(answer.kind === "registered");
    const change = came.find((request) => request.method === method);
    assert.ok(change);
    assert.equal(
      came.some(({ method: used }) => used === (patch ? "PUT" : "PATCH")),
      false,
    );
    assert.ok(change.text.includes("ann@example.net"));
  });
}

test("a user that is gone over there is registered anew", async () => {
  const { client, users } = await world();
  const answer = await client.register(registration({ remoteId: "gone" }));
  assert.equal(answer.kind, "registered");
  assert.equal(users.size, 1);
});

test("an answer with somebody else's user is no registration", async () => {
  const { client } = await world({
    users: () => ({ status: 201, body: { id: "u1", externalId: "r2", userName: "bob" } }),
  });
  const answer = await client.register(registration());
  assert.ok(answer.kind === "failed");
  assert.equal(answer.cause, "bad_answer");
});

test("a user who is not active yet is asked for again", async () => {
  const { client } = await world({ users: () => ({ status: 201, body: { id: "u1", active: false } }) });
  const answer = await client.register(registration());
  assert.ok(answer.kind === "failed");
  assert.equal(answer.cause, "pending");
});

const statuses: [number, string, string][] = [
  [401, "refused", "unauthorised"],
  [403, "refused", "unauthorised"],
  [413, "refused", "malformed"],
  [429, "failed", "busy"],
  [500, "failed", "busy"],
  [302, "failed", "bad_answer"],
];
for (const [status, kind, cause] of statuses) {
  test(`HTTP ${status} is ${kind}: ${cause}, at the registration and at the removal`, async () => {
    const { client } = await world({ users: () => ({ status, body: { detail: SECRET } }) });
    for (const answer of [
      await client.register(registration()),
      await client.remove({ id: "r1", remoteId: "u1" }),
    ]) {
      assert.deepEqual([answer.kind, "cause" in answer && answer.cause], [kind, cause]);
      assert.ok(!JSON.stringify(answer).includes(SECRET));
    }
  });
}

const faults: [WebFault, string][] = [
  ["late", "timeout"],
  ["drip", "timeout"],
  ["huge", "bad_answer"],
  ["not_json", "bad_answer"],
  ["redirect", "bad_answer"],
  ["down", "busy"],
  ["lose_request", "unreachable"],
];
for (const [fault, cause] of faults) {
  test(`a provider with the habit ${fault} has registered nobody: ${cause}`, async () => {
    const { client } = await world({
      fault: (_, { method }) => (method === "POST" ? fault : undefined),
      ...(cause === "timeout" && { timeoutMs: 250 }),
    });
    const answer = await client.register(registration());
    assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", cause]);
    for (const secret of [SECRET, "447700900123", "ann@example.net"])
      assert.ok(!JSON.stringify(answer).includes(secret));
  });
}

const everybody =
  (users: () => Map<string, Record<string, unknown>>) =>
  ({ method, path }: WebRequest): WebAnswer | undefined =>
    method === "GET" && path === USERS
      ? { status: 200, body: { Resources: [...users().values()] } }
      : undefined;

test("a registration whose id over there nobody learned is ended by ours: all that bear it, and nobody else", async () => {
  for (const isFiltering of [true, false]) {
    const store: { users: Map<string, Record<string, unknown>> } = { users: new Map() };
    const { client, users, came } = await world({
      users: isFiltering ? () => undefined : everybody(() => store.users),
    });
    store.users = users;
    for (const [id, externalId] of [
      ["u7", "r1"],
      ["u8", "r2"],
      ["u9", "r1"],
    ])
      users.set(id!, { id, externalId, userName: `turnup-${externalId}` });
    users.set("ann", { id: "ann", userName: "r1" });
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
    assert.deepEqual([...users.keys()], ["u8", "ann"], `a provider that filters: ${isFiltering}`);
    assert.deepEqual(
      came.map(({ method, path }) => `${method} ${path}`),
      [`GET ${USERS}`, `DELETE ${USERS}/u7`, `DELETE ${USERS}/u9`],
    );
    assert.equal(came[0]!.query.get("filter"), 'externalId eq "r1"');
    assert.deepEqual(
      await client.remove({ id: "r1", remoteId: null }),
      { kind: "done" },
      "there is none any more",
    );
    assert.deepEqual([...users.keys()], ["u8", "ann"]);
  }
});

const listed =
  (body: unknown) =>
  ({ method }: WebRequest): WebAnswer | undefined =>
    method === "GET" ? { status: 200, body } : undefined;

test("a list that says itself that there is none ends nothing and is done (RFC 7644 §3.4.2)", async () => {
  const { client } = await world({ users: listed({ totalResults: 0 }) });
  assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
});

test("409 with a list that shows a part of the users is no word that the name is taken", async () => {
  const { client } = await world({
    users: ({ method }) =>
      method === "POST"
        ? { status: 409, body: { scimType: "uniqueness" } }
        : { status: 200, body: { totalResults: 300, Resources: [{ id: "u8", externalId: "r2" }] } },
  });
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
});

test("a search that fails, a user that is not ended, or one without an id leave the registration standing", async () => {
  const answers: [string, (request: WebRequest) => WebAnswer | undefined, string, string][] = [
    [
      "no search",
      ({ method }) => (method === "GET" ? { status: 500, body: {} } : undefined),
      "failed",
      "busy",
    ],
    [
      "no right",
      ({ method }) => (method === "GET" ? { status: 403, body: {} } : undefined),
      "refused",
      "unauthorised",
    ],
    ["no list", listed("x"), "failed", "bad_answer"],
    ["an error as a success", listed({ detail: "not today" }), "failed", "bad_answer"],
    ["none shown of two", listed({ totalResults: 2 }), "failed", "bad_answer"],
    [
      "a page of all, which ours is not on",
      listed({ totalResults: 300, Resources: [{ id: "u8", externalId: "r2" }] }),
      "failed",
      "bad_answer",
    ],
    [
      "no end",
      ({ method }) => (method === "DELETE" ? { status: 503, body: {} } : undefined),
      "failed",
      "busy",
    ],
    ["no id", listed({ Resources: [{ externalId: "r1" }] }), "failed", "bad_answer"],
  ];
  for (const [name, users, kind, cause] of answers) {
    const { client, users: kept } = await world({ users });
    kept.set("u1", { id: "u1", externalId: "r1" });
    const answer = await client.remove({ id: "r1", remoteId: null });
    assert.deepEqual([answer.kind, "cause" in answer && answer.cause], [kind, cause], name);
    assert.equal(kept.size, 1, name);
  }
});

test("what a provider can do is asked once", async () => {
  const { client, web, came } = await world();
  await client.register(registration());
  await client.register(registration({ id: "r2" }));
  assert.equal(web.requests() - came.length, 2);
});

test("a service without a contract has no server; two of one URI, and a bound token without a certificate, are refused", () => {
  const access = { kind: "bearer", token: "t" } as const;
  const directory = serviceDirectory([{ uri: "https://a.example/scim/", access }], 100);
  closers.push(directory.close);
  assert.ok(directory.serverOf("https://a.example/scim"));
  assert.equal(directory.serverOf("https://b.example/scim"), undefined);
  const twice = [
    { uri: "https://a.example/scim", access },
    { uri: "https://a.example/scim/", access },
  ];
  assert.throws(() => serviceDirectory(twice, 100), RangeError);
  const bound = { kind: "certificate_bound", tokenUrl: "https://a.example/token", clientId: "c" } as const;
  assert.throws(() => serviceDirectory([{ uri: "https://a.example", access: bound }], 100), RangeError);
  assert.throws(() => serviceDirectory([{ uri: "http://a.example", access }], 100), RangeError);
});
