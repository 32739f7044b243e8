/**
 * How providers as they are in the field write and refuse: names in any case, numbers, places, media types, bodies that are none.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { closers, losingFirst, registration, STRANGER, scimWorld } from "../../../test/fixture/scim-world.ts";
import { startWeb } from "../../sim/web/web.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";

test("a provider that does not take our token for its description is told nothing of the user", async () => {
  const { client, came } = await scimWorld({ config: { status: 401, body: {} } });
  const answer = await client.register(registration());
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["refused", "unauthorised"]);
  assert.ok(came.every(({ method, text }) => method === "GET" && text === ""));
});

test("schemas that are out of order for a moment are asked for again", async () => {
  let asked = 0;
  const { client, users } = await scimWorld({
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
  const { client } = await scimWorld({
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
    const { client } = await scimWorld({
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
    const { client } = await scimWorld({ keep: (user) => ({ ...user, externalId }) });
    assert.equal((await client.register(registration({ id: "77" }))).kind, kind);
  }
});

test("a list without Resources is empty where it says so, as a number or as a text", async () => {
  for (const totalResults of [0, "0"]) {
    const { client } = await scimWorld({
      before: ({ method, path }) =>
        method === "GET" && path.endsWith(USERS) ? { status: 200, body: { totalResults } } : undefined,
    });
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
  }
});

test("totalResults as a text counts: a part of the users is no whole", async () => {
  const { client } = await scimWorld({
    before: ({ method, path }) =>
      method === "GET" && path.endsWith(USERS)
        ? { status: 200, body: { totalResults: "300", Resources: [STRANGER] } }
        : undefined,
  });
  const answer = await client.remove({ id: "r1", remoteId: null });
  assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
});

/** Wants the tag that the user has now; `strong` compares as RFC 9110 clause 13.1.1 says, which no weak tag passes. */

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
    const { client } = await scimWorld({
      after: (answer) => ({ ...answer, headers: { ...answer.headers, "content-type": type } }),
    });
    assert.equal((await client.register(registration())).kind, "registered");
  });
}

test("a provider that takes application/json alone is told so, once it said it", async () => {
  const { client, came } = await scimWorld({
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
    const { client, came } = await scimWorld({
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
    const { client } = await scimWorld({
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
    const { client } = await scimWorld({
      before: ({ method }) =>
        method === "POST" ? { status, headers: { location: `${other.url}/scim/v2${USERS}` } } : undefined,
    });
    const answer = await client.register(registration());
    assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
    assert.equal(other.requests(), 0);
  });
}

for (const status of [400, 422, 500]) {
  test(`"uniqueness" said with ${status} is met as 409 is`, async () => {
    const { client, users } = await scimWorld({
      ...losingFirst(),
      before: ({ method }, kept) =>
        method === "POST" && kept.size > 0 ? { status, body: { scimType: "uniqueness" } } : undefined,
    });
    await client.register(registration());
    const answer = await client.register(registration());
    assert.deepEqual([answer.kind, users.size], ["registered", 1]);
  });
}
