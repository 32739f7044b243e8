/**
 * Whose a user is at providers as they are in the field: what they ignore, leave out, lose or answer wrongly when asked for one. Where a habit leaves
 * it open whose user it is, nobody else's is ever taken.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  type After,
  filterOf,
  losingFirst,
  registration,
  STRANGER,
  scimWorld,
  type User,
  withoutExternalId,
} from "../../../test/fixture/scim-world.ts";
import type { WebAnswer } from "../../sim/web/web.ts";
import { USERS } from "../../wire/message/scim.ts";

const refusals: [string, WebAnswer][] = [
  ["400 invalidFilter", { status: 400, body: { scimType: "invalidFilter" } }],
  ["403", { status: 403, body: {} }],
  ["404", { status: 404, body: {} }],
  ["501", { status: 501, body: "not here" }],
];
for (const [what, refusal] of refusals) {
  test(`a filter by externalId that is refused (${what}): the user whose answer was lost is found by name`, async () => {
    const { client, users, asked } = await scimWorld({
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
    const { client, users } = await scimWorld({
      before: (request) => (request.query.has("filter") ? refusal : undefined),
    });
    users.set("u1", STRANGER);
    users.set("u2", { id: "u2", userName: "chosen", externalId: "r1" });
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
    assert.deepEqual([...users.keys()], ["u1"]);
  });
}

test("a filter that is ignored: of the whole list only the user is taken that proves to be ours", async () => {
  const { client, users } = await scimWorld({ ...losingFirst(), filters: [] });
  users.set("u1", STRANGER);
  await client.register(registration());
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "remoteId" in answer && answer.remoteId], ["registered", "u2"]);
});

test("a filter by externalId that is ignored over many users: the name finds ours without walking them", async () => {
  const { client, users, asked } = await scimWorld({
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
  const { client, users, asked } = await scimWorld({ filters: [], after: turningPages(3) });
  for (let at = 1; at <= 10; at++)
    users.set(`u${at}`, { id: `u${at}`, userName: `x${at}`, externalId: at % 4 === 0 ? "r1" : `e${at}` });
  assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
  assert.deepEqual([users.size, users.has("u4"), users.has("u8")], [8, false, false]);
  assert.ok(asked().length <= 8, asked().join());
});

test("a list without an end is walked within a limit, and what it did not show leaves the registration standing", async () => {
  let pages = 0;
  const { client } = await scimWorld({
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
    const { client, users } = await scimWorld({ ...losingFirst(), keep, filters: [] });
    await client.register(registration());
    users.set("u9", { id: "u9", userName: "turnup-r10" });
    const answer = await client.register(registration());
    // The second provider takes the name again, since it looks at `userName`.
    assert.equal(answer.kind, "registered", JSON.stringify(answer));
    assert.ok(!("remoteId" in answer) || answer.remoteId !== "u9");
  }
});

test("a chosen name is no proof: somebody's user without externalId is not taken, another name is asked for", async () => {
  const { client, users, asked } = await scimWorld({ keep: withoutExternalId });
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
    const { client, users } = await scimWorld({
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
  const { client, users } = await scimWorld({
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
    const { client, users, asked } = await scimWorld({
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
  const { client, users } = await scimWorld({
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
    const { client } = await scimWorld({ keep: (user) => ({ ...user, active }) });
    const answer = await client.register(registration());
    assert.deepEqual(
      [answer.kind, "cause" in answer && answer.cause],
      [kind, kind === "failed" && "pending"],
    );
  });
}
