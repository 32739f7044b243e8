/**
 * What somebody says of themselves against what the operator has on file of them, field by field: a score with its reasons for
 * each, and one for the whole. Nothing of either side is in the result, so that it can be kept, shown and counted (R38).
 */
import { USER_FIELDS, type UserData, type UserField } from "../account/user-data.ts";
import {
  compareHouseNumbers,
  compareLocalities,
  comparePostalCodes,
  compareStreets,
  streetOf,
} from "./compare-addresses.ts";
import { compareDocuments } from "./compare-documents.ts";
import { compareNames } from "./compare-names.ts";
import {
  type Agreement,
  agrees,
  CLOSE_FROM,
  type ComparisonReason,
  DIFFERENT,
  SAME_FROM,
} from "./field-comparison.ts";
import { readDate } from "./read-date.ts";

type FieldComparison = {
  readonly field: UserField;
  /** `not_on_file`, `not_given`: nothing was compared. */
  readonly result: "same" | "close" | "different" | "not_on_file" | "not_given";
  /** 0 to 100; null where nothing was compared. */
  readonly score: number | null;
  readonly reasons: readonly ComparisonReason[];
};

export type Comparison = {
  /** Of what was compared, weighed; null where nothing was. */
  readonly score: number | null;
  /** Fields that one side has at least. */
  readonly fields: readonly FieldComparison[];
};

/** How much a field says of who somebody is: many share a town, few a birthday, nobody a passport. */
const WEIGHTS: Readonly<Record<UserField, number>> = {
  familyName: 25,
  givenName: 15,
  birthdate: 25,
  idDocument: 25,
  postalCode: 8,
  streetName: 6,
  streetNumber: 3,
  locality: 4,
  country: 2,
  email: 4,
  fax: 1,
};
const SWAPPED_SCORE = 90;

export function compareUsers(given: UserData, onFile: UserData): Comparison {
  const [ours, theirs] = [withStreetParted(given), withStreetParted(onFile)];
  const fields = namesSwapped(
    USER_FIELDS.flatMap((field) => fieldOf(field, ours, theirs) ?? []),
    ours,
    theirs,
  );
  const compared = fields.filter(({ score }) => score !== null);
  const weight = compared.reduce((sum, { field }) => sum + WEIGHTS[field], 0);
  const scored = compared.reduce((sum, { field, score }) => sum + WEIGHTS[field] * (score ?? 0), 0);
  return { score: weight === 0 ? null : Math.floor(scored / weight), fields };
}

/** A house number that stands with the street on one side alone is a number on both. */
function withStreetParted(user: UserData): UserData {
  if (!user.streetName || user.streetNumber) return user;
  const { name, number } = streetOf(user.streetName);
  return number === "" ? user : { ...user, streetName: name, streetNumber: number };
}

function fieldOf(field: UserField, given: UserData, onFile: UserData): FieldComparison | undefined {
  const [one, other] = [given[field], onFile[field]];
  if (one === undefined && other === undefined) return undefined;
  if (one === undefined) return { field, result: "not_given", score: null, reasons: [] };
  if (other === undefined) return { field, result: "not_on_file", score: null, reasons: [] };
  const country = onFile.country ?? given.country;
  return withResult(field, agreementOf(field, one, other, country?.toUpperCase()));
}

const withResult = (field: UserField, { score, reasons }: Agreement): FieldComparison => ({
  field,
  result: score >= SAME_FROM ? "same" : score >= CLOSE_FROM ? "close" : "different",
  score: score >= CLOSE_FROM ? score : 0,
  reasons,
});

function agreementOf(
  field: UserField,
  given: string,
  onFile: string,
  country: string | undefined,
): Agreement {
  if (given === onFile && field !== "idDocument") return agrees(100);
  switch (field) {
    case "givenName":
    case "familyName":
      return compareNames(given, onFile);
    case "birthdate":
      return compareDates(given, onFile);
    case "streetName":
      return compareStreets(given, onFile);
    case "streetNumber":
      return compareHouseNumbers(given, onFile);
    case "postalCode":
      return comparePostalCodes(given, onFile, country);
    case "locality":
      return compareLocalities(given, onFile);
    case "idDocument":
      return compareDocuments(given, onFile);
    case "country":
    case "email":
      return given.trim().toLowerCase() === onFile.trim().toLowerCase() ? agrees(100) : DIFFERENT;
    case "fax":
      return digitsOf(given) === digitsOf(onFile) ? agrees(100) : DIFFERENT;
  }
}

function compareDates(given: string, onFile: string): Agreement {
  const [one, other] = [readDate(given), readDate(onFile)];
  if (!("date" in one) || !("date" in other)) return DIFFERENT;
  if (one.date === other.date) return given.trim() === onFile.trim() ? agrees(100) : agrees(100, "format");
  const [year, month, day] = one.date.split("-");
  return `${year}-${day}-${month}` === other.date ? agrees(70, "day_and_month") : DIFFERENT;
}

const digitsOf = (number: string): string => number.replace(/\D/g, "").replace(/^00/, "");

/** Many forms and cultures have the family name first: each in the other's place is the same person. */
function namesSwapped(
  fields: readonly FieldComparison[],
  given: UserData,
  onFile: UserData,
): readonly FieldComparison[] {
  const names = fields.filter(({ field }) => field === "givenName" || field === "familyName");
  const areBothOff = names.length === 2 && names.every(({ result }) => result === "different");
  const { givenName, familyName } = given;
  if (!areBothOff || !givenName || !familyName || !onFile.givenName || !onFile.familyName) return fields;
  const crossed = [compareNames(givenName, onFile.familyName), compareNames(familyName, onFile.givenName)];
  if (!crossed.every(({ score }) => score >= SAME_FROM)) return fields;
  return fields.map((one) =>
    names.includes(one) ? { ...one, result: "same", score: SWAPPED_SCORE, reasons: ["swapped_names"] } : one,
  );
}
