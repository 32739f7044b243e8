/**
 * `npm run build:api-types`: writes the API's description as TypeScript, for the console's client (`openapi-fetch`), which knows
 * nothing of these sources. It is made anew before the console's types are checked and is not kept: so it cannot be old.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describedApi } from "../../http/describe.ts";
import { packageFolder } from "../../store/dataset/folder.ts";
import { membersOf } from "../../term/narrow.ts";

const HEAD = "/** Written by `npm run build:api-types` from the API's description. */\n";

/** A JSON schema as a TypeScript type. What it does not say is `unknown`. */
function typeOf(schema: unknown): string {
  const { $ref, enum: among, anyOf, oneOf, allOf, type, ...rest } = membersOf(schema);
  if (typeof $ref === "string")
    return `schemas[${JSON.stringify($ref.replace(/^.*\//, "").replace(/#$/, ""))}]`;
  if (Array.isArray(among)) return among.map((one) => JSON.stringify(one)).join(" | ");
  if (rest.const !== undefined) return JSON.stringify(rest.const);
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return choices.map((one) => `(${typeOf(one)})`).join(" | ");
  if (Array.isArray(allOf)) return allOf.map((one) => `(${typeOf(one)})`).join(" & ");
  const types = Array.isArray(type) ? type : [type];
  return types.map((one) => plainType(one, rest)).join(" | ");
}

function plainType(type: unknown, schema: Readonly<Record<string, unknown>>): string {
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "integer":
    case "number":
      return "number";
    case "array":
      return `(${typeOf(schema.items)})[]`;
    case "object":
      return objectType(schema);
    default:
      return "unknown";
  }
}

function objectType({
  properties,
  required,
  additionalProperties,
  patternProperties,
}: Readonly<Record<string, unknown>>): string {
  const needed = new Set(Array.isArray(required) ? required : []);
  const fields = Object.entries(membersOf(properties)).map(
    ([name, schema]) => `${JSON.stringify(name)}${needed.has(name) ? "" : "?"}: ${typeOf(schema)};`,
  );
  const [others] = Object.values(membersOf(patternProperties));
  const rest = others ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
  if (fields.length === 0)
    return rest === undefined ? "Record<string, unknown>" : `Record<string, ${typeOf(rest)}>`;
  return `{ ${fields.join(" ")} }`;
}

/** By where they stand: path, query, header. */
function parametersType(parameters: unknown): string {
  const places = new Map<string, string[]>();
  for (const one of Array.isArray(parameters) ? parameters : []) {
    const { in: place, name, required, schema } = membersOf(one);
    const field = `${JSON.stringify(name)}${required === true ? "" : "?"}: ${typeOf(schema)};`;
    places.set(String(place), [...(places.get(String(place)) ?? []), field]);
  }
  const written = ["path", "query", "header"].map((place) => {
    const fields = places.get(place);
    const isNeeded = fields?.some((field) => !/^"[^"]*"\?/.test(field));
    return fields ? `${place}${isNeeded ? "" : "?"}: { ${fields.join(" ")} };` : `${place}?: never;`;
  });
  return `{ ${written.join(" ")} cookie?: never; }`;
}

function contentType(content: unknown): string {
  const entries = Object.entries(membersOf(content)).map(
    ([media, entry]) => `${JSON.stringify(media)}: ${typeOf(membersOf(entry).schema)};`,
  );
  return entries.length === 0 ? "content?: never" : `content: { ${entries.join(" ")} }`;
}

function operationType(operation: unknown): string {
  const { parameters, requestBody, responses } = membersOf(operation);
  const body =
    requestBody === undefined
      ? "requestBody?: never;"
      : `requestBody: { ${contentType(membersOf(requestBody).content)} };`;
  const answers = Object.entries(membersOf(responses)).map(
    ([status, answer]) =>
      `${status}: { headers: Record<string, unknown>; ${contentType(membersOf(answer).content)} };`,
  );
  return `{ parameters: ${parametersType(parameters)}; ${body} responses: { ${answers.join(" ")} } }`;
}

/** @param document OpenAPI 3.1 */
function apiTypes(document: unknown): string {
  const { paths, components } = membersOf(document);
  const schemas = Object.entries(membersOf(membersOf(components).schemas)).map(
    ([name, schema]) => `  ${JSON.stringify(name)}: ${typeOf(schema)};\n`,
  );
  const addresses = Object.entries(membersOf(paths)).map(([path, methods]) => {
    const operations = Object.entries(membersOf(methods)).map(
      ([method, operation]) => `    ${method}: ${operationType(operation)};\n`,
    );
    return `  ${JSON.stringify(path)}: {\n${operations.join("")}  };\n`;
  });
  return `${HEAD}export interface schemas {\n${schemas.join("")}}\nexport interface paths {\n${addresses.join("")}}\n`;
}

writeFileSync(join(packageFolder(), "web", "src", "api", "schema.gen.ts"), apiTypes(await describedApi()));
