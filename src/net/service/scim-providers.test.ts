/**
 * The SCIM client against providers as they are in the field: what they refuse, ignore, leave out or write in a manner of
 * their own, each habit alone. Where a habit leaves it open whose user it is, nobody else's is ever taken.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import type { ServiceRegistration } from "../../kernel/calls/connectors.ts";
import { startWeb, type WebAnswer, type WebRequest } from "../../sim/web/web.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";
import { fixedToken } from "../exchange/token.ts";
import { scimServiceServer } from "./scim-client.ts";

const SECRET = "hush-hush-7f31";
const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type User = Record<string, unknown>;
type Habits = {
  /** Answers instead, or undefined. */
  before?(request: WebRequest, users: Map<string, User>): WebAnswer | undefined;
  /** Changes what the provider would answer. */
  after?(answer: WebAnswer, request: WebRequest, users: Map<string, User>): WebAnswer;
  /** What the provider keeps of a user that is made or changed. */
  keep?(user: User): User;
  /** Which filters it looks at; all others get the whole list. */
  readonly filters?: readonly ("externalId" | "userName")[];
  readonly config?: WebAnswer;
  readonly extension?: boolean;
  now?(): number;
};

type After = NonNullable<Habits["after"]>;

/** A provider that keeps users by RFC 7644, but for its habits. */
async function world(habits: Habits = {}) {
  const users = new Map<string, User>();
  const came: WebRequest[] = [];
  const web = await startWeb({
    secret: SECRET,
    answer(request) {
      came.push(request);
      const answer = habits.before?.(request, users) ?? byTheBook(request, users, habits);
      return habits.after?.(answer, request, users) ?? answer;
    },
  });
  const client = scimServiceServer(
    { url: `${web.url}/scim/v2`, tokens: fixedToken(SECRET), timeoutMs: 5_000 },
    habits.now,
  );
  closers.push(web.close, client.close);
  const asked = () =>
    came
      .filter(({ path }) => path.startsWith(`/scim/v2${USERS}`))
      .map(({ method, path }) => `${method} ${path.slice("/scim/v2".length)}`);
  return { client, users, came, asked, web };
}

function byTheBook(request: WebRequest, users: Map<string, User>, habits: Habits): WebAnswer {
  const { method, query, text } = request;
  const path = request.path.slice("/scim/v2".length);
  if (path === "/ServiceProviderConfig")
    return habits.config ?? { status: 200, body: { patch: { supported: true } } };
  if (path.startsWith("/Schemas/"))
    return habits.extension ? { status: 200, body: { id: EXTENSION_SCHEMA } } : { status: 404, body: {} };
  const keep = habits.keep ?? ((user: User) => user);
  const id = path.split("/")[2];
  const body = text === "" ? {} : (JSON.parse(text) as User);
  if (method === "POST") {
    const isTaken = [...users.values()].some(
      ({ userName }) => String(userName).toLowerCase() === String(body.userName).toLowerCase(),
    );
    if (isTaken) return { status: 409, body: { scimType: "uniqueness", detail: "it is there" } };
    const made: User = { ...keep(body), id: `u${users.size + 1}` };
    users.set(String(made.id), made);
    return { status: 201, headers: { location: `${request.path}/${made.id}` }, body: made };
  }
  if (method === "GET" && id === undefined) {
    const [, name = "", value] = /^(\w+) eq "(.*)"$/.exec(query.get("filter") ?? "") ?? [];
    const isLookedAt = (habits.filters ?? ["externalId", "userName"]).some((one) => one === name);
    const all = [...users.values()].filter((user) => !isLookedAt || user[name] === value);
    return { status: 200, body: { totalResults: all.length, Resources: all } };
  }
  const known = users.get(id ?? "");
  if (!known) return { status: 404, body: {} };
  if (method === "DELETE") users.delete(id ?? "");
  if (method === "PUT") users.set(id ?? "", keep(body));
  if (method === "PATCH") {
    const { Operations = [] } = body as { Operations?: { value: User }[] };
    users.set(id ?? "", keep(Object.assign({}, known, ...Operations.map(({ value }) => value))));
  }
  return method === "DELETE" ? { status: 204 } : { status: 200, body: users.get(id ?? "") };
}

