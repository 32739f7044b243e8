/** What two clerks write of one person agrees, and what is another's does not (US 6,647,260, columns 3 and 5; R38). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { SEED } from "../../../test/fixture/seed.ts";
import { USER_FIELDS, type UserField } from "../account/user-data.ts";
import { checkUserData, tidyUserData } from "./check-user-data.ts";
import { mrzCheckDigit, readDocumentNumber } from "./compare-documents.ts";
import { compareUsers } from "./compare-user.ts";
import { readDate } from "./read-date.ts";

type Row = readonly [
  field: UserField,
  given: string,
  onFile: string,
  result: "same" | "close" | "different",
  reason: string,
];

const ROWS: readonly Row[] = [
  ["familyName", "MUELLER", "Müller", "same", "accents"],
  ["familyName", "Muller", "Müller", "same", "accents"],
  ["familyName", "OBrien", "O’Brien", "same", "writing"],
  ["familyName", "Berg", "van der Berg", "same", "particles"],
  ["familyName", "da Silva Mendes", "Mendes da Silva", "same", "order"],
  ["familyName", "Shcherbakov", "Щербаков", "same", "script"],
  ["familyName", "Tchaikovsky", "Чайковский", "same", "script"],
  ["familyName", "Papadopoulos", "Παπαδόπουλος", "same", "script"],
  ["familyName", "Wang", "王", "same", "script"],
  ["givenName", "Mohammed", "محمد", "close", "script"],
  ["givenName", "J.", "Johann", "close", "initials"],
  ["givenName", "Maria", "Maria Luise", "close", "part_of_it"],
  ["familyName", "Thomson", "Thompson", "close", "spelling"],
  ["familyName", "Lea", "Lee", "different", "nothing_alike"],
  ["familyName", "Smith", "Schmidt", "different", "nothing_alike"],
  ["givenName", "Anna", "Hanna", "different", "nothing_alike"],
  ["streetName", "Hauptstr.", "Hauptstraße", "same", "abbreviation"],
  ["streetName", "High St", "High Street", "same", "abbreviation"],
  ["streetName", "St James St", "Saint James Street", "same", "abbreviation"],
  ["streetName", "Bd Voltaire", "Boulevard Voltaire", "same", "abbreviation"],
  ["streetName", "C/ Mayor", "Calle Mayor", "same", "abbreviation"],
  ["streetName", "Rivoli", "Rue de Rivoli", "close", "part_of_it"],
  ["streetName", "Oak Rd", "Oak Ave", "different", "nothing_alike"],
  ["streetNumber", "No. 012 a", "12A", "same", "writing"],
  ["streetNumber", "12-14", "12", "close", "range"],
  ["streetNumber", "13", "12", "different", "nothing_alike"],
  ["postalCode", "D-10115", "10115", "same", "writing"],
  ["postalCode", "ec1a1bb", "EC1A 1BB", "same", "writing"],
  ["postalCode", "10116", "10115", "different", "nothing_alike"],
  ["locality", "St. Gallen", "Sankt Gallen", "same", "abbreviation"],
  ["locality", "Moskva", "Москва", "same", "script"],
  ["birthdate", "01.02.1990", "1990-02-01", "same", "format"],
  ["birthdate", "1990-01-02", "1990-02-01", "close", "day_and_month"],
  ["birthdate", "1990-02-02", "1990-02-01", "different", "nothing_alike"],
  ["idDocument", "l01-x00 t47", "L01X00T47", "same", "writing"],
  ["idDocument", "D231458907", "D23145890", "same", "check_digit"],
  ["idDocument", "L01XOOT47", "L01X00T47", "close", "lookalikes"],
  [
    "idDocument",
    "L898902C37UTO7408122F1204159ZE184226B<<<<<10",
    "L898902C3",
    "different",
    "check_digit_wrong",
  ],
  ["idDocument", "L01X00T48", "L01X00T47", "different", "nothing_alike"],
];

for (const [field, given, onFile, result, reason] of ROWS) {
  test(`${field}: ${given} is ${result === "different" ? "not" : result === "same" ? "the same as" : "close to"} ${onFile} (${reason})`, () => {
    const [compared] = compareUsers({ [field]: given }, { [field]: onFile }).fields;
    assert.equal(compared?.result, result);
    assert.ok(
      compared?.reasons.some((one) => one === reason),
      JSON.stringify(compared),
    );
  });
}

test("given name and family name that stand in each other's place are the same person's", () => {
  const { fields, score } = compareUsers(
    { givenName: "Kovács", familyName: "Anna" },
    { givenName: "Anna", familyName: "Kovacs" },
  );
  assert.deepEqual(
    fields.map(({ result, reasons }) => [result, ...reasons]),
    [
      ["same", "swapped_names"],
      ["same", "swapped_names"],
    ],
  );
  assert.equal(score, 90);
});

test("a house number that stands with its street on one side alone is compared all the same", () => {
  const { fields } = compareUsers(
    { streetName: "Hauptstr. 12a" },
    { streetName: "Hauptstraße", streetNumber: "12 A" },
  );
  assert.deepEqual(
    fields.map(({ field, result }) => [field, result]),
    [
      ["streetName", "same"],
      ["streetNumber", "same"],
    ],
  );
});

test("what one side has not is not compared and weighs nothing", () => {
  const { score, fields } = compareUsers(
    { familyName: "Ada", email: "a@b.example" },
    { familyName: "Ada", birthdate: "1990-02-01" },
  );
  assert.equal(score, 100);
  assert.deepEqual(Object.fromEntries(fields.map(({ field, result }) => [field, result])), {
    familyName: "same",
    birthdate: "not_given",
    email: "not_on_file",
  });
  assert.equal(compareUsers({}, { familyName: "Ada" }).score, null);
});

test("the machine readable zone's number and check digit are those of ICAO 9303's specimens", () => {
  // Doc 9303-4 appendix B (TD3), 9303-5 appendix B (TD1): the specimens of Utopia.
  assert.equal(mrzCheckDigit("L898902C3"), 6);
  assert.equal(mrzCheckDigit("D23145890"), 7);
  const td3 = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
  assert.deepEqual(readDocumentNumber(td3), { number: "L898902C3", checkDigit: "right" });
  const td1 = "I<UTOD231458907<<<<<<<<<<<<<<<";
  assert.deepEqual(readDocumentNumber(td1), { number: "D23145890", checkDigit: "right" });
  const wrong = td3.replace("C36", "C37");
  assert.equal(readDocumentNumber(wrong).checkDigit, "wrong");
  const today = { now: new Date("2026-03-01"), minimumAgeYears: null };
  assert.deepEqual(checkUserData({ idDocument: wrong }, [], today), [
    { field: "idDocument", code: "document_malformed" },
  ]);
  assert.equal(
    tidyUserData({ idDocument: td3 }).idDocument,
    "L898902C3",
    "of a whole line its number is kept",
  );
});

test("dates are read as they are written, and a day that could be a month only where somebody says which is first", () => {
  for (const text of [
    "1990-02-01",
    "19900201",
    "1.2.1990",
    "1 Feb 1990",
    "01. Februar 1990",
    "1990-02-01T00:00:00Z",
  ])
    assert.deepEqual(readDate(text), { date: "1990-02-01" }, text);
  assert.deepEqual(readDate("01/02/1990"), { fault: "ambiguous" });
  assert.deepEqual(readDate("01/02/1990", "dmy"), { date: "1990-02-01" });
  assert.deepEqual(readDate("01/02/1990", "mdy"), { date: "1990-01-02" });
  assert.deepEqual(readDate("13/02/1990"), { date: "1990-02-13" });
  assert.deepEqual(readDate("30.2.1990"), { fault: "impossible" });
  assert.deepEqual(readDate("yesterday"), { fault: "malformed" });
});

/** A copied line of a passport may be wrong in itself. */
const WRITTEN = USER_FIELDS.filter((field) => field !== "idDocument");

test("whatever is written: what is the same text is the same, and no text of either side is in the result", () => {
  const texts = fc
    .string({ unit: "grapheme", minLength: 4, maxLength: 40 })
    .filter((text) => /\p{L}{4}/u.test(text));
  fc.assert(
    fc.property(fc.constantFrom(...WRITTEN), texts, texts, (field, one, other) => {
      const same = compareUsers({ [field]: one }, { [field]: one }).fields;
      for (const { result, score } of same) assert.deepEqual([result, score], ["same", 100]);
      const told = JSON.stringify(compareUsers({ [field]: one }, { [field]: other }));
      const letters = /\p{L}{4,}/u.exec(one)?.[0] ?? "";
      if (/\P{ASCII}/u.test(letters)) assert.ok(!told.includes(letters));
    }),
    { seed: SEED },
  );
});
