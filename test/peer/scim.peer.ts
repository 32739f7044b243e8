/**
 * SCIM 2.0 as others wrote it: `scimmy` (schemas, messages, and a provider that our client registers users at), `scim-patch`
 * and `scim2-parse-filter`. Where they read RFC 7644 otherwise than it stands (`eq` with case, `eq null`), they are not asked.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { type ScimPatchOperation, scimPatch } from "scim-patch";
import { filter as filterOf, parse } from "scim2-parse-filter";
import SCIMMY from "scimmy";
import { test } from "vitest";
import type { ServiceRegistration } from "../../src/kernel/calls/connectors.ts";
import { fixedToken } from "../../src/net/exchange/token.ts";
import { scimServiceServer } from "../../src/net/service/scim-client.ts";
import { userKindOf } from "../../src/service/user-kind.ts";
import { USERS } from "../../src/wire/message/scim.ts";
import { parseFilter } from "../../src/wire/scim/filter.ts";
import { applyPatch } from "../../src/wire/scim/patch.ts";
import { CORE, filtered, PATCH_OP, patch, plainUser, scimDoors } from "../fixture/scim-door.ts";
import { SEED } from "../fixture/seed.ts";
import { whenDone } from "../fixture/when-done.ts";

const KIND = userKindOf([]);
const doors = await scimDoors();

const value = fc.constantFrom("a", "ab", "abc", "b", "x y");
const type = fc.constantFrom("work", "home", "other");
const emails = fc.uniqueArray(fc.record({ value, type }), {
  maxLength: 3,
  selector: ({ value: one }) => one,
});
const users = fc.record(
  {
    userName: value,
    title: value,
    active: fc.boolean(),
    name: fc.record({ givenName: value }, { requiredKeys: [] }),
    emails,
  },
  { requiredKeys: ["userName"] },
);
const compared = fc
  .tuple(
    fc.constantFrom("userName", "title", "name.givenName", "emails.value"),
    fc.constantFrom("eq", "co", "sw", "ew"),
    value,
  )
  .map(([name, op, text]) => `${name} ${op} "${text}"`);
const inEntries = fc
  .tuple(type, value)
  .map(([kind, text]) => `emails[type eq "${kind}" and value co "${text}"]`);
const filters: fc.Arbitrary<string> = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    compared,
    fc.constantFrom("title pr", "name.givenName pr", "active eq true"),
    fc.tuple(tie("tree"), fc.constantFrom("and", "or"), tie("tree")).map(([a, op, b]) => `${a} ${op} ${b}`),
    tie("tree").map((a) => `(${a})`),
    tie("tree").map((a) => `not (${a})`),
  ),
})).tree;

test("scim2-parse-filter chooses the users that our filters choose", () => {
  let fitting = 0;
  fc.assert(
    fc.property(filters, users, (text, user) => {
      const ours = parseFilter(text, KIND).matches(user);
      assert.equal(ours, filterOf(parse(text))(user), text);
      fitting += ours ? 1 : 0;
    }),
    { seed: SEED, numRuns: 3_000 },
  );
  assert.ok(fitting > 300 && fitting < 2_700, `${fitting} of 3,000 fitted`);
});

test("scimmy chooses the users that our filters over the entries of a list choose", () => {
  // scim2-parse-filter takes type and value from different entries; scimmy fails on users without entries.
  // Its entries must be plain objects.
  const some = users
    .map((user) => structuredClone(user))
    .filter(({ emails: list }) => list !== undefined && list.length > 0);
  fc.assert(
    fc.property(inEntries, some, (text, user) => {
      const theirs = new SCIMMY.Types.Filter(text).match([user]).length > 0;
      assert.equal(parseFilter(text, KIND).matches(user), theirs, text);
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

const operations = fc.oneof(
  fc.record({
    op: fc.constantFrom("add", "replace"),
    path: fc.constantFrom("title", "name.givenName", "userName"),
    value,
  }),
  fc.record({ op: fc.constant("remove"), path: fc.constantFrom("title", "name.givenName") }),
  fc.record({
    op: fc.constant("replace"),
    path: fc.constant("emails"),
    value: emails.filter((list) => list.length > 0),
  }),
  fc.record({
    op: fc.constant("replace"),
    path: type.map((kind) => `emails[type eq "${kind}"].value`),
    value,
  }),
  fc.record({ op: fc.constant("remove"), path: type.map((kind) => `emails[type eq "${kind}"]`) }),
  fc.record({
    op: fc.constantFrom("add", "replace"),
    value: fc.record({ title: value, name: fc.record({ givenName: value }) }),
  }),
);

/** Lists and objects that hold nothing are none (RFC 7643 clause 2.5). */
const filled = (user: object) =>
  Object.fromEntries(
    Object.entries(JSON.parse(JSON.stringify(user))).filter(
      ([, one]) => typeof one !== "object" || one === null || Object.keys(one).length > 0,
    ),
  );