const registration = (more: Partial<ServiceRegistration> = {}): ServiceRegistration => ({
  id: "r1",
  remoteId: null,
  msisdn: "447700900123",
  user: { givenName: "Ann", familyName: "Lee", email: "ann@example.net" },
  fields: {},
  language: "en-GB",
  ...more,
});
const STRANGER = { id: "u1", userName: "bob", externalId: "r2" };
/** Drops externalId, as providers do that know no other id than their own. */
const withoutExternalId = ({ externalId: _, ...user }: User): User => user;
/** The first POST is done over there, and its answer lost. */
function losingFirst(): { readonly after: After } {
  let isLost = false;
  return {
    after(answer, { method }) {
      if (method !== "POST" || isLost) return answer;
      isLost = true;
      return { status: 502, body: "<html>Bad gateway</html>" };
    },
  };
}
const filterOf = ({ query }: WebRequest): string => query.get("filter") ?? "";

const refusals: [string, WebAnswer][] = [
  ["400 invalidFilter", { status: 400, body: { scimType: "invalidFilter" } }],
  ["403", { status: 403, body: {} }],
  ["404", { status: 404, body: {} }],
  ["501", { status: 501, body: "not here" }],
];
for (const [what, refusal] of refusals) {
  test(`a filter by externalId that is refused (${what}): the user whose answer was lost is found by name`, async () => {
    const { client, users, asked } = await world({
      ...losingFirst(),
      before: (request) => (filterOf(request).startsWith("externalId") ? refusal : undefined),
    });
    users.set("u1", STRANGER);
    assert.equal((await client.register(registration())).kind, "failed");
    const answer = await client.register(registration());
    assert.ok(answer.kind === "registered", JSON.stringify(answer));
    assert.equal(answer.remoteId, "u2");
    assert.equal(users.size, 2);
    assert.equal(asked().filter((one) => one.startsWith("GET")).length, 2);
  });

  test(`filters that are all refused (${what}): the list is walked, for a removal too`, async () => {
    const { client, users } = await world({
      before: (request) => (request.query.has("filter") ? refusal : undefined),
    });
    users.set("u1", STRANGER);
    users.set("u2", { id: "u2", userName: "chosen", externalId: "r1" });
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
    assert.deepEqual([...users.keys()], ["u1"]);
  });
}

test("a filter that is ignored: of the whole list only the user is taken that proves to be ours", async () => {
  const { client, users } = await world({ ...losingFirst(), filters: [] });
  users.set("u1", STRANGER);
  await client.register(registration());
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "remoteId" in answer && answer.remoteId], ["registered", "u2"]);
});

test("a filter by externalId that is ignored over many users: the name finds ours without walking them", async () => {
  const { client, users, asked } = await world({
    ...losingFirst(),
    filters: ["userName"],
    after: turningPages(2, losingFirst().after),
  });
  for (let at = 1; at <= 9; at++)
    users.set(`u${at}`, { id: `u${at}`, userName: `x${at}`, externalId: `e${at}` });
  await client.register(registration());
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "remoteId" in answer && answer.remoteId], ["registered", "u10"]);
  assert.equal(asked().filter((one) => one.startsWith("GET")).length, 2);
});

/** Shows so many users a page (RFC 7644 clause 3.4.2.4). */
function turningPages(size: number, then: After = (answer) => answer): After {
  return (answer, request, users) => {
    const { Resources } = (answer.body ?? {}) as { Resources?: User[] };
    if (!Resources) return then(answer, request, users);
    const from = Number(request.query.get("startIndex") ?? 1);
    const page = Resources.slice(from - 1, from - 1 + size);
    const body = {
      totalResults: Resources.length,
      startIndex: from,
      itemsPerPage: page.length,
      Resources: page,
    };
    return { status: 200, body };
  };
}

test("a list in pages is walked to its end: all users of ours are ended, and nobody else", async () => {
  const { client, users, asked } = await world({ filters: [], after: turningPages(3) });
  for (let at = 1; at <= 10; at++)
    users.set(`u${at}`, { id: `u${at}`, userName: `x${at}`, externalId: at % 4 === 0 ? "r1" : `e${at}` });
  assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
  assert.deepEqual([users.size, users.has("u4"), users.has("u8")], [8, false, false]);
  assert.ok(asked().length <= 8, asked().join());
});

