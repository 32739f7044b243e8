/**
 * Providers in the shapes of well-known products and plug-ins: what each answers to a registration, a change and a removal. The
 * shapes are from their public documents and reports; names stand for the kind, not for a release.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  closers,
  type Habits,
  registration,
  scimWorld,
  type User,
} from "../../../test/fixture/scim-world.ts";
import { startWeb, type WebAnswer, type WebRequest } from "../../sim/web/web.ts";
import { USERS } from "../../wire/message/scim.ts";
import { fixedToken } from "../exchange/token.ts";
import { scimServiceServer } from "./scim-client.ts";

const isList = ({ method, path }: WebRequest): boolean => method === "GET" && path.endsWith(USERS);
const isOne = ({ path }: WebRequest): boolean => path.includes(`${USERS}/`);
const withMeta = (user: User): User => ({
  ...user,
  meta: {
    resourceType: "User",
    created: "2026-01-01T00:00:00Z",
    location: `https://inside.example${USERS}/${user.id}`,
  },
});

const PROVIDERS: readonly [name: string, habits: Habits][] = [
  [
    "a directory (Okta): charset in the type, meta with an address of its own, totals as numbers",
    {
      after: (answer) => ({
        ...answer,
        headers: { ...answer.headers, "content-type": "application/scim+json;charset=UTF-8" },
        body: (answer.body as User)?.id ? withMeta(answer.body as User) : answer.body,
      }),
    },
  ],
  [
    "a gallery application (Entra): 204 for PATCH, lists with totalResults as text, PATCH advertised",
    {
      after(answer, request) {
        if (request.method === "PATCH") return { status: 204 };
        if (!isList(request)) return answer;
        const { Resources = [] } = answer.body as { Resources?: User[] };
        return { status: 200, body: { totalResults: String(Resources.length), Resources } };
      },
    },
  ],
  [
    "one whose POST is answered 200 without a Location (OneLogin connectors)",
    { after: (answer, { method }) => (method === "POST" ? { status: 200, body: answer.body } : answer) },
  ],
  [
    "one that leaves out Resources where there is none (Ping)",
    {
      after: (answer, request) =>
        isList(request) && (answer.body as { totalResults: number }).totalResults === 0
          ? { status: 200, body: { schemas: [], totalResults: 0 } }
          : answer,
    },
  ],
  [
    "a plug-in (Keycloak): no description of itself, errors without schemas, PATCH refused with a page",
    {
      config: { status: 404, body: "<html>Not Found</html>" },
      before: ({ method }) => (method === "PATCH" ? { status: 405, body: "<html>no</html>" } : undefined),
    },
  ],
  [
    "one that answers 204 to a search that finds nobody, and 202 to what it will do",
    {
      after(answer, request) {
        if (isList(request) && (answer.body as { totalResults: number }).totalResults === 0)
          return { status: 204 };
        return request.method === "DELETE" && answer.status === 204 ? { status: 202 } : answer;
      },
    },
  ],
  [
    "a gateway in front of XML: a list of one user is that user",
    {
      after(answer, request) {
        const { Resources = [] } = isList(request) ? (answer.body as { Resources?: User[] }) : {};
        return Resources.length === 1
          ? { status: 200, body: { totalResults: 1, Resources: Resources[0] } }
          : answer;
      },
    },
  ],
];
for (const [name, habits] of PROVIDERS)
  test(`${name}: a user is registered, its lost answer found again, changed and removed`, async () => {
    const { client, users } = await scimWorld(habits);
    const made = await client.register(registration());
    assert.deepEqual([made.kind, "remoteId" in made && made.remoteId], ["registered", "u1"]);
    // Its answer was lost, so it is asked for again.
    const again = await client.register(registration());
    assert.deepEqual([again.kind, "remoteId" in again && again.remoteId], ["registered", "u1"]);
    const changed = await client.register(
      registration({ remoteId: "u1", isChange: true, user: { givenName: "Ann", familyName: "Ray" } }),
    );
    assert.equal(changed.kind, "registered");
    assert.match(JSON.stringify(users.get("u1")), /Ray/);
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
    assert.equal(users.size, 0);
  });

for (const [status, way] of [
  [405, "PATCH"],
  [501, "PATCH"],
  [405, "PUT"],
] as const)
  test(`a provider that deletes nobody (${status}) lets the user in no more, by ${way}; one that says so and does not is asked again`, async () => {
    const kept: Habits = {
      before({ method }) {
        if (method === "DELETE") return { status, body: { detail: "deactivate instead" } };
        return method === "PATCH" && way === "PUT" ? { status: 400, body: { detail: "no path" } } : undefined;
      },
    };
    const { client, users, asked } = await scimWorld(kept);
    await client.register(registration());
    const before = { ...users.get("u1") };
    assert.deepEqual(await client.remove({ id: "r1", remoteId: "u1" }), { kind: "done" });
    assert.equal(users.get("u1")?.active, false);
    assert.equal(users.get("u1")?.userName, before.userName);
    assert.ok(asked().includes(`${way} ${USERS}/u1`));
    const stubborn = await scimWorld({ ...kept, keep: (user) => ({ ...user, active: true }) });
    await stubborn.client.register(registration());
    const answer = await stubborn.client.remove({ id: "r1", remoteId: "u1" });
    assert.deepEqual([answer.kind, "cause" in answer && answer.cause], ["failed", "bad_answer"]);
  });

for (const [name, body, wanted] of [
  ["without its kind", { status: "400", detail: "Attribute emails.value is required." }, ["email"]],
  ["of SCIM 1.1", { Errors: [{ code: 400, description: "nickName is missing" }] }, undefined],
  ["that names nothing", { status: "400", detail: "Request is unparsable" }, undefined],
  ["that is a page", "<html>Bad Request</html>", undefined],
] as const)
  test(`an error ${name} asks for what its text names, and for nothing else`, async () => {
    const before = ({ method }: WebRequest): WebAnswer | undefined =>
      method === "POST" ? { status: 400, body } : undefined;
    const { client } = await scimWorld({ before });
    const answer = await client.register(registration());
    if (wanted === undefined) assert.equal(answer.kind, "refused");
    else {
      assert.ok(answer.kind === "needs_information", JSON.stringify(answer));
      assert.deepEqual(
        answer.fields.map(({ name }) => name),
        wanted,
      );
    }
  });

test("a PATCH that is refused with a text that names a field, and no word of a value, is put all the same", async () => {
  const { client, users } = await scimWorld({
    before: ({ method }) =>
      method === "PATCH"
        ? { status: 400, body: { detail: "No path: userName and emails are expected in one" } }
        : undefined,
  });
  await client.register(registration());
  const answer = await client.register(
    registration({ remoteId: "u1", isChange: true, user: { givenName: "Ann", familyName: "Ray" } }),
  );
  assert.equal(answer.kind, "registered");
  assert.match(JSON.stringify(users.get("u1")), /Ray/);
});

test("429 that tells in X-Rate-Limit-Reset when its minute is over is not asked before", async () => {
  let [nowMs, asked] = [0, 0];
  const web = await startWeb({
    answer(request): WebAnswer {
      asked++;
      const date = new Date("2026-03-01T10:00:00Z");
      const reset = String(date.getTime() / 1_000 + 40);
      return isOne(request)
        ? { status: 429, headers: { date: date.toUTCString(), "x-rate-limit-reset": reset } }
        : { status: 404, body: {} };
    },
  });
  const client = scimServiceServer(
    { url: `${web.url}/scim/v2`, tokens: fixedToken("t"), timeoutMs: 5_000 },
    () => nowMs,
  );
  closers.push(web.close, client.close);
  const remove = () => client.remove({ id: "r1", remoteId: "u1" });
  assert.equal((await remove()).kind, "failed");
  const before = asked;
  nowMs = 39_000;
  const waiting = await remove();
  assert.deepEqual([waiting.kind, "cause" in waiting && waiting.cause, asked], ["failed", "busy", before]);
  nowMs = 41_000;
  await remove();
  assert.equal(asked, before + 1);
});

test("answers are asked for unpacked", async () => {
  const { client, came } = await scimWorld();
  await client.register(registration());
  assert.ok(came.length > 0 && came.every(({ headers }) => headers["accept-encoding"] === "identity"));
});
