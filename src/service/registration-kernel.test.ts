/** The registration kernel alone: every event replayed gives the same state, whatever came in whatever order (figure 6). */

import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../test/fixture/seed.ts";
import { createAccessTokens } from "./access-tokens.ts";
import { createRegistrationKernel } from "./registration-kernel.ts";
import type { ServiceEvent } from "./registrations.ts";
import type { NeededField } from "./user-data.ts";

type FieldKind = NeededField["kind"];

const NOW = new Date("2026-05-01T12:00:00Z");
/** Counts, so that a run is the same each time. */
function counter() {
  let count = 0;
  return (octets: number): Uint8Array => {
    count++;
    return Uint8Array.from({ length: octets }, (_, at) => (count * 37 + at * 11) % 256);
  };
}
const kernelOf = (fields: { name: string; kind: FieldKind; required: boolean }[]) =>
  createRegistrationKernel(
    { accessUrl: "https://in.example/", digestSecret: new Uint8Array(32), fields },
    counter(),
  );
const message = (externalId: string, fields: Record<string, string>) => ({
  externalId,
  msisdn: "447700900123",
  language: "en",
  userName: `user-${externalId}`,
  fields,
});

const values: [FieldKind, string[], string[]][] = [
  ["text", ["Ann", "Zoë Ñ"], ["a\nb", "x".repeat(201)]],
  ["digits", ["0", "12345"], ["12a", "-1", "9".repeat(33)]],
  ["phone", ["+447700900123", "447700900123"], ["0777", "+44 7700", "1234567890123456"]],
  ["email", ["a@b.example"], ["a", "a@", "a b@c.example", "a@b.example,c@d.example"]],
  ["secret", ["correct-horse"], ["short", "with blank 1"]],
  ["date", ["2024-02-29"], ["2023-02-29", "2023-2-1", "yesterday"]],
];
for (const [kind, good, corrupt] of values) {
  test(`a field of kind ${kind} takes what is one and asks again for what is none`, () => {
    const outcomeOf = (value: string) => {
      const kernel = kernelOf([{ name: "x", kind, required: true }]);
      const { answer } = kernel.register("north", message("r1", { x: value }), NOW);
      return answer.kind === "needs_information" ? answer.needs : answer.kind;
    };
    for (const value of good) assert.equal(outcomeOf(value), "registered", value);
    for (const value of corrupt)
      assert.deepEqual(outcomeOf(value), [{ name: "x", problem: "corrupt" }], value);
    assert.deepEqual(outcomeOf(""), [{ name: "x", problem: "missing" }]);
  });
}

test("a field that is not required may be missing, but not corrupt", () => {
  const kernel = kernelOf([{ name: "x", kind: "digits", required: false }]);
  assert.equal(kernel.register("north", message("r1", {}), NOW).answer.kind, "registered");
  assert.equal(kernel.register("north", message("r2", { x: "no" }), NOW).answer.kind, "needs_information");
});

test("data that the service did not ask for is not kept", () => {
  const kernel = kernelOf([{ name: "x", kind: "text", required: false }]);
  const { answer, events } = kernel.register("north", message("r1", { x: "1", idDocument: "P123" }), NOW);
  assert.ok(answer.kind === "registered");
  assert.ok(!JSON.stringify(events).includes("P123"));
});

test("a corrupt change of a registered user takes nothing away: his good value stays, and he is asked", () => {
  const kernel = kernelOf([{ name: "x", kind: "digits", required: true }]);
  const made = kernel.register("north", message("r1", { x: "1" }), NOW).answer;
  assert.ok(made.kind === "registered" && made.access?.password);
  const { id } = made.registration;
  const { answer } = kernel.amend("north", id, { fields: { x: "one" } }, false, NOW);
  assert.equal(answer.kind, "needs_information");
  assert.equal(kernel.find("north", id)?.fields.x, "1");
  const mended = kernel.amend("north", id, { fields: { x: "2" } }, false, NOW).answer;
  assert.ok(mended.kind === "registered");
  assert.equal(mended.access, null);
  assert.ok(kernel.opens(id, made.access.password));
});

test("a user name is one user's; one that was given up or whose user went is free again", () => {
  const kernel = kernelOf([]);
  const nameOf = (externalId: string, userName: string) =>
    kernel.register("north", { ...message(externalId, {}), userName }, NOW).answer;
  const ann = nameOf("r1", "Ann");
  assert.ok(ann.kind === "registered");
  assert.deepEqual(nameOf("r2", "ANN"), { kind: "taken", by: "userName" });
  kernel.amend("north", ann.registration.id, { userName: "Anna", fields: {} }, false, NOW);
  assert.equal(nameOf("r2", "Ann").kind, "registered");
  assert.deepEqual(nameOf("r3", "anna"), { kind: "taken", by: "userName" });
  kernel.remove("north", ann.registration.id);
  assert.equal(nameOf("r3", "anna").kind, "registered");
});

test("whatever is done, replaying its events gives the same state, and no password stands in them", () => {
  const step = fc.record({
    act: fc.constantFrom("register", "amend", "renew", "remove"),
    who: fc.integer({ min: 0, max: 4 }),
    x: fc.constantFrom("", "1", "22", "bad"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const kernel = kernelOf([{ name: "x", kind: "digits", required: true }]);
      const journal: ServiceEvent[] = [];
      const passwords: string[] = [];
      for (const { act, who, x } of steps) {
        const id = kernel.findExternal("north", `r${who}`)?.id ?? "none";
        const fields = { x };
        const { answer, events } =
          act === "register"
            ? kernel.register("north", message(`r${who}`, fields), NOW)
            : act === "remove"
              ? kernel.remove("north", id)
              : kernel.amend("north", id, { fields: act === "renew" ? {} : fields }, act === "renew", NOW);
        journal.push(...events);
        if (typeof answer === "object" && answer.kind === "registered" && answer.access?.password)
          passwords.push(answer.access.password);
      }
      const replayed = kernelOf([{ name: "x", kind: "digits", required: true }]);
      for (const event of JSON.parse(JSON.stringify(journal)) as ServiceEvent[]) replayed.apply(event);
      assert.deepEqual(replayed.ofClient("north"), kernel.ofClient("north"));
      assert.equal(replayed.size(), kernel.size());
      for (const password of passwords) assert.ok(!JSON.stringify(journal).includes(password));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("a token is its client's on its own certificate and in its own time", () => {
  const TOKENS_MS = 5_000;
  const tokens = createAccessTokens(counter());
  const { token, lifeMs } = tokens.issue("north", "A", TOKENS_MS);
  const at = (ms: number) => TOKENS_MS + ms;
  assert.equal(tokens.clientOf(token, "A", at(lifeMs - 1)), "north");
  assert.equal(tokens.clientOf(token, "A", at(lifeMs)), undefined);
  assert.equal(tokens.clientOf(token, "B", TOKENS_MS), undefined);
  assert.equal(tokens.clientOf(`${token}x`, "A", TOKENS_MS), undefined);
});
