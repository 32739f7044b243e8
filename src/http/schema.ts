/**
 * Words of the API description: small makers of JSON schema that keep their TypeScript type, and the shared schemas
 * that stand once under `components` and are referred to by name.
 */
import Type, { type Static, type TSchema, type TUnsafe } from "typebox";

const shared = new Map<string, TSchema>();

/** Every shared schema by name: given to the server before its routes. */
export const sharedSchemas = (): ReadonlyMap<string, TSchema> => shared;

/** Puts a schema under `components` and answers a reference to it that keeps its type. */
export function named<S extends TSchema>(name: string, schema: S): TUnsafe<Static<S>> {
  if (shared.has(name)) throw new Error(`two schemas are named ${name}`);
  shared.set(name, schema);
  return Type.Unsafe<Static<S>>({ $ref: `${name}#` });
}

/** One of a few words. */
export const words = <const Word extends string>(
  list: readonly Word[],
  description?: string,
): TUnsafe<Word> =>
  Type.Unsafe<Word>({ type: "string", enum: [...list], ...(description && { description }) });

/** A field under its former name: given and taken beside `now` in one release more. */
export const formerWords = <const Word extends string>(list: readonly Word[], now: string): TUnsafe<Word> =>
  Type.Unsafe<Word>({
    ...{ type: "string", enum: [...list], deprecated: true },
    description: `The former name of \`${now}\`; it goes with the next release.`,
  });

type StringRules = {
  readonly description?: string;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly examples?: readonly string[];
};

/** Text or null, written as a list of types: the serializer then needs no validation to tell which. */
export const textOrNull = (rules: StringRules = {}): TUnsafe<string | null> =>
  Type.Unsafe<string | null>({ type: ["string", "null"], ...rules });
export const integerOrNull = (
  rules: { minimum?: number; maximum?: number; description?: string; "x-unit"?: string } = {},
): TUnsafe<number | null> => Type.Unsafe<number | null>({ type: ["integer", "null"], ...rules });
export const wordsOrNull = <const Word extends string>(list: readonly Word[]): TUnsafe<Word | null> =>
  Type.Unsafe<Word | null>({ type: ["string", "null"], enum: [...list, null] });

/** Longest free text that a request may hold in one field, in characters. */
const TEXT_CHARACTERS_MAX = 500;
/**
 * No control characters, and nothing that is no character: a null octet would be refused by the database, a line feed could forge a
 * log line, and half a pair of UTF-16 stands in no message to a phone.
 */
const NO_CONTROL = "^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff\\ufffe\\uffff]*$";

export const text = (description: string, maxLength = TEXT_CHARACTERS_MAX, minLength = 1) =>
  Type.String({ description, minLength, maxLength, pattern: NO_CONTROL });

export const id = (description: string) =>
  Type.String({
    description,
    pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    examples: ["01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11"],
  });

const INSTANT = "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$";
/** RFC 3339 with a zone, as a request may write it; no leap second, which no clock here has. */
export const instantIn = (description: string) =>
  Type.String({ description, format: "date-time", pattern: INSTANT, maxLength: 40 });
export const instant = (description?: string) =>
  Type.String({ ...(description && { description }), format: "date-time" });
export const instantOrNull = () => textOrNull({ format: "date-time" });

/** An integer of minor units: 120 with EUR is 1.20 euro. */
export const minorUnits = (description: string) =>
  Type.Unsafe<bigint>({ type: "integer", format: "int64", description });
export const currency = () =>
  Type.String({ pattern: "^[A-Z]{3}$", description: "A currency: ISO 4217.", examples: ["EUR"] });

/** Anything that JSON can hold; what it is depends on its neighbour. */
export const anything = (description: string) => Type.Unsafe<unknown>({ description });

export const PAGE_ROWS_MAX = 1_000;
export const PAGE_ROWS_DEFAULT = 100;

/** The length of a page, of every list. */
export const pageLimit = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: PAGE_ROWS_MAX,
    description: `Rows of one page; ${PAGE_ROWS_DEFAULT} unless given.`,
  }),
);

/** The query of every list that is by id. */
export const pageQuery = {
  limit: pageLimit,
  cursor: Type.Optional(id("`nextCursor` of the page before.")),
  order: Type.Optional(words(["asc", "desc"], "By id, which is by time: `desc` is newest first.")),
};

/** The answer of every list. */
export const page = <Row extends TSchema>(row: Row) =>
  Type.Object({
    rows: Type.Array(row),
    nextCursor: textOrNull({ description: "Give it as `cursor` for the next page; null on the last." }),
  });
