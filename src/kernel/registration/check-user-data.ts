/**
 * The fields of a user: which a request needs, and whether what was given can be true. A field that is given is checked
 * even where nobody needs it; what is told of it is a code, never its value.
 */

import { isCalendarDay } from "../../term/calendar.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { isOneOf, wordOf } from "../../term/narrow.ts";
import { USER_FIELDS, type UserData, type UserField } from "../account/user-data.ts";
import type { CatalogItem, NeededField } from "../catalog/catalog-item.ts";
import { fieldsAskedBy } from "./check-item-fields.ts";
import { readDocumentNumber } from "./compare-documents.ts";
import type { FieldCode, FieldFault } from "./field-fault.ts";
import type { VerificationDue } from "./judge-verification.ts";

/** Longest text of a field, in characters. */
const FIELD_CHARACTERS_MAX = 100;
const EMAIL_CHARACTERS_MAX = 254;
/** The oldest person whose age is proven lived 122 years. */
const AGE_YEARS_MAX = 125;

/** What a request must bring: of the user by policy, and by item what it asks for beyond that. */
export function neededFields(
  due: Pick<VerificationDue, "fields">,
  items: readonly CatalogItem[],
): {
  readonly user: readonly UserField[];
  readonly services: readonly { readonly itemId: string; readonly fields: readonly NeededField[] }[];
} {
  const asked = items.map((item) => ({ itemId: item.id, fields: fieldsAskedBy(item) }));
  const isUsers = ({ name }: NeededField): boolean => isOneOf(USER_FIELDS, name);
  // What a service calls by the name of a user's field is that field: nobody types their mail address twice.
  const fromServices = asked.flatMap(({ fields }) =>
    fields.filter((field) => field.required && isUsers(field)),
  );
  const user = new Set([
    ...due.fields,
    ...fromServices.flatMap(({ name }) => wordOf(USER_FIELDS, name) ?? []),
  ]);
  return {
    user: USER_FIELDS.filter((field) => user.has(field)),
    services: asked
      .map(({ itemId, fields }) => ({ itemId, fields: fields.filter((field) => !isUsers(field)) }))
      .filter(({ fields }) => fields.length > 0),
  };
}

/** How old somebody has to be by now; null: the operator does not ask. */
type AgeCheck = { readonly now: Date; readonly minimumAgeYears: number | null };

export function checkUserData(
  user: UserData,
  needed: readonly UserField[],
  today: AgeCheck,
): readonly FieldFault[] {
  return USER_FIELDS.flatMap((field): FieldFault[] => {
    const text = user[field]?.trim() ?? "";
    if (text === "") return needed.includes(field) ? [{ field, code: "missing" }] : [];
    const code = faultOf(field, text, user, today);
    return code ? [{ field, code }] : [];
  });
}

/** Without spaces at the ends, empty fields and fields that nobody knows: what is kept and sent. */
export function tidyUserData(given: Readonly<Record<string, unknown>>): UserData {
  const tidy: Partial<Record<UserField, string>> = {};
  for (const field of USER_FIELDS) {
    const value = Object.hasOwn(given, field) ? given[field] : undefined;
    const text = typeof value === "string" ? value.normalize("NFC").trim() : "";
    if (text !== "") tidy[field] = tidyText(field, text);
  }
  return tidy;
}

/** Of a line of a machine readable zone its number alone is kept; one whose check digit is wrong stays, and is refused. */
function tidyText(field: UserField, text: string): string {
  if (field === "country") return text.toUpperCase();
  if (field !== "idDocument") return text;
  const { number, checkDigit } = readDocumentNumber(text);
  return checkDigit === "right" ? number : text;
}

function isDocumentNumber(text: string): boolean {
  const { number, checkDigit } = readDocumentNumber(text);
  return (
    checkDigit !== "wrong" && !/[^\p{L}\p{N}\s./<-]/u.test(text) && /^(?=.*\d)[A-Z0-9]{5,20}$/.test(number)
  );
}

