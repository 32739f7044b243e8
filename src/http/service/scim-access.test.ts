/**
 * Whom the reference service server lets in, and to whom a user belongs: `active`, passwords, unique names, and registrations that
 * are begun, refused and completed.
 */
import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import {
  ASKED,
  CORE,
  createPlainUser,
  filtered,
  patch,
  plainUser,
  scimDoors,
  userNamesOf,
} from "../../../test/fixture/scim-door.ts";
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";

const doors = await scimDoors();

for (const no of [false, "false", "False"]) {
  test(`\`active: ${JSON.stringify(no)}\` closes the access by POST, PUT and PATCH, and is shown; true opens it again`, async () => {
    const { ask, service } = await doors.open();
    const kernel = service.kernelAt("/scim/v2");
    const born = await createPlainUser(ask, "late", { active: no, password: "correct-horse" });
    assert.equal(born.body.active, false);
    assert.equal(kernel.opens(born.body.id, "correct-horse"), false);

    const { body } = await createPlainUser(ask, "ann", { password: "correct-horse" });
    const path = `${USERS}/${body.id}`;
    const state = async () => [(await ask("GET", path)).body.active, kernel.opens(body.id, "correct-horse")];
    assert.deepEqual(await state(), [true, true]);
    const yes = typeof no === "string" ? "True" : true;
    const whole = plainUser("ann");
    const changes: [string, unknown, unknown][] = [
      ["PUT", { ...whole, active: no }, { ...whole, active: yes }],
      [
        "PATCH",
        patch({ op: "replace", path: "active", value: no }),
        patch({ op: "replace", path: "active", value: yes }),
      ],
      [
        "PATCH",
        patch({ op: "Replace", value: { active: no } }),
        patch({ op: "Add", value: { Active: yes } }),
      ],
      [
        "PATCH",
        patch({ op: "add", path: `${CORE}:active`, value: no }),
        patch({ op: "replace", path: "ACTIVE", value: yes }),
      ],
    ];
    for (const [method, off, on] of changes) {
      const closed = await ask(method, path, off);
      assert.deepEqual([closed.status, closed.body.active], [200, false], closed.text);
      assert.deepEqual(await state(), [false, false]);
      assert.deepEqual(userNamesOf(await ask("GET", filtered("active eq false"))), ["late", "ann"]);
      const opened = await ask(method, path, on);
      assert.deepEqual([opened.status, opened.body.active], [200, true], opened.text);
      assert.deepEqual(await state(), [true, true]);
    }
  });
}

test("a user who is not active stays so when the whole user is put without a word of it, and after a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "turnup-active-"));
  const first = await doors.open([], folder);
  const { body } = await createPlainUser(first.ask, "ann", { active: false, title: "Dr" });
  const put = await first.ask("PUT", `${USERS}/${body.id}`, plainUser("ann"));
  assert.deepEqual([put.body.active, put.body.title], [false, undefined]);
  await first.service.close();
  const second = await doors.open([], folder);
  const { body: after } = await second.ask("GET", `${USERS}/${body.id}`);
  assert.deepEqual(after.active, false);
  assert.equal(after.meta.version, put.body.meta.version, "the same version as before");
});

test("`active` that is neither yes nor no is refused by name, and changes nothing", async () => {
  const { ask } = await doors.open();
  const { body } = await createPlainUser(ask, "ann");
  for (const value of ["no", 0, {}, [], "inactive"]) {
    const { status, body: error } = await ask(
      "PATCH",
      `${USERS}/${body.id}`,
      patch({ op: "replace", path: "active", value }),
    );
    if (Array.isArray(value)) continue; // no value
    assert.deepEqual([status, error.scimType], [400, "invalidValue"], JSON.stringify(value));
    assert.match(error.detail, /active/);
  }
  assert.equal((await ask("GET", `${USERS}/${body.id}`)).body.active, true);
});

test("a password that the client chose opens and is never shown; a changed one takes its place", async () => {
  const { ask, service } = await doors.open();
  const opens = (id: string, password: string) => service.kernelAt("/scim/v2").opens(id, password);
  const { body, text } = await createPlainUser(ask, "ann", { password: "correct-horse" });
  assert.ok(!text.includes("correct-horse"));
  assert.ok(opens(body.id, "correct-horse"));
  const changed = await ask(
    "PATCH",
    `${USERS}/${body.id}`,
    patch({ op: "replace", path: "password", value: "battery-staple" }),
  );
  assert.ok(changed.status === 200 && !changed.text.includes("battery-staple"));
  assert.deepEqual([opens(body.id, "correct-horse"), opens(body.id, "battery-staple")], [false, true]);
  const short = await ask(
    "PATCH",
    `${USERS}/${body.id}`,
    patch({ op: "replace", path: "password", value: "x" }),
  );
  assert.equal(short.status, 400);
  assert.ok(opens(body.id, "battery-staple"));
});