test("a list without an end is walked within a limit, and what it did not show leaves the registration standing", async () => {
  let pages = 0;
  const { client } = await world({
    before({ method, path }) {
      if (method !== "GET" || path !== `/scim/v2${USERS}`) return undefined;
      pages++;
      return {
        status: 200,
        body: { totalResults: 10 ** 9, Resources: [{ id: `x${pages}`, externalId: "e" }] },
      };
    },
  });
  const answer = await client.remove({ id: "r1", remoteId: null });
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
  assert.ok(pages <= 60, `${pages} pages`);
});

test("externalId that is kept but not shown, or not kept: the name that we made proves whose user it is", async () => {
  for (const keep of [
    withoutExternalId,
    ({ externalId: _, userName, ...user }: User) => ({ ...user, UserName: userName }),
  ]) {
    const { client, users } = await world({ ...losingFirst(), keep, filters: [] });
    await client.register(registration());
    users.set("u9", { id: "u9", userName: "turnup-r10" });
    const answer = await client.register(registration());
    // The second provider takes the name again, since it looks at `userName`.
    assert.equal(answer.kind, "registered", JSON.stringify(answer));
    assert.ok(!("remoteId" in answer) || answer.remoteId !== "u9");
  }
});

test("a chosen name is no proof: somebody's user without externalId is not taken, another name is asked for", async () => {
  const { client, users, asked } = await world({ keep: withoutExternalId });
  users.set("u1", { id: "u1", userName: "Ann" });
  const answer = await client.register(registration({ fields: { userName: "ann" } }));
  assert.deepEqual(answer, {
    kind: "needs_information",
    remoteId: null,
    fields: [{ name: "userName", problem: "corrupt" }],
  });
  assert.ok(asked().every((one) => !/^(PUT|PATCH|DELETE)/.test(one)));
});

test("a chosen name whose user shows no externalId is ours where the filter by externalId proves to work", async () => {
  for (const isHonest of [true, false]) {
    const kept = new Map<string, unknown>();
    const { client, users } = await world({
      ...losingFirst(),
      before(request) {
        const [, wanted] = /^externalId eq "(.*)"$/.exec(filterOf(request)) ?? [];
        if (request.method === "POST") kept.set("u1", (JSON.parse(request.text) as User).externalId);
        if (wanted === undefined) return undefined;
        const found = [...users.values()].filter(({ id }) => !isHonest || kept.get(String(id)) === wanted);
        return { status: 200, body: { totalResults: found.length, Resources: found } };
      },
      keep: withoutExternalId,
    });
    const wanted = registration({ fields: { userName: "ann" } });
    await client.register(wanted);
    const answer = await client.register(wanted);
    assert.equal(answer.kind, isHonest ? "registered" : "needs_information", JSON.stringify(answer));
  }
});

test("user names are compared without case", async () => {
  const { client, users } = await world({
    ...losingFirst(),
    keep: ({ externalId: _, userName, ...user }) => ({ ...user, userName: String(userName).toUpperCase() }),
    filters: [],
  });
  await client.register(registration());
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "remoteId" in answer && answer.remoteId], ["registered", "u1"]);
  assert.equal(users.size, 1);
});

const made: [string, (answer: WebAnswer) => WebAnswer, string][] = [
  [
    "201 without a body, with a relative Location",
    ({ headers }) => ({ status: 201, headers: headers! }),
    "GET",
  ],
  [
    "201 without a body, with the Location of an inner host",
    () => ({ status: 201, headers: { location: `http://inner.example/idm/v2${USERS}/u1` } }),
    "GET",
  ],
  ["201 with neither body nor Location", () => ({ status: 201 }), "GET"],
  ["200", ({ body }) => ({ status: 200, body }), "POST"],
  ["200 with an empty object", () => ({ status: 200, body: {} }), "GET"],
  ["202", () => ({ status: 202 }), "GET"],
  ["204", () => ({ status: 204 }), "GET"],
  [
    "201 with a user without an id, and Location",
    ({ headers }) => ({ status: 201, headers: headers!, body: { userName: "turnup-r1" } }),
    "POST",
  ],
];
for (const [what, after, last] of made) {
  test(`a user that was made, answered by ${what}, is registered under its id`, async () => {
    const { client, users, asked } = await world({
      after: (answer, { method }) => (method === "POST" ? after(answer) : answer),
    });
    const answer = await client.register(registration());
    assert.deepEqual(
      [answer.kind, "remoteId" in answer && answer.remoteId],
      ["registered", "u1"],
      JSON.stringify(answer),
    );
    assert.equal(users.size, 1);
    assert.ok(asked().at(-1)?.startsWith(last), asked().join());
  });
}

