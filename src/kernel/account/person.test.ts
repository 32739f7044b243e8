/** Two people are two people, however many tokens each has. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { type Acting, actingOf, checkSecondPerson, knownPerson, vouchersOf } from "./person.ts";

const acting = (label: string, person: string | null, vouchedBy: readonly string[] = []): Acting => ({
  label,
  person,
  vouchedBy,
});
const madeBy = (one: Acting) => ({ person: knownPerson(one), vouchedBy: one.vouchedBy });
const refused = (one: Acting, other: Acting, code = "second_person_needed") =>
  assert.throws(() => checkSecondPerson(madeBy(one), other), { code });

test("two tokens of one person are one person, however the name is written; two persons are two", () => {
  const ada = acting("ada-laptop", "Ada Lovelace");
  refused(ada, ada);
  refused(ada, acting("ada-script", " ADA lovelace"));
  checkSecondPerson(madeBy(ada), acting("ada-laptop", "Bob"));
});

test("a token that says of nobody whose it is neither makes nor approves where two people are needed", () => {
  assert.throws(() => knownPerson(acting("desk", null)), { code: "person_unknown" });
  refused(acting("ada", "Ada"), acting("desk", null), "person_unknown");
});

test("whoever makes a token for another could bear it: it is no second person to theirs, at any number of steps, in either order", () => {
  const ada = acting("ada", "Ada");
  const bob = acting("bob", "Bob", vouchersOf(ada));
  const carol = acting("carol", "Carol", vouchersOf(bob));
  assert.deepEqual(carol.vouchedBy, ["Ada", "Bob"]);
  for (const other of [bob, carol]) {
    refused(ada, other);
    refused(other, ada);
  }
});

test("two tokens that one person made could both be borne by that one: they are no two persons to each other, at any number of steps", () => {
  const ada = acting("ada", "Ada");
  const bob = acting("bob", "Bob", vouchersOf(ada));
  const dan = acting("dan", "Dan", vouchersOf(ada));
  const eve = acting("eve", "Eve", vouchersOf(dan));
  for (const other of [dan, eve]) {
    refused(bob, other);
    refused(other, bob);
  }
  const root = acting("root", null);
  refused(acting("bob", "Bob", vouchersOf(root)), acting("dan", "Dan", vouchersOf(root)));
  const carol = acting("carol", "Carol");
  checkSecondPerson(madeBy(bob), acting("dan", "Dan", vouchersOf(carol))); // each from another
  checkSecondPerson(madeBy(bob), acting("dan", "Dan")); // made at the command line
});

test("a token without a person vouches by its label", () => {
  assert.deepEqual(vouchersOf(acting("root", null)), ["root"]);
  const caller = { tokenId: "t", operatorId: "o", role: "admin", label: "root" } as const;
  assert.deepEqual(actingOf(caller), acting("root", null));
});