test("scim-patch makes of a user what our patches make", () => {
  let applied = 0;
  fc.assert(
    fc.property(users, fc.array(operations, { minLength: 1, maxLength: 4 }), (user, Operations) => {
      const result = <Value>(act: () => Value) => {
        try {
          return act();
        } catch {
          return "refused";
        }
      };
      const ours = result(() => applyPatch(KIND, user, { schemas: [PATCH_OP], Operations }).resource);
      // A copy: it changes what it is given.
      const given = { schemas: [CORE], meta: {} as never, ...structuredClone(user) };
      const theirs = result(() =>
        scimPatch(given, Operations as ScimPatchOperation[], { mutateDocument: true }),
      );
      if (ours === "refused" || theirs === "refused") return;
      const { schemas: _, meta: _meta, ...rest } = theirs as typeof given;
      assert.deepEqual(filled(ours as object), filled(rest), JSON.stringify([user, Operations]));
      applied++;
    }),
    { seed: SEED, numRuns: 2_000 },
  );
  assert.ok(applied > 800, `${applied} of 2,000 were applied by both`);
});

type Described = {
  name: string;
  type: string;
  multiValued: boolean;
  mutability: string;
  returned: string;
  subAttributes?: Described[];
};
const described = (attributes: Described[], prefix = ""): Map<string, string> =>
  new Map(
    attributes.flatMap(({ name, subAttributes, ...one }) => [
      [prefix + name, `${one.type} ${one.multiValued} ${one.mutability} ${one.returned}`] as const,
      ...described(subAttributes ?? [], `${prefix}${name}.`),
    ]),
  );

test("scimmy knows each attribute of our core schema, of the same type, plurality, mutability and return", async () => {
  const { ask } = await doors.open();
  const { body } = await ask("GET", `/Schemas/${CORE}`);
  const ours = described(body.attributes);
  const theirs = described(JSON.parse(JSON.stringify(SCIMMY.Schemas.User.definition.describe())).attributes);
  assert.deepEqual([...ours].sort(), [...theirs].sort());
});
test("scimmy reads what our server answers: users, lists, errors", async () => {
  const { ask } = await doors.open();
  const more = { name: { givenName: "Ann" }, emails: [{ value: "a@b.example", type: "home" }] };
  const sent = plainUser("ann", { ...more, active: true });
  const made = await ask("POST", "/Users", sent);
  const patched = await ask(
    "PATCH",
    `${USERS}/${made.body.id}`,
    patch({ op: "add", path: "title", value: "Dr" }),
  );
  for (const { body } of [made, patched]) {
    const { "urn:ietf:params:scim:schemas:extension:turnup:2.0:User": _, ...core } = body;
    const read = JSON.parse(JSON.stringify(new SCIMMY.Schemas.User({ ...core, schemas: [CORE] }, "out")));
    assert.deepEqual([read.userName, read.emails, read.name], ["ann", more.emails, more.name]);
  }
  const { body: list } = await ask("GET", filtered('userName eq "ANN"'));
  const read = new SCIMMY.Messages.ListResponse(list);
  assert.deepEqual([read.totalResults, read.itemsPerPage, read.Resources.length], [1, 1, 1]);
  const { body: error } = await ask("POST", "/Users", sent);
  assert.throws(() => new SCIMMY.Messages.ErrorResponse(error), {
    name: "SCIMError",
    scimType: "uniqueness",
    status: "409",
  });
});