test("a refused POST leaves nothing that blocks the next of that name or externalId", async () => {
  const { ask, service } = await doors.open(ASKED);
  const bad = [
    plainUser("ann", { externalId: "e1" }),
    plainUser("ann", { externalId: "e1", emails: [{ value: "not an address" }] }),
    plainUser("ann", {
      externalId: "e1",
      phoneNumbers: [{ value: "12" }],
      emails: [{ value: "a@b.example" }],
    }),
  ];
  for (const user of bad) {
    const { status, body } = await ask("POST", "/Users", user);
    assert.deepEqual([status, body.scimType], [400, "invalidValue"]);
    assert.match(body.detail, /emails|phoneNumbers/);
    assert.equal(service.kernelAt("/scim/v2").size(), 0);
  }
  const { body } = await createPlainUser(ask, "ann", {
    externalId: "e1",
    emails: [{ value: "a@b.example" }],
  });
  const refused = await ask(
    "PUT",
    `${USERS}/${body.id}`,
    plainUser("ann", { emails: [{ value: "nonsense" }] }),
  );
  assert.equal(refused.status, 400);
  const { body: after } = await ask("GET", `${USERS}/${body.id}`);
  assert.deepEqual([after.emails, after.meta], [body.emails, body.meta], "a refused change changes nothing");
});

test("what a user no longer says by the core is gone from what the service keeps; what is said of others stays", async () => {
  const fields = [
    { name: "email", kind: "email", required: false },
    { name: "nickName", kind: "text", required: false },
  ] as const;
  const { ask, service } = await doors.open([...fields]);
  const { body } = await createPlainUser(ask, "ann", {
    emails: [{ value: "a@b.example" }],
    nickName: "Annie",
  });
  const path = `${USERS}/${body.id}`;
  const kept = () => service.kernelAt("/scim/v2").find("north", body.id)?.fields;
  assert.deepEqual(kept(), { email: "a@b.example", nickName: "Annie" });
  await ask("PATCH", path, patch({ op: "replace", path: "title", value: "Dr" }));
  assert.deepEqual(kept(), { email: "a@b.example", nickName: "Annie" });
  await ask("PATCH", path, patch({ op: "remove", path: "emails" }));
  assert.deepEqual(kept(), { nickName: "Annie" });
  await ask("PUT", path, plainUser("ann", { emails: [{ value: "c@d.example" }] }));
  assert.deepEqual(kept(), { email: "c@d.example" });
});

test("what a client that speaks the extension began, its next POST completes, under the same id", async () => {
  const { ask, service } = await doors.open(ASKED);
  for (const externalId of ["e1", undefined]) {
    const user = plainUser(`ann-${externalId}`, { schemas: [CORE, EXTENSION_SCHEMA], externalId });
    const begun = await ask("POST", "/Users", user);
    assert.equal(begun.status, 400);
    const { id, needs } = begun.body[EXTENSION_SCHEMA];
    assert.deepEqual(needs, [{ name: "email", problem: "missing" }]);
    const done = await ask("POST", "/Users", { ...user, emails: [{ value: "a@b.example" }] });
    assert.deepEqual([done.status, done.body?.id], [201, id], done.text);
    const again = await ask("POST", "/Users", { ...user, emails: [{ value: "a@b.example" }] });
    assert.equal(again.status, 409);
  }
  assert.equal(service.kernelAt("/scim/v2").size(), 2);
});

test("what was begun for one operator is nobody else's to complete", async () => {
  const { ask, as } = await doors.open(ASKED);
  await ask("POST", "/Users", plainUser("ann", { schemas: [CORE, EXTENSION_SCHEMA], externalId: "e1" }));
  const south = await as("south");
  const other = await south("POST", "/Users", plainUser("ann", { emails: [{ value: "s@b.example" }] }));
  assert.equal(other.status, 409);
  const own = await south(
    "POST",
    "/Users",
    plainUser("sue", { externalId: "e1", emails: [{ value: "s@b.example" }] }),
  );
  assert.equal(own.status, 201);
});

test("a client without an externalId is served, and two users may have none", async () => {
  const { ask } = await doors.open();
  const one = await createPlainUser(ask, "ann");
  const two = await createPlainUser(ask, "bob");
  assert.deepEqual([one.body.externalId, two.body.externalId], [undefined, undefined]);
  const named = await ask(
    "PATCH",
    `${USERS}/${one.body.id}`,
    patch({ op: "add", path: "externalId", value: "e1" }),
  );
  assert.equal(named.body.externalId, "e1");
  const taken = await ask(
    "PATCH",
    `${USERS}/${two.body.id}`,
    patch({ op: "add", path: "externalId", value: "e1" }),
  );
  assert.deepEqual([taken.status, taken.body.scimType], [409, "uniqueness"]);
  const gone = await ask("PATCH", `${USERS}/${one.body.id}`, patch({ op: "remove", path: "externalId" }));
  assert.equal(gone.body.externalId, undefined);
  assert.equal(
    (await ask("PATCH", `${USERS}/${two.body.id}`, patch({ op: "add", path: "externalId", value: "e1" })))
      .status,
    200,
  );
});
