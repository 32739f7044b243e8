/** Registrations in SCIM: what is written is read again, from the extension and from the core alone (RFC 7643). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import {
  coreUserOf,
  EXTENSION_SCHEMA,
  extensionOf,
  needsIn,
  needsInDetail,
  pairsIn,
  registrationIn,
} from "./scim.ts";

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ]{0,20}[a-z]$/);
const message = fc.record({
  externalId: fc.uuid(),
  msisdn: fc.stringMatching(/^[1-9]\d{6,14}$/),
  language: fc.constantFrom("en", "de-AT", "ja"),
  userName: word,
  fields: fc.dictionary(
    fc.constantFrom(
      "givenName",
      "familyName",
      "email",
      "fax",
      "locality",
      "nickName",
      "accountNumber",
      "birthdate",
    ),
    word,
  ),
});

test("with the extension, every field comes back as it was given", () => {
  fc.assert(
    fc.property(message, (given) => {
      const user = {
        externalId: given.externalId,
        ...coreUserOf(given),
        [EXTENSION_SCHEMA]: extensionOf(given),
      };
      const read = registrationIn(JSON.parse(JSON.stringify(user)));
      assert.deepEqual({ ...read, fields: { ...read.fields } }, { ...given, fields: { ...given.fields } });
    }),
    { seed: SEED },
  );
});

test("the core alone carries the fields that SCIM has a place for", () => {
  const given = {
    msisdn: "447700900123",
    language: "en",
    userName: "ann",
    fields: { givenName: "Ann", email: "ann@example.net", fax: "+442079460000", birthdate: "1980-02-29" },
  };
  const { fields, msisdn } = registrationIn(coreUserOf(given));
  assert.equal(msisdn, "447700900123");
  assert.deepEqual(fields, { givenName: "Ann", email: "ann@example.net", fax: "+442079460000" });
});

test("numbers are read as RFC 7643 writes them, too", () => {
  const { msisdn } = registrationIn({ phoneNumbers: [{ value: "tel:+44-7700-900123", type: "mobile" }] });
  assert.equal(msisdn, "447700900123");
});

test("whatever comes is read without a throw, and names and values stay within their limits", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      registrationIn(value);
      registrationIn({
        [EXTENSION_SCHEMA]: value,
        emails: value,
        phoneNumbers: value,
        addresses: value,
        name: value,
      });
      needsIn(value);
      assert.ok(Object.keys(pairsIn(value)).length <= 64);
    }),
    { seed: SEED },
  );
  const many = Array.from({ length: 100 }, (_, at) => ({ name: `f${at}`, value: "x" }));
  assert.equal(Object.keys(pairsIn(many)).length, 64);
  assert.deepEqual(
    pairsIn([{ name: "a b", value: "x" }, { name: "long", value: "x".repeat(1_001) }, null]),
    {},
  );
  assert.equal(Object.getPrototypeOf(pairsIn([{ name: "__proto__", value: "x" }])), Object.prototype);
});

test("a word that is no attribute asks for nothing", () => {
  assert.deepEqual(needsInDetail("the request is wrong; please call support", new Set()), []);
});