/** A provider made of scimmy, as its own documentation makes one. */
async function scimmyProvider() {
  const kept = new Map<string, Record<string, unknown>>();
  const { User } = SCIMMY.Resources;
  SCIMMY.Resources.declare(User);
  const known = (id: string | undefined) => {
    const user = kept.get(id ?? "");
    if (!user) throw new SCIMMY.Types.Error(404, null as never, "not found");
    return user;
  };
  User.ingress((resource, instance) => {
    const user = JSON.parse(JSON.stringify(instance));
    if (!resource.id && [...kept.values()].some(({ userName }) => userName === user.userName))
      throw new SCIMMY.Types.Error(409, "uniqueness", "it is there");
    const id = resource.id ?? String(kept.size + 1);
    kept.set(id, { ...user, id });
    return kept.get(id) as never;
  });
  User.egress((resource) => {
    const found = resource.id ? known(resource.id) : [...kept.values()];
    return (Array.isArray(found) && resource.filter ? resource.filter.match(found) : found) as never;
  });
  User.degress((resource) => {
    known(resource.id);
    kept.delete(resource.id ?? "");
  });
  let loses = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const url = new URL(request.url ?? "", "http://provider");
      const [, kind, id] = url.pathname.split("/").map(decodeURIComponent);
      const text = Buffer.concat(chunks).toString();
      const body = text === "" ? undefined : JSON.parse(text);
      const filter = url.searchParams.get("filter");
      const act = async (): Promise<[number, unknown]> => {
        if (kind === "ServiceProviderConfig")
          return [200, await new SCIMMY.Resources.ServiceProviderConfig().read()];
        if (kind === "Schemas") return [200, await new SCIMMY.Resources.Schema(id).read()];
        if (request.method === "POST") return [201, await new User().write(body)];
        if (request.method === "PUT") return [200, await new User(id).write(body)];
        if (request.method === "PATCH") {
          const changed = await new User(id).patch(body);
          return changed ? [200, changed] : [204, undefined];
        }
        if (request.method === "DELETE") return [204, await new User(id).dispose()];
        return [200, await new User(id ?? ((filter ? { filter } : {}) as never)).read()];
      };
      const [status, answer] = await act().catch(
        (error) => [Number(error.status) || 500, new SCIMMY.Messages.ErrorResponse(error)] as const,
      );
      if (request.method === "POST" && loses-- > 0) return void request.socket.destroy();
      response.writeHead(status, { "content-type": "application/scim+json" });
      response.end(answer === undefined ? undefined : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  whenDone(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kept,
    loseNext() {
      loses = 1;
    },
  };
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

for (const patchSupported of [true, false]) {
  test(`our client registers, completes and ends users at a provider made of scimmy, ${patchSupported ? "with" : "without"} PATCH, also after an answer that was lost`, async () => {
    const provider = await scimmyProvider();
    SCIMMY.Config.set({ patch: patchSupported, filter: { supported: true, maxResults: 100 } } as never);
    const client = scimServiceServer({ url: provider.url, tokens: fixedToken("t"), timeoutMs: 5_000 });
    whenDone(client.close);
    provider.loseNext();
    assert.equal((await client.register(registration())).kind, "failed");
    const made = await client.register(registration());
    assert.ok(made.kind === "registered", JSON.stringify(made));
    assert.equal(provider.kept.size, 1);
    const completed = await client.register(
      registration({ remoteId: made.remoteId, user: { givenName: "Anna", email: "anna@example.net" } }),
    );
    assert.equal(completed.kind, "registered", JSON.stringify(completed));
    const user = provider.kept.get(made.remoteId) as { emails: { value: string }[]; externalId: string };
    assert.deepEqual(
      [user.externalId, user.emails.map(({ value: one }) => one)],
      ["r1", ["anna@example.net"]],
    );
    assert.deepEqual(await client.remove({ id: "r1", remoteId: null }), { kind: "done" });
    assert.equal(provider.kept.size, 0);
  });
}