test("a Location that leads to somebody else's user registers nobody", async () => {
  const { client, users } = await world({
    after: (answer, { method }) =>
      method === "POST" ? { status: 201, headers: { location: `/scim/v2${USERS}/u1` } } : answer,
  });
  users.set("u1", STRANGER);
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
});

for (const [active, kind] of [
  ["true", "registered"],
  ["True", "registered"],
  ["False", "failed"],
  ["false", "failed"],
] as const) {
  test(`\`active\` as the text "${active}" is understood`, async () => {
    const { client } = await world({ keep: (user) => ({ ...user, active }) });
    const answer = await client.register(registration());
    assert.deepEqual(
      [answer.kind, "cause" in answer && answer.cause],
      [kind, kind === "failed" && "pending"],
    );
  });
}

const noPatch: [string, WebAnswer][] = [
  ["405", { status: 405 }],
  ["501", { status: 501, body: {} }],
  ["400 without a word that is SCIM", { status: 400, body: { error: "bad" } }],
  ["400 invalidSyntax", { status: 400, body: { scimType: "invalidSyntax" } }],
  ["404", { status: 404, body: "no route" }],
];
for (const [what, refusal] of noPatch) {
  test(`a PATCH that is advertised and refused (${what}): the whole user is put, with what the provider had`, async () => {
    const { client, users, asked } = await world({
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
  const { client, users, asked } = await world({
    before: ({ method }) => (method === "PATCH" ? { status: 405 } : undefined),
  });
  for (const id of ["r1", "r2"]) users.set(id, { id, externalId: id, userName: id });
  for (const id of ["r1", "r2"]) await client.register(registration({ id, remoteId: id }));
  assert.equal(asked().filter((one) => one.startsWith("PATCH")).length, 1);
});

test("a PATCH that is refused for a value asks for it, and nothing is put", async () => {
  const { client, users, asked } = await world({
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
  const { client, users, asked } = await world({
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
      const { client, users } = await world({
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
    const { client, users, asked } = await world({ config });
    const answer = await client.register(registration());
    assert.ok(answer.kind === "registered", JSON.stringify(answer));
    assert.equal((await client.register(registration({ remoteId: answer.remoteId }))).kind, "registered");
    assert.equal(asked().at(-1), `PUT ${USERS}/u1`, "what every provider must have");
    assert.deepEqual(await client.remove({ id: "r1", remoteId: "u1" }), { kind: "done" });
    assert.equal(users.size, 0);
  });
}

test("a provider that does not take our token for its description is told nothing of the user", async () => {
  const { client, came } = await world({ config: { status: 401, body: {} } });
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["refused", "unauthorised"]);
  assert.ok(came.every(({ method, text }) => method === "GET" && text === ""));
});

test("a provider that says nothing of PATCH and has no PUT is patched", async () => {
  const { client, users, asked } = await world({
    config: { status: 404, body: {} },
    before: ({ method }) => (method === "PUT" ? { status: 405 } : undefined),
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
  assert.equal((await client.register(registration({ remoteId: "u9" }))).kind, "registered");
  assert.equal(asked().at(-1), `PATCH ${USERS}/u9`);
});

test("schemas that are out of order for a moment are asked for again", async () => {
  let asked = 0;
  const { client, users } = await world({
    extension: true,
    before({ path }) {
      if (!path.includes("/Schemas/")) return undefined;
      return asked++ === 0 ? { status: 503, body: {} } : undefined;
    },
  });
  await client.register(registration());
  await client.register(registration({ id: "r2" }));
  assert.equal(users.get("u1")?.[EXTENSION_SCHEMA], undefined);
  assert.ok(users.get("u2")?.[EXTENSION_SCHEMA]);
});

test("names of attributes, schema URNs and booleans in any case are understood", async () => {
  const { client } = await world({
    config: { status: 200, body: { PATCH: { Supported: "True" } } },
    before({ path, method }) {
      if (path.includes("/Schemas/"))
        return { status: 200, body: { Resources: [{ ID: EXTENSION_SCHEMA.toUpperCase() }] } };
      if (method !== "POST") return undefined;
      const extension = { STATE: "registered", accessdata: [{ name: "password", value: "p" }] };
      const user = { ID: "u1", EXTERNALID: "r1", username: "x", [EXTENSION_SCHEMA.toLowerCase()]: extension };
      return { status: 201, body: user };
    },
  });
  assert.deepEqual(await client.register(registration()), {
    kind: "registered",
    remoteId: "u1",
    accessData: { password: "p" },
  });
});

test("ids that are JSON numbers are taken as they were written, and never rounded", async () => {
  const answers: [string, string | undefined][] = [
    ['{"id":12345,"externalId":"r1"}', "12345"],
    ['{"id":0,"externalId":"r1"}', "0"],
    [
      '{"id":12345678901234567890,"externalId":"r1","meta":{"location":"Users/12345678901234567890"}}',
      "12345678901234567890",
    ],
    ['{"id":12345678901234567890,"externalId":"r1"}', undefined],
  ];
  for (const [text, remoteId] of answers) {
    const { client } = await world({
      before: ({ method, path }) =>
        method === "POST" || path.includes(`${USERS}/`) ? { status: 201, body: JSON.parse(text) } : undefined,
    });
    const answer = await client.register(registration());
    assert.equal("remoteId" in answer ? answer.remoteId : undefined, remoteId, text);
  }
});

test("an externalId that comes back as a number is ours, and another number is not", async () => {
  for (const [externalId, kind] of [
    [77, "registered"],
    [78, "failed"],
  ] as const) {
    const { client } = await world({ keep: (user) => ({ ...user, externalId }) });
    assert.equal((await client.register(registration({ id: "77" }))).kind, kind);
  }
});

test("a list without Resources is empty where it says so, as a number or as a text", async () => {
  for (const totalResults of [0, "0"]) {
    const { client } = await world({
      before: ({ method, path }) =>
        method === "GET" && path.endsWith(USERS) ? { status: 200, body: { totalResults } } : undefined,
    });
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
  }
});

test("totalResults as a text counts: a part of the users is no whole", async () => {
  const { client } = await world({
    before: ({ method, path }) =>
      method === "GET" && path.endsWith(USERS)
        ? { status: 200, body: { totalResults: "300", Resources: [STRANGER] } }
        : undefined,
  });
  const answer = await client.remove({ id: "r1", remoteId: null });
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
});

/** Wants the tag that the user has now; `strong` compares as RFC 9110 clause 13.1.1 says, which no weak tag passes. */
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
    const { client, users } = await world(wantingTag(status, comparison, where));
    users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
    assert.equal((await client.register(registration({ remoteId: "u9" }))).kind, "registered");
    assert.deepEqual(await client.remove({ id: "r1", remoteId: "u9" }), { kind: "done" });
    assert.equal(users.size, 0);
  });
}

test("a user that others change all the time is not overwritten: it is tried again later", async () => {
  let version = 0;
  const { client, users } = await world({
    before: ({ method }) => (method === "PATCH" || method === "PUT" ? { status: 412, body: {} } : undefined),
    after: (answer, { method }) =>
      method === "GET" ? { ...answer, headers: { etag: `"${version++}"` } } : answer,
  });
  users.set("u9", { id: "u9", externalId: "r1", userName: "turnup-r1" });
  const answer = await client.register(registration({ remoteId: "u9" }));
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "busy"]);
});

test("a relative Location is where the user is found, as an address under the provider's own", async () => {
  const { addressOf, idAt } = await import("./scim-user.ts");
  const base = new URL("https://provider.example/scim/v2/");
  for (const location of [
    `/scim/v2${USERS}/u1`,
    `${USERS.slice(1)}/u1`,
    `.${USERS}/u1`,
    `https://provider.example/scim/v2${USERS}/u1`,
  ]) {
    assert.equal(addressOf(location, base)?.href, `https://provider.example/scim/v2${USERS}/u1`, location);
    assert.equal(idAt(location, base), "u1");
  }
  for (const location of ["", undefined, 7, "https://", "/scim/v2/Groups/u1", `${USERS}/%zz`, `${USERS}/`])
    assert.equal(idAt(location, base), undefined, String(location));
});

for (const type of [
  "application/json",
  "application/scim+json; charset=utf-8",
  "text/plain",
  "application/SCIM+JSON",
]) {
  test(`an answer of type ${type} is read`, async () => {
    const { client } = await world({
      after: (answer) => ({ ...answer, headers: { ...answer.headers, "content-type": type } }),
    });
    assert.equal((await client.register(registration())).kind, "registered");
  });
}

test("a provider that takes application/json alone is told so, once it said it", async () => {
  const { client, came } = await world({
    before: ({ headers, text }) =>
      text !== "" && headers["content-type"] !== "application/json" ? { status: 415, body: {} } : undefined,
  });
  assert.equal((await client.register(registration())).kind, "registered");
  assert.equal((await client.register(registration({ id: "r2" }))).kind, "registered");
  assert.equal(came.filter(({ method }) => method === "POST").length, 3);
});

for (const [what, headers, waitMs] of [
  ["30 s", { "retry-after": "30" }, 30_000],
  [
    "a time",
    { date: "Sun, 29 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 29 Nov 2026 10:02:00 GMT" },
    120_000,
  ],
] as const) {
  test(`who asks to wait (${what}) is not asked before`, async () => {
    let nowMs = 1_000;
    let isBusy = true;
    const { client, came } = await world({
      now: () => nowMs,
      before: ({ method }) => (isBusy && method === "POST" ? { status: 429, headers, body: {} } : undefined),
    });
    const busy = await client.register(registration());
    assert.deepEqual([busy.kind, "cause" in busy && busy.cause], ["failed", "busy"]);
    isBusy = false;
    const before = came.length;
    nowMs += waitMs - 1;
    for (const answer of [
      await client.register(registration()),
      await client.remove({ id: "r1", remoteId: "u1" }),
    ])
      assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "busy"]);
    assert.equal(came.length, before);
    nowMs += 1;
    assert.equal((await client.register(registration())).kind, "registered");
  });
}

test("a refusal whose body is not SCIM, or nothing, is a refusal without an invented reason", async () => {
  for (const body of [
    undefined,
    "<html>no</html>",
    [],
    { Errors: [{ code: "400", description: "emails" }] },
    7,
  ]) {
    const { client } = await world({
      before: ({ method }) => (method === "POST" ? { status: 400, body } : undefined),
    });
    const answer = await client.register(registration());
    assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["refused", "malformed"]);
  }
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect (${status}) is followed nowhere: neither token nor user goes to where it leads`, async () => {
    const other = await startWeb({ answer: () => ({ status: 201, body: { id: "u1", externalId: "r1" } }) });
    closers.push(other.close);
    const { client } = await world({
      before: ({ method }) =>
        method === "POST" ? { status, headers: { location: `${other.url}/scim/v2${USERS}` } } : undefined,
    });
    const answer = await client.register(registration());
    assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
    assert.equal(other.requests(), 0);
  });
}

test("409 at a change means that the name is taken: another is asked for where it was chosen", async () => {
  const { client, users } = await world({
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

for (const status of [400, 422, 500]) {
  test(`"uniqueness" said with ${status} is met as 409 is`, async () => {
    const { client, users } = await world({
      ...losingFirst(),
      before: ({ method }, kept) =>
        method === "POST" && kept.size > 0 ? { status, body: { scimType: "uniqueness" } } : undefined,
    });
    await client.register(registration());
    const answer = await client.register(registration());
    assert.deepEqual([answer.kind, users.size], ["registered", 1]);
  });
}

test("a user that is gone for good (410) is registered anew, and its removal is done", async () => {
  const { client, users } = await world({
    before: ({ path }) => (path.endsWith("/gone") ? { status: 410, body: {} } : undefined),
  });
  assert.equal((await client.register(registration({ remoteId: "gone" }))).kind, "registered");
  assert.equal(users.size, 1);
  assert.deepEqual(await client.remove({ id: "r1", remoteId: "gone" }), { kind: "done" });
});