function faultOf(field: UserField, text: string, user: UserData, today: AgeCheck): FieldCode | undefined {
  if (text.length > (field === "email" ? EMAIL_CHARACTERS_MAX : FIELD_CHARACTERS_MAX)) return "too_long";
  if (/\p{Cc}|\p{Cf}|[\u2028\u2029]/u.test(text)) return "control_characters"; // Cf: what turns text around, too
  switch (field) {
    case "givenName":
    case "familyName":
    case "locality":
    case "streetName":
      return /\p{L}/u.test(text) ? undefined : "no_name";
    case "birthdate":
      return birthdateFault(text, today);
    case "postalCode":
      return isPostalCode(text, user.country) ? undefined : "postal_code_malformed";
    case "country":
      return isCountry(text) ? undefined : "country_unknown";
    case "idDocument":
      return isDocumentNumber(text) ? undefined : "document_malformed";
    case "email":
      return isEmail(text) ? undefined : "email_malformed";
    case "fax":
      return isPhoneNumber(text) ? undefined : "fax_malformed";
    case "streetNumber":
      return undefined;
  }
}

function birthdateFault(text: string, { now, minimumAgeYears }: AgeCheck): FieldCode | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return "date_malformed";
  if (!isCalendarDay(text)) return "date_impossible";
  if (new Date(`${text}T00:00:00Z`) > now) return "date_in_future";
  const age = wholeYears(text, now);
  if (age > AGE_YEARS_MAX) return "date_too_long_ago";
  return minimumAgeYears !== null && age < minimumAgeYears ? "too_young" : undefined;
}

/** Somebody born on 29 February has their birthday on 1 March in other years. */
function wholeYears(birthdate: string, now: Date): number {
  const today = now.toISOString().slice(0, 10);
  const years = Number(today.slice(0, 4)) - Number(birthdate.slice(0, 4));
  return today.slice(5) >= birthdate.slice(5) ? years : years - 1;
}

/** Forms of the Universal Postal Union's members that have many of our users; elsewhere, letters and digits. */
const POSTAL_CODES: Readonly<Record<string, RegExp>> = {
  AT: /^[1-9]\d{3}$/,
  AU: /^\d{4}$/,
  BE: /^[1-9]\d{3}$/,
  BR: /^\d{5}-?\d{3}$/,
  CA: /^[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d$/,
  CH: /^[1-9]\d{3}$/,
  CZ: /^\d{3} ?\d{2}$/,
  DE: /^\d{5}$/,
  DK: /^\d{4}$/,
  ES: /^(?:0[1-9]|[1-4]\d|5[0-2])\d{3}$/,
  FI: /^\d{5}$/,
  FR: /^\d{5}$/,
  GB: /^(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$/,
  IN: /^[1-9]\d{2} ?\d{3}$/,
  IT: /^\d{5}$/,
  JP: /^\d{3}-?\d{4}$/,
  NL: /^[1-9]\d{3} ?[A-Z]{2}$/,
  NO: /^\d{4}$/,
  PL: /^\d{2}-?\d{3}$/,
  PT: /^\d{4}(?:-\d{3})?$/,
  SE: /^\d{3} ?\d{2}$/,
  US: /^\d{5}(?:-\d{4})?$/,
};

function isPostalCode(text: string, country: string | undefined): boolean {
  const code = text.toUpperCase();
  const form = POSTAL_CODES[country?.trim().toUpperCase() ?? ""];
  return form ? form.test(code) : /^[A-Z0-9](?:[A-Z0-9 -]{0,10}[A-Z0-9])$/.test(code);
}

const REGION_NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
/** Known to CLDR, but no country of ISO 3166. */
const NO_COUNTRIES = new Set(["EU", "EZ", "UN", "ZZ", "QO", "XA", "XB"]);

/** ISO 3166 alpha-2. A code that stands for another (`UK` for `GB`) or for a country that is no more is refused. */
export function isCountry(text: string): boolean {
  const code = text.toUpperCase();
  if (!/^[A-Z]{2}$/.test(code) || NO_COUNTRIES.has(code)) return false;
  return REGION_NAMES.of(code) !== undefined && Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`;
}

/** RFC 5321 §4.1.2 without quoted local parts and address literals, which no mail provider gives out. */
const EMAIL =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/;

const isEmail = (text: string): boolean =>
  text.length <= EMAIL_CHARACTERS_MAX && EMAIL.test(text) && !/^\.|\.\.|\.@/.test(text);

function isPhoneNumber(text: string): boolean {
  try {
    parseMsisdn(text);
    return true;
  } catch {
    return false;
  }
}
