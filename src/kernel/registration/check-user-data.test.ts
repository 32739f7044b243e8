/** Data of users: each field by its rule, faults as codes that hold nothing of it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { sampleItem } from "../../../test/fixture/catalog-samples.ts";
import { SEED } from "../../../test/fixture/seed.ts";
import { USER_FIELDS, type UserData, type UserField } from "../account/user-data.ts";
import { checkUserData, isCountry, neededFields, tidyUserData } from "./check-user-data.ts";

const now = new Date("2026-03-01T12:00:00Z");
const check = (user: UserData, needed: readonly UserField[] = [], minimumAgeYears: number | null = null) =>
  checkUserData(user, needed, { now, minimumAgeYears });
const codeOf = (user: UserData, minimumAgeYears: number | null = null) =>
  check(user, [], minimumAgeYears).map(({ code }) => code)[0];

test("a whole person is without fault", () => {
  const user: UserData = {
    givenName: "Zoë",
    familyName: "d'Arcy-Østergård",
    birthdate: "1980-02-29",
    streetName: "Straße des 17. Juni",
    streetNumber: "12 b",
    postalCode: "10623",
    locality: "Berlin",
    country: "DE",
    idDocument: "L01X 00T47",
    email: "zoe.darcy+news@mail.example.org",
    fax: "+49 30 1234567",
  };
  assert.deepEqual(check(user, USER_FIELDS), []);
});

test("what is needed and not given is missing, and blanks give nothing", () => {
  assert.deepEqual(check({ givenName: " \t" }, ["givenName", "birthdate"]), [
    { field: "givenName", code: "missing" },
    { field: "birthdate", code: "missing" },
  ]);
  assert.deepEqual(check({}), []);
});

const wrong: [UserData, string][] = [
  [{ birthdate: "29.02.1980" }, "date_malformed"],
  [{ birthdate: "1980-2-9" }, "date_malformed"],
  [{ birthdate: "1981-02-29" }, "date_impossible"],
  [{ birthdate: "1980-13-01" }, "date_impossible"],
  [{ birthdate: "1980-00-10" }, "date_impossible"],
  [{ birthdate: "2026-03-02" }, "date_in_future"],
  [{ birthdate: "1899-01-01" }, "date_too_long_ago"],
  [{ email: "nobody" }, "email_malformed"],
  [{ email: "a@b" }, "email_malformed"],
  [{ email: "a..b@mail.example" }, "email_malformed"],
  [{ email: ".a@mail.example" }, "email_malformed"],
  [{ email: "a@-mail.example" }, "email_malformed"],
  [{ email: "a@b.example, c@d.example" }, "email_malformed"],
  [{ email: "a@b.example\r\nBcc: everybody@c.example" }, "control_characters"],
  [{ email: `${"a".repeat(65)}@b.example` }, "email_malformed"],
  [{ email: `a@${"b.".repeat(130)}example` }, "too_long"],
  [{ postalCode: "1234", country: "DE" }, "postal_code_malformed"],
  [{ postalCode: "D1 1AA", country: "US" }, "postal_code_malformed"],
  [{ postalCode: "<b>", country: "ZA" }, "postal_code_malformed"],
  [{ country: "ZZ" }, "country_unknown"],
  [{ country: "DEU" }, "country_unknown"],
  [{ idDocument: "ABCDEF" }, "document_malformed"],
  [{ idDocument: "1234" }, "document_malformed"],
  [{ fax: "call me" }, "fax_malformed"],
  [{ givenName: "12345" }, "no_name"],
  [{ familyName: "x\u202ey" }, "control_characters"],
  [{ familyName: "x".repeat(101) }, "too_long"],
  [{ streetName: "a\0b" }, "control_characters"],
];
for (const [user, code] of wrong) {
  test(`${JSON.stringify(user).slice(0, 60)} is ${code}`, () => assert.equal(codeOf(user), code));
}

test("the age counts whole years, and a birthday of 29 February comes on 1 March", () => {
  assert.equal(codeOf({ birthdate: "2008-03-01" }, 18), undefined);
  assert.equal(codeOf({ birthdate: "2008-03-02" }, 18), "too_young");
  assert.equal(codeOf({ birthdate: "2008-02-29" }, 18), undefined);
});

test("postal codes are held to their country's form, spaces and letter case aside where it has letters", () => {
  for (const [country, postalCode] of [
    ["GB", "sw1a 1aa"],
    ["US", "94063-0100"],
    ["NL", "1012 AB"],
    ["CA", "K1A 0B1"],
    ["JP", "100-0001"],
    ["IE", "D02 AF30"],
  ] as const) {
    assert.equal(codeOf({ country, postalCode }), undefined, `${country} ${postalCode}`);
  }
});

test("a country is one of ISO 3166 alpha-2: no union, no test code, no code that stands for another", () => {
  for (const code of ["DE", "gb", "XK", "TW"]) assert.ok(isCountry(code), code);
  for (const code of ["UK", "EU", "UN", "XA", "SU", "D", "D1", ""]) assert.ok(!isCountry(code), code);
});

test("whatever somebody sends, faults come as codes and hold nothing of it", () => {
  // Each code point is drawn by itself: `unit: "binary"` first makes a table of all 1.1 million of them.
  const character = fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point));
  const anyText = fc.oneof(
    fc.array(character, { minLength: 6 }).map((characters) => characters.join("")),
    fc.string({ minLength: 6 }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...USER_FIELDS), anyText), (user) => {
      const told = JSON.stringify(check(user as UserData, USER_FIELDS));
      for (const text of Object.values(user)) assert.ok(text.trim().length < 6 || !told.includes(text));
    }),
    { seed: SEED },
  );
});

test("tidying keeps what is known and given, trimmed; a foreign or inherited member is dropped", () => {
  const given = JSON.parse(
    '{"givenName":" Ann ","country":"de","pan":"4111111111111111","email":"","fax":7,"__proto__":{"birthdate":"x"}}',
  );
  assert.deepEqual(tidyUserData(given), { givenName: "Ann", country: "DE" });
});

test("a service's fields are asked for by item; those that are the user's own are asked for once", () => {
  const field = (name: string, required = true) =>
    ({ name, label: { en: name }, kind: "text", required }) as const;
  const mail = sampleItem("mail", {
    kind: "service",
    service: {
      uri: "https://mail.example/scim",
      module: null,
      fields: [field("email"), field("mailbox"), field("fax", false)],
    },
  });
  assert.deepEqual(neededFields({ fields: ["birthdate"] }, [mail, sampleItem("mms")]), {
    user: ["birthdate", "email"],
    services: [{ itemId: "mail", fields: [field("mailbox")] }],
  });
});
