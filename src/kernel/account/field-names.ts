/** What people call the fields of a user, in every language that is shipped: on screens and in SMS alike. */
import type { UserField } from "./user-data.ts";

type FieldNames = Readonly<Record<UserField, string>>;

export const FIELD_NAMES = {
  en: {
    givenName: "First name",
    familyName: "Last name",
    birthdate: "Date of birth",
    streetName: "Street",
    streetNumber: "House number",
    postalCode: "Postal code",
    locality: "Town",
    country: "Country (two letters)",
    idDocument: "ID document number",
    email: "E-mail",
    fax: "Fax number",
  },
  de: {
    givenName: "Vorname",
    familyName: "Nachname",
    birthdate: "Geburtsdatum",
    streetName: "Straße",
    streetNumber: "Hausnummer",
    postalCode: "Postleitzahl",
    locality: "Ort",
    country: "Land (zwei Buchstaben)",
    idDocument: "Ausweisnummer",
    email: "E-Mail",
    fax: "Faxnummer",
  },
} as const satisfies Readonly<Record<string, FieldNames>>;

/** In the language, its base language, or English. */
export function fieldNameIn(field: UserField, language: string): string {
  const names: Readonly<Record<string, FieldNames>> = FIELD_NAMES;
  const [base = ""] = language.split("-");
  return (names[language] ?? names[base] ?? FIELD_NAMES.en)[field];
}
