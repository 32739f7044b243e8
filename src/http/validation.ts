/**
 * Checks a request against its schema and says in words what is wrong where. Path and query come as text and are
 * converted first; a body is taken as it is: "5" is not 5.
 */
import type { FastifySchemaCompiler } from "fastify";
import Type, { type Static, type TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import Value from "typebox/value";
import { maskText } from "../term/mask.ts";
import { isObject, membersOf } from "../term/narrow.ts";
import { type FieldError, InvalidRequest } from "./problem.ts";
import { sharedSchemas } from "./schema.ts";

/** Errors told at once; one is enough to refuse, a few help to repair. */
const ERRORS_TOLD_MAX = 8;
const PLACE_CHARACTERS_MAX = 120;
const PART_NAME: Readonly<Record<string, string>> = { querystring: "query", params: "path" };

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = "body" }) => {
  if (httpPart === "headers") return () => true; // described for the reader; the door reads the headers itself
  // Made when a request first asks for it: all of them together would hold up each start.
  const whole = once(() => inlined(schema) as TSchema); // the same schema with its references in place
  const check = once(() => Compile(whole()));
  const shapes = once(() => shapesOf(whole()).map((shape) => ({ shape, check: Compile(shape) })));
  const convert = once(() => (httpPart === "body" ? (value: unknown) => value : conversionBy(whole())));
  return (value: unknown) => {
    const given = convert()(value);
    if (check().Check(given)) return { value: given };
    const [nearest] = shapes()
      .map((one) => ({ shape: one.shape, errors: one.check.Errors(given) }))
      .sort((one, other) => one.errors.length - other.errors.length);
    return {
      error: invalid(nearest?.errors ?? [], PART_NAME[httpPart] ?? httpPart, nearest?.shape ?? whole()),
    };
  };
};

/**
 * As `Value.Convert`, for path and query, which are flat. That one makes a regular expression of each name that the schema knows,
 * with each request; here a request costs what it states, and a text that is wanted as text is none of it.
 */
function conversionBy(schema: TSchema): (value: unknown) => unknown {
  if (!Type.IsObject(schema)) return (value) => Value.Convert(schema, value);
  const properties = new Map<string, TSchema>(Object.entries(schema.properties));
  return (value) => {
    if (!isObject(value)) return value;
    for (const name of Object.keys(value)) {
      const property = properties.get(name);
      const given = value[name];
      if (property === undefined || (typeof given === "string" && Type.IsString(property))) continue;
      Reflect.set(value, name, Value.Convert(property, given));
    }
    return value;
  };
}

/** A body that came by another road than the API's, against the schema of its route. @throws InvalidRequest */
export function bodyOf<Schema extends TSchema>(schema: Schema, value: unknown): Static<Schema> {
  const whole = inlined(schema) as TSchema;
  const check = Compile(whole);
  if (check.Check(value)) return value as Static<Schema>; // the check is the proof
  throw invalid(check.Errors(value), "body", whole);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Where a body may have one of several shapes, only the one that it comes nearest to is spoken of. */
const shapesOf = (schema: TSchema): readonly TSchema[] =>
  "anyOf" in schema && Array.isArray(schema.anyOf) ? (schema.anyOf as TSchema[]) : [schema]; // JSON Schema has schemas there

/** Shared schemas are referred to by name in the description; a check wants them in place. */
function inlined(schema: unknown): unknown {
  if (!refersTo(schema)) return schema; // as it is: it carries what a conversion goes by
  if (Array.isArray(schema)) return schema.map(inlined);
  if (typeof schema !== "object" || schema === null) return schema;
  const { $ref } = membersOf(schema);
  if (typeof $ref === "string") return inlined(sharedSchemas().get($ref.replace(/#$/, "")));
  return Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, inlined(member)]));
}

const refersTo = (schema: unknown): boolean => JSON.stringify(schema)?.includes('"$ref"') ?? false;

function invalid(
  errors: readonly TLocalizedValidationError[],
  part: string,
  schema: TSchema,
): InvalidRequest {
  const told: FieldError[] = [];
  for (const error of errors) {
    for (const { at, wanted } of worded(error, schema)) {
      const place = maskText(`${part}${at}`.slice(0, PLACE_CHARACTERS_MAX));
      if (!told.some((known) => known.at === place && known.wanted === wanted))
        told.push({ at: place, wanted });
    }
    if (told.length >= ERRORS_TOLD_MAX) break;
  }
  return new InvalidRequest(told.length > 0 ? told : [{ at: part, wanted: "another shape" }]);
}

function worded(error: TLocalizedValidationError, schema: TSchema): FieldError[] {
  const at = error.instancePath;
  switch (error.keyword) {
    case "required":
      return error.params.requiredProperties.map((name) => ({ at: `${at}/${name}`, wanted: "is missing" }));
    case "additionalProperties":
      return error.params.additionalProperties.map((name) => ({
        at: `${at}/${name}`,
        wanted: "is not known here",
      }));
    case "boolean":
      return []; // the shadow of additionalProperties
    case "enum":
      return [{ at, wanted: `must be one of ${error.params.allowedValues.join(", ")}` }];
    case "const":
      return [{ at, wanted: `must be ${String(error.params.allowedValue)}` }];
    case "pattern": {
      const about = descriptionAt(schema, error.schemaPath);
      return [{ at, wanted: about ? `must be: ${about}` : error.message }];
    }
    default:
      return [{ at, wanted: error.message }];
  }
}

/** The description that stands beside the rule that failed. */
function descriptionAt(schema: unknown, schemaPath: string): string | undefined {
  let here: unknown = schema;
  for (const step of schemaPath.split("/").slice(1)) {
    here = typeof here === "object" && here !== null ? Reflect.get(here, step) : undefined;
  }
  const { description } = membersOf(here);
  return typeof description === "string" ? description : undefined;
}
