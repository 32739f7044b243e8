/** What features ask for is checked by its kind before anything is done. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import type { NeededField } from "../catalog/catalog-item.ts";
import { checkItemFields } from "./check-item-fields.ts";

const asking = (kind: NeededField["kind"], required = true) =>
  sampleItem("forward", { fields: [{ name: "target", label: { en: "Target" }, kind, required }] });
const given = (kind: NeededField["kind"], target: string, required = true) =>
  checkItemFields([asking(kind, required)], { forward: { target } }).forward?.target;

test("each kind of field takes what it is, in one form, and refuses the rest by the names of item and field, never by the value", () => {
  const good = [
    ["phone", "+49 151 12345678", "+4915112345678"],
    ["digits", "0042", "0042"],
    ["email", "ada@example.org", "ada@example.org"],
    ["date", "1980-02-29", "1980-02-29"],
    ["text", "  Ada ", "Ada"],
  ] as const;
  for (const [kind, typed, kept] of good) assert.equal(given(kind, typed), kept);
  const bad = [
    ["phone", "4711"],
    ["digits", "12a"],
    ["email", "ada at home"],
    ["date", "1981-02-29"],
    ["text", "a\u0000b"],
    ["secret", "x".repeat(101)],
  ] as const;
  for (const [kind, typed] of bad)
    assert.throws(
      () => given(kind, typed),
      (error: Error & { code?: string; details?: object }) => {
        assert.equal(error.code, "field_invalid");
        assert.deepEqual(error.details, { item: "forward", field: "target" });
        return !error.message.includes(typed);
      },
    );
});

test("what is needed must be there; what is not, may be; what nobody asks for is not kept; a service's own fields are its server's to judge", () => {
  assert.throws(() => given("phone", " "), {
    code: "field_invalid",
    message: /target of forward is missing/,
  });
  assert.equal(given("phone", "", false), undefined);
  assert.deepEqual(checkItemFields([asking("digits")], { forward: { target: "1", more: "2" } }), {
    forward: { target: "1" },
  });
  const mail = { mail: { mailbox: "?" } };
  assert.deepEqual(checkItemFields([sampleItem("mail", { kind: "service" })], mail), mail);
});
