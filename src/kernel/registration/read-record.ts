/** One row of an operator's own subscriber data: numbers and fields as its system writes them, or why it is none. */
import { TurnupError } from "../../term/error.ts";
import { parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import type { RecordNumber, SubscriberRecord } from "../account/own-records.ts";
import { USER_FIELDS, type UserData } from "../account/user-data.ts";
import { checkUserData, isCountry, tidyUserData } from "./check-user-data.ts";
import { streetOf } from "./compare-addresses.ts";
import { type DateOrder, readDate } from "./read-date.ts";

export type RecordRow = Readonly<Record<string, string | undefined>>;

/** A reason names the field and what is wrong, and never holds a value. */
type RecordRead = { readonly record: SubscriberRecord } | { readonly reason: string };

type Reading = {
  readonly now: Date;
  /** Of dates that do not say which comes first. */
  readonly dateOrder?: DateOrder | undefined;
};

export function readRecord(row: RecordRow, { now, dateOrder }: Reading): RecordRead {
  const imsi = numberOf(row.imsi, parseImsi);
  const msisdn = numberOf(row.msisdn, (text) => parseMsisdn(text.startsWith("+") ? text : `+${text}`));
  if (typeof imsi === "object" && imsi !== null) return { reason: `imsi: ${imsi.code}` };
  if (typeof msisdn === "object" && msisdn !== null) return { reason: `msisdn: ${msisdn.code}` };
  if (imsi === null && msisdn === null) return { reason: "neither imsi nor msisdn is given" };
  const dated = withDate(row, dateOrder);
  if (typeof dated === "string") return { reason: dated };
  const user = partedStreet(tidyUserData({ ...dated, ...countryOf(row.country) }));
  if (Object.keys(user).length === 0) return { reason: "no field of a person is given" };
  const faults = checkUserData(user, [], { now, minimumAgeYears: null });
  if (faults.length > 0) return { reason: faults.map(({ field, code }) => `${field}: ${code}`).join(", ") };
  return { record: { imsi, msisdn, user } };
}

/** The numbers that can be read of a row, also of one that is no record. */
export function numbersOf(row: RecordRow): readonly RecordNumber[] {
  const imsi = numberOf(row.imsi, parseImsi);
  const msisdn = numberOf(row.msisdn, (text) => parseMsisdn(text.startsWith("+") ? text : `+${text}`));
  return [
    ...(typeof imsi === "string" ? [{ imsi }] : []),
    ...(typeof msisdn === "string" ? [{ msisdn }] : []),
  ];
}

function numberOf(
  given: string | undefined,
  parse: (text: string) => string,
): string | null | { readonly code: string } {
  const text = given?.trim() ?? "";
  if (text === "") return null;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TurnupError) return { code: error.code };
    throw error;
  }
}

function withDate(row: RecordRow, order: DateOrder | undefined): RecordRow | string {
  const text = row.birthdate?.trim() ?? "";
  if (text === "") return row;
  const read = readDate(text, order);
  if ("date" in read) return { ...row, birthdate: read.date };
  return read.fault === "ambiguous"
    ? "birthdate: day and month could be either; say which comes first"
    : `birthdate: date_${read.fault}`;
}

function partedStreet(user: UserData): UserData {
  if (!user.streetName || user.streetNumber) return user;
  const { name, number } = streetOf(user.streetName);
  return number === "" ? user : { ...user, streetName: name, streetNumber: number };
}

/** Two letters, or the country's name in English, as customer systems often have it. */
function countryOf(given: string | undefined): { readonly country?: string } {
  const text = given?.trim() ?? "";
  if (text.length <= 2) return {};
  const code = COUNTRY_BY_NAME.get(text.toLowerCase());
  return code === undefined ? {} : { country: code };
}

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const NAMES = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
const COUNTRY_BY_NAME: ReadonlyMap<string, string> = new Map(
  LETTERS.flatMap((one) =>
    LETTERS.flatMap((other): [string, string][] => {
      const code = `${one}${other}`;
      const name = isCountry(code) ? NAMES.of(code) : undefined;
      return name === undefined ? [] : [[name.toLowerCase(), code]];
    }),
  ),
);

/** How the columns of a customer system are called, without regard to case, spaces and underscores. */
const COLUMN_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["imsi", "msisdn", ...USER_FIELDS].map((name) => [name.toLowerCase(), name])),
  phone: "msisdn",
  phonenumber: "msisdn",
  mobile: "msisdn",
  firstname: "givenName",
  lastname: "familyName",
  surname: "familyName",
  dateofbirth: "birthdate",
  dob: "birthdate",
  street: "streetName",
  housenumber: "streetNumber",
  postcode: "postalCode",
  zip: "postalCode",
  zipcode: "postalCode",
  city: "locality",
  town: "locality",
  document: "idDocument",
  documentnumber: "idDocument",
  mail: "email",
};

/** The field that a column holds; undefined where nobody reads it. */
export const recordColumn = (name: string): string | undefined => {
  const key = name.toLowerCase().replace(/[\s_-]/g, "");
  return Object.hasOwn(COLUMN_NAMES, key) ? COLUMN_NAMES[key] : undefined;
};
