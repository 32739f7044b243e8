/**
 * What a feature asks of whoever wants it, such as the number that calls are forwarded to (US 6,647,260 column 6): given with the
 * request, on every road, checked by its kind before anything is done, and kept in the form in which others are told it.
 */
import { TurnupError } from "../../term/error.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { msisdnFromNational } from "../../term/msisdn-national.ts";
import type { CatalogItem, NeededField } from "../catalog/catalog-item.ts";

type Fields = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Longest value of a field, in characters. */
const VALUE_CHARACTERS_MAX = 100;

/** What an item asks for, whether its own service server is told it or the elements of the network are. */
export const fieldsAskedBy = ({ service, fields }: Pick<CatalogItem, "service" | "fields">) =>
  service?.fields ?? fields ?? [];

/**
 * The fields as they are kept: of features just what they ask for, of services as they came.
 * @param country ISO 3166-1 alpha-2, of the SIM: how a phone number is read that is written without its country
 * @throws TurnupError `field_invalid`: it names item and field, never the value
 */
export function checkItemFields(
  items: readonly CatalogItem[],
  given: Fields,
  country: string | null = null,
): Fields {
  const checked = new Map(Object.entries(given));
  for (const item of items) {
    if (item.kind !== "feature") continue;
    const values = fieldsAskedBy(item).flatMap((field) => {
      const text = (given[item.id]?.[field.name] ?? "").normalize("NFC").trim();
      const value = checkedValue(item, field, text, country);
      return value === "" ? [] : [[field.name, value] as const];
    });
    if (values.length > 0) checked.set(item.id, Object.fromEntries(values));
    else checked.delete(item.id);
  }
  return Object.fromEntries(checked);
}

function checkedValue(item: CatalogItem, field: NeededField, text: string, country: string | null): string {
  const value = text === "" ? (field.required ? undefined : "") : normalised(field.kind, text, country);
  if (value !== undefined) return value;
  const what = text === "" ? "is missing" : `is no ${WORDS[field.kind]}`;
  throw new TurnupError("field_invalid", `The field ${field.name} of ${item.id} ${what}.`, {
    nextStep: `Give it as fields: {"${item.id}": {"${field.name}": "..."}}.`,
    details: { item: item.id, field: field.name },
  });
}

const WORDS: Readonly<Record<NeededField["kind"], string>> = {
  text: `text of 1 to ${VALUE_CHARACTERS_MAX} characters`,
  digits: "row of digits",
  phone: "phone number with its country code",
  email: "mail address",
  secret: `text of 1 to ${VALUE_CHARACTERS_MAX} characters`,
  date: "day written YYYY-MM-DD",
};

/** Undefined: it cannot be right. */
function normalised(kind: NeededField["kind"], text: string, country: string | null): string | undefined {
  if (text.length > VALUE_CHARACTERS_MAX || /\p{Cc}/u.test(text)) return undefined;
  switch (kind) {
    case "digits":
      return /^\d+$/.test(text) ? text : undefined;
    case "email":
      return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) ? text : undefined;
    case "phone":
      return phoneOf(text, country);
    case "date":
      return isDay(text) ? text : undefined;
    default:
      return text;
  }
}

const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

/** As people of the country write it, where it is written without `+`; a number of another country as it stands. */
function phoneOf(text: string, country: string | null): string | undefined {
  const isInternational = country === null || /^\s*(?:\+|00)/.test(text);
  const national = isInternational ? undefined : numberIn(() => msisdnFromNational(text, country));
  const number = national ?? numberIn(() => parseMsisdn(text));
  return number === undefined ? undefined : `+${number}`;
}

function numberIn(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TurnupError) return undefined;
    throw error;
  }
}
